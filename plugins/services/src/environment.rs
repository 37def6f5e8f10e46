//! Variables of the environment that tell of clouds. They are looked at when credentials are needed, not before.

use std::sync::Arc;

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Where variables come from; tests bring their own.
#[derive(Clone)]
pub(crate) struct Environment(Arc<Lookup>);

impl Environment {
    /// The variables of this process.
    pub(crate) fn process() -> Self {
        Self(Arc::new(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())))
    }

    /// The variable's value; none if it is empty.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.find(name).filter(|value| !value.is_empty())
    }

    /// The variable's value, however empty.
    pub(crate) fn find(&self, name: &str) -> Option<String> {
        (self.0)(name)
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Self {
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let variables = std::collections::BTreeMap::from(variables);
        Self(Arc::new(move |name| variables.get(name).cloned()))
    }
}
