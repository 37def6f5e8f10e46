//! Whom to trust, and client certificates.

use std::path::Path;

use regent_core::value::{Value, encode};
use regent_kit::{Certificates, ClientAuth, ControlPlane};

use crate::asking::Agent;

/// The status code, or the error, of a request for the server's bundle.
async fn ask(url: String, more: Vec<(&'static str, String)>) -> String {
    let ask = move || {
        let own = [("method", "get".to_owned()), ("url", format!("{url}/bundles/authz"))];
        let request = Value::object(own.into_iter().chain(more).map(|(key, text)| match &*text {
            "true" => (key, true.into()),
            _ => (key, Value::from(text)),
        }));
        match Agent::new().send(&encode(&request)) {
            Ok(answer) => answer.get("status_code").map(encode).expect("a status"),
            Err(error) => error.replace(&url, "URL"),
        }
    };
    tokio::task::spawn_blocking(ask).await.expect("no panic")
}

async fn server(clients: ClientAuth) -> ControlPlane {
    let server = ControlPlane::start_tls(clients).await;
    server.serve_bundle("authz", "bytes");
    server
}

fn write(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, text).expect("the file is written");
    path.display().to_string()
}

const UNKNOWN: &str = "http.send: Get \"URL/bundles/authz\": tls: failed to verify certificate: \
                       x509: certificate signed by unknown authority";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_known_authority_is_trusted() {
    let server = server(ClientAuth::None).await;
    let directory = tempfile::tempdir().expect("a directory");
    let (ca, stranger) = (server.ca_pem().to_owned(), Certificates::generate().ca);
    let file = write(directory.path(), "ca.pem", &ca);
    let yes = || "true".to_owned();
    for (more, expected) in [
        (vec![], UNKNOWN),
        (vec![("tls_use_system_certs", yes())], UNKNOWN),
        (vec![("tls_ca_cert", stranger.clone())], UNKNOWN),
        (vec![("tls_ca_cert", ca.clone())], "200"),
        (vec![("tls_ca_cert", ca.replace('\n', "\\n"))], "200"),
        (vec![("tls_ca_cert", ca.clone()), ("tls_use_system_certs", yes())], "200"),
        (vec![("tls_ca_cert", stranger), ("tls_ca_cert_file", file.clone())], "200"),
        (vec![("tls_ca_cert_file", file)], "200"),
        (vec![("tls_insecure_skip_verify", yes())], "200"),
        (vec![("tls_ca_cert", "no certificate".to_owned())], "http.send: could not append certificates"),
        (vec![("tls_ca_cert_file", "/nowhere".to_owned())], "http.send: open /nowhere: no such file or directory"),
    ] {
        let keys: Vec<_> = more.iter().map(|(key, _)| *key).collect();
        assert_eq!(ask(server.url(), more).await, expected, "{keys:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_may_have_to_prove_another_name() {
    let server = server(ClientAuth::None).await;
    let ca = || ("tls_ca_cert", server.ca_pem().to_owned());
    let name = |name: &str| ("tls_server_name", name.to_owned());
    let by_name = server.url().replace("127.0.0.1", "localhost");
    assert_eq!(ask(server.url(), vec![ca(), name("localhost")]).await, "200");
    assert_eq!(ask(by_name.clone(), vec![ca(), name("localhost")]).await, "200");
    assert_eq!(ask(by_name.clone(), vec![ca(), name("127.0.0.1")]).await, "200");
    for (url, other) in [(server.url(), "acme.test"), (by_name, "127.0.0.2")] {
        let error = ask(url, vec![ca(), name(other)]).await;
        assert!(error.contains("tls: failed to verify certificate: x509: certificate not valid for name"), "{error}");
    }
    let skip = ("tls_insecure_skip_verify", "true".to_owned());
    assert_eq!(ask(server.url(), vec![skip, name("acme.test")]).await, "200");
    let asked = server.requests().pop().expect("a request");
    let port = server.url().rsplit(':').next().expect("a port").to_owned();
    assert_eq!(asked.headers["host"], format!("127.0.0.1:{port}"), "the host is still the address's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_certificate_opens_the_door() {
    let server = server(ClientAuth::Required).await;
    let directory = tempfile::tempdir().expect("a directory");
    let (cert, key) = (server.client_cert_pem().to_owned(), server.client_key_pem().to_owned());
    let (cert_file, key_file) = (write(directory.path(), "c", &cert), write(directory.path(), "k", &key));
    let ca = ("tls_ca_cert", server.ca_pem().to_owned());
    let with = async |mut more: Vec<(&'static str, String)>| {
        more.push(ca.clone());
        ask(server.url(), more).await
    };
    assert_eq!(with(vec![("tls_client_cert", cert.clone()), ("tls_client_key", key.clone())]).await, "200");
    assert_eq!(with(vec![("tls_client_cert_file", cert_file), ("tls_client_key_file", key_file)]).await, "200");
    let error = with(vec![]).await;
    assert!(error.starts_with("http.send: Get \"URL/bundles/authz\": "), "{error}");
    let other = Certificates::generate();
    let error = with(vec![("tls_client_cert", other.client_cert), ("tls_client_key", other.client_key.clone())]).await;
    assert!(error.starts_with("http.send: Get \"URL/bundles/authz\": "), "{error}");
    let error = with(vec![("tls_client_cert", "x".to_owned()), ("tls_client_key", key)]).await;
    assert_eq!(error, "http.send: tls: failed to find any PEM data in certificate input");
    let error = with(vec![("tls_client_cert", cert), ("tls_client_key", other.client_key)]).await;
    assert_eq!(error, "http.send: tls: private key does not match public key");
}
