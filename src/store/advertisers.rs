//! Merchants: made by the operator, read by him and by themselves.

use jiff::Timestamp;

use super::page::{Page, Scope, made};
use super::{Error, Store};
use crate::domain::id::Id;

const CREATE: &str = include_str!("../../sql/advertisers/create.sql");
const SELECT: &str = include_str!("../../sql/advertisers/select.sql");

/// A merchant.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Advertiser {
    pub id: Id,
    pub name: String,
    /// ISO 4217.
    pub currency: String,
    /// IANA name.
    pub timezone: String,
    pub created_at: Timestamp,
}

/// Makes one; returns its id.
pub async fn create(
    store: &Store,
    name: &str,
    currency: &str,
    timezone: &str,
) -> Result<Id, Error> {
    let operation = "advertisers.create";
    made(operation, store.value(operation, CREATE, &[&name, &currency, &timezone]).await?)
}

/// One or a page.
pub async fn select(store: &Store, scope: Scope, page: Page) -> Result<Vec<Advertiser>, Error> {
    let Scope { advertiser_id, affiliate_id } = scope;
    let Page { id, before, limit } = page;
    let rows = store
        .rows("advertisers.select", SELECT, &[&advertiser_id, &affiliate_id, &id, &before, &limit])
        .await?;
    let advertiser = |row: &tokio_postgres::Row| Advertiser {
        id: row.get("id"),
        name: row.get("name"),
        currency: row.get("currency"),
        timezone: row.get("timezone"),
        created_at: row.get("created_at"),
    };
    Ok(rows.iter().map(advertiser).collect())
}
