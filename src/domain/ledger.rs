//! The books: transfers, each with both its sides, amount above zero, never changed. A commission's status
//! is where its money is. What is to be in the books is a position; what is posted is the difference to the
//! position before. A correction is another transfer.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::id::Id;
use super::money::Money;

/// Whose money, and in what state. With its owner and a currency, an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Account {
    /// What the advertiser owes; its owner is the advertiser, of all others but `Exchange` the affiliate.
    Advertiser,
    AffiliatePending,
    AffiliatePayable,
    AffiliatePaid,
    /// The other side of an exchange of currencies; its owner is the advertiser.
    Exchange,
}

impl Account {
    /// The stable name.
    pub fn code(self) -> &'static str {
        ["advertiser", "affiliate_pending", "affiliate_payable", "affiliate_paid", "exchange"]
            [self as usize]
    }
}

/// Why money moved. The last four are of no conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Code {
    Accrue,
    Approve,
    Reject,
    /// Better evidence changed the sale; a new accrual follows.
    Supersede,
    /// The buyer has his money back.
    Reverse,
    /// What was reversed turned out not to be.
    Restore,
    /// The buyer disputes the charge: nothing is paid meanwhile.
    Hold,
    Adjust,
    Pay,
    Return,
    Exchange,
}

impl Code {
    /// The stable name.
    pub fn code(self) -> &'static str {
        [
            "accrue",
            "approve",
            "reject",
            "supersede",
            "reverse",
            "restore",
            "hold",
            "adjust",
            "pay",
            "return",
            "exchange",
        ][self as usize]
    }
}

/// Where a conversion stands, and each of its shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Status {
    Pending,
    Payable,
    Paid,
    Rejected,
    Reversed,
}

impl Status {
    /// All of them.
    pub const ALL: [Status; 5] =
        [Status::Pending, Status::Payable, Status::Paid, Status::Rejected, Status::Reversed];

    /// The stable name.
    pub fn code(self) -> &'static str {
        ["pending", "payable", "paid", "rejected", "reversed"][self as usize]
    }

    /// Reads the stable name.
    pub fn parse(code: &str) -> Option<Self> {
        Status::ALL.into_iter().find(|status| status.code() == code)
    }

    /// The account that a commission's own transfers have put it into. A payout is rows of its own: for these
    /// what is paid is payable for good. What was reversed in full comes back as pending.
    pub fn account(self) -> Option<Account> {
        match self {
            Status::Pending | Status::Reversed => Some(Account::AffiliatePending),
            Status::Payable | Status::Paid => Some(Account::AffiliatePayable),
            Status::Rejected => None,
        }
    }
}

/// A conversion's commission for its own affiliate: whose, how much, and where it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Commission {
    pub conversion_id: Id,
    pub advertiser_id: Id,
    /// Absent when nobody referred the sale; then the amount is zero.
    pub affiliate_id: Option<Id>,
    pub amount: Money,
    pub status: Status,
}

/// Why somebody else has a share of a conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareKind {
    /// A click of his was on the way to the sale.
    Touch,
    /// He recruited the conversion's affiliate (level 1), or who recruited him (2), and so on.
    Level(i16),
}

impl ShareKind {
    /// The stable name, and the level.
    pub fn code(self) -> (&'static str, Option<i16>) {
        match self {
            ShareKind::Touch => ("touch", None),
            ShareKind::Level(level) => ("level", Some(level)),
        }
    }

    /// Reads what `code` gives.
    pub fn parse(code: &str, level: Option<i16>) -> Option<Self> {
        match (code, level) {
            ("touch", None) => Some(ShareKind::Touch),
            ("level", Some(level)) => Some(ShareKind::Level(level)),
            _ => None,
        }
    }
}

/// A commission on a conversion beside its own affiliate's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Share {
    /// 1 to 99; 0 is the conversion's own affiliate's.
    pub part: i16,
    pub affiliate_id: Id,
    pub kind: ShareKind,
    pub commission: Money,
    /// Of the commission, taken back.
    pub reversed: Decimal,
    pub status: Status,
}

/// What makes a transfer due: a hit with its arrival, a replay, or what a person did; and when it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Cause {
    pub id: Id,
    pub event_ms: i64,
}

/// The exchange rate that an amount was made by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rated {
    /// So many of the amount's currency for one of the other.
    pub rate: Decimal,
    /// The day that it was quoted for.
    pub on_date: Date,
    /// Who quoted it.
    pub source: String,
}

/// One row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Transfer {
    /// Absent for those of no conversion: payouts, adjustments, exchanges.
    pub conversion_id: Option<Id>,
    pub program_id: Id,
    /// Which share of the conversion.
    pub part: i16,
    pub code: Code,
    /// What made it due; with conversion, part and code, its identity.
    pub cause_id: Id,
    pub debit: (Account, Id),
    pub credit: (Account, Id),
    pub amount: Money,
    /// Where the amount was exchanged from another currency.
    pub rated: Option<Rated>,
    pub event_ms: i64,
}

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
