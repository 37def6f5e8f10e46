//! Calls from hosts of repositories.

use axum::http::{HeaderMap, StatusCode};
use regent_core::config::Secret;
use regent_signing::hex;
use regent_signing::keys::hash::Hash;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::{Policy, SecretType, WebhookConfig};
use crate::refusal::Refusal;

/// Members under which hosts tell of a repository, and of its addresses.
const REPOSITORIES: [&str; 3] = ["repository", "project", "resource"];
const ADDRESSES: [&str; 9] =
    ["git_url", "ssh_url", "clone_url", "git_http_url", "git_ssh_url", "url", "remoteUrl", "web_url", "html_url"];

impl Policy {
    /// Takes a call: whether it tells of something new, which is looked for then.
    ///
    /// # Errors
    /// When the caller does not know the secret, or says of no repository.
    pub(crate) fn called(&self, headers: &HeaderMap, body: &[u8]) -> Result<Json, Refusal> {
        let webhook = &self.config.webhook;
        check_secret(webhook, headers, body)?;
        let body: Json = serde_json::from_slice(body).unwrap_or_default();
        let event = match &webhook.event_key {
            Some(key) => body.get(key).and_then(Json::as_str).unwrap_or_default().to_owned(),
            None => header(headers, &webhook.event_header).unwrap_or_default().to_owned(),
        };
        let ours = self.config.repository.as_ref().map(Secret::expose);
        let addresses = addresses(&body);
        if webhook.match_repository && ours.is_some() && addresses.is_empty() {
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "repo url not found in payload!"));
        }
        let named = addresses.iter().find(|address| ours.is_some_and(|ours| is_same(ours, address)));
        let is_ours = named.is_some() || !webhook.match_repository || ours.is_none();
        let is_branch = !webhook.match_branch || body["ref"] == format!("refs/heads/{}", self.config.branch);
        // With OPAL a push is what calls for a pull; other events of the repository are answered alike and do nothing.
        if !is_ours || !is_branch {
            return Ok(json!({"status": "ignored", "event": event}));
        }
        if event == webhook.push_event {
            self.look();
        }
        Ok(json!({"status": "ok", "event": event, "repo_url": named}))
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn check_secret(webhook: &WebhookConfig, headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
    let Some(secret) = &webhook.secret else { return Ok(()) };
    let refused = |text| Err(Refusal::new(StatusCode::UNAUTHORIZED, text));
    let shown = header(headers, &webhook.secret_header)
        .map(|shown| shown.strip_prefix(&webhook.secret_prefix).unwrap_or(shown));
    let Some(shown) = shown else { return refused("No secret was provided!") };
    match webhook.secret_type {
        SecretType::Signature => {
            let code = hex::bytes(shown).unwrap_or_default();
            if Hash::Sha256.authenticates(secret.expose().as_bytes(), body, &code) {
                Ok(())
            } else {
                refused("signatures didn't match!")
            }
        }
        // Digests take the same time to compare whatever was guessed.
        SecretType::Token if Sha256::digest(shown) == Sha256::digest(secret.expose()) => Ok(()),
        SecretType::Token => refused("secret-tokens didn't match!"),
    }
}

/// All addresses of repositories that a body tells of.
fn addresses(body: &Json) -> Vec<&str> {
    let places = REPOSITORIES.iter().filter_map(|name| body.get(name));
    let places = places
        .flat_map(|place| std::iter::once(place).chain(place.get("repository")).chain(place.pointer("/links/html")));
    let of = |place| ADDRESSES.iter().chain(&["href"]).filter_map(move |name| Json::get(place, name)?.as_str());
    places.flat_map(of).collect()
}

/// Whether two addresses are of one repository: the end `.git` and a name of a user make no difference.
fn is_same(one: &str, other: &str) -> bool {
    let plain = |address: &str| {
        let address = address.trim_end_matches('/').trim_end_matches(".git").to_owned();
        match address.split_once("://") {
            Some((scheme, rest)) => match rest.split_once('/') {
                Some((host, path)) => format!("{scheme}://{}/{path}", host.rsplit('@').next().unwrap_or(host)),
                None => address,
            },
            None => address,
        }
    };
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_shown_as_hosts_show_them() {
        let secret = Some(regent_core::config::Secret::new("hook-secret"));
        let body = br#"{"ref":"refs/heads/main","repository":{"full_name":"x/policy"}}"#;
        let signature = "sha256=fdd9752cbb8e4d52edc9862ec58a03f7faede321195aa506214b6ecdc3c1effa";
        let shown = |name: &'static str, value: &'static str| {
            HeaderMap::from_iter([(name.parse().expect("a name"), value.parse().expect("a value"))])
        };
        let webhook = WebhookConfig { secret: secret.clone(), ..WebhookConfig::default() };
        let status = |headers: &HeaderMap, webhook: &WebhookConfig| check_secret(webhook, headers, body).is_ok();
        assert!(status(&shown("x-hub-signature-256", signature), &webhook));
        assert!(!status(&shown("x-hub-signature-256", "sha256=00"), &webhook));
        assert!(!status(&HeaderMap::new(), &webhook));
        let token =
            WebhookConfig { secret_type: SecretType::Token, secret_header: "x-gitlab-token".to_owned(), ..webhook };
        assert!(status(&shown("x-gitlab-token", "hook-secret"), &token));
        assert!(!status(&shown("x-gitlab-token", "other"), &token));
        assert!(status(&HeaderMap::new(), &WebhookConfig::default()), "without a secret anyone may call");
    }

    #[test]
    fn repositories_are_recognised_by_their_addresses() {
        let github = json!({"repository": {"full_name": "x/p", "clone_url": "https://github.com/x/p.git", "ssh_url": "git@github.com:x/p.git"}});
        assert_eq!(addresses(&github), ["git@github.com:x/p.git", "https://github.com/x/p.git"]);
        let gitlab = json!({"project": {"git_http_url": "https://gitlab.com/x/p.git"}});
        assert_eq!(addresses(&gitlab), ["https://gitlab.com/x/p.git"]);
        let azure = json!({"resource": {"repository": {"remoteUrl": "https://dev.azure.com/x/_git/p"}}});
        assert_eq!(addresses(&azure), ["https://dev.azure.com/x/_git/p"]);
        let bitbucket = json!({"repository": {"links": {"html": {"href": "https://bitbucket.org/x/p"}}}});
        assert_eq!(addresses(&bitbucket), ["https://bitbucket.org/x/p"]);
        assert!(is_same("https://token@github.com/x/p.git", "https://github.com/x/p"));
        assert!(!is_same("https://github.com/x/p", "https://github.com/x/q"));
        assert!(!is_same("https://github.com/x/p", "https://evil.com/x/p"));
    }
}
