//! An agent with nothing but the API, on a free port.

#![allow(dead_code, reason = "every test file compiles this module and uses its own part of it")]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use regent_core::config::{ConfigTree, Layers};
use regent_core::engine::{CompileOptions, Engine, RegoVersion, Source};
use regent_core::settings::{Identity, Settings};
use regent_core::store::Store;
use regent_core::telemetry::Telemetry;
use regent_core::{Host, Value};
use regent_engine_rego::RegoEngine;
use regent_http_send::HttpSend;
use regent_kit::{Answer, Client};
use regent_rest_api::{Api, BuildInfo, Listeners, Options, ServeError, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// An agent that serves until it is told to stop.
pub(crate) struct Agent {
    /// Its insides.
    pub(crate) host: Host,
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    /// The addresses of its diagnostic listeners.
    pub(crate) diagnostics: Vec<String>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), ServeError>>,
}

/// The configuration in YAML.
pub(crate) fn tree(config: &str) -> ConfigTree {
    Layers::new().text("test", config).load().expect("a sound configuration")
}

/// Who the agents of tests are.
pub(crate) fn identity() -> Identity {
    Identity { id: "test".to_owned(), version: "1.2.3".to_owned() }
}

impl Agent {
    /// With the given configuration in YAML.
    pub(crate) async fn start(config: &str) -> Self {
        let options = Options { addresses: vec!["127.0.0.1:0".to_owned()], ..Options::default() };
        Self::start_with(config, options, Duration::from_secs(10)).await
    }

    /// With the given configuration, listeners and grace period.
    pub(crate) async fn start_with(config: &str, options: Options, grace: Duration) -> Self {
        let engine = RegoEngine::default().with_builtin(Arc::new(HttpSend::new()));
        Self::start_on(Arc::new(engine), config, options, grace).await
    }

    /// As [`Agent::start_with`], with an engine that is not the usual one.
    pub(crate) async fn start_on(engine: Arc<dyn Engine>, config: &str, options: Options, grace: Duration) -> Self {
        let tree = tree(config);
        let store = Store::new(engine, CompileOptions::default(), Value::empty_object());
        let config = ServerConfig::from_section(tree.section(&["server"]).as_ref()).expect("a sound section");
        let telemetry = Telemetry::new(config.request_buckets()).expect("buckets");
        let settings = Settings::from_tree(&tree, identity()).expect("sound settings");
        let host = Host::new(store.expect("a store"), telemetry, settings);
        let scheme = if options.tls.is_some() { "https" } else { "http" };
        let listeners = Listeners::bind(options).await.expect("free addresses");
        let url = format!("{scheme}://{}", listeners.local_addresses()[0]);
        let diagnostics = listeners.diagnostic_addresses();
        let build = BuildInfo { version: "1.2.3".to_owned(), ..BuildInfo::default() };
        let api = Api::new(host.clone(), config, build);
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(listeners.serve(api, async { drop(stopped.await) }, grace));
        Self { host, url, diagnostics, stop, served }
    }

    /// Puts a policy into its store, past the API.
    pub(crate) async fn policy(&self, text: &str) {
        let (text, broken) = Source::lossy(text.as_bytes());
        let source = Source { id: "authz".into(), file: "authz".into(), text, broken, version: RegoVersion::V1 };
        let put = self.host.store.write(move |txn| {
            let module = txn.parse(source)?;
            txn.put_policy(module);
            Ok(())
        });
        put.await.expect("a sound policy");
    }

    /// Stops it and waits for its end.
    pub(crate) async fn stop(self) -> Result<(), ServeError> {
        let _ = self.stop.send(());
        self.served.await.expect("no panic")
    }

    /// Sends a request.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Client::plain().send(request.body(body.into()).expect("a request")).await.expect("an answer")
    }

    /// `GET`.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "").await
    }

    /// `POST`.
    pub(crate) async fn post(&self, path: &str, body: &'static str) -> Answer {
        self.ask("POST", path, &[], body).await
    }

    /// `PUT`, which must succeed.
    pub(crate) async fn put(&self, path: &str, body: &'static str) {
        let answer = self.ask("PUT", path, &[], body).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text());
    }
}

/// Compares an answer with the expected status and text.
#[track_caller]
pub(crate) fn check(answer: &Answer, status: u16, body: &str) {
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (status, body));
}

/// A policy whose evaluation takes as long as the input says, squared.
pub(crate) const LATE: &str = "package late

p if {
	some i in numbers.range(1, input.n)
	some j in numbers.range(1, input.n)
	i + j < 0
}
";

/// The path of a decision by [`LATE`].
pub(crate) fn late(n: u32) -> String {
    format!("/v1/data/late/p?input=%7B%22n%22:{n}%7D")
}

/// Asks quick questions on an open connection, until the agent expects nothing else; then one that takes ages, and leaves.
pub(crate) async fn leave(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    for _ in 0..20 {
        stream.write_all(format!("GET {} HTTP/1.1\r\nhost: x\r\n\r\n", late(1)).as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        while !answer.ends_with(b"{}\n") {
            assert!(stream.read_buf(&mut answer).await.expect("an answer") > 0, "{answer:?}");
        }
    }
    stream.write_all(format!("GET {} HTTP/1.1\r\nhost: x\r\n\r\n", late(1_000_000)).as_bytes()).await.expect("sent");
    // The evaluation has most likely begun by then.
    tokio::time::sleep(Duration::from_millis(200)).await;
}

/// Waits until so many requests are counted as cancelled.
pub(crate) async fn are_cancelled(agent: &Agent, count: u32) {
    let line = format!("http_request_cancellations{{code=\"500\",handler=\"v1/data\",method=\"GET\"}} {count}\n");
    let counted = async || agent.host.telemetry.render().contains(&line).then_some(());
    regent_kit::wait::until(Duration::from_mins(1), &line, counted).await.expect("it is counted");
}
