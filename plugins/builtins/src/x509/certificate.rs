//! Certificates, read as Go reads them.

use num_bigint::{BigInt, Sign};
use regent_core::builtin::BuiltinError;
use regent_core::value::Value;

use super::super::keys::der::{self, Der};
use super::super::keys::public::{Algorithm, Identifier, PublicKey};
use super::super::keys::shape;
use super::extensions::Extensions;
use super::name::Name;
use super::signature::SignatureAlgorithm;
use super::time::{self, Time};

/// A certificate.
#[derive(Debug, Clone)]
pub(crate) struct Certificate<'a> {
    pub(crate) raw: &'a [u8],
    /// What is signed.
    pub(crate) signed: &'a [u8],
    pub(crate) signature: Vec<u8>,
    pub(crate) signature_algorithm: SignatureAlgorithm,
    pub(crate) version: i64,
    serial: BigInt,
    pub(crate) issuer: NameInDer<'a>,
    pub(crate) subject: NameInDer<'a>,
    pub(crate) not_before: Time,
    pub(crate) not_after: Time,
    key_info: KeyInfo<'a>,
    /// Nothing for a key of an unknown kind.
    pub(crate) public_key: Option<PublicKey>,
    pub(crate) extensions: Extensions<'a>,
}

/// A name as it is written and as it is read.
#[derive(Debug, Clone)]
pub(crate) struct NameInDer<'a> {
    pub(crate) raw: &'a [u8],
    name: Name,
}

/// A public key as it is written, and its kind.
#[derive(Debug, Clone, Copy)]
struct KeyInfo<'a> {
    raw: &'a [u8],
    algorithm: Algorithm,
}

pub(crate) fn fail(message: impl std::fmt::Display) -> BuiltinError {
    BuiltinError::failed(format!("x509: {message}"))
}

/// The next element, which is a sequence, or the complaint that it is malformed.
fn sequence<'a>(der: &mut Der<'a>, what: &str) -> Result<Der<'a>, BuiltinError> {
    der.read(der::SEQUENCE).ok_or_else(|| fail(format_args!("malformed {what}")))
}

impl<'a> Certificate<'a> {
    /// Reads all certificates, one after the other.
    ///
    /// # Errors
    /// `x509: malformed certificate` and the like.
    pub(crate) fn all(der: &'a [u8]) -> Result<Vec<Self>, BuiltinError> {
        let mut der = Der::new(der);
        let mut certificates = Vec::new();
        while !der.is_empty() {
            certificates.push(Self::read(&mut der)?);
        }
        Ok(certificates)
    }

    /// Reads one certificate, after which nothing may come.
    ///
    /// # Errors
    /// As [`Certificate::all`].
    pub(crate) fn one(der: &'a [u8]) -> Result<Self, BuiltinError> {
        let mut der = Der::new(der);
        let certificate = Self::read(&mut der)?;
        if der.is_empty() { Ok(certificate) } else { Err(fail("trailing data")) }
    }

    fn read(der: &mut Der<'a>) -> Result<Self, BuiltinError> {
        let whole = der.element(der::SEQUENCE).ok_or_else(|| fail("malformed certificate"))?;
        let mut outer = Der::new(whole.contents);
        let signed = outer.element(der::SEQUENCE).ok_or_else(|| fail("malformed tbs certificate"))?;
        let mut tbs = Der::new(signed.contents);
        let version = version(&mut tbs)?;
        let serial = tbs.integer().ok_or_else(|| fail("malformed serial number"))?;
        if serial.sign() == Sign::Minus {
            return Err(fail("negative serial number"));
        }
        let inner_algorithm = sequence(&mut tbs, "signature algorithm identifier")?;
        let outer_algorithm = sequence(&mut outer, "algorithm identifier")?;
        if inner_algorithm.rest() != outer_algorithm.rest() {
            return Err(fail("inner and outer signature algorithm identifiers don't match"));
        }
        let signature_algorithm = SignatureAlgorithm::new(&Identifier::read(inner_algorithm)?);
        let issuer = NameInDer::read(&mut tbs)?;
        let mut validity = sequence(&mut tbs, "validity")?;
        let (not_before, not_after) = (moment(&mut validity)?, moment(&mut validity)?);
        let subject = NameInDer::read(&mut tbs)?;
        let (key_info, public_key) = key(&mut tbs)?;
        let extensions = if version > 1 { extensions(tbs, version)? } else { Extensions::default() };
        let signature = outer.bits().ok_or_else(|| fail("malformed signature"))?.aligned();
        Ok(Self {
            raw: whole.whole,
            signed: signed.whole,
            signature,
            signature_algorithm,
            version,
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            key_info,
            public_key,
            extensions,
        })
    }

