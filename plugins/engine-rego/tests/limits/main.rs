//! Whatever is asked, there is an answer or an error in the end: no panic, no overflow of a small stack, no work that
//! goes on after nobody waits for it.

mod depth;
mod faults;
mod growth;
mod mutation;
mod setup;
