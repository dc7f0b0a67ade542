//! Months that are closed: what tiers, bonuses and caps give beside the commissions is adjusted, for each affiliate
//! by himself, in one transaction with what was told of his month since. Triggers tell of each change in a month that
//! is over, in the transaction of the change (V16), so that nothing is missed however late it commits; and nothing is
//! read where nothing was told.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use tokio_postgres::Row;

use super::ledger::money;
use super::page::{At, Page, Scope, Values};
use super::{During, Error, Store, Transaction, catalog, settle};
use crate::domain::catalog::Program;
use crate::domain::commission::months::{self, Booked, Due};
use crate::domain::id::Id;
use crate::domain::money::{Currency, Money};
use crate::domain::statement::month_name;
use crate::telemetry;

const BEGIN: &str = include_str!("../../sql/months/begin.sql");
const CHANGED: &str = include_str!("../../sql/months/changed.sql");
const TAKE: &str = include_str!("../../sql/months/take.sql");
const CONVERSIONS: &str = include_str!("../../sql/months/conversions.sql");
const LAST: &str = include_str!("../../sql/months/last.sql");
const CLOSE: &str = include_str!("../../sql/months/close.sql");
const SWEEP: &str = include_str!("../../sql/months/sweep.sql");
const SELECT: &str = include_str!("../../sql/months/select.sql");

/// How long behind the end of a month and the program's hold period it is closed: longer than any transaction that
/// began before its end may take.
const GRACE_SECONDS: f64 = 3600.0;
/// Months of programs that are begun by one statement, at most.
const BEGIN_MAX: i64 = 32;
/// So many that failed for the time being, and the rest is left for the next time: the database may be away.
const PASSING_MAX: usize = 3;

/// Closes what is due by `now_ms`, at most `limit` affiliates' months; returns how many were closed. One that
/// cannot be closed stops none of the others, and is tried again the next time.
pub async fn close_due(store: &Store, now_ms: i64, limit: usize) -> Result<usize, Error> {
    let now = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    loop {
        let values: Values<'_> = &[&now, &GRACE_SECONDS, &BEGIN_MAX];
        if store.value::<i64>("months.begin", BEGIN, values).await? < Some(BEGIN_MAX) {
            break;
        }
    }
    let found = store.rows("months.changed", CHANGED, &[&now, &GRACE_SECONDS, &limit]).await?;
    let (mut closed, mut failed, mut passing) = (0, 0, 0);
    for row in &found {
        let month = Month {
            program_id: row.get("program_id"),
            affiliate_id: row.get("affiliate_id"),
            month: row.get("month"),
            lower: row.get("lower"),
            upper: row.get("upper"),
        };
        match store.transaction("months.close", async |tx| close(tx, &month).await).await {
            Ok(was_open) => closed += usize::from(was_open),
            Err(error) => {
                (failed, passing) = (failed + 1, passing + usize::from(error.is_passing()));
                let Month { program_id, affiliate_id, month, .. } = month;
                tracing::error!(%error, program_id, affiliate_id, %month, "a month cannot be closed");
            }
        }
        if passing == PASSING_MAX {
            break;
        }
    }
    telemetry::months(closed, failed);
    store.rows("months.sweep", SWEEP, &[&now, &GRACE_SECONDS]).await?;
    Ok(closed)
}

/// An affiliate's month in a program.
#[derive(Debug, Clone, Copy)]
struct Month {
    program_id: Id,
    affiliate_id: Id,
    /// Its first day.
    month: Date,
    lower: Timestamp,
    upper: Timestamp,
}

/// Closes one; false where another did meanwhile.
async fn close(tx: &Transaction<'_>, of: &Month) -> Result<bool, Error> {
    let at = At::from(tx);
    let values: Values<'_> = &[&of.program_id, &of.affiliate_id, &of.month];
    let taken = at.rows("months.take", TAKE, values).await?;
    if taken.first().is_none_or(|row| row.get::<_, i64>(0) == 0) {
        return Ok(false);
    }
    let program = catalog::program_of(tx, of.program_id).await?;
    let program = program.ok_or_else(|| Error::unreadable("months.close", "no program"))?;
    let Some(at_end) = program.plan_at(of.upper.as_millisecond() - 1) else { return Ok(true) };
    let booked = booked(tx, of, &program).await?;
    let due = months::due(&booked, &at_end.terms, program.currency);
    let last = at.rows("months.last", LAST, values).await?;
    for closing in closings(due, &last)? {
        book(at, of, &closing).await?;
    }
    Ok(true)
}

