//! What the agent knows of its own state: plugins, bundles, decision logs.

mod age;

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use tokio::sync::watch;

pub use age::Freshness;

use crate::error::Error;
use crate::service::BoxFuture;
use crate::value::Value;

/// The state that a plugin reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// It works on becoming ready.
    NotReady,
    /// It does what it should.
    Ok,
    /// It works, but someone should look.
    Warn,
    /// It does not work.
    Error,
}

impl State {
    /// The name as status and health show it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotReady => "NOT_READY",
            Self::Ok => "OK",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// A plugin's state and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginStatus {
    /// The state.
    pub state: State,
    /// Why, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// A moment, or never; never is shown as OPA shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Moment(pub Option<Timestamp>);

impl Moment {
    /// Now.
    pub fn now() -> Self {
        Self(Some(Timestamp::now()))
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(time) => write!(f, "{time}"),
            None => f.write_str("0001-01-01T00:00:00Z"),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How one bundle fares.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct BundleStatus {
    /// Its name in the configuration.
    pub name: String,
    /// Revision of what is active.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_revision: Option<String>,
    /// When a version of it last became active.
    pub last_successful_activation: Moment,
    /// `snapshot` or `delta`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// Bytes of the last download.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// When the service last sent a bundle.
    pub last_successful_download: Moment,
    /// When the service last answered, a bundle or "not modified".
    pub last_successful_request: Moment,
    /// When the service was last asked.
    pub last_request: Moment,
    /// How old the active version is.
    #[serde(flatten)]
    pub freshness: Option<Freshness>,
    /// `bundle_error` while something is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The errors of modules that do not compile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Value>,
    /// The status with which the service refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_code: Option<u16>,
    /// What of the active version is not made use of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What the last load cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Value>,
}

/// How the upload of decision logs fares; empty when fine.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct DecisionLogsStatus {
    /// `decision_log_error` while something is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The status with which the service refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_code: Option<u16>,
    /// Counters of dropped events and of the encoder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Value>,
    /// How single receivers fare, by name, where there is more to say than OPA says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sinks: Option<Value>,
}

/// Everything that a status report is made from.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Plugins by name.
    pub plugins: BTreeMap<String, PluginStatus>,
    /// Bundles by name.
    pub bundles: BTreeMap<String, BundleStatus>,
    /// The one bundle of the deprecated `bundle` section, which is among `bundles` too.
    pub legacy_bundle: Option<String>,
    /// The discovery bundle, if there is one.
    pub discovery: Option<BundleStatus>,
    /// Decision logs, if they are uploaded.
    pub decision_logs: Option<DecisionLogsStatus>,
    /// Whether all plugins have been OK at the same time at least once.
    pub was_ready: bool,
    /// What changed last.
    pub cause: Cause,
}

/// What made the latest report necessary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cause {
    /// A plugin's state.
    #[default]
    Plugin,
    /// A bundle was asked for.
    Bundle,
    /// The discovery bundle was asked for.
    Discovery,
    /// Decision logs were uploaded, or not.
    DecisionLogs,
}

/// Takes whole status reports; a plugin that `status.plugin` names fills this role.
pub trait StatusSink: Send + Sync {
    /// Takes one report.
    fn write(&self, body: Value) -> BoxFuture<'_, Result<(), Error>>;
}

/// The one place where plugins say how they fare, and others watch it. Clones share it.
#[derive(Debug, Clone)]
pub struct StatusBoard {
    report: watch::Sender<Report>,
    published: Arc<ArcSwapOption<Value>>,
}

impl Default for StatusBoard {
    fn default() -> Self {
        Self { report: watch::channel(Report::default()).0, published: Arc::default() }
    }
}

impl StatusBoard {
    /// The state of everything, and a wake-up whenever something was reported, be it the same as before.
    pub fn watch(&self) -> watch::Receiver<Report> {
        self.report.subscribe()
    }

