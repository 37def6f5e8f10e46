//! Clients that take their time, or mean harm. Bytes on real sockets: no proper client would send them.

mod frames;
mod hostile;
mod http2;
mod leaving;
mod slow;
#[path = "../support/mod.rs"]
mod support;
mod wire;
