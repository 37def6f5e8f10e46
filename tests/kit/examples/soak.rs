//! Agents against a control plane that comes and goes, under load: `soak BINARY [SECONDS] [AGENTS]`.
//!
//! Every second or so the control plane has another version, or none, or a broken one, or is not there; the configuration of
//! some agents comes and goes with it. Meanwhile every agent is asked without pause. The run fails when a decision fails or
//! is torn between two versions, when an agent does not get the last version in the end, or when its memory keeps growing.
//! Give it a release build; `tests/soak.sh` does.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program answers there")]

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use regent_kit::{Agent, AgentCommand, Bundle, ControlPlane, Error, Fault, wait};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

/// Connections to each agent.
const CONNECTIONS: usize = 4;

/// How long the last version may take to arrive.
const PATIENCE: Duration = Duration::from_mins(1);

/// What memory may grow by between the second and the last fifth of the run, beside an eighth of what it was.
const MARGIN: u64 = 16 << 20;

/// A pause of the soak test itself that is worth a word.
const STANDSTILL: Duration = Duration::from_secs(2);

const PATHS: [&str; 4] = ["/bundles/authz", "/bundles/extra", "/bundles/discovery", "/logs"];

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(binary) = arguments.next() else {
        eprintln!("usage: soak BINARY [SECONDS] [AGENTS]");
        return ExitCode::FAILURE;
    };
    let number = |text: Option<String>, default| text.and_then(|text| text.parse().ok()).unwrap_or(default);
    let seconds = number(arguments.next(), 300);
    let agents = number(arguments.next(), 3);
    match soak(&binary, Duration::from_secs(seconds), agents).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn soak(binary: &str, duration: Duration, count: u64) -> Result<(), String> {
    let acme = ControlPlane::start().await;
    let mut door = Door::new(acme.url().trim_start_matches("http://").parse().map_err(|error| format!("{error}"))?);
    door.open();
    publish(&acme, 0);
    let mut agents = Vec::new();
    for index in 0..count {
        agents.push(Arc::new(start(binary, &door, index).await.map_err(|error| error.to_string())?));
    }
    let meter = Arc::new(Meter::default());
    let mut load = JoinSet::new();
    for agent in &agents {
        for _ in 0..CONNECTIONS {
            let (agent, meter) = (agent.clone(), meter.clone());
            load.spawn(async move {
                let outcome = ask(&agent, &meter).await;
                // One failure is enough.
                meter.done.fetch_or(outcome.is_err(), Ordering::Relaxed);
                outcome
            });
        }
    }
    let memory: Vec<_> = agents.iter().map(|agent| tokio::spawn(memory(agent.id(), duration))).collect();
    let last = flap(&acme, &mut door, duration, &meter).await;
    meter.done.store(true, Ordering::Relaxed);
    while let Some(ended) = load.join_next().await {
        ended.map_err(|panic| panic.to_string())??;
    }
    for agent in &agents {
        arrived(agent, last).await.map_err(|error| format!("{error}{}", tail(agent)))?;
    }
    let (asked, worst) = (meter.asked.load(Ordering::Relaxed), meter.worst.load(Ordering::Relaxed));
    println!("{asked} decisions in {duration:?}, none failed; {last} versions; the slowest took {} ms", worst / 1000);
    let mut grown = Vec::new();
    for (index, memory) in memory.into_iter().enumerate() {
        let Memory { early, late, gap } = memory.await.map_err(|panic| panic.to_string())?;
        println!("agent {index}: {} MiB in the second fifth of the run, {} MiB in the last", early >> 20, late >> 20);
        if gap > STANDSTILL {
            println!("the soak test itself stood still for {gap:?}: what it says of times means nothing");
        }
        if early == 0 || late == 0 {
            return Err(format!("the memory of agent {index} could not be looked at"));
        }
        if late > early + early / 8 + MARGIN {
            grown.push(index);
        }
    }
    if grown.is_empty() { Ok(()) } else { Err(format!("the memory of agents {grown:?} has grown")) }
}

/// What the load has seen.
#[derive(Default)]
struct Meter {
    done: AtomicBool,
    asked: AtomicU64,
    /// The slowest answer, in microseconds.
    worst: AtomicU64,
}

/// The way to the control plane, which can be shut: connections are then refused, and those that are open break.
struct Door {
    address: SocketAddr,
    inside: SocketAddr,
    forwarding: Option<JoinHandle<()>>,
    /// Keeps the port while the door is shut.
    _reserved: TcpSocket,
}

