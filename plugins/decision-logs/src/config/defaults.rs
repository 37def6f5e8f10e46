//! What holds for keys that may be left out, for people who ask.

use regent_core::Value;

use super::disk::SyncPolicy;
use super::{BufferType, Config, Reporting};

/// A key below a section, and its value.
type Default = (Vec<String>, Value);

impl Config {
    /// What holds for keys below `decision_logs`. The directory of journals is not among them: it depends on
    /// `persistence_directory`, which is a setting of the whole agent.
    pub(super) fn all_defaults(&self) -> Vec<Default> {
        let mut keys = vec![
            key("console", self.console),
            key("mask_decision", self.mask_path().to_string()),
            key("drop_decision", self.drop_path().to_string()),
            key(
                "request_context.http.headers",
                Value::array(self.request_context.http.headers.iter().map(Value::from)),
            ),
        ];
        if let Some(service) = &self.service {
            keys.extend([key("service", service), key("resource", self.upload_path())]);
        }
        keys.extend(self.reporting.defaults().into_iter().map(below_reporting));
        keys
    }
}

impl Reporting {
    fn defaults(&self) -> Vec<Default> {
        let delays = self.delays();
        let mut keys = vec![
            key("min_delay_seconds", delays.start().as_secs()),
            key("max_delay_seconds", delays.end().as_secs()),
            key("upload_size_limit_bytes", self.upload_limit() as u64),
            key("trigger", self.trigger().as_str()),
            key("buffer_type", self.buffer_type().as_str()),
        ];
        match self.buffer_type() {
            BufferType::Size => keys.push(key("buffer_size_limit_bytes", self.buffered_bytes() as u64)),
            BufferType::Event => keys.push(key("buffer_size_limit_events", self.buffered_events() as u64)),
            BufferType::Disk => keys.extend(self.of_disk()),
        }
        keys
    }

    fn of_disk(&self) -> Vec<Default> {
        let Some(disk) = self.disk("".as_ref()) else { return Vec::new() };
        let (sync, interval) = match disk.sync {
            SyncPolicy::Always => ("always", None),
            SyncPolicy::Interval(pause) => ("interval", u64::try_from(pause.as_millis()).ok()),
            SyncPolicy::Never => ("never", None),
        };
        let mut keys = vec![
            key("disk_size_limit_bytes", disk.limit),
            key("disk_sync", sync),
            key("disk_on_failure", if disk.refuses { "refuse" } else { "drop" }),
        ];
        keys.extend(interval.map(|pause| key("disk_sync_interval_ms", pause)));
        keys
    }
}

fn key(dotted: &str, value: impl Into<Value>) -> Default {
    (dotted.split('.').map(str::to_owned).collect(), value.into())
}

fn below_reporting((path, value): Default) -> Default {
    (std::iter::once("reporting".to_owned()).chain(path).collect(), value)
}
