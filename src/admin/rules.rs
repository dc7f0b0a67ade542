//! What a field of the API may hold: a JSON value to a checked one, or a sentence on what it must be.
//! Pure. What passes here, the database can hold.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;
use url::Host;

use crate::domain::address;
use crate::domain::id::{self, Id};
use crate::domain::intake;
use crate::domain::ledger::Status;
use crate::domain::money::Currency;
use crate::domain::reason::Outcome;
use crate::domain::redirect;
use crate::store::report::Bound;

const URL_BYTES_MAX: usize = 2_048;
const HOSTS_MAX: usize = 50;
/// Parameters of hits and clicks that mean something else than a click token.
const TAKEN_PARAMETERS: [&str; 16] = [
    "amount",
    "id",
    "currency",
    "coupon",
    "customer",
    "new",
    "items",
    "test",
    "ts",
    "sig",
    "key",
    "type",
    "url",
    "consent",
    "refund_id",
    "chargeback_id",
];
/// Of a list, where none is asked for and at most.
pub(super) const LIMIT: i64 = 50;
const LIMIT_MAX: i64 = 500;

type Checked<T> = Result<T, String>;

/// Any text within bounds, trimmed: no control characters, so no NUL either.
fn bounded(value: &Value, chars_max: usize) -> Checked<String> {
    let text = value.as_str().ok_or("must be a text")?.trim();
    if text.is_empty() || text.chars().count() > chars_max {
        return Err(format!("must have 1 to {chars_max} characters"));
    }
    if text.chars().any(char::is_control) {
        return Err("must not contain control characters".to_owned());
    }
    Ok(text.to_owned())
}

/// A name.
pub(super) fn name(value: &Value) -> Checked<String> {
    bounded(value, 200)
}

/// A sentence or two.
pub(super) fn remark(value: &Value) -> Checked<String> {
    bounded(value, 500)
}

/// An order id, to look for: in the spelling that it is kept in.
pub(super) fn order_id(value: &Value) -> Checked<String> {
    let text = value.as_str().ok_or("must be a text")?;
    intake::normal_order_id(text.trim()).map_err(|reason| reason.text().to_owned())
}

/// A coupon's code.
pub(super) fn coupon(value: &Value) -> Checked<String> {
    bounded(value, 64)
}

/// The code of a link or tracking code, as it stands in an address.
pub(super) fn code(value: &Value) -> Checked<String> {
    token(value, 64)
}

/// The name of the query parameter that carries the click token; not one that means something else.
pub(super) fn parameter(value: &Value) -> Checked<String> {
    let name = token(value, 32)?;
    let taken = TAKEN_PARAMETERS.contains(&&*name.to_ascii_lowercase());
    if taken { Err("is the name of another parameter".to_owned()) } else { Ok(name) }
}

fn token(value: &Value, chars_max: usize) -> Checked<String> {
    let text = value.as_str().ok_or("must be a text")?;
    let fits = (1..=chars_max).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let fault = || format!("must have 1 to {chars_max} letters, digits, `_` or `-`");
    fits.then(|| text.to_owned()).ok_or_else(fault)
}

/// An e-mail address: something, an `@`, something. Whether it exists, only a mail can tell.
pub(super) fn email(value: &Value) -> Checked<String> {
    let text = bounded(value, 254)?;
    let fits =
        text.rsplit_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
            && !text.contains(char::is_whitespace);
    fits.then_some(text).ok_or_else(|| "must be an e-mail address".to_owned())
}

/// An id.
pub(super) fn identity(value: &Value) -> Checked<Id> {
    let text = value.as_str().and_then(id::parse);
    text.ok_or_else(|| "must be an id, a text of digits".to_owned())
}

/// Yes or no.
pub(super) fn boolean(value: &Value) -> Checked<bool> {
    value.as_bool().ok_or_else(|| "must be true or false".to_owned())
}

/// Days of an attribution window.
pub(super) fn window_days(value: &Value) -> Checked<i32> {
    days(value, 1)
}

/// Days until a commission is payable.
pub(super) fn hold_days(value: &Value) -> Checked<i32> {
    days(value, 0)
}

