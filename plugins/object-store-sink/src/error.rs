//! Why objects cannot be put into a store.

use regent_core::{Error, ErrorKind};

/// Most characters of what a store says that are passed on.
const MOST_SAID: usize = 400;

/// Why a store cannot be used, or an object is not in it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("{0}")]
    Setup(Said),
    #[error("the bucket or container of {0} is not there; make it, or change `url`")]
    Missing(String, #[source] Said),
    #[error("{0} does not let us write; check the credentials and what they may do")]
    Denied(String, #[source] Said),
    #[error("cannot write to {0}")]
    Failed(String, #[source] Said),
    #[error("events cannot be compressed")]
    Compression(#[source] std::io::Error),
}

/// What a store, or the way to it, says: on one line, and not too much of it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Said(String);

impl Said {
    /// What we say ourselves.
    #[cfg(feature = "gcp")]
    pub(crate) fn ours(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(crate) fn of(error: &dyn std::error::Error) -> Self {
        let words = error.to_string();
        let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(MOST_SAID) {
            Some((end, _)) => Self(format!("{} …", &line[..end])),
            None => Self(line),
        }
    }
}

impl StoreError {
    /// Why nothing is in the store at the URL.
    pub(crate) fn put(url: &str, error: &object_store::Error) -> Self {
        use object_store::Error::{NotFound, PermissionDenied, Unauthenticated};
        let (url, said) = (url.to_owned(), Said::of(error));
        match error {
            NotFound { .. } => Self::Missing(url, said),
            PermissionDenied { .. } | Unauthenticated { .. } => Self::Denied(url, said),
            _ => Self::Failed(url, said),
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let (kind, message) = match &error {
            StoreError::Setup(_) => (ErrorKind::Config, "the store cannot be used"),
            // Someone may mend it while the agent runs.
            _ => (ErrorKind::Unavailable, "decisions cannot be stored"),
        };
        Self::new(kind, message).caused_by(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_to_do_and_not_too_much_of_what_the_store_said() {
        let denied =
            || object_store::Error::PermissionDenied { path: "a/b".to_owned(), source: "<x>\n  no\n</x>".into() };
        let error = Error::from(StoreError::put("s3://logs", &denied()));
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let start =
            "decisions cannot be stored: s3://logs does not let us write; check the credentials and what they may do: ";
        assert!(error.chain().starts_with(start) && error.chain().ends_with(": <x> no </x>"), "{}", error.chain());
        let missing = object_store::Error::NotFound { path: "a".to_owned(), source: "ä".repeat(1000).into() };
        let error = Error::from(StoreError::put("s3://logs", &missing)).chain();
        assert!(error.contains("is not there; make it") && error.chars().count() < 600, "{error}");
    }
}
