//! Requests to providers of clouds.

use jiff::Timestamp;
use regent_core::builtin::{BuiltinError, Call, Operands, Outcome, REQUEST_KEYS};
use regent_core::value::{Object, Set, Value, View, encode};
use regent_signing::sigv4::{self, Credentials, Request};

use super::go_url::GoUrl;
use super::numbers;
use super::table::{Entry, function};
use crate::spelling::spell;

pub(super) const TABLE: &[Entry] = &[function(
    "providers.aws.sign_req(
        request: object[string: any], # a request as `http.send` takes it
        aws_config: object[string: any], # the credentials, the region and the service
        time_ns: number # the time of the signature, in nanoseconds since 1970
    ) => signed_request: object[any: any] # the request with the headers that sign it",
    "Signs a request to AWS, version 4.",
    sign,
)
.categories(&["providers.aws"])];

/// What the configuration must hold.
const REQUIRED: [&str; 4] = ["aws_access_key", "aws_region", "aws_secret_access_key", "aws_service"];

/// Refuses keys of an operand, counted from 1, if there are such.
fn refuse(position: usize, what: &str, keys: impl Iterator<Item = Value>) -> Result<(), BuiltinError> {
    let keys: Set = keys.collect();
    if keys.is_empty() {
        return Ok(());
    }
    let keys = spell(&keys.into());
    Err(BuiltinError::Operand(format!("operand {position} {what} parameters(s): {keys}")))
}

/// An operand that is of the type, in the words of OPA, which calls each the first.
fn typed<T>(operands: Operands<'_>, position: usize, kind: &str, found: Option<T>) -> Result<T, BuiltinError> {
    let actual = operands.any(position).type_name();
    found.ok_or_else(|| BuiltinError::operand(0, format_args!("must be {kind} but got {actual}")))
}

fn text<'a>(entries: &'a Object, key: &str) -> &'a str {
    entries.get_str(key).and_then(Value::as_str).unwrap_or_default()
}

fn sign(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let request = typed(operands, 0, "object", operands.any(0).as_object())?;
    let config = typed(operands, 1, "object", operands.any(1).as_object())?;
    let credentials = credentials(config)?;
    let time = typed(operands, 2, "number", operands.any(2).as_number())?;
    let time = numbers::spelled_int(&time).and_then(|time| Timestamp::from_nanosecond(time.into()).ok());
    let time = time.ok_or_else(|| BuiltinError::operand(2, "could not convert time_ns value into a unix timestamp"))?;
    check_keys(request)?;
    let headers = match request.get_str("headers").map(|headers| (headers, headers.as_object())) {
        Some((_, Some(headers))) => headers.clone(),
        Some((other, None)) => {
            let message = format!("operand 0 must be object but got {}", other.type_name());
            return Err(BuiltinError::Operand(message));
        }
        None => Object::default(),
    };
    let no_text = ["method", "url"].into_iter().filter(|name| request.get_str(name).and_then(Value::as_str).is_none());
    refuse(1, "invalid values for required request", no_text.map(Value::from))?;
    let url = GoUrl::parse(text(request, "url")).map_err(BuiltinError::Failed)?;
    let body = body(request);
    let unsigned = match config.get_str("disable_payload_signing").map(Value::view) {
        None => false,
        Some(View::Bool(unsigned)) => unsigned,
        Some(_) => {
            return Err(BuiltinError::operand(1, "invalid value for 'disable_payload_signing' in AWS config"));
        }
    };

    // What is no text is empty.
    let own: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (as_text(name), as_text(value))).collect();
    let signature = sigv4::sign(
        &Request {
            method: text(request, "method"),
            host: &url.host,
            path: &url.escaped_path(),
            query: &url.query,
            headers: &own,
            payload: (!unsigned).then_some(body.as_bytes()),
        },
        &credentials,
        time,
    );
    let own = own.iter().map(|(name, value)| (Value::from(*name), Value::from(*value)));
    let authorization = (Value::from("Authorization"), Value::from(signature.authorization));
    let added = signature.headers.into_iter().map(|(name, value)| (Value::from(name), Value::from(value)));
    let headers = own.chain([authorization]).chain(added);
    let headers = headers.fold(Object::default(), |headers, (name, value)| headers.with(name, value));
    Ok(Some(request.with("headers".into(), headers.into()).into()))
}

