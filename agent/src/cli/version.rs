//! `regent version`

use std::process::ExitCode;

/// Print the version of regent.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Check for a newer version. Regent calls nobody, so this only says so.
    #[arg(short, long)]
    check: bool,
}

pub(super) fn main() -> ExitCode {
    let build = crate::build::info();
    println!("Version: {}", build.version);
    println!("Build Commit: {}", build.commit);
    println!("Build Timestamp: {}", build.timestamp);
    println!("Build Hostname: {}", build.hostname);
    println!("Rust Version: {}", env!("CARGO_PKG_RUST_VERSION"));
    println!("Platform: {}/{}", std::env::consts::OS, architecture());
    println!("Rego Version: v1");
    println!("WebAssembly: unavailable");
    ExitCode::SUCCESS
}

/// The machine's name as container images and OPA use it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
