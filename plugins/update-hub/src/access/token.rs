//! Tokens: made, and verified.

use regent_data_updates::publisher::PeerType;
use regent_signing::{base64, jws};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::{Authority, Lifetime};

/// Why a token does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenRefused {
    #[error("access token was not provided")]
    Missing,
    #[error("Could not decode access token")]
    Undecodable,
    #[error("Access token is expired")]
    Expired,
    #[error("Invalid access token: invalid audience claim")]
    Audience,
    #[error("Invalid access token: invalid issuer claim")]
    Issuer,
    #[error("invalid sub claim")]
    Subject,
    #[error("Unknown JWT error")]
    Other,
}

/// What a token says.
#[derive(Debug)]
pub(crate) struct Claims(Map<String, Json>);

impl Claims {
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// The topics that it may use, if it is restricted. A restriction that cannot be understood lets nothing pass.
    pub(super) fn permitted_topics(&self) -> Result<Option<Vec<String>>, TokenRefused> {
        let Some(topics) = self.0.get("permitted_topics").filter(|topics| !topics.is_null()) else { return Ok(None) };
        serde_json::from_value(topics.clone()).map(Some).map_err(|_| TokenRefused::Other)
    }
}

impl Authority {
    /// Makes a token; gives it and what is in it beside OPAL's own claims.
    ///
    /// # Errors
    /// When the key cannot sign, or the lifetime ends out of time.
    pub(crate) fn issue(
        &self,
        id: Uuid,
        peer_type: PeerType,
        lifetime: Lifetime,
        extra: &Map<String, Json>,
    ) -> Result<(String, Json), String> {
        let now = (self.now)();
        let end = lifetime.after(now).ok_or("the lifetime ends out of time")?;
        let mut details = Map::from_iter([("peer_type".to_owned(), json!(peer_type.as_str()))]);
        let own = ["iat", "exp", "nbf", "aud", "iss", "sub", "peer_type"];
        details.extend(
            extra
                .iter()
                .filter(|(name, _)| !own.contains(&name.as_str()))
                .map(|(name, claim)| (name.clone(), claim.clone())),
        );
        let mut claims = json!({
            "iat": now,
            "exp": end.as_second(),
            "aud": self.audience,
            "iss": self.issuer,
            "sub": id.simple().to_string(),
        });
        if let Some(claims) = claims.as_object_mut() {
            claims.extend(details.clone());
        }
        let header = json!({"alg": self.algorithm_name, "typ": "JWT"}).to_string();
        let token = jws::sign(&header, &claims.to_string(), self.algorithm, &self.signing);
        let token = token.map_err(|error| error.to_string())?;
        let expired = end.strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string();
        Ok((token, json!({"id": id.to_string(), "type": peer_type.as_str(), "expired": expired, "claims": details})))
    }

    /// What a token says, if it counts.
    pub(super) fn verify(&self, token: &str) -> Result<Claims, TokenRefused> {
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenRefused::Undecodable)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenRefused::Undecodable)?;
        let header: Map<String, Json> = object(header)?;
        // The algorithm is ours to choose, not that of who shows a token.
        if header.get("alg").and_then(Json::as_str) != Some(self.algorithm_name.as_str()) || header.contains_key("crit")
        {
            return Err(TokenRefused::Undecodable);
        }
        let signature = base64::url_bytes(signature).map_err(|_| TokenRefused::Undecodable)?;
        if !self.algorithm.verifies(&self.public, signed.as_bytes(), &signature) {
            return Err(TokenRefused::Undecodable);
        }
        let claims: Map<String, Json> = object(payload)?;
        let now = (self.now)();
        let second =
            |name: &str| claims.get(name).map(|claim| claim.as_f64().ok_or(TokenRefused::Undecodable)).transpose();
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact")]
        let now = now as f64;
        if second("exp")?.ok_or(TokenRefused::Other)? <= now {
            return Err(TokenRefused::Expired);
        }
        if second("nbf")?.is_some_and(|from| from > now) {
            return Err(TokenRefused::Other);
        }
        let is_for_us = match claims.get("aud") {
            Some(Json::Array(all)) => all.iter().any(|one| one.as_str() == Some(&self.audience)),
            one => one.and_then(Json::as_str) == Some(&self.audience),
        };
        if !is_for_us {
            return Err(TokenRefused::Audience);
        }
        if claims.get("iss").and_then(Json::as_str) != Some(&self.issuer) {
            return Err(TokenRefused::Issuer);
        }
        let subject = claims.get("sub").and_then(Json::as_str).unwrap_or_default();
        Uuid::parse_str(subject).map_err(|_| TokenRefused::Subject)?;
        Ok(Claims(claims))
    }
}

fn object(part: &str) -> Result<Map<String, Json>, TokenRefused> {
    let bytes = base64::url_bytes(part).map_err(|_| TokenRefused::Undecodable)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenRefused::Undecodable)
}
