//! What an order earns, and whom: the one place where commissions and their shares come from. A function of the
//! order, with what was looked up beside it, and of the program's settings and terms; what is booked so far is not
//! known here.

use rust_decimal::Decimal;

use crate::domain::attribution::Attribution;
use crate::domain::catalog::{Plan, Program};
use crate::domain::commission::{self, Deal, Of, Terms};
use crate::domain::id::Id;
use crate::domain::intake::{Details, SaleKind};
use crate::domain::items::{self, Item};
use crate::domain::ledger::{Rated, Share, ShareKind, Status};
use crate::domain::lookups::{Lookups, Standing};
use crate::domain::money::{Currency, Money};
use crate::domain::order::{Order, Told};

/// What an order earns.
pub(super) struct Priced {
    pub plan_id: Option<Id>,
    /// Who is credited; the commission of nobody is zero.
    pub affiliate_id: Option<Id>,
    /// His own part of it.
    pub commission: Money,
    /// What others get: parts from 1 on, in order, nothing reversed, pending.
    pub shares: Vec<Share>,
    /// The customer whose renewal it is.
    pub renews: Option<String>,
    /// By which rate the commission was exchanged.
    pub rated: Option<Rated>,
    /// Whether a rate is missing: then nothing is earned yet.
    pub rate_missing: bool,
    /// Whether the plan asks for items, and those that came cannot be read.
    pub items_unreadable: bool,
}

/// Prices an order by the terms in force when the hit that speaks for it arrived.
pub(super) fn price(order: &Order, kind: SaleKind, program: &Program) -> Priced {
    let plan = program.plan_at(order.speaker.value);
    let credit = order.credit();
    let mut priced = Priced {
        plan_id: plan.map(|plan| plan.id),
        affiliate_id: credit.map(|credit| credit.affiliate_id),
        commission: Money::zero(order.sale().currency),
        shares: Vec::new(),
        renews: plan.and_then(|plan| renews(order, kind, plan)).map(str::to_owned),
        rated: None,
        rate_missing: false,
        items_unreadable: false,
    };
    let Some((credit, plan)) = credit.zip(plan) else { return priced };
    let items = items(order, &plan.terms);
    priced.items_unreadable = items.is_none();
    let items = items.unwrap_or_default();
    let deal = deal((order, kind), credit, program.currency, &items);
    match earned(plan, &deal, order) {
        Some((commission, levels, rated)) => {
            (priced.commission, priced.rated) = (commission, rated);
            priced.share(credit, levels);
        }
        None => {
            priced.commission = Money::zero(program.currency);
            priced.rate_missing = true;
        }
    }
    priced
}

/// How a commission came about that was `booked`, its touches' shares with it: the arithmetic where it comes to that;
/// else, of one that was paid before better evidence came, as much as is known.
pub fn arithmetic(
    (order, kind): (&Order, SaleKind),
    (terms, home): (&Terms, Currency),
    booked: Money,
) -> String {
    if order.is_voided() && booked.amount.is_zero() {
        return "nothing, for the sale was corrected to nothing".to_owned();
    }
    let told = dealt((order, kind), (terms, home), |deal| {
        let priced = terms.price(deal).filter(|priced| priced.commission == booked)?;
        let mut told = terms.explain(deal, &priced);
        let exchange = order.lookups.as_ref().and_then(|lookups| lookups.exchange.as_ref());
        if let Some(exchange) = exchange.filter(|_| priced.rate.is_some()) {
            told += &format!(" (the rate of {}, {})", exchange.quoted.on, exchange.quoted.source);
        }
        Some(told)
    });
    told.unwrap_or_else(|| terms.explain_booked(order.sale(), booked))
}

/// What an order earns by terms, with what was looked up when it was booked: the whole commission, before touches divide
/// it. None: nobody is credited, or a rate is missing.
pub fn priced(
    (order, kind): (&Order, SaleKind),
    (terms, home): (&Terms, Currency),
) -> Option<commission::Priced> {
    dealt((order, kind), (terms, home), |deal| terms.price(deal))
}

/// Does something with all that terms may look at; none where nobody is credited.
fn dealt<T>(
    (order, kind): (&Order, SaleKind),
    (terms, home): (&Terms, Currency),
    then: impl FnOnce(&Deal<'_>) -> Option<T>,
) -> Option<T> {
    let items = items(order, terms).unwrap_or_default();
    then(&deal((order, kind), order.credit()?, home, &items))
}

/// What was bought, where the terms ask; none: nobody can read it.
fn items(order: &Order, terms: &Terms) -> Option<Vec<Item>> {
    let told = order.items.as_ref().filter(|_| terms.looks_at_items());
    told.map_or(Some(Vec::new()), |told| items::parse(&told.value, order.sale().currency))
}

/// What the terms' own percent are of, unrounded and in the commission's currency, of an order as it was priced: what
/// tiers give more for. Nothing, where nobody is credited.
pub(super) fn own_base(
    order: &Order,
    kind: SaleKind,
    (program, plan): (&Program, &Plan),
) -> Decimal {
    let priced = priced((order, kind), (&plan.terms, program.currency));
    priced.map_or(Decimal::ZERO, |priced| priced.own_base())
}

/// The customer whose renewal it is, where only by him somebody may be credited.
pub(super) fn renews<'a>(order: &'a Order, kind: SaleKind, plan: &Plan) -> Option<&'a str> {
    let is_renewal = plan.terms.recurring.is_some()
        && kind == SaleKind::Sale
        && order.attribution.is_none()
        && order.origin().is_renewal();
    order.customer.as_ref().filter(|_| is_renewal).map(|told| &*told.value)
}

