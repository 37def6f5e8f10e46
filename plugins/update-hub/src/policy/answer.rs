//! What is answered to who asks for policy.

use std::sync::Arc;

use axum::http::StatusCode;
use regent_data_updates::rpc::raw;

use super::version::Version;
use super::watch::Policy;
use crate::refusal::Refusal;

/// What a client asks for.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// Directories; all if there are none.
    pub(crate) paths: Vec<String>,
    /// What it has.
    pub(crate) base_hash: Option<String>,
}

impl Policy {
    /// A bundle as JSON: everything, or what has changed since the commit that is known by that hash.
    ///
    /// # Errors
    /// While there is no policy yet, and for directories that there are not.
    pub(crate) async fn answer(&self, asked: &Asked) -> Result<String, Refusal> {
        let head = self.versions.borrow().back().cloned();
        let head = head.ok_or_else(|| Refusal::unavailable("policy repo is not ready"))?;
        let directories: Vec<&str> = if asked.paths.is_empty() {
            vec!["."]
        } else {
            asked.paths.iter().map(|path| path.trim_start_matches('/').trim_start_matches("./")).collect()
        };
        for (directory, path) in directories.iter().zip(&asked.paths) {
            let directory = directory.trim_end_matches('/');
            let is_known =
                directory.is_empty() || head.directories.contains(directory) || head.files.contains_key(directory);
            if !is_known {
                let text = format!("requested path {path} was not found in the policy repo!");
                return Err(Refusal::new(StatusCode::NOT_FOUND, &text));
            }
        }
        let old = match &asked.base_hash {
            Some(hash) => self.version(hash).await?,
            None => None,
        };
        Ok(raw(&head.bundle(&directories, old.as_deref(), &self.kinds)).get().to_owned())
    }

    /// The state that is known by a hash, which may be abbreviated; nothing if nobody knows it.
    async fn version(&self, hash: &str) -> Result<Option<Arc<Version>>, Refusal> {
        if !(4..=64).contains(&hash.len()) || !hash.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "`base_hash` is no hash"));
        }
        let known = self.versions.borrow().iter().rev().find(|version| version.hash.starts_with(hash)).cloned();
        match (known, &self.repository) {
            (None, Some(repository)) => match repository.version(hash).await {
                Ok(version) => Ok(version.map(Arc::new)),
                Err(error) => {
                    tracing::warn!(error = error.chain(), "An older state of policy cannot be had; all of it is sent.");
                    Ok(None)
                }
            },
            (known, _) => Ok(known),
        }
    }
}
