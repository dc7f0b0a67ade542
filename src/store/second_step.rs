//! The second step of signing in: what codes are checked by, and that each is good once.

use super::caller::Caller;
use super::keys::Actor;
use super::users::run;
use super::{Error, Store};
use crate::domain::id::Id;
use crate::domain::totp;

const SECOND_STEP: &str = include_str!("../../sql/users/second_step.sql");
const TAKE_CODE: &str = include_str!("../../sql/users/take_code.sql");
const SET: &str = include_str!("../../sql/users/set_second_step.sql");
const ADD_RECOVERY: &str = include_str!("../../sql/users/add_recovery_codes.sql");
const TAKE_RECOVERY: &str = include_str!("../../sql/users/take_recovery_code.sql");
const FORGET_RECOVERY: &str = include_str!("../../sql/users/forget_recovery_codes.sql");
const COUNT_RECOVERY: &str = include_str!("../../sql/users/count_recovery_codes.sql");

/// What a user's codes are checked by.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct SecondStep {
    pub email: String,
    /// Absent when he signs in in one step.
    pub secret: Option<Vec<u8>>,
    /// Of the last code that was taken.
    pub used: i64,
    /// The step it is now, by the database's clock.
    pub step: i64,
}

/// A user's second step, if there is such a user.
pub async fn of(store: &Store, user: Id) -> Result<Option<SecondStep>, Error> {
    let store = store.on_behalf_of(Caller::doorkeeper());
    let rows = store.rows("users.second_step", SECOND_STEP, &[&user]).await?;
    Ok(rows.first().map(|row| SecondStep {
        email: row.get("email"),
        secret: row.get("totp_secret"),
        used: row.get("totp_step"),
        step: row.get("step"),
    }))
}

/// Uses a code up if it is good, and tells which it was, as the audit log does: one of the authenticator app
/// (`totp`), or a recovery code by its SHA-256 (`recovery_code`).
pub async fn take(
    store: &Store,
    user: Id,
    code: &str,
    recovery: &[u8; 32],
) -> Result<Option<&'static str>, Error> {
    let store = store.on_behalf_of(Caller::doorkeeper());
    let Some(second) = of(&store, user).await? else { return Ok(None) };
    let Some(secret) = second.secret else { return Ok(None) };
    if let Some(step) = totp::matches(&secret, code, second.step, second.used) {
        let taken: Option<Id> = store.value("users.take_code", TAKE_CODE, &[&user, &step]).await?;
        return Ok(taken.map(|_| "totp"));
    }
    let values: super::page::Values<'_> = &[&user, &&recovery[..]];
    let taken: Option<Id> = store.value("users.take_recovery_code", TAKE_RECOVERY, values).await?;
    Ok(taken.map(|_| "recovery_code"))
}

/// Asks for codes by this secret from now on; `step` is that of the first code, which is used up. The digests
/// are of the recovery codes, of which former ones are worth nothing any more.
pub async fn turn_on(
    store: &Store,
    user: Id,
    (secret, step): (&[u8], i64),
    recovery: &[[u8; 32]],
) -> Result<(), Error> {
    let digests: Vec<&[u8]> = recovery.iter().map(|digest| &digest[..]).collect();
    let store = store.on_behalf_of(Caller::at_the_door(Actor::User(user)));
    store
        .transaction("users.set_second_step", async |tx| {
            run(tx, "users.set_second_step", SET, &[&user, &secret, &step]).await?;
            run(tx, "users.forget_recovery_codes", FORGET_RECOVERY, &[&user]).await?;
            run(tx, "users.add_recovery_codes", ADD_RECOVERY, &[&user, &digests]).await
        })
        .await
}

/// Asks for no more codes.
pub async fn turn_off(store: &Store, user: Id) -> Result<(), Error> {
    turn_on(store, user, (&[], 0), &[]).await
}

/// How many recovery codes a user has left.
pub async fn recovery_codes_left(store: &Store, user: Id) -> Result<i64, Error> {
    let store = store.on_behalf_of(Caller::doorkeeper());
    let count = store.value("users.count_recovery_codes", COUNT_RECOVERY, &[&user]).await?;
    Ok(count.unwrap_or(0))
}