    /// The certificate as Go's JSON shows it.
    pub(crate) fn shape(&self) -> Value {
        Value::object(self.fields())
    }

    /// The same, with the field that OPA adds: the URIs as text.
    pub(crate) fn extended_shape(&self) -> Value {
        let uris = self.extensions.names.uris.iter().map(ToString::to_string);
        Value::object(self.fields().into_iter().chain([("URIStrings", shape::list(uris))]))
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let mut fields = vec![
            ("Raw", shape::bytes(self.raw)),
            ("RawTBSCertificate", shape::bytes(self.signed)),
            ("RawSubjectPublicKeyInfo", shape::bytes(self.key_info.raw)),
            ("RawSubject", shape::bytes(self.subject.raw)),
            ("RawIssuer", shape::bytes(self.issuer.raw)),
            ("Signature", shape::bytes(&self.signature)),
            ("SignatureAlgorithm", (self.signature_algorithm as u32).into()),
            ("PublicKeyAlgorithm", (self.key_info.algorithm as u32).into()),
            ("PublicKey", self.public_key.as_ref().map(shape::public).into()),
            ("Version", self.version.into()),
            ("SerialNumber", shape::number(&self.serial)),
            ("Issuer", self.issuer.name.shape()),
            ("Subject", self.subject.name.shape()),
            ("NotBefore", time::shape(self.not_before)),
            ("NotAfter", time::shape(self.not_after)),
        ];
        fields.extend(self.extensions.fields());
        fields
    }
}

impl<'a> NameInDer<'a> {
    fn read(der: &mut Der<'a>) -> Result<Self, BuiltinError> {
        let raw = der.element(der::SEQUENCE).ok_or_else(|| fail("malformed issuer"))?.whole;
        Ok(Self { raw, name: Name::read(raw)? })
    }
}

/// The version, counted from 1.
fn version(tbs: &mut Der<'_>) -> Result<i64, BuiltinError> {
    let malformed = || fail("malformed version");
    let field = tbs.optional(der::constructed(0)).ok_or_else(malformed)?;
    match field.map_or(Some(0), |mut version| version.small()).ok_or_else(malformed)? {
        version @ 0..=2 => Ok(version + 1),
        3 => Err(fail("invalid version")),
        _ => Err(malformed()),
    }
}

fn moment(der: &mut Der<'_>) -> Result<Time, BuiltinError> {
    let kind = if der.peek(der::UTC_TIME) {
        "malformed UTCTime"
    } else if der.peek(der::GENERALIZED_TIME) {
        "malformed GeneralizedTime"
    } else {
        "unsupported time format"
    };
    time::read(der).ok_or_else(|| fail(kind))
}

fn key<'a>(tbs: &mut Der<'a>) -> Result<(KeyInfo<'a>, Option<PublicKey>), BuiltinError> {
    let info = tbs.element(der::SEQUENCE).ok_or_else(|| fail("malformed spki"))?;
    let mut fields = Der::new(info.contents);
    let identifier = Identifier::read(sequence(&mut fields, "public key algorithm identifier")?)?;
    let key = fields.bits().ok_or_else(|| fail("malformed subjectPublicKey"))?.aligned();
    let algorithm = identifier.algorithm();
    let public_key = if algorithm == Algorithm::Unknown { None } else { Some(identifier.public_key(&key)?) };
    Ok((KeyInfo { raw: info.whole, algorithm }, public_key))
}

/// What follows the key: names of old, and extensions.
fn extensions(mut tbs: Der<'_>, version: i64) -> Result<Extensions<'_>, BuiltinError> {
    tbs.optional(der::context(1)).ok_or_else(|| fail("malformed issuerUniqueID"))?;
    tbs.optional(der::context(2)).ok_or_else(|| fail("malformed subjectUniqueID"))?;
    if version < 3 {
        return Ok(Extensions::default());
    }
    let field = tbs.optional(der::constructed(3)).ok_or_else(|| fail("malformed extensions"))?;
    field.map_or_else(|| Ok(Extensions::default()), Extensions::read)
}
