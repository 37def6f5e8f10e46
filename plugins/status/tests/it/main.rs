//! Status reports against a real control plane.

mod config;
mod reports;
mod support;
