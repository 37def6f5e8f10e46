//! Roles and permissions in base data: 1,000 users, 50 roles.

use crate::support::{Question, ask_both, json};
use criterion::Criterion;
use regent_core::value::Value;

const MODULE: &str = r"
package rbac

default allow := false

allow if {
	some role in data.rbac_data.bindings[input.user]
	some perm in data.rbac_data.permissions[role]
	perm.action == input.action
	perm.resource == input.resource
}
";

fn data() -> Value {
    let role = |number: u32| Value::from(format!("role{number}"));
    let bindings = (0..1000_u32).map(|i| (format!("user{i}"), Value::array([role(i % 50), role(i * 7 % 50)])));
    let permission = |action: &str, resource: String| {
        Value::object([("action", Value::from(action)), ("resource", Value::from(resource))])
    };
    let permissions = (0..50_u32).map(|r| {
        let of = |k: u32| ["read", "write"].map(|action| permission(action, format!("res{r}-{k}")));
        (format!("role{r}"), Value::array((0..5).flat_map(of)))
    });
    let all = [("bindings", Value::object(bindings)), ("permissions", Value::object(permissions))];
    Value::object([("rbac_data", Value::object(all))])
}

pub(crate) fn rbac(criterion: &mut Criterion) {
    let question = Question {
        module: MODULE.to_owned(),
        data: data(),
        document: "rbac.allow",
        input: json(r#"{"user":"user777","action":"write","resource":"res27-4"}"#),
        answer: "true".to_owned(),
    };
    ask_both(criterion, "rbac", &question);
}
