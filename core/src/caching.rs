//! The section `caching`: how much built-in functions may keep from one query to the next.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::config::{ConfigError, ConfigErrors, Section};

/// Bytes of results that are kept if the configuration does not say. OPA has no bound then.
const DEFAULT_BYTES: u64 = 64 << 20;

/// How much built-in functions may keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caching {
    /// Results of calls, such as responses to `http.send`.
    pub results: ResultCache,
    /// Things that are costly to make, such as regular expressions.
    pub values: ValueCaches,
}

/// Bounds of what is kept of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultCache {
    /// The fill in bytes at which old results make room for new ones; none for no bound.
    pub most_bytes: Option<u64>,
    /// How often results that have expired are thrown away; never if absent.
    pub sweep_every: Option<Duration>,
}

/// Bounds of what is kept of costly things, in entries; 0 for no bound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ValueCaches {
    /// For caches without a name.
    pub max_num_entries: Option<u64>,
    /// For caches with a name, such as `io_jwt`.
    pub named: BTreeMap<String, ValueCache>,
}

impl ValueCaches {
    /// Most entries of the cache of that name, or of one without a name; `usual` if the configuration does not say.
    pub fn most(&self, name: Option<&str>, usual: usize) -> usize {
        let written = match name.and_then(|name| self.named.get(name)) {
            Some(named) if named.disabled => return 0,
            Some(named) => named.max_num_entries,
            None if name.is_some() => None,
            None => self.max_num_entries,
        };
        match written {
            None => usual,
            Some(0) => usize::MAX,
            Some(most) => usize::try_from(most).unwrap_or(usize::MAX),
        }
    }
}

/// Bounds of one cache with a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ValueCache {
    /// Most entries.
    pub max_num_entries: Option<u64>,
    /// Whether nothing is kept.
    pub disabled: bool,
}

static STANDARD: Caching = Caching {
    results: ResultCache { most_bytes: Some(DEFAULT_BYTES), sweep_every: None },
    values: ValueCaches { max_num_entries: None, named: BTreeMap::new() },
};

impl Caching {
    /// What holds without any configuration.
    pub fn standard() -> &'static Self {
        &STANDARD
    }

    /// Reads the section.
    ///
    /// # Errors
    /// When a number is out of its range, in OPA's words, or something has the wrong type.
    pub(crate) fn read(section: &Section) -> Result<Self, ConfigErrors> {
        let written = section.parse::<Written>()?;
        let refused = |key: &str, text: String| ConfigError::opa(text).from_layer(section.origin(key));
        let mut errors = Vec::new();
        let results = written.results.unwrap_or_default();
        let percent = within(results.percent.unwrap_or(100), 0..=100).unwrap_or_else(|wrong| {
            let text = format!("invalid forced_eviction_threshold_percentage {wrong}");
            errors.push(refused("inter_query_builtin_cache.forced_eviction_threshold_percentage", text));
            0
        });
        let period = within(results.period.unwrap_or(0), 0..=i64::MAX).unwrap_or_else(|wrong| {
            let text = format!("invalid stale_entry_eviction_period_seconds {wrong}");
            errors.push(refused("inter_query_builtin_cache.stale_entry_eviction_period_seconds", text));
            0
        });
        let values = written.values.unwrap_or_default().check(|key, text| errors.push(refused(&key, text)));
        ConfigErrors(errors).into_result()?;
        let results = ResultCache {
            most_bytes: threshold(results.max_size_bytes, percent),
            sweep_every: (period > 0).then(|| Duration::from_secs(period)),
        };
        Ok(Self { results, values })
    }
}

impl Default for Caching {
    fn default() -> Self {
        STANDARD.clone()
    }
}

