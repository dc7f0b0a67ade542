//! The versions of a program's terms. A version is never edited; a new one is in force from its writing on.

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::Row;

use super::page::{Page, Scope};
use super::{During, Error, Store};
use crate::domain::id::Id;

const LOCK: &str = include_str!("../../sql/plans/lock.sql");
const CREATE: &str = include_str!("../../sql/plans/create.sql");
const SELECT: &str = include_str!("../../sql/plans/select.sql");

/// One version.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Plan {
    pub id: Id,
    pub program_id: Id,
    /// 1, 2, …
    pub version: i32,
    /// A `domain::commission::Terms` as JSON.
    pub terms: Value,
    pub created_at: Timestamp,
}

/// Reads a version that was joined in: `plan_id`, `version`, `terms`, `plan_created_at`.
pub(super) fn joined(row: &Row, program_id: Id) -> Option<Plan> {
    Some(Plan {
        id: row.get::<_, Option<Id>>("plan_id")?,
        program_id,
        version: row.get("version"),
        terms: row.get("terms"),
        created_at: row.get("plan_created_at"),
    })
}

/// Makes the next version; returns its number, nothing when there is no such program in this scope.
pub async fn create(
    store: &Store,
    scope: Scope,
    program_id: Id,
    terms: &Value,
) -> Result<Option<i32>, Error> {
    let written = store.transaction("plans.create", async |tx| {
        let statement = tx.prepare_cached(LOCK).await.during("plans.lock")?;
        let found = tx.query_opt(&statement, &[&program_id, &scope.advertiser_id]).await;
        match found.during("plans.lock")? {
            Some(_) => insert(tx, program_id, terms).await.map(Some),
            None => Ok(None),
        }
    });
    written.await
}

/// Writes the next version of a program that is locked or new.
pub(super) async fn insert(
    tx: &Transaction<'_>,
    program_id: Id,
    terms: &Value,
) -> Result<i32, Error> {
    let statement = tx.prepare_cached(CREATE).await.during("plans.create")?;
    let row = tx.query_one(&statement, &[&program_id, terms]).await.during("plans.create")?;
    Ok(row.get(0))
}

/// A page of a program's versions; or one by its number, where `page.id` stays empty.
pub async fn select(
    store: &Store,
    scope: Scope,
    program_id: Id,
    version: Option<i32>,
    page: Page,
) -> Result<Vec<Plan>, Error> {
    let Page { before, limit, .. } = page;
    let values: super::page::Values<'_> =
        &[&scope.advertiser_id, &program_id, &version, &before, &limit];
    let rows = store.rows("plans.select", SELECT, values).await?;
    let plan = |row: &Row| Plan {
        id: row.get("id"),
        program_id: row.get("program_id"),
        version: row.get("version"),
        terms: row.get("terms"),
        created_at: row.get("created_at"),
    };
    Ok(rows.iter().map(plan).collect())
}
