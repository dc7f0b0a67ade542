//! `chargebacks`: disputes at buyers' banks, and how far each is. An open one holds the commission, one that is lost
//! or accepted takes it back. To tell of one again is to say how far it is now.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{Answered, Call, ok, one_more, tag_of};
use super::etag::IfMatch;
use super::input::Input;
use super::once::{done, once, once_if_asked};
use super::refusal::Refusal;
use super::rules;
use super::shown::{self, IdText, Money};
use super::takebacks::{self, Of, act, answer, find, find_named, tell};
use crate::domain::id::Id;
use crate::domain::money;
use crate::domain::takeback::{
    Chargeback as Dispute, Dispute as Why, Stage, Takeback, is_beyond_tomorrow, is_closed_early,
};
use crate::http::FieldError;
use crate::store::Transaction;
use crate::store::books::{self, Which};
use crate::store::idempotency::Answer;
use crate::store::keys::Role;
use crate::store::page::{Page, Revision};
use crate::store::takebacks::{self as rows, Filter, Kind};

/// A dispute at a buyer's bank, and what it does to the commission.
#[derive(Serialize, ToSchema)]
pub(super) struct Chargeback {
    id: IdText,
    /// The shop's.
    #[schema(example = "CB-1")]
    chargeback_id: String,
    program_id: IdText,
    /// None when nobody referred the sale.
    affiliate_id: Option<IdText>,
    conversion_id: IdText,
    /// As the shop knows it.
    order_id: Option<String>,
    /// None: all of the sale.
    amount: Option<Money>,
    #[schema(schema_with = shown::stage)]
    status: &'static str,
    /// Why the buyer disputes.
    #[schema(schema_with = shown::dispute)]
    reason: &'static str,
    /// The same, to a person.
    #[schema(example = "Order not fulfilled or not delivered.")]
    reason_text: &'static str,
    /// When it was opened.
    requested_at: Timestamp,
    /// When it was decided.
    closed_at: Option<Timestamp>,
    /// Of the affiliate's commission, taken back by this chargeback.
    commission_reversed: Money,
    /// Of the affiliate's commission, not paid while this chargeback is open.
    commission_held: Money,
    /// Nothing told of its sale yet; it counts when something does.
    awaits_sale: bool,
    /// When the sale arrived; of one that is awaited, when this did.
    ordered_at: Timestamp,
    /// The hit that told it last; none where a person did.
    hit_id: Option<IdText>,
    /// What a person wrote who told of it; not told to affiliates.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "proof of delivery sent to the bank")]
    note: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// `GET chargebacks`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let (page, filter) = asked(&mut query);
    query.finish()?;
    let of = (Kind::Chargeback, &filter);
    let rows = rows::select(call.store(), call.scope(), one_more(page), of).await?;
    Ok(call.list(page, &rows, |row| row.id, |row| view(call.role, row)))
}

pub(super) fn asked(query: &mut Input) -> (Page, Filter) {
    let (page, filter) = takebacks::asked(query);
    let filter = Filter {
        status: query.optional("status", rules::STAGE),
        reason: query.optional("reason", rules::DISPUTE),
        potential: query.optional("potential", rules::TRUTH).map(|truth| truth == "true"),
        ..filter
    };
    (page, filter)
}

/// `GET chargebacks/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    let row = find(call.store(), call.scope(), (Kind::Chargeback, call.id()?)).await?;
    Ok(ok(&view(call.role, &row)))
}

/// What is told.
pub(super) struct New {
    of: Of,
    id: String,
    money: Option<money::Money>,
    stage: Stage,
    reason: Option<Why>,
    requested_ms: Option<i64>,
    closed_ms: Option<i64>,
    note: Option<String>,
}

pub(super) fn new(body: &mut Input) -> New {
    let of = takebacks::of(body);
    let id = body.required("chargeback_id", rules::SHOP_ID);
    let money = body.optional("amount", rules::MONEY).flatten();
    let stage = body.optional_or("status", rules::STAGE, Stage::Open.code().to_owned());
    let stage = Stage::parse(&stage).unwrap_or(Stage::Open);
    let reason = body.optional("reason", rules::DISPUTE).map(|code| Why::parse(&code));
    let requested_ms = body.optional("requested_at", rules::HAPPENED);
    let closed_ms = body.optional("closed_at", rules::HAPPENED);
    if closed_ms.is_some() && !stage.is_closed() {
        body.fault("closed_at", NOT_CLOSED);
    }
    let note = body.optional("note", rules::REMARK);
    New { of, id, money, stage, reason, requested_ms, closed_ms, note }
}

