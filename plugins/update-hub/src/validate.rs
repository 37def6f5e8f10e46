//! What may be wrong with the `hub` section.

use regent_core::config::{ConfigError, ConfigErrors, Section};
use regent_signing::jws::Algorithm;
use url::Url;

use crate::access::{AccessError, Authority};
use crate::backbone;
use crate::config::{Auth, BackboneConfig, DataSources, HubConfig, LoadLimit};

impl HubConfig {
    /// Says what is wrong with the section.
    ///
    /// # Errors
    /// All that is wrong, each at its key, without secrets.
    pub fn validate(&self, section: &Section) -> Result<(), ConfigErrors> {
        let mut errors: Vec<ConfigError> = Vec::new();
        if let Some(text) = &self.load_limit
            && LoadLimit::read(text).is_none()
        {
            errors.push(section.error("load_limit", "must be like `10/minute`: second, minute, hour or day"));
        }
        if let Some(auth) = &self.auth {
            errors.extend(auth.check(section));
        }
        if let Some(sources) = &self.data_sources {
            errors.extend(sources.check(section));
        }
        if let Some(policy) = &self.policy {
            errors.extend(policy.check(section));
        }
        if let Some(backbone) = &self.backbone {
            errors.extend(backbone.check(section));
        }
        let counts = [
            ("log.max_updates", self.log.max_updates),
            ("log.max_bytes", self.log.max_bytes),
            ("max_update_bytes", self.max_update_bytes()),
            ("max_peers", self.max_peers()),
        ];
        let zero = counts.into_iter().filter(|(_, count)| *count == 0);
        errors.extend(zero.map(|(key, _)| section.error(key, "must be at least 1")));
        if self.max_update_bytes() > MOST_UPDATE_BYTES {
            errors.push(section.error("max_update_bytes", format!("must be at most {MOST_UPDATE_BYTES}")));
        }
        ConfigErrors(errors).into_result()
    }
}

/// What no agent takes more of.
const MOST_UPDATE_BYTES: usize = (16 << 20) - 1_024;

impl Auth {
    fn check(&self, section: &Section) -> Vec<ConfigError> {
        let mut errors = Vec::new();
        if self.master_token.expose().is_empty() {
            errors.push(section.error("auth.master_token", "must not be empty: anyone could have a token made"));
        }
        if !self.jwks_path.starts_with('/') {
            errors.push(section.error("auth.jwks_path", "must start with a slash"));
        }
        match Algorithm::of_name(&self.algorithm) {
            None | Some(Algorithm::Hmac(_)) => {
                errors.push(
                    section.error("auth.algorithm", "must be one of RS…, PS…, ES… with 256, 384 or 512, or EdDSA"),
                );
            }
            Some(_) => errors.extend(Authority::new(self).err().map(|error| {
                let key = match error {
                    AccessError::PrivateKey(_) => "auth.private_key",
                    AccessError::PublicKey(_) => "auth.public_key",
                };
                section.error(key, error.to_string())
            })),
        }
        errors
    }
}

impl DataSources {
    fn check(&self, section: &Section) -> Vec<ConfigError> {
        let mut errors = Vec::new();
        if let Some(url) = &self.external_source_url {
            if !self.entries.is_empty() {
                errors.push(section.error("data_sources.external_source_url", "cannot be there beside `entries`"));
            }
            if !Url::parse(url).is_ok_and(|url| url.has_host()) {
                errors.push(
                    section.error("data_sources.external_source_url", "must be an address such as https://host/path"),
                );
            }
        }
        errors
    }
}

impl BackboneConfig {
    fn check(&self, section: &Section) -> Vec<ConfigError> {
        let mut errors = Vec::new();
        if !backbone::is_known(self.url.expose()) {
            let known = backbone::SCHEMES.join(", ");
            errors.push(section.error("backbone.url", format!("must be an address that begins with one of: {known}")));
        }
        if self.name.is_empty() || !self.name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
            errors.push(section.error("backbone.name", "must be made of letters, digits and `_`"));
        }
        errors.extend(self.tls.check(section).err());
        errors
    }
}
