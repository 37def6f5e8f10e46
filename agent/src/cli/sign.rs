//! `regent sign`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use regent_bundle::format::{FormatError, Limits, sign};
use regent_core::config::{KeyAlgorithm, Secret};
use regent_core::signing::{SignedFile, SigningKey};
use regent_core::value::decode;
use regent_core::{Registry, Value};

use super::libraries::Directories;
use super::verifying::{algorithm, read, secret};

/// Sign bundles: write a `.signatures.json` with the digests of their files.
///
/// Example: regent sign --signing-key private.pem --bundle policies/
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Directories and archives.
    paths: Vec<String>,
    /// Take the paths for bundles; without it nothing is signed.
    #[arg(short, long)]
    bundle: bool,
    /// The secret, or the PEM file with the private key.
    #[arg(long, value_name = "KEY", value_parser = secret)]
    signing_key: Option<Secret>,
    /// How the key signs: RS256, ES256, PS256, HS256 and their like with 384 and 512.
    #[arg(long, value_name = "ALGORITHM", default_value = "RS256", value_parser = algorithm)]
    signing_alg: KeyAlgorithm,
    /// Say in the signature what this JSON file says.
    #[arg(long, value_name = "FILE")]
    claims_file: Option<PathBuf>,
    /// Name of the signer that is asked.
    #[arg(long, value_name = "NAME", default_value = "")]
    signing_plugin: String,
    #[command(flatten)]
    directories: Directories,
    /// The directory that the file is written to.
    #[arg(short, long, value_name = "DIRECTORY", default_value = ".")]
    output_file_path: PathBuf,
}

pub(super) fn main(mut registry: Registry, arguments: &Arguments) -> ExitCode {
    let Some(key) = arguments.signing_key.as_ref().filter(|key| !key.expose().is_empty()) else {
        return fail("specify the secret (HMAC) or path of the PEM file containing the private key (RSA and ECDSA)");
    };
    if arguments.paths.is_empty() {
        return fail("specify atleast one path containing policy and/or data files");
    }
    if !arguments.bundle {
        return fail("enable bundle mode (ie. --bundle) to sign bundle files or directories");
    }
    if let Err(why) = arguments.directories.load(&mut registry) {
        return fail(&why);
    }
    match arguments.sign(&registry, key) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn fail(why: &str) -> ExitCode {
    eprintln!("Error: {why}");
    ExitCode::FAILURE
}

impl Arguments {
    fn sign(&self, registry: &Registry, key: &Secret) -> Result<(), String> {
        let mut files = Vec::new();
        for path in &self.paths {
            files.extend(list(path).map_err(|error| regent_core::error::chain(&error))?);
        }
        let claims = self.claims_file.as_deref().map(claims).transpose()?;
        let key = SigningKey { key: read(key)?, algorithm: self.signing_alg, key_id: String::new(), claims };
        let signer = registry.signers().find(&self.signing_plugin).map_err(|error| error.to_string())?;
        let signatures = sign::sign(&files, signer, &key).map_err(|error| error.to_string())?;
        let place = self.output_file_path.join(sign::FILE);
        std::fs::write(&place, sign::text(&signatures)).map_err(|error| format!("open {}: {error}", place.display()))
    }
}

/// The files of a bundle. Those of a directory are called as `run -b` and `build -b` will call them.
fn list(path: &str) -> Result<Vec<SignedFile>, FormatError> {
    let unreadable = |source| FormatError::Unreadable { path: format!("stat {path}"), source };
    let limits = Limits::default();
    if std::fs::metadata(path).map_err(unreadable)?.is_dir() {
        return sign::files_of_directory(Path::new(path), path, &limits, &|_| false);
    }
    sign::files_of_archive(std::fs::File::open(path).map_err(unreadable)?, &limits)
}

fn claims(path: &Path) -> Result<Value, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("open {}: {error}", path.display()))?;
    decode(&bytes).map_err(|error| format!("{}: {error}", path.display()))
}
