//! TLS with certificates made for the test.

use regent_kit::{Certificates, Client, ClientAuth, ControlPlane};

#[tokio::test]
async fn the_servers_certificate_holds_for_its_address() {
    let acme = ControlPlane::start_tls(ClientAuth::None).await;
    acme.serve_bundle("authz", "bytes");
    let url = format!("{}/bundles/authz", acme.url());
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");

    assert_eq!(Client::trusting(acme.ca_pem()).get(&url).await.expect("an answer").text(), "bytes");

    let stranger = Certificates::generate();
    let error = Client::trusting(&stranger.ca).get(&url).await.expect_err("an unknown authority");
    assert!(error.to_string().contains("invalid peer certificate"), "{error}");
}

#[tokio::test]
async fn a_required_client_certificate_must_be_the_authoritys() {
    let acme = ControlPlane::start_tls(ClientAuth::Required).await;
    acme.serve_bundle("authz", "bytes");
    let url = format!("{}/bundles/authz", acme.url());

    let member = Client::with_certificate(acme.ca_pem(), acme.client_cert_pem(), acme.client_key_pem());
    assert_eq!(member.get(&url).await.expect("an answer").text(), "bytes");

    Client::trusting(acme.ca_pem()).get(&url).await.expect_err("no certificate");
    let other = Certificates::generate();
    let impostor = Client::with_certificate(acme.ca_pem(), &other.client_cert, &other.client_key);
    impostor.get(&url).await.expect_err("another authority's certificate");
    assert_eq!(acme.requests().len(), 1, "the others never got to ask");
}

#[tokio::test]
async fn one_servers_requests_in_the_clear_are_not_answered() {
    let acme = ControlPlane::start_tls(ClientAuth::None).await;
    let url = acme.url().replace("https", "http");
    Client::plain().get(&url).await.expect_err("TLS only");
}
