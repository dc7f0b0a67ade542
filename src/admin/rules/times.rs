//! Days, moments and time zones.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{self, TimeZone};
use serde_json::{Value, json};

use super::{Checked, Rule};
use crate::domain::takeback::TIMES_MS;
use crate::store::report::Bound;

/// Days of an attribution window.
pub(in super::super) const WINDOW_DAYS: Rule<i32> =
    Rule { check: |v| days(v, 1), schema: || day_count(1) };

/// Days until a commission is payable.
pub(in super::super) const HOLD_DAYS: Rule<i32> =
    Rule { check: |v| days(v, 0), schema: || day_count(0) };

fn days(value: &Value, days_min: i64) -> Checked<i32> {
    // To JSON Schema, and to many a language, 30.0 is the whole number 30.
    let whole = || value.as_f64().filter(|days| days.trunc() == *days).map(|days| days as i64);
    let days = value.as_i64().or_else(whole).filter(|days| (days_min..=400).contains(days));
    let days = days.and_then(|days| i32::try_from(days).ok());
    days.ok_or_else(|| format!("must be a whole number from {days_min} to 400"))
}

fn day_count(days_min: i64) -> Value {
    json!({"type": "integer", "minimum": days_min, "maximum": 400})
}

/// An IANA time zone's name.
pub(in super::super) const TIMEZONE: Rule<String> = Rule {
    check: timezone,
    schema: || {
        // Places, and UTC. What else the database has for the sake of age is taken, but not offered.
        let offered = |name: &str| name == "UTC" || name.contains('/') && !name.starts_with("Etc/");
        let known = tz::db().available().filter(|name| offered(name.as_str()));
        let known = known.map(|name| Value::from(name.as_str()));
        let names: Vec<Value> = known.filter(|name| timezone(name).is_ok()).collect();
        json!({"type": "string", "enum": names, "examples": ["Europe/Berlin"]})
    },
};

fn timezone(value: &Value) -> Checked<String> {
    let zone = value.as_str().and_then(|name| TimeZone::get(name).ok());
    let name = zone.as_ref().and_then(TimeZone::iana_name).map(str::to_owned);
    name.ok_or_else(|| "must be an IANA time zone, such as Europe/Berlin".to_owned())
}

/// A day.
pub(in super::super) const DAY: Rule<Date> = Rule {
    check: |value| {
        let text = value.as_str().filter(|text| text.len() == 10);
        let day = text.and_then(|text| text.parse::<Date>().ok());
        let day = day.filter(|day| (1..=9_998).contains(&day.year()));
        day.ok_or_else(|| "must be a day, such as 2026-01-31".to_owned())
    },
    schema: || json!({"type": "string", "format": "date", "examples": ["2026-01-31"]}),
};

/// Of the day of a quote that nobody can know yet.
pub(in super::super) const TOO_EARLY: &str = "must not be after tomorrow";

/// A moment, or a day that stands for its first moment in UTC.
pub(in super::super) const MOMENT: Rule<Timestamp> = Rule {
    check: |value| {
        let moment = match bound(value)? {
            Bound::Moment(moment) => Some(moment),
            Bound::Day(day) => day.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp()),
        };
        moment.ok_or_else(bound_fault)
    },
    schema: || day_or_moment("A day stands for its first moment in UTC."),
};

/// The millisecond at which something happened that a shop tells of; as postbacks have it, not before 1970.
pub(in super::super) const HAPPENED: Rule<i64> = Rule {
    check: |value| {
        let at_ms = (MOMENT.check)(value)?.as_millisecond();
        Some(at_ms)
            .filter(|at_ms| TIMES_MS.contains(at_ms))
            .ok_or_else(|| "is before 1970".to_owned())
    },
    schema: || {
        let mut schema = day_or_moment("A day stands for its first moment in UTC.");
        schema["pattern"] = json!("^(19[7-9][0-9]|[2-9][0-9]{3})-");
        schema
    },
};

/// A day, or a moment.
pub(in super::super) const BOUND: Rule<Bound> = Rule {
    check: bound,
    schema: || day_or_moment("A day is one of the time zone of each program's advertiser."),
};

fn bound(value: &Value) -> Checked<Bound> {
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
    "must be a day (2026-01-31) or an RFC 3339 time (2026-01-31T12:00:00Z), before the year 9999"
        .to_owned()
}

fn day_or_moment(which_day: &str) -> Value {
    json!({
        "description": which_day,
        "anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}],
        "examples": ["2026-01-31", "2026-01-31T12:00:00Z"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_moments() {
        assert_eq!(bound(&json!("2026-01-31")).unwrap(), Bound::Day("2026-01-31".parse().unwrap()));
        assert!(matches!(bound(&json!("2026-01-31T12:00:00+02:00")), Ok(Bound::Moment(_))));
        for text in ["", "yesterday", "2026-02-30", "2026-01-31T12:00:00", "-000001-01-01"] {
            assert!(bound(&json!(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn what_happened_is_of_this_age() {
        for (text, expected) in [
            ("1970-01-01", Ok(0)),
            ("1970-01-01T01:00:00+01:00", Ok(0)),
            ("9998-12-31T23:59:59.999Z", Ok(TIMES_MS.end - 1)),
            ("1969-12-31", Err("is before 1970".to_owned())),
            ("1970-01-01T00:59:59+01:00", Err("is before 1970".to_owned())),
            ("9999-01-01", Err(bound_fault())),
            ("yesterday", Err(bound_fault())),
        ] {
            assert_eq!((HAPPENED.check)(&json!(text)), expected, "{text}");
        }
    }

    #[test]
    fn a_day_is_a_whole_one() {
        assert_eq!((DAY.check)(&json!("2024-02-29")), Ok("2024-02-29".parse().unwrap()));
        for text in
            ["", "2026-02-29", "2026-1-31", "20260131", "2026-01-31T12:00:00Z", "0000-01-01"]
        {
            assert!((DAY.check)(&json!(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn days_are_counted_in_whole_numbers() {
        assert_eq!(days(&json!(30), 1), Ok(30));
        assert_eq!(days(&json!(30.0), 1), Ok(30));
        for value in [json!(0), json!(30.5), json!(401), json!(1e300), json!("30"), json!(true)] {
            assert!(days(&value, 1).is_err(), "{value}");
        }
    }

    #[test]
    fn zones_have_their_iana_names() {
        assert_eq!(timezone(&json!("Europe/Berlin")).unwrap(), "Europe/Berlin");
        assert!(timezone(&json!("Mars/Olympus")).is_err());
        assert!((TIMEZONE.schema)()["enum"].as_array().unwrap().len() > 400);
    }
}
