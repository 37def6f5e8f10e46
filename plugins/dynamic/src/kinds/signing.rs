//! Verifiers and signers of bundles.

use std::sync::Arc;

use regent_core::engine::Cancel;
use regent_core::signing::{Signatures, SignedFile, Signer, SigningError, SigningKey, Verification, Verifier};
use regent_core::value::to_serde;
use regent_plugin_abi::{Ask, Bytes};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::answer::Failure;
use crate::instance::Instance;

/// Questions that one verifier or signer may be asked at the same time.
pub(crate) const QUESTIONS: usize = 4;

/// A file as plugins write it.
#[derive(Serialize, Deserialize)]
struct File {
    name: String,
    hash: String,
    #[serde(default)]
    algorithm: String,
}

/// A verifier of a library.
pub(crate) struct DynamicVerifier(Asked);

/// A signer of a library.
pub(crate) struct DynamicSigner(Asked);

/// Who is asked, and how.
struct Asked {
    instance: Arc<Instance>,
    ask: Ask,
}

impl DynamicVerifier {
    pub(crate) fn new(instance: Arc<Instance>, ask: Ask) -> Self {
        Self(Asked { instance, ask })
    }
}

impl DynamicSigner {
    pub(crate) fn new(instance: Arc<Instance>, ask: Ask) -> Self {
        Self(Asked { instance, ask })
    }
}

impl Asked {
    fn ask(&self, request: &Json) -> Result<Vec<u8>, SigningError> {
        let (request, ask) = (request.to_string(), self.ask);
        // SAFETY: the request and the writer are there until it returns.
        let question = move |itself, writer: &_| unsafe { ask(itself, Bytes::of(request.as_bytes()), writer) };
        self.instance.ask_blocking(Cancel::never(), question).map_err(|failure| self.error(&failure))
    }

    fn parse<T: serde::de::DeserializeOwned>(&self, what: &str, answer: &[u8]) -> Result<T, SigningError> {
        let garbage = |error| Failure::Garbage(format!("{what}: {error}"));
        serde_json::from_slice(answer).map_err(|error| self.error(&garbage(error)))
    }

    fn error(&self, failure: &Failure) -> SigningError {
        SigningError::new(match failure {
            Failure::Said(_, text) => text.clone(),
            other => format!("the plugin {} {other}", self.name()),
        })
    }

    fn name(&self) -> &'static str {
        self.instance.exported().name
    }
}

impl Verifier for DynamicVerifier {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn verify(&self, signatures: &Signatures, verification: &Verification) -> Result<Vec<SignedFile>, SigningError> {
        let key = |id: &str| {
            let key = verification.key(id).ok()?;
            let about = json!({"key": key.key.expose(), "algorithm": key.algorithm.name(), "scope": key.scope});
            Some((id.to_owned(), about))
        };
        let request = json!({
            "signatures": signatures.tokens,
            "keys": verification.keys.ids().filter_map(key).collect::<serde_json::Map<_, _>>(),
            "key_id": verification.key_id,
            "scope": verification.scope,
        });
        let answer = self.0.ask(&request)?;
        let files: Vec<File> = self.0.parse("a list of files", &answer)?;
        let signed = |File { name, hash, algorithm }| SignedFile { name, hash, algorithm };
        Ok(files.into_iter().map(signed).collect())
    }
}

impl Signer for DynamicSigner {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn sign(&self, files: &[SignedFile], key: &SigningKey) -> Result<String, SigningError> {
        let file = |file: &SignedFile| json!({"name": file.name, "hash": file.hash, "algorithm": file.algorithm});
        let request = json!({
            "files": files.iter().map(file).collect::<Vec<_>>(),
            "key": key.key.expose(),
            "algorithm": key.algorithm.name(),
            "key_id": key.key_id,
            "claims": key.claims.as_ref().map(to_serde),
        });
        let answer = self.0.ask(&request)?;
        self.0.parse("a signature", &answer)
    }
}
