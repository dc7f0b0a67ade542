//! How often somebody may fail to sign in, and which browsers are known. In PostgreSQL, so that all admins
//! count together.

use super::caller::Caller;
use super::{Error, Store};
use crate::domain::id::Id;

const RESERVE: &str = include_str!("../../sql/sign_ins/reserve.sql");
const GIVE_BACK: &str = include_str!("../../sql/sign_ins/give_back.sql");
const SWEEP: &str = include_str!("../../sql/sign_ins/sweep.sql");
const IS_KNOWN: &str = include_str!("../../sql/known_devices/is_known.sql");
const REMEMBER: &str = include_str!("../../sql/known_devices/remember.sql");

/// What failed attempts are counted by, and how many are free.
pub type Budget = (String, i32);

/// Counts an attempt as failed before it is made; gives the seconds to wait when it may not be made yet.
pub async fn reserve(store: &Store, budgets: &[Budget]) -> Result<Option<i64>, Error> {
    let store = store.on_behalf_of(Caller::doorkeeper());
    for (at, (bucket, free)) in budgets.iter().enumerate() {
        let rows = store.rows("sign_ins.reserve", RESERVE, &[bucket, free]).await?;
        let taken = rows.first().is_some_and(|row| row.get(0));
        if !taken {
            give_back(&store, &budgets[..at]).await?;
            return Ok(Some(rows.first().map_or(1, |row| row.get(1))));
        }
    }
    Ok(None)
}

/// The attempt did not fail.
pub async fn give_back(store: &Store, budgets: &[Budget]) -> Result<(), Error> {
    let store = store.on_behalf_of(Caller::doorkeeper());
    let buckets: Vec<&str> = budgets.iter().map(|(bucket, _)| bucket.as_str()).collect();
    store.rows("sign_ins.give_back", GIVE_BACK, &[&buckets]).await?;
    Ok(())
}

/// Whether a user signed in with a browser before, by the SHA-256 of its cookie.
pub async fn is_known(store: &Store, device: &[u8; 32], user: Id) -> Result<bool, Error> {
    let store = store.on_behalf_of(Caller::doorkeeper());
    let known: Option<bool> =
        store.value("known_devices.is_known", IS_KNOWN, &[&&device[..], &user]).await?;
    Ok(known.is_some())
}

/// Knows a browser from now on.
pub async fn remember(store: &Store, device: &[u8; 32], user: Id) -> Result<(), Error> {
    let store = store.on_behalf_of(Caller::doorkeeper());
    store.rows("known_devices.remember", REMEMBER, &[&&device[..], &user]).await?;
    Ok(())
}

/// Deletes what is over; part of a worker's housekeeping.
pub async fn sweep(store: &Store) -> Result<(), Error> {
    store.rows("sign_ins.sweep", SWEEP, &[]).await?;
    Ok(())
}
