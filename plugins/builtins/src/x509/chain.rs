//! Chains of certificates from a leaf to a root, found and checked as Go finds and checks them.

use regent_core::builtin::BuiltinError;
use regent_core::value::{Object, Value};

use super::certificate::Certificate;
use super::host;
use super::policies;
use super::time::{self, Time};
use super::usage::Usage;

/// What a chain has to meet.
#[derive(Debug)]
pub(crate) struct Options {
    host: String,
    time: Time,
    usages: Vec<Usage>,
    /// How many comparisons of names with constraints a certificate may cost.
    most_comparisons: i64,
}

/// How many signatures are verified before the search is given up.
const MOST_SIGNATURES: usize = 100;

/// How many comparisons there may be when the caller does not say.
const MOST_COMPARISONS: i64 = 250_000;

impl Options {
    /// The usual ones: a server's certificate, now.
    pub(crate) fn new(now: i64) -> Self {
        Self {
            host: String::new(),
            time: time::at(now),
            usages: vec![Usage::ServerAuth],
            most_comparisons: MOST_COMPARISONS,
        }
    }

    /// The usual ones but for what the object says.
    ///
    /// # Errors
    /// `'DNSName' should be a string` and the like.
    pub(crate) fn read(options: &Object, now: i64) -> Result<Self, BuiltinError> {
        let mut read = Self::new(now);
        let fail = |message: &str| BuiltinError::failed(message);
        for (name, value) in options {
            match name.as_str() {
                Some("DNSName") => {
                    let host = value.as_str().ok_or_else(|| fail("'DNSName' should be a string"))?;
                    host.trim_matches('"').clone_into(&mut read.host);
                }
                Some("CurrentTime") => {
                    let time = value.as_number().ok_or_else(|| fail("'CurrentTime' should be a number"))?;
                    let time = time.as_plain_i64();
                    read.time = time::at(time.ok_or_else(|| fail("'CurrentTime' should be a valid int64 number"))?);
                }
                Some("MaxConstraintComparisons") => {
                    let most =
                        value.as_number().ok_or_else(|| fail("'MaxConstraintComparisons' should be a number"))?;
                    let most = most.as_plain_i64();
                    let most = most.ok_or_else(|| fail("'MaxConstraintComparisons' should be a valid number"))?;
                    read.most_comparisons = if most == 0 { MOST_COMPARISONS } else { most };
                }
                Some("KeyUsages") => read.take_usages(value)?,
                Some(_) => return Err(fail("invalid key option")),
                None => {}
            }
        }
        Ok(read)
    }

    fn take_usages(&mut self, value: &Value) -> Result<(), BuiltinError> {
        let names: Vec<&Value> = match (value.as_array(), value.as_set()) {
            (Some(names), _) => names.iter().collect(),
            (_, Some(names)) => names.iter().collect(),
            _ => return Err(BuiltinError::failed("'KeyUsages' should be an Array or Set")),
        };
        let names = names.into_iter().filter_map(Value::as_str).map(|name| name.trim_matches('"'));
        let (known, unknown): (Vec<_>, Vec<_>) = names.partition(|name| Usage::of_name(name).is_some());
        if !unknown.is_empty() {
            let unknown = unknown.join(" ");
            return Err(BuiltinError::failed(format!("invalid entries for 'KeyUsages' found: [{unknown}]")));
        }
        if !known.is_empty() {
            self.usages = known.into_iter().filter_map(Usage::of_name).collect();
        }
        Ok(())
    }
}

/// The chain from the last certificate to the first, by way of those between; nothing when there is no valid one.
pub(crate) fn find<'c, 'a>(
    certificates: &'c [Certificate<'a>],
    options: &'c Options,
) -> Option<Vec<&'c Certificate<'a>>> {
    let [root, intermediates @ .., leaf] = certificates else { return None };
    let mut search = Search { root, intermediates, options, signatures: 0 };
    if !search.is_valid(leaf, Role::Leaf, &[]) || !options.host.is_empty() && !host::matches(&options.host, leaf) {
        return None;
    }
    if leaf.raw == root.raw {
        let chain = vec![leaf];
        return options.allow_usages(&chain).then_some(chain);
    }
    search.extend(&[leaf])
}

/// Where in a chain a certificate stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Leaf,
    Intermediate,
    Root,
}

struct Search<'c, 'a> {
    root: &'c Certificate<'a>,
    intermediates: &'c [Certificate<'a>],
    options: &'c Options,
    /// How many have been verified.
    signatures: usize,
}

