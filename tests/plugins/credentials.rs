//! Credentials for services.

use regent_kit::{Bundle, ControlPlane, wait};

use crate::build::{Libraries, SOON};

const TICKET: &str = "docs/plugins/examples/c-credential/ticket.c";

#[tokio::test]
async fn services_are_asked_with_what_a_credential_in_c_gives() {
    let libraries = Libraries::new();
    libraries.compile(TICKET, &[]);
    let acme = ControlPlane::start().await;
    acme.require_header("authorization", "Ticket second");
    acme.serve_bundle(
        "authz",
        Bundle::new().revision("r1").roots(["app"]).rego("app.rego", "package app\n\nx := 1\n").build(),
    );
    let ticket = libraries.dir().join("ticket");
    let config = format!(
        "services: {{acme: {{url: '{}', credentials: {{acme_ticket: {{}}}}}}}}\nstatus: {{console: true}}\n\
         bundles: {{authz: {{service: acme, resource: bundles/authz, \
         polling: {{min_delay_seconds: 1, max_delay_seconds: 1}}}}}}\n",
        acme.url()
    );
    let agent = libraries.agent().config(&config).env("ACME_TICKET_FILE", &ticket);
    let agent = agent.start().await.expect("the agent starts");
    agent.wait_for_log("acme_ticket: the file of the ticket cannot be read", SOON).await.expect("it says why");
    std::fs::write(&ticket, "first\n").expect("written");
    agent.wait_for_log("401", SOON).await.expect("the service does not take that");
    std::fs::write(&ticket, "second\n").expect("written");
    wait::until(SOON, "the bundle to be active", async || {
        (agent.get("/v1/data/app/x").await.json()["result"] == 1).then_some(())
    })
    .await
    .expect("the bundle becomes active");
}
