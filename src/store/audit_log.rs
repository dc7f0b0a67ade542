//! The log of who changed what. Changes of rows are written by triggers, in their own transaction; here it is
//! read, and told what is no change of a row.

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::Row;

use super::caller::Caller;
use super::keys::{Actor, Role};
use super::page::{Page, Scope};
use super::{Error, Store};
use crate::domain::id::Id;

const ADD: &str = include_str!("../../sql/audit_log/add.sql");
const SELECT: &str = include_str!("../../sql/audit_log/select.sql");

/// What is no change of a row: somebody signed in or out, or tried to.
#[derive(Debug)]
pub struct Event {
    /// `sign_in`, `sign_in_failed`, `sign_out`, …
    pub action: &'static str,
    /// Who did it, if that is proven.
    pub actor: Option<Actor>,
    /// As whom; nobody is known when an e-mail is nobody's.
    pub of: Option<(Actor, Role)>,
    /// What else is worth knowing; no secret.
    pub facts: Value,
}

/// Adds an event.
pub async fn add(store: &Store, event: &Event) -> Result<(), Error> {
    let actor = event.actor.map_or("nobody".to_owned(), |actor| actor.to_string());
    let (resource, row_id) = match event.of.map(|(actor, _)| actor) {
        Some(Actor::User(id) | Actor::Invitation(id)) => ("users", id.to_string()),
        Some(Actor::Key(id)) => ("api_keys", id.to_string()),
        Some(Actor::FirstKey) => ("settings", "admin-key".to_owned()),
        None => ("users", String::new()),
    };
    let columns = event.of.map(|(_, role)| role.columns());
    let tenant = columns.and_then(|(_, advertiser, _)| advertiser);
    let role = columns.map(|(role, ..)| role).filter(|_| event.actor.is_some());
    let values: super::page::Values<'_> =
        &[&actor, &role, &tenant, &event.action, &resource, &row_id, &event.facts];
    let store = store.on_behalf_of(Caller::doorkeeper());
    store.rows("audit_log.add", ADD, values).await?;
    Ok(())
}

/// What was done, by whom, to what.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Entry {
    pub id: Id,
    pub at: Timestamp,
    /// `user:ID`, `key:ID`, `first-key`, `invitation:ID`, `database:NAME` or `nobody`.
    pub actor: String,
    /// A user's e-mail, for those who may know it.
    pub actor_name: Option<String>,
    pub actor_role: Option<String>,
    pub advertiser_id: Option<Id>,
    pub action: String,
    pub resource: String,
    pub row_id: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// Which entries; absent is any. The time is half-open.
#[derive(Debug, Default, Clone)]
#[allow(missing_docs)]
pub struct Filter {
    pub actor: Option<String>,
    pub resource: Option<String>,
    pub row_id: Option<String>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

/// A page, newest first.
pub async fn select(
    store: &Store,
    scope: Scope,
    page: Page,
    filter: &Filter,
) -> Result<Vec<Entry>, Error> {
    let Filter { actor, resource, row_id, from, to } = filter;
    let values: super::page::Values<'_> =
        &[&scope.advertiser_id, &page.before, &page.limit, actor, resource, row_id, from, to];
    let rows = store.rows("audit_log.select", SELECT, values).await?;
    let entry = |row: &Row| Entry {
        id: row.get("id"),
        at: row.get("at"),
        actor: row.get("actor"),
        actor_name: row.get("actor_name"),
        actor_role: row.get("actor_role"),
        advertiser_id: row.get("advertiser_id"),
        action: row.get("action"),
        resource: row.get("resource"),
        row_id: row.get("row_id"),
        before: row.get("before"),
        after: row.get("after"),
    };
    Ok(rows.iter().map(entry).collect())
}
