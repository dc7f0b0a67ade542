//! `hits`: what came, what became of it, and why. For operators and advertisers; affiliates see none.

use serde_json::{Value, json};

use super::call::{self, Answered, Call, list, ok, one_more, only};
use super::explain;
use super::rules;
use crate::domain::catalog::Catalog;
use crate::domain::hit;
use crate::domain::id::{self, Id};
use crate::domain::reason::text_of;
use crate::store::hits::{self, Filter, Hit};
use crate::store::keys::Role;
use crate::store::page::Page;

/// `GET hits`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let page = call::page(&mut query);
    let filter = Filter {
        outcome: query.optional("outcome", rules::outcome),
        code: query.optional("code", rules::code),
        from_id: query.optional("from", rules::moment).map(first_id),
        to_id: query.optional("to", rules::moment).map(first_id),
    };
    query.finish()?;
    let rows = hits::select(call.store(), call.scope(), one_more(page), &filter).await?;
    Ok(list(page, &rows, |row| row.id, |row| view(call.role, row)))
}

/// Sorting by id is sorting by time, so a bound in time is a bound of ids.
fn first_id(moment: jiff::Timestamp) -> Id {
    id::first_of(moment.as_millisecond())
}

/// `GET hits/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    let (store, scope) = (call.store(), call.scope());
    let found = only(hits::select(store, scope, Page::one(call.id()?), &Filter::default()).await?)?;
    let raw = hits::raw(store, found.id).await?;
    let mut value = view(call.role, &found);
    let formerly = hits::formerly(store, found.id).await?;
    value["formerly"] = formerly
        .iter()
        .map(|f| json!({"until": f.until, "outcome": f.outcome, "reasons": f.reasons}))
        .collect();
    if let Some(hit) = hit::Hit::decode(&raw) {
        let catalog = Catalog::from(hits::reader(store, &found.code).await?);
        value["request"] = explain::request(&hit, call.role == Role::Operator);
        value["reading"] = explain::reading(&hit, &catalog);
    }
    if let Some(id) = found.conversion_id {
        let conversion = super::conversions::find(call, id).await?;
        value["conversion"] = super::conversions::view(call.role, &conversion);
        value["why"] = explain::why(&conversion);
    }
    Ok(ok(&value))
}

/// Only the operator is told the error of a dead letter: it speaks of the installation. It stays when the hit
/// was settled after all.
fn view(role: Role, h: &Hit) -> Value {
    let reason = |code: &String| json!({"code": code, "text": text_of(code)});
    let mut value = json!({
        "id": call::text(h.id),
        "kind": h.kind,
        "code": h.code,
        "received_at": h.received_at,
        "program_id": call::opt(h.program_id),
        "affiliate_id": call::opt(h.affiliate_id),
        "outcome": h.outcome,
        "reason": h.reasons.first(),
        "reasons": h.reasons.iter().map(reason).collect::<Vec<_>>(),
        "conversion_id": call::opt(h.conversion_id),
    });
    if let Some(error) = h.error.as_ref().filter(|_| role == Role::Operator) {
        value["error"] = json!(error);
    }
    value
}
