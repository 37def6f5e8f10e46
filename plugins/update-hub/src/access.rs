//! Who may do what: tokens, and what they permit.
//!
//! Tokens are those of OPAL, with its claims, and so are the refusals, but for the token that OPAL repeats in them. What a request
//! for a token claims may not contradict what the hub itself says in it.

mod keys;
mod lifetime;
mod token;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use regent_core::config::Secret;
use regent_data_updates::publisher::PeerType;
use regent_signing::jws::Algorithm;
use regent_signing::keys::jwk::Key;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use crate::config::Auth;
pub(crate) use lifetime::Lifetime;
pub(crate) use token::TokenRefused;

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The private key.
    #[error("{0}")]
    PrivateKey(String),
    /// The public key.
    #[error("{0}")]
    PublicKey(String),
}

/// Who sends a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Identity {
    /// Anyone, since nothing is checked.
    Anyone,
    /// Who has a token.
    Known {
        /// What the token is for; none of OPAL's if absent.
        peer_type: Option<PeerType>,
        /// The topics that it may use; all if absent.
        permitted_topics: Option<Vec<String>>,
    },
}

impl Identity {
    /// Whether it may publish.
    pub(crate) fn is_datasource(&self) -> bool {
        match self {
            Self::Anyone => true,
            Self::Known { peer_type, .. } => *peer_type == Some(PeerType::Datasource),
        }
    }

    /// Those of the topics that it may not use.
    pub(crate) fn forbidden<'a>(&self, topics: impl IntoIterator<Item = &'a String>) -> Vec<&'a str> {
        let Self::Known { permitted_topics: Some(permitted), .. } = self else { return Vec::new() };
        topics.into_iter().filter(|topic| !permitted.contains(topic)).map(String::as_str).collect()
    }

    /// Whether it may only use some topics.
    pub(crate) fn is_restricted(&self) -> bool {
        matches!(self, Self::Known { permitted_topics: Some(_), .. })
    }
}

/// Makes tokens, and knows those that it has made.
pub(crate) struct Authority {
    signing: Key,
    public: Key,
    algorithm: Algorithm,
    algorithm_name: String,
    audience: String,
    issuer: String,
    master: Secret,
    /// Seconds since 1970.
    now: fn() -> i64,
}

fn system_time() -> i64 {
    jiff::Timestamp::now().as_second()
}

impl Authority {
    /// Reads the keys; blocks if they are files.
    ///
    /// # Errors
    /// When they cannot be read, or do not belong together.
    pub(crate) fn new(auth: &Auth) -> Result<Self, AccessError> {
        let algorithm = Algorithm::of_name(&auth.algorithm);
        let algorithm = algorithm.ok_or_else(|| AccessError::PrivateKey("there is no such algorithm".to_owned()))?;
        let (signing, public) = keys::pair(auth, algorithm)?;
        Ok(Self {
            signing,
            public,
            algorithm,
            algorithm_name: auth.algorithm.clone(),
            audience: auth.audience.clone(),
            issuer: auth.issuer.clone(),
            master: auth.master_token.clone(),
            now: system_time,
        })
    }

    /// The public key as a set of keys.
    pub(crate) fn jwks(&self) -> Json {
        match &self.public {
            Key::Public(key) => json!({"keys": [keys::jwk(key)]}),
            _ => json!({}),
        }
    }

    /// Whether somebody has the master token.
    ///
    /// # Errors
    /// When not, in OPAL's words.
    pub(crate) fn check_master(&self, headers: &HeaderMap) -> Result<(), &'static str> {
        let shown = bearer(headers).ok_or("Authorization header is required!")?;
        // Digests take the same time to compare whatever was guessed.
        let is_it = Sha256::digest(shown) == Sha256::digest(self.master.expose());
        if is_it { Ok(()) } else { Err("unauthorized to access this endpoint!") }
    }

    /// Who it is that sends those headers.
    ///
    /// # Errors
    /// When there is no token, or none that counts, in OPAL's words.
    pub(crate) fn identify(&self, headers: &HeaderMap) -> Result<Identity, TokenRefused> {
        let token = bearer(headers).ok_or(TokenRefused::Missing)?;
        let claims = self.verify(token)?;
        let peer_type = match claims.text("peer_type") {
            Some("client") => Some(PeerType::Client),
            Some("datasource") => Some(PeerType::Datasource),
            Some("listener") => Some(PeerType::Listener),
            _ => None,
        };
        Ok(Identity::Known { peer_type, permitted_topics: claims.permitted_topics()? })
    }
}

/// What is in `Authorization: Bearer …`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
