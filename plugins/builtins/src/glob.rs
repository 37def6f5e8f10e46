//! Glob patterns, as the library that OPA uses reads them.

mod pattern;

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::View;

use super::cache::{self, Cache};
use super::operand::element;
use super::regex::pattern::Pattern;
use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[
    function(
        "glob.match(pattern: string, delimiters: any<null, array[string]>, match: string) => result: boolean",
        "Tells whether a string matches a glob pattern; `*` does not go beyond delimiters.",
        is_match,
    ),
    function(
        "glob.quote_meta(pattern: string) => output: string",
        "Escapes a string so that as a pattern it matches itself only.",
        quote_meta,
    ),
];

/// Compiled globs, apart from regular expressions under the same text.
#[derive(Default)]
struct Globs(Cache<Pattern>);

fn delimiters(operands: Operands<'_>) -> Result<String, BuiltinError> {
    let list = operands.any(1);
    let items = match list.view() {
        View::Null => return Ok(String::new()),
        View::Array([]) => return Ok(".".to_owned()),
        View::Array(items) => items,
        _ => return Err(operands.must_be(1, "one of {array, null}")),
    };
    let mut delimiters = String::new();
    for item in items {
        let text = item.as_str().ok_or_else(|| element(1, list, item, "string"))?;
        if text.chars().count() != 1 {
            return Err(element(1, list, item, "rune"));
        }
        delimiters.push_str(text);
    }
    Ok(delimiters)
}

fn is_match(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let source = operands.string(0)?;
    let delimiters = delimiters(operands)?;
    let text = operands.string(2)?;
    let globs = call.shared.get::<Globs>();
    // No character can be mistaken for the one between: a pattern ends at its first NUL.
    let key = format!("{delimiters}\0{source}");
    let glob = globs.0.get(cache::most(call), &key, || {
        let pattern = pattern::translate(source, &delimiters)?;
        Pattern::compile(&pattern).map_err(|()| "glob is too large".to_owned())
    });
    Ok(Some(glob.map_err(BuiltinError::failed)?.regex.is_match(text).into()))
}

fn quote_meta(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let mut out = String::new();
    for character in operands.string(0)?.chars() {
        if matches!(character, '*' | '?' | '\\' | '[' | ']' | '{' | '}') {
            out.push('\\');
        }
        out.push(character);
    }
    Ok(Some(out.into()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, check_error};

    #[test]
    fn patterns_match() {
        for (pattern, delimiters, text, expected) in [
            ("*.github.com", r#"["."]"#, "api.github.com", true),
            ("*.github.com", "[]", "api.cdn.github.com", false),
            ("*.github.com", "null", "api.cdn.github.com", true),
            ("api.**.com", r#"["."]"#, "api.cdn.github.com", true),
            ("*:github:com", r#"[":"]"#, "api:github:com", true),
            ("a*c", r#"[".", ":"]"#, "a:c", false),
            ("[abc]at", "[]", "fat", false),
            ("[!a-c]at", "[]", "fat", true),
            ("[!a]", "[]", ".", true),
            ("[a\\\\]b]", "[]", "]", true),
            ("?at", "[]", "at", false),
            ("?at", r#"["f"]"#, "fat", false),
            ("{cat,bat,[fr]at}", "[]", "rat", true),
            ("{a,{b,c}d}e", "[]", "cde", true),
            ("{a*,b}.c", "[]", "ax.c", true),
            ("{,a}b", "[]", "b", true),
            ("{a,b", "[]", "b", true),
            ("a,b}", "[]", "a,b}", true),
            ("a\\\\*", "[]", "a*", true),
            ("a\\\\*", "[]", "ab", false),
            ("***", "[]", "a.b", true),
            ("foo*", "null", "foo\\n.bar", true),
            ("(a|b)+", "[]", "(a|b)+", true),
            ("ab*ba", "null", "aba", true),
            ("ab**ba", r#"["."]"#, "abba", true),
            ("", "[]", "", true),
        ] {
            check("glob.match", &format!("[\"{pattern}\", {delimiters}, \"{text}\"]"), &expected.to_string());
        }
    }

    #[test]
    fn wrong_patterns_and_delimiters() {
        check_error("glob.match", r#"["[a", [], "a"]"#, "unexpected end of input");
        check_error("glob.match", r#"["[]", [], "a"]"#, "could not parse range");
        check_error("glob.match", r#"["[a-cd]", [], "a"]"#, "expected close range character");
        check_error("glob.match", r#"["[b-a]", [], "a"]"#, "hi character 'a' should be greater than lo 'b'");
        check_error(
            "glob.match",
            r#"["a", [1], "a"]"#,
            "operand 2 must be array of strings but got array containing number",
        );
        check_error(
            "glob.match",
            r#"["a", ["ab"], "a"]"#,
            "operand 2 must be array of runes but got array containing string",
        );
        check_error("glob.match", r#"["a", 1, "a"]"#, "operand 2 must be one of {array, null} but got number");
    }

    #[test]
    fn quoted_patterns_match_themselves() {
        check("glob.quote_meta", r#"["*.git{h}?[-]\\"]"#, r#""\\*.git\\{h\\}\\?\\[-\\]\\\\""#);
    }
}
