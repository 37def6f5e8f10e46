//! Both engines on the same questions in one run: `cargo bench -p regent-engine-rego`, or with `-- rbac` one of them.
//!
//! How long large bundles take to become active is told by `examples/activation.rs`.

mod iter;
mod many;
mod rbac;
mod realistic;
mod support;

use criterion::{criterion_group, criterion_main};

criterion_group!(benches, rbac::rbac, many::many, iter::iter, realistic::realistic);
criterion_main!(benches);
