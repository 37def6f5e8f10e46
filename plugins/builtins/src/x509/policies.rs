//! Whether a chain of certificates keeps to the policies that its authorities ask for: RFC 5280, section 6.1, with the
//! graph of RFC 9618, as Go's `x509` has it when the caller names no policies.
//!
//! The caller takes any policy, so all that matters of the graph is whether there is a policy left at the end. For that
//! the policies of one certificate at a time are enough.

use super::certificate::Certificate;

/// The policy that stands for all.
const ANY: &str = "2.5.29.32.0";

/// A policy that a certificate may be used for, and those that it is known as further down the chain.
struct Policy {
    name: String,
    expected: Vec<String>,
}

/// How many more certificates may come before something is so; at zero it is.
struct Countdowns {
    explicit_policy: i64,
    no_mapping: i64,
    no_any: i64,
}

/// Whether the policies of a chain, from the leaf to the root, are in order.
pub(super) fn allow(chain: &[&Certificate<'_>]) -> bool {
    let [leaf, .., _root] = chain else { return true };
    let below_root = &chain[..chain.len() - 1];
    let never = i64::try_from(chain.len()).unwrap_or(i64::MAX);
    let mut countdowns = Countdowns { explicit_policy: never, no_mapping: never, no_any: never };
    let mut policies = vec![Policy::new(ANY.to_owned())];
    for (position, certificate) in below_root.iter().enumerate().rev() {
        let is_leaf = position == 0;
        let may_be_any = countdowns.no_any > 0 || !is_leaf && is_self_issued(certificate);
        policies = of_certificate(certificate, &policies, may_be_any);
        if countdowns.explicit_policy == 0 && policies.is_empty() {
            return false;
        }
        if !is_leaf {
            if !policies.is_empty() && !map(certificate, &mut policies, countdowns.no_mapping > 0) {
                return false;
            }
            countdowns.pass(certificate);
        }
    }
    let is_explicit = countdowns.explicit_policy <= 1 || leaf.extensions.require_explicit_policy == Some(0);
    !is_explicit || !policies.is_empty()
}

impl Policy {
    fn new(name: String) -> Self {
        Self { expected: vec![name.clone()], name }
    }
}

/// The policies of a certificate that those above it allow for.
fn of_certificate(certificate: &Certificate<'_>, above: &[Policy], may_be_any: bool) -> Vec<Policy> {
    let names: Vec<&String> = certificate.extensions.policies.iter().flatten().map(|(name, _)| name).collect();
    let is_expected = |name: &str| above.iter().any(|policy| policy.expected.iter().any(|expected| expected == name));
    let any_above = above.iter().any(|policy| policy.name == ANY);
    let allowed = names.iter().filter(|name| **name != ANY && (any_above || is_expected(name)));
    let mut policies: Vec<Policy> = allowed.map(|name| Policy::new((*name).clone())).collect();
    if may_be_any && names.iter().any(|name| *name == ANY) {
        for expected in above.iter().flat_map(|policy| &policy.expected) {
            if policies.iter().all(|policy| policy.name != *expected) {
                policies.push(Policy::new(expected.clone()));
            }
        }
    }
    policies
}

/// Gives policies the names that a certificate has for them further down, or takes them away where that must not be.
/// False for a mapping that there cannot be.
fn map(certificate: &Certificate<'_>, policies: &mut Vec<Policy>, may_map: bool) -> bool {
    let mappings = &certificate.extensions.policy_mappings;
    if !may_map {
        policies.retain(|policy| mappings.iter().all(|[issuers, _]| *issuers != policy.name));
        return true;
    }
    if mappings.iter().flatten().any(|name| name == ANY) {
        return false;
    }
    for [issuers, _] in mappings {
        let subjects = mappings.iter().filter(|[name, _]| name == issuers).map(|[_, subject]| subject.clone());
        let expected = subjects.collect();
        if let Some(known) = policies.iter_mut().find(|policy| policy.name == *issuers) {
            known.expected = expected;
        } else if policies.iter().any(|policy| policy.name == ANY) {
            policies.push(Policy { name: issuers.clone(), expected });
        }
    }
    true
}

impl Countdowns {
    /// Goes on to the next certificate below one, which may ask for something.
    fn pass(&mut self, certificate: &Certificate<'_>) {
        let extensions = &certificate.extensions;
        let step = i64::from(!is_self_issued(certificate));
        let next = |count: i64, asked: Option<i64>| {
            let count = (count - step).max(0);
            asked.map_or(count, |asked| count.min(asked.max(0)))
        };
        self.explicit_policy = next(self.explicit_policy, extensions.require_explicit_policy);
        self.no_mapping = next(self.no_mapping, extensions.inhibit_policy_mapping);
        self.no_any = next(self.no_any, extensions.inhibit_any_policy);
    }
}

fn is_self_issued(certificate: &Certificate<'_>) -> bool {
    certificate.issuer.raw == certificate.subject.raw
}
