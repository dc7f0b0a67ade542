//! The schema: brought up to date by `tributary migrate`, under a lock, and checked by every role at its
//! start. Migrations are append-only, and each must work with the version before still running.

use super::During;
use super::{Cause, Error, Store};
use tokio_postgres::error::SqlState;

mod embedded {
    refinery::embed_migrations!("sql/migrations");
}

/// "tribut" in ASCII: the advisory lock that makes two migrations take turns.
const LOCK: i64 = 0x0074_7269_6275_7400;
const NO_TIMEOUT: &str = include_str!("../../sql/migrate/no_timeout.sql");
const TAKE_LOCK: &str = include_str!("../../sql/migrate/take_lock.sql");
const RELEASE_LOCK: &str = include_str!("../../sql/migrate/release_lock.sql");
const VERSION: &str = include_str!("../../sql/migrate/version.sql");

/// Applies what is missing; returns the schema's version.
pub async fn run(store: &Store) -> Result<i32, Error> {
    let mut client = store.client("migrate").await?;
    client.batch_execute(NO_TIMEOUT).await.during("migrate.no_timeout")?;
    client.execute(TAKE_LOCK, &[&LOCK]).await.during("migrate.take_lock")?;
    let applied = embedded::migrations::runner().run_async(&mut **client.as_mut()).await;
    client.execute(RELEASE_LOCK, &[&LOCK]).await.during("migrate.release_lock")?;
    applied.map_err(|e| Error {
        operation: "migrate",
        cause: Cause::Fault,
        source: Box::new(e),
    })?;
    Ok(newest())
}

/// Refuses a schema that is older than this program.
pub async fn check(store: &Store) -> Result<(), Error> {
    let client = store.client("migrate.version").await?;
    let version: Option<i32> = match client.query_one(VERSION, &[]).await {
        Ok(row) => row.get(0),
        Err(e) if e.code() == Some(&SqlState::UNDEFINED_TABLE) => None, // Never migrated.
        Err(e) => return Err(e).during("migrate.version"),
    };
    if version >= Some(newest()) {
        return Ok(());
    }
    Err(Error::unreadable(
        "migrate.version",
        "the schema is older than this program: run `tributary migrate`",
    ))
}

fn newest() -> i32 {
    let versions = embedded::migrations::runner();
    versions.get_migrations().iter().map(|m| m.version()).max().unwrap_or(0)
}
