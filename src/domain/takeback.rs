//! Money that went back to a buyer, as the shop tells it: refunds, and chargebacks with what became of them.

use std::ops::Range;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::money::Money;

/// When a chargeback may have been opened or closed, in milliseconds: from 1970 up to 9999, before which all that reads
/// times ends.
pub const TIMES_MS: Range<i64> = 0..253_370_764_800_000;

const DAY_MS: i64 = 86_400_000;

/// Whether nobody can know yet that something happened at a moment, wherever he is: it is beyond tomorrow, by UTC. Both
/// in milliseconds.
pub fn is_beyond_tomorrow(at_ms: i64, now_ms: i64) -> bool {
    at_ms.div_euclid(DAY_MS) > now_ms.div_euclid(DAY_MS) + 1
}

/// Whether a chargeback would be closed before it was opened: on a day before, by UTC, for who tells a day alone tells its
/// first moment. Both in milliseconds.
pub fn is_closed_early(opened_ms: i64, closed_ms: i64) -> bool {
    closed_ms.div_euclid(DAY_MS) < opened_ms.div_euclid(DAY_MS)
}

/// What a shop paid back of its own will.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The shop's, of at most 128 characters; with the order its identity.
    pub id: String,
    /// How much of the order; absent: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<Money>,
}

/// A dispute at the buyer's bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chargeback {
    /// The shop's, of at most 128 characters; with the order its identity.
    pub id: String,
    /// How much of the order; absent: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<Money>,
    /// How far it is.
    pub stage: Stage,
    /// Why the buyer disputes.
    pub reason: Dispute,
    /// When it was opened, in milliseconds.
    pub requested_ms: i64,
    /// When it was closed, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_ms: Option<i64>,
}

/// How far a chargeback is. Only an open one holds the commission; lost and accepted reverse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Stage {
    /// The buyer asked his bank; there is no chargeback yet.
    Potential,
    Open,
    Won,
    Lost,
    Accepted,
}

impl Stage {
    /// All of them.
    pub const ALL: [Stage; 5] =
        [Stage::Potential, Stage::Open, Stage::Won, Stage::Lost, Stage::Accepted];

    /// The stable name.
    pub fn code(self) -> &'static str {
        ["potential", "open", "won", "lost", "accepted"][self as usize]
    }

    /// Reads the stable name, in any case.
    pub fn parse(code: &str) -> Option<Self> {
        Stage::ALL.into_iter().find(|stage| stage.code().eq_ignore_ascii_case(code))
    }

    /// Whether it is decided.
    pub fn is_closed(self) -> bool {
        matches!(self, Stage::Won | Stage::Lost | Stage::Accepted)
    }

    /// Whether the buyer has his money back.
    pub fn reverses(self) -> bool {
        matches!(self, Stage::Lost | Stage::Accepted)
    }
}

macro_rules! disputes {
    ($($name:ident $code:literal $text:literal,)*) => {
        /// Why a buyer disputes a charge: the reason codes of payment providers.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        #[allow(missing_docs)]
        pub enum Dispute { $($name,)* }

        impl Dispute {
            /// All of them.
            pub const ALL: &'static [Dispute] = &[$(Dispute::$name,)*];

            /// The stable code.
            pub fn code(self) -> &'static str {
                match self { $(Dispute::$name => $code,)* }
            }

            /// What it means, to a person.
            pub fn text(self) -> &'static str {
                match self { $(Dispute::$name => $text,)* }
            }
        }
    };
}

disputes! {
    MerchandiseNotReceived "MERCHANDISE_NOT_RECEIVED" "Order not fulfilled or not delivered.",
    NotAsDescribed "NOT_AS_DESCRIBED" "Products not as described, or not working.",
    DuplicateTransaction "DUPLICATE_TRANSACTION" "Charged twice for the same order.",
    Fraud "FRAUD" "Fraud: the cardholder did not order.",
    NotRecognized "NOT_RECOGNIZED" "The order or its renewal is not recognised.",
    CreditNotProcessed "CREDIT_NOT_PROCESSED" "An agreed refund was not paid.",
    AuthorizationProblem "AUTHORIZATION_PROBLEM" "The authorisation failed, and yet it was charged.",
    InfoRequest "INFO_REQUEST" "The bank asks about the charge.",
    Unknown "UNKNOWN" "The reason was not told.",
}

