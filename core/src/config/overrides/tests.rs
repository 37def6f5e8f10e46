//! The rows of the table that `--set` was specified with, and the error texts.

use super::*;
use crate::value::encode;

fn tree(argument: &str) -> Result<String, String> {
    let assignments = parse(argument, &|word| Ok(typed(word)))?;
    Ok(encode(&assignments.iter().fold(Value::empty_object(), |tree, assignment| assignment.apply(&tree))))
}

#[test]
fn assignments_make_trees() {
    let table = [
        ("", "{}"),
        ("a=b", r#"{"a":"b"}"#),
        ("a=1,b=true,c=null", r#"{"a":1,"b":true,"c":{}}"#),
        ("a.b.c=x", r#"{"a":{"b":{"c":"x"}}}"#),
        ("a={1,x,true}", r#"{"a":[1,"x",true]}"#),
        ("a[1]=x", r#"{"a":[null,"x"]}"#),
        ("a[0].b=1,a[0].c=2", r#"{"a":[{"b":1,"c":2}]}"#),
        (r"a\.b=c", r#"{"a.b":"c"}"#),
        (r"a=x\,y", r#"{"a":"x,y"}"#),
        ("a=", r#"{"a":""}"#),
        ("a=,b=1", r#"{"a":"","b":1}"#),
        ("a=1.5", r#"{"a":"1.5"}"#),
        ("a=007", r#"{"a":"007"}"#),
        ("a=1e3", r#"{"a":"1e3"}"#),
        ("a=0", r#"{"a":0}"#),
        ("a=-5", r#"{"a":-5}"#),
        ("a=9223372036854775808", r#"{"a":"9223372036854775808"}"#),
        ("a=TRUE,b=False,c=NULL", r#"{"a":true,"b":false,"c":{}}"#),
        ("a={}", r#"{"a":[""]}"#),
        ("a={1, x}", r#"{"a":[1," x"]}"#),
        (r"a={x\,y,null},b=1", r#"{"a":["x,y",{}],"b":1}"#),
        ("a=1,", r#"{"a":1}"#),
        ("a=x=y", r#"{"a":"x=y"}"#),
        ("a=b{c}", r#"{"a":"b{c}"}"#),
        ("a[0].b[1]=v", r#"{"a":[{"b":[null,"v"]}]}"#),
        ("a[1][0]=v", r#"{"a":[null,["v"]]}"#),
        ("a={1,2},a[1]=3", r#"{"a":[1,3]}"#),
        ("a=1,a.b=2", r#"{"a":{"b":2}}"#),
        ("a.b=1,a[0]=2", r#"{"a":[2]}"#),
        ("a=\\", r#"{"a":""}"#),
        ("bundles.é.x=ü", r#"{"bundles":{"é":{"x":"ü"}}}"#),
    ];
    for (argument, expected) in table {
        assert_eq!(tree(argument).as_deref(), Ok(expected), "{argument}");
    }
}

#[test]
fn errors_are_opas() {
    let table = [
        ("a", r#"key "a" has no value"#),
        ("a,b=1", r#"key "a" has no value (cannot end with ,)"#),
        ("a.=x", r#"key map "a" has no value"#),
        ("a.", r#"key map "a" has no value"#),
        ("a.b", r#"key map "a" has no value"#),
        ("a={1", "list must terminate with '}'"),
        ("a={", "list must terminate with '}'"),
        ("a[-1]=x", "negative -1 index not allowed"),
        ("a[70000]=x", "index of 70000 is greater than maximum supported index of 65536"),
        ("a[x]=1", r#"error parsing index: strconv.Atoi: parsing "x": invalid syntax"#),
        (
            "a[99999999999999999999]=1",
            r#"error parsing index: strconv.Atoi: parsing "99999999999999999999": value out of range"#,
        ),
        ("a[]=1", r#"error parsing index: strconv.Atoi: parsing "": invalid syntax"#),
        ("a[1", "error parsing index: EOF"),
        ("a[0]b=1", r#"unexpected data at end of array index: "b""#),
        ("a[0]", r#"key "a" has no value"#),
        ("a[0].b", r#"key "b" has no value"#),
        ("=x", "a key is missing before its value"),
    ];
    for (argument, expected) in table {
        assert_eq!(tree(argument), Err(expected.to_owned()), "{argument}");
    }
    assert!(tree(&format!("{}=1", ["a"; MAX_STEPS].join("."))).is_ok());
    assert!(tree(&format!("{}=1", ["a"; MAX_STEPS + 1].join("."))).is_err());
    assert!(tree(&"a[0]".repeat(100_000)).is_err());
}

#[test]
fn no_argument_makes_it_panic() {
    let pieces = ["a", "b", "é", "=", ",", ".", "[", "]", "{", "}", "\\", "0", "1", "-", "null", " ", "70000"];
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits")
    };
    for _ in 0..100_000 {
        let argument: String = (0..next() % 16).map(|_| pieces[next() % pieces.len()]).collect();
        let _ = tree(&argument);
    }
}
