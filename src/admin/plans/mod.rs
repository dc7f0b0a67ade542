//! `programs/{id}/plans`: the versions of a program's terms. There is no way to change one.

mod shown;
mod terms;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::call::{self, Answered, Call, created, ok, one_more, only};
use super::programs;
use super::refusal::Refusal;
use super::shown::IdText;
use crate::domain::money::Currency;
use crate::store::page::Page;
use crate::store::plans;

use shown::TermsShown;
pub(super) use terms::terms;

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