/// The section as it is written.
#[derive(Default, Deserialize)]
struct Written {
    #[serde(default, rename = "inter_query_builtin_cache")]
    results: Option<WrittenResults>,
    #[serde(default, rename = "inter_query_builtin_value_cache")]
    values: Option<WrittenValues>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WrittenResults {
    max_size_bytes: Option<i64>,
    #[serde(rename = "forced_eviction_threshold_percentage")]
    percent: Option<i64>,
    #[serde(rename = "stale_entry_eviction_period_seconds")]
    period: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WrittenValues {
    max_num_entries: Option<i64>,
    named: Option<BTreeMap<String, WrittenValue>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WrittenValue {
    max_num_entries: Option<i64>,
    disabled: Option<bool>,
}

impl WrittenValues {
    fn check(self, mut refuse: impl FnMut(String, String)) -> ValueCaches {
        const PLACE: &str = "inter_query_builtin_value_cache";
        let mut entries = |written: Option<i64>, below: String, cache: String| {
            let refused = |wrong| refuse(format!("{PLACE}{below}"), format!("invalid max_num_entries {wrong}{cache}"));
            written.and_then(|count| within(count, 0..=i64::MAX).map_err(refused).ok())
        };
        let max_num_entries = entries(self.max_num_entries, ".max_num_entries".to_owned(), String::new());
        let named = self.named.unwrap_or_default().into_iter().map(|(name, written)| {
            let cache = format!(" for named cache {name}");
            let max_num_entries = entries(written.max_num_entries, format!(".named.{name}.max_num_entries"), cache);
            (name, ValueCache { max_num_entries, disabled: written.disabled.unwrap_or_default() })
        });
        ValueCaches { max_num_entries, named: named.collect() }
    }
}

fn within(number: i64, range: std::ops::RangeInclusive<i64>) -> Result<u64, i64> {
    if range.contains(&number) { Ok(number.unsigned_abs()) } else { Err(number) }
}

/// The bytes at which room is made. OPA takes what is not above 0 for no bound.
fn threshold(max_size_bytes: Option<i64>, percent: u64) -> Option<u64> {
    let most = match max_size_bytes {
        None => DEFAULT_BYTES,
        Some(bytes) => u64::try_from(bytes).ok().filter(|bytes| *bytes > 0)?,
    };
    u64::try_from(u128::from(most) * u128::from(percent) / 100).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigTree, Layers};

    fn tree(yaml: &str) -> ConfigTree {
        Layers::new().text("base.yaml", &format!("caching: {yaml}")).load().expect("YAML")
    }

    fn read(yaml: &str) -> Result<Caching, String> {
        let section = tree(yaml).section(&["caching"]).expect("a section");
        Caching::read(&section).map_err(|errors| errors.to_string())
    }

    fn results(keys: &str) -> ResultCache {
        read(&format!("{{inter_query_builtin_cache: {{{keys}}}}}")).expect("is fine").results
    }

    #[test]
    fn the_bound_is_ours_unless_none_is_asked_for() {
        assert_eq!(read("{}"), Ok(Caching::default()));
        assert_eq!(results("max_size_bytes: 0").most_bytes, None);
        assert_eq!(results("max_size_bytes: -1").most_bytes, None);
        assert_eq!(results("max_size_bytes: 200, forced_eviction_threshold_percentage: 80").most_bytes, Some(160));
        assert_eq!(results("forced_eviction_threshold_percentage: 50").most_bytes, Some(DEFAULT_BYTES / 2));
        let sweep = results("stale_entry_eviction_period_seconds: 7").sweep_every;
        assert_eq!(sweep, Some(Duration::from_secs(7)));
    }

    #[test]
    fn values_are_bounded_by_entries() {
        let yaml = "{inter_query_builtin_value_cache: {max_num_entries: 3, named: {io_jwt: {max_num_entries: 5}, graphql: {disabled: true}}}}";
        let caching = read(yaml).expect("is fine");
        let named = |entries, disabled| ValueCache { max_num_entries: entries, disabled };
        let expected = [("graphql".to_owned(), named(None, true)), ("io_jwt".to_owned(), named(Some(5), false))];
        assert_eq!(caching.values, ValueCaches { max_num_entries: Some(3), named: expected.into() });
        let most = |name| caching.values.most(name, 100);
        assert_eq!([None, Some("io_jwt"), Some("graphql"), Some("other")].map(most), [3, 5, 0, 100]);
        assert_eq!(Caching::standard().values.most(None, 100), 100);
        let unbounded = ValueCaches { max_num_entries: Some(0), ..ValueCaches::default() };
        assert_eq!(unbounded.most(None, 100), usize::MAX);
    }

    #[test]
    fn what_is_out_of_range_is_refused_in_opas_words() {
        for (yaml, expected) in [
            (
                "{inter_query_builtin_cache: {forced_eviction_threshold_percentage: 101, stale_entry_eviction_period_seconds: -1}}",
                "invalid forced_eviction_threshold_percentage 101 (from base.yaml); \
                 invalid stale_entry_eviction_period_seconds -1 (from base.yaml)",
            ),
            ("{inter_query_builtin_value_cache: {max_num_entries: -3}}", "invalid max_num_entries -3 (from base.yaml)"),
            (
                "{inter_query_builtin_value_cache: {named: {io_jwt: {max_num_entries: -4}}}}",
                "invalid max_num_entries -4 for named cache io_jwt (from base.yaml)",
            ),
        ] {
            assert_eq!(read(yaml), Err(expected.to_owned()));
        }
        assert!(read("{inter_query_builtin_cache: {max_size_bytes: big}}").is_err());
        let tree = tree("{inter_query_builtin_cache: {max_size: 1}}");
        Caching::read(&tree.section(&["caching"]).expect("a section")).expect("unknown keys are no error");
        let unknown: Vec<_> = tree.unknown_keys().iter().map(|key| key.path().to_owned()).collect();
        assert_eq!(unknown, ["caching.inter_query_builtin_cache.max_size"]);
    }
}