const NOT_CLOSED: &str = "is of a chargeback that was won, lost or accepted";

/// `POST chargebacks`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let new = new(&mut body);
    body.finish()?;
    once(call, async |tx| tell_of(call, tx, &new).await).await
}

async fn tell_of(call: &Call<'_>, tx: &Transaction<'_>, new: &New) -> Result<Answer, Refusal> {
    let now_ms = books::now_ms(tx, call.scope(), &new.of.which().0).await?;
    let closed_ms = new.stage.is_closed().then_some(new.closed_ms.unwrap_or(now_ms));
    let dispute = Dispute {
        id: new.id.clone(),
        money: new.money,
        stage: new.stage,
        reason: new.reason.unwrap_or(Why::Unknown),
        // It was opened before it was closed, whenever we heard of it.
        requested_ms: new.requested_ms.unwrap_or(closed_ms.unwrap_or(now_ms).min(now_ms)),
        closed_ms,
    };
    can_be((new.requested_ms, new.closed_ms), dispute.requested_ms, now_ms)?;
    let takeback = Takeback::Chargeback(dispute);
    let told = tell(call, tx, &new.of, (&takeback, new.note.as_deref())).await?;
    let known = told.conversion.order.chargebacks.get(&new.id).ok_or(Refusal::NotFound)?;
    let first = &known.first.value;
    let is_said_otherwise = new.money.is_some_and(|money| first.money != Some(money))
        || new.reason.is_some_and(|reason| reason != first.reason)
        || new.requested_ms.is_some_and(|ms| ms != first.requested_ms);
    if is_said_otherwise {
        let detail = "A chargeback of this name was told before, with another amount, reason or requested_at.";
        return Err(Refusal::Conflict("chargeback_exists", detail.to_owned()));
    }
    can_be((None, new.closed_ms), first.requested_ms, now_ms)?;
    is_so(&known.standing(), new.stage, new.closed_ms)?;
    let is_new = told.id == Some(known.first.hit);
    let row = find_named(tx, call.scope(), Kind::Chargeback, (told.conversion.id, &new.id)).await?;
    let row = noted(call, tx, row, (new.note.as_deref(), None)).await?;
    let location = format!("/api/v1/chargebacks/{}", row.id);
    Ok(answer(location, is_new, &view(call.role, &row)))
}

/// Whether the times that are told of a chargeback can be: nobody knows yet what is after tomorrow, and it is closed on no
/// day before it was opened.
fn can_be(
    (requested_ms, closed_ms): (Option<i64>, Option<i64>),
    opened_ms: i64,
    now_ms: i64,
) -> Result<(), Refusal> {
    let later = |at_ms: Option<i64>| at_ms.is_some_and(|at_ms| is_beyond_tomorrow(at_ms, now_ms));
    let early = closed_ms.is_some_and(|closed_ms| is_closed_early(opened_ms, closed_ms));
    let faults = [
        (later(requested_ms), "/requested_at", "is after tomorrow"),
        (later(closed_ms), "/closed_at", "is after tomorrow"),
        (early, "/closed_at", "is on a day before requested_at"),
    ];
    let told = faults.into_iter().filter(|(is, ..)| *is).map(|(_, pointer, detail)| FieldError {
        pointer: pointer.to_owned(),
        detail: detail.to_owned(),
    });
    let faults: Vec<FieldError> = told.collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.into()) }
}

/// Whether a chargeback stands as was said: what is decided is not opened again, and was closed when it was.
fn is_so(standing: &Dispute, stage: Stage, closed_ms: Option<i64>) -> Result<(), Refusal> {
    let closed_at_once = closed_ms.is_none_or(|ms| standing.closed_ms == Some(ms));
    if standing.stage == stage && closed_at_once {
        return Ok(());
    }
    let since = standing.closed_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let since = since.map(|at| format!(" since {at}")).unwrap_or_default();
    let detail = format!("The chargeback is {}{since}.", standing.stage.code());
    Err(Refusal::Conflict("chargeback_in_other_status", detail))
}

/// What is to become of it.
pub(super) struct Change {
    stage: Option<Stage>,
    closed_ms: Option<i64>,
    note: Option<String>,
}

