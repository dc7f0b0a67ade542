//! The fields of a hit: which value of a name counts, and the texts that somebody meant.

use unicode_normalization::UnicodeNormalization;

use super::{Fault, SaleKind};
use crate::domain::catalog::Program;
use crate::domain::form;
use crate::domain::hit::{Hit, Part};
use crate::domain::money::{Currency, Money, parse_amount};
use crate::domain::reason::Reason;

/// Characters that an order id may have, after normalisation.
const ORDER_ID_CHARS_MAX: usize = 128;
/// Characters kept of the other text fields.
const TEXT_CHARS_MAX: usize = 512;
/// Characters kept of the items. What had more ends with an ellipsis, so that nobody takes a part for the whole.
const ITEMS_CHARS_MAX: usize = 8_192;

/// The currency that is named, else the program's.
pub(super) fn currency(program: &Program, pairs: &Pairs<'_>) -> Result<Currency, Fault> {
    match pairs.get("currency") {
        Some(code) if code == program.currency.code() => Ok(program.currency),
        Some(code) => Currency::parse(code).ok_or(("currency", Reason::CurrencyUnknown)),
        None => Ok(program.currency),
    }
}

/// What a sale or lead came to.
pub(super) fn amount(
    kind: SaleKind,
    currency: Currency,
    pairs: &Pairs<'_>,
) -> Result<Money, Fault> {
    match pairs.get("amount") {
        Some(text) => parse_amount(text, currency).map_err(|reason| ("amount", reason)),
        None if kind == SaleKind::Lead => Ok(Money::zero(currency)),
        None => Err(("amount", Reason::AmountMissing)),
    }
}

/// What was bought, as it was sent.
pub(super) fn items(pairs: &Pairs<'_>) -> Option<String> {
    let text = pairs.raw("items")?.trim();
    // A list in JSON is wrapped as placeholders are.
    if text.is_empty() || (!text.starts_with('[') && is_absent(text)) {
        return None;
    }
    let mut kept = cut(text, ITEMS_CHARS_MAX);
    if text.chars().nth(ITEMS_CHARS_MAX).is_some() {
        kept.push('…');
    }
    Some(kept)
}

/// One id has one spelling: trimmed, NFC, case kept.
pub(super) fn id(name: &'static str, pairs: &Pairs<'_>) -> Result<Option<String>, Fault> {
    pairs.get(name).map(normal_order_id).transpose().map_err(|reason| (name, reason))
}

/// The one spelling of an order id that is trimmed already.
pub fn normal_order_id(text: &str) -> Result<String, Reason> {
    if text.contains(['\u{fffd}', '\0']) {
        return Err(Reason::OrderIdInvalid);
    }
    let id: String = match text.is_ascii() {
        true => text.to_owned(), // Most are, and ASCII is in NFC.
        false => text.nfc().take(ORDER_ID_CHARS_MAX + 1).collect(),
    };
    if id.chars().count() > ORDER_ID_CHARS_MAX { Err(Reason::OrderIdTooLong) } else { Ok(id) }
}

/// The text of the program's cookie, if it came.
pub fn cookie(hit: &Hit<'_>, program: &Program) -> Option<String> {
    let text = hit.text(Part::Cookie);
    if text.is_empty() {
        return None;
    }
    let name = program.cookie_name();
    // The edge kept `name=value` pairs of our own, which need no decoding.
    let ours = text.split(';').filter_map(|pair| pair.trim().split_once('='));
    ours.into_iter().find(|(n, _)| *n == name).map(|(_, value)| value.to_owned())
}

/// Text to keep: what the database can hold, bounded.
fn clean(text: &str) -> String {
    cut(text.trim(), TEXT_CHARS_MAX)
}

fn cut(text: &str, chars_max: usize) -> String {
    text.chars().filter(|c| *c != '\0').take(chars_max).collect()
}

/// The names and values of a hit.
pub(super) struct Pairs<'a>(pub Vec<form::Pair<'a>>);

impl Pairs<'_> {
    /// The first value of this name, exactly as sent.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| &**value)
    }

    pub fn count(&self, name: &str) -> usize {
        self.0.iter().filter(|(n, _)| n == name).count()
    }

    /// The first value of this name that somebody meant, trimmed.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(n, _)| n == name).map(|(_, value)| value.trim());
        values.find(|value| !is_absent(value))
    }

    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(clean)
    }
}

/// Whether a value is a placeholder that nobody filled in. Each form was met in a real shop's page:
/// `tests/it/cases/pixel_corpus.tsv`.
pub(super) fn is_absent(value: &str) -> bool {
    const WORDS: [&str; 8] =
        ["optional", "undefined", "null", "nan", "none", "orderid", "order_id", "aa.bb"];
    // Most values are numbers, or end like one; no placeholder does.
    if value.as_bytes().last().is_some_and(u8::is_ascii_digit) {
        return false;
    }
    let lower = value.to_ascii_lowercase();
    let wrapped = |open: &str, close: &str| {
        lower.len() >= open.len() + close.len() && lower.starts_with(open) && lower.ends_with(close)
    };
    value.is_empty()
        || WORDS.contains(&lower.as_str())
        || (lower.len() >= 3 && lower.bytes().all(|b| b == b'x'))
        || wrapped("{", "}")
        || wrapped("${", "}")
        || wrapped("[", "]")
        || wrapped("##", "##")
        || wrapped("%", "%")
        || wrapped("%7b", "%7d")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_absent() {
        for value in [
            "",
            "OPTIONAL",
            "optional",
            "XXX",
            "XXXXX",
            "OrderID",
            "AA.BB",
            "{p1}",
            "{{amount}}",
            "${amount}",
            "[order_id]",
            "##ORDER##",
            "undefined",
            "NULL",
            "null",
            "NaN",
            "%7Bp1%7D",
        ] {
            assert!(is_absent(value), "{value}");
        }
        for value in ["0", "1", "XX", "OrderID7", "a{b}", "{", "[1", "GDC-35", "null1"] {
            assert!(!is_absent(value), "{value}");
        }
    }
}
