//! `strings.render_template`: templates in the language of Go's `text/template`, without templates that call others.

mod functions;
mod item;
mod parse;
mod run;

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::{Value, View};

use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[function(
    "strings.render_template(value: string, vars: object[string: any]) => result: string",
    "Fills in a template with the values of variables.",
    render,
)
.categories(&["strings"])];

/// What Go prints where there is no value, and OPA in its place.
const NO_VALUE: (&str, &str) = ("<no value>", "<undefined>");

fn render(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let text = operands.string(0)?;
    operands.object(1)?;
    let vars = operands.any(1);
    require_json(vars)?;
    let nodes = parse::parse(text)?;
    let rendered = run::run(text, &nodes, vars, call)?;
    Ok(Some(rendered.replace(NO_VALUE.0, NO_VALUE.1).into()))
}

/// OPA hands over the variables as JSON.
fn require_json(value: &Value) -> Result<(), BuiltinError> {
    let bad = || BuiltinError::failed("invalid character looking for beginning of object key string");
    match value.view() {
        View::Set(_) => Err(bad()),
        View::Array(items) => items.iter().try_for_each(|item| deeper(|| require_json(item))),
        View::Object(entries) => entries.iter().try_for_each(|(key, value)| {
            key.as_str().ok_or_else(bad)?;
            deeper(|| require_json(value))
        }),
        _ => Ok(()),
    }
}

/// Runs `work`, which goes down into a value or template, with enough stack.
fn deeper<R>(work: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(64 << 10, 1 << 20, work)
}

/// The error about a place in the template, which is at that offset.
fn error(text: &str, at: usize, message: impl std::fmt::Display) -> BuiltinError {
    let row = text[..at.min(text.len())].matches('\n').count() + 1;
    BuiltinError::failed(format!("template: template:{row}: {message}"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Query, check, check_error};

    #[track_caller]
    fn renders(template: &str, vars: &str, expected: &str) {
        let quote = |text: &str| regent_core::value::encode(&text.into());
        check("strings.render_template", &format!("[{}, {vars}]", quote(template)), &quote(expected));
    }

    #[track_caller]
    fn fails(template: &str, vars: &str, expected: &str) {
        let template = regent_core::value::encode(&template.into());
        check_error("strings.render_template", &format!("[{template}, {vars}]"), expected);
    }

    #[test]
    fn values_are_filled_in() {
        renders("hi {{.name}}!", r#"{"name": "bob"}"#, "hi bob!");
        renders("{{ .a.b }} {{.n}} {{.t}}", r#"{"a": {"b": "x"}, "n": 1.50, "t": true}"#, "x 1.50 true");
        renders("{{.l}} {{.o}}", r#"{"l": [1, null, "a"], "o": {"b": 2, "a": []}}"#, "[1 <nil> a] map[a:[] b:2]");
        renders("{{.x}} {{.y.z}} {{.n}}", r#"{"n": null}"#, "<undefined> <undefined> <undefined>");
        fails(
            "{{.a.b}}",
            r#"{"a": "x"}"#,
            "template: template:1:4: executing \"template\" at <.a.b>: can't evaluate field b in type interface {}",
        );
    }

    #[test]
    fn conditions_and_loops_run() {
        let template = "{{range $i, $name := .names}}{{if $i}},{{end}}hello {{$name}}{{end}}";
        renders(template, r#"{"names": ["rohan", "john doe"]}"#, "hello rohan,hello john doe");
        renders("{{range .l}}{{.}}{{else}}none{{end}}", r#"{"l": []}"#, "none");
        renders("{{range $k, $v := .o}}{{$k}}={{$v}};{{end}}", r#"{"o": {"b": 1, "a": 2}}"#, "a=2;b=1;");
        renders("{{range .l}}{{if eq . 2}}{{end}}{{end}}", r#"{"l": []}"#, "");
        renders("{{range .l}}{{if eq . \"b\"}}{{break}}{{end}}{{.}}{{end}}", r#"{"l": ["a", "b", "c"]}"#, "a");
        renders("{{if .a}}1{{else if .b}}2{{else}}3{{end}}", r#"{"a": "", "b": [0]}"#, "2");
        renders("{{with .a}}{{.b}}{{$.c}}{{end}}", r#"{"a": {"b": 1}, "c": 2}"#, "12");
        // Numbers are text to Go here, so that 0 counts as true.
        renders("{{if .zero}}yes{{end}}", r#"{"zero": 0}"#, "yes");
    }

    #[test]
    fn variables_live_until_the_end_of_their_block() {
        renders("{{$x := 1}}{{if true}}{{$x = 2}}{{$y := 3}}{{$y}}{{end}}{{$x}}", "{}", "32");
        fails("{{if true}}{{$y := 3}}{{end}}{{$y}}", "{}", "template: template:1: undefined variable \"$y\"");
    }

    #[test]
    fn functions_are_called_and_piped() {
        renders(r#"{{printf "%s-%d" .a 7}} {{.a | printf "%q"}}"#, r#"{"a": "x"}"#, r#"x-7 "x""#);
        renders("{{len .l}} {{index .l 1}} {{index .o \"k\" 0}}", r#"{"l": [5, 6], "o": {"k": ["z"]}}"#, "2 6 z");
        renders("{{and .a .b}} {{or .c .a}} {{not .c}}", r#"{"a": 1, "b": 2, "c": ""}"#, "2 1 true");
        renders("{{if and (lt 1 2) (ge \"b\" \"a\") (ne .a \"y\")}}ok{{end}}", r#"{"a": "x"}"#, "ok");
        renders("{{html .a}} {{print 1 2 \"x\" 3}} {{println .a}}", r#"{"a": "<b>"}"#, "&lt;b&gt; 1 2x3 <b>\n");
        fails("{{nope 1}}", "{}", "template: template:1: function \"nope\" not defined");
        fails(
            "{{eq .n 1}}",
            r#"{"n": 1}"#,
            "template: template:1:2: executing \"template\" at <eq .n 1>: error calling eq: incompatible types for comparison",
        );
    }

    #[test]
    fn marks_trim_the_text_around_them() {
        renders("a \n{{- .x -}} \n b{{/* nothing */}}c", r#"{"x": 1}"#, "a1bc");
    }

    #[test]
    fn broken_templates_are_errors() {
        fails("a\n{{.x", "{}", "template: template:2: unclosed action");
        fails("{{if .x}}", "{}", "template: template:1: unexpected EOF");
        fails("{{end}}", "{}", "template: template:1: unexpected {{end}}");
        fails("{{if}}{{end}}", "{}", "template: template:1: missing value for if");
        fails(&format!("{{{{{}1", "(".repeat(100_000)), "{}", "template: template:1: max expression depth exceeded");
    }

    #[test]
    fn loops_look_whether_anybody_waits() {
        let mut query = Query::cancelled();
        let error = query.call("strings.render_template", r#"["{{range .l}}{{end}}", {"l": [1]}]"#).expect_err("ends");
        assert_eq!(error, regent_core::builtin::BuiltinError::Cancelled);
    }
}
