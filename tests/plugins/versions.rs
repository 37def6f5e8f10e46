//! Libraries that were compiled against the header of an earlier version of the ABI.

use regent_kit::ControlPlane;

use crate::build::{Libraries, SOON, query, regent, root};

#[tokio::test]
async fn libraries_of_every_earlier_version_are_loaded() {
    let mut tried = 0;
    for entry in std::fs::read_dir(root().join("plugins/dynamic/include/earlier")).expect("the folder") {
        let name = entry.expect("an entry").file_name().into_string().expect("a plain name");
        let version = name.trim_start_matches("regent_plugin-").trim_end_matches(".h").to_owned();
        let libraries = Libraries::new();
        libraries.take_header(&format!("plugins/dynamic/include/earlier/{name}"));
        let library = libraries.compile("docs/plugins/examples/c-builtin/domain.c", &[]);
        libraries.compile("docs/plugins/examples/c-credential/ticket.c", &[]);
        libraries.compile("docs/plugins/examples/c-sink/line_file.c", &[]);
        let inspected = regent(&["plugin", "inspect", library.to_str().expect("a plain path")]);
        let shown = String::from_utf8(inspected.stdout).expect("text");
        assert!(shown.contains(&format!("abi      {version}\n")), "{shown}");

        let acme = ControlPlane::start().await;
        acme.require_header("authorization", "Ticket t");
        let config = format!(
            "services: {{acme: {{url: '{}', credentials: {{acme_ticket: {{}}}}}}}}\nstatus: {{service: acme}}\n\
             decision_logs: {{plugin: line_file}}\nplugins: {{line_file: {{path: decisions.jsonl}}}}\n",
            acme.url()
        );
        let command = libraries.agent().config(&config).file("ticket", "t").env("ACME_TICKET_FILE", "ticket");
        let agent = command.start().await.expect("the agent starts");
        assert_eq!(query(&agent, "x := acme.domain(\"a@b\")").await["result"][0]["x"], "b");
        let reported = async || (!acme.statuses().is_empty()).then_some(());
        regent_kit::wait::until(SOON, "a status report", reported).await.expect("the service is reached");
        let logged = async || std::fs::read(agent.dir().join("decisions.jsonl")).ok().filter(|text| !text.is_empty());
        regent_kit::wait::until(SOON, "an event", logged).await.expect("the event arrives");
        tried += 1;
    }
    assert!(tried > 0);
}
