//! The extensions of certificates.

use std::collections::BTreeSet;

use regent_core::builtin::BuiltinError;
use regent_core::value::Value;

use super::super::keys::der::{self, Der, Oid};
use super::super::keys::shape;
use super::constraints::NameConstraints;
use super::names::AlternativeNames;
use super::usage::Usage;

/// An extension as it is written.
#[derive(Debug, Clone)]
pub(crate) struct Extension<'a> {
    pub(crate) id: Oid,
    pub(crate) critical: bool,
    pub(crate) value: &'a [u8],
}

impl<'a> Extension<'a> {
    /// Reads a list of them.
    ///
    /// # Errors
    /// `x509: malformed extension` and the like.
    pub(crate) fn list(mut der: Der<'a>) -> Result<Vec<Self>, BuiltinError> {
        let mut sequence = der.read(der::SEQUENCE).ok_or_else(|| fail("malformed extensions"))?;
        let (mut list, mut seen) = (Vec::new(), BTreeSet::new());
        while !sequence.is_empty() {
            let extension = Self::read(sequence.read(der::SEQUENCE).ok_or_else(|| fail("malformed extension"))?)?;
            if !seen.insert(extension.id.clone()) {
                let message = format!("certificate contains duplicate extension with OID \"{}\"", extension.id);
                return Err(fail(message));
            }
            list.push(extension);
        }
        Ok(list)
    }

    fn read(mut der: Der<'a>) -> Result<Self, BuiltinError> {
        let id = der.oid().ok_or_else(|| fail("malformed extension OID field"))?;
        let critical = if der.peek(der::BOOLEAN) { der.boolean() } else { Some(false) };
        let critical = critical.ok_or_else(|| fail("malformed extension critical field"))?;
        let value = der.bytes(der::OCTET_STRING).ok_or_else(|| fail("malformed extension value field"))?;
        Ok(Self { id, critical, value })
    }

    /// The extension as Go's JSON shows it.
    pub(crate) fn shape(&self) -> Value {
        let fields =
            [("Id", shape::oid(&self.id)), ("Critical", self.critical.into()), ("Value", shape::bytes(self.value))];
        Value::object(fields)
    }
}

fn fail(message: impl std::fmt::Display) -> BuiltinError {
    BuiltinError::failed(format!("x509: {message}"))
}

/// Whether a certificate may sign others, and how many may follow below it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BasicConstraints {
    pub(crate) is_authority: bool,
    pub(crate) longest_path: Option<i64>,
}

/// What the extensions of a certificate say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extensions<'a> {
    pub(crate) list: Vec<Extension<'a>>,
    pub(crate) unhandled_critical: Vec<Oid>,
    /// One bit for each use of the key.
    pub(crate) key_usage: u32,
    pub(crate) basic: Option<BasicConstraints>,
    pub(crate) names: AlternativeNames,
    pub(crate) constraints: NameConstraints,
    pub(crate) usages: Vec<Usage>,
    pub(crate) unknown_usages: Vec<Oid>,
    pub(crate) subject_key: Option<&'a [u8]>,
    pub(crate) authority_key: Option<&'a [u8]>,
    revocation_lists: Vec<String>,
    status_servers: Vec<String>,
    issuers: Vec<String>,
    /// In dots, and as numbers where they fit.
    pub(super) policies: Option<Vec<(String, Option<Oid>)>>,
    /// The names of a policy above and below the certificate.
    pub(super) policy_mappings: Vec<[String; 2]>,
    pub(super) inhibit_any_policy: Option<i64>,
    pub(super) inhibit_policy_mapping: Option<i64>,
    pub(super) require_explicit_policy: Option<i64>,
}

impl<'a> Extensions<'a> {
    /// Reads all extensions.
    ///
    /// # Errors
    /// `x509: invalid basic constraints` and the like.
    pub(crate) fn read(der: Der<'a>) -> Result<Self, BuiltinError> {
        let mut read = Self { list: Extension::list(der)?, ..Self::default() };
        for extension in read.list.clone() {
            let handled = read.take(&extension)?;
            if extension.critical && !handled {
                read.unhandled_critical.push(extension.id);
            }
        }
        Ok(read)
    }

