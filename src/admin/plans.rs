//! `programs/{id}/plans`: the versions of a program's terms. There is no way to change one.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::call::{self, Answered, Call, created, list, ok, one_more, only};
use super::input::Input;
use super::refusal::Refusal;
use super::{programs, rules};
use crate::domain::commission::Terms;
use crate::domain::money::Currency;
use crate::store::page::Page;
use crate::store::plans::{self, Plan};

/// `GET programs/{id}/plans`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let program = programs::find(call, call.id()?).await?;
    let mut query = call.query();
    let page = call::page(&mut query);
    query.finish()?;
    let rows = plans::select(call.store(), call.scope(), program.id, None, one_more(page)).await?;
    Ok(list(page, &rows, |row| row.id, view))
}

/// `GET programs/{id}/plans/{version}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    let version = call.version.parse().map_err(|_| Refusal::NotFound)?;
    Ok(ok(&find(call, version).await?))
}

/// `POST programs/{id}/plans`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let program = programs::find(call, call.id()?).await?;
    let mut body = call.body()?;
    let terms = terms(&mut body, Currency::parse(&program.home));
    body.finish()?;
    let terms = json!(terms);
    let made = plans::create(call.store(), call.scope(), program.id, &terms).await?;
    let version = made.ok_or(Refusal::NotFound)?;
    let location = format!("/api/v1/programs/{}/plans/{version}", program.id);
    Ok(created(&location, &find(call, version).await?))
}

async fn find(call: &Call<'_>, version: i32) -> Result<Value, Refusal> {
    let page = Page { id: None, before: None, limit: 1 };
    let rows = plans::select(call.store(), call.scope(), call.id()?, Some(version), page).await?;
    Ok(view(&only(rows)?))
}

/// The fields of the terms beside the version's own.
pub(super) fn view(plan: &Plan) -> Value {
    let mut value = plan.terms.clone();
    value["id"] = json!(call::text(plan.id));
    value["program_id"] = json!(call::text(plan.program_id));
    value["version"] = json!(plan.version);
    value["created_at"] = json!(plan.created_at);
    value
}

/// Reads terms for an advertiser of a currency; where it is not known, all faults but the number of
/// decimals are told. Nothing when there is a fault.
pub(super) fn terms(input: &mut Input, home: Option<Currency>) -> Option<Terms> {
    let kind = input.required("kind", kind);
    let terms = match kind.as_str() {
        "percent" => Terms::Percent { rate: input.required("rate", decimal) },
        "flat" => Terms::Flat { amount: input.required("amount", decimal) },
        _ => return None,
    };
    if input.is_faulty() {
        return None;
    }
    // Of all currencies, CLF has the most decimals.
    match terms.fault(home.or(Currency::parse("CLF"))?) {
        Some((field, detail)) => {
            input.fault(field, detail);
            None
        }
        None => Some(terms),
    }
}

fn kind(value: &Value) -> Result<String, String> {
    rules::one_of(value, &["percent", "flat"])
}

/// A decimal as text: digits, at most one point, perhaps a minus. Never a JSON number, which may be a float.
fn decimal(value: &Value) -> Result<Decimal, String> {
    let plain = |text: &&str| {
        text.len() <= 28 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-')
    };
    let decimal = value.as_str().filter(plain).and_then(|t| Decimal::from_str_exact(t).ok());
    decimal.ok_or_else(|| "must be a decimal number as a text, such as \"7.5\"".to_owned())
}
