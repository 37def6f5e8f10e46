//! A PostgreSQL server with a database of its own.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::port::ReservedPort;
use crate::{Program, Server};

/// How long a start or a stop may take.
const LIMIT: Duration = Duration::from_mins(1);

/// Who runs the server if the tests are run by root, whom it refuses: `nobody`.
const NOBODY: u32 = 65534;

/// A real PostgreSQL on 127.0.0.1 and on a socket in [`Postgres::dir`]; `postgres` may do all, without a password on the
/// socket, and with [`Postgres::PASSWORD`] else.
#[derive(Debug)]
pub struct Postgres {
    program: Program,
    directory: TempDir,
    port: ReservedPort,
    as_nobody: bool,
    server: Option<Server>,
}

impl Postgres {
    /// The password of `postgres`.
    pub const PASSWORD: &'static str = "s3cret";

    /// A server that does not run yet, whose database is ready; nothing if the program is out of reach. For the folder
    /// see [`Program::find`].
    ///
    /// # Panics
    /// If the database cannot be made.
    pub fn find(folder: impl AsRef<Path>) -> Option<Self> {
        let program = installed()
            .or_else(|| Program::unpacked(&["usr/lib/postgresql/*/bin/postgres"], "postgresql", folder.as_ref()))?;
        let directory = TempDir::with_prefix("regent-kit-").expect("there is room for a temporary directory");
        let as_nobody = fs::metadata(directory.path()).expect("the directory").uid() == 0;
        let made = Self { program, directory, port: ReservedPort::new(), as_nobody, server: None };
        made.own(made.dir());
        if !made.run("postgres").arg("--version").output().is_ok_and(|output| output.status.success()) {
            println!("`nobody` may not run {}: PostgreSQL is not tried", made.program.path().display());
            return None;
        }
        made.init();
        Some(made)
    }

    fn init(&self) {
        let secret = self.file("password", Self::PASSWORD);
        let mut command = self.run("initdb");
        command.args(["--no-sync", "--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256"]);
        command.args(["--encoding=UTF8", "--locale=C"]);
        command.arg(format!("--pwfile={secret}")).arg(format!("--pgdata={}", self.data()));
        let output = command.output().expect("initdb can be run");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        let sockets = self.dir().display();
        self.configure(&format!(
            "fsync = off\nunix_socket_directories = '{sockets}'\nlisten_addresses = '127.0.0.1'\n"
        ));
    }

    /// Adds lines to `postgresql.conf`; they count from the next start on.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn configure(&self, lines: &str) {
        let mut file = fs::OpenOptions::new().append(true).open(format!("{}/postgresql.conf", self.data()));
        let file = file.as_mut().expect("the configuration is there");
        file.write_all(lines.as_bytes()).expect("the configuration can be written");
    }

    /// Writes a file that the configuration can name, and gives its path.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn file(&self, name: &str, contents: &str) -> String {
        let path = self.dir().join(name);
        fs::write(&path, contents).expect("the file can be written");
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("it is ours");
        self.own(&path);
        path.display().to_string()
    }

    /// The directory of its socket.
    pub fn dir(&self) -> &Path {
        self.directory.path()
    }

    /// Its port on 127.0.0.1, the same after another start.
    pub fn port(&self) -> u16 {
        self.port.address.port()
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Panics
    /// If it does not become ready.
    pub async fn start(&mut self) {
        let mut command = self.run("postgres");
        command.args(["-D", &self.data(), "-p", &self.port().to_string()]);
        let server = Server::start(command);
        server.wait_for_line("ready to accept connections", LIMIT).await.expect("PostgreSQL becomes ready");
        self.server = Some(server);
    }

    /// Ends it at once, as after a crash (SIGQUIT), and waits until all its processes are gone.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn stop(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        if let Some(id) = server.child().id() {
            let status = Command::new("kill").args(["-s", "QUIT", &id.to_string()]).status();
            assert!(status.is_ok_and(|status| status.success()), "the signal is sent");
        }
        let ended = tokio::time::timeout(LIMIT, server.child().wait()).await;
        ended.expect("PostgreSQL ends in time").expect("it can be waited for");
    }

    fn data(&self) -> String {
        self.dir().join("data").display().to_string()
    }

    fn run(&self, name: &str) -> Command {
        let mut command = self.program.beside(name).command();
        command.current_dir(self.dir()).env("TZ", "UTC");
        if self.as_nobody {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    fn own(&self, path: &Path) {
        if self.as_nobody {
            chown(path, Some(NOBODY), Some(NOBODY)).expect("root may give it away");
        }
    }
}

/// The newest one of this machine; Debian keeps its programs off `PATH`.
fn installed() -> Option<Program> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.max_by_key(|entry| entry.file_name().to_string_lossy().parse::<u32>().unwrap_or_default());
    let debian = newest.and_then(|entry| Program::at(entry.path().join("bin/postgres")));
    debian.or_else(|| Program::installed("postgres"))
}
