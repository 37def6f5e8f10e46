//! The plugin: what is configured, put together.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use opentelemetry::KeyValue;
use opentelemetry_otlp::{Protocol as OtlpProtocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::EnvResourceDetector;
use opentelemetry_sdk::trace::SpanExporter as _;
use regent_core::plugin::{Inbox, Plugin, Roles, Signal};
use regent_core::status::State;
use regent_core::trace::Tracer;
use regent_core::{Error, ErrorKind, Host};
use tokio::sync::{Notify, mpsc};

use crate::config::{Config, Protocol};
use crate::pump::Pump;
use crate::queue::Queue;
use crate::tracer::OtelTracer;
use crate::wire::Wire;

const DROPPED: &str = "distributed_tracing_spans_dropped";

/// `distributed_tracing`
pub(crate) struct DistributedTracing {
    tracer: OtelTracer,
    pump: Pump,
    host: Host,
}

impl Plugin for DistributedTracing {
    const NAME: &'static str = "distributed_tracing";
    const SECTIONS: &'static [&'static str] = &["distributed_tracing"];
    type Config = Config;

    fn build(config: Config, host: Host) -> Result<Self, Error> {
        // Without a type there is no plugin.
        let protocol = config.protocol().unwrap_or(Protocol::Grpc);
        let resource = resource(&config);
        let mut exporter = exporter(&config, protocol)?;
        exporter.set_resource(&resource);
        let batching = config.batching();
        let (sender, spans) = mpsc::channel(batching.queue);
        host.telemetry.describe_counter(DROPPED, "Spans that did not reach the collector.");
        let counter = |reason: &str| host.telemetry.counter(DROPPED, &[("reason", reason.to_owned())]);
        let untold = Arc::<AtomicU64>::default();
        let (dropped, failed) = (counter("queue_full"), counter("not_delivered"));
        let queue = Queue { spans: sender, blocking: batching.blocking, dropped, untold: untold.clone() };
        let tracer = OtelTracer::new(resource, config.sample(), queue);
        let pump = Pump { spans, exporter, batching, failed, untold };
        Ok(Self { tracer, pump, host })
    }

    fn roles(&self) -> Roles {
        let tracer: Arc<dyn Tracer> = Arc::new(self.tracer.clone());
        Roles { tracer: Some(tracer), ..Roles::default() }
    }

    async fn run(self, mut inbox: Inbox<Config>) -> Result<(), Error> {
        let Self { tracer, mut pump, host } = self;
        host.report(State::Ok, None);
        let stop = Notify::new();
        let mut pumping = std::pin::pin!(pump.run(&stop));
        loop {
            tokio::select! {
                () = &mut pumping => return Ok(()),
                signal = inbox.recv() => match signal {
                    Signal::Stop(deadline) => {
                        stop.notify_one();
                        // What is not delivered by then is counted as lost.
                        let _ = tokio::time::timeout_at(deadline, &mut pumping).await;
                        drop(tracer);
                        return Ok(());
                    }
                    Signal::Trigger(reply) => reply.send(Ok(())),
                    Signal::Configure(_, reply) => {
                        reply.send(Err(Error::new(ErrorKind::Internal, "a new instance takes a new configuration")));
                    }
                },
            }
        }
    }
}

/// What the collector is told of the agent: the configuration, over what `OTEL_RESOURCE_ATTRIBUTES` says.
fn resource(config: &Config) -> Resource {
    let attributes = config.resource().into_iter().map(|(key, value)| KeyValue::new(key, value));
    Resource::builder_empty().with_detector(Box::new(EnvResourceDetector::new())).with_attributes(attributes).build()
}

fn exporter(config: &Config, protocol: Protocol) -> Result<SpanExporter, Error> {
    let refused = |why: String| Error::new(ErrorKind::Config, format!("distributed_tracing: {why}"));
    let wire = Wire::new(config, protocol).map_err(|error| refused(error.to_string()))?;
    SpanExporter::builder()
        .with_http()
        .with_protocol(OtlpProtocol::HttpBinary)
        .with_endpoint(Wire::url(config, protocol))
        .with_timeout(config.batching().export_timeout)
        .with_http_client(wire)
        .build()
        .map_err(|error| refused(error.to_string()))
}
