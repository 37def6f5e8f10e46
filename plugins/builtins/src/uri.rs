//! URIs and their parts.

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::Value;

use super::go_url::GoUrl;
use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[
    function(
        "uri.parse(
            uri: string # a URI
        ) => output: object[string: string] # its parts: those of `scheme`, `hostname`, `port`, `path`, `raw_path`, `raw_query`, `fragment` that it has",
        "Gives the parts of a URI.",
        parse,
    ),
    function(
        "uri.is_valid(
            uri: string # what may be a URI
        ) => result: boolean # whether it is one",
        "Tells whether a string is a URI.",
        is_valid,
    ),
];

fn parse(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let url = GoUrl::parse(operands.string(0)?).map_err(BuiltinError::Failed)?;
    let parts = [
        ("scheme", &*url.scheme),
        ("hostname", url.host_name()),
        ("port", url.port()),
        ("path", &url.path()),
        ("raw_path", &url.raw_path()),
        ("raw_query", &url.query),
        ("fragment", &url.fragment),
    ];
    Ok(Some(Value::object(parts.into_iter().filter(|(_, part)| !part.is_empty()))))
}

/// An empty string is no URI here, though a reference may be empty.
fn is_valid(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let valid = operands.any(0).as_str().is_some_and(|text| !text.is_empty() && GoUrl::parse(text).is_ok());
    Ok(Some(valid.into()))
}

#[cfg(test)]
mod tests {
    use super::super::cases::check;

    #[test]
    fn parts_are_given_if_they_are_there() {
        check(&[
            (
                "uri.parse",
                r#"["HTTP://u:p@H:80/a%2Fb?q=1#f%41"]"#,
                r#"{"scheme": "http", "hostname": "H", "port": "80", "path": "/a/b", "raw_path": "/a%2Fb",
                    "raw_query": "q=1", "fragment": "fA"}"#,
            ),
            ("uri.parse", r#"["urn:isbn:1"]"#, r#"{"scheme": "urn"}"#),
            ("uri.parse", r#"["http://[::1]:"]"#, r#"{"scheme": "http", "hostname": "::1"}"#),
            ("uri.parse", r#"["rel/caf%C3%A9"]"#, r#"{"path": "rel/café", "raw_path": "rel/café"}"#),
            ("uri.parse", r#"[""]"#, "{}"),
            ("uri.parse", r#"["://h"]"#, r#"error: parse "://h": missing protocol scheme"#),
        ]);
    }

    #[test]
    fn what_cannot_be_read_is_not_valid() {
        check(&[
            ("uri.is_valid", r#"["http://h:99999/%20"]"#, "true"),
            ("uri.is_valid", r#"["http://h/%2"]"#, "false"),
            ("uri.is_valid", r#"[""]"#, "false"),
            ("uri.is_valid", "[1]", "false"),
        ]);
    }
}
