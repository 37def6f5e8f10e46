//! Polling for what cannot tell by itself.

use std::time::Duration;

use regent_kit::wait::until;

#[tokio::test]
async fn what_shows_up_is_returned() {
    let mut looks = 0;
    let found = until(Duration::from_secs(5), "the third look", async || {
        looks += 1;
        (looks == 3).then_some("here")
    });
    assert_eq!(found.await.expect("it shows up"), "here");
}

#[tokio::test]
async fn what_does_not_is_named() {
    let limit = Duration::from_millis(20);
    let error = until(limit, "a unicorn", async || None::<()>).await.expect_err("there is none").to_string();
    assert!(error.starts_with("a unicorn: not seen within 20ms, looked "), "{error}");
}

#[tokio::test]
async fn a_look_that_hangs_is_cut_off() {
    let limit = Duration::from_millis(20);
    let hanging = until(limit, "an answer", async || std::future::pending::<Option<()>>().await);
    hanging.await.expect_err("it hangs");
}
