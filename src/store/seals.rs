//! Seals: transfers that have come to rest are hashed block by block, a chain for each advertiser. Sealing follows
//! behind the commits by a horizon of its own; settling knows nothing of it, waits for none of its locks and pays
//! for no index.
//!
//! Why nothing appears later below what was sealed. A transfer's id is made by PostgreSQL's clock in the very
//! statement that writes it, so its transaction has its number by then, or takes it within microseconds. The
//! horizon is a transaction number and an id, read at one moment: a transfer whose id is more than [`MARGIN_MS`]
//! below that id was written by a transaction whose number is below that number. When all of those are over, each
//! such transfer is seen or will never be. Only a clock that is set back by more than the margin makes ids below
//! what was sealed; the audits `seal_misses` and `seal_broken` tell of them.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::page::{Page, Scope};
use super::{During, Error, Store};
use crate::domain::id::{self, Id};

const HORIZON: &str = include_str!("../../sql/seals/horizon.sql");
const IS_BEHIND: &str = include_str!("../../sql/seals/is_behind.sql");
const TAKE_TURN: &str = include_str!("../../sql/seals/take_turn.sql");
const ADD: &str = include_str!("../../sql/seals/add.sql");
const OLDEST_OPEN: &str = include_str!("../../sql/seals/oldest_open.sql");
const SELECT: &str = include_str!("../../sql/seals/select.sql");
const HEADS: &str = include_str!("../../sql/seals/heads.sql");

/// Transfers that one turn seals at most, so in a block at most: some two megabytes of lines.
pub const BLOCK_MAX: i64 = 10_000;
/// How far sealing stays behind the horizon, for a clock that is put right by little, in milliseconds.
const MARGIN_MS: i64 = 10_000;
/// "seals" in ASCII: the advisory lock that makes sealers take turns.
const LOCK: i64 = 0x0073_6561_6c73;

/// One who seals. Any number of them may; one at a time does.
#[derive(Debug, Default)]
pub struct Sealer {
    /// Kept until all of what lies before it is sealed.
    horizon: Option<Horizon>,
}

/// A moment of the database.
#[derive(Debug, Clone, Copy)]
struct Horizon {
    /// Every transaction that began to write before has a lower number.
    transaction: i64,
    /// The first id of the moment.
    id: Id,
}

impl Sealer {
    /// Seals the transfers that come next, at most [`BLOCK_MAX`] of them; returns how many. None while somebody
    /// else seals, or while a transaction is open that was before the horizon was read.
    pub async fn turn(&mut self, store: &Store) -> Result<i64, Error> {
        let horizon = match self.horizon {
            Some(horizon) => horizon,
            None => *self.horizon.insert(read_horizon(store).await?),
        };
        let is_behind = store.value("seals.is_behind", IS_BEHIND, &[&horizon.transaction]).await?;
        if is_behind != Some(true) {
            return Ok(0);
        }
        let before = horizon.id - id::first_of(MARGIN_MS);
        let sealed = store.transaction("seals.add", async |tx| {
            let statement = tx.prepare_cached(TAKE_TURN).await.during("seals.take_turn")?;
            let turn = tx.query_one(&statement, &[&LOCK]).await.during("seals.take_turn")?;
            if !turn.get::<_, bool>(0) {
                return Ok(0);
            }
            // Planned each time: a plan of when there were few transfers would read all of them.
            let row = tx.query_one(ADD, &[&before, &BLOCK_MAX]).await.during("seals.add")?;
            Ok(row.get::<_, i64>(0))
        });
        let sealed = sealed.await?;
        if sealed < BLOCK_MAX {
            self.horizon = None;
        }
        Ok(sealed)
    }
}

async fn read_horizon(store: &Store) -> Result<Horizon, Error> {
    let rows = store.rows("seals.horizon", HORIZON, &[]).await?;
    let read = |row: &Row| Horizon { transaction: row.get("transaction"), id: row.get("id") };
    super::page::made("seals.horizon", rows.first().map(read))
}

/// The oldest transfer that no seal covers.
pub async fn oldest_open(store: &Store) -> Result<Option<Id>, Error> {
    store.value("seals.oldest_open", OLDEST_OPEN, &[]).await
}

/// A block of an advertiser's transfers, sealed.
#[derive(Debug, Clone)]
pub struct Seal {
    /// 1, 2, …
    pub number: i64,
    /// The first of its transfers.
    pub first_id: Id,
    /// The last of them.
    pub last_id: Id,
    /// How many there are.
    pub transfers: i32,
    /// SHA-256, in hexadecimal digits.
    pub hash: String,
    /// When.
    pub sealed_at: Timestamp,
}

/// A page of an advertiser's seals, newest first; `page` counts by number.
pub async fn select(
    store: &Store,
    scope: Scope,
    advertiser_id: Id,
    page: Page,
) -> Result<Vec<Seal>, Error> {
    let values: super::page::Values<'_> =
        &[&scope.advertiser_id, &advertiser_id, &page.before, &page.limit];
    let rows = store.rows("seals.select", SELECT, values).await?;
    let seal = |row: &Row| Seal {
        number: row.get("number"),
        first_id: row.get("first_id"),
        last_id: row.get("last_id"),
        transfers: row.get("transfers"),
        hash: row.get("hash"),
        sealed_at: row.get("sealed_at"),
    };
    Ok(rows.iter().map(seal).collect())
}

/// The newest seal of an advertiser: it proves all of his transfers before it.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Head {
    pub advertiser_id: Id,
    pub number: i64,
    pub last_id: Id,
    /// SHA-256, in hexadecimal digits.
    pub hash: String,
    /// How many seals there are in all, of all advertisers.
    pub seals: i64,
}

/// The newest seal of each of `limit` advertisers at most, those first who were sealed last.
pub async fn heads(store: &Store, limit: i64) -> Result<Vec<Head>, Error> {
    let rows = store.rows("seals.heads", HEADS, &[&limit]).await?;
    let head = |row: &Row| Head {
        advertiser_id: row.get("advertiser_id"),
        number: row.get("number"),
        last_id: row.get("last_id"),
        hash: row.get("hash"),
        seals: row.get("seals"),
    };
    Ok(rows.iter().map(head).collect())
}
