//! Decision logs against a real control plane, real policies and real sinks.

mod batching;
mod disk;
mod lifecycle;
mod receivers;
mod shape;
mod support;
mod uploads;
