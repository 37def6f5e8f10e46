//! The example of `docs/data-updates.md`, from end to end, as a reader would type it.

#![expect(clippy::print_stdout, reason = "a test tells so what it could not try")]

use std::path::Path;
use std::process::Command;

use tokio::net::TcpListener;

/// One command of the page, and what it shows.
struct Step {
    command: String,
    shown: String,
}

fn steps(page: &str) -> Vec<Step> {
    let (_, section) = page.split_once("## From end to end").expect("the section");
    let (section, _) = section.split_once("\n## ").expect("the end of the section");
    let blocks =
        section.split("```console\n").skip(1).map(|block| block.split("```").next().expect("the end of a block"));
    let mut steps: Vec<Step> = Vec::new();
    for line in blocks.flat_map(str::lines) {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push(Step { command: command.to_owned(), shown: String::new() }),
            (None, Some(step)) => step.shown = format!("{}{line}\n", step.shown),
            (None, None) => panic!("{line:?} is shown by nobody"),
        }
    }
    steps
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--help").output().is_ok()
}

/// The script that types the steps, and says where each begins.
fn script(steps: &[Step]) -> String {
    let typed = steps.iter().map(|step| {
        // What stays behind has no say on the output.
        let command = match step.command.strip_suffix(" &") {
            Some(command) => format!("{command} >/dev/null 2>&1 &"),
            None => step.command.clone(),
        };
        format!("echo '=== step'\n{command}\n")
    });
    let end = "trap 'kill $(jobs -p); wait' EXIT\ntrap 'exit 1' TERM\nset -e\n";
    format!("{end}{}", typed.collect::<String>())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_page_goes_as_it_is_told() {
    if let Some(missing) =
        ["python3", "ssh-keygen", "curl", "timeout", "bash"].into_iter().find(|program| !is_there(program))
    {
        println!("{missing} is not installed: the example of data updates is not tried");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the agent lies in the workspace");
    let page = std::fs::read_to_string(root.join("docs/data-updates.md")).expect("the page");
    let steps = steps(&page);
    // A copy, with ports of its own.
    let folder = tempfile::tempdir().expect("a folder");
    let example = folder.path().join("config-examples/billing");
    let copied = Command::new("mkdir").arg("-p").arg(&example).status().is_ok_and(|status| status.success())
        && Command::new("cp").arg("-r").arg(root.join("config-examples/billing/.")).arg(&example).status().is_ok();
    assert!(copied);
    let mut script = script(&steps);
    for port in ["7002", "8181", "9000"] {
        let free = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("its address").port();
        let (from, to) = (format!("localhost:{port}"), format!("localhost:{free}"));
        for file in ["hub.yaml", "agent.yaml"] {
            let path = example.join(file);
            let text = std::fs::read_to_string(&path).expect("the file").replace(&from, &to);
            std::fs::write(&path, text).expect("it can be written");
        }
        script = script.replace(&from, &to).replace(&format!("http.server {port}"), &format!("http.server {free}"));
        if port == "8181" {
            script = script.replace("regent run --server", &format!("regent run --server --addr {to}"));
        }
    }
    let programs = Path::new(env!("CARGO_BIN_EXE_regent")).parent().expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    // Ends what does not end by itself, and lets it say how far it came.
    let mut command = tokio::process::Command::new("timeout");
    command.args(["60", "bash", "-c"]).arg(&script).current_dir(folder.path());
    command.env("PATH", format!("{}:{path}", programs.display()));
    let output = command.output().await.expect("bash can be run");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    for (step, shown) in steps.iter().zip(told.split("=== step\n").skip(1).chain(std::iter::repeat(""))) {
        assert_eq!(shown.trim_end(), step.shown.trim_end(), "{}\n{errors}", step.command);
    }
    assert!(output.status.success(), "{errors}");
}
