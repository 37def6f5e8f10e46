//! What registries and their token endpoints are shown, and what others are not.

use regent_kit::Registry;

use super::{REFERENCE, pull, refusal, service};

/// A registry that wants tokens of an endpoint on another port, which wants this `Authorization`.
async fn guarded(authorization: Option<&str>) -> (Registry, Registry) {
    let (registry, endpoint) = (Registry::start().await, Registry::start().await);
    registry.push("org/repo", "latest", "bundle");
    let challenge = format!(
        r#"Bearer realm="{}/token",service="registry.example",scope="repository:org/repo:pull""#,
        endpoint.url()
    );
    registry.require("Bearer t0ken", &challenge);
    endpoint.issue("t0ken", authorization);
    (registry, endpoint)
}

fn authorizations(registry: &Registry) -> Vec<Option<String>> {
    registry.requests().iter().map(|request| request.header("authorization").map(str::to_owned)).collect()
}

#[tokio::test]
async fn whoever_has_no_credentials_gets_a_token_too() {
    let (registry, endpoint) = guarded(None).await;
    let service = service(&registry, "headers: {x-team: blue}").await;
    assert_eq!(pull(&*service, REFERENCE, "").await.expect("a bundle").2, "bundle");
    let token = Some("Bearer t0ken".to_owned());
    assert_eq!(authorizations(&registry), [None, token.clone(), token.clone(), token]);
    let [asked] = &endpoint.requests()[..] else { panic!("one token does for a pull") };
    let query = "service=registry.example&scope=repository%3Aorg%2Frepo%3Apull";
    assert_eq!((asked.method.as_str(), &*asked.path), ("GET", &*format!("/token?{query}")));
    assert_eq!((asked.header("authorization"), asked.header("x-team")), (None, None));
}

#[tokio::test]
async fn tokens_are_asked_for_with_the_credentials_in_base64() {
    for (scheme, sent) in [("Bearer", "Bearer dXNlcjpzM2NyZXQ="), ("Basic", "Basic dXNlcjpzM2NyZXQ=")] {
        let (registry, endpoint) = guarded(Some(sent)).await;
        let credentials = format!("credentials: {{bearer: {{token: 'user:s3cret', scheme: {scheme}}}}}");
        let service = service(&registry, &credentials).await;
        assert_eq!(pull(&*service, REFERENCE, "").await.expect("a bundle").2, "bundle");
        assert_eq!(authorizations(&registry)[0].as_deref(), Some(sent));
        assert_eq!(authorizations(&endpoint), [Some(sent.to_owned())]);
    }
}

#[tokio::test]
async fn a_registry_without_tokens_takes_the_credentials_themselves() {
    let registry = Registry::start().await;
    registry.push("org/repo", "latest", "bundle");
    registry.require("Basic dXNlcjpzM2NyZXQ=", r#"Basic realm="registry""#);
    let with = |token: &str| format!("credentials: {{bearer: {{token: '{token}', scheme: Basic}}}}");
    assert_eq!(
        pull(&*service(&registry, &with("user:s3cret")).await, REFERENCE, "").await.expect("a bundle").2,
        "bundle"
    );
    let (text, status) = refusal(&*service(&registry, &with("user:wrong")).await, REFERENCE).await;
    assert!(text.ends_with("/v2/org/repo/manifests/latest: 401 Unauthorized"), "{text}");
    assert_eq!(status, Some(401));
    let (_, status) = refusal(&*service(&registry, "").await, REFERENCE).await;
    assert_eq!(status, Some(401));
}

#[tokio::test]
async fn what_the_token_endpoint_does_wrong_is_told_and_passes() {
    let (registry, endpoint) = guarded(Some("Bearer czNjcmV0")).await;
    let service_with =
        async |token: &str| service(&registry, &format!("credentials: {{bearer: {{token: {token}}}}}")).await;
    let failed = format!(
        "failed to pull {REFERENCE}: download for '{REFERENCE}' failed: token endpoint GET {}/token: ",
        endpoint.url()
    );
    let wrong = service_with("wrong").await;
    assert_eq!(refusal(&*wrong, REFERENCE).await, (format!("{failed}401 Unauthorized"), Some(401)));
    let service = service_with("s3cret").await;
    let nothing = "answer is no JSON object with a token";
    for (status, body, text, told) in [
        (500, "", "500 Internal Server Error", Some(500)),
        (200, "<html>", nothing, None),
        (200, "{}", nothing, None),
        (200, r#"{"token": 271828}"#, nothing, None),
        (200, r#"{"token": ""}"#, nothing, None),
        (200, r#"{"token": "a\nb"}"#, "token is not fit for a header", None),
    ] {
        endpoint.answer("GET", "/token", status, &[], body);
        assert_eq!(refusal(&*service, REFERENCE).await, (format!("{failed}{text}"), told));
    }
    endpoint.answer("GET", "/token", 200, &[], r#"{"access_token": "t0ken"}"#);
    assert_eq!(pull(&*service, REFERENCE, "").await.expect("a bundle").2, "bundle");
    // One that the registry does not take is not asked for over and over.
    endpoint.answer("GET", "/token", 200, &[], r#"{"token": "stale"}"#);
    registry.take_asked();
    endpoint.take_asked();
    assert_eq!(refusal(&*service, REFERENCE).await.1, Some(401));
    assert_eq!((registry.take_asked().len(), endpoint.take_asked().len()), (2, 1));
    drop(endpoint);
    let (text, status) = refusal(&*service, REFERENCE).await;
    assert!(text.starts_with(&format!("{failed}no answer: ")), "{text}");
    assert_eq!(status, None);
}

#[tokio::test]
async fn where_a_registry_keeps_its_layers_sees_no_credentials() {
    let (registry, store) = (Registry::start().await, Registry::start().await);
    let (_, layer) = registry.push("org/repo", "latest", "bundle");
    store.answer("GET", "/store/blob", 200, &[], "bundle");
    let place = format!("{}/store/blob?X-Amz-Signature=s", store.url());
    registry.answer("GET", &format!("/v2/org/repo/blobs/{layer}"), 307, &[("location", &place)], "");
    let more = "headers: {x-api-key: k3y}, credentials: {bearer: {token: s3cret}}";
    let service = service(&registry, more).await;
    assert_eq!(pull(&*service, REFERENCE, "").await.expect("a bundle").2, "bundle");
    assert!(registry.requests().iter().all(|request| request.header("authorization").is_some()));
    let [seen] = &store.requests()[..] else { panic!("it is asked once") };
    assert_eq!(seen.path, "/store/blob?X-Amz-Signature=s");
    assert_eq!((seen.header("authorization"), seen.header("x-api-key")), (None, None));

    // Who was not meant to be asked cannot send for a token either.
    let challenge = format!(r#"Bearer realm="{}/token""#, store.url());
    store.answer("GET", "/store/blob", 401, &[("www-authenticate", &challenge)], "");
    store.take_asked();
    assert_eq!(refusal(&*service, REFERENCE).await.1, Some(401));
    assert_eq!(store.take_asked().len(), 1);
}
