//! Policy from an OPAL server: whole bundles and differences, each one transaction.

pub(crate) mod keeper;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use regent_core::data_fetcher::{DataFetcher as _, FetchLimits};
use regent_core::engine::{RegoVersion, Source};
use regent_core::store::{StoreError, Transaction};
use regent_core::value::{Path, decode};
use regent_core::{Error, ErrorKind, Store};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::apply::{destination, put_at};
use crate::config::Config;
use crate::connection::token;
use crate::http::HttpFetcher;

/// What asking for a bundle may take.
const LIMITS: FetchLimits = FetchLimits { timeout: Duration::from_secs(30), max_bytes: 256 << 20 };

/// What is in effect.
#[derive(Debug, Clone, Default)]
struct Applied {
    /// The commit, if there is any.
    hash: Option<String>,
    modules: BTreeSet<String>,
    documents: BTreeSet<String>,
}

/// A bundle as the server sends it: everything, or what has changed since a commit.
#[derive(Debug, Deserialize)]
struct Bundle {
    hash: String,
    #[serde(default)]
    old_hash: Option<String>,
    #[serde(default)]
    data_modules: Vec<DataModule>,
    #[serde(default)]
    policy_modules: Vec<PolicyModule>,
    #[serde(default)]
    deleted_files: Option<Deleted>,
}

#[derive(Debug, Deserialize)]
struct DataModule {
    /// The directory that its `data.json` is in.
    path: String,
    /// The text of that file.
    data: String,
}

#[derive(Debug, Deserialize)]
struct PolicyModule {
    path: String,
    rego: String,
}

#[derive(Debug, Default, Deserialize)]
struct Deleted {
    #[serde(default)]
    data_modules: Vec<String>,
    #[serde(default)]
    policy_modules: Vec<String>,
}

/// Asks for what has changed since `applied`, and puts it in place; gives what is in effect then.
///
/// # Errors
/// When it cannot be had, or does not hold together; nothing has changed then.
async fn sync(config: Arc<Config>, client: Arc<HttpFetcher>, store: Store, applied: Applied) -> Result<Applied, Error> {
    let mut headers = json!({"accept": "application/json"});
    if let Some(token) = token(&config).await? {
        headers["authorization"] = json!(format!("Bearer {}", token.expose()));
    }
    let asked = serde_json::from_value(json!({"headers": headers}));
    let asked = asked.map_err(|error| Error::new(ErrorKind::Internal, "the request").caused_by(error))?;
    let address = address(&config, applied.hash.as_deref())?;
    let body = client.fetch(&address, asked, LIMITS).await;
    let body = body.map_err(|error| Error::new(error.kind(), "the policy cannot be had").caused_by(error))?;
    let broken = |error| Error::new(ErrorKind::Protocol, "the bundle of policy is broken").caused_by(error);
    let bundle: Bundle = serde_json::from_slice(&body).map_err(broken)?;
    let written = store.write(move |transaction| bundle.apply(transaction, applied)).await;
    written.map_err(|error| Error::new(ErrorKind::Refused, "the policy cannot be put in place").caused_by(error))
}

fn address(config: &Config, base: Option<&str>) -> Result<String, Error> {
    let text = format!("{}/policy", config.server_url.trim_end_matches('/'));
    let mut url =
        Url::parse(&text).map_err(|error| Error::new(ErrorKind::Config, "the address is broken").caused_by(error))?;
    let mut query = url.query_pairs_mut();
    query.extend_pairs(config.policy.directories.iter().map(|directory| ("path", directory)));
    query.extend_pairs(base.map(|base| ("base_hash", base)));
    drop(query);
    Ok(url.into())
}

impl Bundle {
    fn apply(self, transaction: &mut Transaction, former: Applied) -> Result<Applied, StoreError> {
        let is_difference = self.old_hash.is_some() && self.old_hash == former.hash;
        let mut applied = Applied { hash: Some(self.hash), modules: former.modules, documents: former.documents };
        let (gone_documents, gone_modules) = if is_difference {
            let Deleted { data_modules, policy_modules } = self.deleted_files.unwrap_or_default();
            (data_modules, policy_modules)
        } else {
            let documents = std::mem::take(&mut applied.documents).into_iter().collect();
            (documents, std::mem::take(&mut applied.modules).into_iter().collect())
        };
        for directory in gone_documents {
            applied.documents.remove(&directory);
            remove_document(transaction, &directory)?;
        }
        for module in gone_modules {
            applied.modules.remove(&module);
            if transaction.policies().contains_key(module.as_str()) {
                transaction.remove_policy(&module)?;
            }
        }
        for DataModule { path, data } in self.data_modules {
            let refused = |error| StoreError::Bundle(format!("{path}/data.json: {error}"));
            let value = decode(data.as_bytes()).map_err(refused)?;
            put_at(transaction, &directory(&path), value)?;
            applied.documents.insert(path);
        }
        let sources = self.policy_modules.into_iter().map(|PolicyModule { path, rego }| {
            applied.modules.insert(path.clone());
            let id: Arc<str> = path.into();
            Source { file: id.clone(), id, text: rego.into(), broken: Vec::new(), version: RegoVersion::default() }
        });
        for module in transaction.parse_all(sources.collect())? {
            transaction.put_policy(module);
        }
        Ok(applied)
    }
}

/// Where the data of a directory lies.
fn directory(path: &str) -> Path {
    destination(if path == "." { "" } else { path })
}

/// Data at the root is what others put there too; it stays, as it does with OPAL.
fn remove_document(transaction: &mut Transaction, path: &str) -> Result<(), StoreError> {
    let place = directory(path);
    if place.is_empty() || transaction.data().at(place.segments()).is_none() {
        return Ok(());
    }
    transaction.require_unowned(&place)?;
    transaction.remove(&place)
}
