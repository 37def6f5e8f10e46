//! What entries come to.

use regent_agent_kit::Agent;
use regent_core::store::{ActiveBundle, BundleContent, BundlePayload};
use regent_core::value::encode;

use super::*;

/// A store with that data, of which a bundle owns `theirs`.
async fn store(data: &str) -> Store {
    let store = Agent::idle(|_| ()).host.store;
    let theirs = BundleContent {
        name: "authz".into(),
        bundle: ActiveBundle { roots: vec![Path::from_slashes("theirs")], ..ActiveBundle::default() },
        manifest: Value::empty_object(),
        payload: BundlePayload::Snapshot { data: json(r#"{"theirs":{"x":1}}"#), modules: Vec::new() },
    };
    let data = json(data);
    let filled = store.write(move |transaction| {
        transaction.put_entries(&data)?;
        transaction.activate(vec![theirs])
    });
    filled.await.expect("the data is good");
    store
}

fn json(text: &str) -> Value {
    decode(text.as_bytes()).expect("JSON")
}

async fn write(store: &Store, method: SaveMethod, path: &str, data: &str) -> Result<String, String> {
    let change = Change::read(&method, destination(path), data.as_bytes(), false)?;
    change.write(store).await.map_err(|error| error.to_string())?;
    let kept = store.snapshot().data().without(&["system"]).without(&["theirs"]);
    Ok(encode(&kept))
}

async fn patched(data: &str, operations: &str) -> Result<String, String> {
    write(&store(data).await, SaveMethod::Patch, "a", operations).await
}

#[tokio::test]
async fn what_is_put_takes_the_place_of_what_was_there() {
    let store = store(r#"{"a":{"b":1},"c":1}"#).await;
    let put = async |path: &str, data: &str| write(&store, SaveMethod::Put, path, data).await;
    assert_eq!(put("/a", r#"{"n":null}"#).await.as_deref(), Ok(r#"{"a":{"n":null},"c":1}"#));
    assert_eq!(put("a//x/", "[1]").await.as_deref(), Ok(r#"{"a":{"n":null,"x":[1]},"c":1}"#));
    assert_eq!(put("", r#"{"a":2}"#).await.as_deref(), Ok(r#"{"a":2,"c":1}"#), "at the root the rest stays");
    assert_eq!(put("/", "[3]").await.as_deref(), Ok(r#"{"a":2,"c":1,"items":[3]}"#));
    for (path, data, why) in [
        ("theirs/y", "{}", "is owned by bundle"),
        ("", r#"{"d":1,"theirs":{}}"#, "is owned by bundle"),
        ("x", "null", "the data is null"),
        ("x", "{", "the data is not JSON"),
    ] {
        assert!(put(path, data).await.expect_err(path).contains(why), "{path} {data}");
    }
    assert_eq!(put("c", "{}").await.as_deref(), Ok(r#"{"a":2,"c":{},"items":[3]}"#), "nothing of what failed is there");
    let snapshot = store.snapshot();
    assert_eq!(snapshot.data().at(["theirs", "x"]), Some(&json("1")));
}

#[tokio::test]
async fn patches_are_those_of_rfc_6902() {
    let cases = [
        (r#"{"a":{}}"#, r#"[{"op":"add","path":"/x~1y~0","value":{"z":1}}]"#, r#"{"a":{"x/y~":{"z":1}}}"#),
        (
            r#"{"a":[1,3]}"#,
            r#"[{"op":"add","path":"/1","value":2},{"op":"add","path":"/-","value":4}]"#,
            r#"{"a":[1,2,3,4]}"#,
        ),
        (r#"{"a":{"x":1}}"#, r#"[{"op":"replace","path":"","value":{"y":1}}]"#, r#"{"a":{"y":1}}"#),
        (
            r#"{"a":{"x":1}}"#,
            r#"[{"op":"move","from":"/x","path":"/y"},{"op":"copy","from":"/y","path":"/z"}]"#,
            r#"{"a":{"y":1,"z":1}}"#,
        ),
        (
            r#"{"a":{"x":1}}"#,
            r#"[{"op":"test","path":"/x","value":1.0},{"op":"move","from":"/x","path":"/x"}]"#,
            r#"{"a":{"x":1}}"#,
        ),
        (r#"{"a":[1,2]}"#, r#"[{"op":"move","from":"/0","path":"/1"}]"#, r#"{"a":[2,1]}"#),
    ];
    for (data, operations, expected) in cases {
        assert_eq!(patched(data, operations).await.as_deref(), Ok(expected), "{operations}");
    }
}

#[tokio::test]
async fn a_patch_that_does_not_apply_changes_nothing() {
    let cases = [
        (r#"{"op":"remove","path":"/none"}"#, "storage_not_found_error"),
        (r#"{"op":"replace","path":"/none","value":1}"#, "storage_not_found_error"),
        (r#"{"op":"add","path":"/none/x","value":1}"#, "storage_not_found_error"),
        (r#"{"op":"test","path":"/x","value":2}"#, "is not the one that `test` expects"),
        (r#"{"op":"test","path":"/none","value":2}"#, "storage_not_found_error"),
        (r#"{"op":"move","from":"/o","path":"/o/p"}"#, "cannot be moved into itself"),
        (r#"{"op":"move","path":"/y"}"#, "'from' is required"),
        (r#"{"op":"test","path":"/x"}"#, "'value' is required"),
        (r#"{"op":"bogus","path":"/x"}"#, "unknown patch operation"),
        (r#"{"op":"remove","path":"x"}"#, "is no JSON pointer"),
    ];
    for (operation, why) in cases {
        let store = store(r#"{"a":{"x":1,"o":{}}}"#).await;
        let operations = format!(r#"[{{"op":"add","path":"/new","value":1}},{operation}]"#);
        let error = write(&store, SaveMethod::Patch, "a", &operations).await.expect_err(operation);
        assert!(error.contains(why), "{operation}: {error}");
        assert_eq!(store.snapshot().data().get("a"), Some(&json(r#"{"x":1,"o":{}}"#)), "{operation}");
    }
    let error = write(&store("{}").await, SaveMethod::Patch, "nowhere", "[]").await.expect_err("nothing is there");
    assert!(error.contains("document does not exist"), "{error}");
    let operations = r#"[{"op":"copy","from":"/x","path":"/y"}]"#;
    let error = write(&store("{}").await, SaveMethod::Patch, "theirs", operations).await.expect_err("a bundle's");
    assert!(error.contains("is owned by bundle"), "{error}");
}

#[test]
fn nulls_are_left_out_where_that_is_wanted() {
    let dropped = |text: &str| encode(&without_nulls(&json(text)));
    assert_eq!(dropped(r#"{"a":null,"b":{"c":null},"d":[null,{"e":null}]}"#), r#"{"b":{},"d":[null,{}]}"#);
}

/// The next number of a sequence that is the same each time (xorshift).
fn next(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state % 1_000_003).expect("it is small")
}

fn operation(state: &mut u64) -> serde_json::Value {
    const POINTERS: [&str; 11] =
        ["/o", "/o/x", "/o/x/y", "/l", "/l/0", "/l/1", "/l/9", "/l/-", "/n", "/o/~1", "/o/~0/z"];
    const VALUES: [&str; 6] = ["1", "2", "{\"x\":{}}", "[1,2]", "\"s\"", "false"];
    let op = ["add", "remove", "replace", "move", "copy", "test"][next(state) % 6];
    let path = POINTERS[next(state) % POINTERS.len()];
    let mut operation = serde_json::json!({"op": op, "path": path});
    match op {
        "add" | "replace" | "test" => {
            operation["value"] = serde_json::from_str(VALUES[next(state) % VALUES.len()]).expect("JSON");
        }
        "move" | "copy" => operation["from"] = POINTERS[next(state) % POINTERS.len()].into(),
        _ => {}
    }
    operation
}

/// What any patch makes of a document is what another implementation makes of it, or both refuse it and nothing has changed.
#[tokio::test]
async fn patches_do_what_others_do() {
    const DOCUMENT: &str = r#"{"l":[1,{"a":[]}],"n":1,"o":{"/":{},"x":{"y":1},"~":{"z":[3]}}}"#;
    let (store, mut state, mut applied) = (store("{}").await, 0x2545_f491_4f6c_dd1d, 0);
    for _ in 0..2_000 {
        write(&store, SaveMethod::Put, "a", DOCUMENT).await.expect("it is a document");
        let operations: Vec<_> = (0..=next(&mut state) % 4).map(|_| operation(&mut state)).collect();
        let operations = serde_json::Value::from(operations);
        let mut expected: serde_json::Value = serde_json::from_str(DOCUMENT).expect("JSON");
        let patch: json_patch::Patch = serde_json::from_value(operations.clone()).expect("a patch");
        let is_applied = json_patch::patch_unsafe(&mut expected, &patch).is_ok();
        let found = write(&store, SaveMethod::Patch, "a", &operations.to_string()).await;
        assert_eq!(found.is_ok(), is_applied, "{operations}: {found:?}");
        applied += u32::from(is_applied);
        let expected = if is_applied { expected.to_string() } else { DOCUMENT.to_owned() };
        assert_eq!(store.snapshot().data().get("a"), Some(&json(&expected)), "{operations}");
    }
    assert!((200..1_800).contains(&applied), "{applied} of them apply");
}
