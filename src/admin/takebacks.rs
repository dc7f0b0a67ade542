//! What refunds and chargebacks have in common: how they are told, which of them are asked for, and what is refused.
//! And a part of the table of routes, with the right that each needs and what answers it.

use super::call::{self, Answered, Call, only};
use super::input::Input;
use super::once::{done, made};
use super::refusal::Refusal;
use super::{chargebacks, refunds, rules};
use crate::domain::id::Id;
use crate::domain::rights::Right;
use crate::domain::settlement::{Action, Conversion, Refused};
use crate::domain::takeback::Takeback;
use crate::store::Transaction;
use crate::store::books::{self, Acted, Which};
use crate::store::idempotency::Answer;
use crate::store::page::{At, Page, Scope};
use crate::store::takebacks::{self, Filter, Kind};

/// What answers a route.
#[derive(Debug, Clone, Copy)]
#[rustfmt::skip]
pub(super) enum Takebacks {
    RefundsIndex, RefundsCreate, RefundsShow,
    ChargebacksIndex, ChargebacksCreate, ChargebacksShow, ChargebacksUpdate,
}

impl Takebacks {
    /// The right that it needs.
    pub fn needs(self) -> Right {
        match self {
            Takebacks::RefundsIndex
            | Takebacks::RefundsShow
            | Takebacks::ChargebacksIndex
            | Takebacks::ChargebacksShow => Right::Read,
            Takebacks::RefundsCreate
            | Takebacks::ChargebacksCreate
            | Takebacks::ChargebacksUpdate => Right::Money,
        }
    }

    /// Does it.
    pub async fn answer(self, call: &Call<'_>) -> Answered {
        match self {
            Takebacks::RefundsIndex => refunds::index(call).await,
            Takebacks::RefundsCreate => refunds::create(call).await,
            Takebacks::RefundsShow => refunds::show(call).await,
            Takebacks::ChargebacksIndex => chargebacks::index(call).await,
            Takebacks::ChargebacksCreate => chargebacks::create(call).await,
            Takebacks::ChargebacksShow => chargebacks::show(call).await,
            Takebacks::ChargebacksUpdate => chargebacks::update(call).await,
        }
    }
}

/// Which sale something went back of.
#[derive(Debug, Clone)]
pub(super) struct Of {
    program_id: Id,
    order_id: Option<String>,
    conversion_id: Option<Id>,
}

/// The sale, by its order or its conversion.
pub(super) fn of(body: &mut Input) -> Of {
    let of = Of {
        program_id: body.required("program_id", rules::ID),
        order_id: body.optional("order_id", rules::SHOP_ID),
        conversion_id: body.optional("conversion_id", rules::ID),
    };
    match (&of.order_id, of.conversion_id) {
        (None, None) if !body.is_faulty() => {
            body.fault("order_id", "is required, or conversion_id");
        }
        (Some(_), Some(_)) => body.fault("conversion_id", "is told by order_id already"),
        _ => {}
    }
    of
}

impl Of {
    /// The one to act on, and the field that names it.
    pub(super) fn which(&self) -> (Which, &'static str) {
        match (self.conversion_id, &self.order_id) {
            (Some(id), _) => (Which::One(id, None), "/conversion_id"),
            (None, order_id) => {
                let order_id = order_id.as_deref().unwrap_or_default();
                (Which::sale(self.program_id, order_id), "/program_id")
            }
        }
    }
}

/// What the books made of it.
pub(super) struct Told {
    pub conversion: Box<Conversion>,
    /// The id that it was told under; absent: nothing of it is new.
    pub id: Option<Id>,
}

/// Tells the books.
pub(super) async fn tell(
    call: &Call<'_>,
    tx: &Transaction<'_>,
    of: &Of,
    (takeback, note): (&Takeback, Option<&str>),
) -> Result<Told, Refusal> {
    let (which, pointer) = of.which();
    let told = act(call, tx, &which, (takeback, note)).await;
    let told = told.map_err(|refusal| match refusal {
        Refusal::NotFound => Refusal::Missing(pointer),
        refusal => refusal,
    })?;
    // A conversion that is his, but not of the program that he names: nothing of it remains.
    let is_of_program = told.conversion.key.program_id == of.program_id;
    if is_of_program { Ok(told) } else { Err(Refusal::Missing("/conversion_id")) }
}

/// The same, of a conversion that is known.
pub(super) async fn act(
    call: &Call<'_>,
    tx: &Transaction<'_>,
    which: &Which,
    (takeback, note): (&Takeback, Option<&str>),
) -> Result<Told, Refusal> {
    let action = Action::Takeback(takeback.clone());
    match books::act(tx, call.scope(), which, &action, note).await? {
        Acted::Done(conversion, id) => Ok(Told { conversion, id: Some(id) }),
        Acted::Refused(Refused::Same, conversion) => Ok(Told { conversion, id: None }),
        Acted::NotFound => Err(Refusal::NotFound),
        Acted::Changed => Err(Refusal::Changed),
        Acted::Refused(Refused::CurrencyDiffers, conversion) => {
            let currency = conversion.order.sale().currency.code();
            let detail = format!("The sale is in {currency}; say how much of that went back.");
            Err(Refusal::Conflict("refund_currency_differs", detail))
        }
        Acted::Refused(..) => {
            let detail = "There is nothing that could go back.".to_owned();
            Err(Refusal::Conflict("nothing_to_refund", detail))
        }
    }
}

/// The answer: 201 to who told it first.
pub(super) fn answer(location: String, is_new: bool, value: &impl serde::Serialize) -> Answer {
    if is_new { made(location, value) } else { done(value) }
}

/// One that the one who asks may see, by its id.
pub(super) async fn find<'a>(
    at: impl Into<At<'a>>,
    scope: Scope,
    (kind, id): (Kind, Id),
) -> Result<takebacks::Takeback, Refusal> {
    only(takebacks::select(at, scope, Page::one(id), (kind, &Filter::default())).await?)
}

/// The same, by its conversion and the shop's name of it.
pub(super) async fn find_named(
    tx: &Transaction<'_>,
    scope: Scope,
    kind: Kind,
    (conversion_id, name): (Id, &str),
) -> Result<takebacks::Takeback, Refusal> {
    let filter = Filter {
        conversion_id: Some(conversion_id),
        name: Some(name.to_owned()),
        ..Filter::default()
    };
    let page = Page { id: None, before: None, limit: 1 };
    only(takebacks::select(tx, scope, page, (kind, &filter)).await?)
}

/// Which of a list, as both have it.
pub(super) fn asked(query: &mut Input) -> (Page, Filter) {
    let page = call::page(query);
    let (program_id, affiliate_id) = call::owners(query);
    let filter = Filter {
        program_id,
        affiliate_id,
        conversion_id: query.optional("conversion_id", rules::ID),
        from: query.optional("from", rules::MOMENT),
        to: query.optional("to", rules::MOMENT),
        ordered_from: query.optional("ordered_from", rules::MOMENT),
        ordered_to: query.optional("ordered_to", rules::MOMENT),
        ..Filter::default()
    };
    (page, filter)
}
