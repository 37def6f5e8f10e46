//! The flags about who may come in: TLS, authentication, authorization.

use std::time::Duration;

use jiff::SignedDuration;
use regent_rest_api::{Authentication, Authorization, TlsOptions, TlsVersion};

/// TLS, authentication, authorization.
#[derive(Debug, clap::Args)]
pub(super) struct AccessFlags {
    /// How clients prove who they are: off, token (a bearer token), tls (a certificate).
    #[arg(long, value_name = "SCHEME", default_value = "off", value_parser = ["token", "tls", "off"])]
    authentication: String,
    /// Whether a policy decides on requests: off, basic (`data.system.authz.allow`).
    #[arg(long, value_name = "SCHEME", default_value = "off", value_parser = ["basic", "off"])]
    authorization: String,
    /// Certificate of the server, and those between it and its authority, in PEM. Loaded again when it changes.
    #[arg(long, value_name = "FILE")]
    tls_cert_file: Option<String>,
    /// Private key of the server in PEM.
    #[arg(long, value_name = "FILE")]
    tls_private_key_file: Option<String>,
    /// Authorities of clients' certificates in PEM, for --authentication=tls; else those that the system trusts.
    #[arg(long, value_name = "FILE")]
    tls_ca_cert_file: Option<String>,
    /// Look at the files of TLS in this period rather than follow their changes: 30s, 1m30s.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    tls_cert_refresh_period: Duration,
    /// Cipher suites of TLS 1.2 that may be used, by their IANA names. May be repeated.
    #[arg(long, value_name = "SUITE", value_delimiter = ',')]
    tls_cipher_suites: Vec<String>,
    /// The oldest version of TLS that clients may speak. 1.0 and 1.1 mean 1.2, which is the oldest there is.
    #[arg(long, value_name = "VERSION", default_value = "1.2", value_parser = ["1.0", "1.1", "1.2", "1.3"])]
    min_tls_version: String,
    /// Do not check the authorization policy against the form of its input.
    #[arg(long)]
    pub(super) skip_known_schema_check: bool,
}

impl AccessFlags {
    pub(super) fn authentication(&self) -> Authentication {
        match self.authentication.as_str() {
            "token" => Authentication::Token,
            "tls" => Authentication::Tls,
            _ => Authentication::Off,
        }
    }

    pub(super) fn authorization(&self) -> Authorization {
        if self.authorization == "basic" { Authorization::Basic } else { Authorization::Off }
    }

    /// What TLS needs, if there is to be any.
    ///
    /// # Errors
    /// When certificate or key is missing.
    pub(super) fn tls(&self) -> Result<Option<TlsOptions>, &'static str> {
        let (certificate, key) = match (given(self.tls_cert_file.as_ref()), given(self.tls_private_key_file.as_ref())) {
            (Some(certificate), Some(key)) => (certificate, key),
            (None, None) => return Ok(None),
            _ => return Err("--tls-cert-file and --tls-private-key-file must be specified together"),
        };
        if matches!(self.min_tls_version.as_str(), "1.0" | "1.1") {
            tracing::warn!("TLS {} is not safe; clients must speak 1.2 or later", self.min_tls_version);
        }
        let min_version = if self.min_tls_version == "1.3" { TlsVersion::V13 } else { TlsVersion::V12 };
        let suites: Vec<_> = self.tls_cipher_suites.iter().filter(|name| !name.is_empty()).cloned().collect();
        Ok(Some(TlsOptions {
            client_authorities: given(self.tls_ca_cert_file.as_ref()).map(Into::into),
            refresh: (!self.tls_cert_refresh_period.is_zero()).then_some(self.tls_cert_refresh_period),
            min_version,
            cipher_suites: (!suites.is_empty()).then_some(suites),
            ..TlsOptions::new(certificate.as_str(), key.as_str())
        }))
    }
}

/// The file of a flag. An empty name is none, which scripts rely on that always set the flag.
fn given(file: Option<&String>) -> Option<&String> {
    file.filter(|file| !file.is_empty())
}

/// A duration as Go writes it.
fn duration(text: &str) -> Result<Duration, String> {
    let signed = if text == "0" {
        SignedDuration::ZERO
    } else {
        text.parse().map_err(|error: jiff::Error| error.to_string())?
    };
    signed.try_into().map_err(|_| "must not be negative".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("1.5h"), Ok(Duration::from_mins(90)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        for wrong in ["", "5", "x", "-1s"] {
            duration(wrong).expect_err(wrong);
        }
    }
}
