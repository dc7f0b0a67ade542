//! Calls that are done once, however often they are sent: the answer to a call is kept, in the transaction that
//! did it, under its caller and his key, and is given again to whoever sends the same again. A call that was
//! refused did nothing, and nothing is kept of it.

use super::{During, Error, Store, Transaction};

const LOCK: &str = include_str!("../../sql/idempotency/lock.sql");
const FIND: &str = include_str!("../../sql/idempotency/find.sql");
const KEEP: &str = include_str!("../../sql/idempotency/keep.sql");
const SWEEP: &str = include_str!("../../sql/idempotency/sweep.sql");

/// A call, as it is told from others.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// As the audit log names him.
    pub caller: &'a str,
    /// 1 to 255 characters.
    pub key: &'a str,
    /// SHA-256 of all that was asked for.
    pub fingerprint: &'a [u8; 32],
}

/// What a call is answered when it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// An HTTP status.
    pub status: u16,
    /// Where the thing made is.
    pub location: Option<String>,
    /// JSON.
    pub body: String,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Once {
    /// It was done now.
    Done(Answer),
    /// It was done before; this was the answer.
    Again(Answer),
    /// The same key is being worked on.
    InUse,
    /// The key was used for another call.
    Reused,
}

/// Does `work`, if it was not done before, in one transaction with the keeping of its answer. When `work`
/// refuses, nothing of it remains.
pub async fn once<E: From<Error>>(
    store: &Store,
    asked: Asked<'_>,
    work: impl AsyncFnOnce(&Transaction<'_>) -> Result<Answer, E>,
) -> Result<Once, E> {
    let Asked { caller, key, fingerprint } = asked;
    let once = within(store, async |tx| {
        let statement = tx.prepare_cached(LOCK).await.during("idempotency.lock")?;
        let row = tx.query_one(&statement, &[&caller, &key]).await.during("idempotency.lock")?;
        if !row.get::<_, bool>(0) {
            return Ok(Once::InUse);
        }
        // A statement of its own: its snapshot is from after the lock.
        let statement = tx.prepare_cached(FIND).await.during("idempotency.find")?;
        let row = tx.query_opt(&statement, &[&caller, &key]).await.during("idempotency.find")?;
        if let Some(row) = row {
            let is_same = row.get::<_, &[u8]>("fingerprint") == &fingerprint[..];
            let status: i16 = row.get("status");
            let answer = Answer {
                status: u16::try_from(status).unwrap_or_default(),
                location: row.get("location"),
                body: row.get("body"),
            };
            return Ok(if is_same { Once::Again(answer) } else { Once::Reused });
        }
        let answer = work(tx).await?;
        let status = i16::try_from(answer.status).unwrap_or_default();
        let values: super::page::Values<'_> =
            &[&caller, &key, &&fingerprint[..], &status, &answer.location, &answer.body];
        let statement = tx.prepare_cached(KEEP).await.during("idempotency.keep")?;
        tx.execute(&statement, values).await.during("idempotency.keep")?;
        Ok(Once::Done(answer))
    });
    once.await
}

/// Does `work` in one transaction, without a key. When it refuses, nothing of it remains.
pub async fn within<T, E: From<Error>>(
    store: &Store,
    work: impl AsyncFnOnce(&Transaction<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let mut client = store.client("call").await?;
    let tx = client.transaction().await.during("call")?;
    if let Some(bound) = &store.bound {
        bound.bind(&tx).await?;
    }
    let done = work(&tx).await?;
    tx.commit().await.during("call")?;
    Ok(done)
}

/// Forgets answers of long ago.
pub async fn sweep(store: &Store) -> Result<(), Error> {
    store.rows("idempotency.sweep", SWEEP, &[]).await.map(drop)
}
