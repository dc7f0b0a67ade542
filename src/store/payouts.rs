//! Payouts: a run proposes what is owed, people move the payouts on. Each step is one transaction: a payout
//! never is in a status without the transfers and the items of that status.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::affiliates::payee;
use super::ledger::money;
use super::page::{At, Page, Scope, Values, made};
use super::{Error, Store, Transaction};
use crate::domain::id::Id;
use crate::domain::money::Money;
use crate::domain::payout::{Method, Payer, Status, Step};
pub use crate::domain::payout_file::{File, Line};

const FILE: &str = include_str!("../../sql/payouts/file.sql");
const ITEMS: &str = include_str!("../../sql/payouts/items.sql");
const LOCK: &str = include_str!("../../sql/payouts/lock.sql");
const LOCK_CONVERSIONS: &str = include_str!("../../sql/payouts/lock_conversions.sql");
const LOCK_PROGRAM: &str = include_str!("../../sql/payouts/lock_program.sql");
const MARK: &str = include_str!("../../sql/payouts/mark.sql");
const MOVE: &str = include_str!("../../sql/payouts/move.sql");
const OUTDATED: &str = include_str!("../../sql/payouts/outdated.sql");
const POST: &str = include_str!("../../sql/payouts/post.sql");
const PROPOSE: &str = include_str!("../../sql/payouts/propose.sql");
const RELEASE: &str = include_str!("../../sql/payouts/release.sql");
const RUN: &str = include_str!("../../sql/payouts/run.sql");
const SELECT: &str = include_str!("../../sql/payouts/select.sql");
const SELECT_RUNS: &str = include_str!("../../sql/payouts/select_runs.sql");

/// A run of a program.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Run {
    pub id: Id,
    pub program_id: Id,
    /// Nothing that was earned at or after this is paid.
    pub until: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// A payout to an affiliate.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Payout {
    pub id: Id,
    pub run_id: Id,
    pub program_id: Id,
    pub affiliate_id: Id,
    pub amount: Money,
    pub status: Status,
    /// Of whoever paid it.
    pub reference: Option<String>,
    /// Why it failed.
    pub reason: Option<String>,
    pub approved_at: Option<Timestamp>,
    pub paid_at: Option<Timestamp>,
    /// Failed or cancelled.
    pub closed_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// Ledger rows.
    pub items: i64,
}

/// Which payouts; absent is any.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Filter {
    pub program_id: Option<Id>,
    pub affiliate_id: Option<Id>,
    pub status: Option<String>,
    pub run_id: Option<Id>,
}

/// A ledger row of a payout.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Item {
    /// The transfer.
    pub id: Id,
    pub code: String,
    /// Below zero: taken.
    pub amount: Money,
    pub conversion_id: Option<Id>,
    pub order_id: Option<String>,
    pub event_at: Timestamp,
    /// When the payout failed or was cancelled.
    pub released_at: Option<Timestamp>,
}

/// Locks a program of the one who asks; false where there is none. Who takes from its payable money waits
/// here for the one before.
pub async fn lock_program(tx: &Transaction<'_>, scope: Scope, id: Id) -> Result<bool, Error> {
    let values: Values<'_> = &[&id, &scope.advertiser_id];
    Ok(!At::from(tx).rows("payouts.lock_program", LOCK_PROGRAM, values).await?.is_empty())
}

/// Proposes payouts of all that is owed in a program and was earned before `until`; returns the run's id.
/// Nothing, where there is no such program for the one who asks.
pub async fn run(
    tx: &Transaction<'_>,
    scope: Scope,
    program_id: Id,
    until: Option<Timestamp>,
) -> Result<Option<Id>, Error> {
    if !lock_program(tx, scope, program_id).await? {
        return Ok(None);
    }
    let rows = At::from(tx).rows("payouts.run", RUN, &[&program_id, &until]).await?;
    let id: Id = made("payouts.run", rows.first().map(|row| row.get(0)))?;
    At::from(tx).rows("payouts.propose", PROPOSE, &[&id]).await?;
    Ok(Some(id))
}

