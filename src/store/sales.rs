//! An advertiser's sales as his pages show them: what each costs him, what went back of it, and its ledger rows.
//! Every statement takes the advertiser's id and finds nothing that is another's.

use std::collections::HashMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use tokio_postgres::Row;

use super::page::{Page, Revision, Values};
use super::{Error, Store};
use crate::domain::id::Id;

const AFFILIATES: &str = include_str!("../../sql/sales/affiliates.sql");
const CHARGEBACKS: &str = include_str!("../../sql/sales/chargebacks.sql");
const NAMES: &str = include_str!("../../sql/sales/names.sql");
const OWED: &str = include_str!("../../sql/sales/owed.sql");
const REFUNDS: &str = include_str!("../../sql/sales/refunds.sql");
const SELECT: &str = include_str!("../../sql/sales/select.sql");
const SHARES: &str = include_str!("../../sql/sales/shares.sql");
const TRANSFERS: &str = include_str!("../../sql/sales/transfers.sql");

/// A sale or lead.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Sale {
    pub id: Id,
    pub received_at: Timestamp,
    pub program: String,
    pub order_id: Option<String>,
    pub kind: String,
    /// Of its own affiliate, if it has one.
    pub affiliate: Option<String>,
    pub amount: Decimal,
    pub currency: String,
    /// Its own affiliate's, and what was taken back of that.
    pub commission: Decimal,
    pub reversed: Decimal,
    pub commission_currency: String,
    /// How many others get something.
    pub shares: i64,
    /// What is left of all commissions, by currency.
    pub net: Vec<(Decimal, String)>,
    pub standing: Standing,
    pub verified: bool,
    pub revision: Revision,
}

/// Where a sale stands, and what is known of why.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct Standing {
    pub status: String,
    pub held: bool,
    pub hold_until: Timestamp,
    /// Stable codes.
    pub reasons: Vec<String>,
    /// Of the amount, paid back to the buyer.
    pub refunded: Decimal,
    /// What the person wrote who rejected it.
    pub rejection: Option<String>,
}

/// Which sales; absent is any. The time is half-open.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Filter {
    pub program_id: Option<Id>,
    /// In its one spelling.
    pub order_id: Option<String>,
    pub status: Option<String>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

/// What somebody else than its own affiliate gets of a sale.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Share {
    /// Absent, where the advertiser does not know him.
    pub affiliate: Option<String>,
    /// `touch` or `level`.
    pub kind: String,
    pub level: Option<i16>,
    pub commission: Decimal,
    pub reversed: Decimal,
    pub currency: String,
    pub status: String,
}

/// What the shop paid back.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Refund {
    pub refund_id: String,
    /// With its currency; absent: all of it.
    pub money: Option<(Decimal, String)>,
    /// Absent: told by hand.
    pub hit_id: Option<Id>,
    pub note: Option<String>,
    pub at: Timestamp,
}

/// A dispute at the buyer's bank.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Chargeback {
    pub chargeback_id: String,
    /// With its currency; absent: all of it.
    pub money: Option<(Decimal, String)>,
    pub status: String,
    pub reason: String,
    pub requested_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    /// Absent: told by hand.
    pub hit_id: Option<Id>,
    pub note: Option<String>,
}

/// A ledger row.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Transfer {
    pub code: String,
    /// The account, and its owner where that is an affiliate.
    pub debit: (String, Option<String>),
    pub credit: (String, Option<String>),
    pub amount: Decimal,
    pub currency: String,
    pub event_at: Timestamp,
}

/// What is owed to an affiliate, and in no payout yet.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Owed {
    pub affiliate_id: Id,
    pub affiliate: Option<String>,
    pub program: String,
    /// Below zero: more went back than came since.
    pub amount: Decimal,
    /// In payouts that are not paid yet.
    pub under_way: Decimal,
    pub currency: String,
}

/// One sale or a page.
pub async fn select(
    store: &Store,
    advertiser: Id,
    page: Page,
    filter: &Filter,
) -> Result<Vec<Sale>, Error> {
    let Page { id, before, limit } = page;
    let f = filter;
    let values: Values<'_> =
        &[&advertiser, &id, &before, &limit, &f.program_id, &f.order_id, &f.status, &f.from, &f.to];
    let rows = store.rows("sales.select", SELECT, values).await?;
    Ok(rows.iter().map(sale).collect())
}

