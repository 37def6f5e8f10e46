//! Servers that others wrote: the one of this machine, or the one of Debian's packages.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::process::Child;

use crate::Error;
use crate::output::Captured;

/// Where packages have programs and libraries, beside the folders of an architecture.
const LIBRARIES: [&str; 2] = ["usr/lib", "lib"];

/// A program that is installed, or unpacked from its Debian package together with what that needs.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    /// The folder that the packages are unpacked in; none if the program is installed.
    unpacked: Option<PathBuf>,
}

impl Program {
    /// The program if it is on `PATH`, or else out of the package, which is unpacked in the folder once for all tests:
    /// `env!("CARGO_TARGET_TMPDIR")`. Without either it says so, and there is nothing to test.
    pub fn find(name: &str, package: &str, folder: impl AsRef<Path>) -> Option<Self> {
        let paths = [format!("usr/bin/{name}"), format!("usr/sbin/{name}")];
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        Self::installed(name).or_else(|| Self::unpacked(&paths, package, folder.as_ref()))
    }

    /// The program, if it is on `PATH`.
    pub fn installed(name: &str) -> Option<Self> {
        let folders = std::env::var_os("PATH")?;
        let path = std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file())?;
        Some(Self { path, unpacked: None })
    }

    /// The program at the first of the paths in the package that is there; a step of a path may be `*`.
    pub(crate) fn unpacked(paths: &[&str], package: &str, folder: &Path) -> Option<Self> {
        let parent = folder.join("debian");
        fs::create_dir_all(&parent).expect("the build folder can be written");
        let lock = File::create(parent.join(format!("{package}.lock"))).expect("the build folder can be written");
        // Tests run side by side, and so may test programs.
        lock.lock().expect("the file can be locked");
        let root = parent.join(package);
        if !root.exists() && !unpack(package, &parent, &root) {
            println!("{package} is not installed and cannot be had from Debian: it is not tried");
            return None;
        }
        let found = paths.iter().find_map(|path| look(&root, path));
        let path = found.unwrap_or_else(|| panic!("{package} has none of {paths:?}"));
        Some(Self { path, unpacked: Some(root) })
    }

    pub(crate) fn at(path: PathBuf) -> Option<Self> {
        path.is_file().then_some(Self { path, unpacked: None })
    }

    /// Another program of the same folder.
    #[must_use]
    pub(crate) fn beside(&self, name: &str) -> Self {
        Self { path: self.path.with_file_name(name), ..self.clone() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A command that runs it, with the libraries that came with it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        if let Some(root) = &self.unpacked {
            command.env("LD_LIBRARY_PATH", libraries(root));
        }
        command
    }
}

/// A process of a [`Program`]; killed when it is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    stderr: Captured,
}

impl Server {
    /// Starts the command.
    ///
    /// # Panics
    /// If it cannot be run.
    pub fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut command = tokio::process::Command::from(command);
        let mut child = command.kill_on_drop(true).spawn().expect("the server can be run");
        let stderr = Captured::from(child.stderr.take().expect("it is piped"));
        Self { child, stderr }
    }

    /// Waits for a line on standard error that contains a text, and returns the first such line.
    pub async fn wait_for_line(&self, text: &str, limit: Duration) -> Result<String, Error> {
        self.stderr.wait_for_line(text, limit).await
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    pub async fn kill(&mut self) {
        // Failing means that it has ended already.
        let _gone = self.child.kill().await;
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }
}

/// Downloads the package and all it needs that is not installed, and puts it into its place as a whole.
fn unpack(package: &str, parent: &Path, root: &Path) -> bool {
    let work = tempfile::tempdir_in(parent).expect("the build folder can be written");
    let run = |command: &mut Command| command.output().ok().filter(|output| output.status.success());
    let plan = run(Command::new("apt-get").args(["install", "--simulate", "--no-install-recommends", package]));
    let Some(plan) = plan else { return false };
    let plan = String::from_utf8_lossy(&plan.stdout).into_owned();
    let needed: Vec<&str> = plan.lines().filter_map(|line| line.strip_prefix("Inst ")?.split(' ').next()).collect();
    let needed = if needed.is_empty() { vec![package] } else { needed };
    if run(Command::new("apt-get").arg("download").args(needed).current_dir(work.path())).is_none() {
        return false;
    }
    let files = work.path().join("files");
    for entry in fs::read_dir(work.path()).expect("the folder").flatten() {
        let archive = entry.path();
        if archive.extension().is_some_and(|end| end == "deb") {
            let unpacked = run(Command::new("dpkg").arg("-x").arg(&archive).arg(&files));
            assert!(unpacked.is_some(), "{} cannot be unpacked", archive.display());
        }
    }
    fs::rename(&files, root).expect("the folder can be put into its place");
    true
}

/// What is at the path, whatever the names in place of `*`.
fn look(root: &Path, path: &str) -> Option<PathBuf> {
    let mut found = vec![root.to_owned()];
    for step in path.split('/') {
        found = match step {
            "*" => found.iter().flat_map(fs::read_dir).flatten().flatten().map(|entry| entry.path()).collect(),
            step => found.iter().map(|folder| folder.join(step)).filter(|path| path.exists()).collect(),
        };
    }
    found.into_iter().max()
}

fn libraries(root: &Path) -> OsString {
    let plain = LIBRARIES.iter().map(|folder| root.join(folder));
    let of_architecture = LIBRARIES.iter().filter_map(|folder| {
        let folders = fs::read_dir(root.join(folder)).ok()?.flatten();
        folders.map(|entry| entry.path()).find(|path| path.to_string_lossy().ends_with("-linux-gnu"))
    });
    std::env::join_paths(of_architecture.chain(plain)).expect("the build folder has no colon in its name")
}
