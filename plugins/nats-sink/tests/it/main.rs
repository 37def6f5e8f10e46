//! The sink against a real server.

mod entry;
mod publishing;
mod support;
