//! A postback that tells of a refund or a chargeback. What it says may take a commission back, so nothing is
//! guessed: a template that nobody filled in takes back nothing.

use jiff::Timestamp;

use super::fields::{self, Pairs};
use super::{Fault, or};
use crate::domain::catalog::Program;
use crate::domain::money::{Money, parse_amount};
use crate::domain::reason::Reason;
use crate::domain::takeback::{
    Chargeback, Dispute, Refund, Stage, TIMES_MS, Takeback, is_beyond_tomorrow, is_closed_early,
};

/// The id of the one refund or chargeback of an order that has no other.
const ALL: &str = "all";

/// A refund or chargeback, with the order that it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct TakebackTold {
    /// Trimmed and in NFC, as the sale's own.
    pub order_id: String,
    pub takeback: Takeback,
    pub test: bool,
}

/// Which it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Refund,
    Chargeback,
}

/// Reads one that arrived at `received_ms`.
pub(super) fn read(
    (kind, received_ms): (Kind, i64),
    program: &Program,
    pairs: &Pairs<'_>,
    faults: &mut Vec<Fault>,
) -> Box<TakebackTold> {
    let order_id = or(faults, order_id(pairs), String::new());
    let money = or(faults, amount(program, pairs), None);
    let takeback = match kind {
        Kind::Refund => {
            let id = or(faults, refund_id(pairs), String::new());
            Takeback::Refund(Refund { id, money })
        }
        Kind::Chargeback => Takeback::Chargeback(chargeback(received_ms, money, pairs, faults)),
    };
    let test = pairs.get("test") == Some("1");
    Box::new(TakebackTold { order_id, takeback, test })
}

fn chargeback(
    received_ms: i64,
    money: Option<Money>,
    pairs: &Pairs<'_>,
    faults: &mut Vec<Fault>,
) -> Chargeback {
    let id = or(faults, fields::id("chargeback_id", pairs), None);
    let stage = or(faults, stage(pairs), Stage::Open);
    let requested = or(faults, time("requested_at", received_ms, pairs), None);
    let closed = or(faults, time("closed_at", received_ms, pairs), None);
    let is_early = requested.zip(closed).is_some_and(|(opened, end)| is_closed_early(opened, end));
    if stage.is_closed() && is_early {
        faults.push(("closed_at", Reason::TimeInvalid));
    }
    let closed_ms = stage.is_closed().then_some(closed.unwrap_or(received_ms));
    Chargeback {
        id: id.unwrap_or_else(|| ALL.to_owned()),
        money,
        stage,
        reason: pairs.get("reason").map_or(Dispute::Unknown, Dispute::parse),
        // It was opened before it was closed, whenever we heard of it.
        requested_ms: requested.unwrap_or(closed_ms.unwrap_or(received_ms).min(received_ms)),
        closed_ms,
    }
}

fn order_id(pairs: &Pairs<'_>) -> Result<String, Fault> {
    fields::id("id", pairs)?.ok_or(("id", Reason::OrderIdRequired))
}

/// How much; `None` for all of it, which has to be meant: the field is not there at all.
fn amount(program: &Program, pairs: &Pairs<'_>) -> Result<Option<Money>, Fault> {
    let currency = fields::currency(program, pairs)?;
    let Some(text) = pairs.get("amount") else {
        let unfilled = pairs.raw("amount").is_some();
        return if unfilled { Err(("amount", Reason::AmountMissing)) } else { Ok(None) };
    };
    match parse_amount(text, currency) {
        Ok(money) if money.amount.is_zero() => Err(("amount", Reason::AmountZero)),
        read => read.map(Some).map_err(|reason| ("amount", reason)),
    }
}

/// A part of the order needs an id of its own: sent again, it would else count twice.
fn refund_id(pairs: &Pairs<'_>) -> Result<String, Fault> {
    let is_part = pairs.raw("amount").is_some();
    match fields::id("refund_id", pairs)? {
        Some(id) if !is_part || id != ALL => Ok(id),
        None if !is_part => Ok(ALL.to_owned()),
        _ => Err(("refund_id", Reason::RefundIdMissing)),
    }
}

fn stage(pairs: &Pairs<'_>) -> Result<Stage, Fault> {
    let stage = match pairs.get("status") {
        Some(text) => Stage::parse(text).ok_or(("status", Reason::StatusUnknown))?,
        None => Stage::Open,
    };
    let potential = stage == Stage::Open && pairs.get("potential") == Some("1");
    Ok(if potential { Stage::Potential } else { stage })
}

/// A moment as in RFC 3339, or a date, which is taken for its first moment in UTC; not before 1970, nor
/// after 9998 or the day behind that of its arrival.
fn time(name: &'static str, received_ms: i64, pairs: &Pairs<'_>) -> Result<Option<i64>, Fault> {
    let Some(text) = pairs.get(name) else { return Ok(None) };
    let moment: Option<Timestamp> = match text.len() {
        10 => format!("{text}T00:00:00Z").parse().ok(),
        _ => text.parse().ok(),
    };
    let can_be = |at_ms: &i64| TIMES_MS.contains(at_ms) && !is_beyond_tomorrow(*at_ms, received_ms);
    let at_ms = moment.map(Timestamp::as_millisecond).filter(can_be);
    at_ms.map(Some).ok_or((name, Reason::TimeInvalid))
}
