//! Certificates made for one test: an authority, a server on 127.0.0.1, and a client.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A fresh certificate authority with one server and one client certificate, all as PEM.
///
/// The server's is valid for `127.0.0.1` and `localhost`. Keys are ECDSA P-256, so making a set takes no time.
#[derive(Debug, Clone)]
pub struct Certificates {
    /// The authority's certificate: what the other side has to trust.
    pub ca: String,
    /// The server's certificate.
    pub server_cert: String,
    /// The server's private key.
    pub server_key: String,
    /// The client's certificate, with the common name `client`.
    pub client_cert: String,
    /// The client's private key.
    pub client_key: String,
}

impl Certificates {
    /// Makes a set that shares nothing with any other set.
    ///
    /// # Panics
    /// If the system gives no random numbers.
    pub fn generate() -> Self {
        let ca = authority();
        let (server_cert, server_key) = issue(&ca, "server", ExtendedKeyUsagePurpose::ServerAuth);
        let (client_cert, client_key) = issue(&ca, "client", ExtendedKeyUsagePurpose::ClientAuth);
        Self { ca: ca.pem(), server_cert, server_key, client_cert, client_key }
    }
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = named("Regent test authority", &[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, new_key()).expect("the authority's parameters are valid")
}

fn issue(ca: &CertifiedIssuer<'_, KeyPair>, name: &str, usage: ExtendedKeyUsagePurpose) -> (String, String) {
    let mut params = named(name, &["127.0.0.1", "localhost"]);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    let key = new_key();
    let certificate = params.signed_by(&key, ca).expect("the certificate's parameters are valid");
    (certificate.pem(), key.serialize_pem())
}

fn named(name: &str, hosts: &[&str]) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(hosts).expect("the hosts are plain names and addresses");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("the system gives random numbers")
}

/// The cryptography behind all TLS here, named at each use so that tests need no process-wide default.
pub(crate) fn crypto() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Trust in the authority of `ca_pem` and in nothing else.
pub(crate) fn roots(ca_pem: &str) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let (added, ignored) = roots.add_parsable_certificates(chain(ca_pem));
    assert!(added > 0 && ignored == 0, "the authority's PEM holds usable certificates only");
    Arc::new(roots)
}

pub(crate) fn chain(pem: &str) -> Vec<CertificateDer<'static>> {
    let certificates: Result<_, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    certificates.expect("the text is PEM with certificates")
}

pub(crate) fn key(pem: &str) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).expect("the text is PEM with a private key")
}
