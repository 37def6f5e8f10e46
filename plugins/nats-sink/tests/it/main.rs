//! The sink against a real server.

mod entry;
mod operator;
mod publishing;
mod support;
mod way;
