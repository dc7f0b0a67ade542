//! Conversions as the API shows them, and the verdicts of people on them: approve, reject. A verdict and
//! its transfer are one transaction.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use super::books::{self, Acted, Which};
use super::ledger::money;
use super::page::{At, Page, Revision, Scope, Values};
use super::plans::{self, Plan};
use super::{During, Error, Transaction, settle};
use crate::domain::id::Id;
use crate::domain::ledger::{Share, Status};
use crate::domain::money::{Currency, Money};
use crate::domain::order::Order;
use crate::domain::rates::Quoted;
use crate::domain::settlement::{Action, Refused};

const SELECT: &str = include_str!("../../sql/conversions/select.sql");

/// A sale or lead, with the terms it was priced by.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Conversion {
    pub id: Id,
    /// In order of arrival.
    pub hit_ids: Vec<Id>,
    pub program_id: Id,
    /// Absent when nobody referred it.
    pub affiliate_id: Option<Id>,
    pub link_id: Option<Id>,
    pub order_id: Option<String>,
    /// `sale` or `lead`.
    pub kind: String,
    pub amount: Money,
    pub commission: Money,
    /// Of the commission, taken back by refunds and chargebacks.
    pub reversed: Decimal,
    /// Of the amount, paid back to the buyer.
    pub refunded: Decimal,
    pub status: Status,
    pub verified: bool,
    pub attributed_by: Option<String>,
    pub click_id: Option<Id>,
    pub received_at: Timestamp,
    pub reasons: Vec<String>,
    pub held: bool,
    pub hold_until: Timestamp,
    /// What the person wrote who rejected it.
    pub rejection: Option<String>,
    pub revision: Revision,
    pub plan: Option<Plan>,
    /// What others have of it, as far as the one who asks may know.
    pub shares: Vec<Share>,
    /// The rate that the commission was exchanged by.
    pub exchange: Option<Quoted>,
    /// The advertiser's currency.
    pub home: Currency,
    /// What is known of the order, where one conversion was asked for.
    pub order: Option<Box<Order>>,
}

/// Which conversions; absent is any. The time is half-open.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Filter {
    pub program_id: Option<Id>,
    pub affiliate_id: Option<Id>,
    pub order_id: Option<String>,
    pub status: Option<String>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

/// One or a page.
pub async fn select<'a>(
    at: impl Into<At<'a>>,
    scope: Scope,
    page: Page,
    filter: &Filter,
) -> Result<Vec<Conversion>, Error> {
    let Filter { program_id, affiliate_id, order_id, status, from, to } = filter;
    let filters: Values<'_> = &[program_id, affiliate_id, order_id, status, from, to];
    at.into().list(("conversions.select", SELECT), (scope, page), filters, conversion).await
}

fn conversion(row: &Row) -> Result<Conversion, Error> {
    let status: &str = row.get("status");
    let unknown_currency = || Error::unreadable("conversions.select", "a currency");
    let unknown = || Error::unreadable("conversions.select", "a status that nobody knows");
    let program_id = row.get("program_id");
    Ok(Conversion {
        id: row.get("id"),
        hit_ids: row.get("hit_ids"),
        program_id,
        affiliate_id: row.get("affiliate_id"),
        link_id: row.get("link_id"),
        order_id: row.get("order_id"),
        kind: row.get("kind"),
        amount: money(row, "amount", "currency")?,
        commission: money(row, "commission", "commission_currency")?,
        reversed: row.get("reversed"),
        refunded: row.get("refunded"),
        status: Status::parse(status).ok_or_else(unknown)?,
        verified: row.get("verified"),
        attributed_by: row.get("attributed_by"),
        click_id: row.get("click_id"),
        received_at: row.get("received_at"),
        reasons: row.get("reasons"),
        held: row.get("held"),
        hold_until: row.get("hold_until"),
        rejection: row.get("rejection"),
        revision: row.get("revision"),
        plan: plans::joined(row, program_id),
        shares: settle::shares(row)?,
        exchange: json(row, "exchange")?,
        home: Currency::parse(row.get("home")).ok_or_else(unknown_currency)?,
        order: json(row, "facts")?.map(Box::new),
    })
}

fn json<T: DeserializeOwned>(row: &Row, column: &str) -> Result<Option<T>, Error> {
    let value: Option<Json<T>> = row.try_get(column).during("conversions.select")?;
    Ok(value.map(|Json(value)| value))
}

/// What a person decided.
#[derive(Debug, Clone, Copy)]
pub enum Verdict<'a> {
    /// Payable now, whatever was left of the hold period.
    Approve,
    /// Not to be paid, and why.
    Reject(&'a str),
}

/// What became of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// As it was asked for; now, or already before.
    Done,
    /// There is none, or it is another's.
    NotFound,
    /// It stands otherwise than at the only revision that was to be judged.
    Changed,
    /// Its money is where the verdict cannot reach it.
    TooLate(Status),
    /// A chargeback is open: it is not approved before that is decided.
    Disputed,
}

/// Carries out a verdict, by the database's clock; if a revision is given, only at that. Repeating one
/// changes nothing and moves no money again.
pub async fn judge(
    tx: &Transaction<'_>,
    scope: Scope,
    id: Id,
    (verdict, only_at): (Verdict<'_>, Option<Revision>),
) -> Result<Judged, Error> {
    books::hold_all(tx, scope, &[id]).await?;
    judge_held(tx, scope, id, (verdict, only_at)).await
}

/// Carries out a verdict on each of several conversions, at any revision; by their ids, what became of each. That holds
/// when all are judged.
pub async fn judge_all(
    tx: &Transaction<'_>,
    scope: Scope,
    ids: &[Id],
    verdict: Verdict<'_>,
) -> Result<Vec<(Id, Judged)>, Error> {
    let renewals = books::hold_all(tx, scope, ids).await?;
    let (last, first): (Vec<Id>, Vec<Id>) = ids.iter().partition(|id| renewals.contains(id));
    let mut judged = Vec::with_capacity(ids.len());
    for id in first.into_iter().chain(last) {
        judged.push((id, judge_held(tx, scope, id, (verdict, None)).await?));
    }
    judged.sort_by_key(|(id, _)| *id);
    Ok(judged)
}

async fn judge_held(
    tx: &Transaction<'_>,
    scope: Scope,
    id: Id,
    (verdict, only_at): (Verdict<'_>, Option<Revision>),
) -> Result<Judged, Error> {
    let action = match verdict {
        Verdict::Approve => Action::Approve,
        Verdict::Reject(why) => Action::Reject(why.to_owned()),
    };
    let which = Which::One(id, only_at);
    Ok(match books::act(tx, scope, &which, &action, None).await? {
        Acted::Done(..) | Acted::Refused(Refused::Same, _) => Judged::Done,
        Acted::NotFound => Judged::NotFound,
        Acted::Changed => Judged::Changed,
        Acted::Refused(Refused::Disputed, _) => Judged::Disputed,
        Acted::Refused(Refused::TooLate(status), _) => Judged::TooLate(status),
        Acted::Refused(_, conversion) => Judged::TooLate(conversion.booked.status),
    })
}
