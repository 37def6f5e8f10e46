//! What certificates may be used for.

use super::super::keys::der::Oid;

/// A use, in the order in which Go numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
    Any,
    ServerAuth,
    ClientAuth,
    CodeSigning,
    EmailProtection,
    IpsecEndSystem,
    IpsecTunnel,
    IpsecUser,
    TimeStamping,
    OcspSigning,
    MicrosoftServerGatedCrypto,
    NetscapeServerGatedCrypto,
    MicrosoftCommercialCodeSigning,
    MicrosoftKernelCodeSigning,
}

/// The uses with the names that options give them and their object identifiers.
const USAGES: [(Usage, &str, &[u32]); 14] = [
    (Usage::Any, "KeyUsageAny", &[2, 5, 29, 37, 0]),
    (Usage::ServerAuth, "KeyUsageServerAuth", &[1, 3, 6, 1, 5, 5, 7, 3, 1]),
    (Usage::ClientAuth, "KeyUsageClientAuth", &[1, 3, 6, 1, 5, 5, 7, 3, 2]),
    (Usage::CodeSigning, "KeyUsageCodeSigning", &[1, 3, 6, 1, 5, 5, 7, 3, 3]),
    (Usage::EmailProtection, "KeyUsageEmailProtection", &[1, 3, 6, 1, 5, 5, 7, 3, 4]),
    (Usage::IpsecEndSystem, "KeyUsageIPSECEndSystem", &[1, 3, 6, 1, 5, 5, 7, 3, 5]),
    (Usage::IpsecTunnel, "KeyUsageIPSECTunnel", &[1, 3, 6, 1, 5, 5, 7, 3, 6]),
    (Usage::IpsecUser, "KeyUsageIPSECUser", &[1, 3, 6, 1, 5, 5, 7, 3, 7]),
    (Usage::TimeStamping, "KeyUsageTimeStamping", &[1, 3, 6, 1, 5, 5, 7, 3, 8]),
    (Usage::OcspSigning, "KeyUsageOCSPSigning", &[1, 3, 6, 1, 5, 5, 7, 3, 9]),
    (Usage::MicrosoftServerGatedCrypto, "KeyUsageMicrosoftServerGatedCrypto", &[1, 3, 6, 1, 4, 1, 311, 10, 3, 3]),
    (Usage::NetscapeServerGatedCrypto, "KeyUsageNetscapeServerGatedCrypto", &[2, 16, 840, 1, 113_730, 4, 1]),
    (
        Usage::MicrosoftCommercialCodeSigning,
        "KeyUsageMicrosoftCommercialCodeSigning",
        &[1, 3, 6, 1, 4, 1, 311, 2, 1, 22],
    ),
    (Usage::MicrosoftKernelCodeSigning, "KeyUsageMicrosoftKernelCodeSigning", &[1, 3, 6, 1, 4, 1, 311, 61, 1, 1]),
];

impl Usage {
    /// The use that certificates name so.
    pub(crate) fn of_oid(oid: &Oid) -> Option<Self> {
        USAGES.iter().find(|(_, _, arcs)| *arcs == oid.arcs()).map(|(usage, ..)| *usage)
    }

    /// The use that options name so.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        USAGES.iter().find(|(_, known, _)| *known == name).map(|(usage, ..)| *usage)
    }

    /// Its number in Go's JSON.
    pub(crate) fn number(self) -> u32 {
        self as u32
    }
}
