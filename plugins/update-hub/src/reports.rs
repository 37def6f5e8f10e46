//! What agents report of updates.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

/// Most reports that are kept.
const MOST: usize = 10_000;

/// Most bytes of them.
const MOST_BYTES: usize = 32 << 20;

/// The latest reports.
#[derive(Default)]
pub(crate) struct Reports(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    reports: VecDeque<Report>,
    bytes: usize,
}

/// What one agent reports of one update.
#[derive(Clone, Serialize)]
pub(crate) struct Report {
    /// The host that it came from.
    pub(crate) from: String,
    pub(crate) received: Timestamp,
    pub(crate) update_id: Option<String>,
    #[serde(rename = "report")]
    pub(crate) content: Box<RawValue>,
}

impl Reports {
    pub(crate) fn add(&self, report: Report) {
        // Nothing that is done while it is held leaves it half done.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += report.content.get().len();
        kept.reports.push_back(report);
        while kept.reports.len() > MOST || kept.bytes > MOST_BYTES {
            let Some(oldest) = kept.reports.pop_front() else { return };
            kept.bytes -= oldest.content.get().len();
        }
    }

    /// What has been reported of an update.
    pub(crate) fn of(&self, update_id: &str) -> Vec<Report> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.reports.iter().filter(|report| report.update_id.as_deref() == Some(update_id)).cloned().collect()
    }
}
