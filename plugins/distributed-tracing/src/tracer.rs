//! Spans as OpenTelemetry makes them.

use std::sync::Arc;

use http::HeaderMap;
use opentelemetry::propagation::{TextMapCompositePropagator, TextMapPropagator as _};
use opentelemetry::trace::{SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use regent_core::trace::{Attribute, Recording, Side, Span, Tracer};

use crate::queue::Queue;

/// Makes spans. Clones share what they are made with.
#[derive(Clone)]
pub(crate) struct OtelTracer(Arc<Parts>);

struct Parts {
    tracer: SdkTracer,
    /// `traceparent`, `tracestate` and `baggage`.
    propagator: TextMapCompositePropagator,
    /// Lives as long as there may be spans.
    _provider: SdkTracerProvider,
}

impl OtelTracer {
    /// Spans of that share of the traces that begin here go into the queue.
    pub(crate) fn new(resource: Resource, sample: f64, queue: Queue) -> Self {
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(sample)));
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_sampler(sampler)
            .with_span_processor(queue)
            .build();
        let tracer = provider.tracer("regent");
        let propagator = TextMapCompositePropagator::new(vec![
            Box::new(TraceContextPropagator::new()),
            Box::new(BaggagePropagator::new()),
        ]);
        Self(Arc::new(Parts { tracer, propagator, _provider: provider }))
    }

    fn below(&self, parent: &Context, name: &str, side: Side) -> Span {
        let kind = match side {
            Side::Server => SpanKind::Server,
            Side::Client => SpanKind::Client,
        };
        let tracer = &self.0.tracer;
        let span = tracer.span_builder(name.to_owned()).with_kind(kind).start_with_context(tracer, parent);
        Span::new(OtelSpan { context: parent.with_span(span), tracer: self.clone() })
    }
}

impl Tracer for OtelTracer {
    fn start(&self, name: &str, side: Side, received: Option<&HeaderMap>) -> Span {
        let nobody = Context::new();
        let parent = match received {
            Some(headers) => self.0.propagator.extract_with_context(&nobody, &HeaderExtractor(headers)),
            None => nobody,
        };
        self.below(&parent, name, side)
    }
}

struct OtelSpan {
    context: Context,
    tracer: OtelTracer,
}

impl Recording for OtelSpan {
    fn ids(&self) -> (String, String) {
        let span = self.context.span();
        let ids = span.span_context();
        (ids.trace_id().to_string(), ids.span_id().to_string())
    }

    fn child(&self, name: &str, side: Side) -> Span {
        self.tracer.below(&self.context, name, side)
    }

    fn inject(&self, headers: &mut HeaderMap) {
        self.tracer.0.propagator.inject_context(&self.context, &mut HeaderInjector(headers));
    }

    fn set(&self, name: &'static str, value: Attribute) {
        self.context.span().set_attribute(match value {
            Attribute::Text(text) => KeyValue::new(name, text),
            Attribute::Number(number) => KeyValue::new(name, number),
        });
    }

    fn fail(&self, why: &str) {
        self.context.span().set_status(Status::error(why.to_owned()));
    }
}
