//! What the server answers when nothing goes wrong: bundles, logs, status.

use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::{HeaderValue, Method, Response, StatusCode, header};
use serde_json::Value;

use super::journal::{Received, Upload};
use super::script::Script;

/// What a request brought.
#[derive(Debug)]
pub(super) enum News {
    Upload(Upload),
    Status(Value),
    Complaint(String),
}

/// The answer, and what to note down.
pub(super) fn serve(script: &Script, request: &Received) -> (Response<Bytes>, Option<News>) {
    match route(script, request) {
        Ok((answer, news)) => (answer, news),
        Err((status, why)) => {
            let complaint = format!("{} {}: {why}", request.method, request.path);
            (refusal(status, why), Some(News::Complaint(complaint)))
        }
    }
}

type Outcome = Result<(Response<Bytes>, Option<News>), (StatusCode, String)>;

fn route(script: &Script, request: &Received) -> Outcome {
    if let Some((name, _)) = script.required_headers.iter().find(|(name, value)| !has(request, name, value)) {
        return Err((StatusCode::UNAUTHORIZED, format!("the required `{name}` is missing or another")));
    }
    let path = request.bare_path();
    let service = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    match (&request.method, service) {
        (&Method::GET, "bundles") => bundle(script, request),
        (&Method::POST, "logs") => {
            let upload = upload(request).map_err(|why| (StatusCode::BAD_REQUEST, why))?;
            Ok((accepted(), Some(News::Upload(upload))))
        }
        (&Method::POST, "status") => {
            let report = json(request).map_err(|why| (StatusCode::BAD_REQUEST, why))?;
            Ok((accepted(), Some(News::Status(report))))
        }
        _ => Err((StatusCode::NOT_FOUND, "nothing is served here".to_owned())),
    }
}

fn has(request: &Received, name: &header::HeaderName, value: &HeaderValue) -> bool {
    request.headers.get_all(name).iter().any(|sent| sent == value)
}

fn bundle(script: &Script, request: &Received) -> Outcome {
    let name = request.bare_path().strip_prefix("/bundles/").unwrap_or_default();
    match script.bundles.get(name) {
        Some(bundle) => Ok((bundle.answer(&request.headers), None)),
        None => Err((StatusCode::NOT_FOUND, format!("there is no bundle `{name}`"))),
    }
}

fn upload(request: &Received) -> Result<Upload, String> {
    let Value::Array(events) = json(request)? else {
        return Err("the body is no JSON array".to_owned());
    };
    Ok(Upload {
        path: request.path.clone(),
        headers: request.headers.clone(),
        compressed_size: request.body.len(),
        events,
    })
}

/// The body as JSON, decompressed if the headers say that it is compressed.
fn json(request: &Received) -> Result<Value, String> {
    let body = match request.header("content-encoding") {
        None | Some("identity") => request.body.to_vec(),
        Some("gzip") => gunzip(&request.body)?,
        Some(other) => return Err(format!("the content encoding `{other}` is not known here")),
    };
    serde_json::from_slice(&body).map_err(|error| format!("the body is no JSON: {error}"))
}

fn gunzip(compressed: &[u8]) -> Result<Vec<u8>, String> {
    let mut plain = Vec::new();
    match MultiGzDecoder::new(compressed).read_to_end(&mut plain) {
        Ok(_) => Ok(plain),
        Err(error) => Err(format!("the body is no gzip: {error}")),
    }
}

fn accepted() -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from_static(b"{}"));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

fn refusal(status: StatusCode, why: String) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(why));
    *answer.status_mut() = status;
    answer
}