impl Door {
    fn new(inside: SocketAddr) -> Self {
        let reserved = TcpSocket::new_v4().expect("a socket");
        reserved.set_reuseaddr(true).expect("an option");
        reserved.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let address = reserved.local_addr().expect("an address");
        Self { address, inside, forwarding: None, _reserved: reserved }
    }

    fn open(&mut self) {
        if self.forwarding.is_none() {
            let socket = TcpSocket::new_v4().expect("a socket");
            socket.set_reuseaddr(true).expect("an option");
            socket.bind(self.address).expect("the port is ours");
            let listener = socket.listen(1024).expect("the port is ours");
            self.forwarding = Some(tokio::spawn(forward(listener, self.inside)));
        }
    }

    async fn shut(&mut self) {
        if let Some(forwarding) = self.forwarding.take() {
            forwarding.abort();
            let _aborted = forwarding.await;
        }
    }
}

async fn forward(listener: TcpListener, inside: SocketAddr) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((mut outer, _)) = accepted {
                connections.spawn(async move {
                    if let Ok(mut inner) = TcpStream::connect(inside).await {
                        let _ended = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
                    }
                });
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
}

/// Versions say the same number in policy and data, let ann in, and are large enough for one that is kept too long to show.
fn publish(acme: &ControlPlane, number: u64) {
    let rego =
        format!("package app\n\nallow if input.user in data.app.users\n\nversions := [data.app.version, {number}]\n");
    let data = json!({"users": ["ann"], "version": number});
    let authz = Bundle::new().revision(&format!("v{number}")).roots(["app", "ballast"]).rego("app.rego", &rego);
    let authz = authz.data("app", data).data("ballast", json!({"numbers": vec![number; 100_000]}));
    // Some agents wait with the service for news.
    acme.serve_bundle_holding("authz", authz.build());
    let extra = Bundle::new().revision(&format!("e{number}")).roots(["extra"]).data("extra", json!({"x": number}));
    acme.serve_bundle("extra", extra.build());
    let mut found = configuration("authz");
    if number % 2 == 1 {
        found["bundles"]["extra"] = json!({"service": "acme", "polling": quickly()});
    }
    if number % 3 == 1 {
        found["labels"] = json!({"version": number.to_string()});
    }
    acme.serve_bundle("discovery", Bundle::new().revision(&format!("d{number}")).data("", found).build());
}

fn quickly() -> Value {
    json!({"min_delay_seconds": 1, "max_delay_seconds": 1})
}

fn configuration(name: &str) -> Value {
    let reporting = json!({"min_delay_seconds": 1, "max_delay_seconds": 2, "buffer_size_limit_bytes": 1_000_000});
    json!({
        "bundles": {name: {"service": "acme", "polling": quickly(), "max_staleness_seconds": 5}},
        "status": {"service": "acme"},
        "decision_logs": {"service": "acme", "reporting": reporting},
    })
}

/// Starts one of three kinds of agents: by polling, by discovery, by held requests with a copy on disk.
async fn start(binary: &str, door: &Door, index: u64) -> Result<Agent, Error> {
    let services = json!({"acme": {"url": format!("http://{}", door.address), "response_header_timeout_seconds": 5}});
    let config = match index % 3 {
        1 => {
            json!({"discovery": {"service": "acme", "resource": "bundles/discovery", "polling": quickly(), "persist": true}})
        }
        kind => {
            let mut config = configuration("authz");
            if kind == 2 {
                config["bundles"]["authz"]["persist"] = true.into();
                config["bundles"]["authz"]["polling"]["long_polling_timeout_seconds"] = 4.into();
            }
            config
        }
    };
    let mut config = config;
    config["services"] = services;
    config["persistence_directory"] = "kept".into();
    let command: AgentCommand = Agent::command(binary).arg("--log-level=error").config(&config.to_string());
    let agent = command.start().await?;
    arrived(&agent, 0).await?;
    Ok(agent)
}

/// Waits until an agent decides by at least that version.
async fn arrived(agent: &Agent, number: u64) -> Result<(), Error> {
    wait::until(PATIENCE, &format!("version {number}"), async || {
        let answer = agent.get("/v1/data/app/versions").await.json();
        (answer["result"][1].as_u64()? >= number).then_some(())
    })
    .await
}

