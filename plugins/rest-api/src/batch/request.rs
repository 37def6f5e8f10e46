//! What a batch asks for: `{"inputs": {KEY: INPUT, …}, "common_input": …}`.

use regent_core::Value;
use regent_core::value::Object;

use crate::call::Call;
use crate::context::ApiContext;
use crate::decide::{Meter, aside};
use crate::document;
use crate::envelope;
use crate::error::ApiError;

/// From how many bytes on others should not wait until the body is read.
const LARGE: usize = 64 << 10;

/// The inputs by the client's keys, and what all of them have in common.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Inputs {
    pub(super) inputs: Vec<(Value, Value)>,
    pub(super) common: Option<Value>,
}

/// Reads the body; nothing if it has no inputs.
pub(super) async fn read(api: &ApiContext, call: &mut Call, meter: &mut Meter) -> Result<Option<Inputs>, ApiError> {
    const TIMER: &str = "timer_rego_input_parse_ns";
    let inputs = if let Some(document) = call.document.take() {
        meter.metrics.time(TIMER, |_| known(&document))
    } else {
        let yaml = call.is_yaml();
        let body = call.unpacked_body(api.limits).await?;
        let mut read = || meter.metrics.time(TIMER, |_| sent(&body, yaml));
        let inputs = if body.len() < LARGE { read() } else { aside(read) };
        inputs.map_err(|why| ApiError::invalid_parameter(format!("body contains malformed input document: {why}")))?
    };
    let (count, most) = (inputs.as_ref().map_or(0, |inputs| inputs.inputs.len()), api.config.max_inputs());
    if count > most {
        let text = format!("the batch has {count} inputs, server.batch.max_inputs allows {most}: split it");
        return Err(ApiError::invalid_parameter(text));
    }
    Ok(inputs)
}

/// The inputs of a document that was read for authorization, which goes by exact names and complains of nothing.
fn known(document: &Value) -> Option<Inputs> {
    let fields = document.as_object()?;
    let inputs = fields.get_str("inputs")?.as_object()?;
    Some(Inputs::of(inputs, fields.get_str("common_input")))
}

fn sent(body: &[u8], yaml: bool) -> Result<Option<Inputs>, String> {
    let document = document::document(body, yaml).map_err(|error| error.to_string())?.unwrap_or_default();
    if document.is_null() {
        return Ok(None);
    }
    if !document.is_object() {
        return Err(envelope::not_a(&document, "batchquery.BatchDataRequestV1"));
    }
    let Some(inputs) = envelope::field(&document, "inputs") else { return Ok(None) };
    let refused = || envelope::not_in(inputs, "BatchDataRequestV1.inputs", "map[string]*interface {}");
    let entries = inputs.as_object().ok_or_else(refused)?;
    Ok(Some(Inputs::of(entries, envelope::field(&document, "common_input"))))
}

impl Inputs {
    fn of(inputs: &Object, common: Option<&Value>) -> Self {
        let inputs = inputs.iter().map(|(key, input)| (key.clone(), input.clone())).collect();
        // What is no object is common to nothing.
        Self { inputs, common: common.filter(|common| common.is_object()).cloned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Option<Inputs>, String> {
        sent(body.as_bytes(), false)
    }

    #[test]
    fn a_body_without_inputs_is_no_mistake() {
        for body in ["", "null", "{}", r#"{"inputs": null}"#, r#"{"common_input": {}}"#] {
            assert_eq!(read(body), Ok(None), "{body}");
        }
        assert_eq!(read(r#"{"inputs": {}}"#), Ok(Some(Inputs::default())));
    }

    #[test]
    fn wrong_types_are_named_as_go_names_them() {
        let top = "json: cannot unmarshal array into Go value of type batchquery.BatchDataRequestV1";
        assert_eq!(read("[]"), Err(top.to_owned()));
        let list = "json: cannot unmarshal array into Go struct field BatchDataRequestV1.inputs \
                    of type map[string]*interface {}";
        assert_eq!(read(r#"{"inputs": []}"#), Err(list.to_owned()));
    }

    #[test]
    fn inputs_come_in_the_order_of_their_keys() {
        let inputs = read(r#"{"inputs": {"b": 1, "a": null}, "common_input": 5}"#).expect("sound").expect("inputs");
        assert_eq!(inputs.inputs, [("a".into(), Value::NULL), ("b".into(), 1_i64.into())]);
        assert_eq!(inputs.common, None, "only objects have anything in common");
    }
}