    /// Takes what one extension says; false when it is unknown.
    fn take(&mut self, extension: &Extension<'a>) -> Result<bool, BuiltinError> {
        let der = Der::new(extension.value);
        let incorrectly_critical = |name: &str| {
            let message = format_args!("{name} incorrectly marked critical");
            if extension.critical { Err(fail(message)) } else { Ok(()) }
        };
        match extension.id.arcs() {
            [2, 5, 29, 14] => {
                incorrectly_critical("subject key identifier")?;
                let id = Der::new(extension.value).bytes(der::OCTET_STRING);
                self.subject_key = Some(id.ok_or_else(|| fail("invalid subject key identifier"))?);
            }
            [2, 5, 29, 15] => self.key_usage = key_usage(der).ok_or_else(|| fail("invalid key usage"))?,
            [2, 5, 29, 17] => {
                self.names = AlternativeNames::read(der)?;
                return Ok(!self.names.is_empty());
            }
            [2, 5, 29, 19] => {
                self.basic = Some(basic_constraints(der).ok_or_else(|| fail("invalid basic constraints"))?);
            }
            [2, 5, 29, 30] => {
                self.constraints = NameConstraints::read(der, extension.critical)?;
                return Ok(!self.constraints.unhandled);
            }
            [2, 5, 29, 31] => self.take_revocation_lists(der)?,
            [2, 5, 29, 35] => {
                incorrectly_critical("authority key identifier")?;
                self.take_authority_key(der).ok_or_else(|| fail("invalid authority key identifier"))?;
            }
            [2, 5, 29, 37] => self.take_usages(der).ok_or_else(|| fail("invalid extended key usages"))?,
            [2, 5, 29, 32..=36 | 54] => self.take_policy(extension.id.arcs()[3], der)?,
            [1, 3, 6, 1, 5, 5, 7, 1, 1] => {
                incorrectly_critical("authority info access")?;
                self.take_access(der).ok_or_else(|| fail("invalid authority info access"))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn take_policy(&mut self, arc: u32, mut der: Der<'_>) -> Result<(), BuiltinError> {
        match arc {
            32 => self.policies = Some(policies(der).ok_or_else(|| fail("invalid certificate policies"))?),
            33 => self.policy_mappings = mappings(der).ok_or_else(|| fail("invalid policy mappings extension"))?,
            36 => self.take_policy_constraints(der).ok_or_else(|| fail("invalid policy constraints extension"))?,
            _ => {
                let skip = der.small().ok_or_else(|| fail("invalid inhibit any policy extension"))?;
                self.inhibit_any_policy = Some(skip);
            }
        }
        Ok(())
    }

    fn take_policy_constraints(&mut self, mut der: Der<'_>) -> Option<()> {
        let mut fields = der.read(der::SEQUENCE)?;
        let mut number = |tag| {
            let number = |bytes| i64::try_from(der::integer(bytes)?).ok();
            if fields.peek(tag) { fields.bytes(tag).and_then(number).map(Some) } else { Some(None) }
        };
        self.require_explicit_policy = number(der::context(0))?;
        self.inhibit_policy_mapping = number(der::context(1))?;
        Some(())
    }

    fn take_revocation_lists(&mut self, mut der: Der<'_>) -> Result<(), BuiltinError> {
        let mut points = der.read(der::SEQUENCE).ok_or_else(|| fail("invalid CRL distribution points"))?;
        while !points.is_empty() {
            let lists = points.read(der::SEQUENCE).and_then(full_names);
            self.revocation_lists.extend(lists.ok_or_else(|| fail("invalid CRL distribution point"))?);
        }
        Ok(())
    }

    /// The issuer's key may be named otherwise than by an identifier.
    fn take_authority_key(&mut self, mut der: Der<'a>) -> Option<()> {
        let mut fields = der.read(der::SEQUENCE)?;
        if fields.peek(der::context(0)) {
            self.authority_key = Some(fields.bytes(der::context(0))?);
        }
        Some(())
    }

    fn take_usages(&mut self, mut der: Der<'_>) -> Option<()> {
        let mut usages = der.read(der::SEQUENCE)?;
        while !usages.is_empty() {
            let id = usages.oid()?;
            match Usage::of_oid(&id) {
                Some(usage) => self.usages.push(usage),
                None => self.unknown_usages.push(id),
            }
        }
        Some(())
    }

    fn take_access(&mut self, mut der: Der<'_>) -> Option<()> {
        let mut descriptions = der.read(der::SEQUENCE)?;
        while !descriptions.is_empty() {
            let mut description = descriptions.read(der::SEQUENCE)?;
            let method = description.oid()?;
            if !description.peek(der::context(6)) {
                continue;
            }
            let location = String::from_utf8_lossy(description.bytes(der::context(6))?).into_owned();
            match method.arcs() {
                [1, 3, 6, 1, 5, 5, 7, 48, 1] => self.status_servers.push(location),
                [1, 3, 6, 1, 5, 5, 7, 48, 2] => self.issuers.push(location),
                _ => {}
            }
        }
        Some(())
    }

    /// What the extensions say, as Go's JSON shows it.
    pub(crate) fn fields(&self) -> Vec<(&'static str, Value)> {
        let zero_or = |number: Option<i64>| number.unwrap_or(0).into();
        let is_zero = |number: Option<i64>| (number == Some(0)).into();
        let basic = self.basic.unwrap_or(BasicConstraints { is_authority: false, longest_path: Some(0) });
        let key = |id: Option<&[u8]>| id.map_or(Value::NULL, shape::bytes);
        let ids = |ids: &[Oid]| shape::list(ids.iter().map(shape::oid));
        let policies = self.policies.as_deref();
        let known =
            policies.map(|policies| Value::array(policies.iter().filter_map(|(_, id)| id.as_ref()).map(shape::oid)));
        let mappings = self
            .policy_mappings
            .iter()
            .map(|[issuer, subject]| Value::object([("IssuerDomainPolicy", issuer), ("SubjectDomainPolicy", subject)]));
        let mut fields = vec![
            ("Extensions", shape::list(self.list.iter().map(Extension::shape))),
            ("ExtraExtensions", Value::NULL),
            ("UnhandledCriticalExtensions", ids(&self.unhandled_critical)),
            ("KeyUsage", self.key_usage.into()),
            ("ExtKeyUsage", shape::list(self.usages.iter().map(|usage| usage.number()))),
            ("UnknownExtKeyUsage", ids(&self.unknown_usages)),
            ("BasicConstraintsValid", self.basic.is_some().into()),
            ("IsCA", basic.is_authority.into()),
            ("MaxPathLen", basic.longest_path.unwrap_or(-1).into()),
            ("MaxPathLenZero", (self.basic.is_some() && basic.longest_path == Some(0)).into()),
            ("SubjectKeyId", key(self.subject_key)),
            ("AuthorityKeyId", key(self.authority_key)),
            ("OCSPServer", shape::list(&self.status_servers)),
            ("IssuingCertificateURL", shape::list(&self.issuers)),
            ("CRLDistributionPoints", shape::list(&self.revocation_lists)),
            ("PolicyIdentifiers", known.into()),
            ("Policies", policies.map_or(Value::NULL, |policies| shape::list(policies.iter().map(|(text, _)| text)))),
            ("InhibitAnyPolicy", zero_or(self.inhibit_any_policy)),
            ("InhibitAnyPolicyZero", is_zero(self.inhibit_any_policy)),
            ("InhibitPolicyMapping", zero_or(self.inhibit_policy_mapping)),
            ("InhibitPolicyMappingZero", is_zero(self.inhibit_policy_mapping)),
            ("RequireExplicitPolicy", zero_or(self.require_explicit_policy)),
            ("RequireExplicitPolicyZero", is_zero(self.require_explicit_policy)),
            ("PolicyMappings", shape::list(mappings)),
        ];
        fields.extend(self.names.fields());
        fields.extend(self.constraints.fields());
        fields
    }
}

fn key_usage(mut der: Der<'_>) -> Option<u32> {
    let bits = der.bits()?;
    let is_set = |bit: &u32| {
        let byte = bits.bytes.get(usize::try_from(bit / 8).unwrap_or(usize::MAX));
        byte.is_some_and(|byte| byte & (0x80 >> (bit % 8)) != 0)
    };
    Some((0..9).filter(is_set).map(|bit| 1 << bit).sum())
}

fn basic_constraints(mut der: Der<'_>) -> Option<BasicConstraints> {
    let mut fields = der.read(der::SEQUENCE)?;
    let is_authority = if fields.peek(der::BOOLEAN) { fields.boolean()? } else { false };
    let longest_path =
        if fields.peek(der::INTEGER) { Some(fields.small().filter(|length| *length >= 0)?) } else { None };
    Some(BasicConstraints { is_authority, longest_path })
}

/// The places that a distribution point names.
fn full_names(mut point: Der<'_>) -> Option<Vec<String>> {
    let mut places = Vec::new();
    if let Some(mut name) = point.optional(der::constructed(0))? {
        let mut names = name.read(der::constructed(0))?;
        while names.peek(der::context(6)) {
            places.push(String::from_utf8_lossy(names.bytes(der::context(6))?).into_owned());
        }
    }
    Some(places)
}

fn policies(mut der: Der<'_>) -> Option<Vec<(String, Option<Oid>)>> {
    let mut sequence = der.read(der::SEQUENCE)?;
    let (mut policies, mut seen) = (Vec::new(), BTreeSet::new());
    while !sequence.is_empty() {
        let mut policy = sequence.read(der::SEQUENCE)?;
        let number = policy.clone().oid();
        let text = der::dotted_oid(policy.bytes(der::OBJECT_IDENTIFIER)?)?;
        if !seen.insert(text.clone()) {
            return None;
        }
        policies.push((text, number));
    }
    Some(policies)
}

fn mappings(mut der: Der<'_>) -> Option<Vec<[String; 2]>> {
    let mut sequence = der.read(der::SEQUENCE)?;
    let mut mappings = Vec::new();
    while !sequence.is_empty() {
        let mut pair = sequence.read(der::SEQUENCE)?;
        let mut next = || der::dotted_oid(pair.bytes(der::OBJECT_IDENTIFIER)?);
        mappings.push([next()?, next()?]);
    }
    Some(mappings)
}
