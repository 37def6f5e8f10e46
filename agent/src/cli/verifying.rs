//! Flags that tell which signatures of bundles on the command line are believed.

use std::sync::Arc;

use regent_bundle::local::LocalTrust;
use regent_core::Registry;
use regent_core::config::{Key, KeyAlgorithm, Secret};
use regent_core::signing::Verification;

/// What is asked of the signatures of bundles that are named on the command line. Keys of the configuration are for
/// downloaded bundles only.
#[derive(clap::Args)]
pub(super) struct Verifying {
    /// Verify bundles with this secret, or the public key or certificate in this PEM file.
    #[arg(long, value_name = "KEY", value_parser = secret)]
    verification_key: Option<Secret>,
    /// The name of the key.
    #[arg(long, value_name = "ID", default_value = "default")]
    verification_key_id: String,
    /// How the key signs: RS256, ES256, PS256, HS256 and their like with 384 and 512.
    #[arg(long, value_name = "ALGORITHM", default_value = "RS256", value_parser = algorithm)]
    signing_alg: KeyAlgorithm,
    /// The scope that signatures must have.
    #[arg(long, value_name = "SCOPE", default_value = "")]
    scope: String,
    /// Files that need no signature, as patterns. May be repeated.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    exclude_files_verify: Vec<String>,
    /// Do not look at signatures.
    #[arg(long)]
    skip_verify: bool,
}

#[expect(clippy::unnecessary_wraps, reason = "a parser of arguments may fail")]
pub(super) fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

pub(super) fn algorithm(name: &str) -> Result<KeyAlgorithm, String> {
    KeyAlgorithm::of_name(name).ok_or_else(|| format!("unknown signature algorithm: {name}"))
}

impl Verifying {
    /// What the flags ask for.
    ///
    /// # Errors
    /// When the key is a file that cannot be read.
    pub(super) fn trust(&self, registry: &Registry) -> Result<LocalTrust, String> {
        if self.skip_verify {
            return Ok(LocalTrust::Blind);
        }
        let verification = self.verification_key.as_ref().map(|key| self.verification(key)).transpose()?;
        Ok(LocalTrust::Verified(verification, Arc::new(registry.verifiers().clone())))
    }

    fn verification(&self, key: &Secret) -> Result<Verification, String> {
        let key = Key { key: read(key)?, algorithm: self.signing_alg, scope: self.scope.clone(), ..Key::default() };
        Ok(Verification {
            keys: [(self.verification_key_id.clone(), key)].into_iter().collect(),
            key_id: self.verification_key_id.clone(),
            scope: self.scope.clone(),
            exclude_files: self.exclude_files_verify.clone(),
            required: true,
            plugin: None,
        })
    }
}

/// What a file of that name holds; the text itself if there is no such file. Errors do not show it: it may be a secret.
pub(super) fn read(key: &Secret) -> Result<Secret, String> {
    match std::fs::read_to_string(key.expose()) {
        Ok(content) => Ok(Secret::new(content)),
        // The second is for texts that are no paths, such as PEM itself.
        Err(error) if is_missing(&error) => Ok(key.clone()),
        Err(error) => Err(format!("cannot read the file of the key: {error}")),
    }
}

fn is_missing(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | InvalidFilename | InvalidInput | NotADirectory)
}

impl std::fmt::Debug for Verifying {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifying").field("verification_key", &self.verification_key).finish_non_exhaustive()
    }
}
