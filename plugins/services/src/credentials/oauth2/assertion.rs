//! Assertions: tokens by which the client says who it is, ready-made or signed for the occasion.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use regent_core::config::Secret;
use regent_signing::jws::{self, Algorithm};
use regent_signing::keys::jwk::Key;
use regent_signing::{base64, keys::pem};
use serde_json::{Map, Value, json};

use super::keyvault::VaultKey;
use super::kms::KmsKey;
use crate::credentials::failure::{Failure, read_file};

/// Seconds that a signed assertion is good for.
const LIFE: u64 = 600;

/// Where the assertion of a client comes from.
pub(super) enum Assertion {
    Literal(Secret),
    /// Read again for each token, since whoever issues it rotates it.
    File(PathBuf),
    Signed(Box<Signer>),
}

/// What assertions are signed with.
pub(super) enum SigningKey {
    /// A key of `keys`.
    Known {
        /// The algorithm's name.
        name: String,
        algorithm: Algorithm,
        key: Key,
    },
    /// A key that AWS keeps.
    Kms(KmsKey),
    /// A key that Azure keeps.
    Vault(Box<VaultKey>),
}

/// Signs assertions.
pub(super) struct Signer {
    pub(super) key: SigningKey,
    /// Of the certificate that belongs to the key: its SHA-1.
    pub(super) thumbprint: Option<Vec<u8>>,
    /// These win over the usual ones.
    pub(super) claims: Map<String, Value>,
    pub(super) scope: Option<String>,
    /// Whether each assertion gets an identifier of its own.
    pub(super) has_id: bool,
}

impl Assertion {
    pub(super) async fn text(&self) -> Result<Secret, Failure> {
        match self {
            Self::Literal(text) => Ok(text.clone()),
            Self::File(path) => Ok(Secret::new(read_file("client assertion", path).await?)),
            Self::Signed(signer) => signer.sign().await,
        }
    }
}

impl SigningKey {
    /// Reads a private key for the algorithm; what is wrong with it comes in OPA's words.
    pub(super) fn read(text: &str, algorithm: &str) -> Result<Self, String> {
        let name = algorithm.to_owned();
        let algorithm = Algorithm::of_name(algorithm).ok_or_else(|| format!("unknown signature algorithm: {name}"))?;
        if !matches!(algorithm, Algorithm::Hmac(_)) && pem::first(text).is_none() {
            return Err("failed to decode PEM key".to_owned());
        }
        let key = jws::signing_key(text, algorithm).map_err(|error| error.to_string())?;
        Ok(Self::Known { name, algorithm, key })
    }
}

impl Signer {
    /// A token signed now.
    pub(super) async fn sign(&self) -> Result<Secret, Failure> {
        let algorithm = match &self.key {
            SigningKey::Known { name, .. } => name,
            SigningKey::Kms(key) => key.algorithm.token_name,
            SigningKey::Vault(key) => &key.algorithm,
        };
        let mut header = json!({ "alg": algorithm, "typ": "JWT" });
        if let Some(thumbprint) = &self.thumbprint {
            header["x5t"] = base64::spell_url_padded(thumbprint).into();
        }
        let (header, claims) = (header.to_string(), Value::Object(self.claims()).to_string());
        match &self.key {
            SigningKey::Known { algorithm, key, .. } => {
                let token = jws::sign(&header, &claims, *algorithm, key);
                token.map(Secret::new).map_err(|error| Failure::config(format!("assertion cannot be signed: {error}")))
            }
            SigningKey::Kms(key) => {
                let message = unsigned(&header, &claims);
                let signature = base64::spell_url(&key.sign(message.as_bytes()).await?);
                Ok(Secret::new(format!("{message}.{signature}")))
            }
            SigningKey::Vault(key) => {
                let message = unsigned(&header, &claims);
                let signature = key.sign(message.as_bytes()).await?;
                Ok(Secret::new(format!("{message}.{signature}")))
            }
        }
    }

    fn claims(&self) -> Map<String, Value> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut claims = Map::new();
        claims.insert("iat".to_owned(), now.into());
        claims.insert("exp".to_owned(), (now + LIFE).into());
        claims.extend(self.claims.clone());
        if let Some(scope) = &self.scope {
            claims.insert("scope".to_owned(), scope.as_str().into());
        }
        if self.has_id {
            claims.insert("jti".to_owned(), uuid::Uuid::new_v4().to_string().into());
        }
        claims
    }
}

/// A token up to its signature.
fn unsigned(header: &str, claims: &str) -> String {
    format!("{}.{}", base64::spell_url(header.as_bytes()), base64::spell_url(claims.as_bytes()))
}
