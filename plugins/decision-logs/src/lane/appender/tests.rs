use std::time::Duration;

use regent_agent_kit::Agent;
use regent_core::decision::{DecisionEvent, EncodedEvent};

use super::*;
use crate::counters::Counters;
use crate::journal::{Rules, open};

/// As many events as there is room for wait for a disk that is busy, however few come at once; the rest is lost, and the
/// lane's other work goes on.
#[tokio::test]
async fn events_that_wait_for_the_disk_are_bounded_by_their_number() {
    let directory = tempfile::tempdir().expect("a directory");
    let (host, rules) = (Agent::idle(|_| {}).host, Rules { limit: 1 << 30, refuses: false, syncs: false });
    let opened = open(directory.path(), rules).expect("usable");
    let disk = Disk { directory: directory.path().into(), limit: 1 << 30, sync: SyncPolicy::Never, refuses: false };
    let counters = Arc::new(Counters::new(&host.telemetry));
    let stats = counters.stats("service");
    let (appender, _wake) = Appender::start(opened.writer, opened.usage.clone(), &disk, host.clone(), stats);
    let timestamp = "2026-01-02T03:04:05Z".parse().expect("a time");
    let event = EncodedEvent::of(&DecisionEvent::new("d".into(), host.store.snapshot(), timestamp));
    for (size, kept, lost) in [(1, CAPACITY, 5), (2, 2 * CAPACITY, 15)] {
        // On this one thread the appender does nothing until someone waits for it.
        for _ in 0..CAPACITY / size + 5 {
            appender.append(vec![event.clone(); size].into(), None).await;
        }
        appender.flush().await;
        assert_eq!(opened.usage.read().0, kept as u64);
        let lost = format!("\ndecision_logs_dropped_disk_failed {lost}\n");
        assert!(host.telemetry.render().contains(&lost), "{}", host.telemetry.render());
    }
}

/// On this one thread the appender has done nothing when its time is up.
#[tokio::test]
async fn events_that_are_not_in_the_journal_when_time_is_up_are_counted() {
    let directory = tempfile::tempdir().expect("a directory");
    let (host, rules) = (Agent::idle(|_| {}).host, Rules { limit: 1 << 30, refuses: false, syncs: false });
    let opened = open(directory.path(), rules).expect("usable");
    let disk = Disk { directory: directory.path().into(), limit: 1 << 30, sync: SyncPolicy::Never, refuses: false };
    let stats = Arc::new(Counters::new(&host.telemetry)).stats("service");
    let (appender, _wake) = Appender::start(opened.writer, opened.usage, &disk, host.clone(), stats);
    let timestamp = "2026-01-02T03:04:05Z".parse().expect("a time");
    let event = EncodedEvent::of(&DecisionEvent::new("d".into(), host.store.snapshot(), timestamp));
    for _ in 0..3 {
        appender.append(vec![event.clone(); 2].into(), None).await;
    }
    let past = Instant::now().checked_sub(Duration::from_secs(1)).expect("the machine runs for longer");
    appender.close(past).await;
    let shown = host.telemetry.render();
    assert!(shown.contains("\ndecision_logs_dropped_at_stop 6\n"), "{shown}");
}
