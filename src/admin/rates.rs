//! `rates`: what one euro was in a currency on a day, by the European Central Bank or as the operator set it.
//! The first quote of a currency and day stands for good.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::call::{self, Answered, Call, created, ok, one_more, only};
use super::input::Input;
use super::refusal::Refusal;
use super::rules::{self, Rule};
use super::shown::IdText;
use crate::domain::ecb::FIRST_DAY;
use crate::domain::id::Id;
use crate::domain::money::Currency;
use crate::domain::rates::{PER_EURO, Rate};
use crate::store::page::Page;
use crate::store::rates::{self, Filter, Kept};

/// What one euro was in a currency on a day. It never changes; on days without one the last one before is good,
/// for at most seven days.
#[derive(Serialize, ToSchema)]
pub(super) struct ExchangeRate {
    id: IdText,
    /// ISO 4217, never EUR.
    #[schema(example = "USD")]
    currency: &'static str,
    #[schema(value_type = String, format = Date, example = "2026-01-02")]
    on_date: Date,
    /// How many of the currency one euro was: a decimal number as a text.
    #[schema(value_type = String, example = "1.1721")]
    per_euro: Decimal,
    /// Who quoted it: `ECB`, or as whoever set it wrote.
    #[schema(example = "ECB")]
    source: String,
    created_at: Timestamp,
}

/// `GET rates`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let (page, filter) = asked(&mut query);
    query.finish()?;
    let rows = rates::select(call.store(), one_more(page), &filter).await?;
    Ok(call.list(page, &rows, |row| row.id, view))
}

pub(super) fn asked(query: &mut Input) -> (Page, Filter) {
    let page = call::page(query);
    let filter = Filter {
        currency: query.optional("currency", rules::CURRENCY),
        from: query.optional("from", rules::DAY),
        to: query.optional("to", rules::DAY),
    };
    (page, filter)
}

/// `GET rates/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    Ok(ok(&find(call, call.id()?).await?))
}

/// `POST rates`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let (rate, source) = new(&mut body);
    if rate.is_some_and(|rate| rate.on < FIRST_DAY) {
        body.fault("on_date", "must not be before 1999-01-01: there was no euro");
    } else if let Some(rate) = rate
        && rates::is_early(call.store(), rate.on).await?
    {
        body.fault("on_date", rules::TOO_EARLY);
    }
    body.finish()?;
    let rate = rate.ok_or(Refusal::NotFound)?;
    let detail = "There is a rate of this currency and day, and rates are never changed.";
    let exists = || Refusal::Conflict("rate_exists", detail.to_owned());
    let made = rates::create(call.store(), &rate, &source).await?;
    let id = made.ok_or_else(exists)?;
    Ok(created(&format!("/api/v1/rates/{id}"), &find(call, id).await?))
}

/// The rate, unless there is a fault, and who quoted it.
pub(super) fn new(body: &mut Input) -> (Option<Rate>, String) {
    let currency = body.required("currency", QUOTED);
    let on = body.required("on_date", rules::DAY);
    let per_euro = body.required("per_euro", RATE);
    let source = body.optional_or("source", rules::SOURCE, "set by hand".to_owned());
    let currency = Currency::parse(&currency).filter(|_| !body.is_faulty());
    (currency.map(|currency| Rate { currency, on, per_euro }), source)
}

async fn find(call: &Call<'_>, id: Id) -> Result<ExchangeRate, Refusal> {
    let rows = rates::select(call.store(), Page::one(id), &Filter::default()).await?;
    Ok(view(&only(rows)?))
}

fn view(kept: &Kept) -> ExchangeRate {
    ExchangeRate {
        id: IdText(kept.id),
        currency: kept.rate.currency.code(),
        on_date: kept.rate.on,
        per_euro: kept.rate.per_euro,
        source: kept.source.clone(),
        created_at: kept.created_at,
    }
}

/// A currency that is not the euro.
const QUOTED: Rule<String> = Rule {
    check: |value| {
        let code = (rules::CURRENCY.check)(value)?;
        if code == "EUR" {
            Err("must not be the euro: it is one euro".to_owned())
        } else {
            Ok(code)
        }
    },
    schema: || {
        let mut schema = (rules::CURRENCY.schema)();
        if let Some(codes) = schema["enum"].as_array_mut() {
            codes.retain(|code| code != "EUR");
        }
        schema
    },
};

/// How many of a currency one euro is. Never a JSON number, which may be a float.
const RATE: Rule<Decimal> = Rule {
    check: |value| {
        let rate = value.as_str().filter(|text| is_plain(text));
        let rate = rate.and_then(|text| Decimal::from_str_exact(text).ok());
        let fault = || {
            "must be a decimal number as a text, such as \"1.1721\": at least 0.000001, below 1000000000, at most ten decimals".to_owned()
        };
        rate.filter(|rate| PER_EURO.contains(rate)).ok_or_else(fault)
    },
    schema: || {
        let pattern = "^([1-9][0-9]{0,8}(\\.[0-9]{1,10})?|0\\.([1-9][0-9]{0,9}|0[1-9][0-9]{0,8}|00[1-9][0-9]{0,7}|000[1-9][0-9]{0,6}|0000[1-9][0-9]{0,5}|00000[1-9][0-9]{0,4}))$";
        let what = "How many of the currency one euro is; at most ten decimals.";
        json!({"type": "string", "pattern": pattern, "description": what, "examples": ["1.1721"]})
    },
};

/// Digits, perhaps a point with digits behind it, and no nought more than is needed before it.
fn is_plain(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str, most| {
        (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    digits(whole, 9) && digits(fraction, 10) && (whole == "0" || !whole.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn rates_are_plain_decimals_within_bounds() {
        for text in ["1.1721", "0.000001", "0.33945", "999999999.9999999999", "25563", "10.0"] {
            assert!((RATE.check)(&json!(text)).is_ok(), "{text}");
        }
        for value in [
            json!("0"),
            json!("0.0"),
            json!("0.0000009"),
            json!("1000000000"),
            json!("-1"),
            json!("01"),
            json!(".5"),
            json!("5."),
            json!("1e3"),
            json!("1.12345678901"),
            json!(""),
            json!("1,5"),
            json!(1.1),
            json!(1),
            Value::Null,
        ] {
            assert!((RATE.check)(&value).is_err(), "{value}");
        }
        assert!((QUOTED.check)(&json!("EUR")).is_err() && (QUOTED.check)(&json!("usd")).is_ok());
    }
}
