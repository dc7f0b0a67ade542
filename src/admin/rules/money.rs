//! Money, accounts at banks, rates and months.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{CURRENCY, Checked, NAME, Rule, bounded, text};
use crate::domain::bank;
use crate::domain::money::{Currency, Money};
use crate::domain::payout::{Method, Status};
use crate::domain::rates::Quoted;

/// Decimals of an amount whose currency stands elsewhere, at most: of CLF and UYW.
const DECIMALS_MAX: usize = 4;
/// Decimals of a rate, at most.
const RATE_DECIMALS_MAX: usize = 12;
const ZERO_PATTERN: &str = "^-?[0.]*$";

/// An amount above zero, in a currency.
pub(in super::super) const MONEY: Rule<Option<Money>> =
    Rule { check: |value| money(value, false), schema: || money_schema(false) };

/// An amount above or below zero, in a currency.
pub(in super::super) const SIGNED_MONEY: Rule<Option<Money>> =
    Rule { check: |value| money(value, true), schema: || money_schema(true) };

fn money(value: &Value, may_be_negative: bool) -> Checked<Option<Money>> {
    let fault =
        || "must be an amount and a currency, such as {\"amount\":\"19.95\",\"currency\":\"USD\"}";
    let fields = fields(value, ["amount", "currency"]).ok_or_else(fault)?;
    let [amount, currency] = fields;
    let currency = (CURRENCY.check)(currency)?;
    let currency = Currency::parse(&currency).ok_or_else(fault)?;
    let digits = currency.exponent() as usize;
    let amount = decimal(amount, digits, may_be_negative);
    let amount = amount.filter(|amount| !amount.is_zero());
    let amount = amount.ok_or_else(|| {
        let above = if may_be_negative { "above or below" } else { "above" };
        format!("its amount must be {above} zero, with {digits} decimals at most, as a text")
    })?;
    Ok(Some(Money::rounded(amount, currency)))
}

/// The fields of an object that has these and no others.
fn fields<'a, const N: usize>(value: &'a Value, names: [&str; N]) -> Option<[&'a Value; N]> {
    let object: &Map<String, Value> = value.as_object()?;
    let found: Vec<&Value> = names.iter().filter_map(|name| object.get(*name)).collect();
    if object.len() == N { found.try_into().ok() } else { None }
}

/// Digits and a decimal point, as JSON carries amounts.
fn decimal(value: &Value, decimals: usize, may_be_negative: bool) -> Option<Decimal> {
    let text = value.as_str()?;
    let unsigned = text.strip_prefix('-').filter(|_| may_be_negative).unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return None,
        None => (unsigned, ""),
    };
    let is_plain = (1..=15).contains(&whole.len())
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.len() <= decimals
        && whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
    if is_plain { text.parse().ok() } else { None }
}

fn pattern(decimals: usize, may_be_negative: bool) -> String {
    let sign = if may_be_negative { "-?" } else { "" };
    let fraction = match decimals {
        0 => String::new(),
        most => format!("(\\.[0-9]{{1,{most}}})?"),
    };
    format!("^{sign}(0|[1-9][0-9]{{0,14}}){fraction}$")
}

/// One schema for each number of decimals that currencies have.
fn money_schema(may_be_negative: bool) -> Value {
    let all = (CURRENCY.schema)();
    let codes: Vec<&str> =
        all["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let of = |digits: u32| {
        let has = |code: &&&str| Currency::parse(code).is_some_and(|c| c.exponent() == digits);
        let codes: Vec<&&str> = codes.iter().filter(has).collect();
        let amount = json!({
            "type": "string", "pattern": pattern(digits as usize, may_be_negative),
            "not": {"pattern": ZERO_PATTERN},
        });
        let properties = json!({"amount": amount, "currency": {"type": "string", "enum": codes}});
        json!({
            "type": "object", "required": ["amount", "currency"], "additionalProperties": false,
            "properties": properties,
        })
    };
    let kinds = [0, 2, 3, 4].map(of);
    json!({"anyOf": kinds, "examples": [{"amount": "19.95", "currency": "USD"}]})
}

/// An amount of zero or more; in which currency, is known.
pub(in super::super) const MINIMUM: Rule<Decimal> = Rule {
    check: |value| {
        let fault = || {
            format!(
                "must be an amount, zero or more, with {DECIMALS_MAX} decimals at most, as a text"
            )
        };
        decimal(value, DECIMALS_MAX, false).ok_or_else(fault)
    },
    schema: || json!({"type": "string", "pattern": pattern(DECIMALS_MAX, false), "examples": ["25.00"]}),
};

/// A rate, the day that it was quoted for, and who quoted it.
pub(in super::super) const QUOTED: Rule<Quoted> = Rule {
    check: |value| {
        let fault = || "must have `rate`, above zero as a text, `on_date` and `source`".to_owned();
        let [rate, on, source] = fields(value, ["rate", "on_date", "source"]).ok_or_else(fault)?;
        let rate = decimal(rate, RATE_DECIMALS_MAX, false).filter(|rate| !rate.is_zero());
        let (rate, on) = (rate.ok_or_else(fault)?, date(on).ok_or_else(fault)?);
        Ok(Quoted {
            rate,
            on,
            source: (NAME.check)(source).map_err(|fault| format!("source: {fault}"))?,
        })
    },
    schema: || {
        let rate = json!({
            "type": "string", "pattern": pattern(RATE_DECIMALS_MAX, false),
            "not": {"pattern": ZERO_PATTERN}, "examples": ["0.9217"],
        });
        let mut source = (NAME.schema)();
        source["examples"] = json!(["European Central Bank"]);
        json!({
            "type": "object", "required": ["rate", "on_date", "source"], "additionalProperties": false,
            "properties": {"rate": rate, "on_date": {"type": "string", "format": "date"}, "source": source},
        })
    },
};

