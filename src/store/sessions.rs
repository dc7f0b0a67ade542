//! Browsers signed in to the portal. Only digests are stored: of the cookie, and of the operator's first
//! key, which is a setting and has no row of its own.

use super::keys::{Principal, Role};
use super::{During, Error, Store};
use crate::domain::id::Id;

const BEGIN: &str = include_str!("../../sql/sessions/begin.sql");
const FIND: &str = include_str!("../../sql/sessions/find.sql");
const END: &str = include_str!("../../sql/sessions/end.sql");

/// What a session was begun with; it ends when that is no longer good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// A key of the table.
    Key(Id),
    /// The operator's first key, by its SHA-256.
    OperatorKey([u8; 32]),
}

/// Begins a session of twelve hours. `hash` is the SHA-256 of what the cookie holds.
pub async fn begin(store: &Store, hash: &[u8; 32], means: Means) -> Result<(), Error> {
    let client = store.client("sessions.begin").await?;
    let statement = client.prepare_cached(BEGIN).await.during("sessions.begin")?;
    let (key, operator_key) = match &means {
        Means::Key(id) => (Some(*id), None),
        Means::OperatorKey(hash) => (None, Some(&hash[..])),
    };
    client
        .execute(&statement, &[&&hash[..], &key, &operator_key])
        .await
        .during("sessions.begin")?;
    Ok(())
}

/// Whose session this is; `operator_key` is the SHA-256 of the one now set.
pub async fn find(
    store: &Store,
    hash: &[u8; 32],
    operator_key: Option<&[u8; 32]>,
) -> Result<Option<Principal>, Error> {
    let client = store.client("sessions.find").await?;
    let statement = client.prepare_cached(FIND).await.during("sessions.find")?;
    let operator_key = operator_key.map(|hash| &hash[..]);
    let row =
        client.query_opt(&statement, &[&&hash[..], &operator_key]).await.during("sessions.find")?;
    Ok(row.map(|row| Principal { key_id: row.get(0), role: Role::of(row.get(1), row.get(2)) }))
}

/// Ends a session, if there is one.
pub async fn end(store: &Store, hash: &[u8; 32]) -> Result<(), Error> {
    let client = store.client("sessions.end").await?;
    let statement = client.prepare_cached(END).await.during("sessions.end")?;
    client.execute(&statement, &[&&hash[..]]).await.during("sessions.end")?;
    Ok(())
}
