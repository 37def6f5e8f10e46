//! The keys `tls_…` of the request object: whom to trust, and who the agent is.

use std::path::Path;

use regent_core::service::ClientIdentity;
use regent_services::tls::{Authorities, TlsError};

use crate::failure::Failure;

/// What the certificates of a PEM text begin with.
const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// The keys as they are written; empty where they are missing.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) ca: Sources,
    pub(crate) certificate: Sources,
    pub(crate) key: Sources,
    pub(crate) use_system_certs: bool,
    pub(crate) skip_verify: bool,
}

/// A text, the file that it is in, or the environment variable that it is in.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(crate) text: String,
    pub(crate) file: String,
    pub(crate) variable: String,
}

impl Written {
    /// Whom to trust. Files are read at each request, so that they may change.
    pub(crate) fn authorities(&self) -> Result<Authorities, Failure> {
        let mut pem = Vec::new();
        if !self.ca.text.is_empty() {
            add(&mut pem, self.ca.text.replace("\\n", "\n").as_bytes()).map_err(Failure::Request)?;
        }
        if !self.ca.file.is_empty() {
            add(&mut pem, &read(&self.ca.file)?).map_err(Failure::Request)?;
        }
        if !self.ca.variable.is_empty() {
            let name = &self.ca.variable;
            let refused = |why| Failure::Request(format!("could not add CA certificates from envvar {name:?}: {why}"));
            add(&mut pem, &variable(name)).map_err(refused)?;
        }
        Ok(match (self.skip_verify, pem.is_empty(), self.use_system_certs) {
            (true, ..) => Authorities::Anyone,
            (_, true, _) => Authorities::System,
            (_, _, true) => Authorities::SystemAnd(pem),
            (..) => Authorities::Only(pem),
        })
    }

    /// Who the agent is. Of several certificates the first one counts.
    pub(crate) fn identity(&self) -> Result<Option<ClientIdentity>, Failure> {
        let (certificate, key) = (&self.certificate, &self.key);
        let pairs = |one: &str, other: &str| !one.is_empty() && !other.is_empty();
        let identity = |certificates, private_key| Some(ClientIdentity { certificates, private_key });
        Ok(if pairs(&certificate.text, &key.text) {
            identity(certificate.text.clone().into_bytes(), key.text.clone().into_bytes())
        } else if pairs(&certificate.file, &key.file) {
            identity(read(&certificate.file)?, read(&key.file)?)
        } else if pairs(&certificate.variable, &key.variable) {
            identity(variable(&certificate.variable), variable(&key.variable))
        } else {
            None
        })
    }

    /// What a failure to use all this says.
    pub(crate) fn refused(&self, error: &TlsError) -> Failure {
        let text = match error {
            TlsError::Material("private key is invalid") => "tls: failed to find any PEM data in key input",
            TlsError::Material(_) => "tls: failed to find any PEM data in certificate input",
            TlsError::KeyFormat(_) => "tls: failed to parse private key",
            TlsError::KeyPair(_) => "tls: private key does not match public key",
            TlsError::Authority => return Failure::Request("could not append certificates".to_owned()),
            other => return Failure::Request(format!("tls: {other}")),
        };
        let (certificate, key) = (&self.certificate, &self.key);
        if certificate.text.is_empty() && certificate.file.is_empty() {
            let (certificate, key) = (&certificate.variable, &key.variable);
            let place = format!("cannot extract public/private key pair from envvars {certificate:?}, {key:?}");
            return Failure::Request(format!("{place}: {text}"));
        }
        Failure::Request(text.to_owned())
    }
}

fn add(pem: &mut Vec<u8>, more: &[u8]) -> Result<(), String> {
    if !more.windows(CERTIFICATE.len()).any(|window| window == CERTIFICATE) {
        return Err("could not append certificates".to_owned());
    }
    pem.extend_from_slice(more);
    pem.push(b'\n');
    Ok(())
}

fn variable(name: &str) -> Vec<u8> {
    std::env::var_os(name).map(std::ffi::OsString::into_encoded_bytes).unwrap_or_default()
}

fn read(path: &str) -> Result<Vec<u8>, Failure> {
    std::fs::read(Path::new(path)).map_err(|error| {
        let why = match error.kind() {
            std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
            std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        };
        Failure::Request(format!("open {path}: {why}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(failure: Failure) -> String {
        failure.raised().to_string()
    }

    #[test]
    fn what_holds_no_certificate_is_refused_in_opas_words() {
        let text = |text: &str| Sources { text: text.to_owned(), ..Sources::default() };
        let file = |file: &str| Sources { file: file.to_owned(), ..Sources::default() };
        let variable = |variable: &str| Sources { variable: variable.to_owned(), ..Sources::default() };
        let refused = |ca| Written { ca, ..Written::default() }.authorities().err().map(said);
        assert_eq!(refused(text("nonsense")).as_deref(), Some("could not append certificates"));
        assert_eq!(refused(file("/nowhere/ca")).as_deref(), Some("open /nowhere/ca: no such file or directory"));
        let expected = r#"could not add CA certificates from envvar "NO_SUCH": could not append certificates"#;
        assert_eq!(refused(variable("NO_SUCH")).as_deref(), Some(expected));
        assert_eq!(refused(Sources::default()), None);

        let written = Written { certificate: variable("A"), key: variable("B"), ..Written::default() };
        let expected = r#"cannot extract public/private key pair from envvars "A", "B": tls: failed to find any PEM data in key input"#;
        assert_eq!(said(written.refused(&TlsError::Material("private key is invalid"))), expected);
    }

    #[test]
    fn a_newline_may_be_escaped() {
        let ca = Sources { text: "-----BEGIN CERTIFICATE-----\\nabc".to_owned(), ..Sources::default() };
        let written = Written { ca, ..Written::default() };
        let expected = Authorities::Only(b"-----BEGIN CERTIFICATE-----\nabc\n".to_vec());
        assert!(written.authorities().is_ok_and(|authorities| authorities == expected));
    }
}