fn date(value: &Value) -> Option<Date> {
    let text = value.as_str().filter(|text| text.len() == 10)?;
    text.parse::<Date>().ok().filter(|date| date.year() > 0)
}

/// A month, by its first day.
pub(in super::super) const MONTH: Rule<Date> = Rule {
    check: |value| {
        let month = value.as_str().filter(|text| text.len() == 7);
        let first = month.and_then(|month| date(&json!(format!("{month}-01"))));
        let first = first.filter(|first| (1970..=2199).contains(&first.year()));
        first.ok_or_else(|| "must be a month, such as 2026-01".to_owned())
    },
    schema: || {
        let pattern = "^(19[7-9][0-9]|2[01][0-9]{2})-(0[1-9]|1[0-2])$";
        json!({"type": "string", "pattern": pattern, "examples": ["2026-01"]})
    },
};

/// How an affiliate is paid.
pub(in super::super) const PAYEE_METHOD: Rule<String> = words!(&Method::ALL.map(Method::code));

/// Where a payout stands.
pub(in super::super) const PAYOUT_STATUS: Rule<String> = words!(&Status::ALL.map(Status::code));

/// What a file of payouts is written for.
pub(in super::super) const PAYOUT_FORMAT: Rule<String> = words!(&["csv", "paypal", "sepa"]);

/// What whoever paid a payout knows it by.
pub(in super::super) const REFERENCE: Rule<String> =
    Rule { check: |value| bounded(value, 200), schema: || text(200) };

/// An IBAN; spaces are left out.
pub(in super::super) const IBAN: Rule<String> = Rule {
    check: |value| {
        let iban = value.as_str().and_then(bank::iban);
        iban.ok_or_else(|| "must be an IBAN whose check digits fit".to_owned())
    },
    schema: || {
        // That the check digits fit, no pattern tells.
        let pattern = "^[A-Za-z]{2}[0-9]{2}[A-Za-z0-9 ]{11,38}$";
        json!({"type": "string", "pattern": pattern, "examples": ["DE89370400440532013000"]})
    },
};

/// A BIC.
pub(in super::super) const BIC: Rule<String> = Rule {
    check: |value| {
        let bic = value.as_str().and_then(bank::bic);
        bic.ok_or_else(|| "must be a BIC, of 8 or 11 characters".to_owned())
    },
    schema: || {
        let pattern = "^[A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?$";
        json!({"type": "string", "pattern": pattern, "examples": ["COBADEFFXXX"]})
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_its_currencys_decimals() {
        let check = |amount: Value, currency: &str, expected: Option<&str>| {
            let value = json!({"amount": amount, "currency": currency});
            let got = money(&value, true).ok().flatten().map(|money| money.amount.to_string());
            assert_eq!(got.as_deref(), expected, "{value}");
        };
        check(json!("19.95"), "USD", Some("19.95"));
        check(json!("-19.9"), "usd", Some("-19.90"));
        check(json!("20"), "JPY", Some("20"));
        check(json!("0.001"), "KWD", Some("0.001"));
        for (amount, currency) in [
            (json!("20.5"), "JPY"),
            (json!("0.001"), "USD"),
            (json!("0.00"), "USD"),
            (json!("-0"), "USD"),
            (json!("1."), "USD"),
            (json!(".5"), "USD"),
            (json!("01"), "USD"),
            (json!("+1"), "USD"),
            (json!("--1"), "USD"),
            (json!("1,5"), "USD"),
            (json!("1e3"), "USD"),
            (json!("1234567890123456"), "USD"),
            (json!(1), "USD"),
            (json!("1"), "XXX"),
        ] {
            check(amount, currency, None);
        }
        assert!(money(&json!({"amount": "-1", "currency": "USD"}), false).is_err());
        for value in [
            json!("1 USD"),
            json!({"amount": "1"}),
            json!({"amount": "1", "currency": "USD", "x": 1}),
        ] {
            assert!(money(&value, true).is_err(), "{value}");
        }
    }

    #[test]
    fn a_rate_has_a_day_and_a_source() {
        let quoted = |rate: &str, on: &str, source: &str| {
            (QUOTED.check)(&json!({"rate": rate, "on_date": on, "source": source}))
        };
        let good = quoted("0.9217", "2026-03-02", "European Central Bank").unwrap();
        assert_eq!(
            (good.rate.to_string().as_str(), good.on.to_string().as_str()),
            ("0.9217", "2026-03-02")
        );
        for (rate, on, source) in [
            ("0", "2026-03-02", "x"),
            ("-1", "2026-03-02", "x"),
            ("1", "2026-02-30", "x"),
            ("1", "2026-03", "x"),
            ("1", "2026-03-02", " "),
        ] {
            assert!(quoted(rate, on, source).is_err(), "{rate} {on} {source}");
        }
    }

    #[test]
    fn months_are_months() {
        assert_eq!((MONTH.check)(&json!("2026-12")).unwrap().to_string(), "2026-12-01");
        for text in ["2026-13", "2026-1", "2026", "2026-00", "0000-01", "2026-01-01", "1969-12"] {
            assert!((MONTH.check)(&json!(text)).is_err(), "{text}");
        }
    }
}
