//! What people do to the books: approve, reject, take back, correct. One conversion is locked, read, and brought
//! to what follows; conversion, shares, refunds, chargebacks and transfers are written together, in the
//! transaction that is given. What is decided is not known here.

use std::collections::HashSet;

use tokio_postgres::Row;

use super::page::{Revision, Scope, Values};
use super::settle::{self, Noted};
use super::{During, Error, Store, Transaction, catalog, ledger, rates, ties};
use crate::domain::id::Id;
use crate::domain::intake::SaleKind;
use crate::domain::ledger::{Cause, Transfer};
use crate::domain::lookups::Aid;
use crate::domain::order::Key;
use crate::domain::rates::AGE_DAYS_MAX;
use crate::domain::settlement::{self, Action, By, Conversion, Refused, Settlement};

const LOCK_ALL: &str = include_str!("../../sql/books/lock_all.sql");
const LOCK: &str = include_str!("../../sql/books/lock.sql");
const READ: &str = include_str!("../../sql/books/read.sql");
const CLOCK: &str = include_str!("../../sql/books/clock.sql");
const CAUSE: &str = include_str!("../../sql/books/cause.sql");
const WAITING: &str = include_str!("../../sql/books/waiting.sql");
const UPDATE: &str = include_str!("../../sql/books/update.sql");

/// Which conversion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// By its id; if a revision is given, only at that.
    One(Id, Option<Revision>),
    /// By its program and order. One that nobody told of yet is made, to await its sale, where something is told
    /// of that went back; else it is not found.
    Order(Key),
}

impl Which {
    /// The sale of an order id, in its one spelling.
    pub fn sale(program_id: Id, order_id: &str) -> Self {
        let text = format!("id:{order_id}");
        Which::Order(Key { program_id, kind: SaleKind::Sale, text })
    }
}

/// What became of an action.
#[derive(Debug)]
pub enum Acted {
    /// It is so now; under this id it was told. Its transfers are posted.
    Done(Box<Conversion>, Id),
    /// Nothing was changed, and why. The conversion stands as it is.
    Refused(Refused, Box<Conversion>),
    /// There is none, or it is another's.
    NotFound,
    /// It stands otherwise than at the only revision that was to be acted on.
    Changed,
}

/// Waits until nobody else acts on any of the conversions that one call decides on: first for their customers, then for
/// their rows, each in one order for all, so that two who wait do not wait for each other. Returns which are renewals:
/// they come last, for what is decided of their customer's first sale books them anew.
pub async fn hold_all(
    tx: &Transaction<'_>,
    scope: Scope,
    ids: &[Id],
) -> Result<HashSet<Id>, Error> {
    ties::hold(tx, scope, ids).await?;
    let statement = tx.prepare_cached(LOCK_ALL).await.during("books.lock_all")?;
    let rows =
        tx.query(&statement, &[&ids, &scope.advertiser_id]).await.during("books.lock_all")?;
    Ok(rows.iter().filter(|row| row.get("is_renewal")).map(|row| row.get("id")).collect())
}

/// Carries out an action on one conversion of those in scope, by the database's clock. `note` is what a person
/// wrote about a refund or chargeback. Whoever may approve or reject holds the conversion before, by [`hold_all`].
pub async fn act(
    tx: &Transaction<'_>,
    scope: Scope,
    which: &Which,
    action: &Action,
    note: Option<&str>,
) -> Result<Acted, Error> {
    let is_verdict = matches!(action, Action::Approve | Action::Reject(_));
    let row = match lock(tx, scope, which).await? {
        Some(row) => row,
        None => match await_sale(tx, scope, which, (action, note)).await? {
            Awaited::So(acted) => return Ok(acted),
            Awaited::There(row) => row,
        },
    };
    let cause = cause(tx).await?;
    let noted = Noted { id: cause.id, note };
    let conversion = settle::conversion(&row)?;
    if let Which::One(_, Some(only_at)) = which
        && *only_at != Revision::from(conversion.revision)
    {
        return Ok(Acted::Changed);
    }
    let program = catalog::program_of(tx, conversion.key.program_id).await?;
    let program = program.ok_or_else(|| Error::unreadable("books.act", "no program"))?;
    let by = By { cause, booked_by: row.get("booked_by") };
    let asked = conversion.rate_asked(&program).into_iter().collect();
    let rates = rates::quotes(tx, &asked).await?;
    let aid = Aid { rates: Some(&rates), ..Aid::default() };
    match settlement::act(&conversion, action, (&program, aid), by) {
        Ok((now, transfers)) => {
            let followed = match is_verdict {
                true => ties::follow(tx, (&conversion, &now), &program, cause).await?,
                false => Settlement::default(),
            };
            write(tx, action, (&now, &transfers), noted).await?;
            settle::write_conversions(tx, &followed.conversions).await?;
            post(tx, &followed.transfers).await?;
            Ok(Acted::Done(Box::new(now), cause.id))
        }
        Err(refused) => Ok(Acted::Refused(refused, Box::new(conversion))),
    }
}

