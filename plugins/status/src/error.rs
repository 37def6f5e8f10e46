//! Why a report did not arrive.

use http::StatusCode;

/// Why a report did not arrive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The service refused it.
    #[error("status update failed, server replied with HTTP {} {}", .0.as_u16(), .0.canonical_reason().unwrap_or_default())]
    Refused(StatusCode),
    /// The receiver could not be reached.
    #[error("status update failed: {0}")]
    Unreachable(String),
}
