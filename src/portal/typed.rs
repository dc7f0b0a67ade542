//! What people type into forms: read, or refused with a sentence.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::session::value;
use crate::domain::id::{self, Id};
use crate::domain::money::{Currency, Money, parse_amount};
use crate::domain::reason::Reason;

/// A line of text of at most so many characters, without control characters; nothing when it is empty.
pub fn text(pairs: &[u8], name: &str, chars_max: usize) -> Result<Option<String>, String> {
    let text: String = value(pairs, name).chars().filter(|c| !c.is_control()).collect();
    let text = text.trim();
    if text.chars().count() > chars_max {
        return Err(format!("At most {chars_max} characters, please."));
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// An id that was chosen.
pub fn id(pairs: &[u8], name: &str) -> Option<Id> {
    id::parse(&value(pairs, name))
}

/// An amount above zero; nothing when none was typed.
pub fn amount(pairs: &[u8], name: &str, currency: Currency) -> Result<Option<Money>, String> {
    let typed = value(pairs, name);
    if typed.trim().is_empty() {
        return Ok(None);
    }
    let money = parse_amount(&typed, currency).map_err(|reason| match reason {
        Reason::AmountAmbiguous => {
            "The amount can be read in two ways: write it with a decimal point.".to_owned()
        }
        reason => reason.text().to_owned(),
    })?;
    if money.amount.is_zero() {
        return Err("The amount is zero.".to_owned());
    }
    Ok(Some(money))
}

/// An amount above or below zero.
pub fn signed_amount(pairs: &[u8], name: &str, currency: Currency) -> Result<Money, String> {
    let typed = value(pairs, name).trim().replace('\u{2212}', "-");
    let (sign, rest) = match typed.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, &*typed),
    };
    let rest =
        url::form_urlencoded::Serializer::new(String::new()).append_pair(name, rest).finish();
    let money = amount(rest.as_bytes(), name, currency)?;
    let money = money.ok_or_else(|| "Please say how much.".to_owned())?;
    Ok(Money::rounded(money.amount * rust_decimal::Decimal::from(sign), money.currency))
}

/// A day; nothing when none was chosen, or when it is none.
pub fn date(pairs: &[u8], name: &str) -> Option<Date> {
    let typed = value(pairs, name);
    let date: Date = Some(typed.trim()).filter(|text| text.len() == 10)?.parse().ok()?;
    (1970..=2199).contains(&date.year()).then_some(date)
}

/// The moment when a day begins somewhere.
pub fn begin(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    Some(date.to_zoned(zone.clone()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_type_them() {
        let check = |typed: &str, currency: &str, expected: Option<&str>| {
            let currency = Currency::parse(currency).unwrap();
            let body = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("amount", typed)
                .finish();
            let got = signed_amount(body.as_bytes(), "amount", currency).ok();
            let got = got.map(|money| money.amount.to_string());
            assert_eq!(got.as_deref(), expected, "{typed}");
        };
        check("19.95", "USD", Some("19.95"));
        check(" -1,5 ", "EUR", Some("-1.50"));
        check("\u{2212}3", "EUR", Some("-3.00"));
        check("1 000", "JPY", Some("1000"));
        for (typed, currency) in
            [("", "USD"), ("0", "USD"), ("x", "USD"), ("--1", "USD"), ("1.5", "JPY")]
        {
            check(typed, currency, None);
        }
        let body = b"amount=-3";
        assert!(amount(body, "amount", Currency::EUR).is_err());
        assert_eq!(amount(b"amount=+", "amount", Currency::EUR), Ok(None));
    }

    #[test]
    fn texts_are_lines_of_bounded_length() {
        assert_eq!(text(b"x=+a%00b%0A+", "x", 2), Ok(Some("ab".to_owned())));
        assert_eq!(text(b"x=+", "x", 2), Ok(None));
        assert!(text(b"x=abc", "x", 2).is_err());
        assert_eq!(date(b"d=2026-02-30", "d"), None);
        assert!(date(b"d=2026-02-28", "d").is_some());
    }
}
