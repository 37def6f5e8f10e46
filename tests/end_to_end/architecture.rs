//! The tree is the architecture: dependencies between our crates point one way.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Our crates with what they may depend on beside `regent-core`. The kits and the conformance cases may be
/// anyone's dev-dependency.
const ALLOWED: &[(&str, &[&str])] = &[
    ("xtask", &[]),
    ("regent-core", &[]),
    ("regent-kit", &[]),
    ("regent-conformance", &[]),
    ("regent-agent-kit", &["regent-engine-rego", "regent-kit"]),
    ("regent-services", &["regent-signing"]),
    ("regent-bundle", &["regent-signing"]),
    ("regent-discovery", &["regent-bundle"]),
    ("regent-data-updates", &["regent-services"]),
    ("regent-update-hub", &["regent-data-updates", "regent-services", "regent-signing"]),
    ("regent-decision-logs", &[]),
    ("regent-status", &[]),
    ("regent-rest-api", &[]),
    ("regent-builtins", &["regent-signing"]),
    ("regent-engine-rego", &["regent-builtins"]),
    ("regent-signing", &[]),
    ("regent-engine-regorus", &[]),
    ("regent-file-sink", &[]),
    ("regent-object-store-sink", &["regent-services"]),
    ("regent-http-send", &["regent-services"]),
    ("regent-distributed-tracing", &["regent-services"]),
    ("regent-kafka-sink", &[]),
    ("regent-nats-sink", &["regent-services"]),
    ("regent-postgres-sink", &["regent-services"]),
    ("regent-plugin-abi", &[]),
    ("regent-plugin", &["regent-plugin-abi"]),
    ("regent-dynamic", &["regent-plugin-abi"]),
    ("misbehaving-library", &["regent-plugin"]),
    (
        "regent",
        &[
            "regent-bundle",
            "regent-data-updates",
            "regent-decision-logs",
            "regent-discovery",
            "regent-distributed-tracing",
            "regent-dynamic",
            "regent-engine-rego",
            "regent-engine-regorus",
            "regent-file-sink",
            "regent-http-send",
            "regent-kafka-sink",
            "regent-nats-sink",
            "regent-object-store-sink",
            "regent-postgres-sink",
            "regent-rest-api",
            "regent-services",
            "regent-signing",
            "regent-status",
            "regent-update-hub",
        ],
    ),
];

#[test]
fn dependencies_point_from_agent_to_plugins_to_core() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path"])
        .arg(manifest)
        .output()
        .expect("cargo runs");
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).expect("JSON");
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    for package in metadata["packages"].as_array().expect("packages") {
        let name = package["name"].as_str().expect("a name");
        // Examples of the manual are programs and libraries of its readers.
        if package["manifest_path"].as_str().is_some_and(|path| path.contains("/docs/plugins/examples/")) {
            continue;
        }
        let may = allowed.get(name).unwrap_or_else(|| panic!("{name} is not listed in {}", file!()));
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let on = dependency["name"].as_str().expect("a name");
            // Tests may use what they like.
            if dependency["kind"] == "dev" || !on.starts_with("regent") {
                continue;
            }
            let stands_alone =
                ["misbehaving-library", "regent-kit", "regent-plugin", "regent-plugin-abi"].contains(&name);
            let core = on == "regent-core" && !stands_alone;
            assert!(core || may.contains(&on), "{name} must not depend on {on}");
        }
    }
}
