//! What affiliates have of others' sales, as the API lists it. A share has no id: it is known by its conversion and its
//! part of it.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::ledger::money;
use super::page::{Scope, Values};
use super::{Error, Store};
use crate::domain::id::Id;
use crate::domain::ledger::{self, ShareKind, Status};

const SELECT: &str = include_str!("../../sql/shares/select.sql");

/// A share, with what may be known of its sale.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Share {
    pub conversion_id: Id,
    pub program_id: Id,
    /// When the sale was made known.
    pub at: Timestamp,
    pub share: ledger::Share,
}

/// Which shares; absent is any.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Filter {
    pub program_id: Option<Id>,
    pub affiliate_id: Option<Id>,
    pub status: Option<String>,
}

/// A conversion and a part of it: what a page begins behind.
pub type Place = (Id, i16);

/// At most `limit` of those in scope, newest first.
pub async fn select(
    store: &Store,
    scope: Scope,
    (before, limit): (Option<Place>, i64),
    filter: &Filter,
) -> Result<Vec<Share>, Error> {
    let (conversion_id, part) = before.unzip();
    let Filter { program_id, affiliate_id, status } = filter;
    let asked: Values<'_> =
        &[&scope.advertiser_id, &scope.affiliate_id, &conversion_id, &part, &limit];
    let filters: Values<'_> = &[program_id, affiliate_id, status];
    let rows = store.rows("shares.select", SELECT, &[asked, filters].concat()).await?;
    rows.iter().map(share).collect()
}

fn share(row: &Row) -> Result<Share, Error> {
    let unknown = || Error::unreadable("shares.select", "a kind or status that nobody knows");
    let kind = ShareKind::parse(row.get("kind"), row.get("level")).ok_or_else(unknown)?;
    let share = ledger::Share {
        part: row.get("part"),
        affiliate_id: row.get("affiliate_id"),
        kind,
        commission: money(row, "commission", "currency")?,
        reversed: row.get("reversed"),
        status: Status::parse(row.get("status")).ok_or_else(unknown)?,
    };
    let (conversion_id, program_id) = (row.get("conversion_id"), row.get("program_id"));
    Ok(Share { conversion_id, program_id, at: row.get("at"), share })
}
