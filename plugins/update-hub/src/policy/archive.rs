//! A bundle at an address.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use flate2::read::GzDecoder;
use futures_util::StreamExt as _;
use regent_core::config::Secret;
use regent_core::{Error, ErrorKind};
use regent_services::tls::TlsFiles;
use reqwest::header::{ETAG, IF_NONE_MATCH};
use reqwest::{Client, StatusCode};
use sha2::{Digest as _, Sha256};
use tar::{Archive, EntryType};

use super::unavailable;
use super::version::{Kinds, Version};

/// How long a bundle may take to come.
const PATIENCE: Duration = Duration::from_mins(2);

/// Most bytes of a bundle, packed and not.
const LARGEST: u64 = 256 << 20;

/// Where a bundle is.
pub(super) struct BundleSource {
    client: Client,
    url: String,
    token: Option<Secret>,
    kinds: Kinds,
    etag: Option<String>,
}

impl BundleSource {
    /// Blocks if there are files to be read.
    ///
    /// # Errors
    /// When there can be no client.
    pub(super) fn new(url: &str, token: Option<Secret>, tls: &TlsFiles, kinds: Kinds) -> Result<Self, Error> {
        let broken = |error: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(ErrorKind::Config, "`hub.policy.tls`").caused_by(error)
        };
        let tls = tls.client_config().map_err(|error| broken(error.into()))?;
        let client = Client::builder().tls_backend_preconfigured(tls).timeout(PATIENCE).build();
        let client = client.map_err(|error| broken(error.into()))?;
        Ok(Self { client, url: url.to_owned(), token, kinds, etag: None })
    }

    /// The bundle, unless it is still the one that came last.
    ///
    /// # Errors
    /// When it cannot be had, or is none.
    pub(super) async fn fetch(&mut self) -> Result<Option<Version>, Error> {
        let failed = |error: reqwest::Error| unavailable("the bundle cannot be had").caused_by(error.without_url());
        let mut request = self.client.get(&self.url);
        if let Some(etag) = &self.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose());
        }
        let answer = request.send().await.map_err(failed)?;
        match answer.status() {
            StatusCode::NOT_MODIFIED => return Ok(None),
            status if !status.is_success() => return Err(unavailable(format!("the bundle's server answers {status}"))),
            _ => {}
        }
        let etag = answer.headers().get(ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        let mut packed = Vec::new();
        let mut pieces = answer.bytes_stream();
        while let Some(piece) = pieces.next().await {
            packed.extend_from_slice(&piece.map_err(failed)?);
            if packed.len() as u64 > LARGEST {
                return Err(too_large());
            }
        }
        let kinds = self.kinds.clone();
        let read = tokio::task::spawn_blocking(move || read(&packed, &kinds)).await;
        let version = read.map_err(|panic| unavailable("the bundle").caused_by(panic))??;
        self.etag = etag;
        Ok(Some(version))
    }
}

/// The files of a tar archive that is compressed with gzip.
fn read(packed: &[u8], kinds: &Kinds) -> Result<Version, Error> {
    let broken =
        |error: std::io::Error| Error::new(ErrorKind::Protocol, "the bundle is no tar.gz archive").caused_by(error);
    let mut archive = Archive::new(GzDecoder::new(packed).take(LARGEST));
    let (mut files, mut paths, mut bytes): (BTreeMap<String, Arc<str>>, _, _) = (BTreeMap::new(), Vec::new(), 0);
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        if entry.header().entry_type() != EntryType::Regular {
            continue;
        }
        let path = entry.path().map_err(broken)?.to_string_lossy().into_owned();
        let path = path.trim_start_matches("./").trim_start_matches('/').to_owned();
        bytes += entry.size();
        if bytes >= LARGEST {
            return Err(too_large());
        }
        if kinds.counts(&path) {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(broken)?;
            files.insert(path.clone(), Arc::from(String::from_utf8_lossy(&content)));
        }
        paths.push(path);
    }
    let mut digest = Sha256::new();
    for (path, text) in &files {
        for part in [path.as_str(), text] {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
    }
    // As long as the hash of a commit.
    let hash = regent_signing::hex::spell(&digest.finalize()[..20]);
    Ok(Version::new(hash, files, paths))
}

fn too_large() -> Error {
    unavailable(format!("the bundle has more than {LARGEST} bytes"))
}
