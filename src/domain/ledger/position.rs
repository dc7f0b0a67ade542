//! Where the shares of a conversion stand in the books, and the transfers from one such position to another.

use rust_decimal::Decimal;

use super::{Account, Cause, Code, Rated, Transfer};
use crate::domain::id::Id;
use crate::domain::money::Money;

/// A share as it stands in the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Place {
    pub part: i16,
    pub affiliate_id: Id,
    /// As it was priced, above zero.
    pub gross: Money,
    /// Of it, taken back.
    pub reversed: Decimal,
    /// Where the rest is.
    pub account: Account,
}

/// A conversion as it stands in the books: its shares, none when nothing is booked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Position {
    pub conversion_id: Id,
    pub program_id: Id,
    pub advertiser_id: Id,
    pub rated: Option<Rated>,
    pub places: Vec<Place>,
}

impl Position {
    /// Nothing booked.
    pub fn nothing(&self) -> Position {
        Position { places: Vec::new(), ..self.clone() }
    }

    fn place(&self, part: i16) -> Option<&Place> {
        self.places.iter().find(|place| place.part == part)
    }

    fn transfer(&self, place: &Place, code: Code, amount: Decimal, cause: Cause) -> Transfer {
        let own = (Account::Advertiser, self.advertiser_id);
        let his = |account| (account, place.affiliate_id);
        let (debit, credit) = match code {
            Code::Accrue => (own, his(Account::AffiliatePending)),
            Code::Restore => (own, his(place.account)),
            Code::Approve => (his(Account::AffiliatePending), his(Account::AffiliatePayable)),
            Code::Hold => (his(Account::AffiliatePayable), his(Account::AffiliatePending)),
            _ => (his(place.account), own),
        };
        Transfer {
            conversion_id: Some(self.conversion_id),
            program_id: self.program_id,
            part: place.part,
            code,
            cause_id: cause.id,
            debit,
            credit,
            amount: Money { amount, currency: place.gross.currency },
            rated: if code == Code::Accrue { self.rated.clone() } else { None },
            event_ms: cause.event_ms,
        }
    }

    /// All of it back to the advertiser. What was reversed is restored first, so that the whole of an accrual goes
    /// back as it came.
    fn take_back(&self, place: &Place, code: Code, cause: Cause) -> [Transfer; 2] {
        [
            self.transfer(place, Code::Restore, place.reversed, cause),
            self.transfer(place, code, place.gross.amount, cause),
        ]
    }
}

/// What moves the books from one position to another; every amount above zero. What is booked `anew` is taken
/// back and booked again though its amount may be the same.
pub fn difference(before: &Position, after: &Position, cause: Cause, anew: bool) -> Vec<Transfer> {
    let mut transfers = Vec::new();
    let same = |ours: &Place, theirs: &Place| {
        !anew && (ours.affiliate_id, ours.gross) == (theirs.affiliate_id, theirs.gross)
    };
    for old in &before.places {
        match after.place(old.part).filter(|new| same(old, new)) {
            Some(new) => transfers.extend(moved(after, old, new, cause)),
            None => transfers.extend(before.take_back(old, Code::Supersede, cause)),
        }
    }
    for new in &after.places {
        if before.place(new.part).is_some_and(|old| same(old, new)) {
            continue;
        }
        let pending = Place { account: Account::AffiliatePending, ..*new };
        transfers.push(after.transfer(new, Code::Accrue, new.gross.amount, cause));
        transfers.push(after.transfer(&pending, Code::Reverse, new.reversed, cause));
        if new.account == Account::AffiliatePayable {
            transfers.push(after.transfer(new, Code::Approve, net(new), cause));
        }
    }
    transfers.retain(|transfer| !transfer.amount.amount.is_zero());
    transfers
}

/// What a person rejects goes back. The rejection carries the cause of what it rejects, so that each booking is
/// rejected once at most.
pub fn reject(before: &Position, cause: Cause, booked_by: Id) -> Vec<Transfer> {
    let mut transfers = Vec::new();
    for place in &before.places {
        let [restored, mut rejected] = before.take_back(place, Code::Reject, cause);
        rejected.cause_id = booked_by;
        transfers.extend([restored, rejected]);
    }
    transfers.retain(|transfer| !transfer.amount.amount.is_zero());
    transfers
}

