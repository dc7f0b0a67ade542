//! Terms as a body says them: which fields there are, of what kind. How large and how fine they may be, and
//! what does not go together, the terms themselves tell.

use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::KINDS;
use crate::admin::input::{Input, List};
use crate::admin::rules::{self, Checked, Rule};
use crate::domain::commission::{
    BONUSES_MAX, Bonus, By, LEVELS_MAX, Level, PaidIn, Pay, Per, RATE_DETAIL, RULES_MAX, Recurring,
    Rule as TermsRule, STEPS_MAX, Step, Terms, Tiers, WORDS_MAX, When, is_rate,
};
use crate::domain::intake::SaleKind;
use crate::domain::money::Currency;

/// Reads terms for an advertiser of a currency; where it is not known, all faults but the number of
/// decimals are told. Nothing when there is a fault.
pub(in crate::admin) fn terms(input: &mut Input, home: Option<Currency>) -> Option<Terms> {
    let own = pay(input);
    let percent = own.is_some_and(|own| matches!(own.by, By::Percent(_)));
    let tiers = if percent { input.object("tiers", tiers).flatten() } else { None };
    let less = input.values(List { distinct: true, ..List::up_to(3, "less") }, LESS);
    let paid_in = input.optional_or("currency", PAID_IN, "sale".to_owned());
    let kinds = KINDS.map(|kind| ("kind", kind));
    let rules = List { kinds: &kinds, ..List::up_to(RULES_MAX, "rules") };
    let rules = input.objects(rules, rule);
    let bonuses = input.objects(List::up_to(BONUSES_MAX, "bonuses"), bonus);
    let cap = input.optional("cap", AMOUNT);
    let recurring = input.object("recurring", recurring);
    let levels = input.objects(List::up_to(LEVELS_MAX, "levels"), level);
    if input.is_faulty() {
        return None;
    }
    let terms = Terms {
        own: own?,
        less: less.iter().filter_map(|part| word(part)).collect(),
        currency: word(&paid_in).unwrap_or(PaidIn::Sale),
        rules: rules.into_iter().flatten().collect(),
        tiers,
        bonuses: bonuses.into_iter().flatten().collect(),
        cap,
        recurring,
        levels: levels.into_iter().flatten().collect(),
    };
    // Of all currencies, CLF has the most decimals.
    let faults = terms.faults(home.or(Currency::parse("CLF"))?);
    for (place, detail) in &faults {
        input.fault_at(place, detail);
    }
    faults.is_empty().then_some(terms)
}

fn pay(input: &mut Input) -> Option<Pay> {
    let by = match input.required("kind", KIND).as_str() {
        "percent" => By::Percent(input.required("rate", RATE)),
        "flat" => {
            let amount = input.required("amount", AMOUNT);
            let per = input.optional_or("per", PER, "sale".to_owned());
            By::Flat(amount, word(&per).unwrap_or(Per::Sale))
        }
        _ => return None,
    };
    let minimum = input.optional("minimum", AMOUNT);
    let maximum = input.optional("maximum", AMOUNT);
    Some(Pay { by, minimum, maximum })
}

fn rule(input: &mut Input) -> Option<TermsRule> {
    let when = input.required_object("when", when);
    let pay = pay(input);
    Some(TermsRule { when: when?, pay: pay? })
}

fn when(input: &mut Input) -> When {
    let words = |name| List::up_to(WORDS_MAX, name);
    When {
        sku: input.values(words("sku"), BEGINNING),
        category: input.values(words("category"), BEGINNING),
        customer: input.optional("customer", BUYER).and_then(|buyer| word(&buyer)),
        country: input.values(words("country"), COUNTRY),
        coupon: input.values(words("coupon"), rules::COUPON),
        kind: input.optional("type", TYPE).and_then(|code| SaleKind::parse(&code)),
        origin: input.values(words("origin"), ORIGIN),
        affiliate_ids: input.values(words("affiliate_ids"), rules::ID),
        groups: input.values(words("groups"), rules::GROUP),
    }
}

fn tiers(input: &mut Input) -> Option<Tiers> {
    let by = input.required("by", MEASURE);
    let on = input.required("on", REACH);
    let steps = List { least: 1, ..List::up_to(STEPS_MAX, "steps") };
    let steps = input.objects(steps, |input| Step {
        from: input.required("from", FROM),
        rate: input.required("rate", RATE),
    });
    Some(Tiers { by: word(&by)?, on: word(&on)?, steps })
}

fn bonus(input: &mut Input) -> Option<Bonus> {
    let by = input.required("by", MEASURE);
    let from = input.required("from", FROM);
    let amount = input.required("amount", AMOUNT);
    Some(Bonus { by: word(&by)?, from, amount })
}

fn recurring(input: &mut Input) -> Recurring {
    Recurring { months: input.required("months", MONTHS) }
}

