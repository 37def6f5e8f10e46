//! Many rules of one name, of which one holds: the time should not depend on how many there are.

use std::fmt::Write;

use crate::support::{Question, ask_both, json};
use criterion::Criterion;
use regent_core::value::Value;

fn module(rules: usize) -> String {
    let mut text = String::from("package many\n\ndefault allow := false\n");
    for i in 0..rules {
        let role = i % 20;
        write!(
            text,
            "\nallow if {{\n\tinput.method == \"GET\"\n\tinput.path == [\"api\", \"v1\", \"res{i}\"]\n\t\
             input.user.role == \"role{role}\"\n}}\n"
        )
        .expect("a string takes everything");
    }
    text
}

pub(crate) fn many(criterion: &mut Criterion) {
    for rules in [1_000, 10_000] {
        let question = Question {
            module: module(rules),
            data: Value::empty_object(),
            document: "many.allow",
            input: json(r#"{"method":"GET","path":["api","v1","res777"],"user":{"role":"role17"}}"#),
            answer: "true".to_owned(),
        };
        ask_both(criterion, &format!("many/{rules}"), &question);
    }
}
