//! Keeps policy up to date: one question at a time, again after failures, again when news comes meanwhile.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use regent_core::{Error, Store, backoff};

use super::{Applied, sync};
use crate::config::Config;
use crate::http::HttpFetcher;

/// What is in effect, and what is under way.
pub(crate) struct PolicyKeeper {
    config: Arc<Config>,
    client: Arc<HttpFetcher>,
    store: Store,
    applied: Applied,
    state: State,
    failures: u32,
}

enum State {
    /// What the server has is in effect, as far as the agent knows.
    Current,
    /// The server is asked; `again` if policy has changed since.
    Asking { answer: BoxFuture<'static, Result<Applied, Error>>, again: bool },
    /// A failure; it is asked again after a pause.
    Pausing(BoxFuture<'static, ()>),
}

impl PolicyKeeper {
    /// Nothing is in effect yet.
    pub(crate) fn new(config: Arc<Config>, client: Arc<HttpFetcher>, store: Store) -> Self {
        Self { config, client, store, applied: Applied::default(), state: State::Current, failures: 0 }
    }

    /// Asks for what has changed. What is under way is not given up, since it may have been written already.
    pub(crate) fn load(&mut self) {
        if !self.config.policy.enabled {
            return;
        }
        if let State::Asking { again, .. } = &mut self.state {
            *again = true;
            return;
        }
        let answer = sync(self.config.clone(), self.client.clone(), self.store.clone(), self.applied.clone()).boxed();
        self.state = State::Asking { answer, again: false };
    }

    /// What becomes of the next question; pends while there is none. May be dropped and called again.
    pub(crate) async fn next(&mut self) -> Result<(), Error> {
        loop {
            match &mut self.state {
                State::Current => std::future::pending().await,
                State::Pausing(pause) => {
                    pause.await;
                    self.state = State::Current;
                    self.load();
                }
                State::Asking { answer, again } => {
                    let answer = answer.await;
                    let again = *again;
                    return self.take(answer, again);
                }
            }
        }
    }

    fn take(&mut self, answer: Result<Applied, Error>, again: bool) -> Result<(), Error> {
        self.state = State::Current;
        let told = answer.map(|applied| {
            tracing::info!(commit = applied.hash, "The policy of the server of data updates is in effect.");
            self.failures = 0;
            self.applied = applied;
        });
        if again {
            self.load();
        } else if let Err(error) = &told {
            tracing::error!(error = %error.chain(), "The policy cannot be updated.");
            self.failures += 1;
            let pause = backoff::after(self.failures + 1, self.config.longest_pause());
            self.state = State::Pausing(tokio::time::sleep(pause).boxed());
        }
        told
    }
}
