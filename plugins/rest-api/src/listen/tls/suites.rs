//! Cipher suites by the names that Go gives them, which are those of IANA.

use rustls::crypto::CryptoProvider;
use rustls::{CipherSuite, SupportedCipherSuite};

use super::TlsError;

/// Suites that OPA takes and nobody should use: without forward secrecy, or with a cipher or mode that is broken.
const UNSAFE: [&str; 16] = [
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
];

/// Keeps only the named suites of TLS 1.2; those of TLS 1.3 are always on.
///
/// # Errors
/// When a name is unknown or a suite of TLS 1.3.
pub(super) fn choose(mut provider: CryptoProvider, names: Option<&[String]>) -> Result<CryptoProvider, TlsError> {
    let Some(names) = names else { return Ok(provider) };
    let mut chosen = Vec::new();
    for name in names {
        match provider.cipher_suites.iter().find(|known| named(**known) == *name) {
            Some(SupportedCipherSuite::Tls13(_)) => return Err(TlsError::Fixed(name.clone())),
            Some(suite) => chosen.push(suite.suite()),
            None if UNSAFE.contains(&name.as_str()) => {
                tracing::warn!("cipher suite {name} is not safe and will not be used");
            }
            None => return Err(TlsError::Suite(name.clone())),
        }
    }
    provider.cipher_suites.retain(|suite| is_kept(*suite, &chosen));
    Ok(provider)
}

fn is_kept(suite: SupportedCipherSuite, chosen: &[CipherSuite]) -> bool {
    matches!(suite, SupportedCipherSuite::Tls13(_)) || chosen.contains(&suite.suite())
}

/// Only those of TLS 1.3 are written differently in rustls.
fn named(suite: SupportedCipherSuite) -> String {
    let name = suite.suite().as_str().unwrap_or_default();
    let name = name.strip_prefix("TLS13_").map_or_else(|| name.to_owned(), |rest| format!("TLS_{rest}"));
    // Go's name for the suites of Poly1305 goes on.
    if name.ends_with("CHACHA20_POLY1305") { format!("{name}_SHA256") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::crypto::ring;

    fn suites(names: &[&str]) -> Result<Vec<String>, String> {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let chosen = choose(ring::default_provider(), Some(&names)).map_err(|error| error.to_string())?;
        Ok(chosen.cipher_suites.into_iter().map(named).filter(|name| name.contains("_WITH_")).collect())
    }

    #[test]
    fn the_named_suites_remain() {
        let both = ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"]
            .map(str::to_owned);
        let mut found = suites(&["TLS_RSA_WITH_AES_128_CBC_SHA", &both[0], &both[1]]).expect("known suites");
        found.sort_by_key(|name| both.iter().position(|other| other == name));
        assert_eq!(found, both);
    }

    #[test]
    fn unknown_suites_and_those_of_tls_13_are_refused() {
        assert_eq!(suites(&["foo"]), Err("invalid cipher suite foo".to_owned()));
        let fixed = Err("TLS 1.3 cipher suite \"TLS_AES_128_GCM_SHA256\" is not configurable".to_owned());
        assert_eq!(suites(&["TLS_AES_128_GCM_SHA256"]), fixed);
    }
}
