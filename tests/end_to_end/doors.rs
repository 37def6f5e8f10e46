//! The flags about who may come in.

use std::process::Output;

use regent_kit::{Certificates, Client};

use crate::support::{SOON, regent};

const POLICY: &str = "package system.authz\n\ndefault allow := false\n\nallow if input.identity == \"secret\"\n\n\
                      allow if input.path == [\"health\"]\n\n\
                      allow if input.client_certificates[0].Subject.CommonName == \"client\"\n";

async fn refused(arguments: &[&str]) -> String {
    let command = regent().args(arguments);
    let Output { status, stderr, .. } = command.run_to_end(SOON).await.expect("the agent ends by itself");
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    assert_eq!(status.code(), Some(1), "{stderr}");
    stderr
}

#[tokio::test]
async fn a_token_opens_what_the_policy_grants() {
    let agent = regent().file("authz.rego", POLICY).arg("authz.rego");
    let agent = agent.args(["--authentication=token", "--authorization=basic", "--skip-known-schema-check"]);
    let agent = agent.start().await.expect("the agent starts");
    assert_eq!(agent.get("/health").await.status, 200);
    assert_eq!(agent.get("/v1/data").await.status, 401);
    let request = http::Request::get("/v1/data").header("authorization", "Bearer secret").body("".into());
    assert_eq!(agent.send(request.expect("a request")).await.expect("an answer").status, 200);
    assert!(!agent.stderr().contains("secret"), "{}", agent.stderr());
}

#[tokio::test]
async fn a_certificate_opens_what_the_policy_grants() {
    let made = Certificates::generate();
    let client = Client::with_certificate(&made.ca, &made.client_cert, &made.client_key);
    let agent = regent().via(client).file("authz.rego", POLICY).arg("authz.rego");
    let agent = agent.file("ca.pem", &made.ca).file("cert.pem", &made.server_cert).file("key.pem", &made.server_key);
    let agent = agent.args(["--tls-cert-file=cert.pem", "--tls-private-key-file=key.pem", "--tls-ca-cert-file=ca.pem"]);
    let agent = agent.args(["--authentication=tls", "--authorization=basic", "--min-tls-version=1.3"]);
    let agent = agent.args(["--tls-cert-refresh-period=1m30s"]).start().await.expect("the agent starts");
    assert_eq!(agent.get("/v1/data").await.status, 200);
    Client::trusting(&made.ca).get(&agent.url("/health")).await.expect_err("no certificate");
    assert!(!agent.stderr().contains("PRIVATE KEY"), "{}", agent.stderr());
}

#[tokio::test]
async fn flags_that_do_not_go_together_are_refused() {
    let together = "error: --tls-cert-file and --tls-private-key-file must be specified together\n";
    assert_eq!(refused(&["--log-level=error", "--tls-cert-file", "cert.pem"]).await, together);
    assert_eq!(
        refused(&["--log-level=error", "--tls-private-key-file", "key.pem", "--tls-cert-file="]).await,
        together
    );
    let both = ["--log-level=error", "--tls-cert-file=none.pem", "--tls-private-key-file=key.pem"];
    assert_eq!(refused(&both).await, "error: open none.pem: no such file or directory\n");
    let suites = [&both[..], &["--tls-cipher-suites=foo,bar"]].concat();
    assert_eq!(refused(&suites).await, "error: invalid cipher suite foo\n");
    let error = refused(&["--log-level=error", "--addr=https://127.0.0.1:0"]).await;
    assert!(error.contains("TLS certificate required but not supplied"), "{error}");
    for wrong in ["--authentication=x", "--authorization=token", "--min-tls-version=2", "--tls-cert-refresh-period=5"] {
        let error = refused(&[wrong]).await;
        assert!(error.contains(wrong.split_once('=').expect("a flag").0), "{error}");
    }
}

#[tokio::test]
async fn a_broken_new_certificate_leaves_the_old_one_and_is_logged() {
    let made = Certificates::generate();
    let agent = regent().via(Client::trusting(&made.ca));
    let agent = agent.file("cert.pem", &made.server_cert).file("key.pem", &made.server_key);
    let agent = agent.args(["--tls-cert-file=cert.pem", "--tls-private-key-file=key.pem", "--log-level=debug"]);
    let agent = agent.start().await.expect("the agent starts");
    let write = |name: &str, content: &str| std::fs::write(agent.dir().join(name), content).expect("written");
    write("cert.pem", "nonsense");
    let line = agent.wait_for_log("Failed to reload TLS config after retrying: ", SOON).await.expect("it is said");
    assert!(line.contains("\"level\":\"error\"") && line.contains("cert.pem"), "{line}");
    assert_eq!(agent.get("/health").await.status, 200, "the old one is still shown");
    let other = Certificates::generate();
    write("key.pem", &other.server_key);
    write("cert.pem", &other.server_cert);
    agent.wait_for_log("Refreshed server certificate.", SOON).await.expect("and the next good one is taken");
    let client = Client::trusting(&other.ca);
    assert_eq!(client.get(&agent.url("/health")).await.expect("the new one is shown").status, 200);
    assert!(!agent.stderr().contains("PRIVATE KEY"), "{}", agent.stderr());
}

#[tokio::test]
async fn an_engine_that_cannot_read_certificates_shows_none_and_says_so() {
    let made = Certificates::generate();
    let policy =
        format!("{POLICY}\nallow if {{\n\tinput.identity == \"CN=client\"\n\tinput.path[0] == \"metrics\"\n}}\n");
    let client = Client::with_certificate(&made.ca, &made.client_cert, &made.client_key);
    let agent = regent().via(client).args(["--set", "engine=regorus"]).file("authz.rego", policy).arg("authz.rego");
    let agent = agent.file("ca.pem", &made.ca).file("cert.pem", &made.server_cert).file("key.pem", &made.server_key);
    let agent = agent.args(["--tls-cert-file=cert.pem", "--tls-private-key-file=key.pem", "--tls-ca-cert-file=ca.pem"]);
    let agent = agent.args(["--authentication=tls", "--authorization=basic"]).start().await.expect("the agent starts");
    assert_eq!(agent.get("/v1/data").await.status, 401, "the policy relies on what it does not see");
    assert_eq!(agent.get("/metrics").await.status, 200, "the name is seen");
    let line = agent.wait_for_log("will not see client_certificates", SOON).await.expect("it is said");
    assert!(line.contains("\"level\":\"warn"), "{line}");
    assert_eq!(agent.stderr().matches("client_certificates").count(), 1, "once");
}
