//! X.509: certificates, chains of them, requests for them, and pairs of certificate and key.

mod certificate;
mod chain;
mod constraints;
mod extensions;
mod host;
mod name;
mod names;
mod pair;
mod policies;
mod request;
mod signature;
#[cfg(test)]
mod tests;
mod time;
mod uri;
mod usage;

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::Value;

use super::base64;
use super::keys::pem;
use super::table::{Entry, function};
use certificate::Certificate;
use chain::Options;

pub(super) const TABLE: &[Entry] = &[
    function(
        "crypto.x509.parse_certificates(
            certs: string # certificates as PEM, or in base64 as PEM or DER
        ) => output: array[object[string: any]] # the certificates",
        "Reads certificates.",
        parse_certificates,
    ),
    function(
        "crypto.x509.parse_and_verify_certificates(
            certs: string # a root, what is between, and a leaf, as PEM, or in base64 as PEM or DER
        ) => output: array<boolean, array[object[string: any]]> # whether they are a valid chain, and the chain from its leaf",
        "Reads certificates and verifies that they lead from the last one to the first one.",
        |operands, call| verify(operands, |now| Ok(Options::new(now)), extended, call),
    ),
    function(
        "crypto.x509.parse_and_verify_certificates_with_options(
            certs: string, # a root, what is between, and a leaf, as PEM, or in base64 as PEM or DER
            options: object[string: any] # `CurrentTime`, `DNSName`, `KeyUsages` and `MaxConstraintComparisons`
        ) => output: array<boolean, array[object[string: any]]> # whether they are a valid chain, and the chain from its leaf",
        "Reads certificates and verifies that they lead from the last one to the first one, for a time, a host and a use.",
        |operands, call| {
            let options = operands.object(1)?;
            verify(operands, |now| Options::read(options, now), plain, call)
        },
    ),
    function(
        "crypto.x509.parse_certificate_request(
            csr: string # a request as PEM, or in base64 as PEM or DER
        ) => output: object[string: any] # the request",
        "Reads a request for a certificate.",
        parse_certificate_request,
    ),
    function(
        "crypto.x509.parse_keypair(
            cert: string, # certificates as PEM, or in base64 as PEM or DER
            pem: string # the private key of the first one, likewise
        ) => output: object[string: any] # certificates and key",
        "Reads certificates with their private key, and verifies that they belong together.",
        |operands, _| {
            // OPA counts both operands as the first.
            let key = operands.any(1);
            let wrong = || BuiltinError::operand(0, format_args!("must be string but got {}", key.type_name()));
            pair::read(operands.string(0)?, key.as_str().ok_or_else(wrong)?).map(Some)
        },
    ),
];

/// Reads one certificate in DER.
///
/// # Errors
/// `x509: malformed certificate` and the like.
pub(crate) fn certificate(der: &[u8]) -> Result<Certificate<'_>, BuiltinError> {
    Certificate::one(der)
}

fn parse_certificates(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let der = certificates_der(operands.string(0)?)?;
    Ok(Some(Value::array(Certificate::all(&der)?.iter().map(extended))))
}

fn extended(certificate: &Certificate<'_>) -> Value {
    certificate.extended_shape()
}

fn plain(certificate: &Certificate<'_>) -> Value {
    certificate.shape()
}

fn verify<'o>(
    operands: Operands<'o>,
    options: impl FnOnce(i64) -> Result<Options, BuiltinError> + 'o,
    shape: fn(&Certificate<'_>) -> Value,
    call: &mut Call<'_>,
) -> Outcome {
    let invalid = || Ok(Some(Value::array([false.into(), Value::array::<Value>([])])));
    let Ok(der) = certificates_der(operands.string(0)?) else { return invalid() };
    let Ok(certificates) = Certificate::all(&der) else { return invalid() };
    let options = options(call.now)?;
    match chain::find(&certificates, &options) {
        Some(chain) => Ok(Some(Value::array([true.into(), Value::array(chain.into_iter().map(shape))]))),
        None => invalid(),
    }
}

fn parse_certificate_request(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    const LABEL: &str = "CERTIFICATE REQUEST";
    let text = operands.string(0)?;
    let bytes = if text.starts_with("-----BEGIN CERTIFICATE REQUEST-----") {
        text.as_bytes().to_vec()
    } else {
        base64::standard_bytes(text)?
    };
    match pem::first(&pem::text(&bytes)) {
        Some((block, _)) if block.label != LABEL => {
            Err(BuiltinError::failed("invalid PEM-encoded certificate signing request"))
        }
        Some((block, _)) => request::read(&block.bytes).map(Some),
        None => request::read(&bytes).map(Some),
    }
}

/// The DER of all certificates, one after the other.
fn certificates_der(text: &str) -> Result<Vec<u8>, BuiltinError> {
    const BEGIN: &str = "-----BEGIN";
    if text.starts_with(BEGIN) {
        return blocks(text);
    }
    let bytes = base64::standard_bytes(text)?;
    if bytes.starts_with(BEGIN.as_bytes()) { blocks(&pem::text(&bytes)) } else { Ok(bytes) }
}

fn blocks(text: &str) -> Result<Vec<u8>, BuiltinError> {
    let mut der = Vec::new();
    for block in pem::all(text) {
        if block.label != "CERTIFICATE" {
            let label = block.label;
            return Err(BuiltinError::failed(format!("PEM block type is '{label}', expected CERTIFICATE")));
        }
        der.extend(block.bytes);
    }
    Ok(der)
}
