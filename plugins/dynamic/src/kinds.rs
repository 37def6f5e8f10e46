//! Each kind of plugin as the trait of core that it fills.

mod builtin;
mod config;
mod credential;
mod factory;
mod fetcher;
mod managed;
mod signing;
mod sink;

pub(crate) use builtin::{CALLS, DynamicBuiltin};
pub(crate) use credential::DynamicCredential;
pub(crate) use factory::DynamicFactory;
pub(crate) use fetcher::{Fetchers, aliases};
pub(crate) use signing::{DynamicSigner, DynamicVerifier, QUESTIONS};
