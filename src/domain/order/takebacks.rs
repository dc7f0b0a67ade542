//! What was paid back of an order, or may be: refunds, chargebacks, and what the shop corrected. Each is a join
//! like the rest of the order, so that it does not matter whether the sale or what takes it back came first.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Order, Told, best};
use crate::domain::id::Id;
use crate::domain::money::Money;
use crate::domain::takeback::{Chargeback, Refund, Stage, Takeback, is_closed_early};

/// A chargeback as all who told of it tell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disputed {
    /// The earliest telling: how much, why, and since when.
    pub first: Told<Chargeback>,
    /// The telling that says how far it is: closed before open before potential, then the later.
    pub last: Told<Chargeback>,
}

impl Disputed {
    fn told(hit: Id, chargeback: Chargeback) -> Self {
        let told = Told { unverified: false, hit, value: chargeback };
        Disputed { first: told.clone(), last: told }
    }

    fn join(&mut self, other: Disputed) {
        best(&mut self.first, other.first);
        let rank = |told: &Told<Chargeback>| {
            let stage = told.value.stage;
            (stage.is_closed(), stage != Stage::Potential, told.hit)
        };
        if rank(&other.last) > rank(&self.last) {
            self.last = other.last;
        }
    }

    /// When it was closed, if it is. Who told the end may not have known of the opening, so it is never on a day before.
    pub fn closed_ms(&self) -> Option<i64> {
        let opened_ms = self.first.value.requested_ms;
        let closed_ms = self.last.value.closed_ms?;
        Some(if is_closed_early(opened_ms, closed_ms) { opened_ms } else { closed_ms })
    }

    /// The chargeback as it stands.
    pub fn standing(&self) -> Chargeback {
        let (stage, closed_ms) = (self.last.value.stage, self.closed_ms());
        Chargeback { stage, closed_ms, ..self.first.value.clone() }
    }
}

impl Order {
    /// An order of which only a takeback told so far. Its amount is nothing, and nobody is credited.
    pub fn awaiting(hit: Id, received_ms: i64, order_id: Option<String>, nothing: Money) -> Self {
        fn told<T>(hit: Id, value: T) -> Told<T> {
            Told { unverified: true, hit, value }
        }
        Order {
            speaker: told(hit, received_ms),
            order_id,
            money: told(hit, nothing),
            coupon: None,
            customer: None,
            new_customer: None,
            items: None,
            details: None,
            attribution: None,
            vouched: None,
            claims: Default::default(),
            refunds: Default::default(),
            chargebacks: Default::default(),
            corrected: None,
            lookups: None,
            channels: 0,
            clicks: Default::default(),
            amount_differs: false,
            revived: false,
            notes: Default::default(),
        }
    }

    /// Joins what a hit, or a person, tells of money that went back; whether that was news.
    pub fn take_back(&mut self, hit: Id, takeback: Takeback) -> bool {
        match takeback {
            Takeback::Refund(refund) => {
                let id = refund.id.clone();
                let known = |order: &Order| order.refunds.get(&id).map(|told| told.value.clone());
                let before = known(self);
                self.join_refund(id.clone(), Told { unverified: false, hit, value: refund });
                before != known(self)
            }
            Takeback::Chargeback(chargeback) => {
                let id = chargeback.id.clone();
                // When it was closed is no news: who is told again of the end tells it again.
                let known = |order: &Order| {
                    let standing = order.chargebacks.get(&id).map(Disputed::standing);
                    standing.map(|standing| Chargeback { closed_ms: None, ..standing })
                };
                let before = known(self);
                self.join_chargeback(id.clone(), Disputed::told(hit, chargeback));
                before != known(self)
            }
        }
    }

    /// How much the refund or chargeback of the same name is told to be so far.
    pub fn told_money(&self, takeback: &Takeback) -> Option<Option<Money>> {
        match takeback {
            Takeback::Refund(refund) => Some(self.refunds.get(&refund.id)?.value.money),
            Takeback::Chargeback(told) => Some(self.chargebacks.get(&told.id)?.first.value.money),
        }
    }

