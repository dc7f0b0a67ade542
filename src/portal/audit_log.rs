//! The page of the audit log: who changed what, newest first. The operator sees all of it, an advertiser what
//! was done in his affairs.

use askama::Template;
use hyper::StatusCode;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::page::{self, Frame, Refusal};
use super::session::{Visitor, value};
use super::show::{self, Moment};
use super::typed;
use crate::domain::id::Id;
use crate::http::Reply;
use crate::store::audit_log::{self, Entry, Filter};
use crate::store::page::Page;

const PAGE_ROWS: usize = 50;
/// Characters of a value, and of a filter.
const VALUE_CHARS_MAX: usize = 120;

#[derive(Template)]
#[template(path = "audit_log.html", config = "src/portal/askama.toml")]
struct AuditPage {
    frame: Frame,
    filter: Filter,
    entries: Vec<Line>,
    older: Option<String>,
}

struct Line {
    at: Moment,
    actor: String,
    action: String,
    resource: String,
    row_id: String,
    /// Field, before, after.
    changes: Vec<(String, String, String)>,
}

/// The page.
pub async fn page(visitor: &Visitor, query: &str) -> Result<Reply, Refusal> {
    let field = |name| {
        let text: String = value(query.as_bytes(), name).trim().replace('\0', "");
        Some(show::short(&text, VALUE_CHARS_MAX)).filter(|text| !text.is_empty())
    };
    let filter = Filter {
        actor: field("actor"),
        resource: field("resource"),
        row_id: field("id"),
        ..Filter::default()
    };
    let before = typed::before(query)?;
    let page = Page { id: None, before, limit: PAGE_ROWS as i64 + 1 };
    let mut rows = audit_log::select(&visitor.store, visitor.scope(), page, &filter).await?;
    let more = rows.len() > PAGE_ROWS;
    rows.truncate(PAGE_ROWS);
    let page = AuditPage {
        frame: Frame::of("Audit log", visitor.name(), false).with(visitor.bar()),
        older: rows.last().filter(|_| more).map(|row| way(&filter, row.id)),
        entries: rows.iter().map(line).collect(),
        filter,
    };
    page::html(StatusCode::OK, &page)
}

/// The query of the page that follows.
fn way(filter: &Filter, before: Id) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let Filter { actor, resource, row_id, .. } = filter;
    for (name, value) in [("actor", actor), ("resource", resource), ("id", row_id)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    query.append_pair("before", &before.to_string());
    query.finish()
}

fn line(entry: &Entry) -> Line {
    Line {
        at: show::second(entry.at, &TimeZone::UTC),
        actor: entry.actor_name.clone().unwrap_or_else(|| entry.actor.clone()),
        action: entry.action.replace('_', " "),
        resource: entry.resource.clone(),
        row_id: entry.row_id.clone(),
        changes: changes(entry.before.as_ref(), entry.after.as_ref()),
    }
}

/// Fields that were or are something, with what they were and are.
fn changes(before: Option<&Value>, after: Option<&Value>) -> Vec<(String, String, String)> {
    let none = Map::new();
    let fields = |value: Option<&Value>| value.and_then(Value::as_object).cloned();
    let (before, after) = (fields(before), fields(after));
    let (before, after) = (before.as_ref().unwrap_or(&none), after.as_ref().unwrap_or(&none));
    let own = after.keys().chain(before.keys().filter(|name| !after.contains_key(*name)));
    let told = own.map(|name| (name.clone(), told(before.get(name)), told(after.get(name))));
    told.filter(|(name, was, is)| !(was.is_empty() && is.is_empty() || name == "id")).collect()
}

fn told(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    show::short(&text, VALUE_CHARS_MAX)
}
