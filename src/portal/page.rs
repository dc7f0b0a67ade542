//! Pages as replies, and the one map from what went wrong to a status and a plain page.

use askama::Template;
use hyper::StatusCode;
use hyper::header::{self, HeaderValue};

use super::assets;
use crate::http::{self, BodyFault, Reply};
use crate::store;

/// What all pages have around them.
#[derive(Debug)]
pub struct Frame {
    /// Of the document.
    pub title: String,
    /// Who is signed in, for the bar on top; nobody on the pages before that.
    pub who: Option<String>,
    /// Whether the operator looks into somebody's room.
    pub visiting: bool,
}

impl Frame {
    /// Of a page for somebody.
    pub fn of(title: &str, who: &str, visiting: bool) -> Self {
        Frame { title: title.to_owned(), who: Some(who.to_owned()), visiting }
    }

    /// Of a page for anybody.
    pub fn bare(title: &str) -> Self {
        Frame { title: title.to_owned(), who: None, visiting: false }
    }

    /// Where the style sheet is.
    pub fn css_url(&self) -> &'static str {
        assets::css_url()
    }

    /// Where the script is.
    pub fn js_url(&self) -> &'static str {
        assets::js_url()
    }
}

/// Why there is no page, or another one.
#[derive(Debug)]
pub enum Refusal {
    /// First, somebody has to sign in.
    SignedOut,
    /// Nothing here, or nothing of his.
    NotFound,
    /// Another site made the browser send it.
    Foreign,
    /// A method that nothing here has.
    Method,
    /// The head of the request is too large.
    Status(StatusCode),
    /// The body could not be read.
    Body(BodyFault),
    /// The books could not be asked.
    Store(store::Error),
    /// The page could not be written; a fault of ours.
    Template(askama::Error),
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        Refusal::Store(error)
    }
}

impl From<askama::Error> for Refusal {
    fn from(error: askama::Error) -> Self {
        Refusal::Template(error)
    }
}

#[derive(Template)]
#[template(path = "refusal.html", config = "src/portal/askama.toml")]
struct RefusalPage<'a> {
    frame: Frame,
    text: &'a str,
}

/// A page.
pub fn html(status: StatusCode, page: &impl Template) -> Result<Reply, Refusal> {
    Ok(http::reply(status, "text/html; charset=utf-8", page.render()?))
}

/// On to another page, by `GET`. `path` is one of ours.
pub fn redirect(path: &str) -> Reply {
    let mut reply = http::reply(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "");
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    reply.headers_mut().insert(header::LOCATION, location);
    reply
}

impl Refusal {
    /// The page that says so. A fault is logged here, once.
    pub fn into_page(self) -> Reply {
        let (status, text) = match self {
            Refusal::SignedOut => return redirect("/sign-in"),
            Refusal::NotFound => (StatusCode::NOT_FOUND, "There is nothing here for you."),
            Refusal::Foreign => (
                StatusCode::FORBIDDEN,
                "The form was sent from another site, so nothing was changed. Open the page here and try again.",
            ),
            Refusal::Method => (StatusCode::METHOD_NOT_ALLOWED, "This method is not known here."),
            Refusal::Status(status) => (status, "The request is larger than it may be."),
            Refusal::Body(fault) => {
                (fault.status(), "The form did not arrive whole. Please send it again.")
            }
            Refusal::Store(error) => {
                tracing::error!(%error, "a page could not be read from the books");
                let down = error.is_passing();
                let status = if down {
                    StatusCode::SERVICE_UNAVAILABLE
                } else {
                    StatusCode::INTERNAL_SERVER_ERROR
                };
                (
                    status,
                    "The books cannot be read at the moment. Nothing is lost; please try again soon.",
                )
            }
            Refusal::Template(error) => {
                tracing::error!(%error, "a page could not be written");
                (StatusCode::INTERNAL_SERVER_ERROR, "This page could not be made.")
            }
        };
        let frame = Frame::bare(status.canonical_reason().unwrap_or("Error"));
        let mut reply = html(status, &RefusalPage { frame, text })
            .unwrap_or_else(|_| http::reply(status, "text/plain; charset=utf-8", text));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            reply.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        }
        reply
    }
}
