//! What `Supervisor::apply` promises, shown on toy plugins.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use regent_core::config::{ConfigErrors, ConfigTree, Layers, Section};
use regent_core::decision::{Ack, DecisionEvent, DecisionRecorder};
use regent_core::plugin::{Inbox, Known, Plugin, PluginConfig, Reconfigure, Roles, Signal};
use regent_core::service::{BoxFuture, CredentialKinds, Service, ServiceConnector, ServiceRequest, ServiceResponse};
use regent_core::settings::{Identity, Settings};
use regent_core::status::State;
use regent_core::telemetry::{REQUEST_BUCKETS, Telemetry};
use regent_core::trigger::{Fetched, PATIENCE, Subject, TriggerError, Triggers};
use regent_core::{Error, ErrorKind, Host, Registry, Supervisor};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::Instant;

/// What the toys did, in order. One list for each test: the tests run in one process, so the list is found by the
/// name that the test writes into the configuration.
static DIARY: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

fn note(test: &str, what: &str) {
    DIARY.lock().expect("no panic while locked").push((test.to_owned(), what.to_owned()));
}

fn diary(test: &str) -> Vec<String> {
    let diary = DIARY.lock().expect("no panic while locked");
    diary.iter().filter(|(of, _)| of == test).map(|(_, what)| what.clone()).collect()
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct ToyConfig {
    test: String,
    value: u32,
    fails_to_build: bool,
    panics: bool,
    hangs: bool,
    /// What the rest of the configuration says, for those who ask for it.
    follows: Option<String>,
}

impl PluginConfig for ToyConfig {
    fn validate(&mut self, section: &Section, known: &Known) -> Result<(), ConfigErrors> {
        if self.follows.is_some() {
            let key = known.keys.get("k").map(|key| key.key.expose());
            self.follows = Some(format!("{:?} {key:?} {:?}", known.services.first(), known.trigger));
        }
        note(&format!("checks of {}", self.test), &self.value.to_string());
        if self.value > 100 {
            return Err(section.error("value", "must be at most 100").into());
        }
        Ok(())
    }
}

macro_rules! toy {
    ($type:ident, $name:literal, $reconfigure:expr) => {
        struct $type(ToyConfig, Host);

        impl Plugin for $type {
            const NAME: &'static str = $name;
            const RECONFIGURE: Reconfigure = $reconfigure;
            type Config = ToyConfig;

            fn build(config: ToyConfig, host: Host) -> Result<Self, Error> {
                if config.fails_to_build {
                    return Err(Error::new(ErrorKind::Refused, "cannot be built"));
                }
                Ok(Self(config, host))
            }

            async fn run(self, inbox: Inbox<ToyConfig>) -> Result<(), Error> {
                live($name, self.0, self.1, inbox).await
            }
        }
    };
}

toy!(First, "first", Reconfigure::Restart);
toy!(Second, "second", Reconfigure::Live);

async fn live(name: &str, mut config: ToyConfig, host: Host, mut inbox: Inbox<ToyConfig>) -> Result<(), Error> {
    let test = config.test.clone();
    note(&test, &format!("{name} starts with {}", config.value));
    host.report(State::Ok, None);
    assert!(!config.panics, "as configured");
    loop {
        match inbox.recv().await {
            Signal::Configure(new, reply) => {
                config = new;
                note(&test, &format!("{name} is told {}", config.value));
                reply.send(Ok(()));
            }
            Signal::Trigger(reply) => reply.send(Ok(())),
            Signal::Stop(_) if config.hangs => std::future::pending().await,
            Signal::Stop(_) => {
                note(&test, &format!("{name} stops"));
                return Ok(());
            }
        }
    }
}

/// Services that nobody is behind.
struct Nowhere;

impl ServiceConnector for Nowhere {
    fn kind(&self) -> &'static str {
        ""
    }

    fn connect(&self, _: &Section, _: &CredentialKinds) -> Result<Arc<dyn Service>, ConfigErrors> {
        Ok(Arc::new(Self))
    }
}

