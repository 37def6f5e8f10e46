//! HTTPS: who is let in, and what happens when certificates change.

#[path = "support/authority.rs"]
mod authority;
mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use authority::{Authority, FUTURE, Files, PAST};
use rcgen::DnType;
use regent_kit::Client;
use regent_rest_api::{Authentication, Authorization, Listeners, Options, TlsOptions, TlsVersion};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use support::{Agent, LATE, are_cancelled, check, leave};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const GRACE: Duration = Duration::from_secs(10);

fn secured(tls: TlsOptions) -> Options {
    Options { addresses: vec!["127.0.0.1:0".to_owned()], tls: Some(tls), ..Options::default() }
}

async fn start(tls: TlsOptions) -> Agent {
    Agent::start_with("{}", secured(tls), GRACE).await
}

fn address(agent: &Agent) -> SocketAddr {
    agent.url.trim_start_matches("https://").parse().expect("an address")
}

/// A client that speaks these versions of TLS and asks for that protocol.
async fn connect(
    agent: &Agent,
    authority: &Authority,
    versions: &[&'static SupportedProtocolVersion],
    protocol: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).expect("PEM")).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).expect("versions");
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let stream = TcpStream::connect(address(agent)).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::from(address(agent).ip()), stream).await
}

#[tokio::test]
async fn both_versions_of_http_are_spoken() {
    let authority = Authority::new();
    let files = Files::new(&authority.server(), &authority);
    let agent = start(files.options()).await;
    let client = Client::trusting(&authority.pem());
    check(&client.get(&format!("{}/health", agent.url)).await.expect("an answer"), 200, "{}\n");
    for versions in [&[&rustls::version::TLS12], &[&rustls::version::TLS13]] {
        let mut stream = connect(&agent, &authority, versions, "h2").await.expect("TLS");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.expect("sent");
        let mut frame = [0; 9];
        stream.read_exact(&mut frame).await.expect("a frame");
        assert_eq!(frame[3], 4, "settings");
    }
    let stranger = Authority::new();
    Client::trusting(&stranger.pem()).get(&agent.url).await.expect_err("the client does not trust the server");
    Client::plain().get(&agent.url.replace("https", "http")).await.expect_err("TLS only");
}

#[tokio::test]
async fn an_address_may_say_that_it_is_not_for_tls() {
    let authority = Authority::new();
    let files = Files::new(&authority.server(), &authority);
    let addresses = ["https://127.0.0.1:0", "http://127.0.0.1:0"].map(str::to_owned).to_vec();
    let options =
        Options { addresses, diagnostic_addresses: vec!["127.0.0.1:0".to_owned()], ..secured(files.options()) };
    let listeners = Listeners::bind(options.clone()).await.expect("free ports");
    assert_eq!(listeners.local_addresses().len(), 2);
    drop(listeners);
    let agent = Agent::start_with("{}", Options { addresses: options.addresses[1..].to_vec(), ..options }, GRACE).await;
    let health = agent.url.replace("https", "http") + "/health";
    check(&Client::plain().get(&health).await.expect("an answer"), 200, "{}\n");
    let diagnostic = format!("https://{}/health", agent.diagnostics[0]);
    check(&Client::trusting(&authority.pem()).get(&diagnostic).await.expect("an answer"), 200, "{}\n");
}

#[tokio::test]
async fn old_versions_and_other_suites_are_refused() {
    let authority = Authority::new();
    let files = Files::new(&authority.server(), &authority);
    let modern = start(TlsOptions { min_version: TlsVersion::V13, ..files.options() }).await;
    connect(&modern, &authority, &[&rustls::version::TLS13], "http/1.1").await.expect("1.3");
    connect(&modern, &authority, &[&rustls::version::TLS12], "http/1.1").await.expect_err("1.2");
    let name = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256";
    let choosy = start(TlsOptions { cipher_suites: Some(vec![name.to_owned()]), ..files.options() }).await;
    let stream = connect(&choosy, &authority, &[&rustls::version::TLS12], "http/1.1").await.expect("1.2");
    let suite = stream.get_ref().1.negotiated_cipher_suite().expect("agreed").suite();
    assert_eq!(suite, rustls::CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256);
    let name = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
    let foreign = start(TlsOptions { cipher_suites: Some(vec![name.to_owned()]), ..files.options() }).await;
    let refused = connect(&foreign, &authority, &[&rustls::version::TLS12], "http/1.1").await;
    refused.expect_err("the key of the server is not for RSA");
    connect(&foreign, &authority, &[&rustls::version::TLS13], "http/1.1").await.expect("suites of 1.3 stay");
}

