//! Publishers: made by the operator, read by him, by themselves, and by advertisers they link to.

use jiff::Timestamp;

use super::page::{Page, Revision, Scope, made};
use super::{Error, Store};
use crate::domain::id::Id;
use crate::domain::payout::Payee;

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
    /// Who brought him. Absent for an advertiser, who is not told.
    pub recruited_by: Option<Id>,
    /// By which plans may tell him from others. Absent for an affiliate, who is not told.
    pub group: Option<String>,
    pub paused_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub revision: Revision,
    /// Where his money goes; absent for who is not told.
    pub payee: Option<Payee>,
}

/// What can be said of one when it is made.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct New {
    pub name: String,
    pub email: String,
    pub recruited_by: Option<Id>,
    pub group: Option<String>,
}

/// Makes one; returns its id.
pub async fn create(store: &Store, new: &New) -> Result<Id, Error> {
    let operation = "affiliates.create";
    let New { name, email, recruited_by, group } = new;
    made(operation, store.value(operation, CREATE, &[name, email, recruited_by, group]).await?)
}

/// One or a page, `with_payee` or without.
pub async fn select(
    store: &Store,
    scope: Scope,
    page: Page,
    with_payee: bool,
) -> Result<Vec<Affiliate>, Error> {
    let Scope { advertiser_id, affiliate_id } = scope;
    let Page { id, before, limit } = page;
    let rows = store
        .rows(
            "affiliates.select",
            SELECT,
            &[&advertiser_id, &affiliate_id, &id, &before, &limit, &with_payee],
        )
        .await?;
    let affiliate = |row: &tokio_postgres::Row| Affiliate {
        id: row.get("id"),
        name: row.get("name"),
        email: row.get("email"),
        recruited_by: row.get("recruited_by"),
        group: row.get("group_name"),
        paused_at: row.get("paused_at"),
        created_at: row.get("created_at"),
        revision: row.get("revision"),
        payee: with_payee.then(|| payee(row)),
    };
    Ok(rows.iter().map(affiliate).collect())
}

/// Who is paid, from its columns.
pub(super) fn payee(row: &tokio_postgres::Row) -> Payee {
    Payee {
        method: row.get("payee_method"),
        name: row.get("payee_name"),
        email: row.get("payee_email"),
        iban: row.get("payee_iban"),
        bic: row.get("payee_bic"),
    }
}

/// What is to change; absent stays.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Change {
    pub name: Option<String>,
    pub email: Option<String>,
    pub paused: Option<bool>,
    /// Null clears.
    pub recruited_by: Option<Option<Id>>,
    /// Null clears.
    pub group: Option<Option<String>>,
    /// Fields of the payee: cleared, where there is nothing.
    pub payee: PayeeChange,
    /// Only if it still stands so.
    pub only_at: Option<Revision>,
}

/// What is to change of who is paid; absent stays, nothing clears.
#[derive(Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct PayeeChange {
    pub method: Option<Option<String>>,
    pub name: Option<Option<String>>,
    pub email: Option<Option<String>>,
    pub iban: Option<Option<String>>,
    pub bic: Option<Option<String>>,
}

/// Changes one; false when there is none, or it stands otherwise.
pub async fn update(store: &Store, id: Id, change: &Change) -> Result<bool, Error> {
    let Change { name, email, paused, recruited_by, group, payee: p, only_at } = change;
    let (recruiter, group_name) = (recruited_by.flatten(), group.as_ref().and_then(Option::as_ref));
    let is_set = |field: &Option<Option<String>>| field.is_some();
    let values: super::page::Values<'_> = &[
        &id,
        name,
        email,
        paused,
        only_at,
        &recruited_by.is_some(),
        &recruiter,
        &group.is_some(),
        &group_name,
        &is_set(&p.method),
        &p.method.as_ref().and_then(Option::as_ref),
        &is_set(&p.name),
        &p.name.as_ref().and_then(Option::as_ref),
        &is_set(&p.email),
        &p.email.as_ref().and_then(Option::as_ref),
        &is_set(&p.iban),
        &p.iban.as_ref().and_then(Option::as_ref),
        &is_set(&p.bic),
        &p.bic.as_ref().and_then(Option::as_ref),
    ];
    let changed: Option<Id> = store.value("affiliates.update", UPDATE, values).await?;
    Ok(changed.is_some())
}
