//! A server whose users have their rights from an operator, by signed tokens, and a file with such a user.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE;
use nkeys::KeyPair;
use serde_json::{Value, json};

/// What the server has to know, and what is in the user's file.
pub(crate) struct Operator {
    pub(crate) config: String,
    pub(crate) credentials: String,
}

impl Operator {
    /// An operator with an account for the server itself, and one that has streams and a user.
    pub(crate) fn new() -> Self {
        let (operator, user) = (KeyPair::new_operator(), KeyPair::new_user());
        let (system, account) = (KeyPair::new_account(), KeyPair::new_account());
        let every = |streams: i64| {
            json!({
                "conn": -1, "leaf": -1, "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true,
                "mem_storage": streams, "disk_storage": streams, "streams": streams, "consumer": streams,
            })
        };
        let operator_token = token(&operator, &operator, &json!({"type": "operator", "version": 2}));
        let account_token = |account: &KeyPair, streams: i64| {
            token(&operator, account, &json!({"type": "account", "version": 2, "limits": every(streams)}))
        };
        let (system_token, streams_token) = (account_token(&system, 0), account_token(&account, -1));
        let (system_key, account_key) = (system.public_key(), account.public_key());
        let rights = json!({"type": "user", "version": 2, "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1});
        let (user_token, seed) = (token(&account, &user, &rights), user.seed().expect("a new key has one"));
        Self {
            config: format!(
                "operator: {operator_token}\nsystem_account: {system_key}\nresolver: MEMORY\n\
                 resolver_preload: {{{system_key}: {system_token}, {account_key}: {streams_token}}}"
            ),
            credentials: format!(
                "-----BEGIN NATS USER JWT-----\n{user_token}\n------END NATS USER JWT------\n\n\
                 -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
            ),
        }
    }
}

/// What the issuer says of the subject.
fn token(issuer: &KeyPair, subject: &KeyPair, rights: &Value) -> String {
    let spell = |value: &Value| URL_SAFE.encode(value.to_string());
    let claims = json!({
        "jti": subject.public_key(), "iat": 1_767_225_600, "iss": issuer.public_key(), "sub": subject.public_key(),
        "name": "test", "nats": rights,
    });
    let message = format!("{}.{}", spell(&json!({"typ": "JWT", "alg": "ed25519-nkey"})), spell(&claims));
    let signature = issuer.sign(message.as_bytes()).expect("it has a private key");
    format!("{message}.{}", URL_SAFE.encode(signature))
}
