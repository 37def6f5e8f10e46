//! The functions of the tables, called as the agent calls them.

#![expect(unsafe_code, reason = "as the agent does")]

use std::ffi::c_void;
use std::time::Duration;

use regent_plugin::abi::{self, Bytes, Status, Writer};
use regent_plugin::{
    Builtin, ConfigError, DataFetcher, DecisionSink, Error, Event, Fetch, Host, Inbox, NoConfig, Plugin, PluginConfig,
    Signal, Value, table, testing,
};
use serde_json::json;

/// Does what its first operand says.
struct Obeys;

impl Builtin for Obeys {
    const NAME: &'static str = "acme.obeys";
    const DECLARATION: &'static str = "acme.obeys(what: string) => x: any";

    fn build(_: Host) -> Result<Self, Error> {
        Ok(Self)
    }

    fn call(&self, operands: &[Value]) -> Result<Option<Value>, Error> {
        match operands[0].as_str() {
            Some("answer") => Ok(Some(json!({"a": [1, 2.5]}))),
            Some("nothing") => Ok(None),
            Some("panic") => panic!("on {}", "purpose"),
            Some("panic with a number") => std::panic::panic_any(5),
            Some(_) => Err(Error::failed("no such thing")),
            None => Err(Error::operand(0, "must be a string")),
        }
    }
}

#[derive(serde::Deserialize)]
struct SinkConfig {
    least: u32,
    most: u32,
}

impl PluginConfig for SinkConfig {
    fn validate(&self) -> Result<(), Vec<ConfigError>> {
        if self.least > self.most {
            return Err(vec![ConfigError::new("most", "is below `least`"), ConfigError::new("", "is wrong")]);
        }
        Ok(())
    }
}

/// Counts events; drops those after `most`.
struct Counts(SinkConfig, u32);

impl DecisionSink for Counts {
    const NAME: &'static str = "counts";
    type Config = SinkConfig;

    fn build(config: SinkConfig, _: Host) -> Result<Self, Error> {
        Ok(Self(config, 0))
    }

    fn write(&mut self, events: &[Event<'_>]) -> Result<(), Error> {
        assert!(events.iter().all(|event| event.to_value()["decision_id"].is_string()), "what are no events");
        self.1 += u32::try_from(events.len()).expect("few events");
        if self.1 > self.0.most { Err(Error::refused_events(1, "too many")) } else { Ok(()) }
    }

    fn close(self) -> Result<(), Error> {
        Err(Error::failed(format!("{} of at least {}", self.1, self.0.least)))
    }
}

struct Echoes;

impl DataFetcher for Echoes {
    const NAME: &'static str = "echoes";
    type Settings = NoConfig;
    type Config = SinkConfig;

    fn build(_: NoConfig, _: Host) -> Result<Self, Error> {
        Ok(Self)
    }

    fn fetch(&self, fetch: Fetch<SinkConfig>) -> Result<Vec<u8>, Error> {
        assert_eq!((fetch.timeout, fetch.max_bytes), (Duration::from_millis(1500), 10));
        Ok(format!("{} {}", fetch.url, fetch.config.most).into_bytes())
    }
}

/// Ends when it is told to, and says so.
struct Lives(Host);

impl Plugin for Lives {
    const NAME: &'static str = "lives";
    type Config = NoConfig;

    fn build(_: NoConfig, host: Host) -> Result<Self, Error> {
        Ok(Self(host))
    }

    fn run(self, mut inbox: Inbox<NoConfig>) -> Result<(), Error> {
        let asked = self.0.decide("x", None).expect_err("there is no agent");
        assert_eq!(asked, Error::unavailable(""));
        match inbox.recv() {
            Signal::Stop(_) => Err(Error::failed("told to stop")),
            Signal::Trigger(_) | Signal::Configure(..) => Ok(()),
        }
    }
}

unsafe extern "C" fn write(context: *mut c_void, data: *const u8, len: usize) -> i32 {
    // SAFETY: the context is the text of `said`.
    unsafe { (*context.cast::<Vec<u8>>()).extend_from_slice(std::slice::from_raw_parts(data, len)) };
    0
}

/// What is written in the course of a call.
fn said(call: impl FnOnce(*const Writer) -> Status) -> (Status, String) {
    let mut text = Vec::new();
    let writer = Writer { context: (&raw mut text).cast(), write: Some(write) };
    let status = call(&raw const writer);
    (status, String::from_utf8(text).expect("text"))
}

/// An instance, which is destroyed at the end.
struct Instance(&'static abi::Plugin, *mut c_void, #[expect(dead_code, reason = "is kept for it")] Host);

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: it was created.
        unsafe { self.0.destroy.expect("a function")(self.1) };
    }
}

fn create(plugin: &'static abi::Plugin, config: &str) -> Result<Instance, (Status, String)> {
    let (host, mut instance) = (testing::host(), std::ptr::null_mut());
    let made = said(|writer| {
        let create = plugin.create.expect("a function");
        // SAFETY: all arguments are there until it returns, and the host as long as the instance.
        unsafe { create(testing::table(&host), Bytes::of(config.as_bytes()), &raw mut instance, writer) }
    });
    if made == (abi::OK, String::new()) { Ok(Instance(plugin, instance, host)) } else { Err(made) }
}