fn days(value: &Value, days_min: i64) -> Checked<i32> {
    let days = value.as_i64().filter(|days| (days_min..=400).contains(days));
    let days = days.and_then(|days| i32::try_from(days).ok());
    days.ok_or_else(|| format!("must be a whole number from {days_min} to 400"))
}

/// One of some words.
pub(super) fn one_of(value: &Value, words: &[&str]) -> Checked<String> {
    let word = value.as_str().filter(|word| words.contains(word));
    word.map(str::to_owned).ok_or_else(|| format!("must be one of `{}`", words.join("`, `")))
}

/// Which click is credited.
pub(super) fn attribution(value: &Value) -> Checked<String> {
    one_of(value, &["last_click", "first_click"])
}

/// Whether unsigned sales wait.
pub(super) fn unsigned(value: &Value) -> Checked<String> {
    one_of(value, &["accept", "hold"])
}

/// How a buyer gets back to the shop.
pub(super) fn return_method(value: &Value) -> Checked<String> {
    one_of(value, &["redirect", "link"])
}

/// Whose a key is.
pub(super) fn role(value: &Value) -> Checked<String> {
    one_of(value, &["operator", "advertiser", "affiliate"])
}

/// A conversion's status.
pub(super) fn status(value: &Value) -> Checked<String> {
    one_of(value, &Status::ALL.map(Status::code))
}

/// A hit's outcome.
pub(super) fn outcome(value: &Value) -> Checked<String> {
    one_of(value, &Outcome::ALL.map(Outcome::code))
}

/// What a report is grouped by.
pub(super) fn group_by(value: &Value) -> Checked<String> {
    one_of(value, &["day", "program", "link", "s1", "s2", "s3", "s4", "s5"])
}

/// How a report is written.
pub(super) fn format(value: &Value) -> Checked<String> {
    one_of(value, &["json", "csv"])
}

/// An ISO 4217 code, in capitals.
pub(super) fn currency(value: &Value) -> Checked<String> {
    let known = value.as_str().and_then(Currency::parse);
    known.map(|c| c.code().to_owned()).ok_or_else(|| "must be an ISO 4217 currency code".to_owned())
}

/// An IANA time zone's name.
pub(super) fn timezone(value: &Value) -> Checked<String> {
    let zone = value.as_str().and_then(|name| TimeZone::get(name).ok());
    let name = zone.as_ref().and_then(TimeZone::iana_name).map(str::to_owned);
    name.ok_or_else(|| "must be an IANA time zone, such as Europe/Berlin".to_owned())
}

/// An absolute http or https address, as sent.
pub(super) fn address(value: &Value) -> Checked<String> {
    let text = bounded(value, URL_BYTES_MAX)?;
    let fits = text.len() <= URL_BYTES_MAX && address::parse(&text).is_ok();
    let fault = || "must be an absolute http or https URL, without user or password".to_owned();
    fits.then_some(text).ok_or_else(fault)
}

/// Where a buyer goes after a form: an address in which `{id}`, `{amount}` and `{currency}` may stand,
/// though not where they would choose the host.
pub(super) fn redirect(value: &Value) -> Checked<String> {
    let text = bounded(value, URL_BYTES_MAX)?;
    redirect::fault(&text).map_or(Ok(text), |fault| Err(fault.to_owned()))
}

/// Host names, without port; in the form that addresses are compared in.
pub(super) fn hosts(value: &Value) -> Checked<Vec<String>> {
    let list = value.as_array().ok_or("must be a list of host names")?;
    if list.len() > HOSTS_MAX {
        return Err(format!("must have at most {HOSTS_MAX} hosts"));
    }
    let host = |value: &Value| {
        let host = Host::parse(value.as_str()?).ok()?.to_string();
        (host.len() <= 253 && !host.contains('*')).then_some(host)
    };
    let hosts: Option<Vec<String>> = list.iter().map(host).collect();
    hosts.ok_or_else(|| "must be a list of host names, without scheme, port or path".to_owned())
}

/// A moment, or a day that stands for its first moment in UTC.
pub(super) fn moment(value: &Value) -> Checked<Timestamp> {
    let moment = match bound(value)? {
        Bound::Moment(moment) => Some(moment),
        Bound::Day(day) => day.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp()),
    };
    moment.ok_or_else(bound_fault)
}

