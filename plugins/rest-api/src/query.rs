//! Ad-hoc queries: `GET` and `POST /v1/query`.

use regent_core::Value;

use crate::answer::{self, Json, Response};
use crate::call::Call;
use crate::context::ApiContext;
use crate::decide::Meter;
use crate::document;
use crate::envelope;
use crate::error::ApiError;

const STRUCTURE: &str = "QueryRequestV1";

/// Answers the query in the parameter `q`.
pub(crate) fn get(api: &ApiContext, call: &Call) -> Result<Response, ApiError> {
    let mut meter = start(api, call);
    let query = call.params().last("q").ok_or_else(|| ApiError::invalid_parameter("missing parameter 'q'"))?;
    let rows = rows(api, call, query.into_owned(), None, &mut meter)?;
    Ok(answer(call, rows, &meter))
}

/// Answers the query in the body, which is JSON whatever it claims to be.
pub(crate) async fn post(api: &ApiContext, call: &mut Call) -> Result<Response, ApiError> {
    let mut meter = start(api, call);
    let sent = call.sent_body(api.limits).await?;
    let (query, input) = request(sent)
        .map_err(|why| ApiError::invalid_parameter(format!("error(s) occurred while decoding request: {why}")))?;
    let rows = rows(api, call, query, input, &mut meter)?;
    meter.finish();
    Ok(answer(call, rows, &meter))
}

fn request(sent: &[u8]) -> Result<(String, Option<Value>), String> {
    let document = document::document(sent, false).map_err(|error| error.to_string())?;
    let envelope = document.ok_or("EOF")?;
    if !envelope.is_object() && !envelope.is_null() {
        return Err(envelope::not_a(&envelope, "types.QueryRequestV1"));
    }
    let query = envelope::text(&envelope, "query", STRUCTURE)?;
    Ok((query, envelope::field(&envelope, "input").cloned()))
}

fn start(api: &ApiContext, call: &Call) -> Meter {
    let params = call.params();
    Meter::start(params.flag("metrics") || params.flag("instrument") || api.decider.measures())
}

fn rows(
    api: &ApiContext,
    call: &Call,
    query: String,
    input: Option<Value>,
    meter: &mut Meter,
) -> Result<Vec<Value>, ApiError> {
    if call.params().wants_explanation() {
        return Err(api.refuse_explanation());
    }
    api.decider.query(call, query, input, meter)
}

fn answer(call: &Call, rows: Vec<Value>, meter: &Meter) -> Response {
    let params = call.params();
    let mut fields = Vec::new();
    if params.flag("metrics") || params.flag("instrument") {
        fields.push(("metrics", Json::from(meter.to_value())));
    }
    if !rows.is_empty() {
        fields.push(("result", Json::from(rows)));
    }
    answer::fields(fields, params.flag("pretty"))
}