fn level(input: &mut Input) -> Option<Level> {
    let rate = input.required("rate", RATE);
    let of = input.required("of", OF);
    Some(Level { rate, of: word(&of)? })
}

/// A word that its rule let through, as the terms have it.
fn word<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(json!(word)).ok()
}

/// The kinds of pay.
pub(super) const KIND: Rule<String> = rules::words!(&KINDS);
pub(super) const PER: Rule<String> = rules::words!(&["sale", "item"]);
pub(super) const LESS: Rule<String> = rules::words!(&["tax", "shipping", "discount"]);
pub(super) const PAID_IN: Rule<String> = rules::words!(&["sale", "program"]);
pub(super) const MEASURE: Rule<String> = rules::words!(&["volume", "count"]);
pub(super) const REACH: Rule<String> = rules::words!(&["whole", "margin"]);
pub(super) const OF: Rule<String> = rules::words!(&["commission", "sale"]);
pub(super) const BUYER: Rule<String> = rules::words!(&["new", "returning"]);
pub(super) const TYPE: Rule<String> = rules::words!(&["sale", "lead"]);
pub(super) const ORIGIN: Rule<String> =
    rules::words!(&["new", "auto_renewal", "manual_renewal", "upgrade"]);

/// Percent.
const RATE: Rule<Decimal> = Rule {
    check: |value| {
        let rate = decimal(value)?;
        if is_rate(rate) { Ok(rate) } else { Err(RATE_DETAIL.to_owned()) }
    },
    schema: || {
        let pattern = "^(100(\\.0{1,4})?|[0-9]{1,2}(\\.[0-9]{1,4})?)$";
        let what = "Percent: 0 to 100, at most four decimals.";
        json!({"type": "string", "pattern": pattern, "description": what, "examples": ["10", "7.5"]})
    },
};

/// Money.
const AMOUNT: Rule<Decimal> = Rule {
    check: decimal,
    schema: || {
        let what = "Not negative; at most the decimals of the advertiser's currency.";
        json!({"type": "string", "pattern": AMOUNT_PATTERN, "description": what, "examples": ["5.00"]})
    },
};

/// Where a step begins.
const FROM: Rule<Decimal> = Rule {
    check: decimal,
    schema: || {
        let what = "Above 0: an amount in the advertiser's currency, or a whole number of sales and leads.";
        json!({"type": "string", "pattern": AMOUNT_PATTERN, "description": what, "examples": ["1000"]})
    },
};

const AMOUNT_PATTERN: &str = "^[0-9]{1,12}(\\.[0-9]{1,4})?$";

/// A word of an item, or how it begins.
const BEGINNING: Rule<String> = Rule {
    check: rules::ARTICLE.check,
    schema: || {
        let mut schema = (rules::ARTICLE.schema)();
        schema["description"] = json!("Ends in `*`: whatever begins so. In whatever case.");
        schema["examples"] = json!(["BOOK-*"]);
        schema
    },
};

/// A country of the buyer.
const COUNTRY: Rule<String> = Rule {
    check: |value| {
        let code = value.as_str().filter(|code| {
            code.len() == 2 && code.bytes().all(|letter| letter.is_ascii_alphabetic())
        });
        let code = code.map(str::to_ascii_uppercase);
        code.ok_or_else(|| "must be a country of two letters, such as DE".to_owned())
    },
    schema: || {
        let what = "ISO 3166-1 alpha-2.";
        json!({"type": "string", "pattern": "^[A-Za-z]{2}$", "description": what, "examples": ["DE"]})
    },
};

/// How many months, or for life.
const MONTHS: Rule<Option<u16>> = Rule {
    check: |value| {
        if value.is_null() {
            return Ok(None);
        }
        // To JSON Schema, and to many a language, 12.0 is the whole number 12.
        let whole =
            || value.as_f64().filter(|n| n.trunc() == *n && n.abs() < 1e6).map(|n| n as i64);
        let months = value.as_i64().or_else(whole).and_then(|months| u16::try_from(months).ok());
        let months = months.filter(|months| (1..=1200).contains(months));
        months.map(Some).ok_or_else(|| "must be a whole number from 1 to 1200, or null".to_owned())
    },
    schema: || {
        let what = "Calendar months after the customer came; null: for life.";
        json!({"type": ["integer", "null"], "minimum": 1, "maximum": 1200, "description": what})
    },
};

/// A decimal as text: digits, at most one point, perhaps a minus. Never a JSON number, which may be a float.
fn decimal(value: &Value) -> Checked<Decimal> {
    let plain = |text: &&str| {
        text.len() <= 28 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-')
    };
    let decimal = value.as_str().filter(plain).and_then(|t| Decimal::from_str_exact(t).ok());
    decimal.ok_or_else(|| "must be a decimal number as a text, such as \"7.5\"".to_owned())
}
