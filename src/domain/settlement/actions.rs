//! What people do to a conversion. Pure, as settling is: the same books follow, with the person's own cause.

use super::telling::awaiting;
use super::{Conversion, TakebackHit};
use crate::domain::catalog::Program;
use crate::domain::ledger::{self, Cause, Status, Transfer, difference};
use crate::domain::lookups::Aid;
use crate::domain::money::Money;
use crate::domain::order::{Key, Told};
use crate::domain::reason::Reason;
use crate::domain::takeback::Takeback;

/// What somebody does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Payable now, whatever was left of the hold period.
    Approve,
    /// Not to be paid, and why.
    Reject(String),
    /// Money of it went back, or may.
    Takeback(Takeback),
    /// How much the sale really was.
    Correct(Money),
    /// Priced again: something is known now that was missing.
    Reprice,
}

/// Why an action changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It is so already.
    Same,
    /// Its money is where the action cannot reach it.
    TooLate(Status),
    /// A chargeback is open.
    Disputed,
    /// The amount is in another currency than the sale.
    CurrencyDiffers,
    /// Nothing told of the sale yet.
    SaleAwaited,
    /// Nothing went back.
    Nothing,
}

/// What acts: its own id with its time, and the cause of what is booked, which approvals and rejections carry.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub struct By {
    pub cause: Cause,
    pub booked_by: crate::domain::id::Id,
}

/// Carries an action out on a conversion: what it is then, and what moves.
pub fn act(
    conversion: &Conversion,
    action: &Action,
    (program, aid): (&Program, Aid<'_>),
    by: By,
) -> Result<(Conversion, Vec<Transfer>), Refused> {
    let mut now = conversion.clone();
    let status = conversion.booked.status;
    let transfers = match action {
        Action::Approve => now.approve(by)?,
        Action::Reject(_) => now.reject(by)?,
        Action::Takeback(takeback) => {
            if takeback.is_nothing() {
                return Err(Refused::Nothing);
            }
            if !now.awaits_sale() && !now.order.counts(takeback.money()) {
                return Err(Refused::CurrencyDiffers);
            }
            if !now.order.take_back(by.cause.id, takeback.clone()) {
                return Err(Refused::Same);
            }
            now.follow(Some(conversion), (program, aid), by.cause)
        }
        _ if conversion.awaits_sale() => return Err(Refused::SaleAwaited),
        _ if conversion.is_paid() => return Err(Refused::TooLate(Status::Paid)),
        _ if status == Status::Rejected => return Err(Refused::TooLate(status)),
        Action::Correct(money) => {
            let sale = now.order.sale();
            if money.currency != sale.currency {
                return Err(Refused::CurrencyDiffers);
            }
            if *money == sale {
                return Err(Refused::Same);
            }
            let told = Told { unverified: false, hit: by.cause.id, value: *money };
            now.order.corrected = Some(told);
            now.follow(Some(conversion), (program, aid), by.cause)
        }
        Action::Reprice => {
            let transfers = now.follow(Some(conversion), (program, aid), by.cause);
            now.rated = None;
            if now == *conversion {
                return Err(Refused::Same);
            }
            transfers
        }
    };
    Ok((now, transfers))
}

/// A takeback of an order that nobody told of yet: it awaits its sale.
pub fn take_back_unknown(
    key: &Key,
    takeback: &Takeback,
    program: &Program,
    cause: Cause,
) -> Result<Conversion, Refused> {
    if takeback.is_nothing() {
        return Err(Refused::Nothing);
    }
    let Cause { id: hit, event_ms: received_ms } = cause;
    let told = TakebackHit { hit, received_ms, takeback: takeback.clone() };
    let mut made = awaiting(key, &told, program);
    made.order.take_back(hit, told.takeback);
    made.follow(None, (program, Aid::default()), cause);
    Ok(made)
}

impl Conversion {
    fn approve(&mut self, by: By) -> Result<Vec<Transfer>, Refused> {
        match self.booked.status {
            Status::Payable => return Err(Refused::Same),
            Status::Pending if self.order.is_disputed() => return Err(Refused::Disputed),
            Status::Pending => {}
            status => return Err(Refused::TooLate(status)),
        }
        let before = self.position();
        self.stand(Status::Payable);
        self.judged(Reason::ApprovedByHand);
        let cause = Cause { id: by.booked_by, ..by.cause };
        Ok(difference(&before, &self.position(), cause, false))
    }

    fn reject(&mut self, by: By) -> Result<Vec<Transfer>, Refused> {
        match self.booked.status {
            Status::Rejected => return Err(Refused::Same),
            Status::Pending | Status::Payable if !self.is_paid() => {}
            Status::Pending | Status::Payable => return Err(Refused::TooLate(Status::Paid)),
            status => return Err(Refused::TooLate(status)),
        }
        let before = self.position();
        self.stand(Status::Rejected);
        self.judged(Reason::RejectedByHand);
        Ok(ledger::reject(&before, by.cause, by.booked_by))
    }

    /// Notes what a person decided, for the reasons are told again from the notes when another hit comes.
    fn judged(&mut self, verdict: Reason) {
        for reason in [Reason::ApprovedByHand, Reason::RejectedByHand] {
            self.order.notes.remove(reason.code());
            self.reasons.retain(|code| code != reason.code());
        }
        self.order.notes.insert(verdict.code().to_owned());
        self.reasons.push(verdict.code().to_owned());
        self.held = false;
    }
}
