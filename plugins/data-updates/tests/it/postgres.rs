//! Rows of a real PostgreSQL.

use std::time::Duration;

use regent_core::data_fetcher::FetchLimits;
use regent_kit::Postgres;
use serde_json::{Value as Json, json};

use crate::{LIMITS, fetched, fetcher};

const ANN: &str = r#"{"name": "ann", "paid": 1.50, "is_new": null}"#;
const BOB: &str = r#"{"name": "bob", "paid": 2, "is_new": true}"#;
const BOTH: &str =
    "SELECT * FROM (VALUES ('ann', 1.50, NULL), ('bob', 2, true)) AS t (name, paid, is_new) ORDER BY name;";

#[tokio::test]
async fn rows_are_a_list_or_an_object_or_one_of_them() {
    let Some(mut postgres) = Postgres::find(env!("CARGO_TARGET_TMPDIR")) else { return };
    postgres.start().await;
    let source = fetcher("postgres", json!({}));
    let url = format!("postgresql://postgres@127.0.0.1:{}/postgres?sslmode=disable", postgres.port());
    let ask = async |query: &str, more: Json| {
        let mut config = json!({"query": query, "connection_params": {"password": Postgres::PASSWORD}});
        config.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        fetched(&*source, &url, config, LIMITS).await
    };
    assert_eq!(ask(BOTH, json!({})).await, Ok(format!("[{ANN},{BOB}]")));
    assert_eq!(ask(BOTH, json!({"fetch_one": true})).await, Ok(ANN.to_owned()));
    assert_eq!(ask(BOTH, json!({"fetch_key": "name"})).await, Ok(format!(r#"{{"ann":{ANN},"bob":{BOB}}}"#)));
    assert_eq!(ask("SELECT 1 WHERE false", json!({})).await, Ok("[]".to_owned()));
    let is_read_only = ask("SELECT current_setting('transaction_read_only') AS it", json!({"fetch_one": true})).await;
    assert_eq!(is_read_only, Ok(r#"{"it": "on"}"#.to_owned()));
    let refusals = [
        (BOTH, json!({"fetch_key": "none"}), "the query gives no column \"none\""),
        ("SELECT 1 WHERE false", json!({"fetch_one": true}), "the query gives no row"),
        ("SELECT repeat('x', 2000)", json!({}), "the data has more than 1000 bytes"),
        ("SELECT nonsense", json!({}), "the database refuses: column"),
        (BOTH, json!({"connection_params": {"password": "hunter2"}}), "the database lets nobody in"),
    ];
    for (query, more, expected) in refusals {
        let error = ask(query, more).await.expect_err(query);
        assert!(error.contains(expected) && !error.contains("hunter2"), "{query}: {error}");
    }
    let slow = json!({"query": "SELECT pg_sleep(60)", "connection_params": {"password": Postgres::PASSWORD}});
    let limits = FetchLimits { timeout: Duration::from_millis(500), ..LIMITS };
    let error = fetched(&*source, &url, slow, limits).await.expect_err("too slow");
    assert!(error.contains("has not answered within"), "{error}");
    postgres.stop().await;
    fetched(&*source, &url, json!({"query": "SELECT 1"}), LIMITS).await.expect_err("nobody is there");
}
