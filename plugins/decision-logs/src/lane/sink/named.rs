//! The sink that `decision_logs.plugin` names.

use std::sync::Arc;

use regent_core::decision::{BatchSettings, Delivery, EncodedEvent, SinkHandle};
use regent_core::{Error, ErrorKind, Host};

/// A sink by name, looked up anew for each batch: the plugin behind it may start later or be replaced.
pub(crate) struct NamedSink {
    plugin: String,
    host: Host,
}

impl NamedSink {
    pub(crate) fn new(plugin: String, host: Host) -> Self {
        Self { plugin, host }
    }
}

impl SinkHandle for NamedSink {
    fn write(&self, events: Arc<[EncodedEvent]>) -> Delivery<'_> {
        Box::pin(async move {
            let missing = || Error::new(ErrorKind::Unavailable, "plugin does not implement Logger interface");
            let sink = self.host.sink(&self.plugin).ok_or_else(missing)?;
            sink.write(events).await
        })
    }

    fn batch_settings(&self) -> BatchSettings {
        self.host.sink(&self.plugin).map(|sink| sink.batch_settings()).unwrap_or_default()
    }
}
