//! Where a running agent takes another configuration.
//!
//! A plugin that finds one proposes it ([`Steering::propose`]); whoever runs the agent holds the [`Wheel`], and answers
//! once the configuration is in effect as a whole, or why nothing has changed.

use std::fmt;

use tokio::sync::{mpsc, oneshot};

use crate::error::{Error, ErrorKind};

/// Proposals that wait; more make their authors wait.
const WAITING: usize = 4;

/// A configuration that someone proposes.
#[derive(Debug)]
pub struct Proposal {
    /// JSON or YAML, below what the agent was started with.
    pub text: String,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Result<Accepted, Error>>,
}

/// A proposal that is in effect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Dotted keys for which what the agent was started with counts instead.
    pub overridden: Vec<String>,
}

/// Takes proposals. Clones share the way.
#[derive(Clone, Default)]
pub struct Steering(Option<mpsc::Sender<Proposal>>);

/// Where proposals arrive.
pub type Wheel = mpsc::Receiver<Proposal>;

impl Steering {
    /// A way for proposals, and its end.
    pub fn new() -> (Self, Wheel) {
        let (sender, wheel) = mpsc::channel(WAITING);
        (Self(Some(sender)), wheel)
    }

    /// Proposes a configuration and waits until it is in effect.
    ///
    /// # Errors
    /// Why it is not; nothing has changed then.
    pub async fn propose(&self, text: String) -> Result<Accepted, Error> {
        let gone = || Error::new(ErrorKind::Unavailable, "nobody takes another configuration");
        let (reply, answer) = oneshot::channel();
        let way = self.0.as_ref().ok_or_else(gone)?;
        way.send(Proposal { text, reply }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl fmt::Debug for Steering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Steering").field(&self.0.is_some()).finish()
    }
}
