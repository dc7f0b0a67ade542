//! What people type into forms: read, or refused with a sentence.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::page::Refusal;
use super::people::Said;
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

/// One of what can be chosen; nothing when none was. What cannot be read is said to be so: nobody is shown, or pays,
/// anything else than what he asked for.
pub fn chosen<T>(
    pairs: &[u8],
    name: &str,
    read: impl FnOnce(&str) -> Option<T>,
    fault: &str,
) -> Result<Option<T>, String> {
    match value(pairs, name).trim() {
        "" => Ok(None),
        typed => read(typed).map(Some).ok_or_else(|| fault.to_owned()),
    }
}

/// An id that was chosen.
pub fn id(pairs: &[u8], name: &str) -> Result<Option<Id>, String> {
    chosen(pairs, name, id::parse, &format!("There is no such {name}: choose one from the list."))
}

/// Of a list, what its page begins behind.
pub fn before(query: &str) -> Result<Option<Id>, Refusal> {
    let fault = "This place in the list cannot be read. Begin with the newest, please.";
    chosen(query.as_bytes(), "before", id::parse, fault).map_err(Refusal::Unreadable)
}

/// Where a list is asked for those of a status that there is not.
pub const NO_STATUS: &str = "There is no such status: choose one from the list.";

/// What a page is to show, and what it tells; or nothing, and what of it cannot be read.
pub fn asked<T>(asked: Result<T, String>, said: Option<Said>) -> (Option<T>, Option<Said>) {
    match asked {
        Ok(asked) => (Some(asked), said),
        Err(fault) => (None, Some(Said::refused(&fault))),
    }
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

/// A day; nothing when none was chosen.
pub fn date(pairs: &[u8], name: &str) -> Result<Option<Date>, String> {
    let day = chosen(pairs, name, day, "A day cannot be read: write it like 2026-01-31, please.")?;
    within(day, "A day is too early or too late: it has to be from 1970-01-01 to 2199-12-31.")
}

/// The first day of a month; nothing when none was chosen.
pub fn month(pairs: &[u8], name: &str) -> Result<Option<Date>, String> {
    let first = |typed: &str| day(&format!("{typed}-01"));
    let first =
        chosen(pairs, name, first, "The month cannot be read: write it like 2026-01, please.")?;
    within(first, "The month is too early or too late: it has to be from 1970-01 to 2199-12.")
}

/// What was chosen, of the years that there are here.
fn within(day: Option<Date>, fault: &str) -> Result<Option<Date>, String> {
    let is_far = day.is_some_and(|day| !(1970..=2199).contains(&day.year()));
    if is_far { Err(fault.to_owned()) } else { Ok(day) }
}

fn day(typed: &str) -> Option<Date> {
    Some(typed).filter(|text| text.len() == 10)?.parse().ok()
}

/// The moment when a day begins somewhere; nothing when none was chosen.
pub fn begin_of(pairs: &[u8], name: &str, zone: &TimeZone) -> Result<Option<Timestamp>, String> {
    let fault = || "This day is not one of the calendar there.".to_owned();
    let begin = |date| begin(date, zone).ok_or_else(fault);
    date(pairs, name)?.map(begin).transpose()
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
    }

    #[test]
    fn what_is_not_there_and_what_cannot_be_read_are_two_things() {
        let check = |typed: &str, is_day: Option<bool>, is_month: Option<bool>| {
            let pairs = format!("x={typed}");
            let read = |found: Result<Option<Date>, String>| found.ok().map(|date| date.is_some());
            assert_eq!(read(date(pairs.as_bytes(), "x")), is_day, "{typed}");
            assert_eq!(read(month(pairs.as_bytes(), "x")), is_month, "{typed}");
        };
        check("", Some(false), Some(false));
        check("+", Some(false), Some(false));
        check("2026-02-28", Some(true), None);
        check("+2026-02", None, Some(true));
        for typed in ["2026-02-30", "28.02.2026", "1869-01-01", "tomorrow", "2026-13", "2026-1"] {
            check(typed, None, None);
        }
        for typed in ["1900-01-01", "1969-12-31", "2200-01-01", "9999-12-31"] {
            let pairs = format!("x={typed}&m={}", &typed[..7]);
            let told = [date(pairs.as_bytes(), "x"), month(pairs.as_bytes(), "m")];
            let told = told.map(|read| read.unwrap_err().contains("too early or too late"));
            assert_eq!(told, [true, true], "{typed}");
        }
        assert_eq!(id(b"program=7", "program"), Ok(Some(7)));
        assert_eq!(id(b"program=", "program"), Ok(None));
        assert!(id(b"program=7x", "program").is_err());
        assert!(matches!(before("before=x"), Err(Refusal::Unreadable(_))));
    }
}