pub(super) fn change(body: &mut Input) -> Change {
    let stage = body.replacement("status", rules::STAGE).and_then(|code| Stage::parse(&code));
    let closed_at = body.replacement("closed_at", rules::HAPPENED);
    if closed_at.is_some() && !stage.is_some_and(Stage::is_closed) {
        body.fault("closed_at", NOT_CLOSED);
    }
    let note = body.replacement("note", rules::REMARK);
    Change { stage, closed_ms: closed_at, note }
}

/// `PATCH chargebacks/{id}`
pub(super) async fn update(call: &Call<'_>) -> Answered {
    let id = call.id()?;
    let mut body = call.body()?;
    let change = change(&mut body);
    body.finish()?;
    once_if_asked(call, async |tx| alter(call, tx, id, &change).await).await
}

async fn alter(
    call: &Call<'_>,
    tx: &Transaction<'_>,
    id: Id,
    change: &Change,
) -> Result<Answer, Refusal> {
    let seen = find(tx, call.scope(), (Kind::Chargeback, id)).await?;
    // Here, so that a call that was done is answered as before, though it changed the tag.
    if !call.if_match.allows(&tag_of(&view(call.role, &seen))) {
        return Err(Refusal::Changed);
    }
    if let Some(stage) = change.stage {
        step(call, tx, &seen, (stage, change)).await?;
    }
    let row = find(tx, call.scope(), (Kind::Chargeback, id)).await?;
    let only_at = (call.if_match != IfMatch::Absent).then_some(seen.revision);
    let row = noted(call, tx, row, (change.note.as_deref(), only_at)).await?;
    Ok(done(&view(call.role, &row)))
}

/// Says how far a chargeback is that is known; if its tag was looked at, only if nothing changed since.
async fn step(
    call: &Call<'_>,
    tx: &Transaction<'_>,
    seen: &rows::Takeback,
    (stage, change): (Stage, &Change),
) -> Result<(), Refusal> {
    let requested_ms = seen.requested_at.as_millisecond();
    let now_ms = books::now_ms(tx, call.scope(), &Which::One(seen.conversion_id, None)).await?;
    can_be((None, change.closed_ms), requested_ms, now_ms)?;
    let dispute = Dispute {
        id: seen.name.clone(),
        money: seen.amount,
        stage,
        reason: seen.dispute.map_or(Why::Unknown, |(_, reason)| reason),
        requested_ms,
        closed_ms: stage.is_closed().then_some(change.closed_ms.unwrap_or(now_ms)),
    };
    let only_at = (call.if_match != IfMatch::Absent).then_some(seen.conversion_revision);
    let which = Which::One(seen.conversion_id, only_at);
    let takeback = Takeback::Chargeback(dispute);
    let told = act(call, tx, &which, (&takeback, change.note.as_deref())).await?;
    let known = told.conversion.order.chargebacks.get(&seen.name).ok_or(Refusal::NotFound)?;
    is_so(&known.standing(), stage, change.closed_ms)
}

/// Writes a note that the books did not, for nothing else was new.
async fn noted(
    call: &Call<'_>,
    tx: &Transaction<'_>,
    row: rows::Takeback,
    (note, only_at): (Option<&str>, Option<Revision>),
) -> Result<rows::Takeback, Refusal> {
    let Some(note) = note.filter(|note| row.note.as_deref() != Some(*note)) else {
        return Ok(row);
    };
    if !rows::note(tx, (row.id, only_at), note).await? {
        return Err(Refusal::Changed);
    }
    find(tx, call.scope(), (Kind::Chargeback, row.id)).await
}

fn view(role: Role, c: &rows::Takeback) -> Chargeback {
    let is_told = !matches!(role, Role::Affiliate(_));
    let (stage, reason) = c.dispute.unwrap_or((Stage::Open, Why::Unknown));
    Chargeback {
        id: IdText(c.id),
        chargeback_id: c.name.clone(),
        program_id: IdText(c.program_id),
        affiliate_id: c.affiliate_id.map(IdText),
        conversion_id: IdText(c.conversion_id),
        order_id: c.order_id.clone(),
        amount: c.amount.map(Money::from),
        status: stage.code(),
        reason: reason.code(),
        reason_text: reason.text(),
        requested_at: c.requested_at,
        closed_at: c.closed_at,
        commission_reversed: c.reversed.into(),
        commission_held: c.held.into(),
        awaits_sale: c.awaits_sale,
        ordered_at: c.ordered_at,
        hit_id: c.hit_id.map(IdText),
        note: c.note.clone().filter(|_| is_told),
        created_at: c.created_at,
        updated_at: c.updated_at,
    }
}