#[tokio::test]
async fn what_cannot_be_loaded_is_named_without_its_contents() {
    let authority = Authority::new();
    let files = Files::new(&authority.server(), &authority);
    let error = async |tls: TlsOptions| Listeners::bind(secured(tls)).await.err().expect("refused").to_string();
    let missing = files.path("none.pem");
    let text = error(TlsOptions { certificate: missing.clone(), ..files.options() }).await;
    assert_eq!(text, format!("open {}: no such file or directory", missing.display()));
    let text = error(TlsOptions { key: files.path("ca.pem"), ..files.options() }).await;
    assert_eq!(text, format!("{}: failed to find a private key", files.path("ca.pem").display()));
    let text = error(TlsOptions { certificate: files.path("key.pem"), ..files.options() }).await;
    assert_eq!(text, format!("{}: failed to find any certificate", files.path("key.pem").display()));
    let text = error(TlsOptions { cipher_suites: Some(vec!["foo".to_owned()]), ..files.options() }).await;
    assert_eq!(text, "invalid cipher suite foo");
    std::fs::write(files.path("key.pem"), authority.server().key).expect("written");
    let text = error(files.options()).await;
    assert!(text.starts_with("tls: ") && !text.contains("PRIVATE"), "{text}");
    let options = Options {
        authentication: Authentication::Tls,
        ..secured(TlsOptions { client_authorities: Some(files.path("key.pem")), ..files.options() })
    };
    let text = Listeners::bind(options).await.err().expect("refused").to_string();
    assert_eq!(text, format!("failed to parse CA cert {:?}", files.path("key.pem").display().to_string()));
}

const POLICY: &str = r#"package system.authz

allow if {
	input.identity == "CN=alice\\, A.,OU=Eng,O=Acme,C=DE"
	input.client_certificates[0].Subject.CommonName == "alice, A."
	not input.client_certificates[0].URIStrings
}

allow := {"allowed": false, "reason": input.identity} if input.client_certificates[0].Subject.CommonName == "bob"
"#;

#[tokio::test]
async fn clients_are_who_their_certificates_say() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let files = Files::new(&servers.server(), &clients);
    let options = Options {
        authentication: Authentication::Tls,
        authorization: Authorization::Basic,
        ..secured(files.options())
    };
    let agent = Agent::start_with("{}", options, GRACE).await;
    agent.policy(POLICY).await;
    let url = format!("{}/health", agent.url);
    let ask = async |client: &authority::Issued| {
        Client::with_certificate(&servers.pem(), &client.certificate, &client.key).get(&url).await
    };
    let alice = clients.client(&[
        (DnType::CountryName, "DE"),
        (DnType::CommonName, "alice, A."),
        (DnType::OrganizationName, "Acme"),
        (DnType::OrganizationalUnitName, "Eng"),
    ]);
    check(&ask(&alice).await.expect("an answer"), 200, "{}\n");
    let bob = ask(&clients.client(&[(DnType::CommonName, "bob")])).await.expect("an answer");
    check(&bob, 401, "{\n  \"code\": \"unauthorized\",\n  \"message\": \"CN=bob\"\n}\n");
    ask(&servers.client(&[(DnType::CommonName, "alice")])).await.expect_err("another authority");
    for (time, why) in [(PAST, "expired"), (FUTURE, "not valid yet")] {
        ask(&clients.client_in(&[(DnType::CommonName, "alice")], time)).await.expect_err(why);
    }
    ask(&clients.server()).await.expect_err("a certificate for servers");
    Client::trusting(&servers.pem()).get(&url).await.expect_err("no certificate");
}

/// The certificate that new connections are shown.
async fn shown(agent: &Agent, authority: &Authority) -> Vec<u8> {
    let stream = connect(agent, authority, &[&rustls::version::TLS13], "http/1.1").await.expect("TLS");
    stream.get_ref().1.peer_certificates().expect("certificates")[0].to_vec()
}

async fn rotate_under_load(refresh: Option<Duration>) {
    let authority = Authority::new();
    let files = Files::new(&authority.server(), &authority);
    let agent = start(TlsOptions { refresh, ..files.options() }).await;
    let done = Arc::new(AtomicBool::new(false));
    let url = format!("{}/health", agent.url);
    let load: Vec<_> = (0..4)
        .map(|_| {
            let (client, url, done) = (Client::trusting(&authority.pem()), url.clone(), done.clone());
            tokio::spawn(async move {
                let mut answers = 0_u32;
                while !done.load(Ordering::Relaxed) {
                    check(&client.get(&url).await.expect("no request fails"), 200, "{}\n");
                    answers += 1;
                }
                answers
            })
        })
        .collect();
    let mut before = shown(&agent, &authority).await;
    for _ in 0..3 {
        files.put(&authority.server());
        let changed = regent_kit::wait::until(GRACE, "the new certificate", async || {
            let now = shown(&agent, &authority).await;
            (now != before).then_some(now)
        });
        before = changed.await.expect("the files are followed");
    }
    done.store(true, Ordering::Relaxed);
    for task in load {
        assert!(task.await.expect("no request fails") > 0);
    }
    agent.stop().await.expect("nothing runs");
}

