//! `plugins.file_sink`.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use regent_core::Value;
use regent_core::config::{ConfigError, ConfigErrors, Section};
use regent_core::plugin::{Known, PluginConfig};
use schemars::JsonSchema;
use serde::Deserialize;

/// Permissions of files if the configuration does not say: what was decided about whom is nobody else's business.
const DEFAULT_MODE: u32 = 0o600;

/// What the agent itself has to be allowed, to go on with a file after a restart.
const LEAST_MODE: u32 = 0o600;

/// Where decisions are written, and what becomes of old files.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub struct Config {
    /// The file that lines are appended to. Its directory is made if it is missing.
    pub path: PathBuf,
    /// Bytes of a file beyond which the next one is begun; without limit if absent.
    pub max_size_bytes: Option<NonZeroU64>,
    /// Seconds after which the next file is begun; without limit if absent.
    pub max_age_seconds: Option<NonZeroU64>,
    /// Most rolled files that are kept; all if absent.
    pub max_files: Option<NonZeroUsize>,
    /// Most bytes of all rolled files together that are kept; all if absent.
    pub max_total_bytes: Option<NonZeroU64>,
    /// Whether rolled files are compressed (gzip).
    #[serde(default)]
    pub compress: bool,
    /// Permissions of new files, in octal digits; `"0600"` if absent.
    pub mode: Option<String>,
    /// Whether events have reached the disk (fsync) before they count as delivered.
    #[serde(default)]
    pub sync: bool,
}

impl PluginConfig for Config {
    fn validate(&mut self, section: &Section, _: &Known) -> Result<(), ConfigErrors> {
        let mut errors: Vec<ConfigError> = Vec::new();
        if self.path.file_name().is_none() || self.path.to_string_lossy().ends_with('/') {
            errors.push(section.error("path", "must be the name of a file"));
        }
        let kept = [
            ("max_files", self.max_files.is_some()),
            ("max_total_bytes", self.max_total_bytes.is_some()),
            ("compress", self.compress),
        ];
        if self.max_size_bytes.is_none() && self.max_age_seconds.is_none() {
            let idle =
                |key| section.error(key, "needs `max_size_bytes` or `max_age_seconds`: without, no file is rolled");
            errors.extend(kept.into_iter().filter(|(_, is_set)| *is_set).map(|(key, _)| idle(key)));
        }
        if self.mode().is_none() {
            let remedy = r#"must be octal digits in quotes that let the owner read and write, such as "0640""#;
            errors.push(section.error("mode", remedy));
        }
        ConfigErrors(errors).into_result()
    }

    fn defaults(&self) -> Vec<(Vec<String>, Value)> {
        let mode = format!("{DEFAULT_MODE:04o}");
        let all = [("compress", false.into()), ("mode", mode.into()), ("sync", false.into())];
        all.map(|(key, value)| (vec![key.to_owned()], value)).into()
    }
}

impl Config {
    /// Permissions of new files; nothing if what is configured cannot be used.
    pub(crate) fn mode(&self) -> Option<u32> {
        let Some(text) = &self.mode else { return Some(DEFAULT_MODE) };
        let is_octal = !text.is_empty() && text.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
        let mode = u32::from_str_radix(text, 8).ok().filter(|_| is_octal)?;
        (mode <= 0o777 && mode & LEAST_MODE == LEAST_MODE).then_some(mode)
    }

    /// After which time the next file is begun.
    pub(crate) fn max_age(&self) -> Option<Duration> {
        self.max_age_seconds.map(|seconds| Duration::from_secs(seconds.get()))
    }
}

#[cfg(test)]
mod tests {
    use regent_core::config::Layers;

    use super::*;

    fn checked(yaml: &str) -> Result<Config, String> {
        let tree = Layers::new().text("base.yaml", &format!("plugins: {{file_sink: {yaml}}}")).load().expect("YAML");
        let section = tree.section(&["plugins", "file_sink"]).expect("the section");
        let mut config = section.parse::<Config>().map_err(|error| error.to_string())?;
        config.validate(&section, &Known::default()).map_err(|errors| errors.to_string())?;
        Ok(config)
    }

    #[test]
    fn what_is_wrong_is_named_with_the_remedy() {
        let table = [
            ("{}", "missing field `path`"),
            ("{path: ''}", "plugins.file_sink.path: must be the name of a file (from base.yaml)"),
            ("{path: logs/}", "plugins.file_sink.path: must be the name of a file"),
            ("{path: a, max_size_bytes: 0}", "plugins.file_sink.max_size_bytes: "),
            ("{path: a, max_age_seconds: -1}", "plugins.file_sink.max_age_seconds: "),
            ("{path: a, compress: true}", "plugins.file_sink.compress: needs `max_size_bytes` or `max_age_seconds`"),
            ("{path: a, max_files: 3}", "plugins.file_sink.max_files: needs `max_size_bytes` or `max_age_seconds`"),
            ("{path: a, mode: '0444'}", "plugins.file_sink.mode: must be octal digits in quotes"),
            ("{path: a, mode: rw}", "plugins.file_sink.mode: must be octal digits in quotes"),
            ("{path: a, mode: '+600'}", "plugins.file_sink.mode: must be octal digits in quotes"),
            ("{path: a, mode: '1600'}", "plugins.file_sink.mode: must be octal digits in quotes"),
            ("{path: a, mode: 416}", "plugins.file_sink.mode: invalid type"),
        ];
        for (yaml, expected) in table {
            let found = checked(yaml).expect_err(yaml);
            assert!(found.contains(expected), "{yaml}: {found}");
        }
    }

    #[test]
    fn what_is_not_configured_does_not_happen() {
        let config = checked("{path: a}").expect("sound");
        assert_eq!((config.max_age(), config.mode(), config.compress, config.sync), (None, Some(0o600), false, false));
        assert_eq!(checked("{path: a, mode: '0640'}").expect("sound").mode(), Some(0o640));
    }
}
