//! Verifiers and signers of bundles.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::marker::PhantomData;

use regent_plugin_abi::{self as abi, Bytes, Status, Writer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::config::NoConfig;
use crate::error::Error;
use crate::glue;
use crate::host::Host;

/// Tells whether signatures may be believed.
pub trait Verifier: Sized + Send + Sync + 'static {
    /// The name that bundles and configurations choose it by.
    const NAME: &'static str;

    /// What it does, in a sentence.
    const DESCRIPTION: &'static str = "";

    /// Makes it; when the library is loaded, so the host can only log.
    ///
    /// # Errors
    /// When it could never work.
    fn build(host: Host) -> Result<Self, Error>;

    /// The files that the signatures list, if they may be believed. To compare their digests is the agent's business.
    ///
    /// # Errors
    /// Why they may not be believed.
    fn verify(&self, verification: &Verification) -> Result<Vec<SignedFile>, Error>;
}

/// Makes signatures.
pub trait Signer: Sized + Send + Sync + 'static {
    /// The name that is written beside the signature, so that the verifier of that name is asked.
    const NAME: &'static str;

    /// What it does, in a sentence.
    const DESCRIPTION: &'static str = "";

    /// Makes it; when the library is loaded, so the host can only log.
    ///
    /// # Errors
    /// When it could never work.
    fn build(host: Host) -> Result<Self, Error>;

    /// The signature of the files.
    ///
    /// # Errors
    /// Why there can be none.
    fn sign(&self, signing: &Signing) -> Result<String, Error>;
}

/// What is asked of a verifier.
#[derive(Clone, Default, Deserialize)]
pub struct Verification {
    /// The signatures of the bundle.
    pub signatures: Vec<String>,
    /// The keys of the configuration.
    pub keys: BTreeMap<String, Key>,
    /// Which of them counts; empty if the signature may choose.
    pub key_id: String,
    /// The scope that the signature must have; empty for that of the key.
    pub scope: String,
}

/// A key of the configuration.
#[derive(Clone, Default, Deserialize)]
pub struct Key {
    /// The public key, or the secret.
    pub key: String,
    /// How it signs.
    pub algorithm: String,
    /// Its scope; empty for none.
    pub scope: String,
}

/// A file as a signature lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedFile {
    /// Its path in the bundle, without a slash at the beginning.
    pub name: String,
    /// The digest of its content, in hexadecimal.
    pub hash: String,
    /// The name of the digest: `SHA-256`. Empty if the signature does not tell.
    #[serde(default)]
    pub algorithm: String,
}

/// What is asked of a signer.
#[derive(Clone, Default, Deserialize)]
pub struct Signing {
    /// The files.
    pub files: Vec<SignedFile>,
    /// What was given as `--signing-key`.
    pub key: String,
    /// How the key signs.
    pub algorithm: String,
    /// Its name; empty for none.
    pub key_id: String,
    /// What else the signature is to say, an object; or null.
    pub claims: Value,
}

/// The table of a verifier.
pub struct VerifierTable<V>(PhantomData<V>);

impl<V: Verifier> VerifierTable<V> {
    /// What the library exports.
    pub const PLUGIN: &'static abi::Plugin = &abi::Plugin {
        size: size_of::<abi::Plugin>(),
        kind: abi::KIND_VERIFIER,
        flags: 0,
        name: Bytes::of(V::NAME.as_bytes()),
        describe: Some(describe_verifier::<V>),
        check: None,
        create: Some(create_verifier::<V>),
        destroy: Some(glue::destroy::<V>),
        functions: std::ptr::from_ref(Self::FUNCTIONS).cast(),
    };

    const FUNCTIONS: &'static abi::Asked = &abi::Asked { size: size_of::<abi::Asked>(), ask: Some(verify::<V>) };
}

/// The table of a signer.
pub struct SignerTable<S>(PhantomData<S>);

impl<S: Signer> SignerTable<S> {
    /// What the library exports.
    pub const PLUGIN: &'static abi::Plugin = &abi::Plugin {
        size: size_of::<abi::Plugin>(),
        kind: abi::KIND_SIGNER,
        flags: 0,
        name: Bytes::of(S::NAME.as_bytes()),
        describe: Some(describe_signer::<S>),
        check: None,
        create: Some(create_signer::<S>),
        destroy: Some(glue::destroy::<S>),
        functions: std::ptr::from_ref(Self::FUNCTIONS).cast(),
    };

    const FUNCTIONS: &'static abi::Asked = &abi::Asked { size: size_of::<abi::Asked>(), ask: Some(sign::<S>) };
}

unsafe extern "C" fn describe_verifier<V: Verifier>(writer: *const Writer) -> Status {
    // SAFETY: the writer is the agent's.
    unsafe { glue::describe(writer, || json!({"description": V::DESCRIPTION})) }
}

unsafe extern "C" fn describe_signer<S: Signer>(writer: *const Writer) -> Status {
    // SAFETY: the writer is the agent's.
    unsafe { glue::describe(writer, || json!({"description": S::DESCRIPTION})) }
}

unsafe extern "C" fn create_verifier<V: Verifier>(
    host: *const abi::Host,
    config: Bytes,
    instance: *mut *mut c_void,
    error: *const Writer,
) -> Status {
    // SAFETY: the agent calls it.
    unsafe { glue::create((host, config, instance, error), |_: NoConfig, host| V::build(host)) }
}

unsafe extern "C" fn create_signer<S: Signer>(
    host: *const abi::Host,
    config: Bytes,
    instance: *mut *mut c_void,
    error: *const Writer,
) -> Status {
    // SAFETY: the agent calls it.
    unsafe { glue::create((host, config, instance, error), |_: NoConfig, host| S::build(host)) }
}

unsafe extern "C" fn verify<V: Verifier>(instance: *mut c_void, request: Bytes, writer: *const Writer) -> Status {
    // SAFETY: the agent lends all of them, and the instance is of `create`.
    unsafe {
        glue::answer(writer, || {
            let verification: Verification = glue::parse(glue::lent(request))?;
            glue::json(&glue::instance::<V>(instance)?.verify(&verification)?)
        })
    }
}

unsafe extern "C" fn sign<S: Signer>(instance: *mut c_void, request: Bytes, writer: *const Writer) -> Status {
    // SAFETY: the agent lends all of them, and the instance is of `create`.
    unsafe {
        glue::answer(writer, || {
            let signing: Signing = glue::parse(glue::lent(request))?;
            glue::json(&glue::instance::<S>(instance)?.sign(&signing)?)
        })
    }
}
