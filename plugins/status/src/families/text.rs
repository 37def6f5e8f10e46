//! Writes Prometheus' text form.

use std::fmt::Write as _;

/// Families and samples as text.
#[derive(Default)]
pub(super) struct Text {
    text: String,
    /// The head of a family that has no sample yet; a family without any is not shown.
    head: String,
}

impl Text {
    /// Begins a family. Its samples follow.
    pub(super) fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.head = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    /// One sample of the present family.
    pub(super) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: &str) {
        self.text.push_str(&std::mem::take(&mut self.head));
        self.text.push_str(name);
        for (at, (label, value)) in labels.iter().enumerate() {
            let opening = if at == 0 { '{' } else { ',' };
            let escaped = value.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n");
            let _ = write!(self.text, "{opening}{label}=\"{escaped}\"");
        }
        let closing = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{closing} {value}");
    }

    pub(super) fn into_string(self) -> String {
        self.text
    }
}
