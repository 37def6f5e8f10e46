//! Bundle services that misbehave below HTTP: wrong lengths, slow bytes, streams without end, tags that lie. Each time
//! decisions go on with the last good policy, status tells, and all is well again by itself.

use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use regent_kit::{Agent, ControlPlane};
use serde_json::{Value, json};

use crate::support::{SOON, bundle, decide, ready, regent};

/// Writes the whole answer to one request, given its head.
type Script = Arc<dyn Fn(&mut TcpStream, &str) -> io::Result<()> + Send + Sync>;

/// A service whose answers are written byte by byte. Each has a connection of its own.
struct Odd {
    url: String,
    script: Arc<Mutex<Script>>,
    asked: Arc<AtomicU64>,
}

impl Odd {
    fn start(script: impl Fn(&mut TcpStream, &str) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let script = Arc::new(Mutex::new(Arc::new(script) as Script));
        let asked = Arc::new(AtomicU64::new(0));
        let (scripts, count) = (script.clone(), asked.clone());
        // It ends with the process: nobody else listens to it.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, count) = (scripts.lock().expect("no panic while locked").clone(), count.clone());
                std::thread::spawn(move || {
                    count.fetch_add(1, Ordering::Relaxed);
                    answer(stream, &script)
                });
            }
        });
        Self { url, script, asked }
    }

    fn follow(&self, script: impl Fn(&mut TcpStream, &str) -> io::Result<()> + Send + Sync + 'static) {
        *self.script.lock().expect("no panic while locked") = Arc::new(script);
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

/// Whoever hangs up has heard enough, so errors are nobody's business.
fn answer(mut stream: TcpStream, script: &Script) -> io::Result<()> {
    let mut head = String::new();
    let mut reader = BufReader::new(stream.try_clone()?);
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    script(&mut stream, &head)?;
    stream.shutdown(std::net::Shutdown::Write)?;
    // Until the client has hung up as well: a reset would take away what it has not read yet.
    stream.read(&mut [0; 1]).map(drop)
}

/// Whole, with that tag unless it is empty.
fn sound(tag: &'static str, body: Vec<u8>) -> impl Fn(&mut TcpStream, &str) -> io::Result<()> + Send + Sync {
    move |stream, head| {
        if !tag.is_empty() && head.to_lowercase().contains(&format!("if-none-match: \"{tag}\"")) {
            return stream.write_all(format!("HTTP/1.1 304 Not Modified\r\netag: \"{tag}\"\r\n\r\n").as_bytes());
        }
        let tag = if tag.is_empty() { String::new() } else { format!("etag: \"{tag}\"\r\n") };
        let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{tag}content-length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes())?;
        stream.write_all(&body)
    }
}

/// These bytes and no others.
fn bytes(bytes: Vec<u8>) -> impl Fn(&mut TcpStream, &str) -> io::Result<()> + Send + Sync {
    move |stream, _| stream.write_all(&bytes)
}

/// An agent whose bundle `authz` comes from the odd service, and `beat` from a sound one that takes its reports too.
struct Scene {
    acme: ControlPlane,
    odd: Odd,
    agent: Agent,
}

impl Scene {
    /// With the first version active.
    async fn new(more: &str) -> Self {
        Self::with(sound("v1", bundle("v1", &["ann"])), more).await
    }

    async fn with(script: impl Fn(&mut TcpStream, &str) -> io::Result<()> + Send + Sync + 'static, more: &str) -> Self {
        let (acme, odd) = (ControlPlane::start().await, Odd::start(script));
        acme.serve_bundle("beat", regent_kit::Bundle::new().roots(["beat"]).build());
        let polling = "polling: {min_delay_seconds: 1, max_delay_seconds: 1}";
        let config = format!(
            "services:\n  acme: {{url: \"{}\"}}\n  odd: {{url: \"{}\", response_header_timeout_seconds: 2}}\n\
             status: {{service: acme}}\nbundles:\n  authz: {{service: odd, {polling}{more}}}\n  beat: {{service: acme, {polling}}}\n",
            acme.url(),
            odd.url
        );
        let agent = ready(regent().config(&config).arg("--log-level=error")).await;
        Self { acme, odd, agent }
    }

    async fn status(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let seen = self.acme.statuses().len();
        let mut at = 0;
        let report = self.acme.wait_for_status(SOON, |report| {
            at += 1;
            at > seen && fits(&report["bundles"]["authz"])
        });
        report.await.unwrap_or_else(|error| panic!("{what}: {error}"))["bundles"]["authz"].clone()
    }

    /// Waits until status reports a failure, and gives its message. Decisions go on as before.
    async fn fails(&self, what: &str, user: &str) -> String {
        let status = self.status(what, |status| status["code"] == "bundle_error").await;
        assert_eq!(decide(&self.agent, "app/allow", json!({"user": user})).await, true, "{what}");
        status["message"].as_str().expect("a message").to_owned()
    }

