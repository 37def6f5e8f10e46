//! What a process writes, kept from its first byte on.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::Error;

/// How much of a log an error shows.
const TAIL_LINES: usize = 40;

/// One stream of a process, read by a task of its own so that the process never waits for the test.
#[derive(Debug, Clone)]
pub(crate) struct Captured {
    bytes: watch::Receiver<Vec<u8>>,
}

impl Captured {
    /// Reads until the stream ends, whoever listens.
    pub(crate) fn from(stream: impl AsyncRead + Send + Unpin + 'static) -> Self {
        let (sender, bytes) = watch::channel(Vec::new());
        tokio::spawn(copy(stream, sender));
        Self { bytes }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.bytes.borrow().clone()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.borrow()).into_owned()
    }

    /// The last lines, to be appended to an error.
    pub(crate) fn tail(&self) -> String {
        let text = self.text();
        let lines: Vec<&str> = text.lines().collect();
        let shown = &lines[lines.len().saturating_sub(TAIL_LINES)..];
        format!("\nstandard error, {} of {} lines:\n{}", shown.len(), lines.len(), shown.join("\n"))
    }

    /// Waits until the stream has ended.
    pub(crate) async fn end(&self) {
        let mut bytes = self.bytes.clone();
        while bytes.changed().await.is_ok() {}
    }

    /// Waits for a complete line that contains a text.
    pub(crate) async fn wait_for_line(&self, text: &str, limit: Duration) -> Result<String, Error> {
        match timeout(limit, self.line_with(text)).await {
            Ok(Some(line)) => Ok(line),
            Ok(None) => Err(Error::new(format!("the process ended without a line with `{text}`{}", self.tail()))),
            Err(_) => Err(Error::new(format!("no line with `{text}` within {limit:?}{}", self.tail()))),
        }
    }

    async fn line_with(&self, text: &str) -> Option<String> {
        let mut bytes = self.bytes.clone();
        loop {
            let line = find_line(&bytes.borrow_and_update(), text);
            if line.is_some() {
                return line;
            }
            bytes.changed().await.ok()?;
        }
    }
}

async fn copy(mut stream: impl AsyncRead + Unpin, sender: watch::Sender<Vec<u8>>) {
    let mut buffer = [0; 8192];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        sender.send_modify(|bytes| bytes.extend_from_slice(&buffer[..length]));
    }
}

/// The first line that contains the text; one still without its end does not count.
fn find_line(bytes: &[u8], text: &str) -> Option<String> {
    let complete = &bytes[..=bytes.iter().rposition(|byte| *byte == b'\n')?];
    let complete = String::from_utf8_lossy(complete);
    complete.lines().find(|line| line.contains(text)).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_complete_lines_are_found() {
        assert_eq!(find_line(b"one\ntwo\nthre", "w").as_deref(), Some("two"));
        assert_eq!(find_line(b"one\ntwo\nthre", "thr"), None);
        assert_eq!(find_line(b"one", "one"), None);
    }
}
