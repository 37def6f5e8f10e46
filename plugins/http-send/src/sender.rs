//! Who sends requests: connections, and the threads that they are used on.

use std::sync::Arc;

use crate::clients::Clients;
use crate::exchange;
use crate::failure::Failure;
use crate::flight::{Flight, Threads};
use crate::request::Request;

/// Connections and threads.
#[derive(Default)]
pub(crate) struct Sender {
    clients: Arc<Clients>,
    threads: Threads,
}

impl Sender {
    /// Sends a request off.
    pub(crate) fn start(&self, request: Request) -> Result<Arc<Flight>, Failure> {
        let clients = self.clients.clone();
        self.threads.start(async move { exchange::send(&clients, &request).await })
    }
}
