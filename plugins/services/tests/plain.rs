//! Services without TLS: addresses, headers, tokens, waiting, redirects.

mod common;
#[path = "plain/plugin.rs"]
mod plugin;

use std::time::Duration;

use common::{acme, get, only_acme, try_acme, try_acme_with};
use http::{HeaderValue, Method};
use regent_agent_kit::NoConfig;
use regent_core::plugin::{Inbox, Plugin};
use regent_core::service::ServiceRequest;
use regent_core::{Error, Host};
use regent_kit::{ControlPlane, Fault, Registry};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

#[tokio::test]
async fn a_service_is_asked_at_its_url_with_opas_user_agent() {
    let server = ControlPlane::start().await;
    server.serve_bundle("authz", "bytes");
    let service = acme(&format!("services: {{acme: {{url: '{}///'}}}}", server.url())).await;
    assert_eq!(get(&*service, "/bundles/authz/").await, Ok((200, "bytes".to_owned())));
    let request = &server.requests()[0];
    assert_eq!(request.path, "/bundles/authz");
    let agent = request.header("user-agent").expect("a user agent");
    assert!(agent.starts_with("Open-Policy-Agent/1.") && agent.ends_with(')'), "{agent}");
}

#[tokio::test]
async fn services_may_be_a_list() {
    let server = ControlPlane::start().await;
    server.serve_bundle("authz", "bytes");
    let service = acme(&format!("services: [{{name: acme, url: '{}'}}]", server.url())).await;
    assert_eq!(get(&*service, "bundles/authz").await, Ok((200, "bytes".to_owned())));
}

#[tokio::test]
async fn configured_headers_win_over_those_of_the_request() {
    let server = ControlPlane::start().await;
    let config = format!("services: {{acme: {{url: '{}', headers: {{x-team: blue, accept: text/x}}}}}}", server.url());
    let mut request = ServiceRequest::new(Method::POST, "status");
    request.headers.insert("accept", HeaderValue::from_static("application/json"));
    request.headers.insert("x-own", HeaderValue::from_static("1"));
    request.body = "{}".into();
    let answer = acme(&config).await.send(request).await.expect("an answer");
    assert_eq!(answer.status, 200);
    let seen = &server.requests()[0];
    assert_eq!(seen.header("x-team"), Some("blue"));
    assert_eq!((seen.header("accept"), seen.header("x-own")), (Some("text/x"), Some("1")));
    assert_eq!(&seen.body[..], b"{}");
}

#[tokio::test]
async fn a_token_file_is_read_again_at_each_request() {
    let server = ControlPlane::start().await;
    let directory = tempfile::tempdir().expect("a directory");
    let token = directory.path().join("token");
    let service = acme(&format!(
        "services: {{acme: {{url: '{}', credentials: {{bearer: {{token_path: '{}', scheme: Token}}}}}}}}",
        server.url(),
        token.display()
    ))
    .await;
    let error = get(&*service, "x").await.expect_err("there is no file yet");
    assert!(error.starts_with("cannot read token file "), "{error}");
    for text in ["  first\n", "second"] {
        std::fs::write(&token, text).expect("the token is written");
        get(&*service, "x").await.expect("an answer");
    }
    let sent: Vec<_> =
        server.requests().iter().map(|r| r.header("authorization").unwrap_or_default().to_owned()).collect();
    assert_eq!(sent, ["Token first", "Token second"]);
}

#[tokio::test]
async fn a_literal_token_goes_out_as_bearer() {
    let server = ControlPlane::start().await;
    server.require_header("authorization", "Bearer s3cret");
    let config = format!("services: {{acme: {{url: '{}', credentials: {{bearer: {{token: s3cret}}}}}}}}", server.url());
    assert_eq!(get(&*acme(&config).await, "x").await.expect("an answer").0, 404);
}

#[tokio::test]
async fn what_the_text_shows_to_be_wrong_is_refused() {
    let check = async |service: &str, expected: &str| {
        let error = try_acme(&format!("services: {{acme: {service}}}")).await.err().expect("a refusal");
        assert!(error.contains(expected), "{error}");
    };
    let with = |credentials: &str| format!("{{url: 'http://x', credentials: {credentials}}}");
    check("{}", "services.acme.url: is missing").await;
    check("{url: 'ftp://x'}", "neither http nor https").await;
    check("{url: 'http://x', headers: {'a b': c}}", "is no name of a header").await;
    let token = r#"invalid config: specify a value for either the "token" or "token_path" field"#;
    check(&with("s3cret"), "services.acme.credentials: invalid value, expected").await;
    check(&with("[{bearer: {token: a}}]"), "services.acme.credentials: invalid value, expected").await;
    check("{url: 'http://x', headers: {x-team: 271828}}", "services.acme.headers.x-team: invalid value, expected")
        .await;
    check(&with("{bearer: {}}"), token).await;
    check(&with("{bearer: {token: a, token_path: b}}"), token).await;
    let one = "a maximum one credential method must be specified";
    check(&with("{bearer: {token: a}, client_tls: {cert: c, private_key: k}}"), one).await;
    check(&with("{client_tls: {private_key: k}}"), "client certificate is needed when client TLS is enabled").await;
    check(&with("{client_tls: {cert: c}}"), "private key is needed when client TLS is enabled").await;
    check(&with("{magic: {}}"), "is no kind of credentials; there are: azure_managed_identity, bearer, client_tls, ")
        .await;
}