fn as_text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn credentials(config: &Object) -> Result<Credentials<'_>, BuiltinError> {
    let key = |name: &&str| Value::from(*name);
    let missing = REQUIRED.iter().filter(|name| config.get_str(name).is_none());
    refuse(2, "missing required AWS config", missing.map(key))?;
    let no_text = REQUIRED.iter().filter(|name| config.get_str(name).is_some_and(|value| value.as_str().is_none()));
    refuse(2, "invalid values for required AWS config", no_text.map(key))?;
    Ok(Credentials {
        access_key: text(config, "aws_access_key"),
        secret_key: text(config, "aws_secret_access_key"),
        session_token: text(config, "aws_session_token"),
        region: text(config, "aws_region"),
        service: text(config, "aws_service"),
    })
}

fn check_keys(request: &Object) -> Result<(), BuiltinError> {
    let known = |key: &&Value| key.as_str().is_some_and(|key| REQUEST_KEYS.contains(&key));
    refuse(1, "invalid request", request.keys().filter(|key| !known(key)).cloned())?;
    let missing = ["method", "url"].into_iter().filter(|name| request.get_str(name).is_none());
    refuse(1, "missing required request", missing.map(Value::from))
}

/// The body as it is sent.
fn body(request: &Object) -> String {
    match (request.get_str("raw_body"), request.get_str("body")) {
        (Some(raw), _) => as_text(raw).to_owned(),
        (None, Some(body)) => encode(body),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::check;

    const CONFIG: &str =
        r#"{"aws_access_key": "a", "aws_secret_access_key": "s", "aws_service": "ecr", "aws_region": "r"}"#;
    const REQUEST: &str = r#"{"method": "get", "url": "http://h/"}"#;

    #[track_caller]
    fn refused(request: &str, config: &str, time: &str, error: &str) {
        check(&[("providers.aws.sign_req", &format!("[{request}, {config}, {time}]"), error)]);
    }

    #[test]
    fn requests_are_signed_with_the_headers_they_have() {
        let request =
            r#"{"method": "get", "url": "http://h/a%20b?c=d", "headers": {"X": "y", "Z": 1}, "raw_body": "b"}"#;
        let signed = r#"{"method": "get", "url": "http://h/a%20b?c=d", "raw_body": "b", "headers": {"X": "y", "Z": "",
            "Authorization": "AWS4-HMAC-SHA256 Credential=a/19700101/r/ecr/aws4_request,SignedHeaders=host;x;x-amz-date;z,Signature=SIGNATURE",
            "host": "h", "x-amz-date": "19700101T000000Z"}}"#;
        let signature = "58d66598a19dc8223196dd8ceb676f71442ee9c58480eec542fb7e6fed1d7956";
        refused(request, CONFIG, "0", &signed.replace("SIGNATURE", signature));
    }

    #[test]
    fn operands_are_checked_in_turn() {
        refused("1", "1", "0", "type error: operand 1 must be object but got number");
        refused(REQUEST, "[]", "0", "type error: operand 1 must be object but got array");
        let missing =
            r#"type error: operand 2 missing required AWS config parameters(s): {"aws_region", "aws_service"}"#;
        refused(REQUEST, r#"{"aws_access_key": "a", "aws_secret_access_key": "s"}"#, "0", missing);
        let invalid = r#"type error: operand 2 invalid values for required AWS config parameters(s): {"aws_region"}"#;
        refused(REQUEST, &CONFIG.replace("\"r\"", "1"), "0", invalid);
        let time = "type error: operand 3 could not convert time_ns value into a unix timestamp";
        refused("{}", CONFIG, "1.5", time);
        let missing = r#"type error: operand 1 missing required request parameters(s): {"method", "url"}"#;
        refused("{}", CONFIG, "0", missing);
        let unknown = r#"type error: operand 1 invalid request parameters(s): {"x"}"#;
        refused(r#"{"x": 1}"#, CONFIG, "0", unknown);
        let invalid = r#"type error: operand 1 invalid values for required request parameters(s): {"url"}"#;
        refused(r#"{"method": "get", "url": 1}"#, CONFIG, "0", invalid);
        let headers = r#"{"method": "get", "url": "http://h", "headers": []}"#;
        refused(headers, CONFIG, "0", "type error: operand 0 must be object but got array");
        let host = r#"{"method": "get", "url": "http://["}"#;
        refused(host, CONFIG, "0", r#"error: parse "http://[": missing ']' in host"#);
    }
}
