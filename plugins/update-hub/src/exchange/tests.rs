//! Who is told what, and when.

use regent_core::telemetry::Telemetry;
use regent_data_updates::rpc::raw;

use super::*;

fn start() -> ExchangeHandle {
    let stats = Stats::new(&Telemetry::new(&[1.0]).expect("one bucket"));
    ExchangeHandle::start(LogLimits::default(), stats, mpsc::channel(1).0)
}

async fn begins(exchange: &ExchangeHandle, epoch: &str, seq: u64) {
    exchange.arrived(Arrival::Begins(Position { epoch: epoch.to_owned(), seq })).await;
}

async fn record(exchange: &ExchangeHandle, seq: u64) {
    let text = Record::message(vec!["t".to_owned()], raw(&seq), None).to_json();
    exchange.arrived(Arrival::Record { seq, text }).await;
}

async fn resume(exchange: &ExchangeHandle, epoch: &str, seq: u64) -> Admitted {
    let peer = exchange.admit(seq.to_string()).await.expect("it is let in");
    let resume = Some(Position { epoch: epoch.to_owned(), seq });
    let extension = Some(Extension { resume, ..Extension::default() });
    exchange.subscribe(peer.id, Subscription { topics: vec!["t".to_owned()], call_id: None, extension }).await;
    peer
}

/// Whether a peer was resumed, and the numbers of all that it is told after that, up to one.
async fn told(peer: &mut Admitted, last: u64) -> (bool, Vec<u64>) {
    let Some(Outgoing::Subscribed { extension, .. }) = peer.queue.recv().await else { panic!("no answer") };
    let mut told: Vec<u64> = Vec::new();
    while told.last() != Some(&last) {
        match peer.queue.recv().await.expect("it stays") {
            Outgoing::Told(publication, _) => told.push(publication.seq),
            Outgoing::Missed(all) => told.extend(all.iter().map(|(publication, _)| publication.seq)),
            Outgoing::Subscribed { .. } => panic!("answered twice"),
        }
    }
    (extension.and_then(|extension| extension.resumed) == Some(true), told)
}

#[tokio::test]
async fn a_peer_that_another_hub_has_told_more_is_not_told_it_again() {
    let exchange = start();
    begins(&exchange, "e", 0).await;
    exchange.arrived(Arrival::Complete).await;
    record(&exchange, 1).await;
    let (mut behind, mut ahead) = (resume(&exchange, "e", 0).await, resume(&exchange, "e", 3).await);
    let mut other = resume(&exchange, "another", 3).await;
    for seq in 2..=5 {
        record(&exchange, seq).await;
    }
    assert_eq!(told(&mut behind, 5).await, (true, vec![1, 2, 3, 4, 5]));
    assert_eq!(told(&mut ahead, 5).await, (true, vec![4, 5]));
    assert_eq!(told(&mut other, 5).await, (false, vec![2, 3, 4, 5]), "another log says nothing of this one");
}

#[tokio::test]
async fn who_comes_before_the_log_waits_for_it() {
    let exchange = start();
    let mut peer = resume(&exchange, "e", 8).await;
    begins(&exchange, "e", 5).await;
    for seq in 6..=9 {
        record(&exchange, seq).await;
    }
    assert!(peer.queue.try_recv().is_err(), "what was before is still on its way");
    exchange.arrived(Arrival::Complete).await;
    record(&exchange, 10).await;
    assert_eq!(told(&mut peer, 10).await, (true, vec![9, 10]));
    // A log that begins anew is no longer the one that the peer knows.
    begins(&exchange, "other", 0).await;
    assert_eq!(peer.leave.await, Ok(Leaving::LogChanged));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_does_not_come_is_done_without() {
    let exchange = start();
    let mut peer = resume(&exchange, "e", 8).await;
    let Some(Outgoing::Subscribed { extension, .. }) = peer.queue.recv().await else { panic!("no answer") };
    assert_eq!(extension.and_then(|extension| extension.resumed), Some(false));
    begins(&exchange, "e", 8).await;
    assert_eq!(peer.leave.await, Ok(Leaving::LogChanged), "and begun with once it is there");
}
