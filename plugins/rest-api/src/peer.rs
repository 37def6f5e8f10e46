//! The other side of a connection, by the certificates it has shown.

mod name;

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regent_core::engine::{Answer, Query, QueryText};
use regent_core::value::Object;
use regent_core::{Snapshot, Value};
use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

/// Gives certificates the form in which policies know them.
const PARSE: &str = "crypto.x509.parse_certificates(input)";

/// Fields that the function adds to what OPA shows of a client's certificates.
const ADDED: [&str; 1] = ["URIStrings"];

/// A client with certificates, which have been verified.
pub(crate) struct Peer {
    /// The distinguished name of its certificate, as Go writes it.
    pub(crate) name: String,
    /// The certificates one after the other, its own first.
    certificates: Vec<u8>,
    shown: OnceLock<Option<Value>>,
}

impl Peer {
    /// A client that has shown these certificates, its own first; nothing without any or if its name is unreadable.
    pub(crate) fn new(certificates: &[CertificateDer<'_>]) -> Option<Self> {
        let own = EndEntityCert::try_from(certificates.first()?).ok()?;
        let name = name::shown(own.subject()).ok()?;
        let certificates = certificates.iter().flat_map(|one| one.iter().copied()).collect();
        Some(Self { name, certificates, shown: OnceLock::new() })
    }

    /// Its certificates as policies see them; nothing if the engine cannot read certificates.
    pub(crate) fn certificates(&self, snapshot: &Snapshot) -> Option<&Value> {
        self.shown.get_or_init(|| shown(&self.certificates, snapshot)).as_ref()
    }
}

/// Says so once if policies will not see the certificates of clients, because the engine cannot read any. Whoever relies on
/// them then lets nobody in.
pub(crate) fn warn_if_unseen(snapshot: &Snapshot) {
    if let Err(error) = snapshot.prepare(&query()) {
        tracing::warn!(
            err = %error,
            "Policies will not see client_certificates, because the engine cannot read them. Use input.identity, or the \
             engine `rego`."
        );
    }
}

fn query() -> Query {
    Query::Text(QueryText { text: PARSE.to_owned(), ..QueryText::default() })
}

fn shown(certificates: &[u8], snapshot: &Snapshot) -> Option<Value> {
    match snapshot.ask(&query(), Some(&STANDARD.encode(certificates).into())).map(Answer::into_document) {
        Ok(Some(parsed)) => Some(parsed.as_array()?.iter().map(without_added).collect()),
        Ok(None) => None,
        Err(error) => {
            tracing::debug!(err = %error, "this client's certificates cannot be shown to policies");
            None
        }
    }
}

fn without_added(certificate: &Value) -> Value {
    let entries = certificate.as_object().into_iter().flat_map(Object::iter);
    let kept = entries.filter(|(key, _)| !key.as_str().is_some_and(|key| ADDED.contains(&key)));
    Value::object(kept.map(|(key, value)| (key.clone(), value.clone())))
}
