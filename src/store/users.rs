//! People who sign in by e-mail and password: found, listed, changed. Password hashes and the secrets of the
//! second step leave here only to be checked against.

use jiff::Timestamp;

use super::caller::Caller;
use super::keys::{self, Actor, Principal, Role};
use super::page::{Page, Revision, Scope, made};
use super::{During, Error, Store, Transaction, sessions};
use crate::domain::id::Id;
use crate::domain::rights::Rights;

const TO_SIGN_IN: &str = include_str!("../../sql/users/to_sign_in.sql");
const SELECT: &str = include_str!("../../sql/users/select.sql");
const HAS_EMAIL: &str = include_str!("../../sql/users/has_email.sql");
const UPDATE: &str = include_str!("../../sql/users/update.sql");
const CREATE: &str = include_str!("../../sql/users/create.sql");
const PASSWORD_HASH: &str = include_str!("../../sql/users/password_hash.sql");
const SET_PASSWORD: &str = include_str!("../../sql/users/set_password.sql");
const FORGET_DEVICES: &str = include_str!("../../sql/known_devices/forget.sql");
const WITHDRAW: &str = include_str!("../../sql/invitations/withdraw.sql");
const WITHDRAW_RESETS: &str = include_str!("../../sql/invitations/withdraw_resets.sql");

/// Somebody who wants to sign in.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Claimed {
    pub id: Id,
    pub who: Principal,
    pub email: String,
    pub password_hash: String,
    pub two_steps: bool,
}

/// Who has this e-mail, unless he is disabled.
pub async fn to_sign_in(store: &Store, email: &str) -> Result<Option<Claimed>, Error> {
    let store = store.on_behalf_of(Caller::doorkeeper());
    let rows = store.rows("users.to_sign_in", TO_SIGN_IN, &[&email]).await?;
    Ok(rows.first().map(|row| {
        let id = row.get("id");
        let role = Role::of(row.get("advertiser_id"), row.get("affiliate_id"));
        Claimed {
            id,
            who: Principal { actor: Actor::User(id), role, rights: keys::rights(row) },
            email: row.get("email"),
            password_hash: row.get("password_hash"),
            two_steps: row.get("two_steps"),
        }
    }))
}

/// A user, as those see him who manage him.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct User {
    pub id: Id,
    pub email: String,
    pub name: String,
    pub role: Role,
    pub rights: Rights,
    pub two_steps: bool,
    pub disabled_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub revision: Revision,
}

/// One or a page.
pub async fn select(store: &Store, scope: Scope, page: Page) -> Result<Vec<User>, Error> {
    let Page { id, before, limit } = page;
    let values: super::page::Values<'_> = &[&scope.advertiser_id, &id, &before, &limit];
    let rows = store.rows("users.select", SELECT, values).await?;
    let user = |row: &tokio_postgres::Row| User {
        id: row.get("id"),
        email: row.get("email"),
        name: row.get("name"),
        role: Role::of(row.get("advertiser_id"), row.get("affiliate_id")),
        rights: keys::rights(row),
        two_steps: row.get("two_steps"),
        disabled_at: row.get("disabled_at"),
        created_at: row.get("created_at"),
        revision: row.get("revision"),
    };
    Ok(rows.iter().map(user).collect())
}

/// Whether one of those whom somebody may see has this e-mail already. Of others he learns nothing.
pub async fn has_email(store: &Store, scope: Scope, email: &str) -> Result<bool, Error> {
    let values: super::page::Values<'_> = &[&scope.advertiser_id, &email];
    let found: Option<Id> = store.value("users.has_email", HAS_EMAIL, values).await?;
    Ok(found.is_some())
}

/// What is to change; absent stays.
#[derive(Debug, Default, Clone)]
#[allow(missing_docs)]
pub struct Change {
    pub email: Option<String>,
    pub rights: Option<Rights>,
    pub disabled: Option<bool>,
    /// He lost what makes his codes.
    pub second_step_off: bool,
    /// Only if it still stands so.
    pub only_at: Option<Revision>,
}

