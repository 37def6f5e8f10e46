//! Documents with parts taken out or put in, found by paths: `json.filter`, `json.remove`, `json.patch`.

mod patch;
mod paths;
mod tree;

use regent_core::builtin::{Call, Operands, Outcome};

use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[
    function(
        "json.filter(
            object: object[any: any], # the object
            paths: any<array[any<string, array[any]>], set[any<string, array[any]>]> # paths to what stays
        ) => filtered: object[any: any] # what is left of it",
        "An object with nothing but what paths lead to: `json.filter({\"a\": {\"b\": 1, \"c\": 2}}, [\"a/b\"])` is \
         `{\"a\": {\"b\": 1}}`.",
        filter,
    )
    .categories(&["object"]),
    function(
        "json.remove(
            object: object[any: any], # the object
            paths: any<array[any<string, array[any]>], set[any<string, array[any]>]> # paths to what goes
        ) => output: object[any: any] # what is left of it",
        "An object without what paths lead to: `json.remove({\"a\": {\"b\": 1, \"c\": 2}}, [\"a/b\"])` is \
         `{\"a\": {\"c\": 2}}`.",
        remove,
    )
    .categories(&["object"]),
    function(
        "json.patch(
            target: any, # the document
            patches: array[object<op: string, path: any>[any: any]] # the changes
        ) => output: any # the changed document",
        "A document with changes made one after another, as RFC 6902 describes them; undefined if one of them cannot be \
         made. The path to a member of a set is the member.",
        patch::patch,
    )
    .categories(&["object"]),
];

fn filter(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    operands.object(0)?;
    Ok(Some(paths::of(operands)?.filter(operands.any(0))))
}

fn remove(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    operands.object(0)?;
    Ok(paths::of(operands)?.remove(operands.any(0)))
}

#[cfg(test)]
mod tests {
    use super::super::cases::check;

    const DOCUMENT: &str = r#"{"a": [{"b": 7, "c": 8}, {"d": 9}], "e": {"1": {"$set": ["x", "y"]}}, "f": null}"#;

    #[test]
    fn what_paths_lead_to_stays_or_goes() {
        let cases = [
            (
                r#"["a/0/b", "e/1/x", "/f"]"#,
                r#"{"a": [{"b": 7}], "e": {"1": {"$set": ["x"]}}, "f": null}"#,
                r#"{"a": [{"c": 8}, {"d": 9}], "e": {"1": {"$set": ["y"]}}}"#,
            ),
            (
                r#"["a", "a/0", ["e", "1"]]"#,
                r#"{"a": [{"b": 7, "c": 8}, {"d": 9}], "e": {"1": {"$set": ["x", "y"]}}}"#,
                r#"{"e": {}, "f": null}"#,
            ),
            (
                r#"["a/1", "e/2", "z"]"#,
                r#"{"a": [{"d": 9}], "e": {}}"#,
                r#"{"a": [{"b": 7, "c": 8}], "e": {"1": {"$set": ["x", "y"]}}, "f": null}"#,
            ),
            (r#"["f/deeper", ["a", 0]]"#, r#"{"a": [], "f": null}"#, DOCUMENT),
            (r#"["", []]"#, "{}", DOCUMENT),
        ];
        for (paths, filtered, removed) in cases {
            let operands = format!("[{DOCUMENT}, {paths}]");
            check(&[("json.filter", &operands, filtered), ("json.remove", &operands, removed)]);
        }
        check(&[("json.filter", r#"[{"a/b": 1, "~": 2}, {"$set": ["a~1b", "~0"]}]"#, r#"{"a/b": 1, "~": 2}"#)]);
    }

    #[test]
    fn operands_are_an_object_and_paths() {
        let path = "type error: operand 2 must be one of {set, array} containing string paths or array of path segments \
                    but got number";
        check(&[
            ("json.filter", "[[], []]", "type error: operand 1 must be object but got array"),
            ("json.remove", "[true, []]", "type error: operand 1 must be object but got boolean"),
            ("json.remove", "[{}, \"a\"]", "type error: operand 2 must be one of {set, array} but got string"),
            ("json.filter", "[{}, [\"a\", 1]]", path),
            ("json.patch", "[{}, {}]", "type error: operand 2 must be array but got object"),
        ]);
    }
}
