//! Refunds and chargebacks as the API shows them. They are told through `books`.

use jiff::Timestamp;
use rust_decimal::Decimal;
use tokio_postgres::Row;

use super::ledger::money;
use super::page::{At, Page, Revision, Scope, Values};
use super::{Error, Transaction};
use crate::domain::id::Id;
use crate::domain::ledger::Status;
use crate::domain::money::{Currency, Money};
use crate::domain::takeback::{Dispute, Gone, Stage};

const SELECT: &str = include_str!("../../sql/takebacks/select.sql");
const NOTE: &str = include_str!("../../sql/takebacks/note.sql");

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Refund,
    Chargeback,
}

/// A refund or a chargeback, with what it did to the commission of its sale's own affiliate.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Takeback {
    pub id: Id,
    pub program_id: Id,
    pub conversion_id: Id,
    /// As the shop calls it.
    pub name: String,
    /// Absent: all of the sale.
    pub amount: Option<Money>,
    /// Of a chargeback: how far it is, and why the buyer disputes.
    pub dispute: Option<(Stage, Dispute)>,
    /// Of a refund: when it was told.
    pub requested_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    pub note: Option<String>,
    /// Absent: a person told it.
    pub hit_id: Option<Id>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub revision: Revision,
    pub order_id: Option<String>,
    /// Absent when nobody referred the sale.
    pub affiliate_id: Option<Id>,
    pub ordered_at: Timestamp,
    pub awaits_sale: bool,
    /// Of the commission, taken back by this one.
    pub reversed: Money,
    /// Of the commission, not paid while this one is open.
    pub held: Money,
    pub conversion_revision: Revision,
}

/// Which; absent is any. Times are half-open.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Filter {
    pub program_id: Option<Id>,
    pub affiliate_id: Option<Id>,
    pub conversion_id: Option<Id>,
    /// As the shop calls it.
    pub name: Option<String>,
    pub status: Option<String>,
    pub reason: Option<String>,
    /// Whether it is no chargeback yet.
    pub potential: Option<bool>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// When the sale arrived.
    pub ordered_from: Option<Timestamp>,
    pub ordered_to: Option<Timestamp>,
}

/// One or a page.
pub async fn select<'a>(
    at: impl Into<At<'a>>,
    scope: Scope,
    page: Page,
    (kind, filter): (Kind, &Filter),
) -> Result<Vec<Takeback>, Error> {
    let kind = match kind {
        Kind::Refund => "refund",
        Kind::Chargeback => "chargeback",
    };
    let f = filter;
    let filters: Values<'_> = &[
        &kind,
        &f.program_id,
        &f.affiliate_id,
        &f.conversion_id,
        &f.name,
        &f.status,
        &f.reason,
        &f.potential,
        &f.from,
        &f.to,
        &f.ordered_from,
        &f.ordered_to,
    ];
    at.into().list(("takebacks.select", SELECT), (scope, page), filters, takeback).await
}

fn takeback(row: &Row) -> Result<Takeback, Error> {
    let dispute = row.get::<_, Option<&str>>("status").map(|status| {
        let stage = Stage::parse(status)
            .ok_or_else(|| Error::unreadable("takebacks.select", "a status that nobody knows"));
        stage.map(|stage| (stage, Dispute::parse(row.get("reason"))))
    });
    let (reversed, held) = effect(row)?;
    Ok(Takeback {
        id: row.get("id"),
        program_id: row.get("program_id"),
        conversion_id: row.get("conversion_id"),
        name: row.get("name"),
        amount: amount(row)?,
        dispute: dispute.transpose()?,
        requested_at: row.get("requested_at"),
        closed_at: row.get("closed_at"),
        note: row.get("note"),
        hit_id: row.get("hit_id"),
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
        revision: row.get("revision"),
        order_id: row.get("order_id"),
        affiliate_id: row.get("affiliate_id"),
        ordered_at: row.get("ordered_at"),
        awaits_sale: row.get("awaits_sale"),
        reversed,
        held,
        conversion_revision: row.get("conversion_revision"),
    })
}

fn amount(row: &Row) -> Result<Option<Money>, Error> {
    let amount: Option<Decimal> = row.get("amount");
    let currency = row.get::<_, Option<&str>>("currency").and_then(Currency::parse);
    match (amount, currency) {
        (None, _) => Ok(None),
        (Some(amount), Some(currency)) => Ok(Some(Money::rounded(amount, currency))),
        (Some(_), None) => Err(Error::unreadable("takebacks.select", "an amount of no currency")),
    }
}

/// What it took back of the commission, and what it holds of it. Of what is rejected no money moves.
fn effect(row: &Row) -> Result<(Money, Money), Error> {
    let commission = money(row, "commission", "commission_currency")?;
    let nothing = Money::zero(commission.currency);
    let status: &str = row.get("conversion_status");
    if status == Status::Rejected.code() || row.get("awaits_sale") {
        return Ok((nothing, nothing));
    }
    let reversed = match row.get("is_taken") {
        true => {
            let sale: Decimal = row.get("sale");
            let before = Gone { amount: row.get("before"), of_all: row.get("of_all") };
            let after = before.and(row.get("amount"), sale);
            let taken = after.of(commission, sale).amount - before.of(commission, sale).amount;
            Money::rounded(taken, commission.currency)
        }
        false => nothing,
    };
    let is_held = row.get::<_, Option<bool>>("is_held") == Some(true);
    let held = match is_held && status == Status::Pending.code() {
        true => Money::rounded(
            commission.amount - row.get::<_, Decimal>("reversed"),
            commission.currency,
        ),
        false => nothing,
    };
    Ok((reversed, held))
}

/// Writes a note at a chargeback; if a revision is given, only at that. Whether it did.
pub async fn note(
    tx: &Transaction<'_>,
    (id, only_at): (Id, Option<Revision>),
    note: &str,
) -> Result<bool, Error> {
    let rows = At::from(tx).rows("takebacks.note", NOTE, &[&id, &only_at, &note]).await?;
    Ok(!rows.is_empty())
}
