//! What a shop's list of orders puts right in the books, finding by finding. Each is looked at again first, for the
//! books may have changed since they were compared; it is corrected, or marked with why not, once.

use rust_decimal::Decimal;
use tokio_postgres::Row;

use super::books::{self, Acted, Which};
use super::page::{Scope, Values};
use super::{During, Error, Transaction};
use crate::domain::id::Id;
use crate::domain::ledger::Status;
use crate::domain::money::{Currency, Money};
use crate::domain::reconciliation::{Kind, Said};
use crate::domain::settlement::{Action, Refused};
use crate::domain::takeback::{Refund, Takeback};

const LOCK: &str = include_str!("../../sql/corrections/lock.sql");
const TAKE: &str = include_str!("../../sql/corrections/take.sql");
const NOW: &str = include_str!("../../sql/corrections/now.sql");
const MARK: &str = include_str!("../../sql/corrections/mark.sql");

/// What is written on what the shop's list does not have.
const NOT_LISTED: &str = "not among the shop's orders";
/// The books changed since they were compared.
const CHANGED_SINCE: &str = "changed_since";

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Corrected {
    /// So many were corrected, so many could not be, and so many wait still.
    Some {
        /// Now.
        corrected: i64,
        /// Now; each says why.
        failed: i64,
        /// Of the kinds that were asked for.
        left: i64,
    },
    /// There is no such list, or it is another's.
    NotFound,
    /// It did not come to its end.
    NotCompared,
    /// It has lines of which nobody can tell the order: nothing is extra by it.
    Blind,
}

/// Corrects some findings of these kinds, in this order, at most `limit`.
pub async fn correct(
    tx: &Transaction<'_>,
    scope: Scope,
    reconciliation_id: Id,
    (kinds, limit): (&[Kind], i64),
) -> Result<Corrected, Error> {
    let statement = tx.prepare_cached(LOCK).await.during("corrections.lock")?;
    let values: Values<'_> = &[&reconciliation_id, &scope.advertiser_id];
    let row = tx.query_opt(&statement, values).await.during("corrections.lock")?;
    let Some(row) = row else { return Ok(Corrected::NotFound) };
    if row.get::<_, &str>("status") != "compared" {
        return Ok(Corrected::NotCompared);
    }
    if row.get("is_blind") && kinds.contains(&Kind::Extra) {
        return Ok(Corrected::Blind);
    }
    let codes: Vec<&str> = kinds.iter().map(|kind| kind.code()).collect();
    let statement = tx.prepare_cached(TAKE).await.during("corrections.take")?;
    let values: Values<'_> = &[&reconciliation_id, &codes, &limit];
    let rows = tx.query(&statement, values).await.during("corrections.take")?;
    let mut findings = rows.iter().map(Finding::of).collect::<Result<Vec<_>, _>>()?;
    let held: Vec<Id> = findings.iter().map(|finding| finding.conversion_id).collect();
    let renewals = books::hold_all(tx, scope, &held).await?;
    findings.sort_by_key(|finding| renewals.contains(&finding.conversion_id));
    let (mut ids, mut why) = (Vec::new(), Vec::new());
    for finding in &findings {
        ids.push(finding.id);
        why.push(correct_one(tx, scope, reconciliation_id, finding).await?.err());
    }
    let statement = tx.prepare_cached(MARK).await.during("corrections.mark")?;
    let values: Values<'_> = &[&reconciliation_id, &ids, &why, &codes];
    let marked = tx.query_one(&statement, values).await.during("corrections.mark")?;
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let failed = count(why.iter().flatten().count());
    Ok(Corrected::Some { corrected: count(ids.len()) - failed, failed, left: marked.get("left") })
}

/// What is to be corrected.
struct Finding {
    id: Id,
    kind: Kind,
    conversion_id: Id,
    amount: Option<Money>,
    refunded: Option<Money>,
    booked: Stand,
    /// The status as the list has it.
    word: Option<String>,
}

/// How much an order was, and how much of it went back.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stand {
    amount: Money,
    refunded: Decimal,
}

impl Finding {
    fn of(row: &Row) -> Result<Self, Error> {
        let unknown = || Error::unreadable("corrections.take", "a finding that nobody knows");
        let code: Option<&str> = row.get("currency");
        let currency = code.and_then(Currency::parse);
        let money = |name| Some(Money::rounded(row.get::<_, Option<Decimal>>(name)?, currency?));
        let booked: &str = row.get("booked_currency");
        let booked = Currency::parse(booked).ok_or_else(unknown)?;
        Ok(Finding {
            id: row.get("id"),
            kind: Kind::parse(row.get("kind")).ok_or_else(unknown)?,
            conversion_id: row.get("conversion_id"),
            amount: money("amount"),
            refunded: money("refunded"),
            booked: Stand {
                amount: Money::rounded(row.get("booked_amount"), booked),
                refunded: row.get("booked_refunded"),
            },
            word: row.get("detail"),
        })
    }

