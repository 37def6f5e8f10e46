//! The sink: a batch becomes an object.

use std::io::{self, Write as _};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload};
use regent_core::decision::{BatchSettings, EncodedEvent};
use regent_core::plugin::DecisionSink;
use regent_core::{Error, Host};

use crate::config::Config;
use crate::error::StoreError;
use crate::name::Layout;
use crate::store;

/// Puts decisions into a store, an object for each batch.
pub struct ObjectStoreSink {
    store: Arc<dyn ObjectStore>,
    layout: Layout,
    url: String,
    batch_settings: BatchSettings,
}

impl DecisionSink for ObjectStoreSink {
    const NAME: &'static str = "object_store_sink";
    type Config = Config;

    fn build(config: Config, _host: Host) -> Result<Self, Error> {
        let store = store::open(&config)?;
        Ok(Self { store, layout: config.layout(), batch_settings: config.batch_settings(), url: config.url })
    }

    fn batch_settings(&self) -> BatchSettings {
        self.batch_settings
    }

    async fn write(&mut self, events: &[EncodedEvent]) -> Result<(), Error> {
        let Some(first) = events.first() else { return Ok(()) };
        let name = self.layout.name(first, events.len());
        let events = events.to_vec();
        let compressed = tokio::task::spawn_blocking(move || compress(&events)).await;
        let compressed = compressed.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        let payload = PutPayload::from(compressed.map_err(StoreError::Compression)?);
        let put = self.store.put(&name, payload).await;
        put.map_err(|error| StoreError::put(&self.url, &error))?;
        Ok(())
    }
}

fn compress(events: &[EncodedEvent]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    for event in events {
        encoder.write_all(event.json())?;
        encoder.write_all(b"\n")?;
    }
    encoder.finish()
}
