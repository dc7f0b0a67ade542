//! Browsers signed in to the portal. Only digests are stored: of the cookie, and of the operator's first
//! key, which is a setting and has no row of its own.

use super::caller::Caller;
use super::keys::{Principal, Role};
use super::{Error, Store};
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
    let (key, operator_key) = match &means {
        Means::Key(id) => (Some(*id), None),
        Means::OperatorKey(hash) => (None, Some(&hash[..])),
    };
    let store = store.on_behalf_of(Caller::doorkeeper());
    store.rows("sessions.begin", BEGIN, &[&&hash[..], &key, &operator_key]).await.map(drop)
}

/// Whose session this is; `operator_key` is the SHA-256 of the one now set.
pub async fn find(
    store: &Store,
    hash: &[u8; 32],
    operator_key: Option<&[u8; 32]>,
) -> Result<Option<Principal>, Error> {
    let store = store.on_behalf_of(Caller::doorkeeper());
    let operator_key = operator_key.map(|hash| &hash[..]);
    let rows = store.rows("sessions.find", FIND, &[&&hash[..], &operator_key]).await?;
    Ok(rows
        .first()
        .map(|row| Principal { key_id: row.get(0), role: Role::of(row.get(1), row.get(2)) }))
}

/// Ends a session, if there is one.
pub async fn end(store: &Store, hash: &[u8; 32]) -> Result<(), Error> {
    let store = store.on_behalf_of(Caller::doorkeeper());
    store.rows("sessions.end", END, &[&&hash[..]]).await.map(drop)
}