impl Dispute {
    /// Reads the stable code, in any case; what nobody knows is unknown.
    pub fn parse(code: &str) -> Self {
        let known = Dispute::ALL.iter().find(|reason| reason.code().eq_ignore_ascii_case(code));
        known.copied().unwrap_or(Dispute::Unknown)
    }
}

/// Either, as one hit or one person tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Takeback {
    Refund(Refund),
    Chargeback(Chargeback),
}

impl Takeback {
    /// How much of the order; absent: all of it.
    pub fn money(&self) -> Option<Money> {
        match self {
            Takeback::Refund(refund) => refund.money,
            Takeback::Chargeback(chargeback) => chargeback.money,
        }
    }

    /// Whether it is of nothing, or of less: then it says nothing.
    pub fn is_nothing(&self) -> bool {
        self.money().is_some_and(|money| money.amount <= Decimal::ZERO)
    }
}

/// What went back of a sale up to some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone {
    /// The sum; it may be more than the sale.
    pub amount: Decimal,
    /// Whether any of it was said to be all: of a sale of nothing there is no other way to tell.
    pub of_all: bool,
}

impl Gone {
    /// With another takeback; absent is all of the sale.
    pub fn and(self, amount: Option<Decimal>, sale: Decimal) -> Gone {
        Gone {
            amount: self.amount + amount.unwrap_or(sale),
            of_all: self.of_all || amount.is_none(),
        }
    }

    /// How much of the sale's commission that takes back, rounded once, as settling does it. The difference of two
    /// is what came between them.
    pub fn of(self, commission: Money, sale: Decimal) -> Money {
        let in_full = if sale.is_zero() { self.of_all } else { self.amount >= sale };
        match in_full {
            true => commission,
            false if self.amount.is_zero() || sale.is_zero() => Money::zero(commission.currency),
            false => commission.portion(self.amount, sale),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;

    #[test]
    fn days_are_those_of_utc() {
        for (at_ms, now_ms, expected) in [
            (2 * DAY_MS - 1, 0, (false, false)),
            (2 * DAY_MS, DAY_MS - 1, (true, false)),
            (2 * DAY_MS, DAY_MS, (false, false)),
            (DAY_MS, 2 * DAY_MS - 1, (false, false)),
            (DAY_MS - 1, DAY_MS, (false, true)),
        ] {
            let found = (is_beyond_tomorrow(at_ms, now_ms), is_closed_early(now_ms, at_ms));
            assert_eq!(found, expected, "{at_ms} {now_ms}");
        }
    }

    #[test]
    fn what_each_took_adds_up_to_the_commission() {
        let check = |commission: &str, sale: &str, told: &[Option<&str>], expected: &[&str]| {
            let usd = Currency::parse("USD").unwrap();
            let commission = Money::rounded(commission.parse().unwrap(), usd);
            let sale: Decimal = sale.parse().unwrap();
            let mut gone = Gone { amount: Decimal::ZERO, of_all: false };
            let mut taken = Vec::new();
            for amount in told {
                let next = gone.and(amount.map(|amount| amount.parse().unwrap()), sale);
                let took = next.of(commission, sale).amount - gone.of(commission, sale).amount;
                taken.push(took.to_string());
                gone = next;
            }
            assert_eq!(taken, expected, "{told:?}");
        };
        let third = Some("33.33");
        check(
            "10.00",
            "100",
            &[third, third, third, Some("0.01")],
            &["3.33", "3.34", "3.33", "0.00"],
        );
        check("10.00", "100", &[Some("30"), None, None], &["3.00", "7.00", "0.00"]);
        check("10.00", "100", &[Some("500"), Some("1")], &["10.00", "0.00"]);
        // A flat commission on a sale of nothing.
        check("5.00", "0", &[Some("1"), None, None], &["0.00", "5.00", "0.00"]);
    }
}
