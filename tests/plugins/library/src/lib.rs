//! Plugins in Rust that panic, and one that asks for decisions.

use std::time::Duration;

use regent_plugin::{
    Builtin, DecisionSink, Error, Event, Host, Inbox, NoConfig, Plugin, PluginConfig, Signal, State, Value,
};
use serde_json::json;

regent_plugin::export!(
    Builtin: Panics,
    Builtin: Decides,
    DecisionSink: PanickingSink,
    Plugin: PanickingPlugin,
    Plugin: Asks,
);

struct Panics;

impl Builtin for Panics {
    const NAME: &'static str = "misbehaving.panics";
    const DECLARATION: &'static str = "misbehaving.panics(x: any) => y: any";
    const INLINE: bool = true;

    fn build(_: Host) -> Result<Self, Error> {
        Ok(Self)
    }

    fn call(&self, operands: &[Value]) -> Result<Option<Value>, Error> {
        panic!("because of {}", operands[0])
    }
}

/// Asks, within a decision, for the very same one.
struct Decides(Host);

impl Builtin for Decides {
    const NAME: &'static str = "misbehaving.decides";
    const DECLARATION: &'static str = "misbehaving.decides(path: string) => x: any";

    fn build(host: Host) -> Result<Self, Error> {
        Ok(Self(host))
    }

    fn call(&self, operands: &[Value]) -> Result<Option<Value>, Error> {
        self.0.decide(operands[0].as_str().unwrap_or_default(), None)
    }
}

/// Panics at its first batch.
struct PanickingSink {
    host: Host,
    batches: u32,
}

impl DecisionSink for PanickingSink {
    const NAME: &'static str = "panicking_sink";
    type Config = NoConfig;

    fn build(_: NoConfig, host: Host) -> Result<Self, Error> {
        Ok(Self { host, batches: 0 })
    }

    fn write(&mut self, events: &[Event<'_>]) -> Result<(), Error> {
        self.batches += 1;
        assert!(self.batches > 1, "the first batch");
        self.host.count("panicking_sink_events_total", events.len() as u64);
        Ok(())
    }
}

struct PanickingPlugin(Host);

impl Plugin for PanickingPlugin {
    const NAME: &'static str = "panicking_plugin";
    type Config = NoConfig;

    fn build(_: NoConfig, host: Host) -> Result<Self, Error> {
        Ok(Self(host))
    }

    fn run(self, _: Inbox<NoConfig>) -> Result<(), Error> {
        self.0.report(State::Ok, "");
        panic!("in the middle of its life")
    }
}

#[derive(serde::Deserialize)]
struct AsksConfig {
    /// What it asks for.
    path: String,
}

impl PluginConfig for AsksConfig {}

/// Asks for a decision again and again, and writes into base data what it is.
struct Asks(AsksConfig, Host);

impl Plugin for Asks {
    const NAME: &'static str = "asks";
    type Config = AsksConfig;

    fn build(config: AsksConfig, host: Host) -> Result<Self, Error> {
        Ok(Self(config, host))
    }

    fn run(self, mut inbox: Inbox<AsksConfig>) -> Result<(), Error> {
        let Self(AsksConfig { path }, host) = self;
        host.report(State::Ok, "");
        while !matches!(inbox.recv_timeout(Duration::from_millis(50)), Some(Signal::Stop(_))) {
            let told = match host.decide(&path, Some(&json!({"x": 1}))) {
                Ok(decided) => json!({"decided": decided}),
                Err(error) => json!({"refused": error.to_string()}),
            };
            host.write("told", &told)?;
        }
        Ok(())
    }
}
