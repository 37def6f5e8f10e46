//! A repository, by way of the program `git`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use regent_core::Error;
use regent_core::config::Secret;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use super::unavailable;
use super::version::{Kinds, Version};

/// How long `git` may take for anything.
const PATIENCE: Duration = Duration::from_mins(2);

/// Most bytes of one state of all files.
const LARGEST: usize = 256 << 20;

/// Where the branch is kept.
const HEAD: &str = "refs/heads/hub";

/// A repository without a work tree.
pub(super) struct Repository {
    pub(super) directory: PathBuf,
    pub(super) address: Secret,
    pub(super) branch: String,
    pub(super) ssh_key: Option<PathBuf>,
    pub(super) kinds: Kinds,
}

impl Repository {
    /// Gets what is new, and gives the hash of the latest commit.
    ///
    /// # Errors
    /// When `git` cannot be run or the repository is out of reach.
    pub(super) async fn fetch(&self) -> Result<String, Error> {
        if !self.directory.join("HEAD").exists() {
            self.git(&["init", "--quiet", "--bare", "."], None).await?;
        }
        let refs = format!("+refs/heads/{}:{HEAD}", self.branch);
        self.git(&["fetch", "--quiet", "--no-tags", "--", self.address.expose(), &refs], None).await?;
        self.commit(HEAD).await?.ok_or_else(|| unavailable("the branch is gone"))
    }

    /// The commit of a name or an abbreviated hash, if there is one.
    async fn commit(&self, name: &str) -> Result<Option<String>, Error> {
        let named = format!("{name}^{{commit}}");
        let found = self.git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &named], None).await;
        Ok(found.ok().map(|hash| String::from_utf8_lossy(&hash).trim().to_owned()))
    }

    /// The state of all files at a commit; nothing if there is no such commit.
    ///
    /// # Errors
    /// When `git` fails, or there is too much.
    pub(super) async fn version(&self, commit: &str) -> Result<Option<Version>, Error> {
        let Some(hash) = self.commit(commit).await? else { return Ok(None) };
        let listed = self.git(&["ls-tree", "-r", "-z", "--full-tree", &hash], None).await?;
        let listed = String::from_utf8_lossy(&listed).into_owned();
        // `MODE blob HASH<TAB>PATH`; what is no file of its own does not count.
        let entries: Vec<(&str, &str)> = listed
            .split_terminator('\0')
            .filter_map(|entry| entry.split_once('\t'))
            .filter_map(|(object, path)| Some((object.strip_prefix("100")?.split(' ').nth(2)?, path)))
            .collect();
        let wanted: Vec<&(&str, &str)> = entries.iter().filter(|(_, path)| self.kinds.counts(path)).collect();
        let objects: Vec<&str> = wanted.iter().map(|(object, _)| *object).collect();
        let contents = self.git(&["cat-file", "--batch"], Some(objects.join("\n"))).await?;
        let texts = texts(&contents).ok_or_else(|| unavailable("git gives something that is not understood"))?;
        let files: BTreeMap<String, Arc<str>> =
            wanted.iter().zip(texts).map(|((_, path), text)| ((*path).to_owned(), text)).collect();
        Ok(Some(Version::new(hash, files, entries.iter().map(|(_, path)| (*path).to_owned()))))
    }

    async fn git(&self, arguments: &[&str], input: Option<String>) -> Result<Vec<u8>, Error> {
        let mut command = Command::new("git");
        command.current_dir(&self.directory).args(arguments).kill_on_drop(true);
        command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_DIR", &self.directory).env("LC_ALL", "C");
        if let Some(key) = &self.ssh_key {
            command.env("GIT_SSH_COMMAND", ssh(key));
        }
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let failed = |error: std::io::Error| unavailable("the program `git` cannot be run").caused_by(error);
        let mut child = command.spawn().map_err(failed)?;
        if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
            // What it does not read any more shows in how it ends.
            tokio::spawn(async move {
                let _closed = stdin.write_all(input.as_bytes()).await;
            });
        }
        let output = timeout(PATIENCE, child.wait_with_output()).await;
        let output =
            output.map_err(|_| unavailable(format!("`git {}` takes too long", arguments[0])))?.map_err(failed)?;
        if output.stdout.len() > LARGEST {
            return Err(unavailable(format!("the repository has more than {LARGEST} bytes of policy")));
        }
        if output.status.success() {
            return Ok(output.stdout);
        }
        // The address may have a password.
        let told = String::from_utf8_lossy(&output.stderr).replace(self.address.expose(), "the repository");
        Err(unavailable(format!("`git {}` fails: {}", arguments[0], told.trim())))
    }
}

fn ssh(key: &Path) -> String {
    let key = key.display().to_string().replace('\'', r"'\''");
    format!("ssh -i '{key}' -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=accept-new")
}

/// What `git cat-file --batch` answers: for each object a line, `HASH blob SIZE`, the content and a line end.
fn texts(mut answer: &[u8]) -> Option<Vec<Arc<str>>> {
    let mut texts = Vec::new();
    while !answer.is_empty() {
        let end = answer.iter().position(|byte| *byte == b'\n')?;
        let size: usize = std::str::from_utf8(&answer[..end]).ok()?.rsplit(' ').next()?.parse().ok()?;
        let rest = &answer[end + 1..];
        let (content, rest) = rest.split_at_checked(size)?;
        texts.push(Arc::from(String::from_utf8_lossy(content)));
        answer = rest.strip_prefix(b"\n")?;
    }
    Some(texts)
}
