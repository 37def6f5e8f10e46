//! The plugin against a real service: what comes in, what is kept when it does not, and what status says of it.

mod activating;
mod agent;
mod arriving;
mod config;
mod failing;
mod held;
mod registry;
mod several;
mod signed;
mod triggered;

use agent::{Agent, manual};
use regent_kit::{Bundle, ControlPlane};

const AUTHZ: &str = "/bundles/authz";

fn authz(revision: &str, value: &str) -> Bundle {
    Bundle::new().rego("u.rego", &format!("package authz\n\nanswer := {value}\n")).roots(["authz"]).revision(revision)
}

/// A service that has a good bundle, and an agent on which it is active.
async fn active() -> (ControlPlane, Agent) {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", authz("v1", "1").build());
    let agent = Agent::start(&manual(&acme, &["authz"])).await;
    agent.trigger().await.expect("v1 arrives");
    (acme, agent)
}
