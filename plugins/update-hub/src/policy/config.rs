//! `hub.policy`

use std::path::PathBuf;
use std::time::Duration;

use regent_core::config::{ConfigError, Secret, Section};
use regent_services::tls::TlsFiles;
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

/// Where policy comes from: a repository of git, or a bundle.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyConfig {
    /// The address of a repository, as `git` takes it.
    pub repository: Option<Secret>,
    /// Its branch; `master` by default.
    #[serde(default = "master")]
    pub branch: String,
    /// A key for SSH: a file, or the text itself, in which `_` may stand for an end of line.
    pub ssh_key: Option<Secret>,
    /// Where its files are kept; a temporary directory by default.
    pub directory: Option<PathBuf>,
    /// The address of a bundle, in place of a repository.
    pub bundle_url: Option<String>,
    /// The token that the bundle's server wants.
    pub bundle_token: Option<Secret>,
    /// Certificates for the bundle's server.
    #[serde(default)]
    pub tls: TlsFiles,
    /// How often it is looked at, in seconds; 0 for never but when the webhook is called, which is the default for repositories.
    /// Bundles are looked at every 30 s.
    pub polling_seconds: Option<f64>,
    /// The file that says in which order files are loaded.
    #[serde(default = "manifest")]
    pub manifest: String,
    /// What names of modules end with; `.rego` by default.
    #[serde(default = "extensions")]
    pub extensions: Vec<String>,
    /// Who may tell that something has changed.
    #[serde(default)]
    pub webhook: WebhookConfig,
}

fn master() -> String {
    "master".to_owned()
}

fn manifest() -> String {
    ".manifest".to_owned()
}

fn extensions() -> Vec<String> {
    vec![".rego".to_owned()]
}

/// `POST /webhook`, as hosts of repositories call it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookConfig {
    /// What has to be known to call it; anyone may without it.
    pub secret: Option<Secret>,
    /// Whether the secret signs the body, or is sent itself.
    pub secret_type: SecretType,
    /// The header that it is in.
    pub secret_header: String,
    /// What is before it in the header.
    pub secret_prefix: String,
    /// The header that tells what has happened.
    pub event_header: String,
    /// The member of the body that tells so instead.
    pub event_key: Option<String>,
    /// What has happened if there are new commits.
    pub push_event: String,
    /// Whether the body has to name the repository.
    pub match_repository: bool,
    /// Whether it has to name the branch.
    pub match_branch: bool,
}

impl Default for WebhookConfig {
    fn default() -> Self {
        Self {
            secret: None,
            secret_type: SecretType::Signature,
            secret_header: "x-hub-signature-256".to_owned(),
            secret_prefix: "sha256=".to_owned(),
            event_header: "X-GitHub-Event".to_owned(),
            event_key: None,
            push_event: "push".to_owned(),
            match_repository: true,
            match_branch: false,
        }
    }
}

/// How a secret is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SecretType {
    /// HMAC-SHA-256 of the body, in hexadecimal digits.
    Signature,
    /// As it is.
    Token,
}

/// The longest pause between two looks: a week.
const LONGEST: f64 = 604_800.0;

impl PolicyConfig {
    pub(crate) fn check(&self, section: &Section) -> Vec<ConfigError> {
        let mut errors = Vec::new();
        if self.repository.is_some() == self.bundle_url.is_some() {
            errors.push(section.error("policy", "needs either `repository` or `bundle_url`"));
        }
        if self.repository.as_ref().is_some_and(|address| address.expose().starts_with('-')) {
            errors.push(section.error("policy.repository", "must be an address or a path"));
        }
        if self.branch.is_empty() || self.branch.starts_with('-') || self.branch.contains(char::is_whitespace) {
            errors.push(section.error("policy.branch", "must be the name of a branch"));
        }
        if self.bundle_url.as_deref().is_some_and(|url| !Url::parse(url).is_ok_and(|url| url.has_host())) {
            errors.push(section.error("policy.bundle_url", "must be an address such as https://host/bundle.tar.gz"));
        }
        if self.polling_seconds.is_some_and(|seconds| !(0.0..=LONGEST).contains(&seconds)) {
            errors.push(section.error("policy.polling_seconds", format!("must be from 0 to {LONGEST}")));
        }
        errors.extend(self.tls.check(section).err());
        errors
    }

    /// The pause between two looks; none if there are no looks.
    pub(crate) fn polling(&self) -> Option<Duration> {
        let default = if self.bundle_url.is_some() { 30.0 } else { 0.0 };
        let seconds = self.polling_seconds.unwrap_or(default);
        (seconds > 0.0).then(|| Duration::from_secs_f64(seconds))
    }
}
