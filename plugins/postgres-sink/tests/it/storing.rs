//! Events on their way into the table.

use regent_core::ErrorKind;
use regent_core::decision::{EncodedEvent, RefusedEvents};
use regent_kit::wait;
use tokio::sync::watch;

use crate::support::{LIMIT, admin, event, events, ids, ids_of, plainly, postgres, query, run, running, start};

#[tokio::test]
async fn each_event_is_a_row() {
    let Some(postgres) = running().await else { return };
    let sink = start(&format!("{}, create_table: true", plainly(&postgres))).await;
    let shared = r#""path":"app/allow","batch_decision_id":"8ea3bf28-a2b5-4e30-8e93-e8b0a0cb9d3c""#;
    let batch = [event(&format!(r#"{shared},"input":{{"a":[1,1.0]}}"#)), event(shared), event(r#""query":"x = 1""#)];
    sink.write(&batch).await.expect("the table takes them");
    assert_eq!(ids(&postgres).await, ids_of(&batch));
    let text = "SELECT path, \"timestamp\" = '2026-01-02 03:04:05.678901Z', event #>> '{input,a}' \
                FROM decisions ORDER BY event ? 'input' DESC, path DESC";
    let rows = query(&postgres, text).await;
    let rows: Vec<(String, bool, Option<String>)> =
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let row = |path: &str, input: Option<&str>| (path.to_owned(), true, input.map(str::to_owned));
    assert_eq!(rows, [row("app/allow", Some("[1, 1.0]")), row("app/allow", None), row("", None)]);
    sink.stop().await;
}

#[tokio::test]
async fn events_that_come_again_are_in_the_table_once() {
    let Some(postgres) = running().await else { return };
    let batch = events(20);
    for part in [&batch[..15], &batch[5..], &batch] {
        // As after the agent has been killed, another one offers them.
        let sink = start(&format!("{}, create_table: true", plainly(&postgres))).await;
        sink.write(part).await.expect("the table takes them");
    }
    assert_eq!(ids(&postgres).await, ids_of(&batch));
}

#[tokio::test]
async fn a_server_that_comes_later_gets_the_batch() {
    let Some(mut postgres) = postgres() else { return };
    let sink = start(&format!("{}, create_table: true", plainly(&postgres))).await;
    let batch = events(3);
    let why = sink.unavailable(&batch).await;
    assert!(why.starts_with(&format!("cannot connect to 127.0.0.1:{}: ", postgres.port())), "{why}");
    postgres.start().await;
    sink.write(&batch).await.expect("the table takes them");
    assert_eq!(ids(&postgres).await, ids_of(&batch));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_and_comes_back_loses_and_doubles_nothing() {
    let Some(mut postgres) = running().await else { return };
    let sink = start(&format!("{}, create_table: true", plainly(&postgres))).await;
    let batches: Vec<_> = (0..40).map(|_| events(100)).collect();
    let (progress, mut delivered) = watch::channel(0);
    let writing = async {
        for batch in &batches {
            sink.deliver(batch).await;
            progress.send_modify(|delivered| *delivered += 1);
        }
    };
    let crashing = async {
        for enough in [5, 20] {
            delivered.wait_for(|delivered| *delivered >= enough).await.expect("it goes on");
            postgres.stop().await;
            postgres.start().await;
        }
    };
    tokio::join!(writing, crashing);
    assert_eq!(ids(&postgres).await, ids_of(batches.iter().flatten()));
}

#[tokio::test]
async fn a_connection_that_breaks_while_nothing_is_written_is_made_anew() {
    let Some(mut postgres) = running().await else { return };
    let sink = start(&format!("{}, create_table: true", plainly(&postgres))).await;
    let batch = events(4);
    sink.write(&batch[..2]).await.expect("the table takes them");
    postgres.stop().await;
    postgres.start().await;
    sink.write(&batch[2..]).await.expect("the first try succeeds");
    assert_eq!(ids(&postgres).await, ids_of(&batch));
}

#[tokio::test]
async fn without_the_table_the_batch_waits_and_the_error_says_what_to_do() {
    let Some(postgres) = running().await else { return };
    let sink = start(&plainly(&postgres)).await;
    let batch = events(3);
    let why = sink.unavailable(&batch).await;
    assert_eq!(why, "relation \"decisions\" does not exist (42P01): create it, or set `create_table`");
    run(
        &postgres,
        "CREATE TABLE decisions (decision_id uuid PRIMARY KEY, timestamp timestamptz, path text, event jsonb)",
    )
    .await;
    sink.write(&batch).await.expect("the table takes them");
    assert_eq!(ids(&postgres).await, ids_of(&batch));
}

/// Events that `jsonb` cannot hold: for a letter, for a number, and for their depth.
fn strange() -> Vec<EncodedEvent> {
    let deep = format!(r#""path":"deep","input":{}{}"#, "[".repeat(900), "]".repeat(900));
    let number = r#""path":"number","input":1e400000"#;
    vec![event(r#""path":"nul\u0000","input":"a\u0000b""#), event(number), event(&deep)]
}

#[tokio::test]
async fn what_jsonb_cannot_hold_is_stored_as_text_and_is_in_the_way_of_nothing() {
    let Some(mut postgres) = postgres() else { return };
    postgres.configure("max_stack_depth = '100kB'\n");
    postgres.start().await;
    let sink = start(&format!("{}, create_table: true", plainly(&postgres))).await;
    let (mut batch, strange) = (events(20), strange());
    for (place, event) in [0, 7, 20].into_iter().zip(&strange) {
        batch.insert(place, event.clone());
    }
    sink.write(&batch).await.expect("the table takes them");
    assert_eq!(ids(&postgres).await, ids_of(&batch));
    let text = "SELECT decision_id::text, event #>> '{}' FROM decisions WHERE jsonb_typeof(event) = 'string'";
    let rows = query(&postgres, text).await;
    let mut stored: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    stored.sort_unstable();
    let text = |event: &EncodedEvent| String::from_utf8(event.json().to_vec()).expect("JSON");
    let mut expected: Vec<_> = strange.iter().map(|event| (event.decision_id().to_owned(), text(event))).collect();
    expected.sort_unstable();
    assert_eq!(stored, expected);
    assert_eq!(query(&postgres, "SELECT 1 FROM decisions WHERE path = E'nul\u{FFFD}'").await.len(), 1);
}

#[tokio::test]
async fn json_is_kept_letter_for_letter() {
    let Some(postgres) = running().await else { return };
    let sink = start(&format!("{}, create_table: true, event_type: json", plainly(&postgres))).await;
    let batch = [event(r#""path":"p","input":{"b":1e400000,"a":"\u0000","a ":1.0}"#)];
    sink.write(&batch).await.expect("the table takes them");
    let stored: String = query(&postgres, "SELECT event::text FROM decisions").await[0].get(0);
    assert_eq!(stored.as_bytes(), &batch[0].json()[..]);
}

#[tokio::test]
async fn an_event_that_can_be_no_row_is_refused_alone() {
    let Some(postgres) = running().await else { return };
    let sink = start(&format!("{}, create_table: true", plainly(&postgres))).await;
    let foreign = r#"{"decision_id":"one","timestamp":"2026-01-02T03:04:05Z"}"#;
    let mut batch = events(2);
    batch.insert(1, EncodedEvent::decode(foreign.into()).expect("an event"));
    let error = sink.write(&batch).await.expect_err("one of them has no UUID");
    assert_eq!((error.kind(), RefusedEvents::lost(&error, 3)), (ErrorKind::Refused, 1));
    assert!(error.chain().contains("\"one\", is no UUID"), "{}", error.chain());
    batch.remove(1);
    assert_eq!(ids(&postgres).await, ids_of(&batch));
}

#[tokio::test]
async fn what_a_constraint_says_has_the_batch_wait_and_quotes_no_event() {
    let Some(postgres) = running().await else { return };
    let table = "CREATE TABLE decisions (decision_id uuid PRIMARY KEY, timestamp timestamptz, path text \
                 CONSTRAINT short CHECK (length(path) < 3), event jsonb)";
    run(&postgres, table).await;
    let sink = start(&plainly(&postgres)).await;
    let batch = [event(r#""path":"hunter2","input":"hunter2""#)];
    let why = sink.unavailable(&batch).await;
    assert!(why.contains("violates check constraint \"short\"") && !why.contains("hunter2"), "{why}");
    run(&postgres, "ALTER TABLE decisions DROP CONSTRAINT short").await;
    sink.write(&batch).await.expect("the table takes it");
    assert_eq!(ids(&postgres).await, ids_of(&batch));
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_cancelled() {
    let Some(postgres) = running().await else { return };
    let sink = start(&format!("{}, create_table: true, statement_timeout_seconds: 1", plainly(&postgres))).await;
    let batch = events(3);
    sink.write(&batch[..1]).await.expect("the table takes it");
    let other = admin(&postgres).await;
    other.batch_execute("BEGIN; LOCK TABLE decisions").await.expect("nobody else has it locked");
    let why = sink.unavailable(&batch).await;
    assert_eq!(why, "a statement takes longer than 1s");
    let waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let none = async || query(&postgres, waiting).await.is_empty().then_some(());
    wait::until(LIMIT, "nobody to wait for the lock", none).await.expect("the statement is gone");
    other.batch_execute("ROLLBACK").await.expect("it has a transaction");
    sink.write(&batch).await.expect("the table takes them");
    assert_eq!(ids(&postgres).await, ids_of(&batch));
}

#[tokio::test]
async fn a_table_is_called_as_it_is_spelled() {
    let Some(postgres) = running().await else { return };
    run(&postgres, "CREATE SCHEMA \"Audit 1\"").await;
    let keys = plainly(&postgres).replace("table: decisions", "table: 'Audit 1.De\"cisions'");
    let sink = start(&format!("{keys}, create_table: true")).await;
    sink.write(&events(2)).await.expect("the table takes them");
    assert_eq!(query(&postgres, "SELECT 1 FROM \"Audit 1\".\"De\"\"cisions\"").await.len(), 2);
}

#[tokio::test]
async fn whoever_may_only_insert_can_store_decisions_again_and_again() {
    let Some(postgres) = running().await else { return };
    run(
        &postgres,
        "CREATE ROLE writer LOGIN PASSWORD 's3cret'; CREATE TABLE decisions (decision_id uuid PRIMARY KEY, \
        timestamp timestamptz, path text, event jsonb)",
    )
    .await;
    let keys = plainly(&postgres).replace("user: postgres", "user: writer, database: postgres");
    let sink = start(&format!("{keys}, create_table: true")).await;
    let batch = events(2);
    let why = sink.unavailable(&batch).await;
    assert!(why.contains("permission denied for table decisions (42501)"), "{why}");
    run(&postgres, "GRANT INSERT ON decisions TO writer").await;
    for _ in 0..2 {
        sink.write(&batch).await.expect("the table takes them");
    }
    assert_eq!(ids(&postgres).await, ids_of(&batch));
}
