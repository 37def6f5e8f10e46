//! The task that owns the supervisor while the agent runs, and takes other configurations for it: those that are discovered
//! and those that are read again.

use regent_core::config::{BootConfig, ConfigErrors, ConfigTree, Layers};
use regent_core::plugin::Mailbox;
use regent_core::settings::pending_restart;
use regent_core::steering::{Accepted, Proposal, Wheel};
use regent_core::{Error, ErrorKind, Supervisor};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::assembly::Assembly;

/// Commands that wait; more make whoever gives them wait.
const WAITING: usize = 4;

/// The handle of the task.
pub(crate) struct Reconfigurer {
    commands: mpsc::Sender<Command>,
    task: JoinHandle<Supervisor>,
}

/// Has the configuration read again. Clones share the way.
#[derive(Clone)]
pub(crate) struct Reloader(mpsc::Sender<Command>);

enum Command {
    /// Where do a plugin's signals go?
    Mailbox(String, oneshot::Sender<Option<Mailbox>>),
    Reload,
    Stop,
}

struct Work {
    assembly: Assembly,
    layers: Layers,
    /// What the agent was started with.
    start: ConfigTree,
    /// What was read from the layers last.
    boot: BootConfig,
    /// What was discovered last, if anything was.
    discovered: Option<String>,
}

impl Reloader {
    /// Has the configuration read again, soon. The log tells what became of it.
    pub(crate) async fn reload(&self) {
        // When the task has ended, so has the agent.
        let _ended = self.0.send(Command::Reload).await;
    }
}

impl Reconfigurer {
    /// Starts the task. `boot` is what was read from the layers at the start, `start` what came of it.
    pub(crate) fn start(assembly: Assembly, layers: Layers, boot: BootConfig, start: ConfigTree, wheel: Wheel) -> Self {
        let (commands, given) = mpsc::channel(WAITING);
        let work = Work { assembly, layers, start, boot, discovered: None };
        Self { commands, task: tokio::spawn(work.run(wheel, given)) }
    }

    pub(crate) fn reloader(&self) -> Reloader {
        Reloader(self.commands.clone())
    }

    /// Where a plugin's signals go.
    pub(crate) async fn mailbox(&self, plugin: &str) -> Option<Mailbox> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Mailbox(plugin.to_owned(), reply)).await.ok()?;
        answer.await.ok()?
    }

    /// Ends the task, after what it is doing, and gives back the supervisor; nothing if the task has failed, or is not
    /// done before the deadline.
    pub(crate) async fn stop(self, deadline: Instant) -> Option<Supervisor> {
        let Self { commands, task } = self;
        let end = async {
            // Failing means that the task has ended already.
            let _ended = commands.send(Command::Stop).await;
            task.await.ok()
        };
        timeout_at(deadline, end).await.ok()?
    }
}

impl Work {
    async fn run(mut self, mut wheel: Wheel, mut given: mpsc::Receiver<Command>) -> Supervisor {
        loop {
            tokio::select! {
                command = given.recv() => match command {
                    Some(Command::Mailbox(plugin, reply)) => drop(reply.send(self.assembly.supervisor.mailbox(&plugin))),
                    Some(Command::Reload) => log(self.reload().await),
                    Some(Command::Stop) | None => return self.assembly.supervisor,
                },
                Some(Proposal { text, reply }) = wheel.recv() => {
                    let outcome = self.apply_discovered(text).await;
                    // Whoever proposed it may have been stopped by it.
                    drop(reply.send(outcome));
                }
            }
        }
    }

    /// Puts what was discovered into effect as a whole, or changes nothing.
    async fn apply_discovered(&mut self, text: String) -> Result<Accepted, Error> {
        let refused = |errors: ConfigErrors| Error::new(ErrorKind::Refused, errors.to_string());
        let found = self.boot.over(&text).map_err(refused)?;
        self.assembly.apply(&found.tree).await.map_err(refused)?;
        self.discovered = Some(text);
        Ok(Accepted { overridden: found.overridden })
    }

    /// Reads the layers again and puts them into effect as a whole, or changes nothing. Gives the keys that are not as they
    /// were at the start and only count at the next one, which looks at the layers alone, whatever was discovered.
    async fn reload(&mut self) -> Result<Vec<&'static str>, ConfigErrors> {
        let boot = self.layers.read()?;
        let alone = boot.tree()?;
        let tree = match &self.discovered {
            Some(text) => boot.over(text)?.tree,
            None => alone.clone(),
        };
        self.assembly.apply(&tree).await?;
        self.boot = boot;
        Ok(pending_restart(&self.start, &alone))
    }
}

/// Tells what became of a reload.
fn log(reloaded: Result<Vec<&str>, ConfigErrors>) {
    match reloaded {
        Ok(late) if late.is_empty() => tracing::info!("Configuration reloaded."),
        Ok(late) => {
            let keys = late.join(", ");
            tracing::warn!(
                "Configuration reloaded. What has changed in these keys takes effect at the next start: {keys}"
            );
        }
        Err(errors) => tracing::error!("Configuration not reloaded, the former one stays in effect: {errors}"),
    }
}
