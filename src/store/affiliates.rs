//! Publishers: made by the operator, read by him, by themselves, and by advertisers they link to.

use jiff::Timestamp;

use super::page::{Page, Revision, Scope, made};
use super::{Error, Store};
use crate::domain::id::Id;

const CREATE: &str = include_str!("../../sql/affiliates/create.sql");
const SELECT: &str = include_str!("../../sql/affiliates/select.sql");
const UPDATE: &str = include_str!("../../sql/affiliates/update.sql");

/// A publisher.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Affiliate {
    pub id: Id,
    pub name: String,
    /// Absent for an advertiser, who is not told.
    pub email: Option<String>,
    pub paused_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub revision: Revision,
}

/// Makes one; returns its id.
pub async fn create(store: &Store, name: &str, email: &str) -> Result<Id, Error> {
    let operation = "affiliates.create";
    made(operation, store.value(operation, CREATE, &[&name, &email]).await?)
}

/// One or a page.
pub async fn select(store: &Store, scope: Scope, page: Page) -> Result<Vec<Affiliate>, Error> {
    let Scope { advertiser_id, affiliate_id } = scope;
    let Page { id, before, limit } = page;
    let rows = store
        .rows("affiliates.select", SELECT, &[&advertiser_id, &affiliate_id, &id, &before, &limit])
        .await?;
    let affiliate = |row: &tokio_postgres::Row| Affiliate {
        id: row.get("id"),
        name: row.get("name"),
        email: row.get("email"),
        paused_at: row.get("paused_at"),
        created_at: row.get("created_at"),
        revision: row.get("revision"),
    };
    Ok(rows.iter().map(affiliate).collect())
}

/// What is to change; absent stays.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Change {
    pub name: Option<String>,
    pub email: Option<String>,
    pub paused: Option<bool>,
    /// Only if it still stands so.
    pub only_at: Option<Revision>,
}

/// Changes one; false when there is none, or it stands otherwise.
pub async fn update(store: &Store, id: Id, change: &Change) -> Result<bool, Error> {
    let Change { name, email, paused, only_at } = change;
    let changed: Option<Id> =
        store.value("affiliates.update", UPDATE, &[&id, name, email, paused, only_at]).await?;
    Ok(changed.is_some())
}
