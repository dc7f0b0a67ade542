//! What a sale's amount is made of and where the sale comes from: for plans that pay by it.

use serde::{Deserialize, Serialize};

use super::Fault;
use super::fields::{Pairs, is_absent};
use crate::domain::money::{Currency, Money, parse_amount};

/// The rare facts of a sale, told as a unit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Details {
    /// In the amount, in its currency; as are the two below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<Money>,
    /// What the delivery cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Money>,
    /// What was taken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Money>,
    /// The buyer's: two capital letters, as in ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Where the sale comes from; absent where nobody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

impl Details {
    /// Whether none of them was told.
    pub fn is_empty(&self) -> bool {
        *self == Details::default()
    }
}

/// Where a sale comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Origin {
    New,
    /// A subscription went on by itself.
    AutoRenewal,
    /// The customer renewed it.
    ManualRenewal,
    Upgrade,
}

impl Origin {
    /// All of them.
    pub const ALL: [Origin; 4] =
        [Origin::New, Origin::AutoRenewal, Origin::ManualRenewal, Origin::Upgrade];

    /// The stable name.
    pub fn code(self) -> &'static str {
        ["new", "auto_renewal", "manual_renewal", "upgrade"][self as usize]
    }

    /// Whether a customer of before goes on.
    pub fn is_renewal(self) -> bool {
        matches!(self, Origin::AutoRenewal | Origin::ManualRenewal)
    }

    /// Reads the stable name, in any case.
    pub fn parse(code: &str) -> Option<Self> {
        Origin::ALL.into_iter().find(|origin| origin.code().eq_ignore_ascii_case(code))
    }
}

/// Reads them. `origin` is that of the hit's type, for one that names none. Country and origin are worth no
/// rejection: what nobody knows is as if it was not told.
pub(super) fn read(
    currency: Currency,
    origin: Option<Origin>,
    pairs: &Pairs<'_>,
    faults: &mut Vec<Fault>,
) -> Details {
    // Most hits have none of these: one look at each name tells.
    let mut told: [Option<&str>; 5] = [None; 5];
    for (name, value) in &pairs.0 {
        let at = match &**name {
            "tax" => 0,
            "shipping" => 1,
            "discount" => 2,
            "country" => 3,
            "origin" => 4,
            _ => continue,
        };
        let meant = Some(value.trim()).filter(|value| !is_absent(value));
        told[at] = told[at].or(meant);
    }
    let [tax, shipping, discount, country, named] = told;
    let mut amount = |name, text: Option<&str>| {
        let read = text.map(|text| parse_amount(text, currency)).transpose();
        super::or(faults, read.map_err(|reason| (name, reason)), None)
    };
    Details {
        tax: amount("tax", tax),
        shipping: amount("shipping", shipping),
        discount: amount("discount", discount),
        country: country.filter(|text| is_country(text)).map(str::to_ascii_uppercase),
        origin: named.and_then(Origin::parse).or(origin),
    }
}

fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic())
}
