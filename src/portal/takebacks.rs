//! What went back to a buyer, told by hand on a sale's page: a refund, a chargeback, and how a chargeback ended.

use jiff::Timestamp;

use super::books::Desk;
use super::once::{NOT_WHOLE, Stop, told};
use super::page::Refusal;
use super::sale::CHANGED;
use super::session::{value, values};
use super::typed;
use crate::domain::id::Id;
use crate::domain::money::{Currency, Money};
use crate::domain::settlement::{Action, Conversion, Refused};
use crate::domain::takeback::{Chargeback, Dispute, Refund, Stage, Takeback};
use crate::http::Reply;
use crate::store::Transaction;
use crate::store::books::{self, Acted, Which};
use crate::store::page::Page;
use crate::store::sales::{self, Filter};

/// Characters of the shop's own id of a refund or chargeback, and of a note (V8).
const ID_CHARS_MAX: usize = 128;
const NOTE_CHARS_MAX: usize = 500;
/// Of a refund or chargeback without an id, of all of a sale.
const ALL: &str = "all";
/// Where somebody types more than there is.
const TOO_MUCH: &str = "This is more than is left of the sale: nothing was booked. A comma before three digits is read \
                        as between thousands.";
/// Characters of the form's key in the id of a part that was given none.
const KEY_CHARS: usize = 12;

/// The form of a refund.
pub async fn refund(desk: &Desk<'_>) -> Result<Reply, Stop> {
    let body = &desk.asked.body;
    // An empty amount is all of it, one that is missing is not.
    if values(body, "amount").next().is_none() {
        return told(NOT_WHOLE);
    }
    let money = amount(desk, currency(desk).await?)?;
    let id = own_id(body, "refund_id", money)?;
    act(desk, Takeback::Refund(Refund { id, money }), "refund").await
}

/// The form of a chargeback, or of how one goes on.
pub async fn dispute(desk: &Desk<'_>) -> Result<Reply, Stop> {
    let body = &desk.asked.body;
    let Some(stage) = Stage::parse(&value(body, "stage")) else {
        return told("Please choose how far the chargeback is.");
    };
    let money = amount(desk, currency(desk).await?)?;
    let now = desk.advertiser.now;
    let requested = typed::begin_of(body, "requested", &desk.zone()).map_err(Stop::Told)?;
    let requested: Timestamp = requested.unwrap_or(now);
    if requested > now {
        return told("It cannot be opened in the future.");
    }
    let chargeback = Chargeback {
        id: own_id(body, "chargeback_id", money)?,
        money,
        stage,
        reason: reason(body)?,
        requested_ms: requested.as_millisecond(),
        closed_ms: stage.is_closed().then(|| now.as_millisecond()),
    };
    act(desk, Takeback::Chargeback(chargeback), "chargeback").await
}

/// Why it is disputed; nobody knows, where none was chosen.
fn reason(body: &[u8]) -> Result<Dispute, Stop> {
    let known = |code: &str| {
        let dispute = Dispute::parse(code);
        dispute.code().eq_ignore_ascii_case(code).then_some(dispute)
    };
    let reason = typed::chosen(body, "reason", known, "Please choose why, from the list.");
    Ok(reason.map_err(Stop::Told)?.unwrap_or(Dispute::Unknown))
}

/// The sale's: nobody types another.
async fn currency(desk: &Desk<'_>) -> Result<Currency, Stop> {
    let (store, id) = (&desk.portal.store, desk.asked.id);
    let found = sales::select(store, desk.door.id, Page::one(id), &Filter::default()).await?;
    let sale = found.first().ok_or(Refusal::NotFound)?;
    Ok(Currency::parse(&sale.currency).ok_or(Refusal::NotFound)?)
}

fn amount(desk: &Desk<'_>, currency: Currency) -> Result<Option<Money>, Stop> {
    typed::amount(&desk.asked.body, "amount", currency).map_err(Stop::Told)
}

/// The id that was typed. A part without one is this form's own, so that the next part is another.
fn own_id(body: &[u8], name: &str, money: Option<Money>) -> Result<String, Stop> {
    let typed = typed::text(body, name, ID_CHARS_MAX).map_err(Stop::Told)?;
    let key = || value(body, "once").chars().take(KEY_CHARS).collect::<String>();
    Ok(typed.unwrap_or_else(|| match money {
        None => ALL.to_owned(),
        Some(_) => format!("by-hand-{}", key()),
    }))
}

async fn act(desk: &Desk<'_>, takeback: Takeback, done: &str) -> Result<Reply, Stop> {
    let note = typed::text(&desk.asked.body, "note", NOTE_CHARS_MAX).map_err(Stop::Told)?;
    let (id, action): (Id, Action) = (desk.asked.id, Action::Takeback(takeback));
    let work = async |tx: &Transaction<'_>| {
        let which = Which::One(id, None);
        match books::act(tx, desk.scope(), &which, &action, note.as_deref()).await? {
            // What is refused is undone, so that of two forms at once the second finds what is left.
            Acted::Done(now, _) if is_too_much(&action, &now) => told(TOO_MUCH),
            Acted::Done(..) => Ok(format!("{}/sales/{id}?done={done}", desk.door.path)),
            Acted::NotFound => Err(Refusal::NotFound.into()),
            Acted::Changed => told(CHANGED),
            Acted::Refused(refused, _) => told(words(refused)),
        }
    };
    desk.once(work).await
}

/// Whether a refund of a part is of more than was left of the sale: what a shop tells is taken as it tells it, but what a
/// person types is mistyped then.
fn is_too_much(action: &Action, now: &Conversion) -> bool {
    let Action::Takeback(Takeback::Refund(refund)) = action else { return false };
    refund.money.is_some() && !now.awaits_sale() && now.order.is_over_refunded()
}

fn words(refused: Refused) -> &'static str {
    match refused {
        Refused::Same => "It was told so before: a refund of the same id counts once.",
        Refused::CurrencyDiffers => "It is in another currency than the sale.",
        Refused::Nothing => "It is of nothing.",
        Refused::TooLate(_) | Refused::Disputed | Refused::SaleAwaited => {
            "The sale stands so that this cannot be booked now."
        }
    }
}
