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
const LOCK_TIMEOUT: &str = include_str!("../../sql/migrate/lock_timeout.sql");
const TAKE_LOCK: &str = include_str!("../../sql/migrate/take_lock.sql");
const RELEASE_LOCK: &str = include_str!("../../sql/migrate/release_lock.sql");
const VERSION: &str = include_str!("../../sql/migrate/version.sql");

const HELD_UP: &str = "a table was in use for longer than a migration waits (5 s), and what it would have \
    changed is as it was: stop the workers and whatever reads for long, and run `tributary migrate` again";

/// Applies what is missing; returns the schema's version.
pub async fn run(store: &Store) -> Result<i32, Error> {
    let mut client = store.client("migrate").await?;
    client.batch_execute(NO_TIMEOUT).await.during("migrate.no_timeout")?;
    client.execute(TAKE_LOCK, &[&LOCK]).await.during("migrate.take_lock")?;
    client.batch_execute(LOCK_TIMEOUT).await.during("migrate.lock_timeout")?;
    let applied = embedded::migrations::runner().run_async(&mut **client.as_mut()).await;
    client.execute(RELEASE_LOCK, &[&LOCK]).await.during("migrate.release_lock")?;
    applied.map_err(|e| match is_held_up(&e) {
        true => Error { operation: "migrate", cause: Cause::Retry, source: HELD_UP.into() },
        false => Error { operation: "migrate", cause: Cause::Fault, source: Box::new(e) },
    })?;
    Ok(newest())
}

/// Whether somebody else held what a migration needs.
fn is_held_up(error: &refinery::Error) -> bool {
    let codes = [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED];
    let mut deeper: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = deeper {
        if let Some(error) = error.downcast_ref::<tokio_postgres::Error>() {
            return error.code().is_some_and(|code| codes.contains(code));
        }
        deeper = error.source();
    }
    false
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

#[cfg(test)]
mod tests {
    /// Where it fails after a migration came, this module was not compiled since: touch it.
    #[test]
    fn every_migration_is_in_the_program() {
        let files = std::fs::read_dir("sql/migrations").unwrap().count();
        assert_eq!(super::embedded::migrations::runner().get_migrations().len(), files);
    }
}
