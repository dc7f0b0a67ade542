//! One hit tells of one order: joined into what is known of it, and what it is called for that.

use super::{Conversion, Fate, TakebackHit};
use crate::domain::catalog::Program;
use crate::domain::ledger::Cause;
use crate::domain::money::Money;
use crate::domain::order::{Key, Order};
use crate::domain::reason::{Outcome, Reason};
use crate::domain::takeback::Takeback;

/// What a hit tells of an order.
#[derive(Debug)]
pub(in crate::domain) enum Telling {
    /// The sale.
    Sale(Box<Order>),
    /// That money of it went back.
    Takeback(Box<TakebackHit>),
}

impl Telling {
    /// The hit and its arrival.
    pub fn cause(&self) -> Cause {
        match self {
            Telling::Sale(order) => Cause { id: order.speaker.hit, event_ms: order.speaker.value },
            Telling::Takeback(told) => Cause { id: told.hit, event_ms: told.received_ms },
        }
    }
}

/// Joins a telling into what is known of its order; its fate, and whether the order is another for it.
pub(in crate::domain) fn tell(
    now: &mut Option<Conversion>,
    key: &Key,
    telling: Telling,
    program: &Program,
) -> (Fate, bool) {
    let hit = telling.cause().id;
    match (telling, now) {
        (Telling::Sale(order), Some(conversion)) if conversion.awaits_sale() => {
            (conversion.begin_anew(*order, program), true)
        }
        (Telling::Sale(order), Some(conversion)) => join(conversion, *order),
        (Telling::Sale(order), none) => {
            let made = none.insert(Conversion::new(hit, key.clone(), *order, program));
            (made.first_fate(hit), true)
        }
        (Telling::Takeback(told), Some(conversion)) => take_back(conversion, *told),
        (Telling::Takeback(told), None) if told.takeback.is_nothing() => (refused(hit, key), false),
        (Telling::Takeback(told), none) => {
            let made = none.insert(awaiting(key, &told, program));
            let (fate, _) = take_back(made, *told);
            (fate, true)
        }
    }
}

/// A conversion whose sale nobody told of yet.
pub(super) fn awaiting(key: &Key, told: &TakebackHit, program: &Program) -> Conversion {
    let order_id = key.text.strip_prefix("id:").map(str::to_owned);
    let nothing = Money::zero(program.currency);
    let mut order = Order::awaiting(told.hit, told.received_ms, order_id, nothing);
    order.notes.insert(Reason::SaleAwaited.code().to_owned());
    Conversion::new(told.hit, key.clone(), order, program)
}

/// Joins a further hit into an order that is known: merged if it told anything new, else a duplicate.
fn join(conversion: &mut Conversion, hit: Order) -> (Fate, bool) {
    let before = conversion.order.clone();
    let (id, differs) = (hit.speaker.hit, hit.money.value != before.money.value);
    conversion.order.join(hit);
    let after = &conversion.order;
    let told_news = after.channels != before.channels
        || after.attribution != before.attribution
        || after.speaker != before.speaker
        || after.notes != before.notes
        || [&before.coupon, &before.customer, &before.items]
            != [&after.coupon, &after.customer, &after.items]
        || after.details != before.details
        || after.new_customer != before.new_customer;
    let outcome = if told_news { Outcome::Merged } else { Outcome::Duplicate };
    let mut reasons = if told_news { vec![] } else { vec![Reason::SameOrder] };
    if differs {
        reasons.push(Reason::AmountDiffers);
    }
    if after.looks_shared() {
        reasons.push(Reason::OrderIdShared);
    }
    let mut fate = Fate::new(id, Some(conversion.key.program_id), outcome, &reasons);
    fate.conversion_id = Some(conversion.id);
    (fate, *after != before)
}

/// Joins what a hit tells of money that went back.
fn take_back(conversion: &mut Conversion, told: TakebackHit) -> (Fate, bool) {
    let TakebackHit { hit, takeback, .. } = told;
    if takeback.is_nothing() {
        return (refused(hit, &conversion.key), false);
    }
    let money = takeback.money();
    let kind = match &takeback {
        Takeback::Refund(_) => Outcome::Refunded,
        Takeback::Chargeback(_) => Outcome::ChargedBack,
    };
    let before = conversion.order.clone();
    let differs = before.told_money(&takeback).is_some_and(|known| known != money);
    let is_news = conversion.order.take_back(hit, takeback);
    let order = &conversion.order;
    let (outcome, mut reasons) = if !is_news {
        (Outcome::Duplicate, vec![Reason::SameRefund])
    } else if conversion.awaits_sale() {
        (Outcome::Held, vec![Reason::SaleAwaited])
    } else if !order.counts(money) {
        (Outcome::Held, vec![Reason::RefundCurrencyDiffers])
    } else {
        (kind, vec![])
    };
    if differs {
        reasons.push(Reason::AmountDiffers);
    }
    if outcome == kind && order.is_over_refunded() {
        reasons.push(Reason::OverRefunded);
    }
    let mut fate = Fate::new(hit, Some(conversion.key.program_id), outcome, &reasons);
    fate.conversion_id = Some(conversion.id);
    (fate, *order != before)
}

/// Nothing went back.
fn refused(hit: crate::domain::id::Id, key: &Key) -> Fate {
    Fate::new(hit, Some(key.program_id), Outcome::Rejected, &[Reason::AmountZero])
}
