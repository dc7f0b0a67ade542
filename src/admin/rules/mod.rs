//! What a field of the API may hold: a JSON value to a checked one, or a sentence on what it must be; and
//! the same as JSON Schema, for the document. Pure. What passes here, the database can hold.

use serde_json::{Value, json};

use crate::domain::id::{self, Id};
use crate::domain::intake;
use crate::domain::ledger::Status;
use crate::domain::money::Currency;
use crate::domain::person;
use crate::domain::reason::Outcome;
use crate::domain::takeback::{Dispute, Stage};

/// One of some words.
macro_rules! words {
    ($words:expr) => {
        $crate::admin::rules::Rule {
            check: |value: &serde_json::Value| {
                let (word, words) = (value.as_str(), $words);
                let known = word.filter(|word| words.contains(word)).map(str::to_owned);
                known.ok_or_else(|| format!("must be one of `{}`", words.join("`, `")))
            },
            schema: || serde_json::json!({"type": "string", "enum": $words}),
        }
    };
}
pub(super) use words;

mod addresses;
mod many;
mod money;
mod people;
mod times;

pub(super) use addresses::{ADDRESS, EMAIL, HOSTS, REDIRECT};
pub(super) use many::{CORRECTABLE, FINDING, IDS, ORDER_IDS};
pub(super) use money::{
    BIC, IBAN, MINIMUM, MONEY, MONTH, PAYEE_METHOD, PAYOUT_FORMAT, PAYOUT_STATUS, QUOTED,
    REFERENCE, SIGNED_MONEY,
};
pub(super) use people::{OFF, OVERLAP_SECONDS, OVERLAP_SECONDS_USUAL, SCOPES, SCOPES_OF_AFFILIATE};
pub(super) use times::{BOUND, DAY, HAPPENED, HOLD_DAYS, MOMENT, TIMEZONE, TOO_EARLY, WINDOW_DAYS};

/// A value, or what it must be.
pub(super) type Checked<T> = Result<T, String>;

/// What a field may hold. Both parts say the same: what the schema allows passes the check, and but for
/// what no schema can say, what it forbids does not.
#[derive(Clone, Copy)]
pub(super) struct Rule<T: 'static> {
    /// What a value should have been, to a person.
    pub check: fn(&Value) -> Checked<T>,
    /// The same as JSON Schema.
    pub schema: fn() -> Value,
}

/// Parameters of hits and clicks that mean something else than a click token.
const TAKEN_PARAMETERS: [&str; 26] = [
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
    "tax",
    "shipping",
    "discount",
    "country",
    "origin",
    "status",
    "potential",
    "reason",
    "requested_at",
    "closed_at",
];
/// Ids are up to 2^63 - 1; the pattern ends a little below, in the year 2039.
const ID_PATTERN: &str = "^(0|-?[1-9][0-9]{0,17}|[1-8][0-9]{18}|9[01][0-9]{17}|92[01][0-9]{16})$";
/// No control characters, and not only spaces.
const TEXT_PATTERN: &str =
    "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$";
/// Of a list, where none is asked for and at most.
pub(super) const LIMIT_USUAL: i64 = 50;
const LIMIT_MAX: i64 = 500;

/// A name.
pub(super) const NAME: Rule<String> =
    Rule { check: |v| bounded(v, person::NAME_CHARS_MAX), schema: || text(person::NAME_CHARS_MAX) };

/// A sentence or two.
pub(super) const REMARK: Rule<String> = Rule { check: |v| bounded(v, 500), schema: || text(500) };

/// Who quoted a rate.
pub(super) const SOURCE: Rule<String> = Rule { check: |v| bounded(v, 100), schema: || text(100) };

/// A coupon's code.
pub(super) const COUPON: Rule<String> = Rule { check: |v| bounded(v, 64), schema: || text(64) };

/// A shop's name of an article, or of what it belongs to.
pub(super) const ARTICLE: Rule<String> = Rule { check: |v| bounded(v, 128), schema: || text(128) };

/// A group of affiliates.
pub(super) const GROUP: Rule<String> = Rule { check: |v| bounded(v, 64), schema: || text(64) };

/// An order id, to look for: in the spelling that it is kept in.
pub(super) const ORDER_ID: Rule<String> = Rule {
    check: |value| {
        let text = value.as_str().ok_or("must be a text")?;
        intake::normal_order_id(text.trim()).map_err(|reason| reason.text().to_owned())
    },
    schema: || json!({"type": "string", "maxLength": 128, "pattern": "^[^\\x00\\ufffd]*$"}),
};

