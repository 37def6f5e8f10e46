//! Bundles in the registry that all others are measured by, from its package in Debian.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use http::Request;
use regent_kit::{Agent, Client, Registry};

use crate::{SOON, bundle, has, regent};

const PACKAGE: &str = "docker-registry";

/// `user` with the password `s3cret`.
const PASSWORDS: &str = "user:$2y$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK\n";
const BASIC: &str = "Basic dXNlcjpzM2NyZXQ=";

/// The registry; it is killed when it is dropped.
struct Real {
    process: Child,
    url: String,
    _directory: tempfile::TempDir,
}

impl Drop for Real {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.process.kill();
        let _gone = self.process.wait();
    }
}

/// The program, unpacked in the build folder; nothing if this is no Debian, or its packages are out of reach.
fn program() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop").join(PACKAGE);
    let program = folder.join("usr/bin").join(PACKAGE);
    if program.exists() {
        return Some(program);
    }
    std::fs::create_dir_all(&folder).expect("the build folder can be written");
    let done = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    if !done(Command::new("apt-get").args(["download", PACKAGE]).current_dir(&folder)) {
        println!("{PACKAGE} cannot be had from Debian: it is not tried");
        return None;
    }
    let archive = std::fs::read_dir(&folder).expect("the folder").flatten().map(|entry| entry.path());
    let archive = archive.into_iter().find(|path| path.extension().is_some_and(|end| end == "deb"))?;
    assert!(done(Command::new("dpkg").arg("-x").arg(archive).arg(&folder)), "the package can be unpacked");
    Some(program)
}

impl Real {
    fn start(program: &Path) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let (passwords, config) = (directory.path().join("passwords"), directory.path().join("config.yml"));
        std::fs::write(&passwords, PASSWORDS).expect("the file is written");
        let text = format!(
            "version: 0.1\nlog: {{level: info, formatter: json}}\nhttp: {{addr: '127.0.0.1:0'}}\n\
             storage: {{filesystem: {{rootdirectory: '{}'}}}}\nauth: {{htpasswd: {{realm: hub, path: '{}'}}}}\n",
            directory.path().join("data").display(),
            passwords.display()
        );
        std::fs::write(&config, text).expect("the file is written");
        let mut command = Command::new(program);
        command.arg("serve").arg(config).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("the registry can be run");
        let mut lines = BufReader::new(process.stderr.take().expect("it is piped")).lines();
        let place = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("listening on ")?;
            rest.split('"').next().map(str::to_owned)
        });
        // Whoever does not read what it writes stops it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, url: format!("http://{}", place.expect("it says where it listens")), _directory: directory }
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
        let request = Request::builder().method(method).uri(url).header("authorization", BASIC);
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

#[tokio::test(flavor = "multi_thread")]
async fn bundles_are_pulled_from_a_real_registry() {
    let Some(program) = program() else { return };
    let real = Real::start(&program);
    real.push("stable", bundle("v1")).await;
    let (good, wrong) = (agent(&real, "s3cret").await, agent(&real, "wrong").await);
    has(&good, "v1").await;
    wrong.wait_for_log("manifests/stable: 401 Unauthorized", SOON).await.expect("a refusal");
    real.push("stable", bundle("v2")).await;
    has(&good, "v2").await;
}
