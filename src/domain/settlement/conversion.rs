//! A conversion: an order with what is booked for it.

use rust_decimal::Decimal;

use super::Fate;
use crate::domain::catalog::Program;
use crate::domain::id::Id;
use crate::domain::ledger::{Account, Commission, Place, Position, Rated, Share, Status};
use crate::domain::money::Money;
use crate::domain::order::{Key, Order};
use crate::domain::reason::{Outcome, Reason};

/// A conversion, as prefetched and as it is to be written.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct Conversion {
    pub id: Id,
    pub key: Key,
    /// 0 for one that is not in the database yet.
    pub revision: i32,
    pub order: Order,
    pub booked: Commission,
    /// Of the commission, taken back.
    pub reversed: Decimal,
    /// Of the sale's amount, paid back to the buyer.
    pub refunded: Decimal,
    /// What others than its own affiliate get, in order of their parts.
    pub shares: Vec<Share>,
    /// The customer whose renewal it is, where a renewal is credited as such.
    pub renews: Option<String>,
    /// The rate that the commission was exchanged by when it was priced; known only until it is written.
    pub rated: Option<Rated>,
    pub plan_id: Option<Id>,
    pub held: bool,
    pub hold_until_ms: i64,
    pub reasons: Vec<String>,
    /// Whether paid payouts hold anything of a commission on it, of who has that now, whatever its status is since.
    pub paid_out: bool,
}

impl Conversion {
    /// One that an order makes, not priced yet. `id` is the hit's that made it known.
    pub(in crate::domain) fn new(id: Id, key: Key, order: Order, program: &Program) -> Self {
        let mut made = Conversion {
            id,
            key,
            revision: 0,
            booked: Commission {
                conversion_id: id,
                advertiser_id: program.advertiser_id,
                affiliate_id: None,
                amount: Money::zero(program.currency),
                status: Status::Pending,
            },
            reversed: Decimal::ZERO,
            refunded: Decimal::ZERO,
            shares: Vec::new(),
            renews: None,
            rated: None,
            order,
            plan_id: None,
            held: false,
            hold_until_ms: 0,
            reasons: Vec::new(),
            paid_out: false,
        };
        made.held = made.order.held(program).is_some();
        made.reasons = made.explain(program);
        made
    }

    /// Whether a replay left it without hits: what is told of it next makes it anew.
    pub fn is_retracted(&self) -> bool {
        self.notes(Reason::Retracted)
    }

    /// Whether nothing tells of its sale: not yet, or, since a replay, not any more. Nothing is booked for it.
    pub fn awaits_sale(&self) -> bool {
        self.is_retracted() || self.notes(Reason::SaleAwaited)
    }

    pub(super) fn notes(&self, reason: Reason) -> bool {
        self.order.notes.contains(reason.code())
    }

    /// Whether a payout has paid any of it.
    pub(super) fn is_paid(&self) -> bool {
        let shares = self.shares.iter().map(|share| share.status);
        self.paid_out || shares.chain([self.booked.status]).any(|status| status == Status::Paid)
    }

    /// What a sale tells of a conversion that awaits one, to be priced; what went back of it stays known. The fate
    /// of that hit.
    pub(in crate::domain) fn begin_anew(&mut self, mut order: Order, program: &Program) -> Fate {
        let hit = order.speaker.hit;
        order.refunds = std::mem::take(&mut self.order.refunds);
        order.chargebacks = std::mem::take(&mut self.order.chargebacks);
        order.corrected = self.order.corrected.take();
        self.order = order;
        self.held = self.order.held(program).is_some();
        self.reasons = self.explain(program);
        self.first_fate(hit)
    }

    pub(in crate::domain) fn first_fate(&self, hit: Id) -> Fate {
        let outcome = if self.held { Outcome::Held } else { Outcome::Converted };
        let mut fate = Fate::new(hit, Some(self.key.program_id), outcome, &[]);
        fate.reasons.clone_from(&self.reasons);
        fate.conversion_id = Some(self.id);
        fate
    }

    /// Puts it into a status, its shares with it. What a payout has paid of them stays so as long as their money
    /// is where it was.
    pub(super) fn stand(&mut self, status: Status) {
        let stays = |was: Status| match (was, status) {
            (Status::Payable | Status::Paid, Status::Payable | Status::Paid) => true,
            _ => was == status,
        };
        for share in &mut self.shares {
            if !stays(share.status) {
                share.status = status;
            }
        }
        self.booked.status = status;
    }

    /// Where its money is.
    pub(in crate::domain) fn position(&self) -> Position {
        let position = Position {
            conversion_id: self.id,
            program_id: self.key.program_id,
            advertiser_id: self.booked.advertiser_id,
            rated: self.rated.clone(),
            places: Vec::new(),
        };
        match self.booked.status.account().filter(|_| !self.awaits_sale()) {
            Some(account) => Position { places: self.places(account), ..position },
            None => position,
        }
    }

    fn places(&self, account: Account) -> Vec<Place> {
        let own = self.booked.affiliate_id.map(|affiliate_id| Place {
            part: 0,
            affiliate_id,
            gross: self.booked.amount,
            reversed: self.reversed,
            account,
        });
        let shares = self.shares.iter().map(|share| Place {
            part: share.part,
            affiliate_id: share.affiliate_id,
            gross: share.commission,
            reversed: share.reversed,
            account,
        });
        own.into_iter().chain(shares).filter(|place| !place.gross.amount.is_zero()).collect()
    }

    pub(in crate::domain) fn explain(&self, program: &Program) -> Vec<String> {
        let order = &self.order;
        if self.notes(Reason::SaleAwaited) {
            return order.notes.iter().cloned().collect();
        }
        let disputed = order.is_disputed().then_some(Reason::ChargebackOpen);
        let mut reasons: Vec<Reason> = disputed.into_iter().chain(order.held(program)).collect();
        for (is, reason) in [
            (order.awaits_rate(), Reason::RateMissing),
            (order.are_items_unreadable(), Reason::ItemsUnreadable),
            (order.amount_differs, Reason::AmountDiffers),
            (order.is_over_refunded(), Reason::OverRefunded),
            (order.is_refunded_in_another_currency(), Reason::RefundCurrencyDiffers),
            (order.looks_shared(), Reason::OrderIdShared),
            (order.credit().is_none(), Reason::NoReferral),
            (order.is_claimed_in_vain(), Reason::ClaimUntimely),
            (program.plans.is_empty(), Reason::NoPlan),
        ] {
            reasons.extend(is.then_some(reason));
        }
        let mut codes: Vec<String> = reasons.iter().map(|r| r.code().to_owned()).collect();
        codes.extend(
            order.notes.iter().filter(|note| !codes.contains(note)).cloned().collect::<Vec<_>>(),
        );
        codes
    }
}
