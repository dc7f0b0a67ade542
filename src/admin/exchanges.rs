//! `exchanges`: what is payable to an affiliate in one currency, put into another: two transfers with one cause.
//! Different currencies are never added; this is the only way from one into another.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{self, Answered, Call, ok, one_more, only};
use super::input::Input;
use super::once::{made, once};
use super::refusal::Refusal;
use super::rules;
use super::shown::{IdText, Money};
use crate::domain::id::Id;
use crate::domain::money::{self, Currency};
use crate::domain::payout::exchanged;
use crate::domain::rates::Quoted;
use crate::http::FieldError;
use crate::store::exchanges::{self, New};
use crate::store::page::Page;
use crate::store::{Transaction, payouts, rates};

/// A part of an affiliate's payable money, put from one currency into another.
#[derive(Serialize, ToSchema)]
pub(super) struct Exchange {
    id: IdText,
    program_id: IdText,
    affiliate_id: IdText,
    /// What was taken.
    from: Money,
    /// What was given.
    to: Money,
    rate: Rate,
    created_at: Timestamp,
}

/// How many of the one currency were given for one of the other.
#[derive(Serialize, ToSchema)]
pub(super) struct Rate {
    #[schema(value_type = String, example = "0.9217")]
    rate: Decimal,
    /// The day that it was quoted for.
    #[schema(value_type = String, format = Date)]
    on_date: jiff::civil::Date,
    /// Who quoted it.
    #[schema(example = "European Central Bank")]
    source: String,
}

/// `GET exchanges`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let page = call::page(&mut query);
    let owners = call::owners(&mut query);
    query.finish()?;
    let rows = exchanges::select(call.store(), call.scope(), one_more(page), owners).await?;
    Ok(call.list(page, &rows, |row| row.id, view))
}

/// `GET exchanges/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    let page = Page::one(call.id()?);
    let rows = exchanges::select(call.store(), call.scope(), page, (None, None)).await?;
    Ok(ok(&view(&only(rows)?)))
}

/// What is to be exchanged.
pub(super) struct Asked {
    program_id: Id,
    affiliate_id: Id,
    from: Option<money::Money>,
    to: String,
    quoted: Option<Quoted>,
}

pub(super) fn asked(body: &mut Input) -> Asked {
    let asked = Asked {
        program_id: body.required("program_id", rules::ID),
        affiliate_id: body.required("affiliate_id", rules::ID),
        from: body.required("from", rules::MONEY),
        to: body.required("to", rules::CURRENCY),
        quoted: body.optional("rate", rules::QUOTED),
    };
    if asked.from.is_some_and(|from| from.currency.code() == asked.to) {
        body.fault("to", "is the currency that it comes from");
    }
    asked
}

/// `POST exchanges`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let asked = asked(&mut body);
    if let Some(quoted) = &asked.quoted
        && rates::is_early(call.store(), quoted.on).await?
    {
        body.fault_at("rate/on_date", rules::TOO_EARLY);
    }
    body.finish()?;
    once(call, async |tx| exchange(call, tx, asked).await).await
}

async fn exchange(
    call: &Call<'_>,
    tx: &Transaction<'_>,
    asked: Asked,
) -> Result<crate::store::idempotency::Answer, Refusal> {
    let Asked { program_id, affiliate_id, from, to, quoted } = asked;
    let (Some(from), Some(to)) = (from, Currency::parse(&to)) else {
        return Err(Refusal::NotFound);
    };
    if !payouts::lock_program(tx, call.scope(), program_id).await? {
        return Err(Refusal::Missing("/program_id"));
    }
    if !exchanges::is_affiliate(tx, affiliate_id, program_id).await? {
        return Err(Refusal::Missing("/affiliate_id"));
    }
    let quoted = rate(tx, (from.currency, to), quoted).await?;
    let Some(to) = exchanged(from, to, quoted.rate) else {
        let detail = "is worth nothing in the other currency, or too much to be told".to_owned();
        return Err(Refusal::Fields(vec![FieldError { pointer: "/from".to_owned(), detail }]));
    };
    if !exchanges::is_covered(tx, program_id, affiliate_id, from).await? {
        let detail = "The affiliate has less than that which no payout holds.".to_owned();
        return Err(Refusal::Conflict("balance_too_low", detail));
    }
    let new = New { program_id, affiliate_id, from, to, quoted };
    let id = exchanges::create(tx, &new).await?;
    let rows = exchanges::select(tx, call.scope(), Page::one(id), (None, None)).await?;
    Ok(made(format!("/api/v1/exchanges/{id}"), &view(&only(rows)?)))
}

/// The rate to go by: that which is given, if it is like the quotes of its day, or of today; without one those of today.
async fn rate(
    tx: &Transaction<'_>,
    (from, to): (Currency, Currency),
    given: Option<Quoted>,
) -> Result<Quoted, Refusal> {
    let of_its_day = match &given {
        Some(given) => rates::of_day(tx, (from, to), given.on).await?,
        None => None,
    };
    let known = match of_its_day {
        None => rates::of_today(tx, from, to).await?,
        known => known,
    };
    match (given, known) {
        (Some(given), Some(known)) if !known.is_like(given.rate) => {
            let Quoted { rate, on, source } = known;
            let (from, to) = (from.code(), to.code());
            let detail =
                format!("One {from} was {rate} {to} on {on} ({source}): this is too far from it.");
            Err(Refusal::Conflict("rate_unlikely", detail))
        }
        (Some(quoted), _) | (None, Some(quoted)) => Ok(quoted),
        (None, None) => {
            let detail =
                format!("There is no rate from {} to {}; give one.", from.code(), to.code());
            Err(Refusal::Conflict("rate_missing", detail))
        }
    }
}

fn view(e: &exchanges::Exchange) -> Exchange {
    let New { program_id, affiliate_id, from, to, quoted } = e.of.clone();
    Exchange {
        id: IdText(e.id),
        program_id: IdText(program_id),
        affiliate_id: IdText(affiliate_id),
        from: from.into(),
        to: to.into(),
        rate: Rate { rate: quoted.rate, on_date: quoted.on, source: quoted.source },
        created_at: e.created_at,
    }
}
