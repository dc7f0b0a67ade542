//! Money that went back to a buyer, as the shop tells it: refunds, and chargebacks with what became of them.

use serde::{Deserialize, Serialize};

use super::money::Money;

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
        self.money().is_some_and(|money| money.amount <= rust_decimal::Decimal::ZERO)
    }
}
