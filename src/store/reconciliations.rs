//! Shops' lists of orders held against the books: their lines as they come, what was found, and what is swept.

use jiff::Timestamp;
use rust_decimal::Decimal;
use tokio_postgres::Row;

use super::page::{At, Page, Scope, Values};
use super::{During, Error, Store};
use crate::domain::id::Id;
use crate::domain::money::{Currency, Money};
use crate::domain::reconciliation::{Kind, Line};

const CREATE: &str = include_str!("../../sql/reconciliations/create.sql");
const APPEND: &str = include_str!("../../sql/reconciliations/append.sql");
const NO_TIMEOUT: &str = include_str!("../../sql/reconciliations/no_timeout.sql");
const COMPARE: &str = include_str!("../../sql/reconciliations/compare.sql");
const FAIL: &str = include_str!("../../sql/reconciliations/fail.sql");
const FORGET: &str = include_str!("../../sql/reconciliations/forget.sql");
const SELECT: &str = include_str!("../../sql/reconciliations/select.sql");
const FINDINGS: &str = include_str!("../../sql/reconciliations/findings.sql");
const ABANDON: &str = include_str!("../../sql/reconciliations/abandon.sql");
const SWEEP: &str = include_str!("../../sql/reconciliations/sweep.sql");

/// Lists of one program within a day, at most: each may have a million lines.
pub const DAILY_MAX: i64 = 50;
/// Lines that are swept at once.
const SWEEP_MAX: i64 = 20_000;

/// Of which time a list is, where that is said; half-open.
#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs)]
pub struct Asked {
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

/// Begins a list; none when the program is not there for who asks, or had [`DAILY_MAX`] lists in a day.
pub async fn create(
    store: &Store,
    scope: Scope,
    program_id: Id,
    asked: Asked,
) -> Result<Option<Id>, Error> {
    let values: Values<'_> =
        &[&program_id, &scope.advertiser_id, &asked.from, &asked.to, &DAILY_MAX];
    store.value("reconciliations.create", CREATE, values).await
}

/// Keeps lines of a list that is still coming. An error when it no longer is.
pub async fn append(store: &Store, id: Id, lines: &[Line]) -> Result<(), Error> {
    const NAME: &str = "reconciliations.append";
    let l = lines;
    let values: Values<'_> = &[
        &id,
        &l.iter().map(|l| l.number).collect::<Vec<_>>(),
        &l.iter().map(|l| l.order_id.as_deref()).collect::<Vec<_>>(),
        &l.iter().map(|l| l.amount).collect::<Vec<_>>(),
        &l.iter().map(|l| l.currency.code()).collect::<Vec<_>>(),
        &l.iter().map(|l| l.refunded).collect::<Vec<_>>(),
        &l.iter().map(|l| l.said.code()).collect::<Vec<_>>(),
        &l.iter().map(|l| l.word.as_deref()).collect::<Vec<_>>(),
        &l.iter().map(|l| l.fault).collect::<Vec<_>>(),
    ];
    let written = store.transaction(NAME, async |tx| {
        let statement = tx.prepare_cached(APPEND).await.during(NAME)?;
        tx.execute(&statement, values).await.during(NAME)
    });
    match written.await? {
        written if written == lines.len() as u64 => Ok(()),
        _ => Err(Error::unreadable(NAME, "the list was given up meanwhile")),
    }
}

/// Holds a list of so many lines against the books, all of it or nothing. An error when it was given up.
pub async fn compare(store: &Store, id: Id, lines: i64) -> Result<(), Error> {
    const NAME: &str = "reconciliations.compare";
    let compared = store.transaction(NAME, async |tx| {
        tx.batch_execute(NO_TIMEOUT).await.during("reconciliations.no_timeout")?;
        let statement = tx.prepare_cached(COMPARE).await.during(NAME)?;
        tx.query_opt(&statement, &[&id, &lines]).await.during(NAME)
    });
    let compared = compared.await?;
    compared.map(drop).ok_or_else(|| Error::unreadable(NAME, "the list was given up meanwhile"))
}

/// Gives a list up for a reason, a stable code; nothing but this stays of it.
pub async fn fail(store: &Store, id: Id, why: &str) -> Result<(), Error> {
    let failed = store.transaction("reconciliations.fail", async |tx| {
        tx.batch_execute(NO_TIMEOUT).await.during("reconciliations.no_timeout")?;
        let statement = tx.prepare_cached(FAIL).await.during("reconciliations.fail")?;
        tx.execute(&statement, &[&id, &why]).await.during("reconciliations.fail")?;
        let statement = tx.prepare_cached(FORGET).await.during("reconciliations.forget")?;
        tx.execute(&statement, &[&id]).await.during("reconciliations.forget")
    });
    failed.await.map(drop)
}

/// A list and what was found by it.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Reconciliation {
    pub id: Id,
    pub program_id: Id,
    /// `uploading`, `compared` or `failed`.
    pub status: String,
    /// Why it failed.
    pub failure: Option<String>,
    /// Of which time the list was taken to be, both ends in it; absent where nothing of it was known.
    pub span: Option<(Timestamp, Timestamp)>,
    /// But for the header and empty ones.
    pub lines: i64,
    pub counts: Vec<Count>,
    pub created_at: Timestamp,
    pub compared_at: Option<Timestamp>,
}

