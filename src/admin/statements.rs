//! `statements`: an affiliate's payable money in a month, by program and currency. Opening and movements are the
//! closing, or there is no statement.

use hyper::StatusCode;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::affiliates;
use super::call::{Answered, Call};
use super::cells;
use super::input::Input;
use super::refusal::Refusal;
use super::rules;
use super::shown::{IdText, Money};
use crate::domain::id::Id;
use crate::domain::statement::{month_name, sheet_of};
use crate::http::{self, FieldError};
use crate::store::keys::Role;
use crate::store::statements::{self, Account, Question};

/// Movements of a statement, at most; who has more, asks for one program.
const MOVEMENTS_MAX: i64 = 50_000;

/// What was payable to an affiliate in a month, and what moved it.
#[derive(Serialize, ToSchema)]
pub(super) struct Statement {
    affiliate_id: IdText,
    /// In the time zone of each program's advertiser.
    #[schema(example = "2026-01")]
    month: String,
    /// One for each program and currency.
    data: Vec<StatementAccount>,
}

/// The payable money of one currency in one program: `opening` and `movements` are `closing`.
#[derive(Serialize, ToSchema)]
pub(super) struct StatementAccount {
    program_id: IdText,
    opening: Money,
    movements: Vec<Movement>,
    closing: Money,
    /// Not payable yet; now, whatever the month.
    pending: Money,
}

/// A ledger row.
#[derive(Serialize, ToSchema)]
pub(super) struct Movement {
    id: IdText,
    at: Timestamp,
    /// In the advertiser's time zone.
    #[schema(value_type = String, format = Date)]
    day: Date,
    /// `approve`, `reject`, `supersede`, `reverse`, `restore`, `hold`, `adjust`, `exchange`, `pay` or `return`.
    #[schema(example = "approve")]
    code: String,
    conversion_id: Option<IdText>,
    /// As the shop knows it.
    order_id: Option<String>,
    /// The month whose closing made it: of what tiers, bonuses and caps gave.
    #[schema(example = "2026-01")]
    month: Option<String>,
    /// Of an adjustment: why.
    #[schema(example = "a gift")]
    reason: Option<String>,
    /// Below zero: taken back, or paid.
    amount: Money,
    /// Behind it.
    balance: Money,
}

/// `GET statements`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let (asked, format) = asked(&mut query);
    let own = match call.role {
        Role::Affiliate(id) => Some(id),
        _ => None,
    };
    if own.is_none() && asked.0.is_none() {
        query.fault("affiliate_id", "is required");
    }
    query.finish()?;
    let (affiliate_id, program_id, month) = asked;
    let asked_for = affiliate_id.or(own).ok_or(Refusal::NotFound)?;
    // An affiliate has a statement of his own, and nobody else's.
    if call.scope().affiliate_id.is_some_and(|own| own != asked_for) {
        return Err(Refusal::NotFound);
    }
    let question = Question { affiliate_id: asked_for, program_id, month, limit: MOVEMENTS_MAX };
    let accounts = statements::select(call.store(), call.scope(), &question).await?;
    let Some(accounts) = accounts else {
        let detail = format!("has more than {MOVEMENTS_MAX} movements; ask for one program");
        return Err(Refusal::Fields(vec![FieldError { pointer: "month".to_owned(), detail }]));
    };
    // Of whom he does not know, an advertiser is told nothing, not even that there is nothing.
    if accounts.is_empty() {
        affiliates::known(call, asked_for).await.map_err(|_| Refusal::NotFound)?;
    }
    if format == "csv" {
        let name = format!("statement-{asked_for}-{}.csv", month_name(month));
        return Ok(cells::sheet(&name, &sheet_of(&accounts, month)));
    }
    let statement = Statement {
        affiliate_id: IdText(asked_for),
        month: month_name(month),
        data: accounts.iter().map(account).collect(),
    };
    Ok(http::json(StatusCode::OK, &statement))
}

type Asked = (Option<Id>, Option<Id>, Date);

pub(super) fn asked(query: &mut Input) -> (Asked, String) {
    let affiliate_id = query.optional("affiliate_id", rules::ID);
    let program_id = query.optional("program_id", rules::ID);
    let month = query.required("month", rules::MONTH);
    let format = query.optional_or("format", rules::FORMAT, "json".to_owned());
    ((affiliate_id, program_id, month), format)
}

fn account(a: &Account) -> StatementAccount {
    StatementAccount {
        program_id: IdText(a.program_id),
        opening: a.opening.into(),
        movements: a.movements.iter().map(movement).collect(),
        closing: a.closing.into(),
        pending: a.pending.into(),
    }
}

fn movement(m: &statements::Movement) -> Movement {
    Movement {
        id: IdText(m.id),
        at: m.at,
        day: m.day,
        code: m.code.clone(),
        conversion_id: m.conversion_id.map(IdText),
        order_id: m.order_id.clone(),
        month: m.month.map(month_name),
        reason: m.reason.clone(),
        amount: m.amount.into(),
        balance: m.balance.into(),
    }
}
