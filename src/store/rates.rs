//! Rates of currencies: imported, set by hand, listed, and found for days. None is ever changed.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use tokio_postgres::Row;

use super::page::{Page, Values};
use super::{During, Error, Store, Transaction};
use crate::domain::id::Id;
use crate::domain::money::Currency;
use crate::domain::rates::{AGE_DAYS_MAX, Quoted, Rate, Rates};
use crate::domain::settlement::RateAsked;

const INSERT: &str = include_str!("../../sql/rates/insert.sql");
const DIFFERING: &str = include_str!("../../sql/rates/differing.sql");
const FIND: &str = include_str!("../../sql/rates/find.sql");
const SELECT: &str = include_str!("../../sql/rates/select.sql");
const CREATE: &str = include_str!("../../sql/rates/create.sql");
const TODAY: &str = include_str!("../../sql/rates/today.sql");
const IS_EARLY: &str = include_str!("../../sql/rates/is_early.sql");

/// Rows of one statement of an import: well below what a statement has time for.
const IMPORT_ROWS: usize = 20_000;

/// What an import did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Rates that were not there.
    pub new: u64,
    /// Rates of which another one is there and stands.
    pub differing: Vec<Differing>,
}

/// A rate that was told otherwise than it is kept.
#[derive(Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Differing {
    pub currency: String,
    pub on: Date,
    pub kept: Decimal,
    /// Who quoted what is kept.
    pub source: String,
    pub told: Decimal,
}

/// Keeps rates that are not there yet, all in one transaction; what is there stands. Safe to repeat, and
/// beside another import: rows go in by currency and day.
pub async fn import(store: &Store, rates: &[Rate], source: &str) -> Result<Imported, Error> {
    let mut sorted: Vec<&Rate> = rates.iter().collect();
    sorted.sort_by_key(|rate| (rate.currency.code(), rate.on));
    let imported = store.transaction("rates.import", async |tx| {
        let mut imported = Imported::default();
        for rates in sorted.chunks(IMPORT_ROWS) {
            let codes: Vec<&str> = rates.iter().map(|rate| rate.currency.code()).collect();
            let days: Vec<Date> = rates.iter().map(|rate| rate.on).collect();
            let per_euro: Vec<Decimal> = rates.iter().map(|rate| rate.per_euro).collect();
            let insert = tx.prepare_cached(INSERT).await.during("rates.insert")?;
            let values: Values<'_> = &[&codes, &days, &per_euro, &source];
            imported.new += tx.execute(&insert, values).await.during("rates.insert")?;
            // A statement of its own: it sees what another import has committed meanwhile.
            let differing = tx.prepare_cached(DIFFERING).await.during("rates.differing")?;
            let rows = tx.query(&differing, &values[..3]).await.during("rates.differing")?;
            imported.differing.extend(rows.iter().map(differing_of));
        }
        Ok(imported)
    });
    imported.await
}

fn differing_of(row: &Row) -> Differing {
    Differing {
        currency: row.get("currency"),
        on: row.get("on_date"),
        kept: row.get("kept"),
        source: row.get("source"),
        told: row.get("told"),
    }
}

/// The rates that are good for these currencies on these days, in one statement: what
/// [`Rates::between`] needs of them. Euros need none.
pub async fn find(tx: &Transaction<'_>, asked: &[(Currency, Date)]) -> Result<Rates, Error> {
    let asked = asked.iter().filter(|(currency, _)| *currency != Currency::EUR);
    let (codes, days): (Vec<&str>, Vec<Date>) = asked.map(|(c, day)| (c.code(), *day)).unzip();
    if codes.is_empty() {
        return Ok(Rates::default());
    }
    let statement = tx.prepare_cached(FIND).await.during("rates.find")?;
    let values: Values<'_> = &[&codes, &days, &AGE_DAYS_MAX];
    let rows = tx.query(&statement, values).await.during("rates.find")?;
    rows.iter().map(|row| Ok((rate("rates.find", row)?, row.get("source")))).collect()
}

/// From one currency into another by the last quotes up to today.
pub async fn of_today(
    tx: &Transaction<'_>,
    from: Currency,
    to: Currency,
) -> Result<Option<Quoted>, Error> {
    let statement = tx.prepare_cached(TODAY).await.during("rates.today")?;
    let today: Date = tx.query_one(&statement, &[]).await.during("rates.today")?.get(0);
    of_day(tx, (from, to), today).await
}

/// The same by the last quotes up to a day.
pub async fn of_day(
    tx: &Transaction<'_>,
    (from, to): (Currency, Currency),
    day: Date,
) -> Result<Option<Quoted>, Error> {
    let rates = find(tx, &[(from, day), (to, day)]).await?;
    Ok(rates.between(from, to, day, AGE_DAYS_MAX))
}

/// The same for rates from one currency into another; no statement where none is asked for.
pub async fn quotes(tx: &Transaction<'_>, asked: &HashSet<RateAsked>) -> Result<Rates, Error> {
    let both = asked.iter().flat_map(|(from, to, day)| [(*from, *day), (*to, *day)]);
    find(tx, &both.collect::<Vec<_>>()).await
}

/// A rate as it is kept.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Kept {
    /// Of its currency and day.
    pub id: Id,
    pub rate: Rate,
    pub source: String,
    pub created_at: Timestamp,
}

/// Which rates; absent is any. Both days are included.
#[derive(Debug, Default, Clone)]
#[allow(missing_docs)]
pub struct Filter {
    pub currency: Option<String>,
    pub from: Option<Date>,
    pub to: Option<Date>,
}

/// One or a page, the newest day first.
pub async fn select(store: &Store, page: Page, filter: &Filter) -> Result<Vec<Kept>, Error> {
    let Page { id, before, limit } = page;
    let values: Values<'_> = &[&id, &before, &limit, &filter.currency, &filter.from, &filter.to];
    let kept = |row: &Row| {
        Ok(Kept {
            id: row.get("id"),
            rate: rate("rates.select", row)?,
            source: row.get("source"),
            created_at: row.get("created_at"),
        })
    };
    store.rows("rates.select", SELECT, values).await?.iter().map(kept).collect()
}

fn rate(operation: &'static str, row: &Row) -> Result<Rate, Error> {
    let currency = Currency::parse(row.get("currency"));
    let unknown = || Error::unreadable(operation, "a currency that nobody knows");
    Ok(Rate {
        currency: currency.ok_or_else(unknown)?,
        on: row.get("on_date"),
        per_euro: row.get("per_euro"),
    })
}

/// Adds what a person sets; returns its id, nothing when a quote is there already.
pub async fn create(store: &Store, rate: &Rate, source: &str) -> Result<Option<Id>, Error> {
    let values: Values<'_> = &[&rate.currency.code(), &rate.on, &rate.per_euro, &source];
    store.value("rates.create", CREATE, values).await
}

/// Whether nobody can know a day's rate yet, wherever he is: it is beyond tomorrow.
pub async fn is_early(store: &Store, day: Date) -> Result<bool, Error> {
    let early = store.value("rates.is_early", IS_EARLY, &[&day]).await?;
    super::page::made("rates.is_early", early)
}
