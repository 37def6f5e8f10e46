//! Prints what the agent is made of: arrows between our crates, and crates of others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::Value;

pub(crate) fn print(root: &Path) -> anyhow::Result<()> {
    let metadata = metadata(root)?;
    println!("arrows between crates, but for those to core and those of tests:");
    for package in array(&metadata["packages"]) {
        let to: BTreeSet<&str> = array(&package["dependencies"])
            .filter(|dependency| dependency["kind"] != "dev" && dependency["path"].is_string())
            .filter_map(|dependency| dependency["name"].as_str())
            .filter(|name| *name != "regent-core")
            .collect();
        if !to.is_empty() && package["name"] != "regent" {
            println!("- {} -> {}", package["name"].as_str().unwrap_or_default(), Vec::from_iter(to).join(", "));
        }
    }
    for (what, options) in [
        ("in the agent", &["--edges", "normal", "--package", "regent"][..]),
        ("to build the agent", &["--edges", "normal,build", "--package", "regent"]),
        ("to build everything with its tests", &["--workspace"]),
    ] {
        let crates = tree(root, options)?;
        let mut versions: BTreeMap<&str, usize> = BTreeMap::new();
        for (name, _) in &crates {
            *versions.entry(name).or_default() += 1;
        }
        let several: Vec<&str> = versions.iter().filter(|(_, count)| **count > 1).map(|(name, _)| *name).collect();
        println!("\ncrates {what}: {}, at several versions: {}", crates.len(), several.join(", "));
    }
    println!();
    Ok(())
}

fn metadata(root: &Path) -> anyhow::Result<Value> {
    let out = cargo(root, &["metadata", "--no-deps", "--offline", "--format-version", "1"])?;
    serde_json::from_str(&out).context("cargo metadata prints JSON")
}

/// Names and versions of the crates that cargo prints.
fn tree(root: &Path, options: &[&str]) -> anyhow::Result<BTreeSet<(String, String)>> {
    let mut arguments = vec!["tree", "--offline", "--prefix", "none", "--format", "{p}"];
    arguments.extend(options);
    let out = cargo(root, &arguments)?;
    let mut crates = BTreeSet::new();
    for line in out.lines() {
        let mut words = line.split(' ');
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            crates.insert((name.to_owned(), version.to_owned()));
        }
    }
    Ok(crates)
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn cargo(root: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let out = Command::new(env!("CARGO")).args(arguments).current_dir(root).output()?;
    ensure!(out.status.success(), "cargo {}: {}", arguments.join(" "), String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).context("cargo prints UTF-8")
}
