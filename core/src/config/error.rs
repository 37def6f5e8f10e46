//! What can be wrong with a configuration, told to the one who wrote it.

use std::fmt;

/// One thing that is wrong: what, at which key, from which layer.
///
/// Shows itself on one line, `bundles.authz.service: is missing (from base.yaml)`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    path: String,
    message: String,
    origin: String,
    remedy: Option<String>,
}

impl ConfigError {
    /// An error at a dotted key. Path and origin may be empty.
    pub fn new(path: impl Into<String>, message: impl Into<String>, origin: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), origin: origin.into(), remedy: None }
    }

    /// An error in OPA's own words, which come first and unchanged.
    pub fn opa(text: impl Into<String>) -> Self {
        Self::new("", text, "")
    }

    /// The same error, known to come from a layer.
    #[must_use]
    pub fn from_layer(self, origin: impl Into<String>) -> Self {
        Self { origin: origin.into(), ..self }
    }

    /// The same error, with what helps.
    #[must_use]
    pub fn with_remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }

    /// What helps, where that is known. Not part of what is shown on one line, which is often OPA's.
    pub fn remedy(&self) -> Option<&str> {
        self.remedy.as_deref()
    }

    /// The dotted key; empty when the message says it all.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong, without key and layer.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The layer, as `base.yaml` or `--set`; empty when unknown.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        if !self.origin.is_empty() {
            write!(f, " (from {})", self.origin)?;
        }
        Ok(())
    }
}

/// Everything that is wrong, in the order it was found. Joined by `; `, or one per line with `{:#}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl ConfigErrors {
    /// Nothing, if nothing is wrong; else these errors.
    pub fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if f.alternate() { "\n" } else { "; " };
        for (index, error) in self.0.iter().enumerate() {
            let before = if index == 0 { "" } else { separator };
            write!(f, "{before}{error}")?;
        }
        Ok(())
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_key_and_layer() {
        let error = ConfigError::new("a.b", "is missing", "base.yaml");
        assert_eq!(error.to_string(), "a.b: is missing (from base.yaml)");
        let text = r#"invalid service name "x" in status"#;
        assert_eq!(ConfigError::opa(text).to_string(), text);
        assert_eq!(ConfigError::opa(text).from_layer("--set").to_string(), format!("{text} (from --set)"));
    }

    #[test]
    fn all_errors_are_shown() {
        let errors = ConfigErrors(vec![ConfigError::opa("one"), ConfigError::opa("two")]);
        assert_eq!(errors.to_string(), "one; two");
        assert_eq!(format!("{errors:#}"), "one\ntwo");
        assert!(errors.into_result().is_err() && ConfigErrors::default().into_result().is_ok());
    }
}
