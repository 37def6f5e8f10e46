//! Queries as decision logs show them. What is expected follows the functions of OPA's package `v1/ast` that the groups name
//! (`policy.go`, `term.go`; in later releases `policy_appenders.go` and `term_appenders.go`), applied to what `ParseBodyWithOpts`
//! gives: a parsed body, not a compiled one.

mod property;

use regent_core::engine::RegoVersion;

use super::source;
use crate::syntax::parse_body;
use crate::syntax::text::body_text;

fn spelling(text: &str) -> String {
    let body = parse_body(source(text), RegoVersion::V1).unwrap_or_else(|errors| panic!("{text}: {errors}"));
    body_text(&body)
}

fn check(rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        assert_eq!(spelling(text), *expected, "{text}");
    }
}

/// `Body.String`, `Expr.String`.
#[test]
fn bodies_are_expressions_between_semicolons() {
    check(&[
        ("data.a", "data.a"),
        ("  data.a # why", "data.a"),
        ("x := 1\ny := 2", "assign(x, 1); assign(y, 2)"),
        ("x   =1 ;  x==1", "x = 1; equal(x, 1)"),
        ("true", "true"),
        ("not data.a", "not data.a"),
        ("not x == 1", "not equal(x, 1)"),
        ("# nothing\n", ""),
    ]);
}

/// `Expr.String`: only an equality of two operands that is a whole expression is written between them.
#[test]
fn equalities_are_infix_where_they_are_expressions() {
    check(&[
        ("x = y", "x = y"),
        ("eq(x, y)", "x = y"),
        ("eq(x, y, z)", "eq(x, y, z)"),
        ("assign(x, 1)", "assign(x, 1)"),
        ("[eq(x, 1) | eq(x, 1)]", "[eq(x, 1) | x = 1]"),
        ("{x | x = 1}", "{x | x = 1}"),
        ("f(x) = y", "f(x) = y"),
        ("a.eq(x, y)", "a.eq(x, y)"),
    ]);
}

/// `Call.String` and the functions that `tokens.go` and `builtins.go` have for operators.
#[test]
fn operators_are_calls() {
    check(&[
        ("x != 1", "neq(x, 1)"),
        ("x < 1", "lt(x, 1)"),
        ("x <= 1", "lte(x, 1)"),
        ("x > 1", "gt(x, 1)"),
        ("x >= 1", "gte(x, 1)"),
        ("x := 1 + 2 * 3", "assign(x, plus(1, mul(2, 3)))"),
        ("x := (1 + 2) * 3", "assign(x, mul(plus(1, 2), 3))"),
        ("x := 7 / 2 - 1", "assign(x, minus(div(7, 2), 1))"),
        ("x := 7 % 2", "assign(x, rem(7, 2))"),
        ("x := a & b | c", "assign(x, or(and(a, b), c))"),
        ("1 in [1]", "internal.member_2(1, [1])"),
        ("\"k\", 1 in x", "internal.member_3(\"k\", 1, x)"),
        ("not 1 in x", "not internal.member_2(1, x)"),
        ("x := 1 in y", "assign(x, internal.member_2(1, y))"),
        ("count( x )>1", "gt(count(x), 1)"),
        ("io.jwt.decode(x)", "io.jwt.decode(x)"),
        ("data.f(1,[2])", "data.f(1, [2])"),
        ("f()", "f()"),
        ("print(\"a\", x)", "print(\"a\", x)"),
    ]);
}

/// `SomeDecl.String`, `Every.String`, `With.String`.
#[test]
fn declarations_quantifiers_and_modifiers_keep_their_words() {
    check(&[
        ("some x", "some x"),
        ("some x,y ; x = y", "some x, y; x = y"),
        ("some x in xs", "some x in xs"),
        ("some k , v in xs", "some k, v in xs"),
        ("some [x, \"a\"] in xs", "some [x, \"a\"] in xs"),
        ("every x in xs { x > 1 }", "every x in xs { gt(x, 1) }"),
        ("every k, v in {\"a\": 1} {\n k\n v = 1\n}", "every k, v in {\"a\": 1} { k; v = 1 }"),
        ("every _ in xs { true }", "every _ in xs { true }"),
        ("data.p with input as {}", "data.p with input as {}"),
        ("data.p with input.a as 1\n with data.b as f(x)", "data.p with input.a as 1 with data.b as f(x)"),
        ("not data.p with http.send as mock", "not data.p with http.send as mock"),
        ("x = 1 with input as y", "x = 1 with input as y"),
    ]);
}

/// `Ref.String`, `Var.String`.
#[test]
fn keys_of_references_follow_dots_where_they_are_names() {
    check(&[
        ("data[\"a\"].b", "data.a.b"),
        ("data.a[\"b c\"][\"d-e\"]", "data.a[\"b c\"][\"d-e\"]"),
        ("data[\"not\"].if[\"contains\"]", "data[\"not\"][\"if\"][\"contains\"]"),
        ("data[\"\"]", "data[\"\"]"),
        ("data[\"1a\"]._b1", "data[\"1a\"]._b1"),
        ("data[\"é\"]", "data[\"é\"]"),
        ("data.a[0][-1][1.50]", "data.a[0][-1][1.50]"),
        ("data.a[i][_].b", "data.a[i][_].b"),
        ("data.a[input.b].c", "data.a[input.b].c"),
        ("data.a[[1, x]][true][null]", "data.a[[1, x]][true][null]"),
        ("data.a[f(1)]", "data.a[f(1)]"),
        ("f(x)[0].a", "f(x)[0].a"),
        ("[1, 2][i]", "[1, 2][i]"),
        ("{\"a\": 1}.a", "{\"a\": 1}.a"),
        ("[x | x = 1][0]", "[x | x = 1][0]"),
        ("_ = _", "_ = _"),
    ]);
}

