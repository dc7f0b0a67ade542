//! What pricing looked up beside an order: who recruited its affiliate and in which group he was, by which rate its
//! currency was exchanged, whose customer bought. Kept with the order, so that what changes later in the catalog moves
//! no money that was booked. Most orders look up nothing, and have none.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::attribution::Attribution;
use super::catalog::{Affiliate, Catalog};
use super::id::Id;
use super::money::Currency;
use super::rates::{Quoted, Rates};
use super::ties::{Tie, Ties};

/// What may be looked up; absent is not at hand, and then what was looked up before stands.
#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs)]
pub struct Aid<'a> {
    pub catalog: Option<&'a Catalog>,
    pub rates: Option<&'a Rates>,
    pub ties: Option<&'a Ties>,
}

/// What was looked up for an order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lookups {
    /// As the credited affiliate stood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affiliate: Option<Standing>,
    /// The rate for the sale's currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Exchange>,
    /// Of a renewal without evidence of its own: by whom its customer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tie: Option<Tied>,
    /// Whether its commission waits for a rate that nobody quotes yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rate_missing: bool,
    /// Whether the plan asks what was bought, and what the shop sent cannot be read.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub items_unreadable: bool,
}

/// An affiliate as the catalog had him.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Standing {
    pub affiliate_id: Id,
    pub group: Option<String>,
    /// Upwards.
    pub recruiters: Vec<Recruiter>,
}

/// One of those above an affiliate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Recruiter {
    pub affiliate_id: Id,
    pub paused_ms: Option<i64>,
}

/// The rate that a sale's currency is exchanged by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The sale's currency.
    pub from: Currency,
    /// The day that a quote was asked for; what was found may be some days older.
    pub asked: Date,
    /// What was found.
    pub quoted: Quoted,
}

/// A tie as a renewal found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tied {
    /// The first of the customer's sales that was credited.
    pub tie: Tie,
    /// Whether the affiliate could be credited when the renewal came.
    pub active: bool,
}

impl Standing {
    /// As the catalog has him now.
    pub fn of(affiliate_id: Id, catalog: &Catalog) -> Self {
        let recruiter = |id: Id| {
            let paused_ms = catalog.affiliate(id).and_then(|affiliate| affiliate.paused_ms);
            Recruiter { affiliate_id: id, paused_ms }
        };
        let group = |affiliate: &Affiliate| affiliate.group.clone();
        Standing {
            affiliate_id,
            group: catalog.affiliate(affiliate_id).and_then(group),
            recruiters: catalog.recruiters(affiliate_id).into_iter().map(recruiter).collect(),
        }
    }
}

impl Recruiter {
    /// Whether he earns at a time.
    pub fn is_active(self, at_ms: i64) -> bool {
        self.paused_ms.is_none_or(|paused_ms| at_ms < paused_ms)
    }
}

impl Lookups {
    /// Whom a renewal is credited to, by its customer.
    pub fn credit(&self) -> Option<&Attribution> {
        self.tie.as_ref().filter(|tied| tied.active).map(|tied| &tied.tie.attribution)
    }
}