fn ask(instance: &Instance, question: &str) -> (Status, String) {
    // SAFETY: the tests ask only kinds that are asked one thing.
    let ask = unsafe { (*instance.0.functions.cast::<abi::Asked>()).ask }.expect("a function");
    // SAFETY: all arguments are there until it returns.
    said(|writer| unsafe { ask(instance.1, Bytes::of(question.as_bytes()), writer) })
}

#[test]
fn what_a_function_gives_is_written_and_no_panic_leaves_it() {
    let instance = create(table::Builtin::<Obeys>::PLUGIN, "{}").expect("an instance");
    for (question, status, text) in [
        (r#"["answer"]"#, abi::OK, r#"{"a":[1,2.5]}"#),
        (r#"["nothing"]"#, abi::OK, ""),
        (r#"["panic"]"#, abi::FAILED, "panicked: on purpose"),
        (r#"["panic with a number"]"#, abi::FAILED, "panicked: something that is no text"),
        (r#"["else"]"#, abi::FAILED, "no such thing"),
        ("[5]", abi::OPERAND, "operand 1 must be a string"),
        ("[]", abi::FAILED, "panicked: index out of bounds: the len is 0 but the index is 0"),
        ("[", abi::FAILED, "cannot read what the agent asks: EOF while parsing a list at line 1 column 1"),
    ] {
        assert_eq!(ask(&instance, question), (status, text.to_owned()), "{question}");
    }
}

#[test]
fn configurations_are_checked_key_by_key() {
    let check = table::DecisionSink::<Counts>::PLUGIN.check.expect("a function");
    // SAFETY: both arguments are there until it returns.
    let checked = |config: &str| said(|writer| unsafe { check(Bytes::of(config.as_bytes()), writer) });
    for (config, text) in [
        (r#"{"least": 1, "most": 2}"#, ""),
        (
            r#"{"least": 2, "most": 1}"#,
            r#"[{"key":"most","message":"is below `least`"},{"key":"","message":"is wrong"}]"#,
        ),
        (r#"{"least": "a", "most": 1}"#, r#"[{"key":"least","message":"invalid type: string \"a\", expected u32"}]"#),
        ("{}", r#"[{"key":"","message":"missing field `least`"}]"#),
    ] {
        assert_eq!(checked(config), (abi::OK, text.to_owned()), "{config}");
    }
    let refused = create(table::DecisionSink::<Counts>::PLUGIN, "{}").err().expect("no instance");
    assert_eq!(refused.0, abi::CONFIG);
}

#[test]
fn a_sink_takes_events_and_is_closed_once() {
    let instance = create(table::DecisionSink::<Counts>::PLUGIN, r#"{"least": 1, "most": 3}"#).expect("an instance");
    // SAFETY: it is a sink.
    let functions = unsafe { &*instance.0.functions.cast::<abi::Sink>() };
    let put = |events: &[&str]| {
        let events: Vec<Bytes> = events.iter().map(|event| Bytes::of(event.as_bytes())).collect();
        let write = functions.write.expect("a function");
        // SAFETY: all arguments are there until it returns.
        said(|writer| unsafe { write(instance.1, events.as_ptr(), events.len(), writer) })
    };
    let event = r#"{"decision_id": "a"}"#;
    assert_eq!(put(&[event, event]), (abi::OK, String::new()));
    assert_eq!(put(&[]), (abi::OK, String::new()));
    assert_eq!(put(&["no event"]), (abi::FAILED, "panicked: what are no events".to_owned()));
    assert_eq!(put(&[event, event]), (abi::REFUSED, r#"{"refused":1,"why":"too many"}"#.to_owned()));
    let close = functions.close.expect("a function");
    // SAFETY: all arguments are there until it returns.
    let closed = || said(|writer| unsafe { close(instance.1, writer) });
    assert_eq!(closed(), (abi::FAILED, "4 of at least 1".to_owned()));
    assert_eq!(closed(), (abi::OK, String::new()));
    assert_eq!(put(&[event]), (abi::FAILED, "the sink is closed".to_owned()));
}

#[test]
fn a_fetcher_is_asked_with_types() {
    let instance = create(table::DataFetcher::<Echoes>::PLUGIN, "{}").expect("an instance");
    let request =
        |config: Value| json!({"url": "x:", "config": config, "timeout_ms": 1500, "max_bytes": 10}).to_string();
    let answer = ask(&instance, &request(json!({"fetcher": "echoes", "least": 1, "most": 7})));
    assert_eq!(answer, (abi::OK, "x: 7".to_owned()));
    let (status, text) = ask(&instance, &request(json!({"least": []})));
    assert_eq!(status, abi::REFUSED);
    assert!(text.starts_with("the `config` of the entry is wrong: least: invalid type"), "{text}");
}

#[test]
fn a_plugin_runs_once() {
    let instance = create(table::Plugin::<Lives>::PLUGIN, "{}").expect("an instance");
    // SAFETY: it is a managed plugin.
    let run = unsafe { (*instance.0.functions.cast::<abi::Managed>()).run }.expect("a function");
    // SAFETY: the writer is there until it returns.
    let lived = || said(|writer| unsafe { run(instance.1, writer) });
    assert_eq!(lived(), (abi::FAILED, "told to stop".to_owned()));
    assert_eq!(lived(), (abi::FAILED, "it has run already".to_owned()));
}
