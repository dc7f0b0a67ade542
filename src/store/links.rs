//! Affiliates' tracking links.

use jiff::Timestamp;

use super::page::{Page, Revision, Scope};
use super::{Error, Store};
use crate::domain::id::Id;

const CREATE: &str = include_str!("../../sql/links/create.sql");
const SELECT: &str = include_str!("../../sql/links/select.sql");
const UPDATE: &str = include_str!("../../sql/links/update.sql");

/// One affiliate's link into one program.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Link {
    pub id: Id,
    pub program_id: Id,
    pub affiliate_id: Id,
    pub code: String,
    /// Absent: the program's landing page.
    pub destination: Option<String>,
    pub paused_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub revision: Revision,
}

/// A link to be made.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct New {
    pub program_id: Id,
    pub affiliate_id: Id,
    pub code: String,
    pub destination: Option<String>,
}

/// Makes one; returns its id, nothing when there is no such program in this scope.
pub async fn create(store: &Store, scope: Scope, new: &New) -> Result<Option<Id>, Error> {
    let New { program_id, affiliate_id, code, destination } = new;
    let values: super::page::Values<'_> =
        &[&scope.advertiser_id, program_id, affiliate_id, code, destination];
    store.value("links.create", CREATE, values).await
}

/// One or a page, of all programs or one, of all affiliates or one.
pub async fn select(
    store: &Store,
    scope: Scope,
    page: Page,
    only_program_id: Option<Id>,
    only_affiliate_id: Option<Id>,
) -> Result<Vec<Link>, Error> {
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
    let rows = store.rows("links.select", SELECT, values).await?;
    let link = |row: &tokio_postgres::Row| Link {
        id: row.get("id"),
        program_id: row.get("program_id"),
        affiliate_id: row.get("affiliate_id"),
        code: row.get("code"),
        destination: row.get("destination"),
        paused_at: row.get("paused_at"),
        created_at: row.get("created_at"),
        revision: row.get("revision"),
    };
    Ok(rows.iter().map(link).collect())
}

/// What is to change; absent stays, an inner `None` clears.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Change {
    pub destination: Option<Option<String>>,
    pub paused: Option<bool>,
    /// Only if it still stands so.
    pub only_at: Option<Revision>,
}

/// Changes one; false when there is none, it is another's, or it stands otherwise.
pub async fn update(store: &Store, scope: Scope, id: Id, change: &Change) -> Result<bool, Error> {
    let (given, destination) = (change.destination.is_some(), change.destination.as_ref());
    let destination = destination.cloned().flatten();
    let values: super::page::Values<'_> =
        &[&id, &scope.advertiser_id, &given, &destination, &change.paused, &change.only_at];
    let changed: Option<Id> = store.value("links.update", UPDATE, values).await?;
    Ok(changed.is_some())
}
