//! What is logged while tests run.

use std::sync::{Mutex, OnceLock};

/// A line's message and its field `json`.
pub type Line = (String, Option<String>);

/// The log lines of all tests of the process together, from the first call on.
///
/// # Panics
/// When somebody else receives log lines already.
pub fn log_lines() -> &'static Mutex<Vec<Line>> {
    static LINES: OnceLock<Mutex<Vec<Line>>> = OnceLock::new();
    LINES.get_or_init(|| {
        use tracing_subscriber::layer::SubscriberExt as _;
        let capture = tracing_subscriber::registry().with(Capture);
        tracing::subscriber::set_global_default(capture).expect("the only one");
        Mutex::default()
    })
}

struct Capture;

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Capture {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        if event.metadata().target().starts_with("regent") {
            log_lines().lock().expect("no one panics with it").push((fields.message, fields.json));
        }
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    json: Option<String>,
}

impl tracing::field::Visit for Fields {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "json" => self.json = Some(format!("{value:?}")),
            _ => {}
        }
    }
}
