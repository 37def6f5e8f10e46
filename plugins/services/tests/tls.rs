//! Services with TLS: whom to trust, and client certificates.

mod common;

use std::path::Path;

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt as _, KeyIvInit as _};
use common::{acme, get};
use md5::{Digest as _, Md5};
use regent_kit::{Certificates, ClientAuth, ControlPlane};
use regent_signing::hex;
use regent_signing::keys::pem;

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

/// What comes of asking a service for its bundle; `more` is the rest of its section.
async fn ask(server: &ControlPlane, more: &str) -> Result<(u16, String), String> {
    let service = acme(&format!("services: {{acme: {{url: '{}'{more}}}}}", server.url())).await;
    get(&*service, "bundles/authz").await
}

fn good() -> (u16, String) {
    (200, "bytes".to_owned())
}

#[tokio::test]
async fn only_a_known_authority_is_trusted() {
    let server = server(ClientAuth::None).await;
    let directory = tempfile::tempdir().expect("a directory");
    let ca = write(directory.path(), "ca.pem", server.ca_pem());
    let stranger = write(directory.path(), "stranger.pem", &Certificates::generate().ca);

    let error = ask(&server, "").await.expect_err("an unknown authority");
    assert!(error.contains("invalid peer certificate"), "{error}");
    assert_eq!(ask(&server, &format!(", tls: {{ca_cert: '{ca}'}}")).await, Ok(good()));
    assert_eq!(ask(&server, &format!(", tls: {{ca_cert: '{ca}', system_ca_required: true}}")).await, Ok(good()));
    let error = ask(&server, &format!(", tls: {{ca_cert: '{stranger}'}}")).await.expect_err("another authority");
    assert!(error.contains("invalid peer certificate"), "{error}");
    assert_eq!(ask(&server, ", allow_insecure_tls: true").await, Ok(good()));
}

#[tokio::test]
async fn a_broken_authority_file_fails_requests_and_not_the_start() {
    let server = server(ClientAuth::None).await;
    let directory = tempfile::tempdir().expect("a directory");
    let broken = write(directory.path(), "ca.pem", "no certificate");
    let error = ask(&server, &format!(", tls: {{ca_cert: '{broken}'}}")).await.expect_err("no certificate");
    assert_eq!(error, "unable to parse and append CA certificate to certificate pool");
    let error = ask(&server, ", tls: {ca_cert: /nowhere/ca.pem}").await.expect_err("no file");
    assert!(error.starts_with("cannot read CA certificate /nowhere/ca.pem"), "{error}");
}

#[tokio::test]
async fn a_client_certificate_opens_the_door_and_may_change() {
    let server = server(ClientAuth::Required).await;
    let directory = tempfile::tempdir().expect("a directory");
    let ca = write(directory.path(), "ca.pem", server.ca_pem());
    let impostor = Certificates::generate();
    let cert = write(directory.path(), "cert.pem", &impostor.client_cert);
    let key = write(directory.path(), "key.pem", &impostor.client_key);
    let files = format!("client_tls: {{cert: '{cert}', private_key: '{key}', ca_cert: '{ca}'}}");

    ask(&server, &format!(", tls: {{ca_cert: '{ca}'}}")).await.expect_err("a certificate is required");
    let service = acme(&format!("services: {{acme: {{url: '{}', credentials: {{{files}}}}}}}", server.url())).await;
    get(&*service, "bundles/authz").await.expect_err("another authority's certificate");
    write(directory.path(), "cert.pem", server.client_cert_pem());
    write(directory.path(), "key.pem", server.client_key_pem());
    assert_eq!(get(&*service, "bundles/authz").await, Ok(good()));
}

/// The key as old OpenSSL encrypts it.
fn encrypted(key: &str, passphrase: &str) -> String {
    let (block, _) = pem::first(key).expect("a block");
    let vector = [7; 16];
    let secret = Md5::new().chain_update(passphrase).chain_update(&vector[..8]).finalize();
    let cipher = cbc::Encryptor::<aes::Aes128>::new_from_slices(&secret, &vector).expect("the right lengths");
    let mut content = block.bytes.clone();
    content.resize(block.bytes.len() + 16, 0);
    let sealed = cipher.encrypt_padded::<Pkcs7>(&mut content, block.bytes.len()).expect("there is room");
    let headers = format!("\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,{}\n\n", hex::spell(&vector));
    pem::spell("PRIVATE KEY", sealed).replacen('\n', &headers, 1)
}

#[tokio::test]
async fn an_encrypted_key_is_opened_with_its_passphrase() {
    let server = server(ClientAuth::Required).await;
    let directory = tempfile::tempdir().expect("a directory");
    let cert = write(directory.path(), "cert.pem", server.client_cert_pem());
    let key = write(directory.path(), "key.pem", &encrypted(server.client_key_pem(), "hunter2"));
    let files = format!("cert: '{cert}', private_key: '{key}', private_key_passphrase: hunter2");
    let config = format!(", allow_insecure_tls: true, credentials: {{client_tls: {{{files}}}}}");
    assert_eq!(ask(&server, &config).await, Ok(good()));
}

#[tokio::test]
async fn unusable_client_certificates_fail_requests_with_a_reason() {
    let server = server(ClientAuth::Required).await;
    let directory = tempfile::tempdir().expect("a directory");
    let good_cert = write(directory.path(), "cert.pem", server.client_cert_pem());
    let good_key = write(directory.path(), "key.pem", server.client_key_pem());
    let text = write(directory.path(), "text.pem", "no PEM");
    let encrypted = write(directory.path(), "encrypted.pem", &encrypted(server.client_key_pem(), "hunter2"));
    let check = async |cert: &str, key: &str, more: &str, expected: &str| {
        let config = format!(", credentials: {{client_tls: {{cert: '{cert}', private_key: '{key}'{more}}}}}");
        let error = ask(&server, &config).await.expect_err("an unusable certificate");
        assert!(error.contains(expected), "{error}");
    };
    check(&text, &good_key, "", "PEM data could not be found").await;
    check(&good_cert, &text, "", "PEM data could not be found").await;
    check(&good_cert, &good_cert, "", "private key is invalid").await;
    check(&good_cert, "/nowhere", "", "cannot read private key /nowhere").await;
    check(&good_cert, &encrypted, "", "client certificate passphrase is needed").await;
    // Whether the padding or only the key is found to be wrong is up to chance.
    check(&good_cert, &encrypted, ", private_key_passphrase: hunter3", "private key ").await;
}
