//! Signatures made by Azure's Key Vault, which never gives the key away.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode};
use regent_core::config::{ConfigErrors, Secret, Section};
use regent_signing::base64;
use regent_signing::keys::hash::Hash;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::credentials::asker::{Asker, Question, Way};
use crate::credentials::azure_managed_identity::{ManagedIdentity, WrittenIdentity};
use crate::credentials::failure::Failure;
use crate::credentials::{given, refused};
use crate::environment::Environment;

/// The version of the interface, unless the configuration names one.
const API: &str = "7.4";

/// How long a signature may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Which key of which vault.
#[derive(Deserialize)]
pub(super) struct WrittenKey {
    key: Option<String>,
    key_version: Option<String>,
    key_algorithm: Option<String>,
    vault: Option<String>,
    api_version: Option<String>,
}

/// Who asks for signatures.
#[derive(Deserialize)]
pub(super) struct WrittenSigning {
    service: Option<String>,
    azure_managed_identity: Option<WrittenIdentity>,
}

/// A key of a vault.
pub(super) struct VaultKey {
    /// Where it signs.
    url: Url,
    /// As the vault and tokens call it.
    pub(super) algorithm: String,
    hash: Hash,
    identity: ManagedIdentity,
    asker: Asker,
}

#[derive(Deserialize)]
struct Answer {
    value: Option<String>,
}

impl VaultKey {
    /// The key that the configuration names. What is wrong comes in OPA's words.
    pub(super) fn new(
        key: WrittenKey,
        signing: Option<WrittenSigning>,
        section: &Section,
        environment: &Environment,
    ) -> Result<Self, ConfigErrors> {
        let missing = "missing Azure credentials, failed to sign the assertion with KeyVault";
        let signing = signing.ok_or_else(|| refused(section, missing))?;
        let identity = signing.azure_managed_identity;
        let mut identity = identity.ok_or_else(|| refused(section, "missing azure managed identity config"))?;
        match signing.service.unwrap_or_default() {
            service if service == "keyvault" => {}
            other => return Err(refused(section, format!("cannot use SignDigest with azure service {other:?}"))),
        }
        let algorithm = key.key_algorithm.unwrap_or_default();
        let hash = hash(&algorithm);
        let hash = hash.ok_or_else(|| refused(section, format!("unsupported sign algorithm {algorithm}")))?;
        let name = key.vault.filter(|name| is_name(name));
        let name = name.ok_or_else(|| section.error("azure_keyvault.vault", "is no name of a vault"))?;
        let vault = format!("https://{name}.vault.azure.net");
        let name = given(key.key).ok_or_else(|| section.error("azure_keyvault.key", "is missing"))?;
        let version = given(key.key_version);
        let path = ["keys", &name].into_iter().chain(version.as_deref()).chain(["sign"]);
        let mut url = Url::parse(&vault).map_err(|error| section.error("azure_keyvault.vault", error.to_string()))?;
        url.path_segments_mut().expect("the address of a web server has a path").clear().extend(path);
        url.query_pairs_mut().append_pair("api-version", given(key.api_version).as_deref().unwrap_or(API));
        identity.resource = Some(vault);
        let identity = ManagedIdentity::new(identity, environment);
        Ok(Self { url, algorithm, hash, identity, asker: Asker::new(Way::Out, LIMIT) })
    }

    /// The signature of a message, as tokens have it.
    pub(super) async fn sign(&self, message: &[u8]) -> Result<String, Failure> {
        let token: Secret = self.identity.token().await?;
        let body = json!({"alg": self.algorithm, "value": base64::spell_url(&self.hash.digest(message))});
        let mut question =
            Question { method: Method::POST, body: body.to_string().into_bytes(), ..Question::get(self.url.clone()) };
        question.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let question = question.with("authorization", &format!("Bearer {}", token.expose()))?;
        let answer = self.asker.ask(question).await;
        let answer = answer.map_err(|failure| failure.within("keyvault: failed to sign digest"))?;
        if answer.status != StatusCode::OK {
            let shown = answer.excerpt().replace(token.expose(), "***");
            let text = format!("non 200 status code, got: {}. Body: {shown}", answer.status.as_u16());
            return Err(Failure::unavailable(text));
        }
        let given: Option<Answer> = serde_json::from_slice(&answer.body).ok();
        let signature = given.and_then(|given| given.value).filter(|value| !value.is_empty());
        let signature = signature.filter(|value| base64::url_bytes(value).is_ok());
        signature.ok_or_else(|| Failure::protocol("no valid keyvault response: it holds no signature"))
    }
}

