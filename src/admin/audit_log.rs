//! `audit-log`: who changed what, newest first. The operator sees all of it, an advertiser what was done in his
//! affairs.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::call::{self, Answered, Call, one_more};
use super::input::Input;
use super::rules;
use super::shown::{self, IdText};
use crate::store::audit_log::{self, Filter};
use crate::store::page::Page;

/// What was done, by whom, to what.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditEntry {
    id: IdText,
    at: Timestamp,
    /// `user:ID`, `key:ID`, `first-key`, `invitation:ID`, `database:NAME` or `nobody`.
    #[schema(example = "user:7516192768000000000")]
    actor: String,
    /// A user's e-mail, for those who may know it.
    actor_name: Option<String>,
    /// As what the actor was let in.
    actor_role: Option<String>,
    /// In whose affairs; none in the operator's alone.
    advertiser_id: Option<IdText>,
    /// `create`, `update`, `delete`, `sign_in` and others.
    #[schema(example = "update")]
    action: String,
    /// What kind of thing.
    #[schema(example = "programs")]
    resource: String,
    /// Which one.
    #[schema(example = "7516192768000000001")]
    resource_id: String,
    /// Of an update only what changed; secrets are masked.
    #[schema(schema_with = shown::any_fields)]
    before: Option<Value>,
    /// The same, afterwards.
    #[schema(schema_with = shown::any_fields)]
    after: Option<Value>,
}

/// `GET audit-log`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let (page, filter) = asked(&mut query);
    query.finish()?;
    let rows = audit_log::select(call.store(), call.scope(), one_more(page), &filter).await?;
    Ok(call.list(page, &rows, |row| row.id, view))
}

pub(super) fn asked(query: &mut Input) -> (Page, Filter) {
    let page = call::page(query);
    let filter = Filter {
        actor: query.optional("actor", rules::NAME),
        resource: query.optional("resource", rules::NAME),
        row_id: query.optional("id", rules::NAME),
        from: query.optional("from", rules::MOMENT),
        to: query.optional("to", rules::MOMENT),
    };
    (page, filter)
}

fn view(e: &audit_log::Entry) -> AuditEntry {
    AuditEntry {
        id: IdText(e.id),
        at: e.at,
        actor: e.actor.clone(),
        actor_name: e.actor_name.clone(),
        actor_role: e.actor_role.clone(),
        advertiser_id: e.advertiser_id.map(IdText),
        action: e.action.clone(),
        resource: e.resource.clone(),
        resource_id: e.row_id.clone(),
        before: e.before.clone().map(with_ids_as_text),
        after: e.after.clone().map(with_ids_as_text),
    }
}

/// Ids are texts, here too: beyond 2^53 a number is another one to some readers.
fn with_ids_as_text(mut row: Value) -> Value {
    for (name, value) in row.as_object_mut().into_iter().flatten() {
        if value.is_number() && (name == "id" || name.ends_with("_id")) {
            *value = Value::String(value.to_string());
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_of_a_row_are_texts_and_its_numbers_are_numbers() {
        let row =
            json!({"id": 7530151200189050900_i64, "link_id": null, "plan_id": 7, "hold_days": 30});
        let shown =
            json!({"id": "7530151200189050900", "link_id": null, "plan_id": "7", "hold_days": 30});
        assert_eq!(with_ids_as_text(row), shown);
    }
}