/// Of the same booking: what is taken back goes from where it is, what comes back goes to where the rest will be.
fn moved(position: &Position, old: &Place, new: &Place, cause: Cause) -> [Transfer; 3] {
    let more = (new.reversed - old.reversed).max(Decimal::ZERO);
    let less = (old.reversed - new.reversed).max(Decimal::ZERO);
    let rest = if old.account == new.account { Decimal::ZERO } else { net(old) - more };
    let code = if new.account == Account::AffiliatePayable { Code::Approve } else { Code::Hold };
    [
        position.transfer(old, Code::Reverse, more, cause),
        position.transfer(new, code, rest, cause),
        position.transfer(new, Code::Restore, less, cause),
    ]
}

fn net(place: &Place) -> Decimal {
    place.gross.amount - place.reversed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;

    fn position(places: &[(i16, &str, &str, Account)]) -> Position {
        let currency = Currency::parse("USD").unwrap();
        let place = |(part, gross, reversed, account): &(i16, &str, &str, Account)| Place {
            part: *part,
            affiliate_id: 20 + i64::from(*part),
            gross: Money::rounded(gross.parse().unwrap(), currency),
            reversed: reversed.parse().unwrap(),
            account: *account,
        };
        let places = places.iter().map(place).collect();
        Position { conversion_id: 1, program_id: 30, advertiser_id: 10, rated: None, places }
    }

    #[test]
    fn what_is_posted_is_the_difference() {
        use Account::{AffiliatePayable as Payable, AffiliatePending as Pending};
        let nothing = position(&[]);
        let two = position(&[(0, "10.00", "0", Pending), (1, "1.00", "0", Pending)]);
        let released = position(&[(0, "10.00", "0", Payable), (1, "1.00", "0", Payable)]);
        let half = position(&[(0, "10.00", "5.00", Payable), (1, "1.00", "0.50", Payable)]);
        let held = position(&[(0, "10.00", "2.00", Pending), (1, "1.00", "0.20", Pending)]);
        let other = position(&[(0, "10.00", "5.00", Pending), (1, "2.00", "1.00", Pending)]);
        for (before, after, anew, expected) in [
            (&nothing, &two, false, "0 accrue pending 10.00, 1 accrue pending 1.00"),
            (&two, &two, false, ""),
            (&two, &released, false, "0 approve payable 10.00, 1 approve payable 1.00"),
            (&released, &half, false, "0 reverse payable 5.00, 1 reverse payable 0.50"),
            (
                &half,
                &held,
                false,
                "0 hold pending 5.00, 0 restore pending 3.00, 1 hold pending 0.50, 1 restore pending 0.30",
            ),
            (
                &held,
                &other,
                false,
                "0 reverse pending 3.00, 1 restore pending 0.20, 1 supersede pending 1.00, \
                 1 accrue pending 2.00, 1 reverse pending 1.00",
            ),
            (
                &released,
                &two,
                true,
                "0 supersede payable 10.00, 1 supersede payable 1.00, 0 accrue pending 10.00, 1 accrue pending 1.00",
            ),
            (
                &half,
                &nothing,
                false,
                "0 restore payable 5.00, 0 supersede payable 10.00, \
                 1 restore payable 0.50, 1 supersede payable 1.00",
            ),
        ] {
            let posted = difference(before, after, Cause { id: 7, event_ms: 0 }, anew);
            assert_eq!(posted.iter().map(told).collect::<Vec<_>>().join(", "), expected);
        }
    }

    /// Part, code, the affiliate's account (where it goes, if both are his), and amount.
    fn told(t: &Transfer) -> String {
        let account = if t.credit.0 == Account::Advertiser { t.debit.0 } else { t.credit.0 };
        let account = account.code().trim_start_matches("affiliate_");
        format!("{} {} {account} {}", t.part, t.code.code(), t.amount.amount)
    }
}
