//! What a worker does beside settling: it audits the books, seals them, closes months, releases what
//! is due, forgets old keys.

use std::time::{Duration, Instant};

use super::{Error, SETTLE_SILENCE_MAX, now_ms};
use crate::domain::id::{self, Id};
use crate::pulse::Pulse;
use crate::store::audit::{self as invariants, WHOLE};
use crate::store::seals::{self, Sealer};
use crate::store::{Store, books, idempotency, months, reconciliations, settle, sign_ins};
use crate::telemetry;
use crate::worker;

/// How often commissions are released whose hold period has passed.
const RELEASE_EVERY: Duration = Duration::from_secs(1);
/// How often what is new in the books is audited, and how far back that reaches at least: what came since the
/// last audit, and was in a transaction then.
const AUDIT_EVERY: Duration = Duration::from_secs(60);
const AUDIT_RECENT_MS: i64 = 100_000;
/// When all is audited: some minutes after the start, and once a day; each hour while something is broken.
const AUDIT_WHOLE_AFTER: Duration = Duration::from_secs(300);
const AUDIT_WHOLE_EVERY: Duration = Duration::from_secs(24 * 3600);
const AUDIT_BROKEN_EVERY: Duration = Duration::from_secs(3600);
/// Longer than it takes to read a long history.
const AUDIT_SILENCE_MAX: Duration = Duration::from_secs(6 * 3600);
/// How often transfers that have come to rest are sealed: a seal takes some two hundred bytes, for each advertiser
/// who sold something since.
const SEAL_EVERY: Duration = Duration::from_secs(60);
/// How often months are closed that are due, and how many affiliates' at once.
const CLOSE_EVERY: Duration = Duration::from_secs(60);
const CLOSE_MAX: usize = 20;
/// How often keys of settled frames are pruned, from the start on: a worker may not live so long.
const PRUNE_EVERY: Duration = Duration::from_secs(60);
/// Conversions that are priced again at once when a rate that they waited for has come, at most: each is a transaction
/// of some milliseconds, and releases wait meanwhile.
const REPRICE_MAX: usize = 500;

/// Audits what is new again and again, and now and then all of it: that reads the whole history.
pub(super) async fn audit_for_ever(store: Store) {
    let pulse = Pulse::new("audit", AUDIT_SILENCE_MAX);
    let (mut whole_due, mut broken_whole) = (Instant::now() + AUDIT_WHOLE_AFTER, 0);
    let mut oldest = Id::MAX;
    loop {
        // Not at once: a worker that comes back has more urgent things to do, and there is nothing new of it.
        pulse.beat();
        tokio::time::sleep(AUDIT_EVERY).await;
        let is_whole = Instant::now() > whole_due;
        // What was settled since the last audit may have come long ago.
        oldest = oldest.min(worker::oldest_settled());
        let recent = oldest.min(id::next(0, 0, now_ms() - AUDIT_RECENT_MS));
        match audit_since(&store, if is_whole { WHOLE } else { recent }).await {
            Ok(found) => {
                let broken = found.iter().map(|(_, rows)| rows).sum();
                oldest = Id::MAX;
                if is_whole {
                    let every = if broken > 0 { AUDIT_BROKEN_EVERY } else { AUDIT_WHOLE_EVERY };
                    (whole_due, broken_whole) = (Instant::now() + every, broken);
                }
                telemetry::audited(broken.max(broken_whole), now_ms());
            }
            Err(error) => tracing::warn!(%error, "cannot audit the books"),
        }
    }
}

/// Seals what has come to rest, again and again. What is long overdue, after an upgrade, is sealed block by block
/// without a pause.
pub(super) async fn seal_for_ever(store: Store) {
    let (mut sealer, pulse) = (Sealer::default(), Pulse::new("seal", SETTLE_SILENCE_MAX));
    loop {
        pulse.beat();
        let sealed = sealer.turn(&store).await;
        if let Err(error) = &sealed {
            tracing::warn!(%error, "cannot seal transfers");
        }
        match seals::oldest_open(&store).await {
            Ok(oldest) => {
                let lag = |id| (now_ms() - id::time_ms(id)).max(0);
                telemetry::seal_lag(oldest.map_or(0, lag));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot tell how old the oldest unsealed transfer is")
            }
        }
        if !matches!(sealed, Ok(seals::BLOCK_MAX)) {
            tokio::time::sleep(SEAL_EVERY).await;
        }
    }
}

/// Closes the months that are due, again and again: many without a pause.
pub(super) async fn close_months_for_ever(store: Store) {
    let pulse = Pulse::new("months", SETTLE_SILENCE_MAX);
    loop {
        pulse.beat();
        match months::close_due(&store, now_ms(), CLOSE_MAX).await {
            Ok(CLOSE_MAX) => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "cannot close months"),
        }
        tokio::time::sleep(CLOSE_EVERY).await;
    }
}

pub(super) async fn keep_house(store: Store) {
    let (mut since_prune, pulse) = (PRUNE_EVERY, Pulse::new("release", SETTLE_SILENCE_MAX));
    let mut lines_left = false;
    loop {
        pulse.beat();
        match worker::release(&store, now_ms()).await {
            Ok(worker::RELEASE_MAX) => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "cannot release commissions"),
        }
        if lines_left || since_prune >= PRUNE_EVERY {
            lines_left = reconciliations::sweep(&store).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "cannot sweep lists of orders");
                false
            });
        }
        if since_prune >= PRUNE_EVERY {
            since_prune = Duration::ZERO;
            if let Err(error) = books::reprice(&store, REPRICE_MAX).await {
                tracing::warn!(%error, "cannot price again what waited for a rate");
            }
            if let Err(error) = settle::prune_frames(&store).await {
                tracing::warn!(%error, "cannot prune frames");
            }
            if let Err(error) = idempotency::sweep(&store).await {
                tracing::warn!(%error, "cannot sweep answers to old calls");
            }
            if let Err(error) = sign_ins::sweep(&store).await {
                tracing::warn!(%error, "cannot sweep sessions");
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
