//! Compiles libraries, and runs the agent with them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use regent_kit::{Agent, AgentCommand, wait};

/// How long anything may take that should happen soon.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// The workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the agent lies in the workspace").to_owned()
}

/// Where libraries of a test are, for its time.
pub(crate) struct Libraries(tempfile::TempDir);

impl Libraries {
    pub(crate) fn new() -> Self {
        let libraries = Self(tempfile::tempdir().expect("a directory"));
        libraries.take_header("plugins/dynamic/include/regent_plugin.h");
        libraries
    }

    /// Has sources compiled with that header from now on.
    pub(crate) fn take_header(&self, header: &str) {
        let include = self.dir().join("include");
        std::fs::create_dir_all(&include).expect("a directory");
        std::fs::copy(root().join(header), include.join("regent_plugin.h")).expect("a header");
    }

    pub(crate) fn dir(&self) -> &Path {
        self.0.path()
    }

    /// Compiles a source of C or C++, given below the workspace, with macros such as `MAJOR=2`.
    pub(crate) fn compile(&self, source: &str, macros: &[&str]) -> PathBuf {
        let source = root().join(source);
        let (compiler, standard) = if source.extension().is_some_and(|extension| extension == "cc") {
            ("c++", "c++17")
        } else {
            ("cc", "c11")
        };
        let name = source.file_stem().expect("a name").to_str().expect("a plain name");
        let library = self.dir().join(format!("lib{name}.so"));
        let output = Command::new(compiler)
            .args(["-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-pthread", "-D_GNU_SOURCE"])
            .arg(format!("-std={standard}"))
            .arg("-I")
            .arg(self.dir().join("include"))
            .args(macros.iter().map(|text| format!("-D{text}")))
            .arg("-o")
            .arg(&library)
            .arg(&source)
            .output()
            .unwrap_or_else(|error| panic!("a compiler of C, {compiler}: {error}"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        library
    }

    /// Puts the library of a package of the workspace here.
    pub(crate) fn build(&self, package: &str) -> PathBuf {
        let name = format!("lib{}.so", package.replace('-', "_"));
        let library = self.dir().join(&name);
        std::fs::copy(cargo_build(package, &name), &library).expect("copied");
        library
    }

    /// The agent with these libraries.
    pub(crate) fn agent(&self) -> AgentCommand {
        Agent::command(env!("CARGO_BIN_EXE_regent")).arg("--plugin-dir").arg(self.dir())
    }
}

/// Runs the binary to its end.
pub(crate) fn regent(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_regent")).args(arguments).output().expect("the binary runs")
}

/// The answer to a query.
pub(crate) async fn query(agent: &Agent, query: &str) -> serde_json::Value {
    agent.post("/v1/query", serde_json::json!({"query": query})).await.json()
}

/// What `cargo build` makes of a package of the workspace, by its file name.
pub(crate) fn cargo_build(package: &str, file: &str) -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["build", "--quiet", "--locked", "--offline", "--package", package])
        .output()
        .expect("cargo runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the build folder");
    target.join("debug").join(file)
}

/// What status says of a plugin, once it is in that state.
pub(crate) async fn state(agent: &Agent, plugin: &str, expected: &str) -> serde_json::Value {
    wait::until(SOON, "the state of the plugin", async || {
        let status = agent.get("/v1/status").await.json()["result"]["plugins"][plugin].clone();
        (status["state"] == expected).then_some(status)
    })
    .await
    .unwrap_or_else(|error| panic!("{plugin} is {expected}: {error}"))
}
