//! Keys of who has logged in with `aws sso login`: the login's token lies in a cache of AWS's tools.
//!
//! A login that has ended is renewed with its refresh token, which is kept here: the tools' file stays as it is.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use configparser::ini::Ini;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use jiff::Timestamp;
use regent_core::config::Secret;
use regent_core::service::BoxFuture;
use regent_signing::hex;
use serde::Deserialize;
use serde_json::json;
use sha1::{Digest as _, Sha1};

use super::profile::{profile_name, read_ini};
use super::{Keys, MARGIN, Provider, Surroundings, ask, until};
use crate::credentials::asker::{Question, address};
use crate::credentials::failure::{Failure, read_file};
use crate::credentials::fresh::{Fresh, Lasting};
use crate::credentials::given;

#[derive(Deserialize)]
pub(crate) struct WrittenSso {
    path: Option<String>,
    cache_path: Option<String>,
    profile: Option<String>,
}

pub(super) struct FromSso {
    written: WrittenSso,
    surroundings: Surroundings,
    /// The login renewed last. A lock, because the next question may come from another task; never held while waiting.
    renewed: Mutex<Option<Login>>,
    keys: Fresh<Keys>,
}

/// What the profile says.
struct Account {
    session: String,
    region: String,
    id: String,
    role: String,
}

