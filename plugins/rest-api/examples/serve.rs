//! Serves the API over regorus, as far as the recorded exchanges need it: `--addr ADDR --config-file FILE FILES…`.

use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use regent_core::config::Layers;
use regent_core::engine::{CompileOptions, RegoVersion, Source};
use regent_core::settings::{Identity, Settings};
use regent_core::status::State;
use regent_core::store::Store;
use regent_core::telemetry::Telemetry;
use regent_core::value::{Path, decode};
use regent_core::{Host, Value};
use regent_rest_api::{Api, BuildInfo, Listeners, Options, ServerConfig};

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(64 << 20).build();
    runtime.expect("runtime").block_on(run());
}

async fn run() {
    let mut addr = String::from("localhost:8181");
    let mut files = Vec::new();
    let mut layers = Layers::new();
    let mut max_errors = 10;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match &*arg {
            "--addr" => addr = args.next().expect("address"),
            "--config-file" => layers = layers.file(args.next().expect("file")),
            "--set" => layers = layers.set(&args.next().expect("set")),
            "--max-errors" => max_errors = args.next().expect("number").parse().expect("number"),
            "--log-level" => {
                let level = args.next().expect("level").parse().unwrap_or(tracing::Level::INFO);
                tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).init();
            }
            "--ignore" => drop(args.next()),
            flag if flag.starts_with('-') => panic!("unknown flag {flag}"),
            file => files.push(file.to_owned()),
        }
    }
    let tree = layers.load().expect("configuration");
    let config = ServerConfig::from_section(tree.section(&["server"]).as_ref()).expect("server section");
    let identity = Identity { id: uuid::Uuid::new_v4().to_string(), version: "0.1.0".to_owned() };
    let settings = Settings::from_tree(&tree, identity).expect("settings");
    let telemetry = Telemetry::new(config.request_buckets()).expect("telemetry");
    let engine = Arc::new(regent_engine_regorus::RegorusEngine);
    let version = ["version", "build_commit", "build_timestamp", "build_hostname"];
    let data = Value::empty_object().with(&["system", "version"], Value::object(version.map(|key| (key, "x"))));
    let store = Store::new(engine, CompileOptions { max_errors }, data).expect("store");
    for file in files {
        load(&store, &file).await;
    }
    let host = Host::new(store, telemetry, settings);
    if tree.get(&["bundles"]).is_some() {
        host.status.set_plugin("bundle", State::NotReady, None);
    }
    host.status.set_plugin("discovery", State::Ok, None);
    let options = Options { addresses: vec![addr], ..Options::default() };
    let listeners = Listeners::bind(options).await.expect("bind");
    eprintln!("listening on {:?}", listeners.local_addresses());
    let api = Api::new(host, config, BuildInfo { version: "0.1.0".into(), ..BuildInfo::default() });
    let shutdown = async { drop(tokio::signal::ctrl_c().await) };
    listeners.serve(api, shutdown, Duration::from_secs(10)).await.expect("served");
}

async fn load(store: &Store, argument: &str) {
    let (prefix, file) = argument.split_once(':').unwrap_or(("", argument));
    walk(
        store,
        FilePath::new(file),
        FilePath::new(file),
        &mut prefix.split('.').filter(|p| !p.is_empty()).map(str::to_owned).collect::<Vec<_>>(),
    )
    .await;
}

async fn walk(store: &Store, root: &FilePath, file: &FilePath, prefix: &mut Vec<String>) {
    if file.is_dir() {
        for entry in std::fs::read_dir(file).expect("directory") {
            let below = entry.expect("entry").path();
            let mut prefix = prefix.clone();
            if below.is_dir() {
                prefix.push(below.file_name().expect("name").to_string_lossy().into_owned());
            }
            Box::pin(walk(store, root, &below, &mut prefix)).await;
        }
        return;
    }
    let id = file.to_string_lossy().into_owned();
    let text = std::fs::read_to_string(file).expect("file");
    let value = match file.extension().and_then(|e| e.to_str()) {
        Some("rego") => {
            let source = Source { id: (&*id).into(), file: (&*id).into(), text: text.into(), version: RegoVersion::V1 };
            store
                .write(move |txn| {
                    let module = txn.parse(source)?;
                    txn.put_policy(module);
                    Ok(())
                })
                .await
                .expect("policy");
            return;
        }
        Some("json") => decode(text.as_bytes()).expect("JSON"),
        Some("yaml" | "yml") => regent_core::yaml::parse(&text).expect("YAML").0,
        _ => return,
    };
    let prefix = prefix.clone();
    store
        .write(move |txn| {
            for (key, value) in value.as_object().expect("object").iter() {
                let path = Path::new(prefix.iter().map(String::as_str).chain([key.as_str().expect("text")]));
                let merged = merge(txn.data().at(path.segments()), value);
                txn.put(&path, merged)?;
            }
            Ok(())
        })
        .await
        .expect("data");
}

fn merge(old: Option<&Value>, new: &Value) -> Value {
    match (old, new) {
        (Some(old @ Value::Object(_)), Value::Object(entries)) => {
            entries.iter().fold(old.clone(), |all, (key, value)| {
                let key = key.as_str().expect("text");
                let merged = merge(all.get(key), value);
                all.with(&[key], merged)
            })
        }
        _ => new.clone(),
    }
}
