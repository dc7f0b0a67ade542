//! What is payable in one currency, put into another.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::ledger::money;
use super::page::{At, Page, Scope, Values, made};
use super::{Error, Transaction};
use crate::domain::id::Id;
use crate::domain::money::Money;
use crate::domain::rates::Quoted;

const BALANCE: &str = include_str!("../../sql/exchanges/balance.sql");
const CREATE: &str = include_str!("../../sql/exchanges/create.sql");
const IS_AFFILIATE: &str = include_str!("../../sql/exchanges/is_affiliate.sql");
const SELECT: &str = include_str!("../../sql/exchanges/select.sql");

/// An exchange.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Exchange {
    pub id: Id,
    pub of: New,
    pub created_at: Timestamp,
}

/// What can be said of one when it is made.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct New {
    pub program_id: Id,
    pub affiliate_id: Id,
    pub from: Money,
    pub to: Money,
    pub quoted: Quoted,
}

/// Whether an affiliate has to do with a program.
pub async fn is_affiliate(tx: &Transaction<'_>, affiliate: Id, program: Id) -> Result<bool, Error> {
    let operation = "exchanges.is_affiliate";
    let rows = At::from(tx).rows(operation, IS_AFFILIATE, &[&affiliate, &program]).await?;
    Ok(rows.first().is_some_and(|row| row.get(0)))
}

/// What an affiliate has in a program, in the currency of an amount, that no payout holds; whether it is as
/// much. To be asked under the program's lock.
pub async fn is_covered(
    tx: &Transaction<'_>,
    program: Id,
    affiliate: Id,
    amount: Money,
) -> Result<bool, Error> {
    let values: Values<'_> = &[&program, &affiliate, &amount.currency.code()];
    let rows = At::from(tx).rows("exchanges.balance", BALANCE, values).await?;
    let open: Option<rust_decimal::Decimal> = rows.first().map(|row| row.get("amount"));
    Ok(open.is_some_and(|open| open >= amount.amount))
}

/// Makes one, with its two transfers; returns its id.
pub async fn create(tx: &Transaction<'_>, new: &New) -> Result<Id, Error> {
    let operation = "exchanges.create";
    let values: Values<'_> = &[
        &new.program_id,
        &new.affiliate_id,
        &new.from.amount,
        &new.from.currency.code(),
        &new.to.amount,
        &new.to.currency.code(),
        &new.quoted.rate,
        &new.quoted.on,
        &new.quoted.source,
    ];
    let rows = At::from(tx).rows(operation, CREATE, values).await?;
    made(operation, rows.first().map(|row| row.get(0)))
}

/// One or a page, of one program or affiliate, or all.
pub async fn select<'a>(
    at: impl Into<At<'a>>,
    scope: Scope,
    page: Page,
    (program_id, of_affiliate_id): (Option<Id>, Option<Id>),
) -> Result<Vec<Exchange>, Error> {
    let filters: Values<'_> = &[&program_id, &of_affiliate_id];
    at.into().list(("exchanges.select", SELECT), (scope, page), filters, exchange).await
}

fn exchange(row: &Row) -> Result<Exchange, Error> {
    Ok(Exchange {
        id: row.get("id"),
        of: New {
            program_id: row.get("program_id"),
            affiliate_id: row.get("affiliate_id"),
            from: money(row, "from_amount", "from_currency")?,
            to: money(row, "to_amount", "to_currency")?,
            quoted: Quoted {
                rate: row.get("rate"),
                on: row.get("rate_on"),
                source: row.get("rate_source"),
            },
        },
        created_at: row.get("created_at"),
    })
}