/// A plugin that asks the first service when it is not told another one.
struct Asker;

impl Plugin for Asker {
    const NAME: &'static str = "asker";
    const SECTIONS: &'static [&'static str] = &["asker"];
    const TAKES_FIRST_SERVICE: bool = true;
    type Config = NoConfig;

    fn build(_: NoConfig, _: Host) -> Result<Self, Error> {
        Ok(Self)
    }

    async fn run(self, _: Inbox<NoConfig>) -> Result<(), Error> {
        Ok(())
    }
}

#[tokio::test]
async fn wrong_credentials_matter_only_where_something_uses_the_service() {
    let check = async |rest: &str, expected: &str| {
        let services = "other: {url: 'http://y'}, acme: {url: 'http://x', credentials: {bearer: {}}}";
        let error = only_acme(&format!("services: {{{services}}}\n{rest}"), |_| {}).await.err().expect("no client");
        assert!(error.contains(expected), "{rest}: {error}");
    };
    let (unknown, refused) = (r#"service name "acme" not found"#, "invalid config: specify a value");
    check("", unknown).await;
    check("status: {service: other}", unknown).await;
    check("bundles: {authz: {service: acme}}", refused).await;
    check("discovery: {service: acme}", refused).await;
    // The first service is that of whoever names none.
    let first = "services: {acme: {url: 'http://x', credentials: {bearer: {}}}}";
    for (rest, expected) in [("", unknown), ("other: {}", unknown), ("asker: {}", refused)] {
        let error = only_acme(&format!("{first}\n{rest}"), regent_core::Registry::plugin::<Asker>)
            .await
            .err()
            .expect("no client");
        assert!(error.contains(expected), "{rest}: {error}");
    }
    // Anything else that is wrong with a service is.
    let error = only_acme("services: {acme: {url: 'ftp://x', credentials: {bearer: {}}}}", |_| {}).await.err();
    assert!(error.expect("a refusal").contains("neither http nor https"));
}

#[tokio::test]
async fn headers_that_do_not_come_in_time_are_not_waited_for() {
    let server = ControlPlane::start().await;
    server.serve_bundle("authz", "bytes");
    let config = format!("services: {{acme: {{url: '{}', response_header_timeout_seconds: 3600}}}}", server.url());
    let service = acme(&config).await;
    server.fail_next("/bundles/authz", Fault::Hang(Duration::from_mins(10)));
    let mut request = ServiceRequest::new(Method::GET, "bundles/authz");
    request.header_timeout = Some(Duration::from_millis(50));
    let error = service.send(request.clone()).await.err().expect("no answer").chain();
    assert!(error.contains("timeout awaiting response headers"), "{error}");

    server.fail_next("/bundles/authz", Fault::Hang(Duration::from_millis(100)));
    request.header_timeout = Some(Duration::ZERO);
    assert_eq!(service.send(request).await.expect("no limit").status, 200);
}

#[tokio::test]
async fn the_configured_header_timeout_holds() {
    let server = ControlPlane::start().await;
    server.fail_always("/x", Some(Fault::Hang(Duration::from_mins(10))));
    let config = format!("services: {{acme: {{url: '{}', response_header_timeout_seconds: 1}}}}", server.url());
    let error = get(&*acme(&config).await, "x").await.expect_err("no answer");
    assert!(error.contains("timeout awaiting response headers"), "{error}");
}

#[tokio::test]
async fn broken_connections_are_errors_without_the_address() {
    let server = ControlPlane::start().await;
    server.serve_bundle("authz", "0123456789");
    let service = acme(&format!("services: {{acme: {{url: '{}'}}}}", server.url())).await;
    for fault in [Fault::Reset, Fault::Truncate(4)] {
        server.fail_next("/bundles/authz", fault);
        let error = get(&*service, "bundles/authz").await.expect_err("a broken connection");
        assert!(!error.contains("127.0.0.1"), "{error}");
    }
}

/// Answers every request with a redirect to `target`; `{n}` in it counts up.
async fn redirecting(status: u16, target: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        for n in 0_u32.. {
            let Ok((mut stream, _)) = listener.accept().await else {
                return;
            };
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await;
            let target = target.replace("{n}", &n.to_string());
            let answer = format!(
                "HTTP/1.1 {status} Moved\r\nLocation: {target}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    url
}

#[tokio::test]
async fn a_redirect_to_another_host_is_followed_without_the_token() {
    let server = ControlPlane::start().await;
    server.serve_bundle("authz", "bytes");
    let front = redirecting(307, format!("{}/bundles/authz", server.url())).await;
    let config = format!(
        "services: {{acme: {{url: '{front}', headers: {{x-team: blue}}, credentials: {{bearer: {{token: s}}}}}}}}"
    );
    assert_eq!(get(&*acme(&config).await, "a").await, Ok((200, "bytes".to_owned())));
    let seen = &server.requests()[0];
    assert_eq!((seen.header("authorization"), seen.header("x-team")), (None, Some("blue")));
}

#[tokio::test]
async fn redirects_end_after_ten() {
    let front = redirecting(302, "/{n}".to_owned()).await;
    let error = get(&*acme(&format!("services: {{acme: {{url: '{front}'}}}}")).await, "a").await.expect_err("a circle");
    assert!(error.contains("stopped after 10 redirects"), "{error}");
}

#[tokio::test]
async fn what_credentials_add_stays_with_the_service_and_does_not_come_back() {
    let (front, other) = (Registry::start().await, Registry::start().await);
    let location = |to: &Registry, path: &str| format!("{}{path}", to.url());
    front.answer("GET", "/a", 302, &[("location", &location(&front, "/b"))], "");
    front.answer("GET", "/b", 302, &[("location", &location(&other, "/c"))], "");
    other.answer("GET", "/c", 302, &[("location", &location(&front, "/d"))], "");
    front.answer("GET", "/d", 200, &[], "bytes");
    let words = "credentials: {plugin: words}, headers: {x-team: blue, cookie: c, authorization: a}";
    let config = format!("services: {{acme: {{url: '{}', {words}}}}}", front.url());
    let service = try_acme_with(&config, plugin::add).await.expect("a valid configuration");
    assert_eq!(get(&*service, "a").await, Ok((200, "bytes".to_owned())));
    let seen = |registry: &Registry, n: usize| {
        let request = &registry.requests()[n];
        ["x-word", "cookie", "authorization", "x-team"].map(|name| request.header(name).map(str::to_owned))
    };
    let text = |text: &str| Some(text.to_owned());
    for n in 0..2 {
        assert_eq!(seen(&front, n), [text("nothing for services.acme"), text("c"), text("a"), text("blue")]);
    }
    let nothing = [None, None, None, text("blue")];
    assert_eq!((seen(&other, 0), seen(&front, 2)), (nothing.clone(), nothing));
}

#[tokio::test]
async fn redirects_keep_method_and_body_if_their_status_says_so() {
    let server = Registry::start().await;
    let service = acme(&format!("services: {{acme: {{url: '{}'}}}}", server.url())).await;
    for (status, kept) in [(301, false), (302, false), (303, false), (307, true), (308, true)] {
        server.answer("POST", "/a", status, &[("location", "b")], "");
        server.answer("GET", "/b", 200, &[], "");
        server.answer("POST", "/b", 200, &[], "");
        let mut request = ServiceRequest::new(Method::POST, "a");
        request.headers.insert("content-type", HeaderValue::from_static("text/plain"));
        request.body = "body".into();
        assert_eq!(service.send(request).await.expect("an answer").status, 200);
        let last = server.requests().pop().expect("the second one");
        let expected = if kept { ("POST", &b"body"[..], Some("text/plain")) } else { ("GET", &b""[..], None) };
        assert_eq!((last.method.as_str(), &last.body[..], last.header("content-type")), expected, "{status}");
    }
    // Nothing to follow is the answer itself; what is no address of a server is an error.
    server.answer("GET", "/a", 304, &[("location", "b")], "");
    assert_eq!(get(&*service, "a").await.expect("an answer").0, 304);
    server.answer("GET", "/a", 302, &[], "");
    assert_eq!(get(&*service, "a").await.expect("an answer").0, 302);
    server.answer("GET", "/a", 302, &[("location", "file:///etc/passwd")], "");
    let error = get(&*service, "a").await.expect_err("nowhere");
    assert_eq!(error, "answer sends the request on to an address that is none");
}
