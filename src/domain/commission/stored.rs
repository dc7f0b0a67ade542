//! Terms as JSON. A field that is not known is refused: a version that does not know an option must not
//! price by what is left of the terms.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Bonus, By, Level, PaidIn, Part, Pay, Per, Recurring, Rule, Terms, Tiers, When};

#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    #[serde(flatten)]
    own: StoredPay,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    less: Vec<Part>,
    #[serde(default, skip_serializing_if = "is_usual")]
    currency: PaidIn,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rules: Vec<StoredRule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tiers: Option<Tiers>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    bonuses: Vec<Bonus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cap: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recurring: Option<Recurring>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    levels: Vec<Level>,
    /// What no field above took.
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

#[derive(Serialize, Deserialize)]
struct StoredRule {
    when: When,
    #[serde(flatten)]
    pay: StoredPay,
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

#[derive(Serialize, Deserialize)]
struct StoredPay {
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per: Option<Per>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum: Option<Decimal>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Percent,
    Flat,
}

fn is_usual<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn all_known(unknown: &BTreeMap<String, Value>) -> Result<(), String> {
    unknown.keys().next().map_or(Ok(()), |name| Err(format!("`{name}` is not known in terms")))
}

impl TryFrom<Stored> for Terms {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        all_known(&stored.unknown)?;
        Ok(Terms {
            own: stored.own.try_into()?,
            less: stored.less,
            currency: stored.currency,
            rules: stored.rules.into_iter().map(Rule::try_from).collect::<Result<_, _>>()?,
            tiers: stored.tiers,
            bonuses: stored.bonuses,
            cap: stored.cap,
            recurring: stored.recurring,
            levels: stored.levels,
        })
    }
}

impl TryFrom<StoredRule> for Rule {
    type Error = String;

    fn try_from(stored: StoredRule) -> Result<Self, String> {
        all_known(&stored.unknown)?;
        Ok(Rule { when: stored.when, pay: stored.pay.try_into()? })
    }
}

impl TryFrom<StoredPay> for Pay {
    type Error = String;

    fn try_from(stored: StoredPay) -> Result<Self, String> {
        let StoredPay { kind, rate, amount, per, minimum, maximum } = stored;
        let by = match (kind, rate, amount, per) {
            (Kind::Percent, Some(rate), None, None) => By::Percent(rate),
            (Kind::Flat, None, Some(amount), per) => By::Flat(amount, per.unwrap_or_default()),
            (Kind::Percent, ..) => return Err("percent has a `rate` alone".to_owned()),
            (Kind::Flat, ..) => return Err("flat has an `amount` and no `rate`".to_owned()),
        };
        Ok(Pay { by, minimum, maximum })
    }
}

impl From<Terms> for Stored {
    fn from(terms: Terms) -> Self {
        let rule = |rule: Rule| StoredRule {
            when: rule.when,
            pay: rule.pay.into(),
            unknown: BTreeMap::new(),
        };
        Stored {
            own: terms.own.into(),
            less: terms.less,
            currency: terms.currency,
            rules: terms.rules.into_iter().map(rule).collect(),
            tiers: terms.tiers,
            bonuses: terms.bonuses,
            cap: terms.cap,
            recurring: terms.recurring,
            levels: terms.levels,
            unknown: BTreeMap::new(),
        }
    }
}

impl From<Pay> for StoredPay {
    fn from(pay: Pay) -> Self {
        let Pay { by, minimum, maximum } = pay;
        let (kind, rate, amount, per) = match by {
            By::Percent(rate) => (Kind::Percent, Some(rate), None, None),
            By::Flat(amount, per) => {
                (Kind::Flat, None, Some(amount), Some(per).filter(|per| *per != Per::Sale))
            }
        };
        StoredPay { kind, rate, amount, per, minimum, maximum }
    }
}
