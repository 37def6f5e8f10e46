//! The sink against a real server.

mod entry;
mod storing;
mod support;
