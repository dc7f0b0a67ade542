//! What an order earns, and whom: the one place where commissions and their shares come from. A function of the
//! order and of the program's settings and terms; what is booked so far is not known here.

use crate::domain::catalog::{Plan, Program};
use crate::domain::commission::Deal;
use crate::domain::id::Id;
use crate::domain::ledger::{Rated, Share};
use crate::domain::money::Money;
use crate::domain::order::Order;

/// What an order earns.
pub(super) struct Priced {
    pub plan_id: Option<Id>,
    /// Who is credited; the commission of nobody is zero.
    pub affiliate_id: Option<Id>,
    pub commission: Money,
    /// What others get: parts from 1 on, in order, nothing reversed, pending.
    pub shares: Vec<Share>,
    /// The customer whose renewal it is.
    pub renews: Option<String>,
    /// By which rate the commission was exchanged.
    pub rated: Option<Rated>,
}

/// Prices an order by the terms in force when the hit that speaks for it arrived.
pub(super) fn price(order: &Order, program: &Program) -> Priced {
    let sale = order.sale();
    let attribution = order.attribution.as_ref().map(|told| &told.value);
    let plan = program.plan_at(order.speaker.value);
    let earns = |plan: &Plan| plan.terms.price(&Deal::of(sale, program.currency));
    let priced = attribution.and(plan).and_then(earns);
    let commission = priced.map_or(Money::zero(sale.currency), |priced| priced.commission);
    Priced {
        plan_id: plan.map(|plan| plan.id),
        affiliate_id: attribution.map(|a| a.affiliate_id),
        commission,
        shares: Vec::new(),
        renews: None,
        rated: None,
    }
}
