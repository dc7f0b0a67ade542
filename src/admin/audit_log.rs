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
        before: e.before.clone(),
        after: e.after.clone(),
    }
}