/// All that the terms may look at.
fn deal<'a>(
    (order, kind): (&'a Order, SaleKind),
    credit: &Attribution,
    home: Currency,
    items: &'a [Item],
) -> Deal<'a> {
    let told: Option<&Details> = order.details.as_ref().map(|told| &told.value);
    let amount = |part: fn(&Details) -> Option<Money>| told.and_then(part).map(|m| m.amount);
    let lookups = order.lookups.as_deref();
    Deal {
        kind,
        tax: amount(|details| details.tax),
        shipping: amount(|details| details.shipping),
        discount: amount(|details| details.discount),
        origin: told.and_then(|details| details.origin).map(|origin| origin.code()),
        country: told.and_then(|details| details.country.as_deref()),
        coupon: order.coupon.as_ref().map(|told| &*told.value),
        returning: order.new_customer.as_ref().map(|Told { value: new, .. }| !new),
        items,
        affiliate_id: credit.affiliate_id,
        group: standing(lookups, credit.affiliate_id).and_then(|s| s.group.as_deref()),
        rate: lookups.and_then(|l| l.exchange.as_ref()).map(|exchange| exchange.quoted.rate),
        ..Deal::of(order.sale(), home)
    }
}

fn standing(lookups: Option<&Lookups>, affiliate_id: Id) -> Option<&Standing> {
    let standing = lookups?.affiliate.as_ref();
    standing.filter(|standing| standing.affiliate_id == affiliate_id)
}

type Earned = (Money, Vec<(Id, Money)>, Option<Rated>);

/// The commission, what recruiters get of it (nothing for one who earns nothing, so that none moves up), and by which
/// rate it was exchanged. None: a rate is missing.
fn earned(plan: &Plan, deal: &Deal<'_>, order: &Order) -> Option<Earned> {
    let Plan { terms, .. } = plan;
    let priced = terms.price(deal);
    if order.is_voided() {
        // No rate is missing for nothing.
        let currency = priced.map_or(deal.home, |priced| priced.commission.currency);
        return Some((Money::zero(currency), Vec::new(), None));
    }
    let commission = priced?;
    if terms.is_plain() {
        return Some((commission.commission, Vec::new(), None));
    }
    let lookups = order.lookups.as_deref();
    let above = standing(lookups, deal.affiliate_id).map_or(&[][..], |s| &s.recruiters);
    let amounts = terms.levels(deal, commission.commission, above.len())?;
    let levels = above.iter().zip(amounts).map(|(recruiter, money)| {
        let earns = recruiter.is_active(order.speaker.value);
        (recruiter.affiliate_id, if earns { money } else { Money::zero(money.currency) })
    });
    let levels: Vec<(Id, Money)> = levels.collect();
    let of_sale = commission.commission.currency != deal.money.currency
        && terms.levels.iter().take(above.len()).any(|level| level.of == Of::Sale);
    let exchange = lookups.and_then(|lookups| lookups.exchange.as_ref());
    let exchange = exchange.filter(|_| commission.rate.is_some() || of_sale);
    let rated = exchange.map(|exchange| Rated {
        rate: exchange.quoted.rate,
        on_date: exchange.quoted.on,
        source: exchange.quoted.source.clone(),
    });
    Some((commission.commission, levels, rated))
}

impl Priced {
    /// Divides the commission between the touches, and puts the recruiters' shares behind theirs. A part's number
    /// does not depend on the amounts: a touch too small for a cent keeps its own.
    fn share(&mut self, credit: &Attribution, levels: Vec<(Id, Money)>) {
        let share = |part: usize, affiliate_id, kind, commission| Share {
            // At most 4 touches beside the own, and 10 levels.
            part: part as i16,
            affiliate_id,
            kind,
            commission,
            reversed: Decimal::ZERO,
            status: Status::Pending,
        };
        let mut behind = 0;
        if credit.shared_by.is_some() {
            let portions = credit.split(self.commission);
            if let Some(own) = portions.first() {
                self.commission = own.money;
            }
            behind = portions.len().saturating_sub(1);
            let others = portions.iter().enumerate().skip(1);
            self.shares.extend(others.map(|(part, portion)| {
                share(part, portion.affiliate_id, ShareKind::Touch, portion.money)
            }));
        }
        for (level, (affiliate_id, money)) in (1..).zip(levels) {
            if !money.amount.is_zero() {
                let kind = ShareKind::Level(level);
                self.shares.push(share(behind + level as usize, affiliate_id, kind, money));
            }
        }
    }
}
