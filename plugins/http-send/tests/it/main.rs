//! The function within the engine, against real servers on loopback.

mod asking;
mod caching;
mod limits;
mod schemas;
mod sending;
mod server;
mod tls;