    /// Lets the service be sound again, with another version.
    async fn recovers(&self, what: &str, revision: &'static str, user: &str) {
        self.odd.follow(sound(revision, bundle(revision, &[user])));
        let sound = |status: &Value| status["active_revision"] == revision && status.get("code").is_none();
        self.status(what, sound).await;
        assert_eq!(decide(&self.agent, "app/allow", json!({"user": user})).await, true, "{what}");
    }

    /// Waits until the other bundle, which nothing is wrong with, has been polled so many times more.
    async fn beats(&self, count: usize) {
        let so_far = self.acme.requests().iter().filter(|request| request.path == "/bundles/beat").count();
        self.acme.wait_for_requests("/bundles/beat", so_far + count, SOON).await.expect("beats");
    }
}

#[tokio::test]
async fn answers_of_the_wrong_length() {
    let scene = Scene::new("").await;
    let whole = bundle("v0", &["eve"]);
    let with = |head: &str, body: &[u8]| [format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").as_bytes(), body].concat();
    let length = |length: usize| format!("content-length: {length}");
    let chunk = |length: usize, body: &[u8]| [format!("{length:x}\r\n").as_bytes(), body, b"\r\n"].concat();
    let chunked = "transfer-encoding: chunked";
    let cases = [
        ("shorter than announced", with(&length(whole.len() + 10), &whole)),
        ("longer than announced", with(&length(whole.len() - 10), &whole)),
        ("much longer than could ever come", with("content-length: 18446744073709551615", &whole)),
        ("two lengths", with(&format!("{}\r\n{}", length(whole.len()), length(3)), &whole)),
        ("no number", with("content-length: many", &whole)),
        ("without the last chunk", with(chunked, &chunk(whole.len(), &whole))),
        ("a chunk that is shorter than it says", with(chunked, &chunk(whole.len() + 9, &whole))),
        ("a chunk that is longer than it says", with(chunked, &chunk(whole.len() - 9, &whole))),
        ("half of a head", b"HTTP/1.1 200 OK\r\ncontent-le".to_vec()),
        ("no HTTP", b"\0\x01\x02 who is there?\r\n\r\n".to_vec()),
        ("nothing at all", Vec::new()),
    ];
    let versions = [["v2", "bob"], ["v3", "cid"]];
    let mut user = "ann";
    for (turn, (what, answer)) in cases.into_iter().enumerate() {
        scene.odd.follow(bytes(answer));
        let message = scene.fails(what, user).await;
        assert!(
            ["request failed: ", "archive read failed: "].iter().any(|start| message.starts_with(start)),
            "{message}"
        );
        assert_eq!(decide(&scene.agent, "app/allow", json!({"user": "eve"})).await, false, "{what}");
        let [revision, next] = versions[turn % 2];
        user = next;
        scene.recovers(what, revision, user).await;
    }
}

#[tokio::test]
async fn a_service_that_fails_at_once_is_not_asked_without_pause() {
    let scene = Scene::new("").await;
    scene.odd.follow(bytes(Vec::new()));
    scene.fails("nothing at all", "ann").await;
    let before = scene.odd.asked();
    scene.beats(6).await;
    let asked = scene.odd.asked() - before;
    // Pauses grow from a tenth of a second to the second that a beat takes.
    assert!((2..=30).contains(&asked), "{asked} times");
    scene.recovers("nothing at all", "v2", "bob").await;
}

#[tokio::test]
async fn a_service_that_is_slow() {
    let scene = Scene::new("").await;
    scene.odd.follow(|_, _| {
        std::thread::sleep(SOON * 4);
        Ok(())
    });
    let message = scene.fails("no head", "ann").await;
    assert!(message.contains("timeout awaiting response headers"), "{message}");
    scene.recovers("no head", "v2", "bob").await;
    // A body that takes its time is awaited, and nobody waits for it but its loader.
    scene.odd.follow(|stream, _| {
        let body = bundle("v3", &["cid"]);
        stream.write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes())?;
        for piece in body.chunks(body.len().div_ceil(20)) {
            std::thread::sleep(Duration::from_millis(150));
            stream.write_all(piece)?;
        }
        Ok(())
    });
    let before = scene.odd.asked();
    let mut decisions = 0;
    loop {
        let app = decide(&scene.agent, "app", json!({"user": "bob"})).await;
        if app["revision"] == "v3" {
            break;
        }
        assert_eq!((&app["revision"], &app["allow"]), (&"v2".into(), &true.into()));
        assert!(scene.odd.asked() <= before + 2, "the body is awaited");
        decisions += 1;
    }
    assert!(decisions > 20, "decisions do not wait for a bundle: {decisions}");
}

