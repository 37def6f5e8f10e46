//! One request for one bundle, from the question to a candidate for activation.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use regent_core::Store;
use regent_core::blocks::Blocks;
use regent_core::engine::RegoVersion;
use regent_core::metrics::Metrics;
use regent_core::service::{ServiceRequest, ServiceResponse, Services};
use regent_core::signing::{Verification, Verifiers};

use crate::candidate::Candidate;
use crate::config::{BundleConfig, SourceConfig};
use crate::content::{self, Naming};
use crate::disk::DiskCopy;
use crate::error::LoadError;
use crate::format::{Bundle, FormatError, Limits, Trust};
use crate::reading;

/// Which kinds of bundles are understood.
const MODES: &str = "modes=snapshot,delta";

/// The type that tells that a service holds requests, if it is asked to.
const HOLDING: &str = "application/vnd.openpolicyagent.bundles";

/// How much longer than twice the agreed time a service may hold a request.
const GRACE: Duration = Duration::from_secs(30);

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// Types under which bundles are known to travel. Others are taken as well.
const TYPES: &[&str] = &["application/gzip", "application/octet-stream", HOLDING];

/// The answer to a request.
pub(crate) struct Reply {
    pub(crate) download: Download,
    /// Whether the service showed that it holds requests; none if it did not say.
    pub(crate) holds: Option<bool>,
    /// The archive as it came, if it is to be kept on disk.
    pub(crate) archive: Option<Arc<Blocks>>,
}

impl From<Download> for Reply {
    fn from(download: Download) -> Self {
        Self { download, holds: None, archive: None }
    }
}

/// What a request came to.
pub enum Download {
    /// Nothing has changed. With the `ETag` of the answer, if it had one.
    NotModified(Option<String>),
    /// The service has no bundle at the moment.
    Nothing,
    /// A bundle that reads and parses, and its size as it was sent.
    Bundle(Box<Candidate>, Option<u64>),
}

/// Gets one bundle.
pub struct Downloader {
    /// Its name.
    pub name: String,
    /// Whose it is, for the log.
    pub plugin: &'static str,
    /// Where it comes from and how.
    pub config: BundleConfig,
    /// Who can be asked.
    pub services: Services,
    /// Who can tell whether its signature may be believed.
    pub verifiers: Arc<Verifiers>,
    /// Where it is going to be, which parses its modules.
    pub store: Store,
    /// Whether no version of it is active yet, as far as is known.
    pub is_fresh: bool,
    /// Where it is kept on disk, if it is.
    pub copy: Option<DiskCopy>,
}

impl Downloader {
    /// Asks once, for whatever there is.
    ///
    /// # Errors
    /// Why nothing came, or what is wrong with what came.
    pub async fn once(&self) -> Result<Download, LoadError> {
        self.get("", None).await.map(|reply| reply.download)
    }

    /// Asks once. `etag` is that of the active version, empty if there is none; `wait` is how long the service may hold
    /// the request.
    pub(crate) async fn get(&self, etag: &str, wait: Option<Duration>) -> Result<Reply, LoadError> {
        match &self.config.source {
            SourceConfig::File(path) => self.load(path.clone()).await.map(Reply::from),
            SourceConfig::Service { service, resource } => self.ask(service, request(resource, etag, wait)).await,
        }
    }

    async fn load(&self, path: PathBuf) -> Result<Download, LoadError> {
        let (limits, trusting) = (self.config.limits, self.trusting());
        let read = move || Ok(read_local(&path, &limits, trusting.trust())?);
        self.prepare(read, None, Metrics::on(), None).await
    }

    fn trusting(&self) -> Trusting {
        Trusting { verification: self.config.verification.clone(), verifiers: self.verifiers.clone() }
    }

    /// Reads what is kept on disk; nothing if nothing is.
    pub(crate) async fn kept(&self) -> Option<Result<Download, LoadError>> {
        let copy = self.copy.clone()?;
        let (limits, trusting) = (self.config.limits, self.trusting());
        let reading = copy.clone();
        let content = match tokio::task::spawn_blocking(move || reading.load(limits.archive)).await {
            Ok(Ok(content)) => content?,
            Ok(Err(error)) => return Some(Err(LoadError::disk(&copy.path(), &error))),
            Err(ended) => return Some(Err(ended.into())),
        };
        let read = move || Ok(Bundle::from_archive(content.reader(), &limits, trusting.trust())?);
        Some(self.prepare(read, None, Metrics::on(), None).await)
    }

    /// Keeps an archive that has become active.
    pub(crate) async fn keep(&self, archive: Arc<Blocks>) -> Result<(), LoadError> {
        let Some(copy) = self.copy.clone() else { return Ok(()) };
        let (name, plugin, path) = (&self.name, self.plugin, copy.path());
        tracing::debug!(name, plugin, "Persisting bundle to disk in progress.");
        match tokio::task::spawn_blocking(move || copy.save(&archive)).await? {
            Ok(()) => {
                let path = path.display();
                tracing::debug!(name, plugin = self.plugin, "Bundle persisted to disk successfully at path {path}.");
                Ok(())
            }
            Err(error) if path.exists() => {
                let path = path.display();
                tracing::error!(name, plugin = self.plugin, "Failed to save new bundle to disk: {path}: {error}");
                tracing::warn!(
                    name,
                    plugin = self.plugin,
                    "Older version of activated bundle persisted, ignoring error"
                );
                Ok(())
            }
            Err(error) => Err(LoadError::disk(&path, &error)),
        }
    }

