//! One upload: a chunk goes to the service.

use std::time::Duration;

use http::{HeaderValue, Method, header};
use regent_core::Host;
use regent_core::service::{ServiceRequest, ServiceResponse};

use crate::buffer::Chunk;
use crate::error::UploadError;

/// What is read of an answer's body, for nothing but to keep the connection.
const BODY_LIMIT: usize = 64 << 10;

/// How long that may take.
const BODY_TIME: Duration = Duration::from_secs(5);

/// Sends a chunk. Any 2xx accepts it.
pub(super) async fn upload(host: Host, service: String, path: String, chunk: Chunk) -> Result<(), UploadError> {
    let unreachable = |error: regent_core::Error| UploadError::Unreachable(error.chain());
    let response = host.services.get(&service).map_err(unreachable)?.send(request(path, &chunk)).await;
    let response = response.map_err(unreachable)?;
    let status = response.status;
    discard(response).await;
    if status.is_success() { Ok(()) } else { Err(UploadError::Refused(status)) }
}

fn request(path: String, chunk: &Chunk) -> ServiceRequest {
    let mut request = ServiceRequest::new(Method::POST, path);
    request.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    request.body = chunk.body();
    request
}

/// The status has said everything; a body that breaks or does not end changes nothing.
async fn discard(response: ServiceResponse) {
    let _ = tokio::time::timeout(BODY_TIME, response.read(BODY_LIMIT)).await;
}
