use regent_core::value::decode;

use super::*;

fn read(json: &str) -> Result<Request, Failure> {
    let value = decode(json.as_bytes()).expect("JSON");
    Request::read(value.as_object().expect("an object"), None, None)
}

fn get(more: &str) -> Result<Request, Failure> {
    read(&format!(r#"{{"method":"get","url":"http://acme.test/x"{more}}}"#))
}

#[track_caller]
fn refused(request: Result<Request, Failure>) -> String {
    request.err().expect("refused").raised().to_string()
}

fn to(url: &str) -> Result<Request, Failure> {
    read(&encode(&Value::object([("method", "get"), ("url", url)])))
}

#[test]
fn a_request_has_method_body_headers_and_limits() {
    let request = read(
        r#"{"method":"post","url":"\"http://acme.test/x\"","body":{"b":"<","a":1.0},"headers":{"x-a":"1"},
            "timeout":"1.5s","enable_redirect":1,"max_retry_attempts":2}"#,
    )
    .expect("is fine");
    assert_eq!((request.method, request.url.as_str()), (Method::POST, "http://acme.test/x"));
    assert_eq!(request.body, r#"{"a":1.0,"b":"\u003c"}"#);
    assert_eq!((request.timeout, request.redirects, request.retries), (Some(Duration::from_millis(1500)), true, 2));
    assert_eq!(request.headers["x-a"], "1");
    let agent = request.headers[header::USER_AGENT].to_str().expect("text");
    assert!(agent.starts_with("Open-Policy-Agent/"), "{agent}");
    let own = get(r#","headers":{"user-agent":"me"},"raw_body":"raw","body":1"#).expect("is fine");
    assert_eq!((&own.headers[header::USER_AGENT], own.body), (&HeaderValue::from_static("me"), "raw".into()));
}

#[test]
fn limits_are_nanoseconds_or_durations() {
    let limit = |text: &str| get(&format!(r#","timeout":{text}"#)).map(|request| request.timeout);
    assert_eq!(limit("500").ok(), Some(Some(Duration::from_nanos(500))));
    assert_eq!(limit(r#""500""#).ok(), Some(Some(Duration::from_nanos(500))));
    assert_eq!((limit("0").ok(), limit("-1").ok()), (Some(None), Some(None)));
    let refused = |text: &str| limit(text).expect_err("refused").raised().to_string();
    assert_eq!(refused("1.5"), "invalid timeout number value 1.5, must be int64");
    assert_eq!(refused(r#""x""#), r#"invalid timeout value "x": time: invalid duration "x""#);
    assert_eq!(refused("true"), "operand 1 'timeout' must be one of {string, number} but got boolean");
}

#[test]
fn what_cannot_be_sent_is_refused_in_opas_words() {
    assert_eq!(refused(read(r#"{"method":1,"url":"x"}"#)), r#""method" must be a string"#);
    assert_eq!(refused(read(r#"{"method":"a b","url":"http://x"}"#)), r#"net/http: invalid method "A B""#);
    assert_eq!(refused(get(r#","headers":[]"#)), "invalid type for headers key");
    assert_eq!(refused(get(r#","headers":{"a":1}"#)), r#"invalid type for headers value "1""#);
    assert_eq!(refused(get(r#","headers":{"a":true}"#)), "invalid type for headers value %!q(bool=true)");
    assert_eq!(refused(get(r#","headers":{"a":["b"]}"#)), r#"invalid type for headers value ["b"]"#);
    let expected = r#"Get "http://acme.test/x": net/http: invalid header field name "a b""#;
    assert_eq!(refused(get(r#","headers":{"a b":""}"#)), expected);
    assert_eq!(refused(get(r#","enable_redirect":"x""#)), r#"strconv.ParseBool: parsing "\"x\"": invalid syntax"#);
    assert_eq!(refused(to("ftp://x/y")), r#"Get "ftp://x/y": unsupported protocol scheme "ftp""#);
    assert_eq!(refused(to("x/y")), r#"Get "x/y": unsupported protocol scheme """#);
    assert_eq!(refused(to("http:///x")), r#"Get "http:///x": http: no Host in request URL"#);
    assert!(refused(to("http://a:b@[::1")).starts_with(r#"parse "http://a:b@[::1": "#));
}

#[test]
fn a_socket_is_named_by_the_query() {
    let request = to("unix://localhost/end/point?b=2&socket=%2Ftmp%2Fs&a=1&socket=other").expect("is fine");
    assert_eq!(request.url.as_str(), "http://localhost/end/point?a=1&b=2");
    assert_eq!(request.setup.socket, Some(PathBuf::from("/tmp/s")));
    assert_eq!(to("unix://localhost/x?socket=s").expect("is fine").url.as_str(), "http://localhost/x");
    assert_eq!(refused(to("unix://localhost/x")), r#"Get "unix://localhost/x": unsupported protocol scheme "unix""#);
    assert_eq!(refused(to("unix:///x?socket=s")), r#"Get "unix:///x?socket=s": http: no Host in request URL"#);
}

#[test]
fn only_allowed_hosts_are_asked() {
    let allowed: [Arc<str>; 2] = ["acme.test".into(), "::1".into()];
    let check = |url| check_host(Some(&allowed), url).map_err(|failure| failure.raised().to_string());
    for url in ["http://acme.test:81/x", "https://ACME.test", "http://[::1]:1", "unix://acme.test/x?socket=s"] {
        assert_eq!(check(url), Ok(()), "{url}");
    }
    assert_eq!(check("http://evil.test"), Err("unallowed host: evil.test".to_owned()));
    assert_eq!(check("http://acme.test@evil.test/"), Err("unallowed host: evil.test".to_owned()));
    assert_eq!(check_host(None, "http://evil.test"), Ok(()));
}

#[test]
fn passwords_are_not_shown() {
    assert_eq!(without_password("http://bob:hunter2@acme.test/x"), "http://bob:***@acme.test/x");
    assert_eq!(without_password("http://acme.test"), "http://acme.test");
}
