//! Schemas that schemas refer to, fetched for the engine.

use std::sync::Arc;
use std::thread;

use regent_core::Store;
use regent_core::engine::{Cancel, CompileOptions, Engine as _, RegoVersion, Schemas, Source};
use regent_core::value::{Value, decode, encode};
use regent_engine_rego::RegoEngine;
use regent_http_send::HttpFetcher;

use crate::asking::Agent;
use crate::limits::until;
use crate::server::{Reply, Server, json, nobody, response};

/// What `json.match_schema` or `json.verify_schema` gives, as JSON.
fn asked(agent: &Agent, call: &str) -> Result<String, String> {
    agent.query(&format!("x := {call}")).result.map(|value| encode(&value))
}

fn verified(agent: &Agent, reference: &str) -> String {
    asked(agent, &format!(r#"json.verify_schema({{"$ref": "{reference}"}})"#)).expect("a verdict")
}

fn refused(why: &str) -> String {
    encode(&Value::array([Value::from(false), format!("jsonschema: {why}").into()]))
}

/// The type of `input.a` by the schema, or what is wrong with the schema.
fn typed(hosts: Option<&[&str]>, schema: &str) -> Result<(), String> {
    let engine = RegoEngine::default().with_fetcher(Arc::new(HttpFetcher::new())).expect("the engine fetches");
    let allow_net = hosts.map(|hosts| hosts.iter().map(|host| Arc::from(*host)).collect());
    let schemas = Some(Arc::new(Schemas::of_input(decode(schema.as_bytes()).expect("JSON"))));
    let module = engine.parse(Source {
        id: "p.rego".into(),
        file: "p.rego".into(),
        text: "package p\n\nq if input.a == 1\n".into(),
        broken: Vec::new(),
        version: RegoVersion::V1,
    });
    let options = CompileOptions { allow_net, schemas, ..CompileOptions::default() };
    let compiled = engine.compile(&[module.expect("parses")], &options);
    compiled.map(|_| ()).map_err(|errors| errors.0[0].message.clone())
}

/// Serves `/string` and `/number`, a redirect to either under `/to`, and what is no schema.
fn library() -> Server {
    Server::start(|_, request| match request.line.split(' ').nth(1) {
        Some("/string") => json("", r#"{"type": "object", "properties": {"a": {"type": "string"}}}"#),
        Some("/number") => json("", r#"{"definitions": {"a": {"properties": {"a": {"type": "number"}}}}}"#),
        Some("/to") => response("302 Found", "location: /string\r\n", ""),
        Some("/away") => response("302 Found", "location: http://localhost:1/\r\n", ""),
        Some("/round") => response("302 Found", "location: /round\r\n", ""),
        Some("/page") => response("200 OK", "", "<html></html>"),
        Some("/typo") => json("", r#"{"type": "text"}"#),
        Some("/large") => {
            let size = (16 << 20) + 1;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n");
            Reply::Bytes([head.into_bytes(), vec![b' '; size]].concat())
        }
        Some(path) if path.starts_with("/half") => json("", &format!(r#"{{"title": "{}"}}"#, "x".repeat(9 << 20))),
        // Each refers to the next one.
        Some(path) if path.starts_with("/next/") => {
            let number: u32 = path["/next/".len()..].parse().expect("a number");
            json("", &format!(r#"{{"properties": {{"a": {{"$ref": "{}"}}}}}}"#, number + 1))
        }
        _ => response("404 Not Found", "", "{}"),
    })
}

#[test]
fn documents_are_matched_with_schemas_elsewhere() {
    let server = library();
    for agent in [Agent::new(), Agent::allowing(Some(&["127.0.0.1"]))] {
        let matched = |reference: &str, document: &str| {
            let schema = format!(r#"{{"$ref": "{}"}}"#, server.url(reference));
            asked(&agent, &format!("json.match_schema({document}, {schema})[0]"))
        };
        for reference in ["/string", "/to"] {
            assert_eq!(matched(reference, r#"{"a": "x"}"#), Ok("true".to_owned()), "{reference}");
            assert_eq!(matched(reference, r#"{"a": 1}"#), Ok("false".to_owned()), "{reference}");
        }
        assert_eq!(matched("/number#/definitions/a", r#"{"a": 1}"#), Ok("true".to_owned()));
        assert_eq!(matched("/number#/definitions/a", r#"{"a": "x"}"#), Ok("false".to_owned()));
        assert_eq!(verified(&agent, &server.url("/string")), "[true,null]");
    }
}

#[test]
fn a_schema_is_fetched_once_and_kept() {
    let (server, agent) = (library(), Agent::new());
    let call = format!(r#"json.match_schema({{"a": "x"}}, {{"$ref": "{}"}})[0]"#, server.url("/string"));
    for _ in 0..3 {
        assert_eq!(asked(&agent, &call), Ok("true".to_owned()));
    }
    assert_eq!(server.count(), 1);
}

#[test]
fn types_come_from_schemas_elsewhere() {
    let server = library();
    let schema = |path: &str| format!(r#"{{"$ref": "{}"}}"#, server.url(path));
    for hosts in [None, Some(&["127.0.0.1"][..])] {
        assert_eq!(typed(hosts, &schema("/string")), Err("match error".to_owned()));
        assert_eq!(typed(hosts, &schema("/number#/definitions/a")), Ok(()));
    }
    let part = format!(r#"{{"properties": {{"a": {{"$ref": "{}"}}}}}}"#, server.url("/string#/properties/a"));
    assert_eq!(typed(None, &part), Err("match error".to_owned()));
}

#[test]
fn hosts_that_are_not_allowed_are_not_asked() {
    let server = library();
    for hosts in [&[][..], &["localhost"][..]] {
        let agent = Agent::allowing(Some(hosts));
        let why = format!("remote reference loading disabled: {}", server.url("/string"));
        assert_eq!(verified(&agent, &server.url("/string")), refused(&why));
        let schema = format!(r#"{{"$ref": "{}"}}"#, server.url("/string"));
        assert_eq!(typed(Some(hosts), &schema), Err(format!("unable to compile the schema: {why}")));
    }
    assert_eq!(server.count(), 0);
    let agent = Agent::allowing(Some(&["127.0.0.1"]));
    let why = "Get \"http://localhost:1/\": unallowed host: localhost";
    assert_eq!(verified(&agent, &server.url("/away")), refused(why));
}

#[test]
fn what_cannot_be_fetched_or_is_no_schema_is_told() {
    let (server, agent) = (library(), Agent::new());
    let both = |path: &str, why: &str| {
        assert_eq!(verified(&agent, &server.url(path)), refused(why), "{path}");
        let schema = format!(r#"{{"$ref": "{}"}}"#, server.url(path));
        assert_eq!(typed(None, &schema), Err(format!("unable to compile the schema: {why}")), "{path}");
        let matched = asked(&agent, &format!("json.match_schema({{}}, {schema})"));
        assert_eq!(matched, Err(format!("json.match_schema: {why}")), "{path}");
    };
    both("/missing", "Could not read schema from HTTP, response status is 404 Not Found");
    both("/page", "invalid character '<' looking for beginning of value");
    both("/large", "response body is larger than 16777216 bytes");
    both("/round", &format!("Get \"{}\": stopped after 10 redirects", server.url("/round")));
    both(
        "/typo",
        "has a primitive type that is NOT VALID -- given: /text/ \
         Expected valid values are:[array boolean integer number null object string]",
    );
    both("/next/0", "schema refers to more than 100 documents on other hosts");
    let nobody = nobody();
    let why = format!("Get \"http://{nobody}/a\": dial tcp {nobody}: connect: connection refused");
    assert_eq!(verified(&agent, &format!("http://{nobody}/a")), refused(&why));
    assert_eq!(
        verified(&agent, "file:///etc/hostname"),
        refused("file reference loading disabled: file:///etc/hostname")
    );
    assert_eq!(verified(&agent, "other.json"), refused("Reference other.json must be canonical"));
}

#[test]
fn all_documents_of_a_schema_have_one_bound() {
    let (server, agent) = (library(), Agent::new());
    let of = |paths: &[&str]| {
        let parts: Vec<String> = paths.iter().map(|path| format!(r#"{{"$ref": "{}"}}"#, server.url(path))).collect();
        asked(&agent, &format!(r#"json.verify_schema({{"allOf": [{}]}})"#, parts.join(","))).expect("a verdict")
    };
    assert_eq!(of(&["/half"]), "[true,null]");
    let left = (16 << 20) - (9 << 20) - r#"{"title": ""}"#.len();
    assert_eq!(of(&["/half", "/half/too"]), refused(&format!("response body is larger than {left} bytes")));
}

#[test]
fn schemas_that_refer_to_each_other_are_no_trouble() {
    let server = Server::start(|_, request| {
        let other = if request.line.contains("/one") { "two" } else { "one" };
        json("", &format!(r#"{{"properties": {{"a": {{"$ref": "{other}"}}, "b": {{"type": "string"}}}}}}"#))
    });
    let agent = Agent::new();
    let matched = |document: &str| {
        asked(&agent, &format!(r#"json.match_schema({document}, {{"$ref": "{}"}})[0]"#, server.url("/one")))
    };
    assert_eq!(matched(r#"{"a": {"a": {"b": "x"}}}"#), Ok("true".to_owned()));
    assert_eq!(matched(r#"{"a": {"a": {"b": 1}}}"#), Ok("false".to_owned()));
    assert_eq!(server.count(), 2, "each once");
    let schema = format!(r#"{{"properties": {{"a": {{"$ref": "{}#/properties/b"}}}}}}"#, server.url("/one"));
    assert_eq!(typed(None, &schema), Err("match error".to_owned()));
    assert_eq!(typed(None, &format!(r#"{{"$ref": "{}"}}"#, server.url("/two"))), Err("match error".to_owned()));
}

#[test]
fn a_cancelled_query_waits_for_no_schema() {
    let server = Server::start(|_, _| Reply::Hang(Vec::new()));
    let agent = Agent::new();
    for call in [r#"json.verify_schema({"$ref": "URL"})"#, r#"json.match_schema({}, {"$ref": "URL"})"#] {
        let (cancel, before) = (Cancel::default(), server.gone());
        let query = format!("x := {}", call.replace("URL", &server.url("/slow")));
        thread::scope(|scope| {
            let waiting = scope.spawn({
                let (agent, cancel) = (&agent, cancel.clone());
                move || agent.query_with(&query, &cancel, None).result
            });
            until("waiting for the request", || server.count() > before);
            cancel.cancel();
            let result = waiting.join().expect("no panic");
            assert_eq!(result, Err("caller cancelled query execution".to_owned()));
        });
        until("waiting for the connection to close", || server.gone() > before);
    }
}

#[test]
fn a_kept_schema_serves_only_those_who_may_fetch_it() {
    let server = library();
    let engine = RegoEngine::default().with_fetcher(Arc::new(HttpFetcher::new())).expect("the engine fetches");
    let ask = |hosts: Option<&[&str]>| {
        let allow_net = hosts.map(|hosts| hosts.iter().map(|host| Arc::from(*host)).collect());
        let options = CompileOptions { allow_net, ..CompileOptions::default() };
        let store = Store::new(engine.clone(), options, Value::empty_object()).expect("nothing to compile");
        let agent = Agent::of(&store);
        asked(&agent, &format!(r#"json.match_schema({{"a": "x"}}, {{"$ref": "{}"}})[0]"#, server.url("/string")))
    };
    assert_eq!(ask(None), Ok("true".to_owned()));
    assert!(ask(Some(&[])).is_err_and(|why| why.contains("remote reference loading disabled")));
}
