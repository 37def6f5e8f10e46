//! Who asks.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use crate::call::Call;

/// How clients prove who they are. Nobody is refused for not doing so: that is for authorization.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Authentication {
    /// Not at all.
    #[default]
    Off,
    /// With a bearer token, which is what the policy is given.
    Token,
    /// With a certificate, whose distinguished name the policy is given.
    Tls,
}

/// Finds out who asks.
pub(super) struct Authenticate {
    pub(super) by: Authentication,
}

impl Authenticate {
    pub(super) fn identify(&self, call: &mut Call) {
        call.identity = match self.by {
            Authentication::Off => None,
            Authentication::Token => token(&call.head.headers),
            Authentication::Tls => call.client.peer.as_ref().map(|peer| peer.name.clone()),
        };
    }
}

/// The token of the first `Authorization` header, if it is `Bearer`, white space, and one word.
fn token(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes)?;
    let rest = value.strip_prefix(b"Bearer")?;
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let word = &rest[rest.iter().take_while(|byte| is_space(byte)).count()..];
    let found = word.len() < rest.len() && !word.is_empty() && !word.iter().any(is_space as fn(&u8) -> bool);
    found.then(|| String::from_utf8_lossy(word).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word_after_the_scheme() {
        let token = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
            token(&headers)
        };
        assert_eq!(token("Bearer a.b-c").as_deref(), Some("a.b-c"));
        assert_eq!(token("Bearer \t x").as_deref(), Some("x"));
        for none in ["bearer x", "Bearer", "Bearer ", "Bearerx", "Bearer a b", "Basic x", " Bearer x"] {
            assert_eq!(token(none), None, "{none}");
        }
        assert_eq!(super::token(&HeaderMap::new()), None);
    }
}