impl Service for Nowhere {
    fn send(&self, _: ServiceRequest) -> BoxFuture<'_, Result<ServiceResponse, Error>> {
        Box::pin(std::future::ready(Err(Error::new(ErrorKind::Unavailable, "nobody is there"))))
    }
}

struct Bench {
    supervisor: Supervisor,
    host: Host,
}

fn tree(yaml: &str) -> ConfigTree {
    Layers::new().text("test.yaml", yaml).load().expect("valid YAML")
}

fn bench() -> Bench {
    let mut registry = Registry::default();
    registry.plugin::<First>();
    registry.plugin::<Second>();
    bench_of(registry)
}

fn bench_of(mut registry: Registry) -> Bench {
    registry.service_connector(Arc::new(Nowhere));
    let identity = Identity { id: "test".to_owned(), version: "0".to_owned() };
    let settings = Settings::from_tree(&ConfigTree::default(), identity.clone()).expect("defaults are fine");
    let telemetry = Telemetry::new(REQUEST_BUCKETS).expect("there are buckets");
    let host = Host::new(crate::toy::store(), telemetry, settings);
    Bench { supervisor: Supervisor::new(Arc::new(registry), host.clone(), identity), host }
}

impl Bench {
    async fn apply(&mut self, yaml: &str) -> Result<(), String> {
        self.supervisor.apply(&tree(yaml)).await.map_err(|errors| errors.to_string())
    }

    async fn wait_for(&self, plugin: &str, state: State) -> Option<String> {
        let mut watch = self.host.status.watch();
        let reached = watch.wait_for(|report| report.plugins.get(plugin).is_some_and(|status| status.state == state));
        let report = tokio::time::timeout(Duration::from_secs(10), reached).await.expect("the state is reached");
        report.expect("the board lives").plugins[plugin].message.clone()
    }
}

fn both(test: &str, first: u32, second: u32) -> String {
    format!("plugins: {{first: {{test: {test}, value: {first}}}, second: {{test: {test}, value: {second}}}}}")
}

#[tokio::test]
async fn plugins_start_in_order_of_registration_and_stop_in_reverse() {
    let mut bench = bench();
    bench.apply(&both("order", 1, 2)).await.expect("applied");
    bench.wait_for("first", State::Ok).await;
    bench.wait_for("second", State::Ok).await;
    bench.supervisor.shutdown(Instant::now() + Duration::from_secs(10)).await.expect("all stop");
    let expected = ["first starts with 1", "second starts with 2", "second stops", "first stops"];
    assert_eq!(diary("order"), expected);
    assert!(bench.host.status.report().plugins.is_empty());
}

