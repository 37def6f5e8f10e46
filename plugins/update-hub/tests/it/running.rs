//! A hub within the test.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Request};
use regent_core::config::Layers;
use regent_kit::{Answer, Client};
use regent_update_hub::{Hub, HubConfig};
use serde_json::Value as Json;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A hub that runs.
pub(crate) struct Running {
    pub(crate) addr: SocketAddr,
    section: String,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

/// What a section says, or what is wrong with it.
pub(crate) fn config(section: &str) -> Result<HubConfig, String> {
    let tree = Layers::new().text("test", &format!("hub: {section}")).load().map_err(|errors| errors.to_string())?;
    let section = tree.section(&["hub"]).expect("the section");
    let config = section.parse::<HubConfig>().map_err(|error| error.to_string())?;
    config.validate(&section).map_err(|errors| errors.to_string())?;
    Ok(config)
}

impl Running {
    /// A hub with this section, `{…}`, but its address.
    pub(crate) async fn start(section: &str) -> Self {
        let (stop, _) = watch::channel(false);
        let mut hub = Self { addr: ([127, 0, 0, 1], 0).into(), section: section.to_owned(), stop, task: None };
        hub.again().await;
        hub
    }

    /// Starts it, at the address that it had.
    pub(crate) async fn again(&mut self) {
        let mut config = config(&self.section).expect("a sound configuration");
        config.addr = Some(self.addr.to_string());
        let hub = Hub::bind(config).await.expect("the hub starts");
        self.addr = hub.local_addr().expect("an address");
        let (stop, stopped) = watch::channel(false);
        self.stop = stop;
        self.task = Some(tokio::spawn(hub.serve(stopped)));
    }

    /// Ends it.
    pub(crate) async fn stop(&mut self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.take() {
            tokio::time::timeout(crate::LIMIT, task).await.expect("it ends in time").expect("it does not panic");
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Bytes::copy_from_slice(body.as_bytes())).expect("a request");
        Client::plain().send(request).await.expect("an answer")
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], "").await
    }

    /// Publishes an update as JSON.
    pub(crate) async fn publish(&self, update: &Json) -> Answer {
        self.ask(Method::POST, "/data/config", &[("content-type", "application/json")], &update.to_string()).await
    }

    /// What a counter or gauge says.
    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let text = self.get("/metrics").await.text();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.expect("the metric").parse().expect("a number")
    }
}
