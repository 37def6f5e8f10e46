//! Decision logs against a real control plane, real policies and real sinks.

mod disk;
mod gathering;
mod lifecycle;
mod receivers;
mod shape;
mod support;
mod uploads;
