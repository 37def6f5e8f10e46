//! Plugins with a life of their own.

use std::sync::Arc;

use regent_core::plugin::{Inbox, Mailbox, Reply, Roles, Signal as Told};
use regent_core::registry::{Instance as Prospect, Running};
use regent_core::status::State;
use regent_core::{Error, ErrorKind};
use regent_plugin_abi::{self as abi, Managed};
use tokio::sync::oneshot;

use super::config::Config;
use crate::answer::{Failure, LIMIT};
use crate::attached::Attached;
use crate::exported::Exported;
use crate::host::{Asked, Signal};
use crate::instance::Instance;
use crate::threads::Threads;

struct DynamicPlugin {
    instance: Arc<Instance>,
    attached: Attached,
    functions: Managed,
}

pub(super) fn build(
    exported: &Arc<Exported>,
    attached: Attached,
    config: Vec<u8>,
    functions: Managed,
) -> Result<Box<dyn Prospect>, Error> {
    let instance = Instance::create(exported, attached.clone(), config, 1);
    let instance = instance.map_err(|failure| failure.into_error(exported.name))?;
    Ok(Box::new(DynamicPlugin { instance, attached, functions }))
}

impl Prospect for DynamicPlugin {
    fn roles(&self) -> Roles {
        Roles::default()
    }

    fn start(self: Box<Self>) -> Running {
        let (mailbox, inbox) = Mailbox::new();
        Running { mailbox, life: Box::pin(self.live(inbox)) }
    }
}

impl DynamicPlugin {
    async fn live(self, mut inbox: Inbox<Config>) -> Result<(), Error> {
        let name = self.instance.exported().name;
        let mut end = self.run().map_err(|failure| failure.into_error(name))?;
        let deadline = loop {
            tokio::select! {
                ended = &mut end => return verdict(ended, name),
                told = inbox.recv() => match told {
                    Told::Stop(deadline) => break deadline,
                    Told::Trigger(reply) => self.tell(Signal::Trigger, reply),
                    Told::Configure(config, reply) => self.tell(|asked| Signal::Configure(config.json, asked), reply),
                },
            }
        };
        let time = self.instance.time_to_end(deadline);
        self.instance.host().signals.stop(time);
        let end = tokio::time::timeout(time, end).await;
        self.instance.close();
        match end {
            Ok(ended) => verdict(ended, name),
            Err(_) => Err(Error::new(ErrorKind::Internal, format!("the plugin {name} did not end within {time:?}"))),
        }
    }

    /// Begins its life, on a thread of its own.
    fn run(&self) -> Result<oneshot::Receiver<Result<Vec<u8>, Failure>>, Failure> {
        let (done, end) = oneshot::channel();
        let (instance, run) = (self.instance.clone(), self.functions.run);
        let life = move || {
            let lived = instance.ask_here(LIMIT, |itself, error| match run {
                // SAFETY: the writer is there until it returns.
                Some(run) => unsafe { run(itself, error) },
                None => abi::FAILED,
            });
            let _ = done.send(lived);
        };
        let no_thread = |error: std::io::Error| Failure::Said(abi::UNAVAILABLE, error.to_string());
        Threads::new(self.instance.exported().name, 1).run(life).map_err(no_thread)?;
        Ok(end)
    }

    /// Tells the plugin something that it has to answer, within the time of a call.
    fn tell(&self, signal: impl FnOnce(Asked) -> Signal, reply: Reply) {
        let (asked, limit, attached) = (Asked::new(reply), self.instance.deadline(), self.attached.clone());
        if !self.instance.host().signals.send(signal(asked.clone())) {
            asked.answer(Err(Error::new(ErrorKind::Unavailable, "the plugin does not read its signals")));
            return;
        }
        tokio::spawn(async move {
            tokio::time::sleep(limit).await;
            let late = Failure::Late(limit);
            if asked.answer(Err(late.clone().into_error(attached.plugin()))) {
                attached.report(State::Error, &format!("a signal {late}"));
            }
        });
    }
}

/// What becomes of a plugin whose `run` has returned.
fn verdict(ended: Result<Result<Vec<u8>, Failure>, oneshot::error::RecvError>, name: &str) -> Result<(), Error> {
    let lived = ended.unwrap_or(Err(Failure::Panicked));
    lived.map(drop).map_err(|failure| failure.into_error(name))
}
