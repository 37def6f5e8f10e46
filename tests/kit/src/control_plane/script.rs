//! What the test wants the server to do.

use std::collections::HashMap;

use http::{HeaderName, HeaderValue};

use super::bundles::Served;
use super::fault::Faults;

/// Changed by the test at any time; each request sees the script of its moment.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) bundles: HashMap<String, Served>,
    pub(super) faults: Faults,
    pub(super) required_headers: Vec<(HeaderName, HeaderValue)>,
}
