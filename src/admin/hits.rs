//! `hits`: what came, what became of it, and why. For operators and advertisers; affiliates see none.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{self, Answered, Call, ok, one_more, only};
use super::conversions::Conversion;
use super::explain::{self, Arrived, Read, Why};
use super::input::Input;
use super::rules;
use super::shown::{self, IdText};
use crate::domain::catalog::Catalog;
use crate::domain::hit;
use crate::domain::id::{self, Id};
use crate::domain::reason::text_of;
use crate::store::hits::{self, Filter, Former};
use crate::store::keys::Role;
use crate::store::page::Page;

/// A request of the world, and its fate.
#[derive(Serialize, ToSchema)]
pub(super) struct Hit {
    id: IdText,
    /// `click`, `pixel`, `form`, `postback` or `download`.
    #[schema(example = "pixel")]
    kind: String,
    /// The link's or tracking code's code, as it came.
    code: String,
    received_at: Timestamp,
    /// None when the code is unknown.
    program_id: Option<IdText>,
    affiliate_id: Option<IdText>,
    #[schema(schema_with = shown::outcome)]
    outcome: String,
    /// Code of the outcome's reason.
    reason: Option<String>,
    reasons: Vec<Reason>,
    conversion_id: Option<IdText>,
    /// Of a dead letter: why it could not be settled. Told to the operator; it speaks of the installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<String>,
}

/// Why something became of a hit.
#[derive(Serialize, ToSchema)]
pub(super) struct Reason {
    /// Stable.
    #[schema(example = "no_referral")]
    code: String,
    /// For a person.
    text: String,
}

/// A hit with what came and how it was understood.
#[derive(Serialize, ToSchema)]
pub(super) struct HitExplained {
    #[serde(flatten)]
    hit: Hit,
    /// What it was before it was decided again, oldest first.
    formerly: Vec<Formerly>,
    /// What came; secrets are masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    request: Option<Arrived>,
    /// Its fields as they read today; none of a click.
    reading: Option<Read>,
    /// What it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    conversion: Option<Conversion>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    why: Option<Why>,
}

/// What became of a hit at first.
#[derive(Serialize, ToSchema)]
pub(super) struct Formerly {
    /// When it was decided again.
    until: Timestamp,
    outcome: String,
    reasons: Vec<String>,
}

/// `GET hits`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let (page, filter) = asked(&mut query);
    query.finish()?;
    let rows = hits::select(call.store(), call.scope(), one_more(page), &filter).await?;
    Ok(call.list(page, &rows, |row| row.id, |row| view(call.role, row)))
}

pub(super) fn asked(query: &mut Input) -> (Page, Filter) {
    let page = call::page(query);
    let filter = Filter {
        outcome: query.optional("outcome", rules::OUTCOME),
        code: query.optional("code", rules::CODE),
        from_id: query.optional("from", rules::MOMENT).map(first_id),
        to_id: query.optional("to", rules::MOMENT).map(first_id),
    };
    (page, filter)
}

/// Sorting by id is sorting by time, so a bound in time is a bound of ids.
fn first_id(moment: Timestamp) -> Id {
    id::first_of(moment.as_millisecond())
}

/// `GET hits/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    let (store, scope) = (call.store(), call.scope());
    let found = only(hits::select(store, scope, Page::one(call.id()?), &Filter::default()).await?)?;
    let raw = hits::raw(store, found.id).await?;
    let formerly = hits::formerly(store, found.id).await?.into_iter().map(former).collect();
    let (mut request, mut reading) = (None, None);
    if let Some(hit) = hit::Hit::decode(&raw) {
        let catalog = Catalog::from(hits::reader(store, &found.code).await?);
        request = Some(explain::request(&hit, call.role == Role::Operator));
        reading = explain::reading(&hit, &catalog);
    }
    let (mut conversion, mut why) = (None, None);
    if let Some(id) = found.conversion_id {
        let booked = super::conversions::find(call, id).await?;
        conversion = Some(super::conversions::view(call.role, &booked));
        why = Some(explain::why(&booked));
    }
    let hit = view(call.role, &found);
    Ok(ok(&HitExplained { hit, formerly, request, reading, conversion, why }))
}

fn former(f: Former) -> Formerly {
    Formerly { until: f.until, outcome: f.outcome, reasons: f.reasons }
}

/// Only the operator is told the error of a dead letter. It stays when the hit was settled after all.
fn view(role: Role, h: &hits::Hit) -> Hit {
    let reason = |code: &String| Reason { code: code.clone(), text: text_of(code).to_owned() };
    Hit {
        id: IdText(h.id),
        kind: h.kind.clone(),
        code: h.code.clone(),
        received_at: h.received_at,
        program_id: h.program_id.map(IdText),
        affiliate_id: h.affiliate_id.map(IdText),
        outcome: h.outcome.clone(),
        reason: h.reasons.first().cloned(),
        reasons: h.reasons.iter().map(reason).collect(),
        conversion_id: h.conversion_id.map(IdText),
        error: h.error.clone().filter(|_| role == Role::Operator),
    }
}