#[tokio::test]
async fn certificates_change_without_a_failed_request() {
    rotate_under_load(None).await;
}

#[tokio::test]
async fn certificates_change_by_period() {
    rotate_under_load(Some(Duration::from_millis(50))).await;
}

/// As a mounted secret of Kubernetes changes: the files are links into a directory that a renamed link leads to.
#[tokio::test]
async fn certificates_behind_links_are_followed() {
    use std::os::unix::fs::symlink;

    let authority = Authority::new();
    let files = Files::new(&authority.server(), &authority);
    let mount = |version: &str| {
        let issued = authority.server();
        let directory = files.path(version);
        std::fs::create_dir(&directory).expect("made");
        std::fs::write(directory.join("cert.pem"), issued.certificate).expect("written");
        std::fs::write(directory.join("key.pem"), issued.key).expect("written");
        symlink(version, files.path("..new")).expect("linked");
        std::fs::rename(files.path("..new"), files.path("..data")).expect("renamed");
    };
    mount("..first");
    for name in ["cert.pem", "key.pem"] {
        std::fs::remove_file(files.path(name)).expect("removed");
        symlink(format!("..data/{name}"), files.path(name)).expect("linked");
    }
    let agent = start(files.options()).await;
    let before = shown(&agent, &authority).await;
    mount("..second");
    let changed = regent_kit::wait::until(GRACE, "the new certificate", async || {
        (shown(&agent, &authority).await != before).then_some(())
    });
    changed.await.expect("the links are followed");
}

#[tokio::test]
async fn a_broken_pair_leaves_the_old_one_in_place() {
    let authority = Authority::new();
    let files = Files::new(&authority.server(), &authority);
    let agent = start(files.options()).await;
    let before = shown(&agent, &authority).await;
    std::fs::write(files.path("cert.pem"), "nonsense").expect("written");
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(shown(&agent, &authority).await, before);
    files.put(&authority.server());
    let changed = regent_kit::wait::until(GRACE, "the new certificate", async || {
        (shown(&agent, &authority).await != before).then_some(())
    });
    changed.await.expect("the files are followed");
}

#[tokio::test]
async fn authorities_of_clients_change_too() {
    let (servers, old, new) = (Authority::new(), Authority::new(), Authority::new());
    let files = Files::new(&servers.server(), &old);
    let options = Options { authentication: Authentication::Tls, ..secured(files.options()) };
    let agent = Agent::start_with("{}", options, GRACE).await;
    let url = format!("{}/health", agent.url);
    let of = |authority: &Authority| {
        let issued = authority.client(&[(DnType::CommonName, "x")]);
        Client::with_certificate(&servers.pem(), &issued.certificate, &issued.key)
    };
    let (before, after) = (of(&old), of(&new));
    check(&before.get(&url).await.expect("trusted"), 200, "{}\n");
    after.get(&url).await.expect_err("not trusted yet");
    std::fs::write(files.path("ca.pem"), new.pem()).expect("written");
    let trusted = async || after.get(&url).await.ok().map(drop);
    regent_kit::wait::until(GRACE, "the new authority", trusted).await.expect("the file is followed");
    before.get(&url).await.expect_err("not trusted any more");
}

#[tokio::test]
async fn the_end_does_not_wait_for_clients_that_never_spoke() {
    let authority = Authority::new();
    let files = Files::new(&authority.server(), &authority);
    let agent = start(files.options()).await;
    let mut silent = TcpStream::connect(address(&agent)).await.expect("a listener");
    shown(&agent, &authority).await;
    tokio::time::timeout(Duration::from_secs(5), agent.stop()).await.expect("at once").expect("nothing runs");
    assert_eq!(silent.read(&mut [0; 1]).await.unwrap_or_default(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_leave_end_the_decision_that_they_wait_for() {
    let authority = Authority::new();
    let files = Files::new(&authority.server(), &authority);
    let agent = start(files.options()).await;
    agent.policy(LATE).await;
    leave(connect(&agent, &authority, rustls::ALL_VERSIONS, "http/1.1").await.expect("a connection")).await;
    are_cancelled(&agent, 1).await;
    assert_eq!(agent.stop().await, Ok(()), "no evaluation goes on");
}
