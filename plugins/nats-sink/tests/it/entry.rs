//! Whom the server lets in.

use async_nats::ConnectOptions;
use regent_kit::{Certificates, Nats};

use crate::operator::Operator;
use crate::support::{Stream, events, nats, start};

/// A seed and the public key of a user.
const SEED: &str = "SUANQDPB2RUOE4ETUA26CNX7FUKE5ZZKFCQIIW63OX225F2CO7UEXTM7ZY";

async fn guarded(authorization: &str, credentials: ConnectOptions) -> Option<(Nats, Stream)> {
    let mut nats = nats()?;
    nats.configure(&format!("authorization {{{authorization}}}"));
    nats.start().await;
    let client = credentials.connect(nats.url()).await.expect("the server lets the test in");
    let stream = Stream::create_by(client, -1).await;
    Some((nats, stream))
}

/// Good credentials publish; wrong ones say what is wrong, and nothing of what they are.
async fn opens(nats: &Nats, stream: &Stream, good: &str, wrong: &str) {
    let batch = events(2);
    for keys in [wrong, ""] {
        let why = start(nats, keys).await.unavailable(&batch).await;
        assert!(why.contains("authorization violation"), "{why}");
        assert!(!why.contains("hunter2"), "{why}");
    }
    start(nats, good).await.write(&batch).await.expect("the server lets the agent in");
    stream.has(&batch).await;
}

#[tokio::test]
async fn a_user_has_a_password() {
    let credentials = ConnectOptions::with_user_and_password("ann".to_owned(), "s3cret".to_owned());
    let Some((nats, stream)) = guarded("user: ann, password: s3cret", credentials).await else { return };
    let keys = |password: &str| format!("credentials: {{user: ann, password: {password}}}");
    opens(&nats, &stream, &keys("s3cret"), &keys("hunter2")).await;
}

#[tokio::test]
async fn whoever_has_the_token_is_let_in() {
    let Some((nats, stream)) = guarded("token: s3cret", ConnectOptions::with_token("s3cret".to_owned())).await else {
        return;
    };
    opens(&nats, &stream, "credentials: {token: s3cret}", "credentials: {token: hunter2}").await;
}

#[tokio::test]
async fn a_user_proves_to_have_a_key() {
    let public = nkeys::KeyPair::from_seed(SEED).expect("a seed").public_key();
    let other = nkeys::KeyPair::new_user().seed().expect("a key has one");
    let users = format!("users: [{{nkey: {public}}}]");
    let Some((nats, stream)) = guarded(&users, ConnectOptions::with_nkey(SEED.to_owned())).await else { return };
    let keys = |seed: &str| format!("credentials: {{nkey: {seed}}}");
    opens(&nats, &stream, &keys(SEED), &keys(&other)).await;
}

#[tokio::test]
async fn a_subject_that_the_user_may_not_publish_to_is_told_at_once() {
    let users = "users: [{user: admin, password: s3cret}, \
                 {user: ann, password: s3cret, permissions: {publish: 'other'}}]";
    let credentials = ConnectOptions::with_user_and_password("admin".to_owned(), "s3cret".to_owned());
    let Some((nats, _stream)) = guarded(users, credentials).await else { return };
    let sink = start(&nats, "credentials: {user: ann, password: s3cret}").await;
    let why = sink.unavailable(&events(1)).await;
    assert!(why.contains("Permissions Violation for Publish to \"decisions\""), "{why}");
}

#[tokio::test]
async fn a_file_with_credentials_is_read_for_each_connection() {
    let Some(mut nats) = nats() else { return };
    let (good, other) = (Operator::new(), Operator::new());
    nats.configure(&good.config);
    nats.start().await;
    let file = nats.file("user.creds", &other.credentials);
    let sink = start(&nats, &format!("credentials: {{path: '{file}'}}")).await;
    let batch = events(2);
    let why = sink.unavailable(&batch).await;
    assert!(why.contains("authorization violation"), "{why}");
    nats.file("user.creds", &good.credentials);
    let options = ConnectOptions::with_credentials(&good.credentials).expect("a token and a seed");
    let client = options.connect(nats.url()).await.expect("the server lets the test in");
    let stream = Stream::create_by(client, -1).await;
    sink.write(&batch).await.expect("the server lets the agent in");
    stream.has(&batch).await;
}

#[tokio::test]
async fn a_file_with_credentials_that_is_not_there_is_named() {
    let Some(mut nats) = nats() else { return };
    nats.start().await;
    let why = start(&nats, "credentials: {path: /nonexistent.creds}").await.unavailable(&events(1)).await;
    assert!(why.starts_with("credentials: ") && why.contains("/nonexistent.creds"), "{why}");
}

#[tokio::test]
async fn both_sides_prove_who_they_are_by_certificates() {
    let Some(mut nats) = nats() else { return };
    let (certificates, others) = (Certificates::generate(), Certificates::generate());
    let ca = nats.file("ca.pem", &certificates.ca);
    let file = |name: &str, text: &str| nats.file(name, text);
    let (cert, key) = (file("server.pem", &certificates.server_cert), file("server.key", &certificates.server_key));
    let client_cert = file("client.pem", &certificates.client_cert);
    let client_key = file("client.key", &certificates.client_key);
    let other_ca = file("other.pem", &others.ca);
    nats.configure(&format!("tls {{cert_file: '{cert}', key_file: '{key}', ca_file: '{ca}', verify: true}}"));
    nats.start().await;
    let identity = format!("cert: '{client_cert}', private_key: '{client_key}'");
    let batch = events(2);
    for (keys, expected) in [
        (format!("tls: {{ca_cert: '{other_ca}', {identity}}}"), "invalid peer certificate"),
        (format!("tls: {{ca_cert: '{ca}'}}"), "cannot connect to "),
        // The server asks for TLS, but nothing on this system vouches for it.
        (String::new(), "invalid peer certificate"),
    ] {
        let why = start(&nats, &keys).await.unavailable(&batch).await;
        assert!(why.contains(expected), "{keys}: {why}");
    }
    let options = ConnectOptions::new().add_root_certificates(ca.clone().into());
    let options = options.add_client_certificate(client_cert.clone().into(), client_key.clone().into());
    let client = options.connect(nats.url()).await.expect("the server lets the test in");
    let stream = Stream::create_by(client, -1).await;
    let sink = start(&nats, &format!("tls: {{ca_cert: '{ca}', {identity}}}")).await;
    sink.write(&batch).await.expect("the server lets the agent in");
    stream.has(&batch).await;
}

#[tokio::test]
async fn who_insists_on_tls_sends_nothing_without() {
    let Some(mut nats) = nats() else { return };
    nats.start().await;
    let ca = nats.file("ca.pem", &Certificates::generate().ca);
    let keys = format!("credentials: {{user: ann, password: s3cret}}, tls: {{ca_cert: '{ca}'}}");
    let why = start(&nats, &keys).await.unavailable(&events(1)).await;
    assert!(why.starts_with("cannot connect to "), "{why}");
}
