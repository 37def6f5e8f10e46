//! Signs and verifies bundles with a key that only another process knows: the agent could not give it away.
//!
//! A signature is the list of files, as JSON, and a stamp on it, with a `.` between them. The key process makes stamps and
//! knows which are right; it listens on the socket that `ACME_KEY_SOCKET` names.
//!
//! ```yaml
//! bundles: {authz: {service: acme, signing: {plugin: acme_key}}}
//! ```

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use regent_plugin::{Error, Host, SignedFile, Signer, Signing, Verification, Verifier};

regent_plugin::export!(Verifier: KeyProcess, Signer: KeyProcess);

/// Where the key process listens.
struct KeyProcess(PathBuf);

impl KeyProcess {
    fn find() -> Result<Self, Error> {
        let socket = std::env::var_os("ACME_KEY_SOCKET").ok_or_else(|| Error::config("ACME_KEY_SOCKET is not set"))?;
        Ok(Self(socket.into()))
    }

    /// One question, one answer, each a line.
    fn ask(&self, question: &str) -> Result<String, Error> {
        let failed = |error| Error::unavailable(format!("cannot ask the key process: {error}"));
        let mut connection = UnixStream::connect(&self.0).map_err(failed)?;
        writeln!(connection, "{question}").map_err(failed)?;
        let mut answer = String::new();
        BufReader::new(connection).read_line(&mut answer).map_err(failed)?;
        Ok(answer.trim_end().to_owned())
    }
}

impl Verifier for KeyProcess {
    const NAME: &'static str = "acme_key";
    const DESCRIPTION: &'static str = "Asks the key process whether a bundle may be believed.";

    fn build(_: Host) -> Result<Self, Error> {
        Self::find()
    }

    fn verify(&self, verification: &Verification) -> Result<Vec<SignedFile>, Error> {
        let [signature] = &verification.signatures[..] else { return Err(Error::refused("expected one signature")) };
        let (list, stamp) = signature.rsplit_once('.').ok_or_else(|| Error::refused("expected LIST.STAMP"))?;
        // A line break would be a second question.
        if list.contains('\n') || !stamp.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Error::refused("expected LIST.STAMP"));
        }
        if self.ask(&format!("check {stamp} {list}"))? != "right" {
            return Err(Error::refused("the key process does not know this stamp"));
        }
        serde_json::from_str(list).map_err(|error| Error::refused(format!("what was stamped is no list: {error}")))
    }
}

impl Signer for KeyProcess {
    const NAME: &'static str = "acme_key";
    const DESCRIPTION: &'static str = "Has the key process sign a bundle.";

    fn build(_: Host) -> Result<Self, Error> {
        Self::find()
    }

    fn sign(&self, signing: &Signing) -> Result<String, Error> {
        let list = serde_json::to_string(&signing.files).map_err(|error| Error::failed(error.to_string()))?;
        let stamp = self.ask(&format!("stamp {list}"))?;
        Ok(format!("{list}.{stamp}"))
    }
}
