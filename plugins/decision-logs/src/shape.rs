//! Makes of a bare event what receivers see: labels, request headers, and what policies drop and mask.

use std::sync::Arc;

use regent_core::Value;
use regent_core::decision::{DecisionEvent, EncodedEvent};
use regent_core::engine::QueryError;
use regent_core::store::Snapshot;

use crate::config::Config;
use crate::counters::{Count, Counters};
use crate::error::MaskError;
use crate::mask;
use crate::policy::Policy;

/// Shapes events. Works on threads where blocking is allowed, since policies may take their time.
pub(crate) struct Shaper {
    /// Names of headers as configured, and in lower case.
    headers: Vec<(String, String)>,
    drop: Policy,
    mask: Policy,
    counters: Arc<Counters>,
}

/// What became of events, and what went wrong with some.
#[derive(Default)]
pub(crate) struct Shaped {
    /// One for each event; nothing for those that a policy dropped.
    pub(crate) events: Vec<Option<EncodedEvent>>,
    pub(crate) trouble: Trouble,
}

/// What went wrong in one batch: how often, and the last reason.
#[derive(Default)]
pub(crate) struct Trouble {
    pub(crate) drop: u64,
    pub(crate) mask: u64,
    pub(crate) drop_error: Option<QueryError>,
    pub(crate) mask_error: Option<MaskError>,
}

/// Which policies there are in one state.
struct Present {
    generation: u64,
    drop: bool,
    mask: bool,
}

impl Shaper {
    pub(crate) fn new(config: &Config, counters: Arc<Counters>) -> Self {
        let names = config.request_context.http.headers.iter();
        Self {
            headers: names.map(|name| (name.clone(), name.to_ascii_lowercase())).collect(),
            drop: Policy::new(config.drop_path()),
            mask: Policy::new(config.mask_path()),
            counters,
        }
    }

    /// Shapes and encodes a batch. Its order stays.
    pub(crate) fn shape(&self, labels: &Value, batch: impl IntoIterator<Item = Box<DecisionEvent>>) -> Shaped {
        let mut shaped = Shaped::default();
        let mut present: Option<Present> = None;
        let mut room = Vec::new();
        for mut event in batch {
            event.labels = labels.clone();
            event.request_context = self.request_context(&event);
            let kept = event.snapshot.take().is_none_or(|snapshot| {
                let known = present.take().filter(|known| known.generation == snapshot.generation());
                let present = present.insert(known.unwrap_or_else(|| self.look(&snapshot)));
                self.keep(&mut event, &snapshot, present, &mut shaped.trouble)
            });
            shaped.events.push(kept.then(|| EncodedEvent::by_way_of(&mut room, &event)));
        }
        self.counters.add(Count::DropFailed, shaped.trouble.drop);
        self.counters.add(Count::MaskFailed, shaped.trouble.mask);
        shaped
    }

    fn look(&self, snapshot: &Snapshot) -> Present {
        Present {
            generation: snapshot.generation(),
            drop: self.drop.may_exist(snapshot),
            mask: self.mask.may_exist(snapshot),
        }
    }

    /// Masks the event; false if it is to be dropped.
    fn keep(&self, event: &mut DecisionEvent, snapshot: &Snapshot, present: &Present, trouble: &mut Trouble) -> bool {
        if !present.drop && !present.mask {
            return true;
        }
        let input = policy_input(event);
        if present.drop {
            match self.drop.ask(snapshot, &input) {
                Ok(Some(drop)) if drop.as_bool() == Some(true) => return false,
                Ok(_) => {}
                Err(error) => {
                    trouble.drop += 1;
                    trouble.drop_error = Some(error);
                    // The policy might have wanted the event gone because of what is in it.
                    mask::withhold(event);
                    return true;
                }
            }
        }
        if present.mask
            && let Err(error) = self.mask(event, snapshot, &input)
        {
            trouble.mask += 1;
            trouble.mask_error = Some(error);
            mask::withhold(event);
        }
        true
    }

    fn mask(&self, event: &mut DecisionEvent, snapshot: &Snapshot, input: &Value) -> Result<(), MaskError> {
        if let Some(answer) = self.mask.ask(snapshot, input)? {
            mask::apply(&mask::rules(&answer)?, event);
        }
        Ok(())
    }

    fn request_context(&self, event: &DecisionEvent) -> Option<Value> {
        let values = |lower: &str| -> Vec<&str> {
            event.headers.iter().filter(|(name, _)| name == lower).map(|(_, value)| value.as_str()).collect()
        };
        let found: Vec<(&str, Value)> = self
            .headers
            .iter()
            .map(|(name, lower)| (name.as_str(), values(lower)))
            .filter(|(_, values)| !values.is_empty())
            .map(|(name, values)| (name, Value::array(values)))
            .collect();
        (!found.is_empty()).then(|| Value::object([("http", Value::object([("headers", Value::object(found))]))]))
    }
}

/// The event as policies see it: without what it cost and how it failed.
fn policy_input(event: &DecisionEvent) -> Value {
    event.to_value().without(&["error"]).without(&["metrics"])
}
