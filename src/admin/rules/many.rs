//! Several of something in one field.

use serde_json::{Value, json};

use super::{Checked, ID, ORDER_ID, Rule};
use crate::domain::id::Id;
use crate::domain::reconciliation::Kind;

/// As many as one call takes.
const MANY_MAX: usize = 500;

/// Ids, each once, in order: whoever locks many rows does so in one order.
pub(in crate::admin) const IDS: Rule<Vec<Id>> = Rule {
    check: |value| {
        let mut ids = many(value, ID)?;
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    },
    schema: || schema(ID),
};

/// Order ids, to look for.
pub(in crate::admin) const ORDER_IDS: Rule<Vec<String>> =
    Rule { check: |value| many(value, ORDER_ID), schema: || schema(ORDER_ID) };

/// How a list and the books differ.
pub(in crate::admin) const FINDING: Rule<String> = super::words!(&kinds(Kind::ALL)[..]);

/// What is to be corrected; each once, in the order in which it is done.
pub(in crate::admin) const CORRECTABLE: Rule<Vec<Kind>> = Rule {
    check: |value| {
        let words = many(value, CORRECTION)?;
        let asked = |kind: &Kind| words.iter().any(|word| word == kind.code());
        Ok(Kind::CORRECTABLE.into_iter().filter(asked).collect())
    },
    schema: || schema(CORRECTION),
};

const CORRECTION: Rule<String> = Rule {
    check: |value| match (WORD.check)(value) {
        Err(_) if value == Kind::Missing.code() => Err(
            "must be what can be corrected; `missing` cannot: nobody's word says who referred it"
                .to_owned(),
        ),
        checked => checked,
    },
    schema: WORD.schema,
};

const WORD: Rule<String> = super::words!(&kinds(&Kind::CORRECTABLE)[..]);

fn kinds(kinds: &[Kind]) -> Vec<&'static str> {
    kinds.iter().map(|kind| kind.code()).collect()
}

/// At least one, each as the rule says.
fn many<T>(value: &Value, rule: Rule<T>) -> Checked<Vec<T>> {
    let items = value.as_array().filter(|items| (1..=MANY_MAX).contains(&items.len()));
    let items = items.ok_or_else(|| format!("must be a list of 1 to {MANY_MAX}"))?;
    let check = |item| (rule.check)(item).map_err(|detail| format!("each {detail}"));
    items.iter().map(check).collect()
}

fn schema<T>(rule: Rule<T>) -> Value {
    json!({"type": "array", "items": (rule.schema)(), "minItems": 1, "maxItems": MANY_MAX})
}