/// Whether it is one label of a host's name, and nothing that leads to another host.
fn is_name(vault: &str) -> bool {
    !vault.is_empty() && vault.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// What is signed with the algorithm.
fn hash(algorithm: &str) -> Option<Hash> {
    match algorithm {
        "ES256" | "ES256K" | "PS256" | "RS256" => Some(Hash::Sha256),
        "ES384" | "PS384" | "RS384" => Some(Hash::Sha384),
        "ES512" | "PS512" | "RS512" => Some(Hash::Sha512),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use regent_kit::{ControlPlane, Fault};
    use serde_json::Value;

    use super::*;
    use crate::credentials::testing::refusal;

    const KEY: &str = "azure_keyvault: {key: k, key_version: v1, key_algorithm: ES256, vault: my-vault}";
    const SIGNING: &str = "azure_signing: {service: keyvault, azure_managed_identity: {}}";

    fn key(identity: &ControlPlane) -> VaultKey {
        let config = format!(
            "{{{KEY}, azure_signing: {{service: keyvault, azure_managed_identity: \
             {{endpoint: '{}/identity', resource: ignored}}}}}}",
            identity.url()
        );
        let tree = regent_core::config::Layers::new().text("test", &config).load().expect("YAML");
        let section = |name: &str| tree.section(&[name]).expect("the section");
        let written = section("azure_keyvault").parse().expect("a key");
        let signing = section("azure_signing").parse().expect("an identity");
        VaultKey::new(written, Some(signing), &section("azure_keyvault"), &Environment::from([])).expect("a key")
    }

    #[tokio::test]
    async fn a_vault_signs_digests_for_a_token_of_its_own() {
        let azure = ControlPlane::start().await;
        azure.fail_always("/identity", Some(Fault::Body(r#"{"access_token": "t0ken"}"#.into())));
        let mut key = key(&azure);
        assert_eq!(key.url.as_str(), "https://my-vault.vault.azure.net/keys/k/v1/sign?api-version=7.4");
        key.url = Url::parse(&format!("{}/sign", azure.url())).expect("an address");
        for (fault, expected) in [
            (Fault::Status(403), "non 200 status code, got: 403. Body: "),
            (Fault::Body("{}".into()), "no valid keyvault response: it holds no signature"),
            (Fault::Body("<".into()), "no valid keyvault response: it holds no signature"),
            (Fault::Body(r#"{"value": "+"}"#.into()), "no valid keyvault response: it holds no signature"),
            (Fault::Reset, "keyvault: failed to sign digest: no answer"),
        ] {
            azure.fail_next("/sign", fault);
            let error = key.sign(b"message").await.expect_err("no signature").to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        azure.fail_next("/sign", Fault::Body(r#"{"kid": "k", "value": "c2lnbmF0dXJl"}"#.into()));
        assert_eq!(key.sign(b"message").await.map_err(|failure| failure.to_string()), Ok("c2lnbmF0dXJl".to_owned()));
        let [.., identity, asked] = &azure.requests()[..] else { panic!("a token and a signature") };
        assert!(identity.path.ends_with("resource=https%3A%2F%2Fmy-vault.vault.azure.net"), "{}", identity.path);
        assert_eq!((asked.method.as_str(), asked.header("authorization")), ("POST", Some("Bearer t0ken")));
        let body: Value = serde_json::from_slice(&asked.body).expect("JSON");
        let digest = base64::spell_url(&Hash::Sha256.digest(b"message"));
        assert_eq!(body, json!({"alg": "ES256", "value": digest}));
    }

    #[tokio::test]
    async fn without_a_token_no_vault_is_asked() {
        let azure = ControlPlane::start().await;
        let mut key = key(&azure);
        key.url = Url::parse(&format!("{}/sign", azure.url())).expect("an address");
        let error = key.sign(b"message").await.expect_err("no token").to_string();
        assert!(error.starts_with("404 "), "{error}");
        assert_eq!(azure.requests().len(), 1);
    }

    #[test]
    fn names_cannot_lead_elsewhere() {
        let check = |key: &str, expected: &str| {
            let config = format!("oauth2: {{token_url: 'https://x', azure_keyvault: {{{key}}}, {SIGNING}}}");
            let error = refusal(&config);
            assert!(error.contains(expected), "{error}");
        };
        let text = "oauth2.azure_keyvault.vault: is no name of a vault";
        check("key: k, key_algorithm: RS256, vault: 'evil.example/'", text);
        check("key: k, key_algorithm: RS256, vault: 'a@evil.example/?'", text);
        check("key: k, key_algorithm: RS256", text);
        check("key_algorithm: RS256, vault: v", "oauth2.azure_keyvault.key: is missing");
        check("key: k, vault: v, key_algorithm: HS256", "unsupported sign algorithm HS256");
    }

    #[test]
    fn what_cannot_be_is_refused_in_opas_words() {
        let check = |more: &str, expected: &str| {
            let error = refusal(&format!("oauth2: {{token_url: 'https://x', {more}}}"));
            assert!(error.starts_with(expected), "{error}");
        };
        check(KEY, "missing Azure credentials, failed to sign the assertion with KeyVault");
        check(&format!("{KEY}, azure_signing: {{}}"), "missing azure managed identity config");
        let other = "azure_signing: {service: storage, azure_managed_identity: {}}";
        check(&format!("{KEY}, {other}"), r#"cannot use SignDigest with azure service "storage""#);
        check(&format!("{KEY}, {SIGNING}, client_secret: s"), "can only use one of client_secret");
    }
}
