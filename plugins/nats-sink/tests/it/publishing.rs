//! Events on their way into the stream.

use regent_core::ErrorKind;
use regent_core::decision::RefusedEvents;
use regent_kit::{Nats, wait};
use tokio::sync::watch;

use crate::support::{LIMIT, Stream, event_of, events, nats, nats_with_stream, start, start_at};
use crate::way::Way;

#[tokio::test]
async fn events_are_in_the_stream_in_order_and_under_their_ids() {
    let Some((nats, stream)) = nats_with_stream().await else { return };
    let sink = start(&nats, "max_in_flight: 7").await;
    let batch = events(100);
    let (first, second) = batch.split_at(60);
    sink.write(first).await.expect("the stream takes them");
    sink.write(second).await.expect("the stream takes them");
    stream.has(&batch).await;
    sink.stop().await;
}

#[tokio::test]
async fn events_that_come_again_are_in_the_stream_once() {
    let Some((nats, stream)) = nats_with_stream().await else { return };
    let batch = events(20);
    for _ in 0..2 {
        // As after the agent has been killed, another one offers them.
        start(&nats, "").await.write(&batch).await.expect("the stream takes them");
    }
    stream.has(&batch).await;
}

#[tokio::test]
async fn a_server_that_comes_later_gets_the_batch() {
    let Some(mut nats) = nats() else { return };
    let sink = start(&nats, "").await;
    let batch = events(3);
    let why = sink.unavailable(&batch).await;
    assert!(why.starts_with(&format!("cannot connect to {}: ", nats.url())), "{why}");
    nats.start().await;
    let stream = Stream::create(&nats, -1).await;
    sink.write(&batch).await.expect("the stream takes them");
    stream.has(&batch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_and_comes_back_loses_and_doubles_nothing() {
    let Some((mut nats, stream)) = nats_with_stream().await else { return };
    let sink = start(&nats, "").await;
    let batches: Vec<_> = (0..40).map(|_| events(100)).collect();
    let (progress, mut delivered) = watch::channel(0);
    let writing = async {
        for batch in &batches {
            sink.deliver(batch).await;
            progress.send_modify(|delivered| *delivered += 1);
        }
    };
    let killing = async {
        for enough in [5, 20] {
            delivered.wait_for(|delivered| *delivered >= enough).await.expect("it goes on");
            nats.kill().await;
            nats.start().await;
        }
    };
    tokio::join!(writing, killing);
    // Where a batch was cut in the middle, what had come of it stays in front.
    let mut content: Vec<_> = stream.content().await.into_iter().map(|(id, _)| id).collect();
    assert_eq!(content.len(), 4000);
    content.sort_unstable();
    let mut expected: Vec<_> = batches.iter().flatten().map(|event| event.decision_id().to_owned()).collect();
    expected.sort_unstable();
    assert!(content == expected, "each event is there once");
}

#[tokio::test]
async fn events_whose_acknowledgements_are_lost_are_published_again_and_kept_once() {
    let Some((nats, stream)) = nats_with_stream().await else { return };
    let way = Way::to(&nats.url()).await;
    let sink = start_at(&way.url, "").await;
    let batch = events(20);
    sink.write(&batch[..10]).await.expect("the stream takes them");
    way.mute();
    let cutting = async {
        let all = async || (stream.content().await.len() == 20).then_some(());
        wait::until(LIMIT, "all events in the stream", all).await.expect("they are published");
        way.cut();
    };
    let (written, ()) = tokio::join!(sink.write(&batch[10..]), cutting);
    written.expect("another connection brings the acknowledgements");
    stream.has(&batch).await;
}

#[tokio::test]
async fn without_a_stream_the_batch_waits_and_the_error_names_the_subject() {
    let Some(mut nats) = nats() else { return };
    nats.start().await;
    let sink = start(&nats, "").await;
    let batch = events(3);
    let why = sink.unavailable(&batch).await;
    assert!(why.starts_with("no stream takes the subject \"decisions\": "), "{why}");
    let stream = Stream::create(&nats, -1).await;
    sink.write(&batch).await.expect("the stream takes them");
    stream.has(&batch).await;
}

/// Events of which one is large, and what becomes of them; the small ones should be in the stream.
async fn refuses_the_large_one(nats: &Nats, stream: &Stream) {
    let sink = start(nats, "").await;
    let mut batch = vec![event_of(16), event_of(8192), event_of(16)];
    let error = sink.write(&batch).await.expect_err("one of them is too large");
    assert_eq!((error.kind(), RefusedEvents::lost(&error, 3)), (ErrorKind::Refused, 1), "{}", error.chain());
    batch.remove(1);
    stream.has(&batch).await;
}

#[tokio::test]
async fn an_event_that_is_too_large_for_the_server_is_refused_alone() {
    let Some(mut nats) = nats() else { return };
    nats.configure("max_payload: 4096");
    nats.start().await;
    let stream = Stream::create(&nats, -1).await;
    refuses_the_large_one(&nats, &stream).await;
}

#[tokio::test]
async fn an_event_that_is_too_large_for_the_stream_is_refused_alone() {
    let Some(mut nats) = nats() else { return };
    nats.start().await;
    let stream = Stream::create(&nats, 4096).await;
    refuses_the_large_one(&nats, &stream).await;
}

#[tokio::test]
async fn a_stream_that_is_full_has_the_batch_wait() {
    let Some((nats, stream)) = nats_with_stream().await else { return };
    let sink = start(&nats, "").await;
    let batch = events(2);
    stream.limit(Some(1)).await;
    let why = sink.unavailable(&batch).await;
    assert!(why.starts_with("cannot publish to \"decisions\": ") && why.contains("maximum messages"), "{why}");
    stream.limit(None).await;
    sink.write(&batch).await.expect("there is room");
    stream.has(&batch).await;
}

#[tokio::test]
async fn a_connection_that_breaks_while_nothing_is_written_is_made_anew() {
    let Some((mut nats, stream)) = nats_with_stream().await else { return };
    let sink = start(&nats, "").await;
    let batch = events(4);
    sink.write(&batch[..2]).await.expect("the stream takes them");
    nats.kill().await;
    nats.start().await;
    sink.write(&batch[2..]).await.expect("the first try succeeds");
    stream.has(&batch).await;
}
