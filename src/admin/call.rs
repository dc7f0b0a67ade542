//! One request of somebody known: what the resources need of it, and the replies they have in common.

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{self, HeaderValue};
use serde_json::{Value, json};

use super::Admin;
use super::input::Input;
use super::refusal::Refusal;
use super::rules;
use crate::domain::id::{self, Id};
use crate::http::{self, Reply};
use crate::store::Store;
use crate::store::keys::Role;
use crate::store::page::{Page, Scope};

/// What a resource answers.
pub(super) type Answered = Result<Reply, Refusal>;

/// A request that was let in.
pub(super) struct Call<'a> {
    pub admin: &'a Admin,
    /// The books, in the name of the one who asks.
    pub store: Store,
    pub role: Role,
    /// `{id}` of the path, as it came.
    pub id: String,
    /// `{version}` of the path, as it came.
    pub version: String,
    pub query: String,
    pub content_type: String,
    pub body: Bytes,
}

impl Call<'_> {
    /// The books, in the name of the one who asks.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Whose rows may be seen.
    pub fn scope(&self) -> Scope {
        self.store.scope(self.role)
    }

    /// The id in the path; what is not an id names nothing.
    pub fn id(&self) -> Result<Id, Refusal> {
        id::parse(&self.id).ok_or(Refusal::NotFound)
    }

    /// The fields of the body.
    pub fn body(&self) -> Result<Input, Refusal> {
        let mime = self.content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        if !matches!(mime.as_str(), "" | "application/json") {
            let detail = "The body must be application/json.";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Refusal::Unreadable(status, "unsupported_media_type", detail));
        }
        let value: Result<Value, _> = serde_json::from_slice(&self.body);
        let detail = "The body is not JSON.";
        let unreadable = |_| Refusal::Unreadable(StatusCode::BAD_REQUEST, "invalid_json", detail);
        value.map(Input::body).map_err(unreadable)
    }

    /// The parameters of the query.
    pub fn query(&self) -> Input {
        Input::query(&self.query)
    }

    /// Refuses parameters where there are none.
    pub fn no_query(&self) -> Result<(), Refusal> {
        Ok(self.query().finish()?)
    }
}

/// Which page of a list is asked for.
pub(super) fn page(query: &mut Input) -> Page {
    let limit = query.optional("limit", rules::limit).unwrap_or(rules::LIMIT);
    Page { id: None, before: query.optional("cursor", rules::cursor), limit }
}

/// The page to read so that one knows whether another follows.
pub(super) fn one_more(page: Page) -> Page {
    Page { limit: page.limit + 1, ..page }
}

/// A page of a list, of rows read by [`one_more`].
pub(super) fn list<T>(
    page: Page,
    rows: &[T],
    id_of: impl Fn(&T) -> Id,
    view: impl Fn(&T) -> Value,
) -> Reply {
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let shown = &rows[..rows.len().min(limit)];
    let next = shown.last().filter(|_| rows.len() > limit).map(|row| id_of(row).to_string());
    let data: Vec<Value> = shown.iter().map(view).collect();
    http::json(StatusCode::OK, &json!({"data": data, "next_cursor": next}))
}

/// The only row, or nothing there.
pub(super) fn only<T>(rows: Vec<T>) -> Result<T, Refusal> {
    rows.into_iter().next().ok_or(Refusal::NotFound)
}

/// 200 with an object.
pub(super) fn ok(value: &Value) -> Reply {
    http::json(StatusCode::OK, value)
}

/// 201 with the object and where it is.
pub(super) fn created(location: &str, value: &Value) -> Reply {
    let mut reply = http::json(StatusCode::CREATED, value);
    if let Ok(location) = HeaderValue::from_str(location) {
        reply.headers_mut().insert(header::LOCATION, location);
    }
    reply
}

/// 204.
pub(super) fn no_content() -> Reply {
    let mut reply = Reply::default();
    *reply.status_mut() = StatusCode::NO_CONTENT;
    reply
}

/// An id as JSON carries it.
pub(super) fn text(id: Id) -> String {
    id.to_string()
}

/// An id that may be absent.
pub(super) fn opt(id: Option<Id>) -> Option<String> {
    id.map(text)
}