/// What there is of the affiliate in the month. Read row by row: facts take more memory than what is made of them.
async fn booked<'a>(
    tx: &Transaction<'_>,
    of: &Month,
    program: &'a Program,
) -> Result<Vec<Booked<'a>>, Error> {
    let values: Values<'_> = &[&of.program_id, &of.affiliate_id, &of.lower, &of.upper];
    let rows = tx.query_raw(CONVERSIONS, values.iter().copied());
    let rows = rows.await.during("months.conversions")?;
    let mut rows = std::pin::pin!(rows);
    let mut booked = Vec::new();
    while let Some(row) = rows.try_next().await.during("months.conversions")? {
        booked.extend(settle::conversion(&row)?.in_month_of(of.affiliate_id, program));
    }
    Ok(booked)
}

/// What is to be booked in one currency.
struct Closing {
    number: i32,
    due: Money,
    booked_before: Decimal,
    lines: Vec<String>,
}

/// One for each currency in which something is otherwise than at the last closing.
fn closings(due: Due, last: &[Row]) -> Result<Vec<Closing>, Error> {
    let mut all: BTreeMap<String, Closing> = BTreeMap::new();
    let first = |currency| Closing {
        number: 1,
        due: Money::zero(currency),
        booked_before: Decimal::ZERO,
        lines: Vec::new(),
    };
    let mut before: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in last {
        let money = money(row, "due", "currency")?;
        let number: i32 = row.get("number");
        let again =
            Closing { number: number + 1, booked_before: money.amount, ..first(money.currency) };
        all.insert(row.get("currency"), again);
        before.insert(row.get("currency"), row.get("lines"));
    }
    let mut of = |currency: Currency, change: &dyn Fn(&mut Closing)| {
        change(all.entry(currency.code().to_owned()).or_insert_with(|| first(currency)));
    };
    for line in &due.lines {
        of(line.extra().currency, &|closing| closing.lines.push(line.told()));
    }
    for extra in due.extra {
        of(extra.currency, &|closing| closing.due = extra);
    }
    let is_new = |(code, closing): &(String, Closing)| match before.get(code) {
        Some(lines) => *lines != closing.lines || closing.due.amount != closing.booked_before,
        None => true,
    };
    Ok(all.into_iter().filter(is_new).map(|(_, closing)| closing).collect())
}

async fn book(at: At<'_>, of: &Month, closing: &Closing) -> Result<(), Error> {
    let again = if closing.number > 1 { ", again" } else { "" };
    let reason = format!("month {} closed{again}", month_name(of.month));
    let values: Values<'_> = &[
        &of.program_id,
        &of.affiliate_id,
        &of.month,
        &closing.due.currency.code(),
        &closing.number,
        &closing.due.amount,
        &closing.booked_before,
        &closing.lines,
        &reason,
    ];
    at.rows("months.close", CLOSE, values).await.map(drop)
}

/// A closing of an affiliate's month in one currency.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Closed {
    pub id: Id,
    pub program_id: Id,
    pub affiliate_id: Id,
    /// Its first day.
    pub month: Date,
    /// 1, 2, …; the last one holds.
    pub number: i32,
    /// Beside the commissions.
    pub due: Money,
    /// By the closings before.
    pub booked_before: Money,
    /// Of the difference; absent: there is none.
    pub adjustment_id: Option<Id>,
    /// How it came about.
    pub lines: Vec<String>,
    pub closed_at: Timestamp,
}

/// A page of closings, newest first, of one program or affiliate, or all.
pub async fn select(
    store: &Store,
    scope: Scope,
    page: Page,
    (program_id, of_affiliate_id): (Option<Id>, Option<Id>),
) -> Result<Vec<Closed>, Error> {
    let Scope { advertiser_id, affiliate_id } = scope;
    let values: Values<'_> =
        &[&advertiser_id, &affiliate_id, &page.before, &page.limit, &program_id, &of_affiliate_id];
    let rows = store.rows("months.select", SELECT, values).await?;
    rows.iter().map(closed).collect()
}

fn closed(row: &Row) -> Result<Closed, Error> {
    Ok(Closed {
        id: row.get("id"),
        program_id: row.get("program_id"),
        affiliate_id: row.get("affiliate_id"),
        month: row.get("month"),
        number: row.get("number"),
        due: money(row, "due", "currency")?,
        booked_before: money(row, "booked_before", "currency")?,
        adjustment_id: row.get("adjustment_id"),
        lines: row.get("lines"),
        closed_at: row.get("closed_at"),
    })
}
