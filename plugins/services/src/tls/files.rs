//! The files that a configuration names.

use std::path::{Path, PathBuf};

use regent_core::config::{ConfigError, Section};
use regent_core::service::ClientIdentity;
use rustls::ClientConfig;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Authorities, ClientSetup, TlsError};

/// The client's side of TLS as a configuration has it: files in PEM, read for each connection, so that they may change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TlsFiles {
    /// Authorities that may vouch for the server; the system's by default.
    pub ca_cert: Option<PathBuf>,
    /// The client's certificate chain.
    pub cert: Option<PathBuf>,
    /// The key of that certificate.
    pub private_key: Option<PathBuf>,
}

/// Why files do not make a client's side of TLS.
#[derive(Debug, thiserror::Error)]
#[error("`{key}`: {why}")]
pub struct FilesError {
    /// The key that names the file.
    pub key: &'static str,
    /// What is wrong with it.
    pub why: String,
}

impl TlsFiles {
    /// Reads the files. Blocks. No protocol is asked for within TLS.
    ///
    /// # Errors
    /// When a file cannot be read, or does not hold what it should.
    pub fn client_config(&self) -> Result<ClientConfig, FilesError> {
        let authorities = match &self.ca_cert {
            Some(path) => Authorities::Only(read("ca_cert", path)?),
            None => Authorities::System,
        };
        self.trusting(&authorities)
    }

    /// As [`TlsFiles::client_config`], but any server may say to be anyone: only for who asks for that by name.
    ///
    /// # Errors
    /// When a file cannot be read, or does not hold what it should.
    pub fn trusting_anyone(&self) -> Result<ClientConfig, FilesError> {
        self.trusting(&Authorities::Anyone)
    }

    fn trusting(&self, authorities: &Authorities) -> Result<ClientConfig, FilesError> {
        let identity = match (&self.cert, &self.private_key) {
            (Some(cert), Some(key)) => {
                let (certificates, private_key) = (read("cert", cert)?, read("private_key", key)?);
                Some(ClientIdentity { certificates, private_key })
            }
            (None, None) => None,
            (None, Some(_)) => return Err(missing("cert")),
            (Some(_), None) => return Err(missing("private_key")),
        };
        let setup = ClientSetup { authorities, identity: identity.as_ref(), server_name: None };
        let mut config = setup.config().map_err(|error| unusable(&error))?;
        config.alpn_protocols.clear();
        Ok(config)
    }

    /// Says at start what would go wrong later, at the key below `tls` of the section.
    ///
    /// # Errors
    /// As [`TlsFiles::client_config`].
    pub fn check(&self, section: &Section) -> Result<(), ConfigError> {
        let told = |error: FilesError| section.error(&format!("tls.{}", error.key), error.why);
        self.client_config().map(drop).map_err(told)
    }
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, FilesError> {
    std::fs::read(path).map_err(|error| FilesError { key, why: format!("cannot read {}: {error}", path.display()) })
}

fn missing(key: &'static str) -> FilesError {
    FilesError { key, why: "is missing: `cert` and `private_key` belong together".to_owned() }
}

fn unusable(error: &TlsError) -> FilesError {
    let key = match error {
        TlsError::Authority => "ca_cert",
        TlsError::KeyFormat(_) => "private_key",
        _ => "cert",
    };
    FilesError { key, why: regent_core::error::chain(error) }
}

#[cfg(test)]
mod tests {
    use regent_kit::Certificates;

    use super::*;

    #[test]
    fn what_is_wrong_with_files_is_said_at_the_key_that_names_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("it is written");
            Some(path)
        };
        let certificates = Certificates::generate();
        let (ca, cert) = (file("ca", &certificates.ca), file("cert", &certificates.client_cert));
        let (key, other) = (file("key", &certificates.client_key), file("other", &certificates.server_key));
        let (empty, absent) = (file("empty", ""), Some(folder.path().join("absent")));
        let files = |ca_cert, cert, private_key| TlsFiles { ca_cert, cert, private_key };
        let good = files(ca.clone(), cert.clone(), key.clone()).client_config().expect("all of it is there");
        assert!(good.alpn_protocols.is_empty());
        let refusals = [
            (files(absent.clone(), None, None), "`ca_cert`: cannot read "),
            (files(empty.clone(), None, None), "`ca_cert`: unable to parse"),
            (files(ca.clone(), cert.clone(), None), "`private_key`: is missing"),
            (files(ca.clone(), None, key.clone()), "`cert`: is missing"),
            (files(ca.clone(), empty, key), "`cert`: PEM data could not be found"),
            (files(ca.clone(), cert.clone(), absent), "`private_key`: cannot read "),
            (files(ca, cert, other), "`cert`: certificate and private key cannot be used"),
        ];
        for (files, expected) in refusals {
            let error = files.client_config().expect_err(expected).to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
