//! The sink that `decision_logs.plugin` names.

use std::sync::Arc;

use regent_core::decision::{Delivery, EncodedEvent, Gathering, SinkHandle};
use regent_core::{Error, ErrorKind, Host};

/// A sink by name, looked up anew for each batch: the plugin behind it may start later or be replaced.
pub(crate) struct Named {
    plugin: String,
    host: Host,
}

impl Named {
    pub(crate) fn new(plugin: String, host: Host) -> Self {
        Self { plugin, host }
    }
}

impl SinkHandle for Named {
    fn write(&self, events: Arc<[EncodedEvent]>) -> Delivery<'_> {
        Box::pin(async move {
            let missing = || Error::new(ErrorKind::Unavailable, "plugin does not implement Logger interface");
            let sink = self.host.sink(&self.plugin).ok_or_else(missing)?;
            sink.write(events).await
        })
    }

    fn gathering(&self) -> Gathering {
        self.host.sink(&self.plugin).map(|sink| sink.gathering()).unwrap_or_default()
    }
}
