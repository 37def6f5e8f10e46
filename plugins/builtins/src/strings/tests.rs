use super::super::cases;
use super::super::testing::{check, check_error};

#[test]
fn strings_are_joined_cut_and_searched() {
    check("concat", r#"["/", ["", "a", "b"]]"#, r#""/a/b""#);
    check("indexof", r#"["μx", "x"]"#, "1");
    check("indexof", r#"["μ", "μμ"]"#, "-1");
    check("indexof_n", r#"["😇😀😇😀aaa", "😀"]"#, "[1,3]");
    check("indexof_n", r#"["aaa", "aa"]"#, "[0,1]");
    check("substring", r#"["aåäö", 2, -1]"#, r#""äö""#);
    check("substring", r#"["aåäö", 1, 2]"#, r#""åä""#);
    check("substring", r#"["abc", 4, 10000]"#, r#""""#);
    check("split", r#"["test", ""]"#, r#"["t","e","s","t"]"#);
    check("split", r#"["", "."]"#, r#"[""]"#);
    check("split", r#"["", ""]"#, "[]");
    check("strings.count", r#"["dummy", ""]"#, "6");
    check("strings.count", r#"["hello hello", "ll"]"#, "2");
    check("strings.reverse", r#"["aäö"]"#, r#""öäa""#);
}

#[test]
fn strings_are_trimmed() {
    check("trim", r#"["¡¡¡foo, bar!!!", "!¡"]"#, r#""foo, bar""#);
    check("trim_left", r#"["aab", "a"]"#, r#""b""#);
    check("trim_right", r#"["baa", "a"]"#, r#""b""#);
    check("trim_prefix", r#"["aab", "a"]"#, r#""ab""#);
    check("trim_suffix", r#"["baa", "c"]"#, r#""baa""#);
    check("trim_space", "[\" \\t\u{2003}a\\n\u{85}\"]", r#""a""#);
}

#[test]
fn case_changes_one_character_at_a_time() {
    check("upper", r#"["straße ᾳ ŉ ᾀ"]"#, r#""STRAßE ᾼ ŉ ᾈ""#);
    check("lower", r#"["İΣ ÅB"]"#, r#""iσ åb""#);
}

#[test]
fn replacing_takes_the_first_pair_that_fits() {
    check("replace", r#"["foo.bar.baz", ".", ","]"#, r#""foo,bar,baz""#);
    check("replace", r#"["ab", "", "-"]"#, r#""-a-b-""#);
    check("strings.replace_n", r#"[{"f": "x", "foo": "xxx"}, "foo"]"#, r#""xoo""#);
    check("strings.replace_n", r#"[{"": "-", "a": "1"}, "ab"]"#, r#""-1-b-""#);
    check("strings.replace_n", r#"[{"a": "b", "b": "a"}, "aabb"]"#, r#""bbaa""#);
}

#[test]
fn numbers_are_written_in_a_base() {
    check("format_int", "[15.5, 16]", r#""f""#);
    check("format_int", "[-255, 16]", r#""-ff""#);
    check("format_int", "[5, 2]", r#""101""#);
    check("format_int", "[123456789123456789123, 10]", r#""123456789123456789120""#);
    check_error("format_int", "[1, 3]", "operand 2 must be one of {2, 8, 10, 16}");
    check_error("format_int", "[1, 10.0]", "operand 2 must be one of {2, 8, 10, 16}");
}

#[test]
fn any_of_several_may_match() {
    check("strings.any_prefix_match", r#"[["aa/b", "ee/f"], ["x", "ee"]]"#, "true");
    check("strings.any_prefix_match", r#"["a/b", []]"#, "false");
    check("strings.any_suffix_match", r#"[["a/b/c"], "/c"]"#, "true");
    check_error(
        "strings.any_prefix_match",
        r#"[[1], "a"]"#,
        "operand 1 must be array of strings but got array containing number",
    );
    check_error(
        "strings.any_suffix_match",
        r#"["a", 1]"#,
        "operand 2 must be one of {string, set, array} but got number",
    );
}

#[test]
fn templates_show_parts_as_print_does() {
    check(
        "internal.template_string",
        r#"[["a ", 1, {"$set": []}, {"$set": [[1, "x"]]}, {"$set": ["y"]}]]"#,
        r#""a 1\u003cundefined\u003e[1, \"x\"]y""#,
    );
    check_error("internal.template_string", "[[[1]]]", "illegal argument type: array");
    check_error(
        "internal.template_string",
        r#"[[{"$set": [1, 2]}]]"#,
        "template-strings must not produce multiple outputs",
    );
}

#[test]
fn wrong_operands_are_named() {
    check_error("concat", r#"[",", 1]"#, "operand 2 must be one of {set, array} but got number");
    check_error("concat", r#"[",", ["a", 1]]"#, "operand 2 must be array of strings but got array containing number");
    check_error("indexof", r#"["a", ""]"#, "empty search character");
    check_error("substring", r#"["a", -1, 1]"#, "negative offset");
    check_error("substring", r#"["a", 1.5, 1]"#, "operand 2 must be integer number but got floating-point number");
    check_error("strings.replace_n", r#"[{"a": 1}, "a"]"#, "operand 1 non-string value found in pattern object");
}

#[test]
fn so_many_pieces_from_either_end() {
    cases::check(&[
        ("strings.split_n", r#"["a.b.c", ".", 2]"#, r#"["a", "b"]"#),
        ("strings.split_n", r#"["a.b.c", ".", -2]"#, r#"["b", "c"]"#),
        ("strings.split_n", r#"["a.b.c", ".", 9]"#, r#"["a", "b", "c"]"#),
        ("strings.split_n", r#"["a.b.c", ".", -9223372036854775808]"#, r#"["a", "b", "c"]"#),
        ("strings.split_n", r#"["a.b.c", ".", 0]"#, "[]"),
        ("strings.split_n", r#"["öx", "", 1]"#, r#"["ö"]"#),
        ("strings.split_n", r#"["a", ".", "1"]"#, "type error: operand 3 must be number but got string"),
    ]);
}