#[tokio::test]
async fn a_section_that_is_refused_changes_nothing_anywhere() {
    let mut bench = bench();
    bench.apply(&both("refused", 1, 2)).await.expect("applied");
    bench.wait_for("second", State::Ok).await;
    let error = bench.apply(&both("refused", 5, 101)).await.expect_err("101 is too much");
    assert_eq!(error, "plugins.second.value: must be at most 100 (from test.yaml)");
    let broken = "plugins: {first: {test: refused, value: 5}, second: {test: refused, fails_to_build: true, value: 2}}";
    let error = bench.apply(&broken.replace("second", "unheard_of")).await.expect_err("no such plugin");
    assert!(error.contains(r#"plugin "unheard_of" not registered"#), "{error}");
    bench.apply("plugins: {first: {test: refused, value: [1]}}").await.expect_err("the wrong type");
    assert_eq!(diary("refused"), ["first starts with 1", "second starts with 2"]);
}

#[tokio::test]
async fn a_plugin_that_cannot_be_built_keeps_the_others_from_starting() {
    let mut bench = bench();
    let yaml = "plugins: {first: {test: build, value: 1}, second: {test: build, fails_to_build: true}}";
    let error = bench.apply(yaml).await.expect_err("second cannot be built");
    assert!(error.contains("cannot be built") && error.contains("plugins.second"), "{error}");
    assert_eq!(diary("build"), [""; 0]);
}

#[tokio::test]
async fn an_unchanged_plugin_goes_on_a_live_one_is_told_and_another_is_replaced() {
    let mut bench = bench();
    bench.apply(&both("change", 1, 2)).await.expect("applied");
    bench.wait_for("second", State::Ok).await;
    bench.apply(&both("change", 1, 3)).await.expect("applied");
    bench.apply(&both("change", 4, 3)).await.expect("applied");
    bench.wait_for("first", State::Ok).await;
    let expected =
        ["first starts with 1", "second starts with 2", "second is told 3", "first stops", "first starts with 4"];
    assert_eq!(diary("change"), expected);
    bench.apply("plugins: {second: {test: change, value: 3}}").await.expect("applied");
    assert_eq!(diary("change").last().map(String::as_str), Some("first stops"));
}

#[tokio::test]
async fn a_panic_ends_one_plugin_and_is_reported() {
    let mut bench = bench();
    let yaml = "plugins: {first: {test: panic, panics: true}, second: {test: panic, value: 2}}";
    bench.apply(yaml).await.expect("applied");
    let message = bench.wait_for("first", State::Error).await;
    assert!(message.is_some_and(|text| text.contains("as configured")));
    bench.wait_for("second", State::Ok).await;
}

#[tokio::test(start_paused = true)]
async fn a_plugin_that_does_not_stop_is_aborted_at_the_deadline_and_named() {
    let mut bench = bench();
    bench.apply("plugins: {first: {test: hang, hangs: true}}").await.expect("applied");
    bench.wait_for("first", State::Ok).await;
    let error = bench.supervisor.shutdown(Instant::now() + Duration::from_secs(3)).await.expect_err("it hangs");
    assert_eq!(error.to_string(), "not stopped within the grace period: first");
}

#[tokio::test]
async fn a_plugin_that_has_ended_is_started_again_by_the_same_configuration() {
    let mut bench = bench();
    let yaml = "plugins: {first: {test: again, panics: true}, second: {test: again, panics: true}}";
    for _ in 0..2 {
        bench.apply(yaml).await.expect("applied");
        bench.wait_for("first", State::Error).await;
        bench.wait_for("second", State::Error).await;
    }
    let starts = diary("again");
    assert_eq!(starts.iter().filter(|what| *what == "first starts with 0").count(), 2, "{starts:?}");
    assert_eq!(starts.iter().filter(|what| *what == "second starts with 0").count(), 2, "{starts:?}");
}

/// The second plugin follows what the rest of the configuration says, the first one does not.
fn one_follows(test: &str) -> String {
    both(test, 1, 2).replace("second: {", "second: {follows: '', ")
}

#[tokio::test]
async fn only_a_plugin_for_which_it_matters_learns_that_the_rest_has_changed() {
    let mut bench = bench();
    for (rest, told) in [
        ("services: {a: {}}", 0),
        ("services: {a: {}, b: {}}", 0),
        ("services: {b: {}}", 1),
        ("services: {b: {}}\nkeys: {k: {key: one}}", 2),
        ("services: {b: {}}\nkeys: {k: {key: two}}", 3),
        ("services: {b: {}}\nkeys: {k: {key: two}, l: {key: three}}", 3),
    ] {
        bench.apply(&format!("{rest}\n{}", one_follows("rest"))).await.expect("applied");
        bench.wait_for("first", State::Ok).await;
        bench.wait_for("second", State::Ok).await;
        let diary = diary("rest");
        let count = |what: &str| diary.iter().filter(|entry| *entry == what).count();
        assert_eq!(count("second is told 2"), told, "{rest}");
        assert_eq!((count("first starts with 1"), count("second starts with 2")), (1, 1), "{rest}");
    }
    let error = bench.apply("keys: {k: {}}").await.expect_err("no key");
    assert_eq!(error, "invalid keys configuration: no keys provided for key ID k (from test.yaml)");
}

#[tokio::test]
async fn a_plugin_learns_that_discovery_is_triggered_by_hand() {
    let mut bench = bench();
    for (trigger, told) in [("periodic", 0), ("manual", 1), ("manual", 1)] {
        let boot = Layers::new().text("boot.yaml", &format!("discovery: {{trigger: {trigger}}}")).read();
        let found = boot.expect("valid YAML").over(&one_follows("by hand")).expect("a configuration");
        bench.supervisor.apply(&found.tree).await.expect("applied");
        bench.wait_for("second", State::Ok).await;
        assert_eq!(diary("by hand").iter().filter(|entry| *entry == "second is told 2").count(), told, "{trigger}");
    }
}

/// Keeps records, but not for long.
struct Fleeting;

impl DecisionRecorder for Fleeting {
    fn record(&self, _: Box<DecisionEvent>) -> Result<Option<Ack>, Error> {
        Ok(None)
    }
}

impl Plugin for Fleeting {
    const NAME: &'static str = "fleeting";
    type Config = ToyConfig;

    fn build(_: ToyConfig, _: Host) -> Result<Self, Error> {
        Ok(Self)
    }

    fn roles(&self) -> Roles {
        Roles { decision_recorder: Some(Arc::new(Fleeting)), ..Roles::default() }
    }

    async fn run(self, _: Inbox<ToyConfig>) -> Result<(), Error> {
        Ok(())
    }
}

#[tokio::test]
async fn a_plugin_that_ends_of_its_own_accord_fills_no_role_any_more() {
    let mut registry = Registry::default();
    registry.plugin::<Fleeting>();
    let mut bench = bench_of(registry);
    bench.apply("plugins: {fleeting: {test: fleeting}}").await.expect("applied");
    let withdrawn = async {
        while bench.host.keeps_records() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), withdrawn).await.expect("the role is withdrawn");
}

#[tokio::test]
async fn a_checked_plan_is_not_checked_again_when_it_is_committed() {
    let mut bench = bench();
    let plan = bench.supervisor.check(&tree(&both("once", 1, 2))).expect("nothing is wrong");
    assert_eq!(diary("once"), [""; 0]);
    bench.supervisor.commit(plan).await;
    bench.wait_for("second", State::Ok).await;
    assert_eq!(diary("once"), ["first starts with 1", "second starts with 2"]);
    assert_eq!(diary("checks of once"), ["1", "2"]);
}

/// Fetches one bundle, and never comes to an end with it.
struct Slow;

impl Triggers for Slow {
    fn fetch(&self, subject: &Subject) -> Option<BoxFuture<'static, Result<Fetched, TriggerError>>> {
        let knows = *subject == Subject::Bundle("slow".to_owned());
        knows.then(|| Box::pin(std::future::pending()) as BoxFuture<'static, _>)
    }
}

impl Plugin for Slow {
    const NAME: &'static str = "slow";
    type Config = ToyConfig;

    fn build(_: ToyConfig, _: Host) -> Result<Self, Error> {
        Ok(Self)
    }

    fn roles(&self) -> Roles {
        Roles { triggers: Some(Arc::new(Self)), ..Roles::default() }
    }

    async fn run(self, inbox: Inbox<ToyConfig>) -> Result<(), Error> {
        drop(inbox);
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever_for_a_fetch() {
    let mut registry = Registry::default();
    registry.plugin::<First>();
    registry.plugin::<Slow>();
    let mut bench = bench_of(registry);
    let slow = Subject::Bundle("slow".to_owned());
    assert_eq!(bench.host.trigger(&slow).await, Err(TriggerError::Unknown(slow.clone())));
    bench.apply("plugins: {first: {test: slow}, slow: {}}").await.expect("applied");
    assert_eq!(bench.host.trigger(&slow).await, Err(TriggerError::Slow(slow, PATIENCE)));
    assert_eq!(bench.host.trigger(&Subject::Discovery).await, Err(TriggerError::Unknown(Subject::Discovery)));
}
