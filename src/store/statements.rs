//! An affiliate's payable money in a month: balances and movements, by program and currency, on one snapshot.

use jiff::civil::Date;
use rust_decimal::Decimal;
use tokio_postgres::Row;

use super::ledger::money;
use super::page::Scope;
use super::{Error, Store};
use crate::domain::id::Id;
use crate::domain::money::{Currency, Money};
use crate::domain::statement;
pub use crate::domain::statement::{Account, Movement};

const PROGRAMS: &str = include_str!("../../sql/statements/programs.sql");
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

/// A program, as a statement names it.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Program {
    pub id: Id,
    pub name: String,
    pub advertiser: String,
    /// Of its advertiser; IANA name.
    pub timezone: String,
}

/// The programs of an advertiser, or those that an affiliate has to do with.
pub async fn programs(store: &Store, scope: Scope) -> Result<Vec<Program>, Error> {
    let Scope { advertiser_id, affiliate_id } = scope;
    let values: super::page::Values<'_> = &[&advertiser_id, &affiliate_id];
    let rows = store.reporting().rows("statements.programs", PROGRAMS, values).await?;
    let program = |row: &Row| Program {
        id: row.get("id"),
        name: row.get("name"),
        advertiser: row.get("advertiser"),
        timezone: row.get("timezone"),
    };
    Ok(rows.iter().map(program).collect())
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
        reason: row.get("reason"),
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
