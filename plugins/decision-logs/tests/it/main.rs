//! Decision logs against a real control plane, real policies and real sinks.

mod disk;
mod lifecycle;
mod receivers;
mod shape;
mod support;
mod uploads;
