//! All providers of a configuration, in OPA's order.

use regent_core::config::{ConfigErrors, Section};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::environment::FromEnvironment;
use super::metadata::{FromMetadata, WrittenMetadata};
use super::profile::{FromProfile, WrittenProfile};
use super::sso::{FromSso, WrittenSso};
use super::sts::{AssumedRole, Voucher, WrittenRole};
use super::{Keys, Provider, Surroundings, Version};
use crate::credentials::failure::Failure;
use crate::credentials::refused;

/// What is signed for, and the providers, as they are written.
#[derive(Deserialize)]
pub(crate) struct WrittenSigning {
    pub(crate) service: Option<String>,
    signature_version: Option<String>,
    environment_credentials: Option<Map<String, Value>>,
    assume_role_credentials: Option<WrittenRole>,
    web_identity_credentials: Option<WrittenRole>,
    profile_credentials: Option<WrittenProfile>,
    metadata_credentials: Option<WrittenMetadata>,
    sso_credentials: Option<WrittenSso>,
}

/// Whose keys a role is asked for with: the first of these.
#[derive(Deserialize)]
pub(super) struct WrittenSource {
    pub(super) signature_version: Option<String>,
    #[serde(rename = "environment_credentials")]
    environment: Option<Map<String, Value>>,
    #[serde(rename = "profile_credentials")]
    profile: Option<WrittenProfile>,
    #[serde(rename = "metadata_credentials")]
    metadata: Option<WrittenMetadata>,
    #[serde(rename = "web_identity_credentials")]
    web_identity: Option<WrittenRole>,
}

/// Keys of the first provider that has any, and what is done with them.
pub(crate) struct Chain {
    providers: Vec<Box<dyn Provider>>,
    pub(crate) version: Version,
}

impl WrittenSigning {
    /// The providers, in OPA's order, whatever theirs is in the file.
    pub(crate) fn build(self, section: &Section, surroundings: &Surroundings) -> Result<Chain, ConfigErrors> {
        let mut chain: Vec<Box<dyn Provider>> = Vec::new();
        if self.environment_credentials.is_some() {
            chain.push(Box::new(FromEnvironment(surroundings.environment.clone())));
        }
        if let Some(mut role) = self.assume_role_credentials {
            let text = "a AWS signing plugin must be specified when AssumeRole credential provider is enabled";
            let source = role.aws_signing.take().ok_or_else(|| refused(section, text))?;
            let version = Version::named(source.signature_version.as_deref());
            let voucher = Voucher::Keys(source.build(section, surroundings)?, version);
            chain.push(Box::new(AssumedRole::new(role, voucher, surroundings.clone())));
        }
        if let Some(role) = self.web_identity_credentials {
            chain.push(Box::new(AssumedRole::new(role, Voucher::WebIdentity, surroundings.clone())));
        }
        if let Some(written) = self.profile_credentials {
            chain.push(Box::new(FromProfile { written, surroundings: surroundings.clone() }));
        }
        if let Some(written) = self.metadata_credentials {
            if written.aws_region.as_deref().unwrap_or_default().is_empty() {
                let text = "at least aws_region must be specified for AWS metadata credential service";
                return Err(refused(section, text));
            }
            chain.push(Box::new(FromMetadata::new(written, surroundings.clone())));
        }
        if let Some(written) = self.sso_credentials {
            chain.push(Box::new(FromSso::new(written, surroundings.clone())));
        }
        if chain.is_empty() {
            let text = "a AWS credential service must be specified when S3 signing is enabled";
            return Err(refused(section, text));
        }
        Ok(Chain { providers: chain, version: Version::named(self.signature_version.as_deref()) })
    }
}

impl WrittenSource {
    fn build(self, section: &Section, surroundings: &Surroundings) -> Result<Box<dyn Provider>, ConfigErrors> {
        let surroundings = surroundings.clone();
        if self.environment.is_some() {
            Ok(Box::new(FromEnvironment(surroundings.environment)))
        } else if let Some(written) = self.profile {
            Ok(Box::new(FromProfile { written, surroundings }))
        } else if let Some(written) = self.metadata {
            Ok(Box::new(FromMetadata::new(written, surroundings)))
        } else if let Some(role) = self.web_identity {
            Ok(Box::new(AssumedRole::new(role, Voucher::WebIdentity, surroundings)))
        } else {
            Err(refused(section, "unsupported AWS signing plugin with AssumeRole credential provider"))
        }
    }
}

impl Chain {
    /// Keys of the first provider that has any.
    pub(crate) async fn keys(&self) -> Result<Keys, Failure> {
        let mut failures = Vec::new();
        for provider in &self.providers {
            match provider.keys().await {
                Ok(keys) => return Ok(keys),
                Err(failure) => failures.push(failure.to_string()),
            }
        }
        let all = match &failures[..] {
            [one] => format!("1 error occurred: {one}"),
            all => format!("{} errors occurred:\n{}", all.len(), all.join("\n")),
        };
        let text = format!("failed to get aws credentials: all AWS credential providers failed: {all}");
        Err(Failure::unavailable(text))
    }
}
