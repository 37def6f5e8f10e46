//! Services in the clear, without credentials.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::Request;
use regent_core::config::{ConfigErrors, Section};
use regent_core::service::{BoxFuture, CredentialKinds, Service, ServiceConnector, ServiceRequest, ServiceResponse};
use regent_core::{Error, ErrorKind, Value};
use regent_kit::Client;

/// Connects services by their `url` alone.
pub struct PlainHttp;

impl ServiceConnector for PlainHttp {
    fn kind(&self) -> &'static str {
        ""
    }

    fn connect(&self, section: &Section, _: &CredentialKinds) -> Result<Arc<dyn Service>, ConfigErrors> {
        let url = section.value().get("url").and_then(Value::as_str).expect("a URL").to_owned();
        Ok(Arc::new(PlainService(url)))
    }
}

struct PlainService(String);

impl Service for PlainService {
    fn send(&self, request: ServiceRequest) -> BoxFuture<'_, Result<ServiceResponse, Error>> {
        Box::pin(async move {
            let mut sent = Request::new(request.body);
            *sent.method_mut() = request.method;
            *sent.headers_mut() = request.headers;
            *sent.uri_mut() = format!("{}{}", self.0, request.path).parse().expect("a URL");
            let failed = |error: regent_kit::Error| Error::new(ErrorKind::Unavailable, error.to_string());
            let answer = Client::plain().send(sent).await.map_err(failed)?;
            let body = Bytes::from(answer.text());
            let body = futures_util::stream::once(async { Ok(body) }).boxed();
            Ok(ServiceResponse { status: answer.status, headers: answer.headers, body })
        })
    }
}
