//! Registries over TLS: whom to trust, who the agent is, and where tokens are asked for.

use std::path::Path;

use regent_kit::{Certificates, ClientAuth, Registry};

use super::{REFERENCE, pull, refusal, service};

async fn secure(clients: ClientAuth) -> Registry {
    let registry = Registry::start_tls(clients).await;
    registry.push("org/repo", "latest", "bundle");
    registry
}

fn write(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, text).expect("the file is written");
    path.display().to_string()
}

/// What comes of a pull with more of the service's section.
async fn pulled(registry: &Registry, more: &str) -> Result<String, String> {
    let service = service(registry, more).await;
    pull(&*service, REFERENCE, "").await.map(|(_, _, body)| body).map_err(|(text, _)| text)
}

#[tokio::test]
async fn only_registries_of_a_known_authority_are_pulled_from() {
    let registry = secure(ClientAuth::None).await;
    let directory = tempfile::tempdir().expect("a directory");
    let ca = write(directory.path(), "ca.pem", &registry.certificates().ca);
    let stranger = write(directory.path(), "stranger.pem", &Certificates::generate().ca);
    let bundle = || Ok("bundle".to_owned());
    assert_eq!(pulled(&registry, &format!("tls: {{ca_cert: '{ca}'}}")).await, bundle());
    assert_eq!(pulled(&registry, "allow_insecure_tls: true").await, bundle());
    registry.take_asked();
    for more in [String::new(), format!("tls: {{ca_cert: '{stranger}'}}")] {
        let error = pulled(&registry, &more).await.expect_err("an unknown authority");
        assert!(error.starts_with(&format!("failed to pull {REFERENCE}: ")), "{error}");
        assert!(error.contains("invalid peer certificate"), "{error}");
    }
    assert!(registry.take_asked().is_empty(), "nothing is said to a stranger");
}

#[tokio::test]
async fn a_registry_may_want_to_see_a_certificate() {
    let registry = secure(ClientAuth::Required).await;
    let directory = tempfile::tempdir().expect("a directory");
    let own = registry.certificates();
    let cert = write(directory.path(), "cert.pem", &own.client_cert);
    let key = write(directory.path(), "key.pem", &own.client_key);
    let trust = format!("tls: {{ca_cert: '{}'}}", write(directory.path(), "ca.pem", &own.ca));
    let proof = format!("credentials: {{client_tls: {{cert: '{cert}', private_key: '{key}'}}}}");
    assert_eq!(pulled(&registry, &format!("{trust}, {proof}")).await, Ok("bundle".to_owned()));
    registry.take_asked();
    pulled(&registry, &trust).await.expect_err("a certificate is required");
    assert!(registry.take_asked().is_empty());
}

#[tokio::test]
async fn a_token_is_asked_for_over_tls_and_never_without() {
    let registry = secure(ClientAuth::None).await;
    let directory = tempfile::tempdir().expect("a directory");
    let ca = write(directory.path(), "ca.pem", &registry.certificates().ca);
    let more = format!("tls: {{ca_cert: '{ca}'}}, credentials: {{bearer: {{token: s3cret}}}}");
    registry.require("Bearer t0ken", &format!(r#"Bearer realm="{}/token""#, registry.url()));
    registry.issue("t0ken", Some("Bearer czNjcmV0"));
    assert_eq!(pulled(&registry, &more).await, Ok("bundle".to_owned()));

    let open = Registry::start().await;
    open.issue("t0ken", None);
    registry.require("Bearer t0ken", &format!(r#"Bearer realm="{}/token""#, open.url()));
    let (error, _) = refusal(&*service(&registry, &more).await, REFERENCE).await;
    assert!(error.ends_with("credentials for a registry with TLS are not sent to an endpoint without"), "{error}");
    assert!(open.requests().is_empty());
}