/// One run or a page, of one program or all.
pub async fn select_runs<'a>(
    at: impl Into<At<'a>>,
    scope: Scope,
    page: Page,
    program_id: Option<Id>,
) -> Result<Vec<Run>, Error> {
    let Page { id, before, limit } = page;
    let values: Values<'_> = &[&scope.advertiser_id, &id, &before, &limit, &program_id];
    let rows = at.into().rows("payouts.select_runs", SELECT_RUNS, values).await?;
    let run = |row: &Row| Run {
        id: row.get("id"),
        program_id: row.get("program_id"),
        until: row.get("until"),
        created_at: row.get("created_at"),
    };
    Ok(rows.iter().map(run).collect())
}

/// One payout or a page.
pub async fn select<'a>(
    at: impl Into<At<'a>>,
    scope: Scope,
    page: Page,
    filter: &Filter,
) -> Result<Vec<Payout>, Error> {
    let Filter { program_id, affiliate_id, status, run_id } = filter;
    let filters: Values<'_> = &[program_id, affiliate_id, status, run_id];
    at.into().list(("payouts.select", SELECT), (scope, page), filters, payout).await
}

fn payout(row: &Row) -> Result<Payout, Error> {
    Ok(Payout {
        id: row.get("id"),
        run_id: row.get("run_id"),
        program_id: row.get("program_id"),
        affiliate_id: row.get("affiliate_id"),
        amount: money(row, "amount", "currency")?,
        status: status(row)?,
        reference: row.get("reference"),
        reason: row.get("reason"),
        approved_at: row.get("approved_at"),
        paid_at: row.get("paid_at"),
        closed_at: row.get("closed_at"),
        created_at: row.get("created_at"),
        items: row.get("items"),
    })
}

fn status(row: &Row) -> Result<Status, Error> {
    let unknown = || Error::unreadable("payouts", "a status that nobody knows");
    Status::parse(row.get("status")).ok_or_else(unknown)
}

/// A page of the ledger rows of a payout.
pub async fn items(
    store: &Store,
    scope: Scope,
    payout_id: Id,
    page: Page,
) -> Result<Vec<Item>, Error> {
    let Scope { advertiser_id, affiliate_id } = scope;
    let values: Values<'_> =
        &[&advertiser_id, &affiliate_id, &payout_id, &page.before, &page.limit];
    let rows = store.rows("payouts.items", ITEMS, values).await?;
    let item = |row: &Row| {
        Ok(Item {
            id: row.get("id"),
            code: row.get("code"),
            amount: money(row, "amount", "currency")?,
            conversion_id: row.get("conversion_id"),
            order_id: row.get("order_id"),
            event_at: row.get("event_at"),
            released_at: row.get("released_at"),
        })
    };
    rows.iter().map(item).collect()
}

/// Which payouts take a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// This one, or it is told why not.
    One(Id),
    /// All of a run that can; of those only that are paid this way, if it is said.
    OfRun(Id, Option<Method>),
}

/// What a person says with a step.
#[derive(Debug, Clone, Copy, Default)]
pub struct Said<'a> {
    /// Of whoever paid it.
    pub reference: Option<&'a str>,
    /// Why it failed.
    pub reason: Option<&'a str>,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stepped {
    /// It was taken, by this many.
    Done(usize),
    /// There is none, or it is another's.
    NotFound,
    /// It cannot be taken from here.
    Not(Status),
    /// Of these more went back since than came; none was taken.
    Outdated(Vec<Outdated>),
}

/// A proposed payout that its run, made now, would propose for less.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Outdated {
    pub payout_id: Id,
    pub affiliate_id: Id,
    /// The affiliate's name.
    pub affiliate: String,
    /// By so much, above zero.
    pub less: Money,
}

