//! What a worker does beside settling: it audits the books, releases what is due, forgets old keys.

use std::time::{Duration, Instant};

use super::{Error, SETTLE_SILENCE_MAX, now_ms};
use crate::domain::id::{self, Id};
use crate::pulse::Pulse;
use crate::store::audit::{self as invariants, WHOLE};
use crate::store::{Store, settle};
use crate::telemetry;
use crate::worker;

/// How often commissions are released whose hold period has passed.
const RELEASE_EVERY: Duration = Duration::from_secs(1);
/// How often what is new in the books is audited, and how far back that reaches; and how often all is.
const AUDIT_EVERY: Duration = Duration::from_secs(60);
const AUDIT_RECENT: Duration = Duration::from_secs(15 * 60);
const AUDIT_WHOLE_EVERY: Duration = Duration::from_secs(24 * 3600);
/// How often keys of settled frames are pruned, from the start on: a worker may not live so long.
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// Audits what is new again and again, and all of it once a day: that reads the whole history.
pub(super) async fn audit_for_ever(store: Store) {
    let (mut whole_at, mut broken_whole) = (Instant::now(), 0);
    loop {
        let is_whole = whole_at.elapsed() > AUDIT_WHOLE_EVERY;
        let since = match is_whole {
            true => WHOLE,
            false => id::next(0, 0, now_ms() - AUDIT_RECENT.as_millis() as i64),
        };
        match audit_since(&store, since).await {
            Ok(found) => {
                let broken = found.iter().map(|(_, rows)| rows).sum();
                if is_whole {
                    (whole_at, broken_whole) = (Instant::now(), broken);
                }
                telemetry::violations(broken.max(broken_whole));
            }
            Err(error) => tracing::warn!(%error, "cannot audit the books"),
        }
        tokio::time::sleep(AUDIT_EVERY).await;
    }
}

pub(super) async fn keep_house(store: Store) {
    let (mut since_prune, pulse) = (PRUNE_EVERY, Pulse::new("release", SETTLE_SILENCE_MAX));
    loop {
        pulse.beat();
        if let Err(error) = worker::release(&store, now_ms()).await {
            tracing::warn!(%error, "cannot release commissions");
        }
        if since_prune >= PRUNE_EVERY {
            since_prune = Duration::ZERO;
            if let Err(error) = settle::prune_frames(&store).await {
                tracing::warn!(%error, "cannot prune frames");
            }
        }
        tokio::time::sleep(RELEASE_EVERY).await;
        since_prune += RELEASE_EVERY;
    }
}

/// Checks every invariant of all that there is; the number of rows that break one, per invariant.
pub async fn audit(store: &Store) -> Result<Vec<(&'static str, usize)>, Error> {
    audit_since(store, WHOLE).await
}

/// Checks every invariant of what is as new as an id.
pub async fn audit_since(store: &Store, since: Id) -> Result<Vec<(&'static str, usize)>, Error> {
    let found = invariants::run(store, since).await?;
    if found.iter().any(|(_, rows)| *rows > 0) {
        tracing::error!(?found, "the books break an invariant");
    }
    Ok(found)
}
