//! Links by which one person chooses a password: somebody new, or who forgot his. Made, listed, taken back,
//! and used once. Only the digest of what is in a link is stored.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::caller::Caller;
use super::keys::{self, Actor, Principal, Role};
use super::page::{Page, Revision, Scope, made};
use super::users;
use super::{During, Error, Store};
use crate::domain::id::Id;
use crate::domain::rights::Rights;

const CREATE: &str = include_str!("../../sql/invitations/create.sql");
const SELECT: &str = include_str!("../../sql/invitations/select.sql");
const DELETE: &str = include_str!("../../sql/invitations/delete.sql");
const FIND: &str = include_str!("../../sql/invitations/find.sql");
const USE: &str = include_str!("../../sql/invitations/use.sql");

/// Whom a link is for.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Guest {
    /// Who forgot his password; absent for somebody new.
    pub user_id: Option<Id>,
    pub email: String,
    pub role: Role,
    pub rights: Rights,
}

/// SHA-256 of the operator's first key of now, if there is one: links that were made with another one are
/// worth nothing.
pub type FirstKey<'a> = Option<&'a [u8; 32]>;

fn bytes(key: FirstKey<'_>) -> Option<&[u8]> {
    key.map(|key| &key[..])
}

/// Keeps a new link's digest; returns the id.
pub async fn create(
    store: &Store,
    by: &Principal,
    guest: &Guest,
    hash: &[u8; 32],
    first_key: FirstKey<'_>,
) -> Result<Id, Error> {
    let operation = "invitations.create";
    let (role, advertiser, affiliate) = guest.role.columns();
    let values: super::page::Values<'_> = &[
        &&hash[..],
        &guest.user_id,
        &guest.email,
        &role,
        &advertiser,
        &affiliate,
        &guest.rights.codes(),
        &by.actor.to_string(),
        &bytes(first_key),
    ];
    made(operation, store.value(operation, CREATE, values).await?)
}

/// A link, without what is in it.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Invitation {
    pub id: Id,
    pub guest: Guest,
    pub made_by: String,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub revision: Revision,
}

fn guest(row: &Row) -> Guest {
    Guest {
        user_id: row.get("user_id"),
        email: row.get("email"),
        role: Role::of(row.get("advertiser_id"), row.get("affiliate_id")),
        rights: keys::rights(row),
    }
}

/// One or a page; all, or only those that are open.
pub async fn select(
    store: &Store,
    scope: Scope,
    page: Page,
    only_open: bool,
) -> Result<Vec<Invitation>, Error> {
    let Page { id, before, limit } = page;
    let values: super::page::Values<'_> = &[&scope.advertiser_id, &id, &before, &limit, &only_open];
    let rows = store.rows("invitations.select", SELECT, values).await?;
    let invitation = |row: &Row| Invitation {
        id: row.get("id"),
        guest: guest(row),
        made_by: row.get("made_by"),
        expires_at: row.get("expires_at"),
        used_at: row.get("used_at"),
        created_at: row.get("created_at"),
        revision: row.get("revision"),
    };
    Ok(rows.iter().map(invitation).collect())
}

/// Takes one back; false when it was used, or stands otherwise than at `only_at`.
pub async fn delete(store: &Store, id: Id, only_at: Option<Revision>) -> Result<bool, Error> {
    let values: super::page::Values<'_> = &[&id, &only_at];
    let deleted: Option<Id> = store.value("invitations.delete", DELETE, values).await?;
    Ok(deleted.is_some())
}

/// A link that is good still, with the name of who forgot his password.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Open {
    pub id: Id,
    pub guest: Guest,
    pub name: Option<String>,
}

/// The link with this SHA-256, as long as it is good: its time is not over, whoever made it could make it
/// still, and a user who forgot his password has no more rights than he had then.
pub async fn find(
    store: &Store,
    hash: &[u8; 32],
    first_key: FirstKey<'_>,
) -> Result<Option<Open>, Error> {
    let store = store.on_behalf_of(Caller::doorkeeper());
    let rows = store.rows("invitations.find", FIND, &[&&hash[..], &bytes(first_key)]).await?;
    let open = |row: &Row| Open { id: row.get("id"), guest: guest(row), name: row.get("name") };
    Ok(rows.first().map(open))
}

/// Uses a link up: makes the user, or gives him his new password and signs him out everywhere. Gives his id;
/// nothing when the link is not good any more. Whether another has his e-mail, is found out here and not
/// before: else whoever invites would learn who signs in elsewhere.
pub async fn accept(
    store: &Store,
    open: &Open,
    name: &str,
    password_hash: &str,
    first_key: FirstKey<'_>,
) -> Result<Option<Id>, Error> {
    let store = store.on_behalf_of(Caller::at_the_door(Actor::Invitation(open.id)));
    let accepted = store.transaction("invitations.accept", async |tx| {
        let statement = tx.prepare_cached(USE).await.during("invitations.use")?;
        let values: super::page::Values<'_> = &[&open.id, &bytes(first_key)];
        let used = tx.query_opt(&statement, values).await.during("invitations.use")?;
        if used.is_none() {
            return Ok(None);
        }
        let Guest { user_id, email, role, rights } = &open.guest;
        let id = match user_id {
            None => users::create(tx, (email, name), (*role, *rights), password_hash).await?,
            Some(id) => {
                users::set_password(tx, *id, password_hash).await?;
                users::sign_out(tx, *id, None).await?;
                *id
            }
        };
        Ok(Some(id))
    });
    accepted.await
}
