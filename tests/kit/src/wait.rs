//! Waiting for a state that only asking again and again can see, such as an agent's answer after a bundle swap.
//!
//! What the kit itself receives is waited for by notification instead: see [`ControlPlane`](crate::ControlPlane).

use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::Error;

const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Asks `look` until it finds something; `what` names it in the error, as in “the bundle's second revision”.
///
/// ```no_run
/// # async fn example(agent: regent_kit::Agent) -> Result<(), regent_kit::Error> {
/// use std::time::Duration;
///
/// regent_kit::wait::until(Duration::from_secs(5), "a healthy agent", async || {
///     (agent.get("/health?bundles").await.status == 200).then_some(())
/// })
/// .await?;
/// # Ok(())
/// # }
/// ```
///
/// The pauses in between grow from 2 ms to 50 ms. A `look` that hangs is cut off at the limit too.
pub async fn until<T>(limit: Duration, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> Result<T, Error> {
    let mut looks = 0_u32;
    let search = async {
        let mut pause = FIRST_PAUSE;
        loop {
            looks += 1;
            if let Some(found) = look().await {
                return found;
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    };
    let outcome = timeout(limit, search).await;
    outcome.map_err(|_| Error::new(format!("{what}: not seen within {limit:?}, looked {looks} times")))
}
