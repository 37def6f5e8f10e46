//! The section as it is written, and what OPA says of it. What cannot be is refused in OPA's order.

use std::collections::BTreeMap;
use std::path::PathBuf;

use regent_core::config::{ConfigErrors, Secret, Section};
use regent_signing::hex;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::assertion::{Assertion, Signer, SigningKey};
use super::endpoint::{Grant, TokenEndpoint};
use super::keyvault::{self, VaultKey};
use super::kms::{Algorithm, KmsKey};
use crate::credentials::aws::{Surroundings, WrittenSigning};
use crate::credentials::{given, given_secret, refused};

/// What an assertion is said to be, unless the configuration says otherwise.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[derive(Deserialize)]
pub(super) struct Written {
    grant_type: Option<String>,
    token_url: Option<String>,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    scopes: Option<Vec<String>>,
    signing_key: Option<String>,
    thumbprint: Option<String>,
    additional_claims: Option<Map<String, Value>>,
    include_jti_claim: Option<bool>,
    additional_headers: Option<BTreeMap<String, Secret>>,
    additional_parameters: Option<BTreeMap<String, Secret>>,
    aws_kms: Option<WrittenKms>,
    aws_signing: Option<WrittenSigning>,
    azure_keyvault: Option<keyvault::WrittenKey>,
    azure_signing: Option<keyvault::WrittenSigning>,
    client_assertion: Option<Secret>,
    client_assertion_path: Option<PathBuf>,
    client_assertion_type: Option<String>,
}

#[derive(Deserialize)]
struct WrittenKms {
    name: Option<String>,
    algorithm: Option<String>,
}

/// What proves who the client is; one of these.
enum Proof {
    ClientSecret(Secret),
    SigningKey,
    Kms(WrittenKms),
    Vault(keyvault::WrittenKey),
    Assertion(Secret),
    AssertionFile(PathBuf),
}

impl Written {
    /// Whom to ask for tokens, and how.
    pub(super) fn endpoint(
        mut self,
        section: &Section,
        service: &Section,
        surroundings: &Surroundings,
    ) -> Result<TokenEndpoint, ConfigErrors> {
        let is_assertion_grant = match given(self.grant_type.take()).as_deref() {
            None | Some("client_credentials") => false,
            Some("jwt_bearer") => true,
            Some(_) => return Err(refused(section, "grant_type must be either client_credentials or jwt_bearer")),
        };
        let key = given(self.signing_key.take());
        let signer = match &key {
            None if is_assertion_grant => {
                return Err(refused(section, "signing_key required for jwt_bearer grant type"));
            }
            None => None,
            Some(id) => Some(Box::new(self.signer(id, section)?)),
        };
        let url = self.token_url(section)?;
        let grant = match signer {
            Some(signer) if is_assertion_grant => Grant::Assertion(signer),
            signer => self.client_grant(signer, section, surroundings)?,
        };
        let secrets = |map: Option<BTreeMap<String, Secret>>| map.unwrap_or_default().into_iter().collect();
        let scope = scope(self.scopes.as_deref());
        let anyone = service.value().get("allow_insecure_tls").and_then(regent_core::Value::as_bool);
        TokenEndpoint::new(url, grant, anyone.unwrap_or_default())
            .with_fields(scope, secrets(self.additional_parameters))
            .with_headers(secrets(self.additional_headers))
            .map_err(|name| section.error(&format!("additional_headers.{name}"), "is not fit for a header").into())
    }

    fn token_url(&self, section: &Section) -> Result<Url, ConfigErrors> {
        let text = self.token_url.as_deref().unwrap_or_default();
        if !text.starts_with("https://") {
            return Err(refused(section, "token_url required to use https scheme"));
        }
        Url::parse(text).map_err(|error| section.error("token_url", format!("is invalid: {error}")).into())
    }

