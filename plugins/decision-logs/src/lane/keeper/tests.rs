use regent_core::config::Layers;
use regent_core::decision::{DecisionEvent, EncodedEvent};
use regent_core::engine::CompileOptions;
use regent_core::settings::{Identity, Settings};
use regent_core::telemetry::Telemetry;
use regent_core::{Store, Value};
use regent_engine_rego::RegoEngine;

use super::*;
use crate::counters::Counters;
use crate::journal::{Rules, open};

fn host() -> Host {
    let tree = Layers::new().text("test", "{}").load().expect("valid YAML");
    let identity = Identity { id: "agent-1".to_owned(), version: "1.9.0".to_owned() };
    let settings = Settings::from_tree(&tree, identity).expect("valid settings");
    let engine = Arc::new(RegoEngine::default());
    let store = Store::new(engine, CompileOptions::default(), Value::empty_object()).expect("an empty store");
    Host::new(store, Telemetry::new(&[1.0]).expect("one bucket"), settings)
}

/// As many events as there is room for wait for a disk that is busy, however few come at once; the rest is lost, and the
/// lane's other work goes on.
#[tokio::test]
async fn events_that_wait_for_the_disk_are_bounded_by_their_number() {
    let directory = tempfile::tempdir().expect("a directory");
    let (host, rules) = (host(), Rules { limit: 1 << 30, refuses: false, syncs: false });
    let opened = open(directory.path(), rules).expect("usable");
    let disk = Disk { directory: directory.path().into(), limit: 1 << 30, sync: Sync::Never, refuses: false };
    let counters = Arc::new(Counters::new(&host.telemetry));
    let tally = counters.tally("service");
    let (keeper, _wake) = Keeper::start(opened.writer, opened.gauge.clone(), &disk, host.clone(), tally);
    let timestamp = "2026-01-02T03:04:05Z".parse().expect("a time");
    let event = EncodedEvent::of(&DecisionEvent::new("d".into(), host.store.snapshot(), timestamp));
    for (size, kept, lost) in [(1, CAPACITY, 5), (2, 2 * CAPACITY, 15)] {
        // On this one thread the keeper does nothing until someone waits for it.
        for _ in 0..CAPACITY / size + 5 {
            keeper.keep(vec![event.clone(); size].into(), None).await;
        }
        keeper.flush().await;
        assert_eq!(opened.gauge.read().0, kept as u64);
        let lost = format!("\ndecision_logs_dropped_disk_failed {lost}\n");
        assert!(host.telemetry.render().contains(&lost), "{}", host.telemetry.render());
    }
}
