//! Policy that a hub has: of a repository, and of a bundle.

use std::path::Path;
use std::process::Command;

use http::Method;
use regent_kit::{Bundle, ControlPlane, Program, wait};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::LIMIT;
use crate::peer::Peer;
use crate::running::Running;

/// A repository with some policy; nothing without `git`.
struct Repository(TempDir);

impl Repository {
    fn new() -> Option<Self> {
        if Program::installed("git").is_none() {
            println!("there is no git: it is not tried");
            return None;
        }
        let repository = Self(TempDir::new().expect("a folder"));
        repository.git(&["init", "-q", "-b", "master"]);
        repository.commit(&[
            (".manifest", "utils.rego\nrbac.rego\n"),
            ("rbac.rego", "package app.rbac\n"),
            ("utils.rego", "package utils\n"),
            ("billing/billing.rego", "package billing\n"),
            ("billing/data.json", "{\"plans\": {}}"),
        ]);
        Some(repository)
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.0.path()).args(["-c", "user.name=t", "-c", "user.email=t@t"]).args(arguments);
        let output = command.output().expect("git can be run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("a text").trim().to_owned()
    }

    /// Writes files, removes those that are to be empty, and gives the commit.
    fn commit(&self, files: &[(&str, &str)]) -> String {
        for (path, text) in files {
            let path: &Path = &self.0.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            if text.is_empty() {
                std::fs::remove_file(path).expect("it was there");
            } else {
                std::fs::write(path, text).expect("it can be written");
            }
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "change"]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn section(&self, more: &str) -> String {
        format!("{{policy: {{repository: '{}'{more}}}}}", self.0.path().display())
    }
}

async fn policy(hub: &Running, query: &str) -> Json {
    let ready = async || {
        let answer = hub.get(&format!("/policy{query}")).await;
        (answer.status == 200).then(|| answer.json())
    };
    wait::until(LIMIT, "policy", ready).await.expect("the hub has it")
}

fn modules(bundle: &Json) -> String {
    let modules = bundle["policy_modules"].as_array().expect("modules").iter();
    modules.map(|module| module["path"].as_str().expect("a path")).collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn policy_of_a_repository_is_had_whole_or_as_a_difference_and_news_is_told() {
    let Some(repository) = Repository::new() else { return };
    let first = repository.git(&["rev-parse", "HEAD"]);
    let hub = Running::start(&repository.section(", polling_seconds: 0.2")).await;
    let whole = policy(&hub, "").await;
    assert_eq!((&whole["hash"], &whole["old_hash"]), (&json!(first), &Json::Null));
    assert_eq!(modules(&whole), "rbac.rego utils.rego billing/billing.rego");
    assert_eq!(whole["manifest"], json!(["utils.rego", "rbac.rego", "billing/billing.rego", "billing/data.json"]));
    assert_eq!(modules(&policy(&hub, "?path=/billing").await), "billing/billing.rego");
    assert_eq!(modules(&policy(&hub, "?path=rbac.rego").await), "", "only directories can be asked for");
    let unknown = hub.get("/policy?path=../x").await;
    assert_eq!(unknown.status, 404);
    assert_eq!(unknown.json()["detail"], "requested path ../x was not found in the policy repo!");
    assert_eq!(hub.get("/policy?base_hash=zzz").await.status, 400);

    let mut peer = Peer::connect(&hub).await;
    peer.subscribe(&["policy:billing"]).await;
    let second =
        repository.commit(&[("billing/billing.rego", ""), ("billing/rules/new.rego", "package billing.rules\n")]);
    let (topic, news) = peer.notice().await;
    assert_eq!(topic, "policy:billing");
    let directories = json!([".", "billing", "billing/rules"]);
    let expected = json!({"old_policy_hash": first, "new_policy_hash": second, "changed_directories": directories});
    assert_eq!(news, expected);
    for base in [&first[..], &first[..8]] {
        let difference = policy(&hub, &format!("?path=.&base_hash={base}")).await;
        assert_eq!(modules(&difference), "billing/rules/new.rego");
        assert_eq!((&difference["hash"], &difference["old_hash"]), (&json!(second), &json!(first)));
        let deleted = json!({"data_modules": [], "policy_modules": ["billing/billing.rego"]});
        assert_eq!(difference["deleted_files"], deleted);
    }
    let unknown = policy(&hub, &format!("?base_hash={}", "0".repeat(40))).await;
    assert_eq!(
        (modules(&unknown).as_str(), &unknown["old_hash"]),
        ("rbac.rego utils.rego billing/rules/new.rego", &Json::Null)
    );
    // What agents do not load is no news.
    repository.commit(&[("README.md", "# Policy\n")]);
    let third = repository.commit(&[("billing/data.json", "{}")]);
    assert_eq!(peer.notice().await.1["new_policy_hash"], third);

    // A hub that starts later knows what was there before it.
    let another = Running::start(&repository.section("")).await;
    policy(&another, "").await;
    let difference = policy(&another, &format!("?base_hash={first}")).await;
    assert_eq!(modules(&difference), "billing/rules/new.rego");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_webhook_has_the_hub_look() {
    let Some(repository) = Repository::new() else { return };
    let hub =
        Running::start(&repository.section(", webhook: {secret: s, secret_type: token, secret_header: x-token}")).await;
    policy(&hub, "").await;
    let mut peer = Peer::connect(&hub).await;
    peer.subscribe(&["policy:."]).await;
    let commit = repository.commit(&[("rbac.rego", "package app.rbac2\n")]);
    let call = async |token: Option<&str>, event: &str, url: &str| {
        let body = json!({"repository": {"clone_url": url}});
        let mut headers = vec![("x-github-event", event)];
        headers.extend(token.map(|token| ("x-token", token)));
        let answer = hub.ask(Method::POST, "/webhook", &headers, &body.to_string()).await;
        (answer.status.as_u16(), answer.json())
    };
    let ours = repository.0.path().display().to_string();
    assert_eq!(call(None, "push", &ours).await, (401, json!({"detail": "No secret was provided!"})));
    assert_eq!(call(Some("x"), "push", &ours).await, (401, json!({"detail": "secret-tokens didn't match!"})));
    let ignored = json!({"status": "ignored", "event": "push"});
    assert_eq!(call(Some("s"), "push", "git://example.com/other.git").await, (200, ignored));
    let empty = hub.ask(Method::POST, "/webhook", &[("x-token", "s")], "{}").await;
    assert_eq!(empty.status, 400);
    peer.hears_nothing().await;
    let taken = json!({"status": "ok", "event": "push", "repo_url": ours});
    assert_eq!(call(Some("s"), "push", &ours).await, (200, taken));
    assert_eq!(peer.notice().await.1["new_policy_hash"], commit);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_is_away_is_not_ready_and_what_was_there_stays() {
    let Some(repository) = Repository::new() else { return };
    let none = Running::start("{}").await;
    let answer = none.get("/policy").await;
    assert_eq!((answer.status.as_u16(), answer.json()), (503, json!({"detail": "policy repo was not found"})));
    let nowhere = Running::start("{policy: {repository: /nonexistent/repository}}").await;
    let answer = nowhere.get("/policy").await;
    assert_eq!((answer.status.as_u16(), answer.json()), (503, json!({"detail": "policy repo is not ready"})));
    let hub = Running::start(&repository.section(", polling_seconds: 0.1")).await;
    let whole = policy(&hub, "").await;
    std::fs::rename(repository.0.path().join(".git"), repository.0.path().join("away")).expect("it can be moved");
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(policy(&hub, "").await, whole);
    std::fs::rename(repository.0.path().join("away"), repository.0.path().join(".git")).expect("it can be moved");
    let commit = repository.commit(&[("rbac.rego", "package app.rbac2\n")]);
    let is_new = async || (policy(&hub, "").await["hash"] == commit).then_some(());
    wait::until(LIMIT, "the new commit", is_new).await.expect("it is found");
}

#[tokio::test(flavor = "multi_thread")]
async fn policy_of_a_bundle_is_had_alike() {
    let server = ControlPlane::start().await;
    let serve = |module: &str| {
        let bundle = Bundle::new().file("app/app.rego", module).file("app/data.json", "{\"n\": 1}");
        server.serve_bundle("bundle.tar.gz", bundle.build());
    };
    serve("package app\n");
    let hub = Running::start(&format!(
        "{{policy: {{bundle_url: '{}/bundles/bundle.tar.gz', polling_seconds: 0.1}}}}",
        server.url()
    ))
    .await;
    let whole = policy(&hub, "").await;
    assert_eq!(modules(&whole), "app/app.rego");
    assert_eq!(whole["data_modules"], json!([{"path": "app", "data": "{\"n\": 1}"}]));
    assert_eq!(whole["hash"].as_str().map(str::len), Some(40));
    let mut peer = Peer::connect(&hub).await;
    peer.subscribe(&["policy:app"]).await;
    serve("package app\n\nx := 1\n");
    let (_, news) = peer.notice().await;
    assert_eq!(news["old_policy_hash"], whole["hash"]);
    let difference = policy(&hub, &format!("?base_hash={}", whole["hash"].as_str().expect("a hash"))).await;
    assert_eq!((modules(&difference).as_str(), &difference["data_modules"]), ("app/app.rego", &json!([])));
}
