//! How values look on a page: money with its currency, times with their zone, states as a word with a
//! tone. The tone is only a colour: the word alone tells all.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use crate::domain::catalog::Model;
use crate::domain::commission::Terms;
use crate::domain::money::{Currency, Money};
use crate::domain::touches::TOUCHES_MAX;

/// A moment, for machines and for people.
#[derive(Debug, Clone)]
pub struct Moment {
    /// RFC 3339.
    pub iso: String,
    /// In somebody's time zone, which is named.
    pub text: String,
}

/// A state: a word and its tone.
#[derive(Debug, Clone)]
pub struct State {
    /// Its stable code, which is a word.
    pub word: String,
    /// A class of the style sheet.
    pub tone: &'static str,
}

/// An amount with its currency's own decimals and its code.
pub fn money(amount: Decimal, currency: &str) -> String {
    match Currency::parse(currency) {
        Some(currency) => {
            let money = Money::rounded(amount, currency);
            format!("{} {}", money.amount, currency.code())
        }
        None => format!("{amount} {currency}"),
    }
}

/// Sums of several currencies, which nobody adds: those that are not zero, if there are any.
pub fn sums(sums: &[(Decimal, String)]) -> String {
    let all_zero = sums.iter().all(|(amount, _)| amount.is_zero());
    let some = sums.iter().enumerate().filter(|(at, (amount, _))| match all_zero {
        true => *at == 0,
        false => !amount.is_zero(),
    });
    let texts = some.map(|(_, (amount, currency))| money(*amount, currency));
    texts.collect::<Vec<_>>().join(" + ")
}

/// A time zone by its IANA name; UTC when this machine does not know it.
pub fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

/// A moment to the minute.
pub fn moment(at: Timestamp, zone: &TimeZone) -> Moment {
    Moment {
        iso: at.to_string(),
        text: at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string(),
    }
}

/// The day of a moment.
pub fn day(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).date().to_string()
}

/// A moment to the second, for comparing with a shop's own log.
pub fn second(at: Timestamp, zone: &TimeZone) -> Moment {
    let text = at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string();
    Moment { iso: at.to_string(), text }
}

/// The outcome of a hit, the status of a conversion or payout, the stage of a chargeback.
pub fn state(code: &str) -> State {
    let tone = match code {
        "converted" | "payable" | "paid" | "won" => "good",
        "held" | "pending" | "proposed" | "open" => "wait",
        "rejected" | "reversed" | "failed" | "lost" | "accepted" | "charged_back" => "bad",
        "merged" | "clicked" | "test" | "approved" | "refunded" | "potential" => "info",
        _ => "mute",
    };
    State { word: code.to_owned(), tone }
}

/// Which clicks within a window are credited.
pub fn credit(model: &str, window: &str) -> String {
    match Model::parse(model) {
        Some(Model::FirstClick) => format!("the first click within {window}"),
        Some(Model::Linear) => {
            format!("up to {TOUCHES_MAX} clicks within {window}, in equal parts")
        }
        Some(Model::PositionBased) => format!(
            "up to {TOUCHES_MAX} clicks within {window}: 40 % the first, 40 % the last, 20 % those between"
        ),
        Some(Model::LastClick) | None => format!("the last click within {window}"),
    }
}

/// What led the sale to its affiliate.
pub fn attributed_by(code: Option<&str>) -> &str {
    match code {
        None => "nobody",
        Some("click_token") => "click token",
        Some(code) => code,
    }
}

/// A plan in words.
pub fn plan(terms: Option<&Terms>, currency: &str) -> String {
    match terms {
        Some(terms) => terms.words(currency),
        None => "none, so nothing is earned".to_owned(),
    }
}

/// Some of a text, so that what a stranger sent cannot fill the page.
pub fn short(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// `1 hit`, `2 hits`.
pub fn count(n: i64, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_its_currencys_decimals() {
        for (amount, currency, expected) in [
            ("19.9500", "USD", "19.95 USD"),
            ("1000", "JPY", "1000 JPY"),
            ("1", "KWD", "1.000 KWD"),
            ("7", "?", "7 ?"),
        ] {
            assert_eq!(money(amount.parse().unwrap(), currency), expected);
        }
    }

    #[test]
    fn sums_of_two_currencies_stay_two() {
        for (sums, expected) in [
            (&[("1", "USD")][..], "1.00 USD"),
            (&[("0", "EUR")], "0.00 EUR"),
            (&[("10", "EUR"), ("1.2", "USD")], "10.00 EUR + 1.20 USD"),
            (&[("0", "EUR"), ("1.2", "USD")], "1.20 USD"),
            (&[("0", "EUR"), ("0", "USD")], "0.00 EUR"),
        ] {
            let sums =
                sums.iter().map(|(amount, code)| (amount.parse().unwrap(), code.to_string()));
            assert_eq!(super::sums(&sums.collect::<Vec<_>>()), expected);
        }
    }

    #[test]
    fn times_name_their_zone() {
        let at: Timestamp = "2026-07-01T10:00:00Z".parse().unwrap();
        assert_eq!(moment(at, &zone("Europe/Berlin")).text, "2026-07-01 12:00 CEST");
        assert_eq!(moment(at, &zone("No/Where")).text, "2026-07-01 10:00 UTC");
        assert_eq!(short("äöü", 2), "äö…");
    }
}