    /// The state of everything now.
    pub fn report(&self) -> Report {
        self.report.borrow().clone()
    }

    /// Reports a plugin's state. Only a change wakes the watchers.
    pub fn set_plugin(&self, name: &str, state: State, message: Option<String>) {
        let status = PluginStatus { state, message };
        self.report.send_if_modified(|report| {
            let changed = report.plugins.get(name) != Some(&status);
            if changed {
                report.plugins.insert(name.to_owned(), status);
                report.was_ready |= report.plugins.values().all(|plugin| plugin.state == State::Ok);
                report.cause = Cause::Plugin;
            }
            changed
        });
    }

    /// Forgets a plugin that has stopped.
    pub fn remove_plugin(&self, name: &str) {
        self.report.send_if_modified(|report| {
            let was_there = report.plugins.remove(name).is_some();
            if was_there {
                report.cause = Cause::Plugin;
            }
            was_there
        });
    }

    /// Reports how a bundle fares. Wakes the watchers each time, as OPA reports every poll.
    pub fn set_bundle(&self, status: BundleStatus) {
        self.change(Cause::Bundle, |report| {
            report.bundles.insert(status.name.clone(), status);
        });
    }

    /// Forgets a bundle that left the configuration.
    pub fn remove_bundle(&self, name: &str) {
        self.change(Cause::Bundle, |report| {
            report.bundles.remove(name);
        });
    }

    /// Makes a report readable to others in the form in which it was sent last.
    pub fn publish(&self, body: Value) {
        self.published.store(Some(Arc::new(body)));
    }

    /// What was published last, with the ages that bundles have now; nothing while nobody sends reports.
    pub fn published(&self) -> Option<Value> {
        self.published.load().as_deref().map(|body| age::renewed(body, &self.report.borrow()))
    }

    /// The ages that bundles and the discovered configuration have now, in Prometheus' text form.
    pub fn ages(&self) -> String {
        age::families(&self.report.borrow())
    }

    /// Withdraws what was published.
    pub fn unpublish(&self) {
        self.published.store(None);
    }

    /// Reports any other change.
    pub fn change(&self, cause: Cause, change: impl FnOnce(&mut Report)) {
        self.report.send_modify(|report| {
            change(report);
            report.cause = cause;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_sticks_once_all_plugins_were_ok_together() {
        let board = StatusBoard::default();
        board.set_plugin("bundle", State::NotReady, None);
        board.set_plugin("status", State::Ok, None);
        assert!(!board.report().was_ready);
        board.set_plugin("bundle", State::Ok, None);
        board.set_plugin("bundle", State::NotReady, None);
        assert!(board.report().was_ready);
    }

    #[test]
    fn never_is_shown_as_the_year_one() {
        let shown = serde_json::to_value(BundleStatus { name: "authz".to_owned(), ..BundleStatus::default() });
        assert_eq!(shown.expect("JSON")["last_request"], "0001-01-01T00:00:00Z");
    }

    #[test]
    fn an_unchanged_plugin_state_wakes_nobody_but_every_poll_does() {
        let board = StatusBoard::default();
        board.set_plugin("bundle", State::Ok, None);
        let mut watch = board.watch();
        board.set_plugin("bundle", State::Ok, None);
        assert!(!watch.has_changed().expect("alive"));
        board.set_bundle(BundleStatus::default());
        assert!(watch.has_changed().expect("alive"));
        watch.mark_unchanged();
        board.set_bundle(BundleStatus::default());
        assert!(watch.has_changed().expect("alive"));
    }

    #[test]
    fn a_plugin_that_is_forgotten_is_what_changed_last() {
        let board = StatusBoard::default();
        board.set_plugin("bundle", State::Ok, None);
        board.set_bundle(BundleStatus::default());
        board.remove_plugin("bundle");
        assert_eq!(board.report().cause, Cause::Plugin);
    }
}
