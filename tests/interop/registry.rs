//! Bundles in the registry that all others are measured by, from its package in Debian.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD as STANDARD, BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::Request;
use rcgen::{CertificateParams, KeyPair, SigningKey as _};
use regent_kit::{Agent, Client, Program, Registry, Server};
use serde_json::{Value, json};

use crate::{SOON, bundle, has, regent};

/// `user` with the password `s3cret`.
const PASSWORDS: &str = "user:$2y$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK\n";
const BASIC: &str = "Basic dXNlcjpzM2NyZXQ=";

/// The registry.
struct Real {
    _server: Server,
    url: String,
    /// By which whoever pushes is let in.
    authorization: String,
    _directory: tempfile::TempDir,
}

/// The program; nothing if it is out of reach.
fn program() -> Option<Program> {
    Program::find("docker-registry", "docker-registry", env!("CARGO_TARGET_TMPDIR"))
}

impl Real {
    /// A registry whose password file or authority has this text; `FILE` in `auth` is where it is.
    async fn start(program: &Program, auth: &str, file: &str, authorization: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let (known, config) = (directory.path().join("known"), directory.path().join("config.yml"));
        std::fs::write(&known, file).expect("the file is written");
        let text = format!(
            "version: 0.1\nlog: {{level: info, formatter: json}}\nhttp: {{addr: '127.0.0.1:0'}}\n\
             storage: {{filesystem: {{rootdirectory: '{}'}}}}\nauth: {}\n",
            directory.path().join("data").display(),
            auth.replace("FILE", &known.display().to_string())
        );
        std::fs::write(&config, text).expect("the file is written");
        let mut command = program.command();
        command.arg("serve").arg(config);
        let server = Server::start(command);
        let line = server.wait_for_line("listening on ", SOON).await.expect("it says where it listens");
        let place = line.split_once("listening on ").and_then(|(_, rest)| rest.split('"').next());
        let url = format!("http://{}", place.expect("it names the place"));
        Self { _server: server, url, authorization: authorization.to_owned(), _directory: directory }
    }

    async fn push(&self, tag: &str, bundle: Vec<u8>) {
        let (layer, size) = (Registry::digest_of(&bundle), bundle.len());
        self.upload(&layer, bundle.into()).await;
        let config = Bytes::from_static(Registry::EMPTY_CONFIG.as_bytes());
        self.upload(&Registry::digest_of(&config), config).await;
        let manifest = Registry::manifest_of(&layer, size).to_string();
        self.send("PUT", &format!("{}/v2/org/authz/manifests/{tag}", self.url), Registry::MANIFEST, manifest.into())
            .await;
    }

    async fn upload(&self, digest: &str, content: Bytes) {
        let start = format!("{}/v2/org/authz/blobs/uploads/", self.url);
        let place = self.send("POST", &start, "text/plain", Bytes::new()).await;
        let separator = if place.contains('?') { '&' } else { '?' };
        let place = format!("{place}{separator}digest={digest}");
        self.send("PUT", &place, "application/octet-stream", content).await;
    }

    /// Where the answer says that it goes on.
    async fn send(&self, method: &str, url: &str, kind: &str, body: Bytes) -> String {
        let request = Request::builder().method(method).uri(url).header("authorization", &self.authorization);
        let request = request.header("content-type", kind).body(body).expect("a request");
        let answer = Client::plain().send(request).await.expect("an answer");
        assert!(answer.status.is_success(), "{method} {url}: {} {}", answer.status, answer.text());
        answer.header("location").unwrap_or_default().to_owned()
    }
}

async fn agent(real: &Real, password: &str) -> Agent {
    let credentials = format!("{{bearer: {{scheme: Basic, token: 'user:{password}'}}}}");
    let polling = "{min_delay_seconds: 1, max_delay_seconds: 1}";
    let config = format!(
        "services: {{hub: {{url: '{}', type: oci, credentials: {credentials}}}}}\n\
         bundles: {{authz: {{service: hub, resource: 'hub.example/org/authz:stable', polling: {polling}}}}}\n",
        real.url
    );
    regent().config(&config).start().await.expect("the agent starts")
}

/// A token of the issuer `hub` that lets in whoever has it, and the certificate by which it is known.
fn token() -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["hub".to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("a certificate");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970").as_secs();
    let header = json!({"typ": "JWT", "alg": "ES256", "x5c": [STANDARD.encode(certificate.der())]});
    let access = json!([{"type": "repository", "name": "org/authz", "actions": ["pull", "push"]}]);
    let claims = json!({
        "iss": "hub", "sub": "user", "aud": "registry", "nbf": now - 60, "exp": now + 3600, "access": access
    });
    let spell = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", spell(&header), spell(&claims));
    let der = key.sign(message.as_bytes()).expect("a signature");
    (format!("{message}.{}", URL_SAFE_NO_PAD.encode(numbers(&der))), certificate.pem())
}

/// The two numbers of a signature, 32 bytes each, out of their DER.
fn numbers(der: &[u8]) -> Vec<u8> {
    let (mut rest, mut out) = (&der[2..], Vec::new());
    for _ in 0..2 {
        let (number, more) = rest[2..].split_at(usize::from(rest[1]));
        let number = &number[number.len().saturating_sub(32)..];
        out.resize(out.len() + 32 - number.len(), 0);
        out.extend_from_slice(number);
        rest = more;
    }
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_are_pulled_from_a_real_registry() {
    let Some(program) = program() else { return };
    let real = Real::start(&program, "{htpasswd: {realm: hub, path: 'FILE'}}", PASSWORDS, BASIC).await;
    real.push("stable", bundle("v1")).await;
    let (good, wrong) = (agent(&real, "s3cret").await, agent(&real, "wrong").await);
    has(&good, "v1").await;
    wrong.wait_for_log("manifests/stable: 401 Unauthorized", SOON).await.expect("a refusal");
    real.push("stable", bundle("v2")).await;
    has(&good, "v2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_registry_sends_for_tokens() {
    let Some(program) = program() else { return };
    let (endpoint, (token, certificate)) = (Registry::start().await, token());
    endpoint.issue(&token, Some(BASIC));
    let realm = format!("{}/token", endpoint.url());
    let auth = format!("{{token: {{realm: '{realm}', service: registry, issuer: hub, rootcertbundle: 'FILE'}}}}");
    let real = Real::start(&program, &auth, &certificate, &format!("Bearer {token}")).await;
    real.push("stable", bundle("v1")).await;
    let (good, wrong) = (agent(&real, "s3cret").await, agent(&real, "wrong").await);
    has(&good, "v1").await;
    let refused = format!("token endpoint GET {realm}: 401 Unauthorized");
    wrong.wait_for_log(&refused, SOON).await.expect("a refusal");
    let asked = &endpoint.requests()[0].path;
    assert_eq!(asked, "/token?service=registry&scope=repository%3Aorg%2Fauthz%3Apull");
}
