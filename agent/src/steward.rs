//! The task that owns the supervisor while the agent runs, and takes other configurations for it.

use regent_core::config::BootConfig;
use regent_core::plugin::Mailbox;
use regent_core::steering::{Accepted, Proposal, Wheel};
use regent_core::{Error, ErrorKind, Supervisor};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// Questions that wait; more make whoever asks wait.
const WAITING: usize = 4;

/// The handle of the task.
pub(crate) struct Steward {
    questions: mpsc::Sender<Question>,
    task: JoinHandle<Supervisor>,
}

/// Where do a plugin's signals go?
struct Question {
    plugin: String,
    reply: oneshot::Sender<Option<Mailbox>>,
}

struct Work {
    supervisor: Supervisor,
    boot: BootConfig,
}

impl Steward {
    /// Starts the task.
    pub(crate) fn start(supervisor: Supervisor, boot: BootConfig, wheel: Wheel) -> Self {
        let (questions, asked) = mpsc::channel(WAITING);
        Self { questions, task: tokio::spawn(Work { supervisor, boot }.run(wheel, asked)) }
    }

    /// Where a plugin's signals go.
    pub(crate) async fn mailbox(&self, plugin: &str) -> Option<Mailbox> {
        let (reply, answer) = oneshot::channel();
        self.questions.send(Question { plugin: plugin.to_owned(), reply }).await.ok()?;
        answer.await.ok()?
    }

    /// Ends the task, after what it is doing, and gives back the supervisor; nothing if the task has failed, or is not
    /// done before the deadline.
    pub(crate) async fn stop(self, deadline: Instant) -> Option<Supervisor> {
        drop(self.questions);
        timeout_at(deadline, self.task).await.ok()?.ok()
    }
}

impl Work {
    /// Ends when nobody asks questions any more.
    async fn run(mut self, mut wheel: Wheel, mut asked: mpsc::Receiver<Question>) -> Supervisor {
        loop {
            tokio::select! {
                question = asked.recv() => match question {
                    Some(Question { plugin, reply }) => drop(reply.send(self.supervisor.mailbox(&plugin))),
                    None => return self.supervisor,
                },
                Some(Proposal { text, reply }) = wheel.recv() => {
                    let outcome = self.take(&text).await;
                    // Whoever proposed it may have been stopped by it.
                    drop(reply.send(outcome));
                }
            }
        }
    }

    /// Puts a configuration into effect as a whole, or changes nothing.
    async fn take(&mut self, text: &str) -> Result<Accepted, Error> {
        let refused = |errors: regent_core::config::ConfigErrors| Error::new(ErrorKind::Refused, errors.to_string());
        let discovered = self.boot.over(text).map_err(refused)?;
        self.supervisor.apply(&discovered.tree).await.map_err(refused)?;
        Ok(Accepted { overridden: discovered.overridden })
    }
}
