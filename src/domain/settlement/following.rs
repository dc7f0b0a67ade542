//! The books follow from what is known of an order: whom and how much it earns, what of that went back, and where
//! the rest is. Brings a conversion to that, and posts the difference to where it was.

use rust_decimal::Decimal;

use super::Conversion;
use super::pricing::{self, Priced};
use crate::domain::catalog::Program;
use crate::domain::ledger::{Cause, Share, Status, Transfer, difference};
use crate::domain::lookups::Aid;
use crate::domain::money::Money;
use crate::domain::reason::Reason;

impl Conversion {
    /// Brings the books from what was known `before` to what the order now is.
    pub(in crate::domain) fn follow(
        &mut self,
        before: Option<&Conversion>,
        (program, aid): (&Program, Aid<'_>),
        cause: Cause,
    ) -> Vec<Transfer> {
        let position = match before {
            Some(before) => before.position(),
            None => self.position().nothing(),
        };
        if !self.awaits_sale() {
            self.look_up(program, aid);
        }
        let anew = match before.filter(|before| !before.awaits_sale()) {
            _ if self.awaits_sale() => false,
            None => {
                self.price(program);
                self.stand(Status::Pending);
                false
            }
            Some(before) => self.rebook(before, program, cause.event_ms),
        };
        self.settle_takebacks(program);
        self.reasons = self.explain(program);
        difference(&position, &self.position(), cause, anew)
    }

    /// Prices the order. A share that nobody has any more stays, with nothing in it.
    pub(super) fn price(&mut self, program: &Program) {
        let priced = pricing::price(&self.order, self.key.kind, program);
        let Priced { plan_id, affiliate_id, commission, mut shares, renews, rated, .. } = priced;
        self.note_missing(priced.rate_missing, priced.items_unreadable);
        for share in &mut shares {
            share.status = self.booked.status;
        }
        for gone in &self.shares {
            if shares.iter().all(|share| share.part != gone.part) {
                let nothing = Money::zero(gone.commission.currency);
                shares.push(Share { commission: nothing, reversed: Decimal::ZERO, ..*gone });
            }
        }
        shares.sort_by_key(|share| share.part);
        (self.plan_id, self.renews, self.rated) = (plan_id, renews, rated);
        (self.booked.affiliate_id, self.booked.amount) = (affiliate_id, commission);
        self.shares = shares;
        self.hold_until_ms = self.order.speaker.value + program.hold_ms();
    }

    /// Brings the commission to what the order now is. Paid stays paid; a rejected claim that the shop itself now
    /// vouches for comes to life again; else the old booking is taken back and a new one made. Whether all of it
    /// is booked anew.
    fn rebook(&mut self, before: &Conversion, program: &Program, event_ms: i64) -> bool {
        let status = before.booked.status;
        let vouched = before.order.speaker.unverified && !self.order.speaker.unverified;
        let mut priced = self.clone();
        priced.booked.status = status;
        priced.price(program);
        // While its rate is missing any amount earns nothing: what was approved then is another sale now.
        let retold = before.order.awaits_rate() && before.order.sale() != self.order.sale();
        let changed = retold || earned(&priced) != earned(before);
        // The hold period is the sale's, not that of a claim on it that came before and that time released. What a
        // person released stays so.
        let by_hand = self.notes(Reason::ApprovedByHand);
        let released = status == Status::Payable && !by_hand && before.hold_until_ms <= event_ms;
        let early = vouched && released && !before.is_paid() && event_ms < priced.hold_until_ms;
        match status {
            Status::Rejected if vouched => {
                *self = priced;
                self.stand(Status::Pending);
                self.order.notes.remove(Reason::RejectedByHand.code());
                // Who rejected the claim may have meant its affiliate, for whom the shop does not vouch.
                self.order.revived = self.order.attribution.as_ref().is_some_and(|a| a.unverified);
            }
            Status::Rejected => {}
            _ if before.is_paid() && changed => {
                self.order.notes.insert(Reason::AlreadyPaid.code().to_owned());
            }
            _ if changed || early => {
                // What a person approved he corrects as approved: his own word does not undo his verdict. Nor does a
                // rate that is known at last, of which he had nothing to say.
                let word = before.order.corrected != self.order.corrected;
                let stays = (word || before.order.awaits_rate() && !retold)
                    && before.booked.affiliate_id == priced.booked.affiliate_id;
                *self = priced;
                self.stand(Status::Pending);
                if !stays {
                    self.order.notes.remove(Reason::ApprovedByHand.code());
                }
                if is_booked(before) {
                    self.order.notes.insert(Reason::Superseded.code().to_owned());
                }
                return status == Status::Payable;
            }
            Status::Pending | Status::Reversed => *self = priced,
            Status::Payable | Status::Paid => {}
        }
        false
    }

    /// Takes back of each share what went back of the sale, cumulatively, and holds the rest while a chargeback is
    /// open. What is rejected stays so, and no money of it moves.
    fn settle_takebacks(&mut self, program: &Program) {
        if self.awaits_sale() {
            (self.refunded, self.reversed, self.held) = (Decimal::ZERO, Decimal::ZERO, false);
            self.shares.iter_mut().for_each(|share| share.reversed = Decimal::ZERO);
            return self.stand(Status::Reversed);
        }
        let order = &self.order;
        let (sale, refunded) = (order.sale().amount, order.refunded());
        let (in_full, disputed) = (order.is_refunded_in_full(), order.is_disputed());
        let taken = |commission: Money| match in_full {
            true => commission.amount,
            false if refunded.is_zero() => Money::zero(commission.currency).amount,
            false => commission.portion(refunded, sale).amount,
        };
        self.refunded = refunded;
        self.reversed = taken(self.booked.amount);
        self.shares.iter_mut().for_each(|share| share.reversed = taken(share.commission));
        let by_hand = self.notes(Reason::ApprovedByHand);
        self.stand(match self.booked.status {
            Status::Rejected => Status::Rejected,
            _ if in_full => Status::Reversed,
            _ if disputed => Status::Pending,
            // What a person released before is not his to release again.
            Status::Pending | Status::Reversed if by_hand => Status::Payable,
            Status::Reversed => Status::Pending,
            status => status,
        });
        let waits = self.order.awaits_rate() || self.order.held(program).is_some();
        let waits = disputed || (!by_hand && waits);
        self.held = self.booked.status == Status::Pending && waits;
    }
}

/// Whether there was a booking to take back, or one of nothing that was meant: not, where a rate was missing, or where
/// a renewal's customer was not known.
fn is_booked(before: &Conversion) -> bool {
    !before.order.awaits_rate() && (before.renews.is_none() || before.booked.affiliate_id.is_some())
}

/// Who gets how much, by part.
fn earned(conversion: &Conversion) -> Vec<(i16, Option<i64>, Money)> {
    let own = (0, conversion.booked.affiliate_id, conversion.booked.amount);
    let shares = conversion.shares.iter().filter(|share| !share.commission.amount.is_zero());
    let shares = shares.map(|share| (share.part, Some(share.affiliate_id), share.commission));
    std::iter::once(own).chain(shares).collect()
}
