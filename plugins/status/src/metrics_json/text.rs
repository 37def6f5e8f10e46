//! Reads Prometheus' text form, as far as the agent's own telemetry writes it.

/// A family of metrics.
#[derive(Debug, Default)]
pub(super) struct Family<'a> {
    pub(super) name: &'a str,
    pub(super) help: String,
    /// `counter`, `gauge`, `histogram`, `summary` or `untyped`.
    pub(super) kind: &'a str,
    pub(super) samples: Vec<Sample<'a>>,
}

/// One line.
#[derive(Debug)]
pub(super) struct Sample<'a> {
    pub(super) name: &'a str,
    pub(super) labels: Vec<(&'a str, String)>,
    pub(super) value: &'a str,
}

/// The families in the text, each with its samples. Lines that are none are left out.
pub(super) fn parse(text: &str) -> Vec<Family<'_>> {
    let mut families: Vec<Family<'_>> = Vec::new();
    let mut help = None;
    for line in text.lines() {
        if let Some(described) = line.strip_prefix("# HELP ") {
            help = described.split_once(' ');
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|typed| typed.split_once(' ')) {
            let described = help.take().filter(|(described, _)| *described == name);
            let help = described.map(|(_, help)| unescape(help)).unwrap_or_default();
            families.push(Family { name, help, kind, samples: Vec::new() });
        } else if let (Some(family), Some(sample)) = (families.last_mut(), sample(line)) {
            family.samples.push(sample);
        }
    }
    families
}

/// `name{label="value",…} number`, the braces being optional.
fn sample(line: &str) -> Option<Sample<'_>> {
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, quoted) = rest.split_once("=\"")?;
            let length = closing_quote(quoted)?;
            labels.push((label.trim_start_matches(','), unescape(&quoted[..length])));
            rest = &quoted[length + 1..];
        }
        rest = &rest[1..];
    }
    let value = rest.trim();
    (!name.starts_with('#') && !value.is_empty()).then_some(Sample { name, labels, value })
}

fn closing_quote(quoted: &str) -> Option<usize> {
    let mut escaped = false;
    quoted.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => plain.push('\n'),
                Some(other) => plain.push(other),
                None => plain.push('\\'),
            },
            other => plain.push(other),
        }
    }
    plain
}
