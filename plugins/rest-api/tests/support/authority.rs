//! Certificates for tests that need more than one kind.

use std::ops::Range;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use regent_rest_api::TlsOptions;

/// The years in which certificates are valid, unless others are asked for.
const VALID: Range<i32> = 2000..4000;

/// Years that are over, and years that are still to come.
pub(crate) const PAST: Range<i32> = 2000..2001;
pub(crate) const FUTURE: Range<i32> = 3900..4000;

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
        self.server_for("127.0.0.1", VALID)
    }

    /// A certificate for a server on that host, in that time.
    pub(crate) fn server_for(&self, host: &str, time: Range<i32>) -> Issued {
        self.issue(host, &[(DnType::CommonName, "server")], ExtendedKeyUsagePurpose::ServerAuth, time)
    }

    /// A certificate for a client of that name.
    pub(crate) fn client(&self, name: &[(DnType, &str)]) -> Issued {
        self.client_in(name, VALID)
    }

    /// A certificate for a client of that name, in that time.
    pub(crate) fn client_in(&self, name: &[(DnType, &str)], time: Range<i32>) -> Issued {
        self.issue("127.0.0.1", name, ExtendedKeyUsagePurpose::ClientAuth, time)
    }

    fn issue(&self, host: &str, name: &[(DnType, &str)], usage: ExtendedKeyUsagePurpose, time: Range<i32>) -> Issued {
        let mut params = CertificateParams::new(vec![host.to_owned()]).expect("a host");
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in name {
            params.distinguished_name.push(kind.clone(), *value);
        }
        params.extended_key_usages = vec![usage];
        params.not_before = date_time_ymd(time.start, 1, 1);
        params.not_after = date_time_ymd(time.end, 1, 1);
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