/// A name that the shop gave to an order, a refund or a chargeback: the same spelling, and not nothing.
pub(super) const SHOP_ID: Rule<String> = Rule {
    check: |value| {
        let id = (ORDER_ID.check)(value)?;
        if id.is_empty() { Err("must not be empty".to_owned()) } else { Ok(id) }
    },
    schema: || {
        let pattern = "^[^\\x00\\ufffd]*[^\\s\\x00\\ufffd][^\\x00\\ufffd]*$";
        json!({"type": "string", "minLength": 1, "maxLength": 128, "pattern": pattern})
    },
};

/// The code of a link or tracking code, as it stands in an address.
pub(super) const CODE: Rule<String> = Rule {
    check: |v| token(v, 64),
    schema: || json!({"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}),
};

/// The name of the query parameter that carries the click token; not one that means something else.
pub(super) const PARAMETER: Rule<String> = Rule {
    check: |value| {
        let name = token(value, 32)?;
        let taken = TAKEN_PARAMETERS.contains(&&*name.to_ascii_lowercase());
        if taken { Err("is the name of another parameter".to_owned()) } else { Ok(name) }
    },
    schema: || {
        let pattern = "^[A-Za-z0-9_-]{1,32}$";
        json!({"type": "string", "pattern": pattern, "not": {"enum": TAKEN_PARAMETERS}})
    },
};

/// An id.
pub(super) const ID: Rule<Id> = Rule {
    check: |value| {
        let id = value.as_str().and_then(id::parse);
        id.ok_or_else(|| "must be an id, a text of digits".to_owned())
    },
    schema: id_schema,
};

/// An id as the document tells it, wherever it stands.
pub(super) fn id_schema() -> Value {
    json!({"type": "string", "pattern": ID_PATTERN, "examples": ["7516192768000000000"]})
}

/// Yes or no.
pub(super) const YES_OR_NO: Rule<bool> = Rule {
    check: |value| value.as_bool().ok_or_else(|| "must be true or false".to_owned()),
    schema: || json!({"type": "boolean"}),
};

/// Which click is credited, or how several share.
pub(super) const ATTRIBUTION: Rule<String> =
    words!(&["last_click", "first_click", "linear", "position_based"]);

/// Whether unsigned sales wait.
pub(super) const UNSIGNED: Rule<String> = words!(&["accept", "hold"]);

/// How a buyer gets back to the shop.
pub(super) const RETURN_METHOD: Rule<String> = words!(&["redirect", "link"]);

/// Whose a key is.
pub(super) const ROLE: Rule<String> = words!(&["operator", "advertiser", "affiliate"]);

/// A conversion's status.
pub(super) const STATUS: Rule<String> = words!(&Status::ALL.map(Status::code));

/// How far a chargeback is.
pub(super) const STAGE: Rule<String> = words!(&Stage::ALL.map(Stage::code));

/// Why a buyer disputes.
pub(super) const DISPUTE: Rule<String> =
    words!(Dispute::ALL.iter().map(|reason| reason.code()).collect::<Vec<_>>());

/// Yes or no, in a query.
pub(super) const TRUTH: Rule<String> = words!(&["true", "false"]);

/// A hit's outcome.
pub(super) const OUTCOME: Rule<String> = words!(&Outcome::ALL.map(Outcome::code));

/// What a report is grouped by.
pub(super) const GROUP_BY: Rule<String> =
    words!(&["day", "program", "link", "s1", "s2", "s3", "s4", "s5"]);

/// How a report is written.
pub(super) const FORMAT: Rule<String> = words!(&["json", "csv"]);

/// An ISO 4217 code, in capitals.
pub(super) const CURRENCY: Rule<String> = Rule {
    check: |value| {
        let known = value.as_str().and_then(Currency::parse).map(|c| c.code().to_owned());
        known.ok_or_else(|| "must be an ISO 4217 currency code".to_owned())
    },
    schema: || {
        let letters = || 'A'..='Z';
        let pairs = letters().flat_map(|a| letters().map(move |b| (a, b)));
        let codes = pairs.flat_map(|(a, b)| letters().map(move |c| format!("{a}{b}{c}")));
        let known: Vec<String> = codes.filter(|code| Currency::parse(code).is_some()).collect();
        json!({"type": "string", "enum": known, "examples": ["USD"]})
    },
};

/// How many rows of a list.
pub(super) const LIMIT: Rule<i64> = Rule {
    check: |value| {
        let limit = value.as_str().and_then(id::parse).filter(|n| (1..=LIMIT_MAX).contains(n));
        limit.ok_or_else(|| format!("must be a whole number from 1 to {LIMIT_MAX}"))
    },
    schema: || json!({"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "description": "Rows at most."}),
};

/// Where a list goes on: a `next_cursor`, whose letters mean nothing to others.
pub(super) const CURSOR: Rule<Id> = Rule {
    check: |value| {
        let text = value.as_str().filter(|text| text.len() == 16 && is_lower_hex(text));
        let bits = text.and_then(|text| u64::from_str_radix(text, 16).ok());
        bits.map(u64::cast_signed).ok_or_else(|| "must be a `next_cursor`".to_owned())
    },
    schema: || {
        let what = "The `next_cursor` of the page before; absent for the first page.";
        json!({"type": "string", "pattern": "^[0-9a-f]{16}$", "description": what})
    },
};

/// The cursor behind a row.
pub(super) fn cursor_after(id: Id) -> String {
    format!("{:016x}", id.cast_unsigned())
}

/// Where a list of parts goes on: the `next_cursor` of the page before.
pub(super) const CURSOR_OF_PART: Rule<(Id, i16)> = Rule {
    check: |value| {
        let fault = || "must be a `next_cursor`".to_owned();
        let (id, part) =
            value.as_str().and_then(|text| text.split_at_checked(16)).ok_or_else(fault)?;
        let digits = Some(part).filter(|part| part.len() == 2 && is_lower_hex(part));
        let part = digits.and_then(|part| i16::from_str_radix(part, 16).ok()).ok_or_else(fault)?;
        Ok(((CURSOR.check)(&json!(id))?, part))
    },
    schema: || {
        let mut schema = (CURSOR.schema)();
        schema["pattern"] = json!("^[0-9a-f]{18}$");
        schema
    },
};

/// The cursor behind a part of something; of parts there are at most 99.
pub(super) fn cursor_after_part((id, part): (Id, i16)) -> String {
    format!("{}{part:02x}", cursor_after(id))
}

fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Any text within bounds, trimmed: no control characters, so no NUL either.
fn bounded(value: &Value, chars_max: usize) -> Checked<String> {
    let text = value.as_str().ok_or("must be a text")?;
    if text.chars().any(char::is_control) {
        return Err("must not contain control characters".to_owned());
    }
    if text.trim().is_empty() || text.chars().count() > chars_max {
        return Err(format!("must have 1 to {chars_max} characters"));
    }
    Ok(text.trim().to_owned())
}

fn text(chars_max: usize) -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": chars_max, "pattern": TEXT_PATTERN})
}

fn token(value: &Value, chars_max: usize) -> Checked<String> {
    let text = value.as_str().ok_or("must be a text")?;
    let fits = (1..=chars_max).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let fault = || format!("must have 1 to {chars_max} letters, digits, `_` or `-`");
    fits.then(|| text.to_owned()).ok_or_else(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_trimmed_and_bounded() {
        assert_eq!((NAME.check)(&json!("  Ann ")).unwrap(), "Ann");
        for text in [json!(""), json!("  "), json!("a\u{0}b"), json!("x".repeat(201)), json!(1)] {
            assert!((NAME.check)(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn currencies_are_those_with_a_minor_unit() {
        assert_eq!((CURRENCY.check)(&json!("usd")).unwrap(), "USD");
        assert!((CURRENCY.check)(&json!("PES")).is_err());
        let schema = (CURRENCY.schema)();
        let codes = schema["enum"].as_array().unwrap();
        assert!(
            codes.len() > 150 && codes.contains(&json!("JPY")) && !codes.contains(&json!("XAU"))
        );
    }

    #[test]
    fn a_cursor_is_read_as_it_is_written() {
        for id in [0, 7, -7, Id::MAX, Id::MIN] {
            assert_eq!((CURSOR.check)(&json!(cursor_after(id))), Ok(id));
        }
        for text in ["", "7", "00000000000000FF", "+00000000000000f", "0000000000000000f"] {
            assert!((CURSOR.check)(&json!(text)).is_err(), "{text}");
        }
        for place in [(0, 1), (7, 99), (-7, 2), (Id::MAX, 1), (Id::MIN, 99)] {
            assert_eq!((CURSOR_OF_PART.check)(&json!(cursor_after_part(place))), Ok(place));
        }
        for text in ["", "7", "000000000000000f", "000000000000000f0", "000000000000000f+1"] {
            assert!((CURSOR_OF_PART.check)(&json!(text)).is_err(), "{text}");
        }
    }
}
