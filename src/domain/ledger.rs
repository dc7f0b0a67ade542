//! The books: transfers, each with both its sides, amount above zero, never changed. A commission's status
//! is where its money is. What is to be in the books is a position; what is posted is the difference to the
//! position before. A correction is another transfer.

mod position;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::id::Id;
use super::money::Money;
pub use position::{Place, Position, difference, reject};

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
    /// Better evidence or a correction changed the sale; a new accrual follows, unless nothing is due any more.
    Supersede,
    /// The buyer has his money back.
    Reverse,
    /// What was reversed turned out not to be; or all of a booking goes back, and comes whole first.
    Restore,
    /// The buyer disputes the charge: nothing is paid meanwhile.
    Hold,
    Adjust,
    Pay,
    Return,
    Exchange,
}

impl Code {
    /// The stable names of all of them.
    pub const NAMES: [&str; 11] = [
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
    ];

    /// The stable name.
    pub fn code(self) -> &'static str {
        Code::NAMES[self as usize]
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
