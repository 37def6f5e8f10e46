use super::super::testing::{check, check_error};

#[test]
fn matching() {
    for (pattern, text, expected) in [
        (r"^[a-z]+\\[[0-9]+\\]$", "foo[1]", true),
        ("^$", "something", false),
        (r"^\\d+$", "１２", false),
        (r"^\\w$", "é", false),
        (r"\\bé", "é", false),
        (r"\\Bé", "é", true),
        (r"^\\s$", "\\u000b", false),
        (r"^\\Qa.b\\E+$", "a.bb", true),
        ("^[[:alpha:]_&&-]+$", "ab_&-", true),
        ("^[^[:digit:]a]$", "\\n", true),
        ("^[]a]+$", "]a", true),
        ("^[a[]+$", "[a", true),
        ("^[\\\\d-]$", "-", true),
        ("(?i)^straSSe$", "STRASSE", true),
        ("(?s)^a.b$", "a\\nb", true),
        ("^a.b$", "a\\nb", false),
        ("(?m)^b$", "a\\nb", true),
        ("^a{,2}$", "a{,2}", true),
        ("^\\\\x{e9}\\\\xe9\\\\351$", "ééé", true),
        ("^\\\\p{Greek}\\\\pL\\\\PL\\\\p{^Lu}$", "αβ1a", true),
        ("^(?P<n>a)(?<m>b)$", "ab", true),
        ("^[\\\\D]$", "x", true),
        ("^a #$", "a #", true),
    ] {
        check("regex.match", &format!("[\"{pattern}\", \"{text}\"]"), &expected.to_string());
    }
}

#[test]
fn wrong_patterns_are_told_as_go_does() {
    for (pattern, what) in [
        ("[", "missing closing ]: `[`"),
        ("$^[[[", "missing closing ]: `[[[`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("a*{2}", "invalid nested repetition operator: `*{2}`"),
        ("++", "missing argument to repetition operator: `+`"),
        ("(*)", "missing argument to repetition operator: `*`"),
        ("a|?", "missing argument to repetition operator: `?`"),
        ("a{2,1}", "invalid repeat count: `{2,1}`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("(a", "missing closing ): `(a`"),
        ("a)", "unexpected ): `a)`"),
        ("[b-a]", "invalid character class range: `b-a`"),
        ("[[:foo:]]", "invalid character class range: `[:foo:]`"),
        (r"\\p{Foo}", r"invalid character class range: `\p{Foo}`"),
        (r"\\1", r"invalid escape sequence: `\1`"),
        (r"\\é", r"invalid escape sequence: `\é`"),
        (r"\\Z", r"invalid escape sequence: `\Z`"),
        (r"\\", "trailing backslash at end of expression: ``"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        ("(?x)a", "invalid or unsupported Perl syntax: `(?x`"),
        ("(?P<a-b>c)", "invalid named capture: `(?P<a-b>`"),
    ] {
        check_error("regex.match", &format!("[\"{pattern}\", \"\"]"), &format!("error parsing regexp: {what}"));
        check("regex.is_valid", &format!("[\"{pattern}\"]"), "false");
    }
    check("regex.is_valid", r#"["a{2}"]"#, "true");
    check("regex.is_valid", "[1]", "false");
}

#[test]
fn finding() {
    check("regex.find_n", r#"["a.", "paranormal", -1]"#, r#"["ar","an","al"]"#);
    check("regex.find_n", r#"["a.", "paranormal", 2]"#, r#"["ar","an"]"#);
    check("regex.find_n", r#"["a.", "paranormal", 0]"#, "[]");
    check("regex.find_n", r#"["x*", "aéx", -1]"#, r#"["","","x"]"#);
    check(
        "regex.find_all_string_submatch_n",
        r#"["[^aouiye]([aouiye])([^aouiye])?", "somestri", -1]"#,
        r#"[["som","o","m"],["ri","i",""]]"#,
    );
}

#[test]
fn splitting() {
    check("regex.split", r#"["z+", "pizza"]"#, r#"["pi","a"]"#);
    check("regex.split", r#"["^[a-z ]+$", "foobar baz"]"#, r#"["",""]"#);
    check("regex.split", r#"["a", ""]"#, r#"[""]"#);
    check("regex.split", r#"["", ""]"#, "[]");
    check("regex.split", r#"["", "abc"]"#, r#"["a","b","c"]"#);
    check("regex.split", r#"["x", "axx"]"#, r#"["a","",""]"#);
}

#[test]
fn replacing() {
    check("regex.replace", r#"["-wy-wxxy-", "w(x*)y", "0"]"#, r#""-0-0-""#);
    check("regex.replace", r#"["-ab-axxb-", "a(?P<n>x*)b", "${n}$n|$1W$$$0"]"#, r#""-|$ab-xxxx|$axxb-""#);
    check("regex.replace", r#"["abc", "x*", "-"]"#, r#""-a-b-c-""#);
    check("regex.replace", r#"["aaa", "^a", "b"]"#, r#""baa""#);
    check("regex.replace", r#"["a", "a", "${x $ $"]"#, r#""${x $ $""#);
}

#[test]
fn templates() {
    check("regex.template_match", r#"["urn:foo:{.*}", "urn:foo:bar:baz", "{", "}"]"#, "true");
    check("regex.template_match", r#"["a.b<[0-9]{2}>", "axb12", "<", ">"]"#, "false");
    check_error("regex.template_match", r#"["a}", "", "{", "}"]"#, "unbalanced braces in \"a}\"");
    check_error(
        "regex.template_match",
        r#"["a", "", "{{", "}"]"#,
        "start delimiter has to be exactly one character long but is 2 long",
    );
}

#[test]
fn intersections() {
    for (one, other, expected) in [
        ("a.a.[0-9]+z", ".b.b2359825792*594823z", true),
        ("[a-z]+", "[0-9]*", false),
        ("b.*", "bar", true),
        ("a*b", ".+", true),
        ("a*", "b*", false),
        ("ab", "a", false),
    ] {
        let operands = format!("[\"{one}\", \"{other}\"]");
        check("regex.globs_match", &operands, &expected.to_string());
    }
    check("regex.globs_match", r#"["[a-z]+\\[[0-9]+\\]", "foo[\"bar\"]"]"#, "false");
    check_error(
        "regex.globs_match",
        r#"["*a", "a"]"#,
        "pos:1:flag '*' must be preceded by a non-flag: the input provided is invalid",
    );
}
