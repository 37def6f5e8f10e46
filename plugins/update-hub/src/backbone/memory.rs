//! A hub that is alone.

use regent_data_updates::rpc::{Position, new_id};
use tokio::sync::Mutex;

use crate::exchange::ExchangeHandle;
use crate::publication::Arrival;

/// Numbers what is published. A hub that starts again begins another log.
pub(crate) struct Memory {
    exchange: ExchangeHandle,
    /// The number of the latest; held until it is on its way, so that numbers come in order.
    latest: Mutex<u64>,
}

impl Memory {
    pub(super) async fn start(exchange: ExchangeHandle) -> Self {
        exchange.arrived(Arrival::Begins(Position { epoch: new_id(), seq: 0 })).await;
        exchange.arrived(Arrival::Complete).await;
        Self { exchange, latest: Mutex::new(0) }
    }

    pub(super) async fn append(&self, text: &str) -> u64 {
        let mut latest = self.latest.lock().await;
        let seq = *latest + 1;
        self.exchange.arrived(Arrival::Record { seq, text: text.to_owned() }).await;
        *latest = seq;
        seq
    }
}
