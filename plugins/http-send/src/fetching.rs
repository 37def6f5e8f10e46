//! Documents that policies refer to by their address, such as schemas.

use std::sync::Arc;

use http::StatusCode;
use regent_core::fetch::{FetchError, Fetcher, Wanted};

use crate::failure::Failure;
use crate::request::Request;
use crate::sender::Sender;

/// Gets documents over HTTP. They are asked for as by `http.send` without any options, and not kept.
#[derive(Default)]
pub struct HttpFetcher(Arc<Sender>);

impl HttpFetcher {
    /// One with connections of its own.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn with(sender: Arc<Sender>) -> Self {
        Self(sender)
    }
}

impl Fetcher for HttpFetcher {
    fn fetch(&self, wanted: &Wanted<'_>) -> Result<Vec<u8>, FetchError> {
        let flight = Request::get(wanted).and_then(|request| self.0.start(request)).map_err(failed)?;
        let response = flight.wait(wanted.cancel, wanted.linger).map_err(failed)?;
        if response.status != StatusCode::OK {
            return Err(FetchError::Status(response.status_line.clone()));
        }
        Ok(response.body.to_vec())
    }
}

fn failed(failure: Failure) -> FetchError {
    match failure {
        Failure::Cancelled => FetchError::Cancelled,
        other => FetchError::Failed(other.raised().to_string()),
    }
}
