//! What core promises, shown on toys.

mod store;
mod supervisor;
mod toy;