    fn client_grant(
        &mut self,
        signer: Option<Box<Signer>>,
        section: &Section,
        surroundings: &Surroundings,
    ) -> Result<Grant, ConfigErrors> {
        let client_id = given(self.client_id.take());
        let kind = given(self.client_assertion_type.take()).unwrap_or_else(|| JWT_BEARER.to_owned());
        let required = |other: &str| refused(section, format!("client_id and {other} required"));
        Ok(match (self.proof(signer.is_some(), section)?, signer) {
            (Proof::ClientSecret(secret), _) => {
                Grant::Secret { client_id: client_id.ok_or_else(|| required("client_secret"))?, secret }
            }
            (Proof::Assertion(text), _) => {
                let client_id = Some(client_id.ok_or_else(|| required("client_assertion"))?);
                Grant::Client { client_id, kind, assertion: Assertion::Literal(text) }
            }
            (Proof::AssertionFile(path), _) => {
                let client_id = Some(client_id.ok_or_else(|| required("client_assertion_path"))?);
                Grant::Client { client_id, kind, assertion: Assertion::File(path) }
            }
            (Proof::Kms(key), _) => {
                let signer = Box::new(self.kms_signer(key, section, surroundings)?);
                Grant::Client { client_id, kind: JWT_BEARER.to_owned(), assertion: Assertion::Signed(signer) }
            }
            (Proof::Vault(key), _) => {
                let key = VaultKey::new(key, self.azure_signing.take(), section, surroundings.environment())?;
                let signer = Box::new(self.signer_with(SigningKey::Vault(Box::new(key)), section)?);
                Grant::Client { client_id, kind: JWT_BEARER.to_owned(), assertion: Assertion::Signed(signer) }
            }
            (Proof::SigningKey, signer) => {
                let signer = signer.expect("a signing key was found");
                Grant::Client { client_id, kind: JWT_BEARER.to_owned(), assertion: Assertion::Signed(signer) }
            }
        })
    }

    /// The one proof that is given.
    fn proof(&mut self, has_signing_key: bool, section: &Section) -> Result<Proof, ConfigErrors> {
        const CHOICE: &str =
            "one of client_secret, signing_key, aws_kms, azure_keyvault, client_assertion, or client_assertion_path";
        let path = self.client_assertion_path.take().filter(|path| !path.as_os_str().is_empty());
        let mut proofs: Vec<Proof> = [
            given_secret(self.client_secret.take()).map(Proof::ClientSecret),
            has_signing_key.then_some(Proof::SigningKey),
            self.aws_kms.take().map(Proof::Kms),
            self.azure_keyvault.take().map(Proof::Vault),
            given_secret(self.client_assertion.take()).map(Proof::Assertion),
            path.map(Proof::AssertionFile),
        ]
        .into_iter()
        .flatten()
        .collect();
        match (proofs.pop(), proofs.is_empty()) {
            (None, _) => Err(refused(section, format!("please provide {CHOICE} required"))),
            (Some(proof), true) => Ok(proof),
            (Some(_), false) => Err(refused(section, format!("can only use {CHOICE}"))),
        }
    }

    /// What signs assertions with a key of `keys`.
    fn signer(&mut self, id: &str, section: &Section) -> Result<Signer, ConfigErrors> {
        let Some(entry) = section.elsewhere(&["keys", id]) else {
            return Err(refused(section, "signing_key refers to non-existent key"));
        };
        let text = |key: &str| entry.value().get(key).and_then(regent_core::Value::as_str).filter(|t| !t.is_empty());
        let Some(private_key) = text("private_key") else {
            return Err(refused(section, "referenced signing_key does not include a private key"));
        };
        let algorithm = text("algorithm").unwrap_or("RS256");
        let key = SigningKey::read(private_key, algorithm).map_err(|text| refused(section, text))?;
        self.signer_with(key, section)
    }

    /// What signs assertions with a key that AWS keeps.
    fn kms_signer(
        &mut self,
        key: WrittenKms,
        section: &Section,
        surroundings: &Surroundings,
    ) -> Result<Signer, ConfigErrors> {
        let signing = self.aws_signing.take().ok_or_else(|| refused(section, "aws_kms and aws_signing required"))?;
        let service = signing.service.as_deref().unwrap_or_default().to_lowercase();
        if service != "kms" {
            let service = if service.is_empty() { "s3" } else { &service };
            return Err(refused(section, format!("cannot use SignDigest with aws service {service:?}")));
        }
        let algorithm = key.algorithm.unwrap_or_default();
        let unsupported = || refused(section, format!("unsupported sign algorithm {algorithm}"));
        let algorithm = Algorithm::of_name(&algorithm).ok_or_else(unsupported)?;
        let (name, chain) = (key.name.unwrap_or_default(), signing.build(section, surroundings)?);
        let key = KmsKey { name, algorithm, chain, surroundings: surroundings.clone() };
        self.signer_with(SigningKey::Kms(key), section)
    }

    fn signer_with(&mut self, key: SigningKey, section: &Section) -> Result<Signer, ConfigErrors> {
        let thumbprint = given(self.thumbprint.take())
            .map(|text| hex::bytes(&text).ok_or_else(|| section.error("thumbprint", "is no hexadecimal text")));
        Ok(Signer {
            key,
            thumbprint: thumbprint.transpose()?,
            claims: self.additional_claims.take().unwrap_or_default(),
            scope: scope(self.scopes.as_deref()),
            has_id: self.include_jti_claim.unwrap_or_default(),
        })
    }
}

fn scope(scopes: Option<&[String]>) -> Option<String> {
    scopes.filter(|scopes| !scopes.is_empty()).map(|scopes| scopes.join(" "))
}
