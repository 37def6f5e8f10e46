//! What a plugin can be.

use regent_core::registry::ExtensionPoint;
use regent_plugin_abi as abi;

/// The kind of a plugin in a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A function that policies call.
    Builtin,
    /// Takes the records of decisions.
    Sink,
    /// Gets data that updates speak of.
    Fetcher,
    /// Tells whether a signed bundle may be believed.
    Verifier,
    /// Signs bundles.
    Signer,
    /// Proves to services who the agent is.
    Credential,
    /// Anything with a life.
    Managed,
}

impl Kind {
    pub(crate) fn of(number: u32) -> Option<Self> {
        Some(match number {
            abi::KIND_BUILTIN => Self::Builtin,
            abi::KIND_SINK => Self::Sink,
            abi::KIND_FETCHER => Self::Fetcher,
            abi::KIND_VERIFIER => Self::Verifier,
            abi::KIND_SIGNER => Self::Signer,
            abi::KIND_CREDENTIAL => Self::Credential,
            abi::KIND_MANAGED => Self::Managed,
            _ => return None,
        })
    }

    /// What it fills.
    pub fn extension_point(self) -> ExtensionPoint {
        match self {
            Self::Builtin => ExtensionPoint::Builtin,
            Self::Sink => ExtensionPoint::DecisionSink,
            Self::Fetcher => ExtensionPoint::DataFetcher,
            Self::Verifier => ExtensionPoint::Verifier,
            Self::Signer => ExtensionPoint::Signer,
            Self::Credential => ExtensionPoint::Credential,
            Self::Managed => ExtensionPoint::Plugin,
        }
    }

    /// The function that it cannot do without.
    pub(crate) fn function(self) -> &'static str {
        match self {
            Self::Builtin => "call",
            Self::Sink => "write",
            Self::Fetcher => "fetch",
            Self::Verifier => "verify",
            Self::Signer => "sign",
            Self::Credential => "prepare",
            Self::Managed => "run",
        }
    }
}