/// What became of an order that nobody told of.
enum Awaited {
    So(Acted),
    /// Somebody else told of it meanwhile: its row, locked.
    There(Row),
}

/// Makes a conversion that awaits its sale, where something went back of it.
async fn await_sale(
    tx: &Transaction<'_>,
    scope: Scope,
    which: &Which,
    (action, note): (&Action, Option<&str>),
) -> Result<Awaited, Error> {
    let not_found = Ok(Awaited::So(Acted::NotFound));
    let (Which::Order(key), Action::Takeback(takeback)) = (which, action) else {
        return not_found;
    };
    let Some(program) = catalog::program_of(tx, key.program_id).await? else { return not_found };
    if scope.advertiser_id.is_some_and(|id| id != program.advertiser_id) {
        return not_found;
    }
    let cause = cause(tx).await?;
    let made = settlement::take_back_unknown(key, takeback, &program, cause);
    let Ok(made) = made else { return not_found };
    let noted = Noted { id: cause.id, note };
    match settle::write_noted(tx, std::slice::from_ref(&made), noted).await {
        Ok(()) => Ok(Awaited::So(Acted::Done(Box::new(made), cause.id))),
        // Nothing was written, so the transaction goes on, with what the other wrote.
        Err(raced) if raced.cause == super::Cause::Race => match lock(tx, scope, which).await {
            Ok(Some(row)) => Ok(Awaited::There(row)),
            _ => Err(raced),
        },
        Err(error) => Err(error),
    }
}

/// Books what waited for a rate of exchange that is known now, at most `limit` conversions, each in a transaction of
/// its own; returns how many were found.
pub async fn reprice(store: &Store, limit: usize) -> Result<usize, Error> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = store.rows("books.waiting", WAITING, &[&limit, &AGE_DAYS_MAX]).await?;
    for row in &rows {
        let which = Which::One(row.get(0), None);
        let work = async |tx: &Transaction<'_>| {
            act(tx, Scope::default(), &which, &Action::Reprice, None).await
        };
        match store.transaction("books.reprice", work).await {
            Ok(_) => {}
            Err(error) if error.is_passing() => return Err(error),
            // One that cannot be booked stops none of the others.
            Err(error) => tracing::error!(%error, "a conversion cannot be priced again"),
        }
    }
    Ok(rows.len())
}

async fn lock(tx: &Transaction<'_>, scope: Scope, which: &Which) -> Result<Option<Row>, Error> {
    let Some(id) = hold(tx, scope, which).await? else { return Ok(None) };
    let statement = tx.prepare_cached(READ).await.during("books.read")?;
    tx.query_opt(&statement, &[&id]).await.during("books.read")
}

/// Waits until nobody else acts on a conversion; its id.
async fn hold(tx: &Transaction<'_>, scope: Scope, which: &Which) -> Result<Option<Id>, Error> {
    let statement = tx.prepare_cached(LOCK).await.during("books.lock")?;
    let (id, key) = match which {
        Which::One(id, _) => (Some(*id), None),
        Which::Order(key) => (None, Some(key)),
    };
    let program_id = key.map(|key| key.program_id);
    let kind = key.map(|key| key.kind.code());
    let text = key.map(|key| &*key.text);
    let params: Values<'_> = &[&id, &program_id, &kind, &text, &scope.advertiser_id];
    let locked = tx.query_opt(&statement, params).await.during("books.lock")?;
    Ok(locked.map(|row| row.get(0)))
}

/// The database's clock, in milliseconds, when nobody else acts on a conversion any more: of what is told at the same
/// time one is later than the other.
pub async fn now_ms(tx: &Transaction<'_>, scope: Scope, which: &Which) -> Result<i64, Error> {
    hold(tx, scope, which).await?;
    let statement = tx.prepare_cached(CLOCK).await.during("books.clock")?;
    Ok(tx.query_one(&statement, &[]).await.during("books.clock")?.get(0))
}

async fn cause(tx: &Transaction<'_>) -> Result<Cause, Error> {
    let statement = tx.prepare_cached(CAUSE).await.during("books.cause")?;
    let row = tx.query_one(&statement, &[]).await.during("books.cause")?;
    Ok(Cause { id: row.get(0), event_ms: row.get(1) })
}

/// Writes what an action made of a conversion whose row is locked.
async fn write(
    tx: &Transaction<'_>,
    action: &Action,
    (now, transfers): (&Conversion, &[Transfer]),
    noted: Noted<'_>,
) -> Result<(), Error> {
    let rejection = match action {
        Action::Reject(why) => Some(&**why),
        _ => None,
    };
    post(tx, transfers).await?;
    settle::write_changed(tx, ("books.update", UPDATE), &[now], &[&rejection]).await?;
    settle::write_parts(tx, &[now], noted).await
}

async fn post(tx: &Transaction<'_>, transfers: &[Transfer]) -> Result<(), Error> {
    match ledger::post(tx, transfers).await? == transfers.len() as u64 {
        true => Ok(()),
        false => Err(Error::unreadable("books.act", "its transfer was written before")),
    }
}
