//! A NATS server with JetStream.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::port::ReservedPort;
use crate::{Program, Server};

/// How long a start may take.
const START: Duration = Duration::from_secs(30);

/// A real `nats-server` on 127.0.0.1 that keeps streams on disk: whatever it acknowledged is there after another start.
#[derive(Debug)]
pub struct Nats {
    program: Program,
    directory: TempDir,
    port: ReservedPort,
    config: String,
    server: Option<Server>,
}

impl Nats {
    /// A server that does not run yet; nothing if the program is out of reach. For the folder see [`Program::find`].
    ///
    /// # Panics
    /// If the machine has no room for a temporary directory.
    pub fn find(folder: impl AsRef<Path>) -> Option<Self> {
        let program = Program::find("nats-server", "nats-server", folder)?;
        let directory = TempDir::with_prefix("regent-kit-").expect("there is room for a temporary directory");
        Some(Self { program, directory, port: ReservedPort::new(), config: String::new(), server: None })
    }

    /// Replaces what its configuration says beside the address and JetStream; counts from the next start on.
    pub fn configure(&mut self, text: &str) {
        text.clone_into(&mut self.config);
    }

    /// Writes a file that the configuration can name, and gives its path.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn file(&self, name: &str, contents: &str) -> String {
        let path = self.directory.path().join(name);
        fs::write(&path, contents).expect("the file can be written");
        path.display().to_string()
    }

    /// Its address, `nats://127.0.0.1:PORT`, the same after another start.
    pub fn url(&self) -> String {
        format!("nats://{}", self.port.address)
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Panics
    /// If it does not become ready.
    pub async fn start(&mut self) {
        let (address, store) = (self.port.address, self.directory.path().join("store"));
        let jetstream = format!("jetstream {{store_dir: \"{}\"}}", store.display());
        let text = format!("listen: \"{address}\"\n{jetstream}\n{}\n", self.config);
        let config = self.file("nats.conf", &text);
        let mut command = self.program.command();
        command.args(["--config", &config]);
        let server = Server::start(command);
        server.wait_for_line("Server is ready", START).await.expect("NATS becomes ready");
        self.server = Some(server);
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    pub async fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().await;
        }
    }
}
