//! Merchants: made by the operator, read by him and by themselves.

use jiff::Timestamp;

use super::page::{Page, Revision, Scope, made};
use super::{Error, Store};
use crate::domain::id::Id;
pub use crate::domain::payout::Payer;

const CREATE: &str = include_str!("../../sql/advertisers/create.sql");
const SELECT: &str = include_str!("../../sql/advertisers/select.sql");
const UPDATE: &str = include_str!("../../sql/advertisers/update.sql");

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
    pub revision: Revision,
    /// Where the money comes from.
    pub payer: Payer,
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
        revision: row.get("revision"),
        payer: Payer {
            name: row.get("payer_name"),
            iban: row.get("payer_iban"),
            bic: row.get("payer_bic"),
        },
    };
    Ok(rows.iter().map(advertiser).collect())
}

/// What is to change; absent stays, nothing clears.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Change {
    pub payer_name: Option<Option<String>>,
    pub payer_iban: Option<Option<String>>,
    pub payer_bic: Option<Option<String>>,
    /// Only if it still stands so.
    pub only_at: Option<Revision>,
}

/// Changes one; false when there is none, it is another, or it stands otherwise.
pub async fn update(store: &Store, scope: Scope, id: Id, change: &Change) -> Result<bool, Error> {
    let Change { payer_name, payer_iban, payer_bic, only_at } = change;
    let values: super::page::Values<'_> = &[
        &id,
        &scope.advertiser_id,
        only_at,
        &payer_name.is_some(),
        &payer_name.as_ref().and_then(Option::as_ref),
        &payer_iban.is_some(),
        &payer_iban.as_ref().and_then(Option::as_ref),
        &payer_bic.is_some(),
        &payer_bic.as_ref().and_then(Option::as_ref),
    ];
    let changed: Option<Id> = store.value("advertisers.update", UPDATE, values).await?;
    Ok(changed.is_some())
}
