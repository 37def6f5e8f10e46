//! Updates of data by OPAL's protocol.
//!
//! [`model`], [`topics`] and [`rpc`] are what goes over the wire between publishers, hubs and agents. The protocol is that of
//! opal-server 0.9.9.

pub mod model;
pub mod rpc;
pub mod topics;
