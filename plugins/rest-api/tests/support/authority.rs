//! Certificates for tests that need more than one kind.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use regent_rest_api::TlsOptions;

/// Who issues certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key in PEM.
pub(crate) struct Issued {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self(CertifiedIssuer::self_signed(params, new_key()).expect("valid parameters"))
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a server on 127.0.0.1.
    pub(crate) fn server(&self) -> Issued {
        self.issue(&[(DnType::CommonName, "server")], ExtendedKeyUsagePurpose::ServerAuth, 4000)
    }

    /// A certificate for a client of that name.
    pub(crate) fn client(&self, name: &[(DnType, &str)]) -> Issued {
        self.issue(name, ExtendedKeyUsagePurpose::ClientAuth, 4000)
    }

    /// A certificate for a client that ended long ago.
    pub(crate) fn expired(&self) -> Issued {
        self.issue(&[(DnType::CommonName, "late")], ExtendedKeyUsagePurpose::ClientAuth, 2001)
    }

    fn issue(&self, name: &[(DnType, &str)], usage: ExtendedKeyUsagePurpose, until: i32) -> Issued {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("an address");
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in name {
            params.distinguished_name.push(kind.clone(), *value);
        }
        params.extended_key_usages = vec![usage];
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = new_key();
        let certificate = params.signed_by(&key, &self.0).expect("valid parameters");
        Issued { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("random numbers")
}

/// The files of a server.
pub(crate) struct Files(tempfile::TempDir);

impl Files {
    /// The server's certificate and key, and the authority of its clients.
    pub(crate) fn new(server: &Issued, clients: &Authority) -> Self {
        let files = Self(tempfile::tempdir().expect("a directory"));
        files.put(server);
        std::fs::write(files.path("ca.pem"), clients.pem()).expect("written");
        files
    }

    /// Replaces certificate and key, one after the other, as most do it.
    pub(crate) fn put(&self, server: &Issued) {
        std::fs::write(self.path("cert.pem"), &server.certificate).expect("written");
        std::fs::write(self.path("key.pem"), &server.key).expect("written");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        Path::new(self.0.path()).join(name)
    }

    pub(crate) fn options(&self) -> TlsOptions {
        TlsOptions {
            client_authorities: Some(self.path("ca.pem")),
            ..TlsOptions::new(self.path("cert.pem"), self.path("key.pem"))
        }
    }
}