    async fn ask(&self, service: &str, request: ServiceRequest) -> Result<Reply, LoadError> {
        let failed = |error: regent_core::Error| LoadError::of_service(&error, LoadError::Request);
        let service = self.services.get(service).map_err(failed)?;
        let mut metrics = Metrics::on();
        let start = std::time::Instant::now();
        let answer = service.send(request).await.map_err(failed)?;
        let sent_etag = header(&answer.headers, ETAG);
        match answer.status {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED => {
                let holds = (!service.may_hold()).then_some(false);
                return Ok(Reply { holds, ..Download::NotModified(sent_etag).into() });
            }
            refused => return Err(LoadError::Status(refused)),
        }
        let holds = Some(self.holds(&answer.headers));
        let limits = self.config.limits;
        tracing::debug!(name = self.name, plugin = self.plugin, "Download in progress.");
        let body = Arc::new(body(answer, &limits).await?);
        metrics.add("timer_bundle_request_ns", u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
        if body.is_empty() {
            tracing::debug!(name = self.name, plugin = self.plugin, "Server replied with empty body.");
            return Ok(Reply { holds, ..Download::Nothing.into() });
        }
        let (size, archive) = (Some(body.len() as u64), self.copy.is_some().then(|| body.clone()));
        let is_kept = archive.is_some();
        let trusting = self.trusting();
        let read = move || match Bundle::from_archive(body.reader(), &limits, trusting.trust())? {
            bundle if bundle.is_delta() && is_kept => Err(FormatError::DeltaPersisted.into()),
            bundle => Ok(bundle),
        };
        let download = self.prepare(read, sent_etag, metrics, size).await?;
        Ok(Reply { download, holds, archive })
    }

    /// Reads and parses on a thread where that may take its time.
    async fn prepare(
        &self,
        read: impl FnOnce() -> Result<Bundle, LoadError> + Send + 'static,
        etag: Option<String>,
        mut metrics: Metrics,
        size: Option<u64>,
    ) -> Result<Download, LoadError> {
        let (name, store) = (self.name.clone(), self.store.clone());
        let work = move || {
            let bundle = metrics.time("timer_rego_data_parse_ns", |_| read())?;
            let naming = Naming { name: &name, base: "", version: RegoVersion::default() };
            let parse = |_: &mut Metrics| content::prepare(&bundle, naming, etag, &store);
            let content = metrics.time("timer_rego_module_parse_ns", parse)?;
            Ok(Download::Bundle(Box::new(Candidate::new(content, bundle.warnings(), metrics)), size))
        };
        let job = tokio::task::spawn_blocking(|| reading::run(work));
        job.await?
    }

    /// Whether the type of an answer tells that the service holds requests.
    fn holds(&self, headers: &HeaderMap) -> bool {
        let kind = header(headers, CONTENT_TYPE).unwrap_or_default();
        if !TYPES.contains(&kind.as_str()) {
            tracing::debug!(
                name = self.name,
                plugin = self.plugin,
                content_type = kind,
                "Content-Type of bundle unusual."
            );
        }
        kind == HOLDING
    }
}

/// What is asked of signatures, for another thread.
struct Trusting {
    verification: Option<Arc<Verification>>,
    verifiers: Arc<Verifiers>,
}

impl Trusting {
    fn trust(&self) -> Trust<'_> {
        Trust::Verified { verification: self.verification.as_deref(), verifiers: &self.verifiers, base: "" }
    }
}

/// Reads an archive or a directory of the machine. Blocks.
pub(crate) fn read_local(path: &Path, limits: &Limits, trust: Trust<'_>) -> Result<Bundle, FormatError> {
    let unreadable = |source| FormatError::Unreadable { path: path.display().to_string(), source };
    let about = std::fs::metadata(path).map_err(unreadable)?;
    if about.is_dir() {
        return Bundle::from_directory(path, limits, trust);
    }
    if about.len() > limits.archive as u64 {
        return Err(FormatError::archive(format!("archive exceeds {} bytes", limits.archive)));
    }
    let archive = std::fs::read(path).map_err(unreadable)?;
    Bundle::from_archive(&archive[..], limits, trust)
}

fn request(resource: &str, etag: &str, wait: Option<Duration>) -> ServiceRequest {
    let mut request = ServiceRequest::new(Method::GET, resource);
    let preferred = match wait {
        Some(wait) => format!("{MODES};wait={}", wait.as_secs()),
        None => MODES.to_owned(),
    };
    request.headers.insert(PREFER, HeaderValue::try_from(preferred).expect("words and numbers are fit for a header"));
    // OPA waits for ever, and never again hears from a service that went away without a word.
    request.header_timeout = wait.map(|wait| 2 * wait + GRACE);
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
async fn body(answer: ServiceResponse, limits: &Limits) -> Result<Blocks, LoadError> {
    let encoded =
        header(&answer.headers, CONTENT_ENCODING).is_some_and(|encoding| encoding.eq_ignore_ascii_case("gzip"));
    let limit = limits.archive;
    let body = answer.blocks(limit).await.map_err(|error| LoadError::of_service(&error, LoadError::Body))?;
    if !encoded || body.is_empty() {
        return Ok(body);
    }
    let unpack = move || {
        let mut plain = Blocks::default();
        let most = limit as u64 + 1;
        let read = io::copy(&mut MultiGzDecoder::new(body.reader()).take(most), &mut plain);
        read.map_err(|error| LoadError::Body(error.to_string()))?;
        if plain.len() > limit {
            return Err(LoadError::Body(format!("response body exceeds {limit} bytes")));
        }
        Ok(plain)
    };
    tokio::task::spawn_blocking(unpack).await?
}