/// Lets one thing after the other happen to the control plane, and all be well in the end. Gives the last version.
async fn flap(acme: &ControlPlane, door: &mut Door, duration: Duration, meter: &Meter) -> u64 {
    let broken = Bundle::new().roots(["app"]).rego("app.rego", "package app\n\nallow if {").build();
    let faults = [
        None,
        Some(Fault::Status(500)),
        None,
        Some(Fault::Reset),
        Some(Fault::Truncate(40)),
        None,
        Some(Fault::Body(Bytes::from(broken))),
        Some(Fault::Hang(Duration::from_secs(3))),
        Some(Fault::Status(404)),
    ];
    let end = Instant::now() + duration;
    let mut number = 0;
    while Instant::now() < end && !meter.done.load(Ordering::Relaxed) {
        number += 1;
        publish(acme, number);
        acme.forget();
        let turn = usize::try_from(number).unwrap_or_default();
        for path in PATHS {
            acme.fail_always(path, faults[turn % faults.len()].clone());
        }
        if turn % 5 == 4 {
            door.shut().await;
        } else {
            door.open();
        }
        sleep(Duration::from_millis(600 + number * 211 % 900).min(end.saturating_duration_since(Instant::now()))).await;
    }
    for path in PATHS {
        acme.fail_always(path, None);
    }
    door.open();
    publish(acme, number);
    number
}

/// Asks an agent without pause; whatever it says that is not right ends the run.
async fn ask(agent: &Agent, meter: &Meter) -> Result<(), String> {
    let url = agent.url("");
    let address: SocketAddr = url.trim_start_matches("http://").parse().map_err(|error| format!("{url}: {error}"))?;
    let mut connection = connect(address).await?;
    let mut latest = 0;
    while !meter.done.load(Ordering::Relaxed) {
        let start = Instant::now();
        let answer = decide(&mut connection, address).await.map_err(|error| format!("{error}{}", tail(agent)))?;
        meter.worst.fetch_max(u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        meter.asked.fetch_add(1, Ordering::Relaxed);
        let (allow, versions) = (&answer["result"]["allow"], &answer["result"]["versions"]);
        let version = versions[0].as_u64().filter(|version| versions[1] == *version && *version >= latest);
        latest = version.filter(|_| *allow == true).ok_or_else(|| format!("after version {latest}: {answer}"))?;
    }
    Ok(())
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>, String> {
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    // Its errors reach the sender.
    tokio::spawn(connection);
    Ok(sender)
}

async fn decide(connection: &mut SendRequest<Full<Bytes>>, address: SocketAddr) -> Result<Value, String> {
    let body = Full::new(Bytes::from_static(br#"{"input": {"user": "ann"}}"#));
    let request = Request::post("/v1/data/app").header(header::HOST, address.to_string()).body(body);
    let request = request.map_err(|error| error.to_string())?;
    connection.ready().await.map_err(|error| error.to_string())?;
    let answer = connection.send_request(request).await.map_err(|error| error.to_string())?;
    let status = answer.status();
    let body = answer.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
    if status != 200 {
        return Err(format!("{status}: {}", String::from_utf8_lossy(&body)));
    }
    serde_json::from_slice(&body).map_err(|error| error.to_string())
}

/// The most bytes that a process holds in memory during the second and during the last fifth of the run.
#[derive(Default)]
struct Memory {
    early: u64,
    late: u64,
    /// The longest time for which nobody looked, although it was time to.
    gap: Duration,
}

async fn memory(id: Option<u32>, duration: Duration) -> Memory {
    let start = Instant::now();
    let mut memory = Memory::default();
    while start.elapsed() < duration {
        let held = resident(id).unwrap_or_default();
        match start.elapsed().as_millis() * 5 / duration.as_millis().max(1) {
            1 => memory.early = memory.early.max(held),
            4 => memory.late = memory.late.max(held),
            _ => {}
        }
        let before = Instant::now();
        sleep(Duration::from_millis(200)).await;
        memory.gap = memory.gap.max(before.elapsed());
    }
    memory
}

fn resident(id: Option<u32>) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", id?)).ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix("kB"))?;
    Some(kilobytes.trim().parse::<u64>().ok()? * 1024)
}

/// The end of what an agent has to say.
fn tail(agent: &Agent) -> String {
    let text = agent.stderr();
    let lines: Vec<_> = text.lines().rev().take(10).collect();
    lines.into_iter().rev().fold("\nits log:".to_owned(), |all, line| format!("{all}\n  {line}"))
}
