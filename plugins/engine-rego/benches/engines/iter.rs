//! Nested iteration over the input: 50 servers, 20 ports, 5 networks.

use crate::support::{Question, ask_both};
use criterion::Criterion;
use regent_core::value::Value;

const MODULE: &str = r#"
package iter

violations contains s.id if {
	some s in input.servers
	some p in s.ports
	some q in input.ports
	q.id == p
	some n in input.networks
	n.id == q.network
	n.public
	"http" in s.protocols
}
"#;

fn input() -> Value {
    let name = |kind: &str, number: u32| Value::from(format!("{kind}{number}"));
    let servers = (0..50).map(|i| {
        let protocol = if i % 3 == 0 { "http" } else { "https" };
        let ports = Value::array([name("p", i % 20), name("p", (i + 3) % 20)]);
        Value::object([("id", name("s", i)), ("ports", ports), ("protocols", Value::array([protocol]))])
    });
    let ports = (0..20).map(|i| Value::object([("id", name("p", i)), ("network", name("n", i % 5))]));
    let networks = (0..5).map(|i| Value::object([("id", name("n", i)), ("public", Value::from(i == 2))]));
    let lists =
        [("servers", Value::array(servers)), ("ports", Value::array(ports)), ("networks", Value::array(networks))];
    Value::object(lists)
}

pub(crate) fn iter(criterion: &mut Criterion) {
    let question = Question {
        module: MODULE.to_owned(),
        data: Value::empty_object(),
        document: "iter.violations",
        input: input(),
        answer: r#"["s12","s24","s27","s39","s42","s9"]"#.to_owned(),
    };
    ask_both(criterion, "iter", &question);
}
