//! The agent with plugins of libraries under valgrind: no leak, and nothing read or written that should not be.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use regent_kit::{Agent, Program, wait};
use serde_json::json;

use crate::build::{Libraries, SOON};

/// A stock agent without an allocator of its own, which valgrind could not see through.
fn plain_agent() -> std::path::PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the build folder");
    target.join("debug/examples/key_keeper")
}

#[tokio::test]
async fn nothing_leaks_and_nothing_else_is_touched() {
    let Some(valgrind) = Program::installed("valgrind") else {
        println!("valgrind is not installed: leaks are not looked for");
        return;
    };
    let libraries = Libraries::new();
    libraries.compile("docs/plugins/examples/c-builtin/domain.c", &[]);
    libraries.compile("docs/plugins/examples/c-sink/line_file.c", &[]);
    libraries.compile("docs/plugins/examples/c-credential/ticket.c", &[]);
    let maintenance = libraries.build("acme-maintenance");
    libraries.build("acme-redis-fetcher");
    let (log, wrapper) = (libraries.dir().join("valgrind.log"), libraries.dir().join("agent"));
    let kinds = "--leak-check=full --errors-for-leak-kinds=definite,indirect --show-leak-kinds=definite,indirect";
    let script = format!(
        "#!/bin/sh\nexec {} {kinds} --error-exitcode=9 --log-file={} {} \"$@\"\n",
        valgrind.path().display(),
        log.display(),
        plain_agent().display()
    );
    std::fs::write(&wrapper, script).expect("written");
    std::fs::set_permissions(&wrapper, std::fs::Permissions::from_mode(0o755)).expect("a mode");

    let config = |file: &str, interval: u64| {
        format!(
            "plugin_libraries: [{{path: {}, write_paths: [acme]}}]\ndecision_logs: {{plugin: line_file}}\n\
             services: {{acme: {{url: 'http://127.0.0.1:9', credentials: {{acme_ticket: {{}}}}}}}}\n\
             data_updates: {{server_url: 'http://127.0.0.1:9', topics: [x], fetchers: {{redis: {{}}}}}}\n\
             plugins: {{line_file: {{path: {file}}}, maintenance: {{file: now, interval_seconds: {interval}}}}}\n",
            maintenance.display()
        )
    };
    let command = Agent::command(&wrapper).config(&config("first.jsonl", 1)).arg("--plugin-dir").arg(libraries.dir());
    let mut agent = command.start().await.expect("the agent starts");
    let written = async |file: &str| {
        let policy = "package p\n\nx := acme.domain(input)\n";
        assert_eq!(agent.put("/v1/policies/p", policy).await.status, 200);
        for operand in [json!("a@b"), json!("none"), json!(5)] {
            agent.post("/v1/data/p/x", json!({"input": operand})).await;
        }
        let arrived = async || {
            let text = std::fs::read_to_string(agent.dir().join(file)).unwrap_or_default();
            (text.lines().count() >= 3).then_some(())
        };
        wait::until(SOON, "the events", arrived).await.expect("they arrive");
    };
    written("first.jsonl").await;
    std::fs::write(agent.dir().join("config.yaml"), config("second.jsonl", 2)).expect("written");
    agent.signal("HUP").expect("a signal");
    wait::until(SOON, "the other sink", async || {
        agent.post("/v1/data/x", json!({})).await;
        agent.dir().join("second.jsonl").exists().then_some(())
    })
    .await
    .expect("it takes events");
    written("second.jsonl").await;
    agent.terminate().expect("a signal");
    let status = agent.wait(SOON).await.expect("it ends");
    let found = std::fs::read_to_string(log).expect("what valgrind says");
    assert_eq!(status.code(), Some(0), "{found}\n{}", agent.stderr());
    assert!(found.contains("ERROR SUMMARY: 0 errors"), "{found}");
}
