//! Histories of money: what was told of a few orders, and what people did. Only data: what comes of it, the product
//! says and, in other arithmetic, the reference.

use tributary::domain::id::Id;

use crate::world::{ANN, BEN, DAY};

/// When every history begins; all of it is in the past.
pub const START: i64 = 1_780_000_000_000;
/// A third affiliate.
pub const CLEO: Id = 23;
pub const AFFILIATES: [Id; 3] = [ANN, BEN, CLEO];
/// Cleo recruited Ben, who recruited Ann.
pub fn recruiter(affiliate: Id) -> Option<Id> {
    match affiliate {
        ANN => Some(BEN),
        BEN => Some(CLEO),
        _ => None,
    }
}

pub const MODELS: [Model; 4] = ["last_click", "first_click", "linear", "position_based"];
pub const HOMES: [&str; 4] = ["USD", "JPY", "KWD", "CLF"];
/// Days of a phase. What is told of a phase is told within it; people act at its end.
pub const PHASE_DAYS: i64 = 20;

/// What a history is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Sales, refunds, chargebacks, and what the shop corrects and takes back by hand.
    Tellings,
    /// Those, approvals at any moment, and rejections.
    Verdicts,
    /// Approvals and payouts at the end of phases; a sale is told in one phase, before it is paid.
    Payouts,
}

/// An amount in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cash {
    pub minor: i128,
    pub currency: &'static str,
}

/// One version of the plan.
#[derive(Debug, Clone)]
pub struct Version {
    /// From when it is in force; the first always was.
    pub from_ms: i64,
    pub terms: Terms,
    /// What recruiters have, upwards.
    pub levels: Vec<Level>,
}

/// What one recruiter has; its rate as in the terms.
#[derive(Debug, Clone, Copy)]
pub struct Level {
    pub rate: i128,
    /// Of the sale; else of the commission.
    pub of_sale: bool,
}

/// What is earned. Rates in ten-thousandths of a percent, amounts in the home currency's minor units.
#[derive(Debug, Clone)]
pub enum Terms {
    Percent {
        rate: i128,
        minimum: Option<i128>,
        maximum: Option<i128>,
        /// Whether it is paid in the home currency, whatever the sale's is.
        at_home: bool,
    },
    Flat(i128),
}

/// A click that a buyer's token or cookie tells of.
#[derive(Debug, Clone, Copy)]
pub struct Click {
    pub affiliate: Id,
    /// Which of his two links.
    pub link: Id,
    pub at_ms: i64,
}

impl Click {
    /// The edge that saw it. No two clicks of one moment are of one edge; the greater is the later.
    pub fn edge(self) -> u16 {
        (2 * self.affiliate + self.link) as u16
    }
}

#[derive(Debug, Clone)]
pub struct Sale {
    pub verified: bool,
    pub cash: Cash,
    pub token: Vec<Click>,
    /// The coupon is Ben's.
    pub coupon: bool,
    pub cookie: Vec<Click>,
}

/// Who is credited, in the words of a program's `attribution`.
pub type Model = &'static str;

/// How far a chargeback is, in the words of a postback; `potential` is an open one that is only that.
pub type Stage = &'static str;

#[derive(Debug, Clone)]
pub enum Back {
    Refund { name: &'static str, cash: Option<Cash> },
    Chargeback { name: &'static str, cash: Option<Cash>, stage: Stage },
}

#[derive(Debug, Clone)]
pub enum What {
    Sale(Sale),
    Back(Back),
}

/// One hit.
#[derive(Debug, Clone)]
pub struct Tell {
    pub id: Id,
    pub at_ms: i64,
    pub order: usize,
    pub what: What,
}

#[derive(Debug, Clone)]
pub enum Deed {
    Approve,
    Reject,
    Correct(Cash),
    Back(Back),
}

/// What a person does.
#[derive(Debug, Clone)]
pub struct Act {
    pub id: Id,
    pub order: usize,
    pub deed: Deed,
}

#[derive(Debug, Clone, Default)]
pub struct Phase {
    pub tells: Vec<Tell>,
    /// Approvals that may come at any moment of it.
    pub approvals: Vec<Act>,
    /// In this order, when all was told and time has released what was due.
    pub acts: Vec<Act>,
    pub end_ms: i64,
    /// Whether whoever has anything payable is then paid.
    pub pays: bool,
}

#[derive(Debug, Clone)]
pub struct History {
    pub kind: Kind,
    pub home: &'static str,
    pub hold_days: i32,
    pub model: Model,
    /// Whether what only unsigned hits speak for waits for a person.
    pub holds_unsigned: bool,
    pub plans: Vec<Version>,
    pub phases: Vec<Phase>,
}

/// What one euro was on a day, in millionths, by the currency's number in `QUOTED`; on most days nobody quotes it.
pub fn quote(number: usize, day: i64) -> Option<i128> {
    let wave = (day * 37 + number as i64 * 11) % 101;
    let quoted = (day + number as i64) % 7 < 3;
    quoted.then(|| QUOTED[number].1 * (950 + i128::from(wave)) / 1_000)
}

/// What one euro usually is, in millionths.
pub const QUOTED: [(&str, i128); 4] =
    [("USD", 1_121_600), ("JPY", 161_230_000), ("KWD", 339_450), ("CLF", 28_017)];
/// The days, since 1970, that the quotes are of: all that a history lasts, and some before it.
pub const QUOTED_DAYS: std::ops::Range<i64> = START / DAY - 10..START / DAY + 4 * PHASE_DAYS + 1;

/// The decimals of a currency.
pub fn decimals(currency: &str) -> u32 {
    match currency {
        "JPY" => 0,
        "KWD" => 3,
        "CLF" => 4,
        _ => 2,
    }
}

/// An amount as it is written.
pub fn written(cash: Cash) -> String {
    let digits = decimals(cash.currency);
    let one = 10_i128.pow(digits);
    match digits {
        0 => cash.minor.to_string(),
        _ => format!("{}.{:0w$}", cash.minor / one, cash.minor % one, w = digits as usize),
    }
}
