//! The books: transfers, each with both its sides, amount above zero, never changed. A commission's status
//! is where its money is. A correction is another transfer.

use super::id::Id;
use super::money::Money;

/// Whose money, and in what state. With its owner and a currency, an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Account {
    /// What the advertiser owes; its owner is the advertiser, of all others the affiliate.
    Advertiser,
    AffiliatePending,
    AffiliatePayable,
    AffiliatePaid,
}

impl Account {
    /// The stable name.
    pub fn code(self) -> &'static str {
        ["advertiser", "affiliate_pending", "affiliate_payable", "affiliate_paid"][self as usize]
    }
}

/// Why money moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Code {
    Accrue,
    Approve,
    Reject,
    /// Better evidence changed the sale; a new accrual follows.
    Supersede,
}

impl Code {
    /// The stable name.
    pub fn code(self) -> &'static str {
        ["accrue", "approve", "reject", "supersede"][self as usize]
    }
}

/// Where a conversion stands.
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

    /// The account where a commission of this status is.
    fn account(self) -> Option<Account> {
        match self {
            Status::Pending => Some(Account::AffiliatePending),
            Status::Payable => Some(Account::AffiliatePayable),
            Status::Paid => Some(Account::AffiliatePaid),
            Status::Rejected | Status::Reversed => None,
        }
    }
}

/// A commission in the books: whose, how much, and where it is now.
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

/// One row of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Transfer {
    pub conversion_id: Id,
    pub code: Code,
    /// What made it due; with conversion and code, its identity.
    pub cause_id: Id,
    pub debit: (Account, Id),
    pub credit: (Account, Id),
    pub amount: Money,
    pub event_ms: i64,
}

impl Commission {
    /// From the advertiser to the affiliate's pending account.
    pub fn accrue(&self, cause_id: Id, event_ms: i64) -> Option<Transfer> {
        let affiliate_id = self.affiliate_id?;
        let credit = (Account::AffiliatePending, affiliate_id);
        self.transfer(
            Code::Accrue,
            cause_id,
            (Account::Advertiser, self.advertiser_id),
            credit,
            event_ms,
        )
    }

    /// From pending to payable. The cause is that of the accrual: a conversion that was superseded is booked
    /// again, and each booking is approved on its own.
    pub fn approve(&self, cause_id: Id, event_ms: i64) -> Option<Transfer> {
        let affiliate_id = self.affiliate_id?;
        let debit = (Account::AffiliatePending, affiliate_id);
        let credit = (Account::AffiliatePayable, affiliate_id);
        self.transfer(Code::Approve, cause_id, debit, credit, event_ms)
    }

    /// Back to the advertiser, from where the money is.
    pub fn take_back(&self, code: Code, cause_id: Id, event_ms: i64) -> Option<Transfer> {
        let debit = (self.status.account()?, self.affiliate_id?);
        self.transfer(code, cause_id, debit, (Account::Advertiser, self.advertiser_id), event_ms)
    }

    /// A transfer of the whole commission; none when it is nothing.
    fn transfer(
        &self,
        code: Code,
        cause_id: Id,
        debit: (Account, Id),
        credit: (Account, Id),
        event_ms: i64,
    ) -> Option<Transfer> {
        let Commission { conversion_id, amount, .. } = *self;
        let transfer = Transfer { conversion_id, code, cause_id, debit, credit, amount, event_ms };
        (!amount.amount.is_zero()).then_some(transfer)
    }
}
