//! A Redis server.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::port::ReservedPort;
use crate::{Program, Server, wait};

/// How long a start may take.
const START: Duration = Duration::from_secs(30);

/// A real `redis-server` on 127.0.0.1 that keeps all it acknowledges on disk, unless it is told not to.
#[derive(Debug)]
pub struct Redis {
    program: Program,
    directory: TempDir,
    port: ReservedPort,
    server: Option<Server>,
}

impl Redis {
    /// A server that does not run yet; nothing if the program is out of reach. For the folder see [`Program::find`].
    ///
    /// # Panics
    /// If the machine has no room for a temporary directory.
    pub fn find(folder: impl AsRef<Path>) -> Option<Self> {
        let program = Program::find("redis-server", "redis-server", folder)?;
        let directory = TempDir::with_prefix("regent-kit-").expect("there is room for a temporary directory");
        Some(Self { program, directory, port: ReservedPort::new(), server: None })
    }

    /// Its address, `redis://127.0.0.1:PORT`, the same after another start.
    pub fn url(&self) -> String {
        format!("redis://{}", self.port.address)
    }

    /// Starts it and waits until it answers.
    ///
    /// # Panics
    /// If it does not.
    pub async fn start(&mut self) {
        self.start_with(&["--appendonly", "yes", "--appendfsync", "always"]).await;
    }

    /// As [`Redis::start`], with these arguments instead of those that have it keep everything.
    ///
    /// # Panics
    /// If it does not answer.
    pub async fn start_with(&mut self, arguments: &[&str]) {
        let mut command = self.program.command();
        command.args(["--bind", "127.0.0.1", "--port", &self.port.address.port().to_string(), "--save", ""]);
        command.arg("--dir").arg(self.directory.path()).args(arguments);
        self.server = Some(Server::start(command));
        let answers = async || {
            let mut stream = TcpStream::connect(self.port.address).await.ok()?;
            stream.write_all(b"PING\r\n").await.ok()?;
            let mut answer = [0; 7];
            stream.read_exact(&mut answer).await.ok()?;
            (&answer == b"+PONG\r\n").then_some(())
        };
        wait::until(START, "Redis", answers).await.expect("Redis becomes ready");
    }

    /// Has it do something, a command without arguments that is answered `+OK`.
    ///
    /// # Panics
    /// If it does not.
    pub async fn command(&self, command: &str) {
        let mut stream = TcpStream::connect(self.port.address).await.expect("Redis listens");
        stream.write_all(format!("{command}\r\n").as_bytes()).await.expect("it is sent");
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(&answer, b"+OK\r\n");
    }

    /// Has the files that another one has now; neither may run.
    ///
    /// # Panics
    /// If they cannot be copied.
    pub fn copy_files_of(&self, other: &Self) {
        std::fs::remove_dir_all(self.directory.path()).expect("it can be emptied");
        copy(other.directory.path(), self.directory.path());
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    pub async fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().await;
        }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder can be made");
    for entry in std::fs::read_dir(from).expect("the folder is there").flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(path, target).expect("the file can be copied");
        }
    }
}
