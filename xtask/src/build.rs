//! Builds everything in a folder of its own, and prints how long that took and how large the agent is.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Instant, SystemTime};

use anyhow::ensure;

pub(crate) fn print(root: &Path) -> anyhow::Result<()> {
    let target = tempfile::tempdir()?;
    let timed = |what: &str, arguments: &[&str]| -> anyhow::Result<()> {
        let start = Instant::now();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(arguments).args(["--quiet", "--locked"]).current_dir(root).env("CARGO_TARGET_DIR", target.path());
        ensure!(cargo.status()?.success(), "cargo {}", arguments.join(" "));
        println!("{what}: {} s", start.elapsed().as_secs());
        Ok(())
    };
    let tests = ["test", "--workspace", "--no-run"];
    timed("everything with its tests, from nothing", &tests)?;
    File::options().append(true).open(root.join("core/src/lib.rs"))?.set_modified(SystemTime::now())?;
    timed("the same after a change of core", &tests)?;
    timed("the agent, released", &["build", "--release", "--package", "regent"])?;
    let size = fs::metadata(target.path().join("release/regent"))?.len();
    println!("the agent's binary: {} kB", size / 1000);
    Ok(())
}