/// How many findings of a kind there are, and what became of them.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub struct Count {
    pub kind: Kind,
    pub found: i64,
    pub corrected: i64,
    pub failed: i64,
}

/// One or a page, if asked for of one program.
pub async fn select(
    store: &Store,
    scope: Scope,
    page: Page,
    program_id: Option<Id>,
) -> Result<Vec<Reconciliation>, Error> {
    let statement = ("reconciliations.select", SELECT);
    At::from(store).list(statement, (scope, page), &[&program_id], reconciliation).await
}

fn reconciliation(row: &Row) -> Result<Reconciliation, Error> {
    let (kinds, numbers) = (row.get::<_, Vec<&str>>("kinds"), |name| row.get::<_, Vec<i64>>(name));
    let (found, corrected, failed) = (numbers("found"), numbers("corrected"), numbers("failed"));
    let counts = kinds.iter().zip(found).zip(corrected.into_iter().zip(failed));
    let counts = counts.map(|((code, found), (corrected, failed))| {
        Ok(Count { kind: kind(code)?, found, corrected, failed })
    });
    let span: (Option<Timestamp>, Option<Timestamp>) = (row.get("span_from"), row.get("span_to"));
    Ok(Reconciliation {
        id: row.get("id"),
        program_id: row.get("program_id"),
        status: row.get("status"),
        failure: row.get("failure"),
        span: span.0.zip(span.1),
        lines: row.get("lines"),
        counts: counts.collect::<Result<_, Error>>()?,
        created_at: row.get("created_at"),
        compared_at: row.get("compared_at"),
    })
}

fn kind(code: &str) -> Result<Kind, Error> {
    let unknown = || Error::unreadable("reconciliations.select", "a kind that nobody knows");
    Kind::parse(code).ok_or_else(unknown)
}

/// Where a list and the books differ.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Finding {
    pub id: Id,
    pub kind: Kind,
    /// Of the file; absent of what is not in it.
    pub line: Option<i64>,
    pub order_id: Option<String>,
    pub conversion_id: Option<Id>,
    /// The list's.
    pub amount: Option<Money>,
    /// The list's. Absent, of `refunded_but_paid`: all of it.
    pub refunded: Option<Money>,
    /// The books', when they were compared.
    pub booked: Option<Booked>,
    /// The code of a fault, or the status as it is written.
    pub detail: Option<String>,
    /// `open`, `corrected` or `failed`.
    pub state: String,
    /// Why it could not be corrected.
    pub why: Option<String>,
    pub corrected_at: Option<Timestamp>,
}

/// What the books said of an order.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Booked {
    pub amount: Money,
    pub refunded: Money,
    pub status: String,
}

/// Which findings; absent is any.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Filter {
    pub kind: Option<String>,
    pub state: Option<String>,
}

/// A page of what was found by one list.
pub async fn findings(
    store: &Store,
    scope: Scope,
    page: Page,
    (reconciliation_id, filter): (Id, &Filter),
) -> Result<Vec<Finding>, Error> {
    let filters: Values<'_> = &[&reconciliation_id, &filter.kind, &filter.state];
    At::from(store)
        .list(("reconciliations.findings", FINDINGS), (scope, page), filters, finding)
        .await
}

fn finding(row: &Row) -> Result<Finding, Error> {
    let booked = || {
        let status = row.get::<_, Option<String>>("booked_status")?;
        let amount = money(row, "booked_amount", "booked_currency")?;
        Some(Booked { amount, refunded: money(row, "booked_refunded", "booked_currency")?, status })
    };
    Ok(Finding {
        id: row.get("id"),
        kind: kind(row.get("kind"))?,
        line: row.get("line"),
        order_id: row.get("order_id"),
        conversion_id: row.get("conversion_id"),
        amount: money(row, "amount", "currency"),
        refunded: money(row, "refunded", "currency"),
        booked: booked(),
        detail: row.get("detail"),
        state: row.get("state"),
        why: row.get("why"),
        corrected_at: row.get("corrected_at"),
    })
}

/// An amount that may be absent, with its currency's decimals.
fn money(row: &Row, amount: &str, currency: &str) -> Option<Money> {
    let amount: Option<Decimal> = row.get(amount);
    let currency = Currency::parse(row.get::<_, Option<&str>>(currency)?)?;
    Some(Money::rounded(amount?, currency))
}

/// Gives up what nobody sends any more, and deletes some lines of what failed or is old; whether there may be
/// more of them. Part of a worker's housekeeping.
pub async fn sweep(store: &Store) -> Result<bool, Error> {
    store.rows("reconciliations.abandon", ABANDON, &[]).await?;
    let swept = store.transaction("reconciliations.sweep", async |tx| {
        let statement = tx.prepare_cached(SWEEP).await.during("reconciliations.sweep")?;
        tx.execute(&statement, &[&SWEEP_MAX]).await.during("reconciliations.sweep")
    });
    Ok(swept.await? >= SWEEP_MAX.unsigned_abs())
}
