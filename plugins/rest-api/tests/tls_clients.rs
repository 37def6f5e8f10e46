//! What clients make of the server's certificate.

#[path = "support/authority.rs"]
mod authority;
mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use authority::{Authority, FUTURE, Files, PAST};
use rcgen::DnType;
use regent_kit::Client;
use regent_rest_api::Options;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use support::Agent;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const AT_LAST: Duration = Duration::from_mins(1);

async fn start(files: &Files) -> Agent {
    let addresses = vec!["127.0.0.1:0".to_owned()];
    let options = Options { addresses, tls: Some(files.options()), ..Options::default() };
    Agent::start_with("{}", options, AT_LAST).await
}

fn address(agent: &Agent) -> SocketAddr {
    agent.url.trim_start_matches("https://").parse().expect("an address")
}

#[tokio::test]
async fn clients_see_through_certificates_that_are_not_for_this_server_or_time() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let files = Files::new(&authority.server(), &authority);
    let agent = start(&files).await;
    let client = Client::trusting(&authority.pem());
    let url = format!("{}/health", agent.url);
    let mut before = shown_to_anyone(&agent).await;
    for (issued, why) in [
        (authority.server_for("127.0.0.1", PAST), "certificate expired"),
        (authority.server_for("127.0.0.1", FUTURE), "not valid yet"),
        (authority.server_for("other.example", 2000..4000), "not valid for name"),
        (stranger.server(), "BadSignature"),
        (authority.client(&[(DnType::CommonName, "client")]), "does not allow extended key usage"),
    ] {
        files.put(&issued);
        let changed = regent_kit::wait::until(AT_LAST, "the new certificate", async || {
            let now = shown_to_anyone(&agent).await;
            (now != before).then_some(now)
        });
        before = changed.await.expect("the server does not judge its own certificate");
        let error = client.get(&url).await.expect_err(why).to_string();
        assert!(error.contains("invalid peer certificate") && error.contains(why), "{why}: {error}");
    }
    files.put(&authority.server());
    let trusted = async || client.get(&url).await.ok().map(drop);
    regent_kit::wait::until(AT_LAST, "the good certificate", trusted).await.expect("the files are followed");
}

/// The certificate that new connections are shown, whoever has issued it.
async fn shown_to_anyone(agent: &Agent) -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let seen = Arc::new(Seen(std::sync::Mutex::default(), provider.clone()));
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let config = config.dangerous().with_custom_certificate_verifier(seen.clone()).with_no_client_auth();
    let stream = TcpStream::connect(address(agent)).await.expect("a listener");
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(ServerName::from(address(agent).ip()), stream).await.expect("anyone may come");
    std::mem::take(&mut seen.0.lock().expect("no panic"))
}

/// Notes a certificate and believes everything.
#[derive(Debug)]
struct Seen(std::sync::Mutex<Vec<u8>>, Arc<rustls::crypto::CryptoProvider>);

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.0.lock().expect("no panic") = shown.to_vec();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.1.signature_verification_algorithms.supported_schemes()
    }
}
