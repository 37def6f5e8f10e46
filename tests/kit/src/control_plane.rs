//! A control plane in the test's own process: bundles out, decision logs and status in, faults on cue.
//!
//! | Request                          | Answer                                                                    |
//! |----------------------------------|---------------------------------------------------------------------------|
//! | `GET /bundles/<name>`            | the bundle with its `ETag`; 304 if `If-None-Match` names it; else 404     |
//! | `POST /logs`, `/logs/<part>`     | 200; the events are kept; 400 if it is no JSON array, gzipped or plain    |
//! | `POST /status`, `/status/<part>` | 200; the report is kept; 400 if it is no JSON                             |
//! | anything else                    | 404                                                                       |
//!
//! Everything received is recorded before it is answered, whatever the answer is. [`fault`] is what goes wrong on
//! demand, [`service`] the table above, [`server`] the sockets, [`journal`] the record, [`waiting`] the waits for it.

mod bundles;
mod fault;
mod journal;
mod script;
mod server;
mod service;
mod waiting;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};

use http::{HeaderName, HeaderValue};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::Certificates;

use bundles::Served;
pub use fault::Fault;
use journal::Journal;
pub use journal::{Received, Upload};
use script::Script;
pub use server::ClientAuth;
pub(crate) use server::acceptor;

/// A real HTTP/1.1 server on 127.0.0.1 that plays the bundle, log and status services.
///
/// It runs until the value is dropped. All methods take `&self`, so a test can change what is served while an agent
/// polls.
///
/// ```no_run
/// # async fn example() -> Result<(), regent_kit::Error> {
/// use std::time::Duration;
/// use regent_kit::{Bundle, ControlPlane, Fault};
///
/// let acme = ControlPlane::start().await;
/// acme.fail_next("/bundles/authz", Fault::Status(503));
/// acme.serve_bundle("authz", Bundle::new().revision("v1").build());
/// // … an agent with `services: {acme: {url: <acme.url()>}}` and `bundles: {authz: {service: acme}}` …
/// let report = acme
///     .wait_for_status(Duration::from_secs(5), |report| report["bundles"]["authz"]["active_revision"] == "v1")
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ControlPlane {
    address: SocketAddr,
    certificates: Option<Certificates>,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

/// What the test and the connections both see.
#[derive(Debug, Default)]
struct Shared {
    // A lock, because both sides change it and neither waits while holding it: tests add, each request takes.
    script: Mutex<Script>,
    journal: watch::Sender<Journal>,
    /// Wakes requests that are held until another bundle is served.
    news: watch::Sender<()>,
}

impl Shared {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().expect("no one panics while holding the script")
    }
}

impl ControlPlane {
    /// Starts a server without TLS.
    ///
    /// # Panics
    /// If the machine has no free port on 127.0.0.1.
    pub async fn start() -> Self {
        Self::listen(None, None).await
    }

    /// Starts a server with TLS and certificates of its own; see [`ControlPlane::ca_pem`].
    ///
    /// # Panics
    /// If the machine has no free port on 127.0.0.1.
    pub async fn start_tls(clients: ClientAuth) -> Self {
        let certificates = Certificates::generate();
        let acceptor = server::acceptor(&certificates, clients);
        Self::listen(Some(acceptor), Some(certificates)).await
    }

    async fn listen(tls: Option<TlsAcceptor>, certificates: Option<Certificates>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("127.0.0.1 has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared::default());
        let accepting = tokio::spawn(server::accept(listener, tls, Arc::clone(&shared)));
        Self { address, certificates, shared, accepting }
    }

    /// The service URL to configure, without a slash at the end.
    pub fn url(&self) -> String {
        let scheme = if self.certificates.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The authority that signed the server's certificate, for `tls.ca_cert`.
    ///
    /// # Panics
    /// If the server has no TLS.
    pub fn ca_pem(&self) -> &str {
        &self.certificates().ca
    }

    /// A certificate that a server with [`ClientAuth::Required`] accepts.
    ///
    /// # Panics
    /// If the server has no TLS.
    pub fn client_cert_pem(&self) -> &str {
        &self.certificates().client_cert
    }

    /// The private key of [`ControlPlane::client_cert_pem`].
    ///
    /// # Panics
    /// If the server has no TLS.
    pub fn client_key_pem(&self) -> &str {
        &self.certificates().client_key
    }

    fn certificates(&self) -> &Certificates {
        self.certificates.as_ref().expect("the control plane was started by `start_tls`")
    }

    /// Serves a bundle at `/bundles/<name>` from now on; returns its `ETag`, quotes included.
    ///
    /// Equal bytes have equal tags, so serving the same bundle again changes nothing for who holds it.
    pub fn serve_bundle(&self, name: &str, bytes: impl Into<Vec<u8>>) -> String {
        let (bundle, etag) = Served::tagged(bytes.into());
        self.serve(name, bundle);
        etag
    }

    /// Serves a bundle as a server does that holds requests (`Prefer: wait=SECONDS`) until there is another one.
    pub fn serve_bundle_holding(&self, name: &str, bytes: impl Into<Vec<u8>>) -> String {
        let (bundle, etag) = Served::tagged(bytes.into());
        self.serve(name, bundle.holding());
        etag
    }

    fn serve(&self, name: &str, bundle: Served) {
        self.shared.script().bundles.insert(name.to_owned(), bundle);
        self.shared.news.send_replace(());
    }

    /// Serves a bundle as a server does that knows no `ETag`: in full, each time.
    pub fn serve_bundle_without_etag(&self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.serve(name, Served::untagged(bytes.into()));
    }

    /// Answers 404 for the bundle from now on.
    pub fn remove_bundle(&self, name: &str) {
        self.shared.script().bundles.remove(name);
    }

    /// Breaks the next request for a path (without its query). Faults queue up; each breaks one request.
    pub fn fail_next(&self, path: &str, fault: Fault) {
        self.shared.script().faults.push(path, fault);
    }

    /// Breaks every request for a path that no queued fault breaks; `None` ends that.
    pub fn fail_always(&self, path: &str, fault: Option<Fault>) {
        self.shared.script().faults.set(path, fault);
    }

    /// Answers 401 from now on to requests without this header. Several requirements add up.
    ///
    /// # Panics
    /// If HTTP does not allow such a header.
    pub fn require_header(&self, name: &str, value: &str) {
        let name = HeaderName::try_from(name).expect("HTTP allows the header's name");
        let value = HeaderValue::try_from(value).expect("HTTP allows the header's value");
        self.shared.script().required_headers.push((name, value));
    }

    /// Everything received so far, oldest first, broken and refused requests included.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.journal.borrow().requests.clone()
    }

    /// All decisions that arrived, in order of arrival.
    pub fn events(&self) -> Vec<Value> {
        self.shared.journal.borrow().events().cloned().collect()
    }

    /// The accepted uploads that [`ControlPlane::events`] came in.
    pub fn uploads(&self) -> Vec<Upload> {
        self.shared.journal.borrow().uploads.clone()
    }

    /// All status reports that arrived, oldest first.
    pub fn statuses(&self) -> Vec<Value> {
        self.shared.journal.borrow().statuses.clone()
    }

    /// Forgets all that was received, for runs that are long. Nobody may be waiting for anything meanwhile.
    pub fn forget(&self) {
        self.shared.journal.send_modify(|journal| *journal = Journal::default());
    }

    /// Goes away: when this returns, the port is closed and all connections are gone.
    pub async fn stop(mut self) {
        self.accepting.abort();
        let _aborted = (&mut self.accepting).await;
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
