//! Coupons that attribute a sale to an affiliate.

use jiff::Timestamp;

use super::page::{Page, Revision, Scope};
use super::{Error, Store};
use crate::domain::id::Id;

const CREATE: &str = include_str!("../../sql/coupons/create.sql");
const SELECT: &str = include_str!("../../sql/coupons/select.sql");
const UPDATE: &str = include_str!("../../sql/coupons/update.sql");

/// A coupon.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Coupon {
    pub id: Id,
    pub of: New,
    pub created_at: Timestamp,
    pub revision: Revision,
}

/// A coupon to be made.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct New {
    pub program_id: Id,
    pub affiliate_id: Id,
    /// One in a program, in whatever case.
    pub code: String,
    /// First moment at which it attributes.
    pub valid_from: Option<Timestamp>,
    /// First moment at which it no longer does.
    pub valid_to: Option<Timestamp>,
}

/// Makes one; returns its id, nothing when there is no such program in this scope.
pub async fn create(store: &Store, scope: Scope, new: &New) -> Result<Option<Id>, Error> {
    let New { program_id, affiliate_id, code, valid_from, valid_to } = new;
    let values: super::page::Values<'_> =
        &[&scope.advertiser_id, program_id, affiliate_id, code, valid_from, valid_to];
    store.value("coupons.create", CREATE, values).await
}

/// One or a page, of all programs or one, of all affiliates or one.
pub async fn select(
    store: &Store,
    scope: Scope,
    page: Page,
    only_program_id: Option<Id>,
    only_affiliate_id: Option<Id>,
) -> Result<Vec<Coupon>, Error> {
    let Scope { advertiser_id, affiliate_id } = scope;
    let Page { id, before, limit } = page;
    let values: super::page::Values<'_> = &[
        &advertiser_id,
        &affiliate_id,
        &id,
        &before,
        &limit,
        &only_program_id,
        &only_affiliate_id,
    ];
    let rows = store.rows("coupons.select", SELECT, values).await?;
    let coupon = |row: &tokio_postgres::Row| Coupon {
        id: row.get("id"),
        of: New {
            program_id: row.get("program_id"),
            affiliate_id: row.get("affiliate_id"),
            code: row.get("code"),
            valid_from: row.get("valid_from"),
            valid_to: row.get("valid_to"),
        },
        created_at: row.get("created_at"),
        revision: row.get("revision"),
    };
    Ok(rows.iter().map(coupon).collect())
}

/// What is to change; absent stays, an inner `None` clears.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Change {
    pub valid_from: Option<Option<Timestamp>>,
    pub valid_to: Option<Option<Timestamp>>,
    /// Only if it still stands so.
    pub only_at: Option<Revision>,
}

/// Changes one; false when there is none, it is another's, or it stands otherwise.
pub async fn update(store: &Store, scope: Scope, id: Id, change: &Change) -> Result<bool, Error> {
    let (from, to) = (change.valid_from, change.valid_to);
    let values: super::page::Values<'_> = &[
        &id,
        &scope.advertiser_id,
        &from.is_some(),
        &from.flatten(),
        &to.is_some(),
        &to.flatten(),
        &change.only_at,
    ];
    let changed: Option<Id> = store.value("coupons.update", UPDATE, values).await?;
    Ok(changed.is_some())
}
