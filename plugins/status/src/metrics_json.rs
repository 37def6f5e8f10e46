//! Prometheus' text form in the JSON form that status reports carry: that of protobuf, with 64-bit counts as strings.

mod text;

use regent_core::Value;
use regent_core::value::Number;
use text::{Family, Sample};

/// The families in the text, by name.
pub(crate) fn families(text: &str) -> Vec<(Value, Value)> {
    text::parse(text).iter().map(|family| (family.name.into(), family_value(family))).collect()
}

fn family_value(family: &Family<'_>) -> Value {
    Value::object([
        ("name", Value::from(family.name)),
        ("help", family.help.as_str().into()),
        ("type", family.kind.to_ascii_uppercase().into()),
        ("metric", Value::array(series(family).iter().map(|(labels, samples)| metric(family.kind, labels, samples)))),
    ])
}

type Labels<'a> = Vec<(&'a str, &'a str)>;

/// The samples of each series, that is, those that agree in all labels but the ones that tell the parts of a
/// distribution apart. In order of appearance.
fn series<'a>(family: &'a Family<'_>) -> Vec<(Labels<'a>, Vec<&'a Sample<'a>>)> {
    let mut all: Vec<(Labels<'a>, Vec<&'a Sample<'a>>)> = Vec::new();
    for sample in &family.samples {
        let own = sample.labels.iter().filter(|(name, _)| !matches!(*name, "le" | "quantile"));
        let labels: Labels<'a> = own.map(|(name, value)| (*name, value.as_str())).collect();
        match all.last_mut().filter(|(known, _)| *known == labels) {
            Some((_, samples)) => samples.push(sample),
            None => all.push((labels, vec![sample])),
        }
    }
    all
}

fn metric(kind: &str, labels: &Labels<'_>, samples: &[&Sample<'_>]) -> Value {
    let content = match kind {
        "histogram" => distribution(samples, "bucket", "le", bucket),
        "summary" => distribution(samples, "quantile", "quantile", quantile),
        _ => Value::object(samples.last().map(|sample| ("value", number(sample.value)))),
    };
    let label = |(name, value): &(&str, &str)| Value::object([("name", *name), ("value", *value)]);
    let shown = (!labels.is_empty()).then(|| ("label", Value::array(labels.iter().map(label))));
    Value::object(shown.into_iter().chain([(kind, content)]))
}

fn distribution(
    samples: &[&Sample<'_>],
    parts: &'static str,
    label: &str,
    part: impl Fn(&str, &str) -> Option<Value>,
) -> Value {
    let mut fields = Vec::new();
    let mut list = Vec::new();
    for sample in samples {
        match sample.labels.iter().find(|(name, _)| *name == label) {
            Some((_, bound)) => list.extend(part(bound, sample.value)),
            None if sample.name.ends_with("_count") => fields.push(("sampleCount", Value::from(sample.value))),
            None => fields.push(("sampleSum", number(sample.value))),
        }
    }
    fields.push((parts, Value::array(list)));
    Value::object(fields)
}

/// A bucket; the last one, without a bound, is not listed, for it is the count.
fn bucket(bound: &str, count: &str) -> Option<Value> {
    (bound != "+Inf").then(|| Value::object([("cumulativeCount", count.into()), ("upperBound", number(bound))]))
}

#[expect(clippy::unnecessary_wraps, reason = "has the shape of `bucket`")]
fn quantile(quantile: &str, value: &str) -> Option<Value> {
    Some(Value::object([("quantile", number(quantile)), ("value", number(value))]))
}

/// A number; what JSON has no number for stays text, as protobuf has it.
fn number(text: &str) -> Value {
    match text {
        "+Inf" => "Infinity".into(),
        "-Inf" => "-Infinity".into(),
        other => Number::parse(other).map_or_else(|_| other.into(), Value::from),
    }
}

#[cfg(test)]
mod tests {
    use regent_core::value::{decode, encode};

    use super::*;

    fn check(text: &str, expected: &str) {
        let expected = decode(expected.as_bytes()).expect("valid JSON");
        assert_eq!(encode(&Value::object(families(text))), encode(&expected));
    }

    #[test]
    fn counters_and_gauges_have_a_value_for_each_set_of_labels() {
        check(
            "# HELP hits How often.\n# TYPE hits counter\nhits{a=\"x\",b=\"q\\\"\\\\\\n\"} 5\nhits 0\n\n# TYPE up gauge\nup 1.5\n",
            r#"{"hits": {"name": "hits", "help": "How often.", "type": "COUNTER", "metric": [
                 {"label": [{"name": "a", "value": "x"}, {"name": "b", "value": "q\"\\\n"}], "counter": {"value": 5}},
                 {"counter": {"value": 0}}]},
                "up": {"name": "up", "help": "", "type": "GAUGE", "metric": [{"gauge": {"value": 1.5}}]}}"#,
        );
    }

    #[test]
    fn histograms_show_counts_as_text_and_leave_the_last_bucket_out() {
        check(
            "# TYPE d histogram\nd_bucket{h=\"x\",le=\"0.1\"} 0\nd_bucket{h=\"x\",le=\"+Inf\"} 2\nd_sum{h=\"x\"} 3.5\nd_count{h=\"x\"} 2\n",
            r#"{"d": {"name": "d", "help": "", "type": "HISTOGRAM", "metric": [
                 {"label": [{"name": "h", "value": "x"}],
                  "histogram": {"sampleCount": "2", "sampleSum": 3.5,
                                "bucket": [{"cumulativeCount": "0", "upperBound": 0.1}]}}]}}"#,
        );
    }

    #[test]
    fn summaries_have_quantiles_and_may_have_no_number() {
        check(
            "# TYPE s summary\ns{quantile=\"0.5\"} NaN\ns_sum 0\ns_count 0\n",
            r#"{"s": {"name": "s", "help": "", "type": "SUMMARY", "metric": [
                 {"summary": {"sampleCount": "0", "sampleSum": 0, "quantile": [{"quantile": 0.5, "value": "NaN"}]}}]}}"#,
        );
    }

    #[test]
    fn what_is_no_metric_is_left_out() {
        check("# EOF\nnonsense\nx{a=\"b 1\n", "{}");
    }
}
