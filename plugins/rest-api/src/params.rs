//! Query parameters, read as OPA reads them.

use std::borrow::Cow;

/// The query string of a request; nothing is decoded before it is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Params<'a>(&'a str);

impl<'a> Params<'a> {
    /// The parameters of the URL.
    pub(crate) fn of(uri: &'a http::Uri) -> Self {
        Self(uri.query().unwrap_or_default())
    }

    /// Names and values in order. Pairs with a semicolon or a broken escape do not count.
    pub(crate) fn pairs(self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
        let sound = |pair: &&str| !pair.is_empty() && !pair.contains(';') && escapes_are_sound(pair);
        self.0.split('&').filter(sound).filter_map(|pair| form_urlencoded::parse(pair.as_bytes()).next())
    }

    /// The values of a parameter in order.
    pub(crate) fn all(self, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
        self.pairs().filter(move |(known, _)| known == name).map(|(_, value)| value)
    }

    /// The last value of a parameter.
    pub(crate) fn last(self, name: &str) -> Option<Cow<'a, str>> {
        self.all(name).last()
    }

    /// Whether a boolean parameter is on: some value is `true` in any case, or it stands there once without a value.
    pub(crate) fn flag(self, name: &str) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let mut count = 0;
        let mut bare = false;
        for value in self.all(name) {
            if value.eq_ignore_ascii_case("true") {
                return true;
            }
            count += 1;
            bare = value.is_empty();
        }
        count == 1 && bare
    }

    /// Whether an explanation is asked for. Values that mean nothing, `off` among them, are passed over.
    pub(crate) fn wants_explanation(self) -> bool {
        !self.0.is_empty() && self.all("explain").any(|value| matches!(&*value, "full" | "notes" | "fails" | "debug"))
    }
}

/// Whether every percent sign is followed by two hexadecimal digits.
pub(crate) fn escapes_are_sound(text: &str) -> bool {
    !text.as_bytes().contains(&b'%')
        || text
            .split('%')
            .skip(1)
            .all(|after| after.len() >= 2 && after.as_bytes()[..2].iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_on_for_true_or_one_bare_name() {
        let on = |query| Params(query).flag("a");
        assert!(on("a") && on("a=") && on("a=TRUE") && on("a=false&a=true") && on("b=1&a"));
        assert!(!on("") && !on("a=1") && !on("a=&a=") && !on("a=false") && !on("A=true") && !on("a=true;b=1"));
    }

    #[test]
    fn the_last_value_counts_and_plus_is_a_space() {
        assert_eq!(Params("q=1&q=a+b%2B").last("q").as_deref(), Some("a b+"));
        assert_eq!(Params("q=1&q=%zz").last("q").as_deref(), Some("1"));
        assert_eq!(Params("p=1").last("q"), None);
    }

    #[test]
    fn any_known_explanation_counts() {
        let wanted = |query| Params(query).wants_explanation();
        assert!(wanted("explain=full") && wanted("explain=off&explain=full") && wanted("explain=nope&explain=notes"));
        assert!(
            wanted("explain=off&explain=full")
                && !wanted("explain=off")
                && !wanted("explain=FULL")
                && !wanted("explain=")
        );
    }
}
