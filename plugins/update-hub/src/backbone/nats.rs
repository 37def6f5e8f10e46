//! A log in NATS: a stream of JetStream, whose numbers are those of the log. What it acknowledges it has on disk.

use std::time::Duration;

use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::stream::Config as StreamConfig;
use async_nats::jetstream::{Context, stream::Stream};
use async_nats::{ConnectOptions, ServerAddr};
use futures_util::StreamExt as _;
use regent_core::{Error, ErrorKind};
use regent_services::tls::TlsFiles;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::{Extent, Reader, SharedLog, Stored};
use crate::config::BackboneConfig;

/// How long connecting and an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a reader waits for records before it asks whether the server is there.
const WAIT: Duration = Duration::from_secs(2);

/// Most records that are read at a time.
const AT_ONCE: usize = 256;

/// A stream.
pub(super) struct NatsLog {
    address: ServerAddr,
    tls: TlsFiles,
    name: String,
    keep: i64,
    /// By which it is written; made when it is needed.
    writer: Mutex<Option<Context>>,
}

impl NatsLog {
    pub(super) fn new(config: &BackboneConfig, keep: usize) -> Result<Self, Error> {
        // What the address says is not repeated: it may have a password.
        let broken = |_| Error::new(ErrorKind::Config, "`hub.backbone.url` is no address of NATS");
        let address = config.url.expose().parse().map_err(broken)?;
        let keep = i64::try_from(keep).unwrap_or(i64::MAX);
        Ok(Self { address, tls: config.tls.clone(), name: config.name.clone(), keep, writer: Mutex::default() })
    }

    async fn connect(&self) -> Result<Context, Error> {
        // Who waits before another try is the one that reads or publishes.
        let mut options = ConnectOptions::new().name("regent-hub").connection_timeout(PATIENCE).max_reconnects(1);
        if self.tls != TlsFiles::default() {
            let files = self.tls.clone();
            let tls = tokio::task::spawn_blocking(move || files.client_config()).await;
            let tls = tls.map_err(failed)?.map_err(failed)?;
            options = options.tls_client_config(tls).require_tls(true);
        }
        let client = options.connect(self.address.clone()).await.map_err(failed)?;
        Ok(ContextBuilder::new().timeout(PATIENCE).ack_timeout(PATIENCE).build(client))
    }

    async fn stream(&self, context: &Context) -> Result<Stream, Error> {
        let config = StreamConfig {
            name: self.name.clone(),
            subjects: vec![self.name.clone()],
            max_messages: self.keep,
            ..StreamConfig::default()
        };
        context.get_or_create_stream(config).await.map_err(failed)
    }
}

impl SharedLog for NatsLog {
    type Reader = NatsReader;

    async fn append(&self, text: &str) -> Result<u64, Error> {
        let context = self.writer.lock().await.clone();
        let context = match context {
            Some(context) => context,
            None => self.connect().await?,
        };
        *self.writer.lock().await = Some(context.clone());
        let most = context.client().server_info().max_payload;
        if text.len() > most {
            return Err(Error::new(
                ErrorKind::Refused,
                format!("NATS takes no more than {most} bytes (`max_payload`)"),
            ));
        }
        let publish = async {
            context.publish(self.name.clone(), text.to_owned().into()).await.map_err(failed)?.await.map_err(failed)
        };
        let published = timeout(2 * PATIENCE, publish).await.unwrap_or_else(|_| Err(silent()));
        if published.is_err() {
            self.writer.lock().await.take();
        }
        published.map(|acknowledged| acknowledged.sequence)
    }

    async fn reader(&self) -> Result<NatsReader, Error> {
        let context = self.connect().await?;
        let stream = self.stream(&context).await?;
        Ok(NatsReader { stream, epoch: String::new(), records: None })
    }
}

pub(super) struct NatsReader {
    stream: Stream,
    epoch: String,
    /// What comes after a number.
    records: Option<(u64, Ordered)>,
}

impl Reader for NatsReader {
    async fn extent(&mut self) -> Result<Extent, Error> {
        let info = timeout(PATIENCE, self.stream.info()).await.map_err(|_| silent())?.map_err(failed)?;
        // A stream that was made anew counts from one.
        self.epoch = info.created.unix_timestamp_nanos().to_string();
        let latest = info.state.last_sequence;
        let first = if info.state.messages == 0 { latest + 1 } else { info.state.first_sequence };
        Ok(Extent { epoch: self.epoch.clone(), first, latest })
    }

    async fn after(&mut self, seq: u64) -> Result<Vec<Stored>, Error> {
        let mut records = match self.records.take() {
            Some((at, records)) if at == seq => records,
            _ => self.records_after(seq).await?,
        };
        let mut stored: Vec<Stored> = Vec::new();
        while stored.len() < AT_ONCE {
            // Whatever has come already follows at once.
            let patience = if stored.is_empty() { WAIT } else { Duration::ZERO };
            let Ok(next) = timeout(patience, records.next()).await else { break };
            let message = next.ok_or_else(silent)?.map_err(failed)?;
            let seq = message.info().map_err(failed)?.stream_sequence;
            let text = std::str::from_utf8(&message.payload).map_err(failed)?.to_owned();
            stored.push(Stored { seq, epoch: self.epoch.clone(), text });
        }
        self.records = Some((stored.last().map_or(seq, |last| last.seq), records));
        Ok(stored)
    }

    /// A stream on disk has what it has acknowledged. One that was restored from a copy has to be removed by who did so, which
    /// makes it another one.
    async fn renew(&mut self, _: &str) -> Result<(), Error> {
        Err(Error::new(
            ErrorKind::Protocol,
            "the stream has lost what it had: remove it, so that hubs make another one",
        ))
    }
}

impl NatsReader {
    async fn records_after(&mut self, seq: u64) -> Result<Ordered, Error> {
        let deliver_policy = DeliverPolicy::ByStartSequence { start_sequence: seq + 1 };
        let consumer = self.stream.create_consumer(OrderedConfig { deliver_policy, ..OrderedConfig::default() });
        let consumer = timeout(PATIENCE, consumer).await.map_err(|_| silent())?.map_err(failed)?;
        consumer.messages().await.map_err(failed)
    }
}

fn silent() -> Error {
    Error::new(ErrorKind::Unavailable, "NATS does not answer")
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Unavailable, format!("NATS: {error}"))
}
