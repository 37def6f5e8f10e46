//! Behaves like an agent as far as the kit's own tests need one: listens where it is told and repeats what it hears.
//!
//! `--fail <text>` makes it end with that text and code 1; `--linger` makes it ignore SIGTERM.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an agent logs there")]

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after = |name: &str| arguments.iter().skip_while(|argument| *argument != name).nth(1);
    if let Some(text) = after("--fail") {
        eprintln!("{text}");
        std::process::exit(1);
    }
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be caught");
    let listener = TcpListener::bind(after("--addr").expect("--addr is given")).await.expect("the port is free");
    println!("{}", arguments.join(" "));
    eprintln!("Initializing server.");
    tokio::spawn(serve(listener));
    loop {
        terminate.recv().await;
        eprintln!("Shutting down...");
        if !arguments.iter().any(|argument| argument == "--linger") {
            return;
        }
    }
}

async fn serve(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(repeat)));
    }
}

async fn repeat(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
    let heard = json!({
        "method": parts.method.as_str(),
        "path": parts.uri.to_string(),
        "type": parts.headers.get("content-type").and_then(|value| value.to_str().ok()),
        "body": String::from_utf8_lossy(&body),
        "config": std::fs::read_to_string("config.yaml").ok(),
        "variables": std::env::vars().filter(|(key, _)| key.starts_with("OPA_")).collect::<Vec<_>>(),
    });
    eprintln!("{} {}", parts.method, parts.uri);
    Ok(Response::new(Full::from(heard.to_string())))
}