impl<'c, 'a> Search<'c, 'a> {
    /// The first whole chain that begins with this one: the root is tried before the intermediates.
    fn extend(&mut self, chain: &[&'c Certificate<'a>]) -> Option<Vec<&'c Certificate<'a>>> {
        let child = *chain.last()?;
        if self.root.subject.raw == child.issuer.raw && self.accepts(self.root, Role::Root, chain) {
            let whole = [chain, &[self.root]].concat();
            if self.options.allow_usages(&whole) && policies::allow(&whole) {
                return Some(whole);
            }
        }
        let mut parents: Vec<&'c Certificate<'a>> =
            self.intermediates.iter().filter(|parent| parent.subject.raw == child.issuer.raw).collect();
        parents.sort_by_key(|parent| key_match(child, parent));
        parents.into_iter().find_map(|parent| {
            let accepted = self.accepts(parent, Role::Intermediate, chain);
            accepted.then(|| self.extend(&[chain, &[parent]].concat())).flatten()
        })
    }

    /// Whether the certificate signs the last one of the chain, and may.
    fn accepts(&mut self, parent: &Certificate<'_>, role: Role, chain: &[&Certificate<'_>]) -> bool {
        if chain.iter().any(|member| is_same(parent, member)) || self.signatures == MOST_SIGNATURES {
            return false;
        }
        self.signatures += 1;
        chain.last().is_some_and(|child| signs(parent, child)) && self.is_valid(parent, role, chain)
    }

    fn is_valid(&self, certificate: &Certificate<'_>, role: Role, chain: &[&Certificate<'_>]) -> bool {
        let (extensions, time) = (&certificate.extensions, self.options.time);
        let is_current = certificate.not_before <= time && time <= certificate.not_after;
        let is_allowed = role == Role::Leaf || !extensions.constraints.any() || {
            let mut budget = self.options.most_comparisons;
            chain.iter().all(|member| extensions.constraints.allow(&member.extensions.names, &mut budget))
        };
        let is_authority = extensions.basic.is_some_and(|basic| basic.is_authority);
        let longest_path = extensions.basic.and_then(|basic| basic.longest_path);
        let between = i64::try_from(chain.len()).unwrap_or(i64::MAX) - 1;
        extensions.unhandled_critical.is_empty()
            && is_current
            && is_allowed
            && (role != Role::Intermediate || is_authority)
            && longest_path.is_none_or(|longest| between <= longest)
    }
}

impl Options {
    /// Whether one of the uses is allowed by every certificate that names any.
    fn allow_usages(&self, chain: &[&Certificate<'_>]) -> bool {
        let allows = |certificate: &Certificate<'_>, usage: Usage| {
            let extensions = &certificate.extensions;
            let names_none = extensions.usages.is_empty() && extensions.unknown_usages.is_empty();
            names_none || extensions.usages.iter().any(|allowed| *allowed == Usage::Any || *allowed == usage)
        };
        self.usages.iter().any(|usage| *usage == Usage::Any || chain.iter().all(|member| allows(member, *usage)))
    }
}

/// How well the name of the key that signed fits the parent's: 0 is best.
fn key_match(child: &Certificate<'_>, parent: &Certificate<'_>) -> u8 {
    match (child.extensions.authority_key, parent.extensions.subject_key) {
        (Some(wanted), Some(found)) if wanted == found => 0,
        (Some(_), Some(_)) => 2,
        _ => 1,
    }
}

/// Whether both are for one subject, key and set of names: cross-signed certificates are, and would go round in circles.
fn is_same(a: &Certificate<'_>, b: &Certificate<'_>) -> bool {
    let names = |certificate: &Certificate<'_>| {
        let is_names = |extension: &&super::extensions::Extension<'_>| extension.id.arcs() == [2, 5, 29, 17];
        certificate.extensions.list.iter().find(is_names).map(|extension| extension.value.to_vec())
    };
    a.subject.raw == b.subject.raw && a.public_key == b.public_key && names(a) == names(b)
}

/// Whether the parent may sign certificates, and has signed this one.
fn signs(parent: &Certificate<'_>, child: &Certificate<'_>) -> bool {
    const SIGNS_CERTIFICATES: u32 = 1 << 5;
    let extensions = &parent.extensions;
    let is_authority = extensions.basic.map_or(parent.version < 3, |basic| basic.is_authority);
    let is_for_signing = extensions.key_usage == 0 || extensions.key_usage & SIGNS_CERTIFICATES != 0;
    let verifies = |key| child.signature_algorithm.verifies(key, child.signed, &child.signature);
    is_authority && is_for_signing && parent.public_key.as_ref().is_some_and(verifies)
}
