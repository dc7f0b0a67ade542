//! `programs/{id}/plans`: the versions of a program's terms. There is no way to change one.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::call::{self, Answered, Call, created, ok, one_more, only};
use super::input::Input;
use super::refusal::Refusal;
use super::rules::Rule;
use super::shown::IdText;
use super::{programs, rules};
use crate::domain::commission::Terms;
use crate::domain::money::Currency;
use crate::store::page::Page;
use crate::store::plans;

/// One version of a program's terms, in force from when it was made until the next.
#[derive(Serialize, ToSchema)]
pub(super) struct Plan {
    id: IdText,
    program_id: IdText,
    /// 1, 2, …
    version: i32,
    created_at: Timestamp,
    #[serde(flatten)]
    #[schema(value_type = TermsShown)]
    terms: Value,
}

/// What a sale earns.
#[derive(ToSchema)]
#[allow(dead_code)] // The database's JSON is shown as it is; this is its shape.
pub(super) struct TermsShown {
    #[schema(inline, schema_with = kinds)]
    kind: String,
    /// Of `percent`: percent of the sale's amount, in the sale's currency.
    #[schema(nullable = false, example = "10")]
    rate: Option<String>,
    /// Of `flat`: the same for each sale or lead, in the advertiser's currency.
    #[schema(nullable = false, example = "5.00")]
    amount: Option<String>,
}

/// `GET programs/{id}/plans`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let program = programs::find(call, call.id()?).await?;
    let mut query = call.query();
    let page = call::page(&mut query);
    query.finish()?;
    let rows = plans::select(call.store(), call.scope(), program.id, None, one_more(page)).await?;
    Ok(call.list(page, &rows, |row| row.id, view))
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

async fn find(call: &Call<'_>, version: i32) -> Result<Plan, Refusal> {
    let page = Page { id: None, before: None, limit: 1 };
    let rows = plans::select(call.store(), call.scope(), call.id()?, Some(version), page).await?;
    Ok(view(&only(rows)?))
}

/// The fields of the terms beside the version's own.
pub(super) fn view(plan: &plans::Plan) -> Plan {
    Plan {
        id: IdText(plan.id),
        program_id: IdText(plan.program_id),
        version: plan.version,
        created_at: plan.created_at,
        terms: plan.terms.clone(),
    }
}

/// The kinds of terms.
pub(super) const KINDS: [&str; 2] = ["percent", "flat"];

const KIND: Rule<String> = rules::words!(&KINDS);

fn kinds() -> utoipa::openapi::schema::Object {
    super::shown::words(KIND)
}

/// Reads terms for an advertiser of a currency; where it is not known, all faults but the number of
/// decimals are told. Nothing when there is a fault.
pub(super) fn terms(input: &mut Input, home: Option<Currency>) -> Option<Terms> {
    let kind = input.required("kind", KIND);
    let terms = match kind.as_str() {
        "percent" => Terms::Percent { rate: input.required("rate", RATE) },
        "flat" => Terms::Flat { amount: input.required("amount", AMOUNT) },
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

/// Percent; how large and how fine, the terms tell.
const RATE: Rule<Decimal> = Rule {
    check: decimal,
    schema: || {
        let pattern = "^(100(\\.0{1,4})?|[0-9]{1,2}(\\.[0-9]{1,4})?)$";
        let what = "Percent of the sale's amount: 0 to 100, at most four decimals.";
        json!({"type": "string", "pattern": pattern, "description": what, "examples": ["10", "7.5"]})
    },
};

/// Money of the advertiser's currency; how large and how fine, the terms tell.
const AMOUNT: Rule<Decimal> = Rule {
    check: decimal,
    schema: || {
        let pattern = "^[0-9]{1,12}(\\.[0-9]{1,4})?$";
        let what = "For each sale or lead; at most the decimals of the advertiser's currency.";
        json!({"type": "string", "pattern": pattern, "description": what, "examples": ["5.00"]})
    },
};

/// A decimal as text: digits, at most one point, perhaps a minus. Never a JSON number, which may be a float.
fn decimal(value: &Value) -> Result<Decimal, String> {
    let plain = |text: &&str| {
        text.len() <= 28 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-')
    };
    let decimal = value.as_str().filter(plain).and_then(|t| Decimal::from_str_exact(t).ok());
    decimal.ok_or_else(|| "must be a decimal number as a text, such as \"7.5\"".to_owned())
}
