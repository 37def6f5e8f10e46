//! The files that TLS is made of.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::{TlsError, TlsOptions};

/// Most bytes of a file. All the authorities of a system fit in less than one.
const MOST: u64 = 16 << 20;

/// What the files hold. Compared to find out whether they have changed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(super) certificate: Vec<u8>,
    pub(super) key: Vec<u8>,
    pub(super) authorities: Option<Vec<u8>>,
}

impl Contents {
    /// Reads the files.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(super) fn read(options: &TlsOptions) -> Result<Self, TlsError> {
        Ok(Self {
            certificate: read(&options.certificate)?,
            key: read(&options.key)?,
            authorities: options.client_authorities.as_deref().map(read).transpose()?,
        })
    }

    /// The certificates to show.
    pub(super) fn chain(&self, options: &TlsOptions) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        certificates(&self.certificate).ok_or_else(|| wrong(&options.certificate, "failed to find any certificate"))
    }

    /// The private key.
    pub(super) fn key(&self, options: &TlsOptions) -> Result<PrivateKeyDer<'static>, TlsError> {
        // What the parser says could repeat a part of the key.
        PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| wrong(&options.key, "failed to find a private key"))
    }

    /// The authorities, if a file names them.
    pub(super) fn authorities(&self, options: &TlsOptions) -> Result<Option<RootCertStore>, TlsError> {
        let (Some(text), Some(path)) = (&self.authorities, &options.client_authorities) else { return Ok(None) };
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(certificates(text).unwrap_or_default());
        if added == 0 {
            return Err(TlsError::Authorities(path.display().to_string()));
        }
        Ok(Some(roots))
    }
}

impl TlsOptions {
    /// All files that it names.
    pub(super) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.certificate, &self.key].into_iter().chain(&self.client_authorities)
    }
}

/// The certificates in a text; nothing if it has none or one of them is broken.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()?;
    (!found.is_empty()).then_some(found)
}

fn wrong(path: &Path, reason: &str) -> TlsError {
    TlsError::Content { path: path.display().to_string(), reason: reason.to_owned() }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let failed = |error: &io::Error| {
        let reason = match error.kind() {
            io::ErrorKind::NotFound => "no such file or directory".to_owned(),
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        };
        TlsError::Read { path: path.display().to_string(), reason }
    };
    let mut contents = Vec::new();
    let file = File::open(path).map_err(|error| failed(&error))?;
    file.take(MOST + 1).read_to_end(&mut contents).map_err(|error| failed(&error))?;
    if contents.len() as u64 > MOST {
        return Err(wrong(path, "the file is too large"));
    }
    Ok(contents)
}
