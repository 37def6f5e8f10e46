//! Sinks of decisions.

use std::sync::Arc;
use std::time::Duration;

use regent_core::decision::{BatchSettings, Delivery, EncodedEvent, RefusedEvents, SinkHandle};
use regent_core::plugin::{Inbox, Mailbox, Roles, Signal};
use regent_core::registry::{Instance as Prospect, Running};
use regent_core::status::State;
use regent_core::{Error, ErrorKind};
use regent_plugin_abi::{self as abi, Bytes, Sink};
use serde::Deserialize;

use super::config::Config;
use crate::answer::{Failure, LIMIT};
use crate::attached::Attached;
use crate::exported::Exported;
use crate::instance::Instance;

/// What a sink says of itself.
#[derive(Default, Deserialize)]
struct About {
    batch: Option<Batch>,
}

#[derive(Deserialize)]
struct Batch {
    events: Option<usize>,
    bytes: Option<usize>,
    wait_ms: Option<u64>,
}

impl Batch {
    fn settings(&self) -> BatchSettings {
        let default = BatchSettings::default();
        BatchSettings {
            events: self.events.unwrap_or(default.events).max(1),
            bytes: self.bytes.unwrap_or(default.bytes).max(1),
            wait: self.wait_ms.map_or(default.wait, Duration::from_millis),
        }
    }
}

/// What a sink says when it has not taken all.
#[derive(Deserialize)]
struct Partly {
    refused: usize,
    #[serde(default)]
    why: String,
}

struct DynamicSink {
    handle: Arc<Handle>,
    attached: Attached,
}

struct Handle {
    instance: Arc<Instance>,
    functions: Sink,
    batch_settings: BatchSettings,
}

pub(super) fn build(
    exported: &Arc<Exported>,
    attached: Attached,
    config: Vec<u8>,
    functions: Sink,
) -> Result<Box<dyn Prospect>, Error> {
    let about: About = exported.about().map_err(|refusal| Error::new(ErrorKind::Config, refusal.to_string()))?;
    let batch_settings = about.batch.map_or_else(BatchSettings::default, |batch| batch.settings());
    // One thread: batches come one after the other.
    let instance = Instance::create(exported, attached.clone(), config, 1);
    let instance = instance.map_err(|failure| failure.into_error(exported.name))?;
    let handle = Arc::new(Handle { instance, functions, batch_settings });
    Ok(Box::new(DynamicSink { handle, attached }))
}

impl SinkHandle for Handle {
    fn write(&self, events: Arc<[EncodedEvent]>) -> Delivery<'_> {
        Box::pin(async move {
            let write = self.functions.write;
            let question = move |itself, error: &abi::Writer| {
                let Some(write) = write else { return abi::FAILED };
                let slices: Vec<Bytes> = events.iter().map(|event| Bytes::of(event.json())).collect();
                // SAFETY: all arguments are there until it returns.
                unsafe { write(itself, slices.as_ptr(), slices.len(), error) }
            };
            let taken = self.instance.ask(question).await;
            taken.map(drop).map_err(|failure| explain(failure, self.instance.exported().name))
        })
    }

    fn batch_settings(&self) -> BatchSettings {
        self.batch_settings
    }
}

/// The error of a batch, which may be about some of its events only.
fn explain(failure: Failure, name: &str) -> Error {
    if let Failure::Said(abi::REFUSED, text) = &failure
        && let Ok(Partly { refused, why }) = serde_json::from_str::<Partly>(text)
    {
        let error = Error::new(ErrorKind::Refused, format!("{name} does not take all events"));
        return error.caused_by(RefusedEvents { count: refused, why });
    }
    failure.into_error(name)
}

impl Prospect for DynamicSink {
    fn roles(&self) -> Roles {
        Roles { decision_sink: Some(self.handle.clone()), ..Roles::default() }
    }

    fn start(self: Box<Self>) -> Running {
        let (mailbox, inbox) = Mailbox::new();
        Running { mailbox, life: Box::pin(self.live(inbox)) }
    }
}

impl DynamicSink {
    async fn live(self, mut inbox: Inbox<Config>) -> Result<(), Error> {
        self.attached.report(State::Ok, "");
        let deadline = loop {
            match inbox.recv().await {
                Signal::Stop(deadline) => break deadline,
                Signal::Trigger(reply) => reply.send(Ok(())),
                Signal::Configure(_, reply) => {
                    reply.send(Err(Error::new(ErrorKind::Internal, "a sink is restarted, not reconfigured")));
                }
            }
        };
        let (instance, close) = (&self.handle.instance, self.handle.functions.close);
        let closed = match close {
            None => Ok(Vec::new()),
            Some(close) => {
                // Behind the batches that were given before.
                // SAFETY: the writer is there until it returns.
                let question = move |itself, error: &_| unsafe { close(itself, error) };
                instance.ask_within(instance.time_to_end(deadline), LIMIT, question).await
            }
        };
        instance.close();
        closed.map(drop).map_err(|failure| failure.into_error(instance.exported().name))
    }
}