/// `Ref.AppendText`: a key with a backslash or a control character is escaped, any other stands as it is. Quotes, after which
/// OPA's text is no Rego, are escaped, too.
#[test]
fn keys_are_escaped_if_they_have_to_be() {
    check(&[
        (r#"data["a\\b"]"#, r#"data["a\\b"]"#),
        (r#"data["a\nb\u200b"]"#, r#"data["a\nb\u200b"]"#),
        (r#"data["a\u0085"]"#, r#"data["a\u0085"]"#),
        ("data[\"a\\u200b\"]", "data[\"a\u{200b}\"]"),
        (r#"data["a\"] = 1; data[\"b"]"#, r#"data["a\"] = 1; data[\"b"]"#),
    ]);
}

/// `Null.String`, `Boolean.String`, `Number.String`, `String.String`.
#[test]
fn scalars_are_spelled_as_they_were_and_strings_as_go_quotes_them() {
    check(&[
        ("[null,true,false]", "[null, true, false]"),
        (
            "[1, 1.0, 1e3, 1E+3, -0, .5, 123456789012345678901234567890]",
            "[1, 1.0, 1e3, 1E+3, -0, 0.5, 123456789012345678901234567890]",
        ),
        ("x - -1", "minus(x, -1)"),
        ("\"a\\tb\\\"c\\\\d\\/e\"", "\"a\\tb\\\"c\\\\d/e\""),
        ("`a\\n\"b\"\n`", "\"a\\\\n\\\"b\\\"\\n\""),
        (r#""\u0000\u0007\u000b\u007f""#, r#""\x00\a\v\x7f""#),
        (r#""\u00e9\u0301 \u0928\u093f \ud83d\ude00""#, "\"é\u{301} \u{928}\u{93f} 😀\""),
        (r#""\u00a0\u200b\u2028\ufeff\udb80\udc00""#, r#""\u00a0\u200b\u2028\ufeff\U000f0000""#),
        ("\"<a>&b\"", "\"<a>&b\""),
    ]);
}

/// `Array.String`, `object.String`, `set.String`, whose keys and members are in the order of `Compare`; templates in that of
/// `TemplateString.Compare`.
#[test]
fn composites_are_in_order() {
    check(&[
        ("[ ]", "[]"),
        ("[3,1,[2]]", "[3, 1, [2]]"),
        ("{}", "{}"),
        ("{ \"b\":1, \"a\" : x, 1: {2} }", "{1: {2}, \"a\": x, \"b\": 1}"),
        ("{\"a\": 1, \"a\": 2}", "{\"a\": 2}"),
        ("set( )", "set()"),
        ("{$\"{a}{b}\", $`{a}`, $\"{c}\"}", "{$\"{c}\", $\"{a}{b}\", $\"{a}\"}"),
        ("{3, \"a\", 1, null, true, 1}", "{null, true, 1, 3, \"a\"}"),
        (
            "{f(1), {x | x}, [1], {2}, {\"a\": 1}, x.y, z, $\"{z}\", \"s\"}",
            "{\"s\", $\"{z}\", z, x.y, [1], {\"a\": 1}, {2}, {x | x}, f(1)}",
        ),
    ]);
}

/// `ArrayComprehension.String`, `SetComprehension.String`, `ObjectComprehension.String`.
#[test]
fn comprehensions_hold_bodies() {
    check(&[
        ("[x | x := data.a[_]]", "[x | assign(x, data.a[_])]"),
        ("{x | some x in xs\n x > 1}", "{x | some x in xs; gt(x, 1)}"),
        ("{k: v | v = data.a[k]; not v.b}", "{k: v | v = data.a[k]; not v.b}"),
        ("count({x | [x | x = 1]}) == 1", "equal(count({x | [x | x = 1]}), 1)"),
        ("[(x + 1) | x = 1]", "[plus(x, 1) | x = 1]"),
        ("{(a | b)}", "{or(a, b)}"),
    ]);
}

/// `TemplateString.AppendText`: a scalar that stood as an expression is part of the text, raw templates are as others.
#[test]
fn templates_are_escaped_as_little_as_they_need() {
    check(&[
        ("$\"a{ x }b\"", "$\"a{x}b\""),
        ("$`a\n{x+1}`", "$\"a\\n{plus(x, 1)}\""),
        ("$\"{1}{\"s\"}{null}\"", "$\"1snull\""),
        ("$\"a\\{b\\u200b\"", "$\"a\\{b\u{200b}\""),
        (r#"$"a\"\{b\u200b""#, r#"$"a\"\{b\u200b""#),
        ("$\"\"", "$\"\""),
        ("$\"{[x | x = 1]}\"", "$\"{[x | x = 1]}\""),
        ("x := $\"{f(x) with input as 1}\"", "assign(x, $\"{f(x) with input as 1}\")"),
    ]);
}
