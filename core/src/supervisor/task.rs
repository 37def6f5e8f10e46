//! A plugin's task, and what its end means.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::error::Error;
use crate::host::Host;
use crate::plugin::Mailbox;
use crate::registry::Instance;
use crate::status::State;

/// A running plugin's task.
pub(super) struct PluginTask {
    mailbox: Mailbox,
    task: JoinHandle<()>,
}

impl PluginTask {
    /// Publishes the instance's roles and starts it.
    pub(super) fn start(name: &'static str, instance: Box<dyn Instance>, host: &Host) -> Self {
        let host = host.for_plugin(name);
        host.publish(name, &instance.roles());
        let running = instance.start();
        let task = tokio::spawn(async move {
            let end = AssertUnwindSafe(running.life).catch_unwind().await;
            report_end(name, &host, end);
        });
        Self { mailbox: running.mailbox, task }
    }

    pub(super) fn mailbox(&self) -> Mailbox {
        self.mailbox.clone()
    }

    /// Whether it has ended of its own accord: nobody is left to take a signal.
    pub(super) fn has_ended(&self) -> bool {
        self.mailbox.is_closed()
    }

    /// Tells it to stop and waits; false if it had to be aborted.
    pub(super) async fn stop(mut self, deadline: Instant) -> bool {
        let end = async {
            self.mailbox.stop(deadline).await;
            (&mut self.task).await
        };
        let ended = tokio::time::timeout_at(deadline, end).await.is_ok();
        if !ended {
            self.task.abort();
        }
        ended
    }
}

fn report_end(name: &str, host: &Host, end: Result<Result<(), Error>, Box<dyn std::any::Any + Send>>) {
    host.withdraw(name);
    let why = match end {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.chain(),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            format!("the plugin panicked: {}", text.unwrap_or_default())
        }
    };
    tracing::error!(plugin = name, "Plugin ended: {why}");
    host.report(State::Error, Some(why));
}
