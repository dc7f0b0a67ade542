//! Browsers signed in to the portal. Only digests are stored: of the cookie, and of the operator's first
//! key, which is a setting and has no row of its own.

use jiff::Timestamp;

use super::caller::Caller;
use super::keys::{self, Actor, Principal, Role};
use super::{During, Error, Store, Transaction};
use crate::domain::id::Id;
use crate::domain::rights::Rights;

const BEGIN: &str = include_str!("../../sql/sessions/begin.sql");
const FIND: &str = include_str!("../../sql/sessions/find.sql");
const END: &str = include_str!("../../sql/sessions/end.sql");
const END_OTHERS: &str = include_str!("../../sql/sessions/end_others.sql");
const OF_USER: &str = include_str!("../../sql/sessions/of_user.sql");

/// What a session was begun with; it ends when that is no longer good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// A key of the table.
    Key(Id),
    /// The operator's first key, by its SHA-256.
    OperatorKey([u8; 32]),
    /// E-mail and password of a user.
    Password(Id),
    /// The same, of one whose second step is still to come: it opens nothing but that.
    FirstStep(Id),
}

/// Begins a session. `hash` is the SHA-256 of what the cookie holds; `agent` what the browser calls itself.
pub async fn begin(store: &Store, hash: &[u8; 32], means: Means, agent: &str) -> Result<(), Error> {
    let (mut key, mut operator_key, mut user) = (None, None, None);
    match &means {
        Means::Key(id) => key = Some(*id),
        Means::OperatorKey(hash) => operator_key = Some(&hash[..]),
        Means::Password(id) | Means::FirstStep(id) => user = Some(*id),
    }
    let waits = matches!(means, Means::FirstStep(_));
    let values: super::page::Values<'_> = &[&&hash[..], &key, &operator_key, &user, &waits, &agent];
    let store = store.on_behalf_of(Caller::doorkeeper());
    store.rows("sessions.begin", BEGIN, values).await?;
    Ok(())
}

/// Somebody signed in.
#[derive(Debug, Clone)]
pub struct Session {
    /// Who.
    pub who: Principal,
    /// The user's e-mail and name, if it is a user.
    pub user: Option<(String, String)>,
    /// Whether the second step is still to come.
    pub waits: bool,
}

/// Whose session this is; `operator_key` is the SHA-256 of the one now set.
pub async fn find(
    store: &Store,
    hash: &[u8; 32],
    operator_key: Option<&[u8; 32]>,
) -> Result<Option<Session>, Error> {
    let store = store.on_behalf_of(Caller::doorkeeper());
    let operator_key = operator_key.map(|hash| &hash[..]);
    let rows = store.rows("sessions.find", FIND, &[&&hash[..], &operator_key]).await?;
    Ok(rows.first().map(|row| {
        let (key, user): (Option<Id>, Option<Id>) = (row.get("key_id"), row.get("user_id"));
        let (actor, rights) = match (key, user) {
            (Some(id), _) => (Actor::Key(id), keys::rights(row)),
            (_, Some(id)) => (Actor::User(id), keys::rights(row)),
            _ => (Actor::FirstKey, Rights::ALL),
        };
        let role = Role::of(row.get("advertiser_id"), row.get("affiliate_id"));
        Session {
            who: Principal { actor, role, rights },
            user: user.map(|_| (row.get("email"), row.get("name"))),
            waits: row.get("waits"),
        }
    }))
}

/// Ends a session, if there is one.
pub async fn end(store: &Store, hash: &[u8; 32]) -> Result<(), Error> {
    let store = store.on_behalf_of(Caller::doorkeeper());
    store.rows("sessions.end", END, &[&&hash[..]]).await?;
    Ok(())
}

/// Ends every session of a user but one, within a transaction.
pub(super) async fn end_others(
    tx: &Transaction<'_>,
    user: Id,
    but: Option<&[u8; 32]>,
) -> Result<(), Error> {
    let but = but.map(|hash| &hash[..]);
    let statement = tx.prepare_cached(END_OTHERS).await.during("sessions.end_others")?;
    tx.execute(&statement, &[&user, &but]).await.during("sessions.end_others")?;
    Ok(())
}

/// One of somebody's sessions, for his own list.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Place {
    pub agent: String,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    /// Whether it is the one that asks.
    pub own: bool,
}

/// Where a user is signed in; `own` is the SHA-256 of the session that asks.
pub async fn of_user(store: &Store, user: Id, own: &[u8; 32]) -> Result<Vec<Place>, Error> {
    let store = store.on_behalf_of(Caller::doorkeeper());
    let rows = store.rows("sessions.of_user", OF_USER, &[&user, &&own[..]]).await?;
    let place = |row: &tokio_postgres::Row| Place {
        agent: row.get("agent"),
        created_at: row.get("created_at"),
        seen_at: row.get("seen_at"),
        own: row.get("own"),
    };
    Ok(rows.iter().map(place).collect())
}
