//! One request for one bundle, from the question to a candidate for activation.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use regent_core::engine::{Engine, RegoVersion};
use regent_core::metrics::Metrics;
use regent_core::service::{ServiceRequest, ServiceResponse, Services};

use crate::candidate::Candidate;
use crate::config::{BundleConfig, SourceConfig};
use crate::content::{self, Naming};
use crate::error::LoadError;
use crate::format::{Bundle, FormatError, Limits};

/// Which kinds of bundles are understood. Delta bundles join when they are.
const MODES: HeaderValue = HeaderValue::from_static("modes=snapshot");

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// Types under which bundles are known to travel. Others are taken as well.
const TYPES: &[&str] = &["application/gzip", "application/octet-stream", "application/vnd.openpolicyagent.bundles"];

/// What a request came to.
pub(crate) enum Download {
    /// Nothing has changed. With the `ETag` of the answer, if it had one.
    NotModified(Option<String>),
    /// The service has no bundle at the moment.
    Nothing,
    /// A bundle that reads and parses, and its size as it was sent.
    Bundle(Box<Candidate>, Option<u64>),
}

/// Gets one bundle.
pub(crate) struct Downloader {
    pub(crate) name: String,
    pub(crate) config: BundleConfig,
    pub(crate) services: Services,
    pub(crate) engine: Arc<dyn Engine>,
}

impl Downloader {
    /// Asks once. `etag` is that of the active version, empty if there is none.
    pub(crate) async fn get(&self, etag: &str) -> Result<Download, LoadError> {
        match &self.config.source {
            SourceConfig::File(path) => self.load(path.clone()).await,
            SourceConfig::Service { service, resource } => self.ask(service, resource, etag).await,
        }
    }

    async fn load(&self, path: PathBuf) -> Result<Download, LoadError> {
        let limits = self.config.limits;
        let read = move || read_local(&path, &limits);
        self.prepare(read, None, Metrics::on(), None).await
    }

    async fn ask(&self, service: &str, resource: &str, etag: &str) -> Result<Download, LoadError> {
        let failed = |error: regent_core::Error| LoadError::Request(error.chain());
        let service = self.services.get(service).map_err(failed)?;
        let mut metrics = Metrics::on();
        let start = std::time::Instant::now();
        let answer = service.send(request(resource, etag)).await.map_err(failed)?;
        let sent_etag = header(&answer.headers, ETAG);
        match answer.status {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED => return Ok(Download::NotModified(sent_etag)),
            refused => return Err(LoadError::Status(refused)),
        }
        self.note_type(&answer.headers);
        let limits = self.config.limits;
        let body = body(answer, &limits).await?;
        metrics.add("timer_bundle_request_ns", u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
        if body.is_empty() {
            tracing::debug!(name = self.name, plugin = "bundle", "Server replied with empty body.");
            return Ok(Download::Nothing);
        }
        let size = Some(body.len() as u64);
        self.prepare(move || Bundle::from_archive(&body, &limits), sent_etag, metrics, size).await
    }

    /// Reads and parses on a thread where that may take its time.
    async fn prepare(
        &self,
        read: impl FnOnce() -> Result<Bundle, FormatError> + Send + 'static,
        etag: Option<String>,
        mut metrics: Metrics,
        size: Option<u64>,
    ) -> Result<Download, LoadError> {
        let (name, engine) = (self.name.clone(), self.engine.clone());
        let job = tokio::task::spawn_blocking(move || {
            let bundle = metrics.time("timer_rego_data_parse_ns", |_| read())?;
            let naming = Naming { name: &name, base: "", version: RegoVersion::default() };
            let parse = |_: &mut Metrics| content::prepare(&bundle, naming, etag, &*engine);
            let content = metrics.time("timer_rego_module_parse_ns", parse)?;
            Ok(Download::Bundle(Box::new(Candidate::new(content, metrics)), size))
        });
        job.await?
    }

    fn note_type(&self, headers: &HeaderMap) {
        let kind = header(headers, CONTENT_TYPE).unwrap_or_default();
        if !TYPES.contains(&kind.as_str()) {
            tracing::debug!(
                name = self.name,
                plugin = "bundle",
                content_type = kind,
                "Content-Type of bundle unusual."
            );
        }
    }
}

/// Reads an archive or a directory of the machine. Blocks.
pub(crate) fn read_local(path: &Path, limits: &Limits) -> Result<Bundle, FormatError> {
    let unreadable = |source| FormatError::Unreadable { path: path.display().to_string(), source };
    let about = std::fs::metadata(path).map_err(unreadable)?;
    if about.is_dir() {
        return Bundle::from_directory(path, limits);
    }
    if about.len() > limits.archive as u64 {
        return Err(FormatError::archive(format!("archive exceeds {} bytes", limits.archive)));
    }
    Bundle::from_archive(&std::fs::read(path).map_err(unreadable)?, limits)
}

fn request(resource: &str, etag: &str) -> ServiceRequest {
    let mut request = ServiceRequest::new(Method::GET, resource);
    request.headers.insert(PREFER, MODES);
    request.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    if let Some(etag) = HeaderValue::try_from(etag).ok().filter(|etag| !etag.is_empty()) {
        request.headers.insert(IF_NONE_MATCH, etag);
    }
    request
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// The whole body, with an encoding of the transport taken off once.
async fn body(answer: ServiceResponse, limits: &Limits) -> Result<Vec<u8>, LoadError> {
    let encoded =
        header(&answer.headers, CONTENT_ENCODING).is_some_and(|encoding| encoding.eq_ignore_ascii_case("gzip"));
    let limit = limits.archive;
    let body = answer.read(limit).await.map_err(|error| LoadError::Body(error.chain()))?;
    if !encoded || body.is_empty() {
        return Ok(body);
    }
    let unpack = move || {
        let mut plain = Vec::new();
        let most = limit as u64 + 1;
        let read = MultiGzDecoder::new(&body[..]).take(most).read_to_end(&mut plain);
        read.map_err(|error| LoadError::Body(error.to_string()))?;
        if plain.len() > limit {
            return Err(LoadError::Body(format!("response body exceeds {limit} bytes")));
        }
        Ok(plain)
    };
    tokio::task::spawn_blocking(unpack).await?
}
