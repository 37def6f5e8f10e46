//! Content that is checked while it comes.

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use regent_core::Error;
use regent_signing::hex;
use sha2::{Digest as _, Sha256};

use super::failure::Failure;
use super::manifest::Layer;
use super::reference::Digest;

/// Fails unless the content is the one that the digest calls.
pub(super) fn check(content: &[u8], promised: &Digest) -> Result<(), Failure> {
    let found = hex::spell(&Sha256::digest(content));
    if found == promised.hex() { Ok(()) } else { Err(Failure::mismatch(promised, &found)) }
}

/// What has come of a layer so far.
struct Coming {
    body: BoxStream<'static, Result<Bytes, Error>>,
    layer: Layer,
    seen: u64,
    hasher: Sha256,
}

/// The pieces of a layer, of which no more come than its manifest says; the last one is an error unless all of them
/// together are what the manifest names. `told` makes the error of whoever asked.
pub(super) fn checked(
    body: BoxStream<'static, Result<Bytes, Error>>,
    layer: Layer,
    told: impl Fn(Failure) -> Error + Send + 'static,
) -> BoxStream<'static, Result<Bytes, Error>> {
    let coming = Coming { body, layer, seen: 0, hasher: Sha256::new() };
    let pieces = stream::unfold((Some(coming), told), async |(coming, told)| {
        let mut coming = coming?;
        match coming.next().await {
            Ok(Some(piece)) => Some((Ok(piece), (Some(coming), told))),
            Ok(None) => None,
            Err(failure) => Some((Err(told(failure)), (None, told))),
        }
    });
    pieces.boxed()
}

impl Coming {
    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let Layer { digest, size } = &self.layer;
        let Some(piece) = self.body.next().await else {
            if self.seen != *size {
                let seen = self.seen;
                return Err(Failure::Content(format!("{digest} ends after {seen} of {size} bytes")));
            }
            let found = hex::spell(&std::mem::take(&mut self.hasher).finalize());
            return if found == digest.hex() { Ok(None) } else { Err(Failure::mismatch(digest, &found)) };
        };
        let piece = piece.map_err(|error| Failure::Content(format!("{digest}: {}", error.chain())))?;
        self.seen += piece.len() as u64;
        if self.seen > *size {
            return Err(Failure::Content(format!("{digest} is larger than the {size} bytes of its descriptor")));
        }
        self.hasher.update(&piece);
        Ok(Some(piece))
    }
}