    /// How much of the order is to go back in all, as it stands now.
    fn target(&self, now: Stand) -> Result<Decimal, &'static str> {
        match self.refunded {
            Some(refunded) if refunded.currency != now.amount.currency => Err("currency_differs"),
            Some(refunded) => Ok(refunded.amount.min(now.amount.amount)),
            None if self.word.as_deref().map(Said::of) == Some(Said::Partly) => {
                Err("refund_amount_unknown")
            }
            None => Ok(now.amount.amount),
        }
    }
}

/// Corrects one, or tells why not.
async fn correct_one(
    tx: &Transaction<'_>,
    scope: Scope,
    reconciliation_id: Id,
    finding: &Finding,
) -> Result<Result<(), &'static str>, Error> {
    let statement = tx.prepare_cached(NOW).await.during("corrections.now")?;
    let row =
        tx.query_opt(&statement, &[&finding.conversion_id]).await.during("corrections.now")?;
    let Some(row) = row else { return Ok(Err("not_found")) };
    let currency = Currency::parse(row.get("currency"));
    let (Some(currency), Some(status)) = (currency, Status::parse(row.get("status"))) else {
        return Err(Error::unreadable("corrections.now", "a status or currency nobody knows"));
    };
    let amount = Money::rounded(row.get("amount"), currency);
    let now = Stand { amount, refunded: row.get("refunded") };
    let action = match due(finding, now, status) {
        Ok(Some(action)) => action,
        Ok(None) => return Ok(Ok(())),
        Err(why) => return Ok(Err(why)),
    };
    let action = match action {
        Due::GoesBack(rest) => refund(reconciliation_id, rest),
        Due::Act(action) => action,
    };
    let which = Which::One(finding.conversion_id, None);
    let acted = books::act(tx, scope, &which, &action, None).await?;
    match (acted, &action) {
        // It was paid out: it goes back as a refund does.
        (Acted::Refused(Refused::TooLate(Status::Paid), _), Action::Reject(_)) => {
            let action = refund(reconciliation_id, now.rest(now.amount.amount));
            let acted = books::act(tx, scope, &which, &action, Some(NOT_LISTED)).await?;
            Ok(told(&acted))
        }
        (acted, _) => Ok(told(&acted)),
    }
}

/// What has to be done.
enum Due {
    Act(Action),
    /// So much more; absent: all of it.
    GoesBack(Option<Money>),
}

impl Stand {
    /// What has to go back still, so that it is so much in all; absent: all of it.
    fn rest(&self, target: Decimal) -> Option<Money> {
        let is_all = target == self.amount.amount && self.refunded.is_zero();
        let rest = Money::rounded(target - self.refunded, self.amount.currency);
        (!is_all).then_some(rest)
    }
}

/// What a finding makes due of an order as it stands now; nothing, when it is so already.
fn due(finding: &Finding, now: Stand, status: Status) -> Result<Option<Due>, &'static str> {
    let counts = matches!(status, Status::Pending | Status::Payable | Status::Paid);
    match finding.kind {
        Kind::AmountDiffers => match finding.amount {
            Some(amount) if amount == now.amount => Ok(None),
            Some(amount) if now.amount == finding.booked.amount => {
                Ok(Some(Due::Act(Action::Correct(amount))))
            }
            _ => Err(CHANGED_SINCE),
        },
        Kind::RefundedButPaid => {
            let target = finding.target(now)?;
            match () {
                () if !counts || now.refunded >= target && !target.is_zero() => Ok(None),
                () if now.refunded != finding.booked.refunded => Err(CHANGED_SINCE),
                () => Ok(Some(Due::GoesBack(now.rest(target)))),
            }
        }
        Kind::Extra if !counts => Ok(None),
        Kind::Extra => Ok(Some(Due::Act(Action::Reject(NOT_LISTED.to_owned())))),
        Kind::Confirmed if matches!(status, Status::Payable | Status::Paid) => Ok(None),
        Kind::Confirmed => Ok(Some(Due::Act(Action::Approve))),
        _ => Err("not_correctable"),
    }
}

fn refund(reconciliation_id: Id, money: Option<Money>) -> Action {
    let id = format!("reconciliation:{reconciliation_id}");
    Action::Takeback(Takeback::Refund(Refund { id, money }))
}

/// What became of it; why not, a stable code.
fn told(acted: &Acted) -> Result<(), &'static str> {
    match acted {
        Acted::Done(..) | Acted::Refused(Refused::Same | Refused::Nothing, _) => Ok(()),
        Acted::Refused(Refused::TooLate(Status::Paid), _) => Err("already_paid"),
        Acted::Refused(Refused::TooLate(_), _) => Err("conversion_not_pending"),
        Acted::Refused(Refused::Disputed, _) => Err("chargeback_open"),
        Acted::Refused(Refused::CurrencyDiffers, _) => Err("currency_differs"),
        Acted::Refused(Refused::SaleAwaited, _) => Err("sale_awaited"),
        Acted::NotFound => Err("not_found"),
        Acted::Changed => Err(CHANGED_SINCE),
    }
}
