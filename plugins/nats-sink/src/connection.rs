//! One connection, and the events that are on their way through it.

use std::collections::VecDeque;
use std::error::Error as _;
use std::future::ready;
use std::time::Duration;

use async_nats::jetstream::context::{ContextBuilder, PublishAckFuture, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, Context, ErrorCode};
use async_nats::{ConnectOptions, Event, HeaderValue};
use regent_core::decision::{EncodedEvent, RefusedEvents};
use regent_core::{Error, ErrorKind};
use tokio::sync::watch;

use crate::config::Config;

/// A connection. Once something has gone wrong with it, it is to be dropped.
pub(crate) struct Connection {
    context: Context,
    /// What has gone wrong beside the answers to events: the connection broke, or the server complains.
    trouble: watch::Receiver<Option<String>>,
    subject: String,
    in_flight: usize,
    patience: Duration,
}

impl Connection {
    /// Connects to one of the servers.
    ///
    /// # Errors
    /// When none of them lets the agent in.
    pub(crate) async fn open(config: &Config) -> Result<Self, Error> {
        let (sender, trouble) = watch::channel(None);
        let told = move |event| {
            if let Some(text) = trouble_of(&event) {
                sender.send_replace(Some(text));
            }
            ready(())
        };
        let options = options(config).await?.event_callback(told);
        let client = options.connect(config.addresses.as_slice()).await;
        let client = client.map_err(|error| unavailable(format!("cannot connect to {}: {error}", config.places())))?;
        let (patience, in_flight) = (config.ack_timeout(), config.max_in_flight());
        let context = ContextBuilder::new().timeout(patience).ack_timeout(patience).max_ack_inflight(in_flight);
        let context = context.build(client);
        Ok(Self { context, trouble, subject: config.subject.clone(), in_flight, patience })
    }

    /// Whether it has broken.
    pub(crate) fn is_lost(&self) -> bool {
        self.trouble.borrow().is_some()
    }

    /// Publishes events in order; done when all of them are acknowledged.
    ///
    /// # Errors
    /// When some are not acknowledged; or when some are refused and all others are acknowledged.
    pub(crate) async fn publish(&self, events: &[EncodedEvent]) -> Result<(), Error> {
        let mut trouble = self.trouble.clone();
        tokio::select! {
            biased;
            result = self.publish_all(events) => result,
            Ok(text) = trouble.wait_for(Option::is_some) => {
                Err(unavailable(text.as_deref().unwrap_or_default().to_owned()))
            }
        }
    }

    async fn publish_all(&self, events: &[EncodedEvent]) -> Result<(), Error> {
        let mut waiting = VecDeque::with_capacity(self.in_flight.min(events.len()));
        let mut refused = Vec::new();
        for event in events {
            if waiting.len() == self.in_flight {
                self.settle(waiting.pop_front(), &mut refused).await?;
            }
            let Ok(id) = event.decision_id().parse::<HeaderValue>() else {
                refused.push("the id of a decision has a line break".to_owned());
                continue;
            };
            let message = PublishMessage::build().payload(event.json().clone());
            let message = message.header(async_nats::header::NATS_MESSAGE_ID, id);
            match self.context.send_publish(self.subject.clone(), message).await {
                Ok(acknowledgement) => waiting.push_back(acknowledgement),
                Err(error) => refused.push(self.refusal(&error)?),
            }
        }
        while let Some(acknowledgement) = waiting.pop_front() {
            self.settle(Some(acknowledgement), &mut refused).await?;
        }
        RefusedEvents::check("NATS", refused)
    }

    async fn settle(&self, waiting: Option<PublishAckFuture>, refused: &mut Vec<String>) -> Result<(), Error> {
        if let Some(acknowledgement) = waiting
            && let Err(error) = acknowledgement.await
        {
            refused.push(self.refusal(&error)?);
        }
        Ok(())
    }

    /// Why an event is never taken; an error if it may be taken later.
    fn refusal(&self, error: &PublishError) -> Result<String, Error> {
        let subject = &self.subject;
        match error.kind() {
            PublishErrorKind::MaxPayloadExceeded => Ok(error.to_string()),
            _ if is_too_large(error) => Ok(error.to_string()),
            PublishErrorKind::StreamNotFound => {
                let remedy = "create one with it among its subjects, on servers with JetStream";
                Err(unavailable(format!("no stream takes the subject {subject:?}: {remedy}")))
            }
            PublishErrorKind::TimedOut => {
                Err(unavailable(format!("no acknowledgement from {subject:?} within {:?}", self.patience)))
            }
            _ => Err(unavailable(format!("cannot publish to {subject:?}: {error}"))),
        }
    }
}

async fn options(config: &Config) -> Result<ConnectOptions, Error> {
    let mut options = ConnectOptions::new()
        .name("regent")
        .connection_timeout(config.connect_timeout())
        .client_capacity(config.max_in_flight())
        // Each server once: who waits before another try is the one that offers the events.
        .max_reconnects(config.addresses.len());
    let credentials = &config.credentials;
    if let Some(path) = &credentials.path {
        let read = options.credentials_file(path).await;
        options = read.map_err(|error| unavailable(format!("credentials: {error}")))?;
    }
    if let (Some(user), Some(password)) = (&credentials.user, &credentials.password) {
        options = options.user_and_password(user.clone(), password.expose().to_owned());
    }
    if let Some(token) = &credentials.token {
        options = options.token(token.expose().to_owned());
    }
    if let Some(seed) = &credentials.nkey {
        options = options.nkey(seed.expose().to_owned());
    }
    let files = config.tls.clone().unwrap_or_default();
    let read = tokio::task::spawn_blocking(move || files.client_config()).await;
    let tls = read.map_err(|error| Error::new(ErrorKind::Internal, "reading TLS files failed").caused_by(error))?;
    let tls = tls.map_err(|error| unavailable(format!("tls: {error}")))?;
    Ok(options.tls_client_config(tls).require_tls(config.tls.is_some()))
}

/// What an event of the client says is wrong.
fn trouble_of(event: &Event) -> Option<String> {
    match event {
        Event::Disconnected | Event::Closed => Some("the connection to NATS broke".to_owned()),
        Event::ServerError(error) => Some(error.to_string()),
        Event::ClientError(error) => Some(error.to_string()),
        _ => None,
    }
}

/// Whether the stream never takes an event of that size.
fn is_too_large(error: &PublishError) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<jetstream::Error>());
    cause.is_some_and(|cause| cause.error_code() == ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM)
}

fn unavailable(text: String) -> Error {
    Error::new(ErrorKind::Unavailable, text)
}
