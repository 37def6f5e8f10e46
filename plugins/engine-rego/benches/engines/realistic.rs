//! Policies as people write them; each stands in `policies/` with its input, base data and answer.

use crate::support::{Question, ask_both, json};
use criterion::Criterion;
use regent_core::value::encode;

macro_rules! question {
    ($name:literal, $document:literal) => {{
        let case = json(include_str!(concat!("../policies/", $name, ".json")));
        let part = |key| case.get(key).cloned().unwrap_or_else(|| panic!("no {key} in {}.json", $name));
        Question {
            module: include_str!(concat!("../policies/", $name, ".rego")).to_owned(),
            data: part("data"),
            document: $document,
            input: part("input"),
            answer: encode(&part("answer")),
        }
    }};
}

pub(crate) fn realistic(criterion: &mut Criterion) {
    ask_both(criterion, "kubernetes", &question!("kubernetes", "kubernetes.admission.response"));
    ask_both(criterion, "http_api", &question!("http_api", "httpapi.authz.decision"));
    ask_both(criterion, "terraform", &question!("terraform", "terraform.review.report"));
}