/// Takes a step with its transfers, items and conversions.
pub async fn step(
    tx: &Transaction<'_>,
    scope: Scope,
    which: Which,
    (step, said): (Step, Said<'_>),
) -> Result<Stepped, Error> {
    let (one, run, method) = match which {
        Which::One(id) => (Some(id), None, None),
        Which::OfRun(id, method) => (None, Some(id), method.map(Method::code)),
    };
    let at = At::from(tx);
    let values: Values<'_> = &[&scope.advertiser_id, &one, &run, &method];
    let rows = at.rows("payouts.lock", LOCK, values).await?;
    let mut ways: Vec<(Status, Status, Vec<Id>)> = Vec::new();
    for row in &rows {
        let from = status(row)?;
        match (step.from(from), which) {
            (Some(to), _) => match ways.iter_mut().find(|way| way.0 == from) {
                Some(way) => way.2.push(row.get("id")),
                None => ways.push((from, to, vec![row.get("id")])),
            },
            (None, Which::One(_)) => return Ok(Stepped::Not(from)),
            (None, Which::OfRun(..)) => {}
        }
    }
    if rows.is_empty() && one.is_some() {
        return Ok(Stepped::NotFound);
    }
    if let (Step::Approve, Some((_, _, ids))) = (step, ways.first()) {
        let outdated = outdated(tx, scope, rows[0].get("program_id"), ids).await?;
        if !outdated.is_empty() {
            return Ok(Stepped::Outdated(outdated));
        }
    }
    for (from, to, ids) in &ways {
        let values: Values<'_> = &[ids, &to.code(), &said.reference, &said.reason];
        at.rows("payouts.move", MOVE, values).await?;
        follow(at, (*from, *to), ids).await?;
    }
    Ok(Stepped::Done(ways.iter().map(|way| way.2.len()).sum()))
}

/// Which of some proposed payouts of a program are outdated. Asked under the program's lock, so that no run or exchange
/// moves what is open meanwhile.
async fn outdated(
    tx: &Transaction<'_>,
    scope: Scope,
    program_id: Id,
    ids: &Vec<Id>,
) -> Result<Vec<Outdated>, Error> {
    lock_program(tx, scope, program_id).await?;
    let rows = At::from(tx).rows("payouts.outdated", OUTDATED, &[ids, &program_id]).await?;
    let outdated = |row: &Row| {
        Ok(Outdated {
            payout_id: row.get("id"),
            affiliate_id: row.get("affiliate_id"),
            affiliate: row.get::<_, Option<String>>("affiliate").unwrap_or_default(),
            less: money(row, "less", "currency")?,
        })
    };
    rows.iter().map(outdated).collect()
}

/// What goes with a change of status: the transfer, the rows, the conversions.
async fn follow(at: At<'_>, way: (Status, Status), ids: &Vec<Id>) -> Result<(), Error> {
    let code = match way {
        (_, Status::Paid) => Some("pay"),
        (Status::Paid, _) => Some("return"),
        _ => None,
    };
    if let Some(code) = code {
        at.rows("payouts.post", POST, &[ids, &code]).await?;
        at.rows("payouts.lock_conversions", LOCK_CONVERSIONS, &[ids]).await?;
        at.rows("payouts.mark", MARK, &[ids]).await?;
    }
    if matches!(way.1, Status::Failed | Status::Cancelled) {
        at.rows("payouts.release", RELEASE, &[ids]).await?;
    }
    Ok(())
}

/// What a file of a run is made of, or of those of it that are paid this way; nothing, where there is no
/// such run for the one who asks.
pub async fn file(
    store: &Store,
    scope: Scope,
    run_id: Id,
    method: Option<Method>,
) -> Result<Option<File>, Error> {
    let values: Values<'_> = &[&scope.advertiser_id, &run_id, &method.map(Method::code)];
    let rows = store.rows("payouts.file", FILE, values).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let line = |row: &Row| {
        Ok(Line {
            payout_id: row.get("id"),
            affiliate_id: row.get("affiliate_id"),
            affiliate: row.get::<_, Option<String>>("affiliate").unwrap_or_default(),
            amount: money(row, "amount", "currency")?,
            payee: payee(row),
        })
    };
    let approved = rows.iter().filter(|row| row.get::<_, Option<Id>>("id").is_some());
    Ok(Some(File {
        run_id: first.get("run_id"),
        advertiser: first.get("advertiser"),
        payer: Payer {
            name: first.get("payer_name"),
            iban: first.get("payer_iban"),
            bic: first.get("payer_bic"),
        },
        at: first.get("at"),
        today: first.get("today"),
        lines: approved.map(line).collect::<Result<_, Error>>()?,
    }))
}