fn sale(row: &Row) -> Sale {
    Sale {
        id: row.get("id"),
        received_at: row.get("received_at"),
        program: row.get("program"),
        order_id: row.get("order_id"),
        kind: row.get("kind"),
        affiliate: row.get("affiliate"),
        amount: row.get("amount"),
        currency: row.get("currency"),
        commission: row.get("commission"),
        reversed: row.get("reversed"),
        commission_currency: row.get("commission_currency"),
        shares: row.get("shares"),
        net: row
            .get::<_, Vec<_>>("nets")
            .into_iter()
            .zip(row.get::<_, Vec<_>>("currencies"))
            .collect(),
        standing: Standing {
            status: row.get("status"),
            held: row.get("held"),
            hold_until: row.get("hold_until"),
            reasons: row.get("reasons"),
            refunded: row.get("refunded"),
            rejection: row.get("rejection"),
        },
        verified: row.get("verified"),
        revision: row.get("revision"),
    }
}

/// What others get of a sale.
pub async fn shares(store: &Store, advertiser: Id, id: Id) -> Result<Vec<Share>, Error> {
    let rows = store.rows("sales.shares", SHARES, &[&advertiser, &id]).await?;
    let share = |row: &Row| Share {
        affiliate: row.get("name"),
        kind: row.get("kind"),
        level: row.get("level"),
        commission: row.get("commission"),
        reversed: row.get("reversed"),
        currency: row.get("currency"),
        status: row.get("status"),
    };
    Ok(rows.iter().map(share).collect())
}

/// What was paid back of a sale, at most 100.
pub async fn refunds(store: &Store, advertiser: Id, id: Id) -> Result<Vec<Refund>, Error> {
    let rows = store.rows("sales.refunds", REFUNDS, &[&advertiser, &id]).await?;
    let refund = |row: &Row| Refund {
        refund_id: row.get("refund_id"),
        money: told(row),
        hit_id: row.get("hit_id"),
        note: row.get("note"),
        at: row.get("created_at"),
    };
    Ok(rows.iter().map(refund).collect())
}

/// The disputes about a sale, at most 100.
pub async fn chargebacks(store: &Store, advertiser: Id, id: Id) -> Result<Vec<Chargeback>, Error> {
    let rows = store.rows("sales.chargebacks", CHARGEBACKS, &[&advertiser, &id]).await?;
    let chargeback = |row: &Row| Chargeback {
        chargeback_id: row.get("chargeback_id"),
        money: told(row),
        status: row.get("status"),
        reason: row.get("reason"),
        requested_at: row.get("requested_at"),
        closed_at: row.get("closed_at"),
        hit_id: row.get("hit_id"),
        note: row.get("note"),
    };
    Ok(rows.iter().map(chargeback).collect())
}

fn told(row: &Row) -> Option<(Decimal, String)> {
    let amount: Option<Decimal> = row.get("amount");
    amount.zip(row.get("currency"))
}

/// The ledger rows of a sale, at most 200.
pub async fn transfers(store: &Store, advertiser: Id, id: Id) -> Result<Vec<Transfer>, Error> {
    let rows = store.rows("sales.transfers", TRANSFERS, &[&advertiser, &id]).await?;
    let transfer = |row: &Row| Transfer {
        code: row.get("code"),
        debit: (row.get("debit_account"), row.get("debtor")),
        credit: (row.get("credit_account"), row.get("creditor")),
        amount: row.get("amount"),
        currency: row.get("currency"),
        event_at: row.get("event_at"),
    };
    Ok(rows.iter().map(transfer).collect())
}

/// What an advertiser owes and no payout holds yet, at most 500.
pub async fn owed(store: &Store, advertiser: Id) -> Result<Vec<Owed>, Error> {
    let rows = store.rows("sales.owed", OWED, &[&advertiser]).await?;
    let owed = |row: &Row| Owed {
        affiliate_id: row.get("affiliate_id"),
        affiliate: row.get("affiliate"),
        program: row.get("program"),
        amount: row.get("amount"),
        under_way: row.get("under_way"),
        currency: row.get("currency"),
    };
    Ok(rows.iter().map(owed).collect())
}

/// An advertiser's affiliates with their names, at most 1000; or one of them.
pub async fn affiliates(
    store: &Store,
    advertiser: Id,
    only: Option<Id>,
) -> Result<Vec<(Id, String)>, Error> {
    let rows = store.rows("sales.affiliates", AFFILIATES, &[&advertiser, &only]).await?;
    Ok(rows.iter().map(|row| (row.get("id"), row.get("name"))).collect())
}

/// The names of affiliates, of those who may be seen.
pub async fn names(store: &Store, ids: &[Id]) -> Result<HashMap<Id, String>, Error> {
    let rows = store.rows("sales.names", NAMES, &[&ids]).await?;
    Ok(rows.iter().map(|row| (row.get("id"), row.get("name"))).collect())
}
