//! `${NAME}` in the text of a layer, before anything else reads it.
//!
//! A token is `${`, the shortest run of characters on one line, and `}`. What stands between the braces is the name,
//! to the letter. The value goes in as it is and is not looked at again.

/// Looks up a variable of the environment.
pub(super) type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

/// The variables of this process.
pub(super) fn process(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// The text with every token replaced, and the names that are not defined, each once. Those, and the empty name,
/// become the empty string.
pub(super) fn substitute(text: &str, lookup: &Lookup) -> (String, Vec<String>) {
    let mut undefined: Vec<String> = Vec::new();
    let out = replace(text, |name| {
        let value = lookup(name).filter(|_| !name.is_empty());
        if value.is_none() && !name.is_empty() && undefined.iter().all(|known| known != name) {
            undefined.push(name.to_owned());
        }
        value.unwrap_or_default()
    });
    (out, undefined)
}

/// The text with something in the place of every token, given its name.
pub(super) fn replace(text: &str, mut by: impl FnMut(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, token) = rest.split_at(start);
        out.push_str(before);
        let Some(name) = name_of(token) else {
            out.push_str("${");
            rest = &token[2..];
            continue;
        };
        out.push_str(&by(name));
        rest = &token[name.len() + 3..];
    }
    out.push_str(rest);
    out
}

/// The name in the token that the text begins with, if the token ends on its line.
fn name_of(token: &str) -> Option<&str> {
    let name = &token[2..];
    let end = name.find(['}', '\n'])?;
    name[end..].starts_with('}').then(|| &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> (String, Vec<String>) {
        substitute(text, &|name| match name {
            "A" => Some("1".into()),
            "EMPTY" => Some(String::new()),
            "A B" => Some("blank".into()),
            "LINES" => Some("x\ny".into()),
            "AGAIN" => Some("${A}".into()),
            _ => None,
        })
    }

    #[test]
    fn tokens_are_replaced_textually() {
        let table = [
            ("x${A}y", "x1y"),
            ("${A}${A}", "11"),
            ("$${A}", "$1"),
            ("${EMPTY}", ""),
            ("${A B}", "blank"),
            ("${}", ""),
            ("k: ${LINES}", "k: x\ny"),
            ("${AGAIN}", "${A}"),
            ("${A", "${A"),
            ("${A\n}", "${A\n}"),
            ("$A", "$A"),
            ("${\n${A}", "${\n1"),
            ("# ${A}", "# 1"),
            ("é${A}é", "é1é"),
            ("$", "$"),
            ("${", "${"),
        ];
        for (text, expected) in table {
            assert_eq!(filled(text), (expected.to_owned(), vec![]), "{text}");
        }
    }

    #[test]
    fn undefined_names_are_empty_and_named_once() {
        assert_eq!(filled("[${X}${Y}${X}]"), ("[]".to_owned(), vec!["X".to_owned(), "Y".to_owned()]));
        assert_eq!(filled("${a${A}}"), ("}".to_owned(), vec!["a${A".to_owned()]));
        assert_eq!(filled("${ A }"), (String::new(), vec![" A ".to_owned()]));
    }
}
