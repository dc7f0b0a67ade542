//! API keys: made, listed, followed by another, revoked. Only digests are stored; who a bearer is, is looked
//! up in `keys`.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::keys::{self, Role};
use super::page::{Page, Revision, Scope, Values, made};
use super::{Cause, During, Error, Store};
use crate::domain::api_key;
use crate::domain::id::Id;
use crate::domain::rights::Rights;
use crate::domain::sign;

const CREATE: &str = include_str!("../../sql/api_keys/create.sql");
const SELECT: &str = include_str!("../../sql/api_keys/select.sql");
const END_LATER: &str = include_str!("../../sql/api_keys/end_later.sql");
const REVOKE: &str = include_str!("../../sql/api_keys/revoke.sql");

/// What somebody has who has a key.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Holder {
    pub role: Role,
    pub rights: Rights,
    /// For people's eyes; may be empty.
    pub name: String,
    /// From then on it opens nothing.
    pub expires_at: Option<Timestamp>,
}

/// A key, without the key.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct ApiKey {
    pub id: Id,
    pub of: Holder,
    /// Its first characters.
    pub prefix: String,
    pub last_used_at: Option<Timestamp>,
    /// The key that it was made to follow.
    pub follows: Option<Id>,
    pub revoked_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub revision: Revision,
}

/// Keeps a new key's digest; returns the id.
pub async fn create(store: &Store, holder: &Holder, key: &str) -> Result<Id, Error> {
    store.transaction("api_keys.create", async |tx| insert(tx, holder, key, None).await).await
}

async fn insert(
    tx: &super::Transaction<'_>,
    holder: &Holder,
    key: &str,
    follows: Option<Id>,
) -> Result<Id, Error> {
    let operation = "api_keys.create";
    let (role, advertiser_id, affiliate_id) = holder.role.columns();
    let values: Values<'_> = &[
        &role,
        &advertiser_id,
        &affiliate_id,
        &holder.name,
        &holder.rights.codes(),
        &holder.expires_at,
        &api_key::shown(key),
        &&sign::digest(key.as_bytes())[..],
        &follows,
    ];
    let statement = tx.prepare_cached(CREATE).await.during(operation)?;
    let row = tx.query_opt(&statement, values).await.during(operation)?;
    made(operation, row.map(|row| row.get(0)))
}

/// Makes a key that follows another, which ends in some seconds; the new one ends when that would have. Nothing when that one is not good any more,
/// has a successor, or follows one that is still good: never are there more than two.
pub async fn rotate(
    store: &Store,
    former: &ApiKey,
    key: &str,
    seconds: i64,
) -> Result<Option<Id>, Error> {
    let rotated = store.transaction("api_keys.rotate", async |tx| {
        let statement = tx.prepare_cached(END_LATER).await.during("api_keys.end_later")?;
        let values: Values<'_> = &[&former.id, &(seconds as f64)];
        let ended = tx.query_opt(&statement, values).await.during("api_keys.end_later")?;
        match ended {
            None => Ok(None),
            Some(_) => {
                // Its end goes over to the successor: nobody has a key for longer than he was given it.
                insert(tx, &former.of, key, Some(former.id)).await.map(Some)
            }
        }
    });
    match rotated.await {
        // Another was first, at this very moment.
        Err(Error { cause: Cause::Constraint(name), .. }) if name == "api_keys_follows" => Ok(None),
        rotated => rotated,
    }
}

/// One or a page.
pub async fn select(store: &Store, scope: Scope, page: Page) -> Result<Vec<ApiKey>, Error> {
    let Page { id, before, limit } = page;
    let values: Values<'_> = &[&scope.advertiser_id, &id, &before, &limit];
    let rows = store.rows("api_keys.select", SELECT, values).await?;
    let api_key = |row: &Row| ApiKey {
        id: row.get("id"),
        of: Holder {
            role: Role::of(row.get("advertiser_id"), row.get("affiliate_id")),
            rights: keys::rights(row),
            name: row.get("name"),
            expires_at: row.get("expires_at"),
        },
        prefix: row.get("prefix"),
        last_used_at: row.get("last_used_at"),
        follows: row.get("follows"),
        revoked_at: row.get("revoked_at"),
        created_at: row.get("created_at"),
        revision: row.get("revision"),
    };
    Ok(rows.iter().map(api_key).collect())
}

/// Revokes one for good; false when there is none, or it stands otherwise than at `only_at`.
pub async fn revoke(store: &Store, id: Id, only_at: Option<Revision>) -> Result<bool, Error> {
    let revoked: Option<Id> = store.value("api_keys.revoke", REVOKE, &[&id, &only_at]).await?;
    Ok(revoked.is_some())
}
