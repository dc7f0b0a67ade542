//! A body that is taken as it comes, in pieces: for what is too large to be kept.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use super::{BodyFault, UNREAD};

/// A body with its limits.
pub struct Chunks {
    body: Incoming,
    /// Bytes that may still come.
    left: u64,
    /// For each piece.
    timeout: Duration,
}

impl Chunks {
    /// Of at most `bytes_max`, each piece within `timeout`.
    pub fn new(body: Incoming, bytes_max: u64, timeout: Duration) -> Result<Self, BodyFault> {
        if body.size_hint().lower() > bytes_max {
            return Err(BodyFault::TooLarge);
        }
        Ok(Chunks { body, left: bytes_max, timeout })
    }

    /// The next piece; none when the body is whole. Its sender is let send on only when it is taken.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BodyFault> {
        loop {
            let frame = tokio::time::timeout(self.timeout, self.body.frame()).await;
            let Some(frame) = frame.map_err(|_| BodyFault::TimedOut)? else { return Ok(None) };
            let frame = frame.map_err(|_| BodyFault::Broken)?;
            let Ok(piece) = frame.into_data() else { continue }; // Trailers.
            self.left = self.left.checked_sub(piece.len() as u64).ok_or(BodyFault::TooLarge)?;
            return Ok(Some(piece));
        }
    }
}

/// Notes that the body of the request that this task answers was read to its end, wherever that was done.
pub fn read_to_its_end() {
    let _ = UNREAD.try_with(|unread| unread.set(false));
}