    pub(super) fn join_takebacks(&mut self, other: &mut Order) {
        for (id, refund) in std::mem::take(&mut other.refunds) {
            self.join_refund(id, refund);
        }
        for (id, chargeback) in std::mem::take(&mut other.chargebacks) {
            self.join_chargeback(id, chargeback);
        }
        let newest = [self.corrected.take(), other.corrected.take()].into_iter().flatten();
        self.corrected = newest.max_by_key(|told| told.hit);
    }

    /// Of two tellings of one refund the first stands.
    fn join_refund(&mut self, id: String, told: Told<Refund>) {
        let ours = self.refunds.entry(id).or_insert_with(|| told.clone());
        best(ours, told);
    }

    fn join_chargeback(&mut self, id: String, told: Disputed) {
        self.chargebacks.entry(id).or_insert_with(|| told.clone()).join(told);
    }

    /// How much the sale is: as it was corrected, or else as its hits tell it.
    pub fn sale(&self) -> Money {
        self.corrected.as_ref().map_or(self.money.value, |told| told.value)
    }

    /// Whether the shop corrected to nothing what its hits tell to be something: then nobody earns anything by it,
    /// whatever the terms. A sale that was told as one of nothing is none of these.
    pub fn is_voided(&self) -> bool {
        self.sale().amount.is_zero() && !self.money.value.amount.is_zero()
    }

    /// Whether anything but its hits' sale is known of it: then no hit tells it anew.
    pub fn is_touched(&self) -> bool {
        !self.refunds.is_empty() || !self.chargebacks.is_empty() || self.corrected.is_some()
    }

    /// What went back to the buyer, each as it was told; absent is all of the sale. What is in another currency
    /// than the sale does not count: different currencies are never added.
    fn taken(&self) -> impl Iterator<Item = Option<Decimal>> {
        let lost = self.chargebacks.values().filter(|told| told.last.value.stage.reverses());
        let refunds = self.refunds.values().map(|told| told.value.money);
        let all = refunds.chain(lost.map(|told| told.first.value.money));
        all.filter(|money| self.counts(*money)).map(|money| money.map(|money| money.amount))
    }

    /// Whether a takeback is in the sale's currency, as one of all is.
    pub fn counts(&self, money: Option<Money>) -> bool {
        money.is_none_or(|money| money.currency == self.sale().currency)
    }

    fn taken_sum(&self) -> Decimal {
        let sale = self.sale();
        let nothing = Money::zero(sale.currency).amount;
        self.taken().fold(nothing, |sum, amount| sum + amount.unwrap_or(sale.amount))
    }

    /// How much of the sale went back: refunds, and chargebacks that were lost or accepted; never more than all.
    pub fn refunded(&self) -> Decimal {
        self.taken_sum().min(self.sale().amount)
    }

    /// Whether more went back than the sale was.
    pub fn is_over_refunded(&self) -> bool {
        self.taken_sum() > self.sale().amount
    }

    /// Whether all of it went back; of a sale of nothing, whether all was said to, and of one that was corrected to
    /// nothing, whether anything did.
    pub fn is_refunded_in_full(&self) -> bool {
        let all = self.sale().amount;
        if all.is_zero() {
            return self.taken().any(|amount| amount.is_none() || self.is_voided());
        }
        self.refunded() == all
    }

    /// Whether a chargeback is open: until it is decided nothing of the commission is paid.
    pub fn is_disputed(&self) -> bool {
        let open = |told: &&Disputed| told.last.value.stage == Stage::Open;
        self.chargebacks.values().filter(open).any(|told| self.counts(told.first.value.money))
    }

    /// Whether anything went back in another currency.
    pub fn is_refunded_in_another_currency(&self) -> bool {
        let refunds = self.refunds.values().map(|told| told.value.money);
        let chargebacks = self.chargebacks.values().map(|told| told.first.value.money);
        refunds.chain(chargebacks).any(|money| !self.counts(money))
    }
}
