//! An affiliate's payable money in a month: balances and movements, by program and currency, on one snapshot.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use tokio_postgres::Row;

use super::ledger::money;
use super::page::Scope;
use super::{Error, Store};
use crate::domain::id::Id;
use crate::domain::money::{Currency, Money};
use crate::domain::statement;

const SELECT: &str = include_str!("../../sql/statements/select.sql");

/// Whose statement, and of when.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub struct Question {
    pub affiliate_id: Id,
    pub program_id: Option<Id>,
    /// The first day of the month, in the time zone of each program's advertiser.
    pub month: Date,
    /// Movements at most.
    pub limit: i64,
}

/// The payable money of one currency in one program. It foots.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Account {
    pub program_id: Id,
    pub opening: Money,
    pub movements: Vec<Movement>,
    pub closing: Money,
    /// Not payable yet, now; whatever the month.
    pub pending: Money,
}

/// One ledger row.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Movement {
    pub id: Id,
    pub at: Timestamp,
    /// In the advertiser's time zone.
    pub day: Date,
    pub code: String,
    pub conversion_id: Option<Id>,
    pub order_id: Option<String>,
    /// The first day of the month whose closing made it.
    pub month: Option<Date>,
    /// Below zero: taken, or paid.
    pub amount: Money,
    /// Behind it.
    pub balance: Money,
}

/// The accounts of an affiliate; nothing, where they have more movements than may be shown.
pub async fn select(
    store: &Store,
    scope: Scope,
    question: &Question,
) -> Result<Option<Vec<Account>>, Error> {
    let q = question;
    let limit = q.limit + 1;
    let values: super::page::Values<'_> =
        &[&scope.advertiser_id, &q.affiliate_id, &q.month, &q.program_id, &limit];
    let rows = store.reporting().rows("statements.select", SELECT, values).await?;
    let mut accounts: Vec<Account> = Vec::new();
    let mut movements = 0;
    for row in &rows {
        match row.get::<_, Option<Id>>("id") {
            None => accounts.push(account(row)?),
            Some(id) => {
                movements += 1;
                let last = accounts.last_mut();
                let last = last.ok_or_else(|| broken("a movement of no account"))?;
                last.movements.push(movement(row, id)?);
            }
        }
    }
    if movements > q.limit {
        return Ok(None);
    }
    accounts.iter_mut().try_for_each(foot)?;
    Ok(Some(accounts))
}

fn account(row: &Row) -> Result<Account, Error> {
    Ok(Account {
        program_id: row.get("program_id"),
        opening: money(row, "opening", "currency")?,
        movements: Vec::new(),
        closing: money(row, "closing", "currency")?,
        pending: money(row, "pending", "currency")?,
    })
}

fn movement(row: &Row, id: Id) -> Result<Movement, Error> {
    let amount = money(row, "amount", "currency")?;
    Ok(Movement {
        id,
        at: row.get("at"),
        day: row.get("day"),
        code: row.get("code"),
        conversion_id: row.get("conversion_id"),
        order_id: row.get("order_id"),
        month: row.get("month"),
        amount,
        balance: amount,
    })
}

/// Tells the balance behind each movement, or that the account does not foot.
fn foot(account: &mut Account) -> Result<(), Error> {
    let amounts: Vec<Decimal> = account.movements.iter().map(|m| m.amount.amount).collect();
    let balances = statement::footed(account.opening.amount, &amounts, account.closing.amount);
    let balances = balances.ok_or_else(|| broken("an account does not foot"))?;
    let currency: Currency = account.opening.currency;
    for (movement, balance) in account.movements.iter_mut().zip(balances) {
        movement.balance = Money::rounded(balance, currency);
    }
    Ok(())
}

fn broken(what: &str) -> Error {
    Error::unreadable("statements.select", what)
}