/// A day, or a moment.
pub(super) fn bound(value: &Value) -> Checked<Bound> {
    let text = value.as_str().ok_or_else(bound_fault)?;
    let day = (text.len() == 10).then(|| text.parse::<Date>().ok()).flatten().map(Bound::Day);
    let moment = || text.parse::<Timestamp>().ok().map(Bound::Moment);
    let bound = day.or_else(moment).ok_or_else(bound_fault)?;
    let year = match bound {
        Bound::Day(day) => day.year(),
        Bound::Moment(moment) => moment.to_zoned(TimeZone::UTC).year(),
    };
    (1..=9_998).contains(&year).then_some(bound).ok_or_else(bound_fault)
}

fn bound_fault() -> String {
    "must be a day (2026-01-31) or an RFC 3339 time (2026-01-31T12:00:00Z)".to_owned()
}

/// How many rows of a list.
pub(super) fn limit(value: &Value) -> Checked<i64> {
    let limit = value.as_str().and_then(id::parse).filter(|n| (1..=LIMIT_MAX).contains(n));
    limit.ok_or_else(|| format!("must be a whole number from 1 to {LIMIT_MAX}"))
}

/// Where a list goes on: a `next_cursor`.
pub(super) fn cursor(value: &Value) -> Checked<Id> {
    identity(value).map_err(|_| "must be a `next_cursor`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn addresses_that_are_taken_and_refused() {
        for text in ["https://shop.example/a?b=c#d", "http://127.0.0.1:8083/", "HTTPS://X.example"]
        {
            assert!(address(&json!(text)).is_ok(), "{text}");
        }
        for text in [
            "",
            "shop.example",
            "/relative",
            "//shop.example",
            "https:shop.example",
            "https:\\\\shop.example",
            "javascript:alert(1)",
            "ftp://shop.example",
            "https://user@shop.example",
            "https://:pass@shop.example",
            "https://shop.example/a b",
            "https://shop.example/\u{0}",
            "https://shop.example/\nb",
            "https://",
        ] {
            assert!(address(&json!(text)).is_err(), "{text:?}");
        }
        assert!(address(&json!(7)).is_err());
    }

    #[test]
    fn a_placeholder_never_chooses_the_host() {
        assert!(
            redirect(&json!("https://shop.example/thanks?o={id}&a={amount}{currency}")).is_ok()
        );
        for text in ["https://{id}/", "https://{id}.example/", "https://shop.example:{amount}/"] {
            assert!(redirect(&json!(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn hosts_are_names_alone() {
        assert_eq!(
            hosts(&json!(["Shop.Example", "bücher.example"])).unwrap(),
            ["shop.example", "xn--bcher-kva.example"]
        );
        for host in ["", "https://a.example", "a.example:80", "a.example/x", "a b"] {
            assert!(hosts(&json!([host])).is_err(), "{host}");
        }
    }

    #[test]
    fn texts_are_trimmed_and_bounded() {
        assert_eq!(name(&json!("  Ann ")).unwrap(), "Ann");
        for text in [json!(""), json!("  "), json!("a\u{0}b"), json!("x".repeat(201)), json!(1)] {
            assert!(name(&text).is_err(), "{text}");
        }
        for text in ["a@b", "a.b+c@d.example"] {
            assert!(email(&json!(text)).is_ok(), "{text}");
        }
        for text in ["ab", "@b", "a@", "a b@c"] {
            assert!(email(&json!(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn days_and_moments() {
        assert_eq!(bound(&json!("2026-01-31")).unwrap(), Bound::Day("2026-01-31".parse().unwrap()));
        assert!(matches!(bound(&json!("2026-01-31T12:00:00+02:00")), Ok(Bound::Moment(_))));
        for text in ["", "yesterday", "2026-02-30", "2026-01-31T12:00:00", "-000001-01-01"] {
            assert!(bound(&json!(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn zones_and_currencies() {
        assert_eq!(timezone(&json!("Europe/Berlin")).unwrap(), "Europe/Berlin");
        assert!(timezone(&json!("Mars/Olympus")).is_err());
        assert_eq!(currency(&json!("usd")).unwrap(), "USD");
        assert!(currency(&json!("PES")).is_err());
    }
}