#[tokio::test]
async fn a_service_that_flips_between_two_versions() {
    let versions = [("v1", bundle("v1", &["ann", "v1"])), ("v2", bundle("v2", &["ann", "v2"]))];
    let turn = AtomicU64::new(0);
    let flip = move |stream: &mut TcpStream, head: &str| {
        let (tag, body) = &versions[usize::from(turn.fetch_add(1, Ordering::Relaxed) % 2 == 1)];
        sound(tag, body.clone())(stream, head)
    };
    let scene = Scene::with(flip, "").await;
    for _ in 0..3 {
        for revision in ["v1", "v2"] {
            let status = scene.status(revision, |status| status["active_revision"] == revision).await;
            assert_eq!(status.get("code"), None, "{status}");
            let answer = decide(&scene.agent, "app", json!({"user": "ann"})).await;
            assert_eq!((&answer["allow"], &answer["users"][1]), (&true.into(), &answer["revision"]), "one version");
        }
    }
    let before = scene.odd.asked();
    scene.beats(4).await;
    assert!(scene.odd.asked() - before <= 12, "as often as configured: {}", scene.odd.asked() - before);
}

#[tokio::test]
async fn tags_that_lie() {
    let scene = Scene::with(sound("same", bundle("v1", &["ann"])), "").await;
    // Another version under the tag that is known, which a server that looked at it would not have sent.
    scene.odd.follow(|stream, _| sound("same", bundle("v2", &["bob"]))(stream, ""));
    scene.status("another version", |status| status["active_revision"] == "v2").await;
    assert_eq!(decide(&scene.agent, "app/allow", json!({"user": "bob"})).await, true);
    // The same version under ever other tags.
    let turn = AtomicU64::new(0);
    scene.odd.follow(move |stream, _| {
        let (number, body) = (turn.fetch_add(1, Ordering::Relaxed), bundle("v3", &["cid"]));
        let head = format!("HTTP/1.1 200 OK\r\netag: \"{number}\"\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes())?;
        stream.write_all(&body)
    });
    let mut before = String::new();
    for _ in 0..3 {
        let activated = |status: &Value| status["last_successful_activation"] != before.as_str();
        let status = scene.status("another tag", |status| status["active_revision"] == "v3" && activated(status)).await;
        assert_eq!(status.get("code"), None, "{status}");
        before = status["last_successful_activation"].as_str().expect("a time").to_owned();
        assert_eq!(decide(&scene.agent, "app/allow", json!({"user": "cid"})).await, true);
    }
    let asked = scene.odd.asked();
    scene.beats(4).await;
    assert!(scene.odd.asked() - asked <= 12, "as often as configured: {}", scene.odd.asked() - asked);
    // A tag that no header can hold is nobody's.
    scene.odd.follow(|stream, _| {
        let body = bundle("v4", &["dan"]);
        let head = format!("HTTP/1.1 200 OK\r\netag: \"\u{fc}\"\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes())?;
        stream.write_all(&body)
    });
    scene.status("an odd tag", |status| status["active_revision"] == "v4").await;
}

/// The most that the agent ever held in memory, in bytes.
fn peak(agent: &Agent) -> u64 {
    let id = agent.id().expect("it runs");
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("Linux");
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
    kilobytes.expect("a peak").trim().parse::<u64>().expect("a number") * 1024
}

/// Two gigabytes of zeros.
const STREAM: u64 = 2 << 30;

#[tokio::test]
async fn streams_without_end_end_at_the_limit() {
    let scene = Scene::new(", size_limit_bytes: 100000000").await;
    let zeros = vec![0_u8; 1 << 20];
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![0_u8; 64 << 20]).expect("memory");
    let packed = encoder.finish().expect("memory");
    // What a piece comes to when it is unpacked.
    let cases = [
        ("plain", "", zeros.clone(), zeros.len()),
        ("a gzip archive", "", packed.clone(), 64 << 20),
        ("gzip for the transport", "content-encoding: gzip\r\n", packed, 64 << 20),
    ];
    for (what, header, piece, unpacked) in cases {
        let most = Arc::new(AtomicU64::new(0));
        let longest = most.clone();
        scene.odd.follow(move |stream, _| {
            stream.write_all(format!("HTTP/1.1 200 OK\r\n{header}transfer-encoding: chunked\r\n\r\n").as_bytes())?;
            for count in 1..=STREAM / unpacked as u64 {
                stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes())?;
                stream.write_all(&piece)?;
                stream.write_all(b"\r\n")?;
                longest.fetch_max(count * piece.len() as u64, Ordering::Relaxed);
            }
            stream.write_all(b"0\r\n\r\n")
        });
        let message = scene.fails(what, "ann").await;
        assert!(["exceeds the limit", "body exceeds"].iter().any(|why| message.contains(why)), "{what}: {message}");
        // An archive of that limit may have 180 MB; sockets hold some more.
        let sent = most.load(Ordering::Relaxed);
        assert!(sent < 240 << 20, "{what}: {sent} bytes");
        scene.recovers(what, "v1", "ann").await;
    }
    let peak = peak(&scene.agent);
    assert!(peak < 450 << 20, "{peak} bytes");
}
