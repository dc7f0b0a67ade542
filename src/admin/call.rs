//! One request of somebody known: what the resources need of it, and the replies they have in common.

use std::sync::Mutex;

use bytes::Bytes;
use hyper::header::{self, HeaderValue};
use hyper::{Method, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use super::Admin;
use super::etag::{self, IfMatch};
use super::input::Input;
use super::once::Key;
use super::refusal::Refusal;
use super::rules;
use crate::domain::id::{self, Id};
use crate::http::chunks::Chunks;
use crate::http::{self, Reply};
use crate::store::Store;
use crate::store::keys::{Principal, Role};
use crate::store::page::{Page, Revision, Scope};

/// What a resource answers.
pub(super) type Answered = Result<Reply, Refusal>;

/// A request that was let in.
pub(super) struct Call<'a> {
    pub admin: &'a Admin,
    /// The books, in the name of the one who asks.
    pub store: Store,
    pub role: Role,
    /// Who was let in, with which rights.
    pub who: Principal,
    pub path: String,
    /// `{id}` of the path, as it came.
    pub id: String,
    /// `{version}` of the path, as it came.
    pub version: String,
    pub query: String,
    pub content_type: String,
    pub if_match: IfMatch,
    pub method: Method,
    /// What tells this call from others of his.
    pub key: Key,
    pub body: Bytes,
    /// The body of a request that is read as it comes; once.
    pub upload: Mutex<Option<Chunks>>,
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

    /// The revision that alone may be changed: the one that reads as `If-Match` says. Any, where there is no
    /// such header. Between this look and the change another may come; the statement that changes the row
    /// compares the revision again.
    pub async fn only_at<V: Serialize>(
        &self,
        look: impl AsyncFnOnce() -> Result<(V, Revision), Refusal>,
    ) -> Result<Option<Revision>, Refusal> {
        if self.if_match == IfMatch::Absent {
            return Ok(None);
        }
        let (shown, revision) = look().await?;
        let matches = self.if_match.allows(&tag_of(&shown));
        if matches { Ok(Some(revision)) } else { Err(Refusal::Changed) }
    }

    /// A page of a list, of rows read by [`one_more`].
    pub fn list<T, V: Serialize>(
        &self,
        page: Page,
        rows: &[T],
        id_of: impl Fn(&T) -> Id,
        view: impl Fn(&T) -> V,
    ) -> Reply {
        self.list_by(page.limit, rows, |row| rules::cursor_after(id_of(row)), view)
    }

    /// A page of a list that goes on by another cursor than an id's.
    pub fn list_by<T, V: Serialize>(
        &self,
        limit: i64,
        rows: &[T],
        cursor_after: impl Fn(&T) -> String,
        view: impl Fn(&T) -> V,
    ) -> Reply {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let shown = &rows[..rows.len().min(limit)];
        let last = shown.last().filter(|_| rows.len() > limit);
        let next = last.map(cursor_after);
        let data: Vec<V> = shown.iter().map(view).collect();
        let mut reply = http::json(StatusCode::OK, &json!({"data": data, "next_cursor": next}));
        if let Some(link) = next.and_then(|next| self.link_to(&next)) {
            reply.headers_mut().insert(header::LINK, link);
        }
        reply
    }

    /// The same list from a cursor on (RFC 8288).
    pub fn link_to(&self, cursor: &str) -> Option<HeaderValue> {
        let asked = url::form_urlencoded::parse(self.query.as_bytes());
        let kept = asked.filter(|(name, _)| name != "cursor");
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let query = query.extend_pairs(kept).append_pair("cursor", cursor).finish();
        HeaderValue::from_str(&format!("<{}?{query}>; rel=\"next\"", self.path)).ok()
    }
}

/// Which page of a list is asked for.
pub(super) fn page(query: &mut Input) -> Page {
    let limit = query.optional_or("limit", rules::LIMIT, rules::LIMIT_USUAL);
    Page { id: None, before: query.optional("cursor", rules::CURSOR), limit }
}

/// Of which program and which affiliate a list is to be.
pub(super) fn owners(query: &mut Input) -> (Option<Id>, Option<Id>) {
    (query.optional("program_id", rules::ID), query.optional("affiliate_id", rules::ID))
}

/// A list's question that has pages and no more.
pub(super) fn asked(query: &mut Input) {
    page(query);
}

/// The same, of a program or an affiliate.
pub(super) fn asked_of_owners(query: &mut Input) {
    page(query);
    owners(query);
}

/// The page to read so that one knows whether another follows.
pub(super) fn one_more(page: Page) -> Page {
    Page { limit: page.limit + 1, ..page }
}

/// The only row, or nothing there.
pub(super) fn only<T>(rows: Vec<T>) -> Result<T, Refusal> {
    rows.into_iter().next().ok_or(Refusal::NotFound)
}

fn body_of(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// The tag of an object as `GET` shows it.
pub(super) fn tag_of(value: &impl Serialize) -> String {
    etag::of(&body_of(value))
}

/// A reply with the tag of what it speaks of.
pub(super) fn tagged(mut reply: Reply, tag: &str) -> Reply {
    if let Ok(tag) = HeaderValue::from_str(tag) {
        reply.headers_mut().insert(header::ETAG, tag);
    }
    reply
}

/// Sent though the reader has its tag: more changes in it than the tag tells.
pub(super) fn always_sent(mut reply: Reply) -> Reply {
    reply.extensions_mut().insert(etag::AlwaysSent);
    reply
}

/// 200 with an object, and its `ETag`.
pub(super) fn ok(value: &impl Serialize) -> Reply {
    let body = body_of(value);
    let tag = etag::of(&body);
    tagged(http::json_text(StatusCode::OK, body), &tag)
}

/// 201 with the object, its `ETag`, and where it is.
pub(super) fn created(location: &str, value: &impl Serialize) -> Reply {
    let mut reply = ok(value);
    *reply.status_mut() = StatusCode::CREATED;
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
