//! Requests for certificates.

use std::collections::BTreeSet;

use regent_core::builtin::BuiltinError;
use regent_core::value::Value;

use super::super::keys::der::{self, Der, Element};
use super::super::keys::public::Identifier;
use super::super::keys::shape;
use super::extensions::Extension;
use super::name::{Attribute, Name};
use super::names::AlternativeNames;
use super::signature::SignatureAlgorithm;

/// The attribute that asks for extensions.
const EXTENSIONS: [u32; 7] = [1, 2, 840, 113_549, 1, 9, 14];

fn malformed() -> BuiltinError {
    BuiltinError::failed("asn1: structure error: malformed certificate request")
}

/// Reads a request, as Go's JSON shows it. Its signature is not verified.
///
/// # Errors
/// `asn1: structure error: …` and the like.
pub(crate) fn read(request: &[u8]) -> Result<Value, BuiltinError> {
    let whole = outer(request)?;
    let mut fields = Der::new(whole.contents);
    let info = fields.element(der::SEQUENCE).ok_or_else(malformed)?;
    let algorithm = Identifier::read(fields.read(der::SEQUENCE).ok_or_else(malformed)?)?;
    let signature = fields.bits().ok_or_else(malformed)?.aligned();
    let mut info_fields = Der::new(info.contents);
    let version = info_fields.small().ok_or_else(malformed)?;
    let subject = info_fields.element(der::SEQUENCE).ok_or_else(malformed)?;
    let key = info_fields.element(der::SEQUENCE).ok_or_else(malformed)?;
    let mut key_fields = Der::new(key.contents);
    let key_algorithm = Identifier::read(key_fields.read(der::SEQUENCE).ok_or_else(malformed)?)?;
    let key_bits = key_fields.bits().ok_or_else(malformed)?.aligned();
    let is_known = key_algorithm.algorithm() as u32 != 0;
    let public_key = if is_known { Some(key_algorithm.public_key(&key_bits)?) } else { None };
    let attributes = attributes(info_fields.optional(der::constructed(0)).ok_or_else(malformed)?)?;
    let extensions = requested(&attributes)?;
    let is_names = |extension: &&Extension<'_>| extension.id.arcs() == [2, 5, 29, 17];
    let names =
        extensions.iter().find(is_names).map(|names| AlternativeNames::read(Der::new(names.value))).transpose()?;
    let mut shown = vec![
        ("Raw", shape::bytes(whole.whole)),
        ("RawTBSCertificateRequest", shape::bytes(info.whole)),
        ("RawSubjectPublicKeyInfo", shape::bytes(key.whole)),
        ("RawSubject", shape::bytes(subject.whole)),
        ("Version", version.into()),
        ("Signature", shape::bytes(&signature)),
        ("SignatureAlgorithm", (SignatureAlgorithm::new(&algorithm) as u32).into()),
        ("PublicKeyAlgorithm", (key_algorithm.algorithm() as u32).into()),
        ("PublicKey", public_key.as_ref().map(shape::public).into()),
        ("Subject", Name::read(subject.whole)?.shape()),
        ("Attributes", shape::list(attributes.iter().filter_map(|attribute| pairs(*attribute)))),
        ("Extensions", shape::list(extensions.iter().map(Extension::shape))),
        ("ExtraExtensions", Value::NULL),
    ];
    shown.extend(names.unwrap_or_default().fields());
    Ok(Value::object(shown))
}

/// The one element that the bytes are, with Go's words for what is none.
fn outer(request: &[u8]) -> Result<Element<'_>, BuiltinError> {
    let (Some(&tag), length) = (request.first(), request.get(1)) else {
        return Err(BuiltinError::failed("asn1: syntax error: sequence truncated"));
    };
    if tag != der::SEQUENCE && tag & 0x1f != 0x1f && length.is_some_and(|length| *length < 0x80) {
        let found = format_args!(
            "class:{} tag:{} length:{} isCompound:{}",
            tag >> 6,
            tag & 0x1f,
            length.copied().unwrap_or(0),
            tag & 0x20 != 0
        );
        let options = "optional:false explicit:false application:false private:false defaultValue:<nil> tag:<nil> \
                       stringType:0 timeType:0 set:false omitEmpty:false";
        return Err(BuiltinError::failed(format!(
            "asn1: structure error: tags don't match (16 vs {{{found}}}) {{{options}}} certificateRequest @2"
        )));
    }
    let mut rest = Der::new(request);
    let truncated = || BuiltinError::failed("asn1: syntax error: data truncated");
    let whole = rest.element(der::SEQUENCE).ok_or_else(truncated)?;
    if rest.is_empty() { Ok(whole) } else { Err(BuiltinError::failed("asn1: syntax error: trailing data")) }
}

fn attributes(der: Option<Der<'_>>) -> Result<Vec<Element<'_>>, BuiltinError> {
    let mut attributes = Vec::new();
    if let Some(mut der) = der {
        while !der.is_empty() {
            attributes.push(der.any().ok_or_else(malformed)?);
        }
    }
    Ok(attributes)
}

/// The extensions that the request asks for.
fn requested<'a>(attributes: &[Element<'a>]) -> Result<Vec<Extension<'a>>, BuiltinError> {
    let (mut extensions, mut seen) = (Vec::new(), BTreeSet::new());
    for attribute in attributes {
        let mut fields = Der::new(attribute.contents);
        let (Some(kind), Some(mut values)) = (fields.oid(), fields.read(der::SET)) else { continue };
        if values.is_empty() {
            continue;
        }
        if !seen.insert(kind.clone()) {
            return Err(BuiltinError::failed("x509: certificate request contains duplicate requested attributes"));
        }
        if kind.arcs() == EXTENSIONS {
            let list = values.any().ok_or_else(malformed)?;
            extensions.extend(Extension::list(Der::new(list.whole)).map_err(|_| malformed())?);
        }
    }
    Ok(extensions)
}

/// An attribute whose values are lists of pairs, as Go's JSON shows it; others are not shown.
fn pairs(attribute: Element<'_>) -> Option<Value> {
    let mut fields = Der::new(attribute.contents);
    let kind = fields.oid()?;
    let mut set = fields.read(der::SET)?;
    let mut values = Vec::new();
    while !set.is_empty() {
        let mut sequence = set.read(der::SEQUENCE)?;
        let mut value = Vec::new();
        while !sequence.is_empty() {
            value.push(Attribute::read(sequence.read(der::SEQUENCE)?)?.shape());
        }
        values.push(Value::array(value));
    }
    Some(Value::object([("Type", shape::oid(&kind)), ("Value", Value::array(values))]))
}