/// Changes a user. One who is disabled is signed out everywhere, and so is one whose second step was taken
/// off; links that a disabled one made are worth nothing any more. False when there is none, or he stands
/// otherwise.
pub async fn update(store: &Store, id: Id, change: &Change) -> Result<bool, Error> {
    let Change { email, rights, disabled, second_step_off, only_at } = change;
    let scopes = rights.map(Rights::codes);
    store
        .transaction("users.update", async |tx| {
            let values: super::page::Values<'_> =
                &[&id, &scopes, disabled, second_step_off, only_at, email];
            let statement = tx.prepare_cached(UPDATE).await.during("users.update")?;
            if tx.query_opt(&statement, values).await.during("users.update")?.is_none() {
                return Ok(false);
            }
            if *disabled == Some(true) || *second_step_off {
                sign_out(tx, id, None).await?;
            }
            if *disabled == Some(true) {
                run(tx, "invitations.withdraw", WITHDRAW, &[&id]).await?;
            }
            Ok(true)
        })
        .await
}

/// What a browser of somebody holds: the session's and the device's SHA-256.
pub type Browser<'a> = (&'a [u8; 32], Option<&'a [u8; 32]>);

/// Ends all sessions of a user and forgets his browsers, but for the one that asks, if any; links for a new
/// password of his are worth nothing any more.
pub async fn sign_out_everywhere(
    store: &Store,
    id: Id,
    but: Option<Browser<'_>>,
) -> Result<(), Error> {
    let store = store.on_behalf_of(Caller::at_the_door(Actor::User(id)));
    store.transaction("users.sign_out", async |tx| keep_to_himself(tx, id, but).await).await
}

/// For somebody who defends his account: whoever else has a session, a browser or a link of his is shut out.
async fn keep_to_himself(
    tx: &Transaction<'_>,
    id: Id,
    but: Option<Browser<'_>>,
) -> Result<(), Error> {
    run(tx, "invitations.withdraw_resets", WITHDRAW_RESETS, &[&id]).await?;
    sign_out(tx, id, but).await
}

pub(super) async fn sign_out(
    tx: &Transaction<'_>,
    id: Id,
    but: Option<Browser<'_>>,
) -> Result<(), Error> {
    let device = but.and_then(|(_, device)| device).map(|hash| &hash[..]);
    sessions::end_others(tx, id, but.map(|(session, _)| session)).await?;
    run(tx, "known_devices.forget", FORGET_DEVICES, &[&id, &device]).await
}

/// What the password of somebody who is signed in is checked by.
pub async fn password_hash(store: &Store, id: Id) -> Result<Option<String>, Error> {
    let store = store.on_behalf_of(Caller::doorkeeper());
    store.value("users.password_hash", PASSWORD_HASH, &[&id]).await
}

/// Another password; all other browsers are signed out, and links for a new one are worth nothing any more.
pub async fn change_password(
    store: &Store,
    id: Id,
    hash: &str,
    but: Browser<'_>,
) -> Result<(), Error> {
    let store = store.on_behalf_of(Caller::at_the_door(Actor::User(id)));
    store
        .transaction("users.change_password", async |tx| {
            set_password(tx, id, hash).await?;
            keep_to_himself(tx, id, Some(but)).await
        })
        .await
}

pub(super) async fn set_password(tx: &Transaction<'_>, id: Id, hash: &str) -> Result<(), Error> {
    run(tx, "users.set_password", SET_PASSWORD, &[&id, &hash]).await
}

/// Somebody new, within the transaction that uses up his invitation.
pub(super) async fn create(
    tx: &Transaction<'_>,
    (email, name): (&str, &str),
    (role, rights): (Role, Rights),
    hash: &str,
) -> Result<Id, Error> {
    let (role, advertiser, affiliate) = role.columns();
    let values: super::page::Values<'_> =
        &[&email, &name, &role, &advertiser, &affiliate, &rights.codes(), &hash];
    let statement = tx.prepare_cached(CREATE).await.during("users.create")?;
    let row = tx.query_opt(&statement, values).await.during("users.create")?;
    made("users.create", row.map(|row| row.get(0)))
}

/// Runs a statement of a transaction that returns nothing.
pub(super) async fn run(
    tx: &Transaction<'_>,
    operation: &'static str,
    sql: &'static str,
    values: super::page::Values<'_>,
) -> Result<(), Error> {
    let statement = tx.prepare_cached(sql).await.during(operation)?;
    tx.execute(&statement, values).await.during(operation)?;
    Ok(())
}
