//! The operator's view of API keys: made, listed, revoked. Only digests are stored; who a bearer is, is
//! looked up in `keys`.

use jiff::Timestamp;

use super::page::{Page, Revision, made};
use super::{Error, Store};
use crate::domain::id::Id;

const CREATE: &str = include_str!("../../sql/api_keys/create.sql");
const SELECT: &str = include_str!("../../sql/api_keys/select.sql");
const REVOKE: &str = include_str!("../../sql/api_keys/revoke.sql");

/// A key, without the key.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct ApiKey {
    pub id: Id,
    pub of: Holder,
    /// Its first characters.
    pub prefix: String,
    pub revoked_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub revision: Revision,
}

/// Whose a key is.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Holder {
    /// `operator`, `advertiser` or `affiliate`.
    pub role: String,
    /// Of the role `advertiser`, and of no other.
    pub advertiser_id: Option<Id>,
    /// Of the role `affiliate`, and of no other.
    pub affiliate_id: Option<Id>,
    /// For the operator's eyes; may be empty.
    pub name: String,
}

/// Keeps a new key's digest; returns the id.
pub async fn create(
    store: &Store,
    holder: &Holder,
    prefix: &str,
    hash: &[u8; 32],
) -> Result<Id, Error> {
    let operation = "api_keys.create";
    let Holder { role, advertiser_id, affiliate_id, name } = holder;
    let values: super::page::Values<'_> =
        &[role, advertiser_id, affiliate_id, name, &prefix, &&hash[..]];
    made(operation, store.value(operation, CREATE, values).await?)
}

/// One or a page.
pub async fn select(store: &Store, page: Page) -> Result<Vec<ApiKey>, Error> {
    let Page { id, before, limit } = page;
    let rows = store.rows("api_keys.select", SELECT, &[&id, &before, &limit]).await?;
    let api_key = |row: &tokio_postgres::Row| ApiKey {
        id: row.get("id"),
        of: Holder {
            role: row.get("role"),
            advertiser_id: row.get("advertiser_id"),
            affiliate_id: row.get("affiliate_id"),
            name: row.get("name"),
        },
        prefix: row.get("prefix"),
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
