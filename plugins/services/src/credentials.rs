//! The kinds of credentials, one file each.

mod bearer;
mod client_tls;

pub(crate) use bearer::BearerFactory;
pub(crate) use client_tls::ClientTlsFactory;