/// What the cache holds of a login.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Login {
    access_token: Secret,
    #[serde(default)]
    expires_at: Timestamp,
    #[serde(default)]
    registration_expires_at: Timestamp,
    #[serde(default)]
    refresh_token: Secret,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    client_secret: Secret,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RenewedLogin {
    access_token: Secret,
    refresh_token: Option<Secret>,
    expires_in: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    role_credentials: AnswerKeys,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnswerKeys {
    access_key_id: String,
    secret_access_key: Secret,
    session_token: Secret,
    /// In milliseconds.
    expiration: i64,
}

impl FromSso {
    pub(super) fn new(written: WrittenSso, surroundings: Surroundings) -> Self {
        Self { written, surroundings, renewed: Mutex::default(), keys: Fresh::new(MARGIN) }
    }

    async fn fetch(&self) -> Result<Lasting<Keys>, Failure> {
        let account = self.account().await.map_err(|failure| failure.within("failed to load session"))?;
        let cached = self.cached(&account).await;
        let cached = cached.map_err(|failure| failure.within("failed to load SSO credentials"))?;
        let login = self.lasting(cached, &account).await?;
        let keys = self.role_keys(&account, &login).await;
        keys.map_err(|failure| failure.within("failed to refresh credentials"))
    }

    async fn account(&self) -> Result<Account, Failure> {
        let environment = &self.surroundings.environment;
        let path = given(self.written.path.clone()).or_else(|| environment.get("AWS_CONFIG_FILE"));
        let path = path.map_or_else(|| self.surroundings.home("config"), |path| Ok(PathBuf::from(path)))?;
        let profile = profile_name(self.written.profile.clone(), &self.surroundings);
        let file = read_ini("config file", &path).await?;
        let section = [format!("profile {profile}"), profile.clone()];
        // The usual profile has no `profile` before its name.
        let section = section.iter().find(|name| file.sections().contains(*name));
        let section = section.ok_or_else(|| Failure::config(format!("failed to find profile {profile}")))?;
        let key = |name| required_key(&file, section, name, &format!("profile {profile}"));
        Ok(Account {
            id: key("sso_account_id")?,
            region: key("region")?,
            role: key("sso_role_name")?,
            session: key("sso_session")?,
        })
    }

    /// The login in the cache.
    async fn cached(&self, account: &Account) -> Result<Login, Failure> {
        let directory = given(self.written.cache_path.clone()).map(PathBuf::from);
        let directory = directory.map_or_else(|| self.surroundings.home("sso/cache"), Ok)?;
        let name = format!("{}.json", hex::spell(&Sha1::digest(account.session.as_bytes())));
        let path = directory.join(name);
        let text = read_file("cache file", &path).await?;
        // The parser's words would quote what it found.
        let unreadable = |_| Failure::config(format!("cache file {} holds no login", path.display()));
        serde_json::from_str(&text).map_err(unreadable)
    }

    /// The login that lasts longest, renewed if it has ended.
    async fn lasting(&self, cached: Login, account: &Account) -> Result<Login, Failure> {
        let renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let login = renewed.filter(|renewed| renewed.expires_at > cached.expires_at).unwrap_or(cached);
        if login.expires_at > Timestamp::now() {
            return Ok(login);
        }
        if login.registration_expires_at < Timestamp::now() {
            return Err(Failure::config("cannot refresh token, registration expired"));
        }
        let login = self.renew(login, account).await.map_err(|failure| failure.within("failed to refresh token"))?;
        *self.renewed.lock().unwrap_or_else(PoisonError::into_inner) = Some(login.clone());
        Ok(login)
    }

    async fn renew(&self, login: Login, account: &Account) -> Result<Login, Failure> {
        if login.refresh_token.expose().is_empty() {
            return Err(Failure::config("refresh token is empty"));
        }
        let environment = &self.surroundings.environment;
        let base = environment.get("AWS_ENDPOINT_URL_SSO_OIDC");
        let base = base.unwrap_or_else(|| format!("https://oidc.{}.amazonaws.com", account.region));
        let body = json!({
            "clientId": login.client_id,
            "clientSecret": login.client_secret.expose(),
            "refreshToken": login.refresh_token.expose(),
            "grantType": "refresh_token",
        });
        let url = address(&format!("{}/token", base.trim_end_matches('/')))?;
        let mut question = Question { method: Method::POST, body: body.to_string().into_bytes(), ..Question::get(url) };
        question.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = ask(&self.surroundings.out, question, "SSO token").await?;
        let given: RenewedLogin = serde_json::from_slice(&body).map_err(|_| unreadable())?;
        let end = Timestamp::now().checked_add(jiff::SignedDuration::from_secs(given.expires_in));
        Ok(Login {
            access_token: given.access_token,
            expires_at: end.map_err(|_| unreadable())?,
            refresh_token: given.refresh_token.unwrap_or(login.refresh_token),
            ..login
        })
    }

    async fn role_keys(&self, account: &Account, login: &Login) -> Result<Lasting<Keys>, Failure> {
        let environment = &self.surroundings.environment;
        let base = environment.get("AWS_ENDPOINT_URL_SSO");
        let base = base.unwrap_or_else(|| format!("https://portal.sso.{}.amazonaws.com", account.region));
        let mut url = address(&format!("{}/federation/credentials", base.trim_end_matches('/')))?;
        url.query_pairs_mut().append_pair("account_id", &account.id).append_pair("role_name", &account.role);
        let token = login.access_token.expose();
        // OPA's header is that of OAuth; AWS documents the other one.
        let question = Question::get(url).with("authorization", &format!("Bearer {token}"))?;
        let question = question.with("x-amz-sso_bearer_token", token)?;
        let body = ask(&self.surroundings.out, question, "SSO").await?;
        let answer: Answer = serde_json::from_slice(&body).map_err(|_| unreadable())?;
        let given = answer.role_credentials;
        let end = Timestamp::from_millisecond(given.expiration).map_err(|_| unreadable())?;
        let keys = Keys {
            access_key: given.access_key_id,
            secret_key: given.secret_access_key,
            session_token: given.session_token,
            region: account.region.clone(),
        };
        Ok(until(keys, end))
    }
}

impl Provider for FromSso {
    fn keys(&self) -> BoxFuture<'_, Result<Keys, Failure>> {
        Box::pin(self.keys.get(self.fetch()))
    }
}

/// The parser's own words would quote what it found.
fn unreadable() -> Failure {
    Failure::protocol("failed to decode response")
}

fn required_key(file: &Ini, section: &str, key: &str, place: &str) -> Result<String, Failure> {
    let missing = || Failure::config(format!("failed to find {key} key in {place}"));
    given(file.get(section, key)).ok_or_else(missing)
}
