//! What a conversion is to the month of one who has a part in it: what tiers, bonuses and the cap are reckoned by.

use rust_decimal::Decimal;

use super::{Conversion, pricing};
use crate::domain::attribution::Attribution;
use crate::domain::catalog::{Plan, Program};
use crate::domain::commission::months::Booked;
use crate::domain::id::Id;
use crate::domain::ledger::{ShareKind, Status};
use crate::domain::money::{Currency, Money};

impl Conversion {
    /// What an affiliate has in it, by the terms that priced it: his own commission, the share of his touch, what he
    /// earns as a recruiter. A sale that touches share counts for each by his part of its volume, and as a sale for
    /// its own affiliate alone; for a recruiter it counts for neither. Of what was rejected or reversed there is
    /// nothing.
    pub fn in_month_of<'a>(&self, affiliate_id: Id, program: &'a Program) -> Vec<Booked<'a>> {
        let stands = matches!(self.booked.status, Status::Pending | Status::Payable | Status::Paid);
        // What waits for a person, or for the end of a dispute, gives nothing yet; what was corrected to nothing, never.
        let counts = stands && !self.held && !self.order.is_voided();
        let plan = program.plans.iter().find(|plan| Some(plan.id) == self.plan_id);
        let Some(plan) = plan.filter(|_| counts) else { return Vec::new() };
        let booked = |commission: Money, reversed: Decimal| Booked {
            id: self.id,
            at_ms: self.order.speaker.value,
            volume: None,
            counts: false,
            base: Decimal::ZERO,
            commission: Money { amount: commission.amount - reversed, ..commission },
            terms: &plan.terms,
        };
        let sold = |one: Booked<'a>| Booked {
            volume: self.volume(program.currency).map(|all| self.part(affiliate_id, all).amount),
            base: self
                .part(affiliate_id, self.base((program, plan), one.commission.currency))
                .amount,
            ..one
        };
        let own = (self.booked.affiliate_id == Some(affiliate_id))
            .then(|| Booked { counts: true, ..sold(booked(self.booked.amount, self.reversed)) });
        let shares = self.shares.iter().filter(|share| share.affiliate_id == affiliate_id);
        let shares = shares.map(|share| {
            let one = booked(share.commission, share.reversed);
            if share.kind == ShareKind::Touch { sold(one) } else { one }
        });
        own.into_iter().chain(shares).collect()
    }

    /// What an affiliate has of an amount of the whole sale: all of it, unless touches share it.
    fn part(&self, affiliate_id: Id, all: Money) -> Money {
        let Some(credit) = self.order.credit().filter(|credit| credit.shared_by.is_some()) else {
            return all;
        };
        let his = |credit: &Attribution| {
            credit.split(all).into_iter().find(|portion| portion.affiliate_id == affiliate_id)
        };
        his(credit).map_or(Money::zero(all.currency), |portion| portion.money)
    }

    /// Its amount less refunds, in the advertiser's currency; nothing, where no rate for it was kept.
    fn volume(&self, home: Currency) -> Option<Money> {
        let sale = self.order.sale();
        let net = sale.amount - self.refunded;
        if sale.currency == home {
            return Some(Money { amount: net, currency: home });
        }
        let exchange = self.order.lookups.as_ref()?.exchange.as_ref();
        let exchange = exchange.filter(|exchange| exchange.from == sale.currency)?;
        Some(Money::rounded(net.saturating_mul(exchange.quoted.rate), home))
    }

    /// What the terms' own percent are of, less the part that was paid back.
    fn base(&self, priced_by: (&Program, &Plan), currency: Currency) -> Money {
        let sale = self.order.sale();
        let amount = pricing::own_base(&self.order, self.key.kind, priced_by);
        if self.refunded.is_zero() || sale.amount.is_zero() {
            return Money { amount, currency };
        }
        Money::rounded(amount, currency).portion(sale.amount - self.refunded, sale.amount)
    }
}
