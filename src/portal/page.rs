//! Pages as replies, and the one map from what went wrong to a status and a plain page.

use askama::Template;
use hyper::StatusCode;
use hyper::header::{self, HeaderValue};

use super::assets;
use crate::domain::rights::{Right, Rights};
use crate::http::budget::Spent;
use crate::http::{self, BodyFault, Reply};
use crate::random::NoRandomness;
use crate::store::{self, Cause};

/// What all pages have around them.
#[derive(Debug)]
pub struct Frame {
    /// Of the document.
    pub title: String,
    /// Who is signed in, for the bar on top; nobody on the pages before that.
    pub who: Option<String>,
    /// Whether the operator looks into somebody's room.
    pub visiting: bool,
    /// What else the bar has.
    pub bar: Bar,
}

/// The ways that the bar on top of every page offers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bar {
    /// Of who is signed in.
    pub rights: Rights,
    /// Whether he is a user, and so has an account.
    pub is_user: bool,
}

impl Bar {
    /// Whether he manages people and keys.
    pub fn people(&self) -> bool {
        self.rights.has(Right::People)
    }
}

impl Frame {
    /// Of a page for somebody.
    pub fn of(title: &str, who: &str, visiting: bool) -> Self {
        Frame { title: title.to_owned(), who: Some(who.to_owned()), visiting, bar: Bar::default() }
    }

    /// Of a page for anybody.
    pub fn bare(title: &str) -> Self {
        Frame { title: title.to_owned(), who: None, visiting: false, bar: Bar::default() }
    }

    /// With these ways.
    pub fn with(self, bar: Bar) -> Self {
        Frame { bar, ..self }
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
    /// What was asked for cannot be read; why, in a sentence.
    Unreadable(String),
    /// Another site made the browser send it.
    Foreign,
    /// It needs a right that he lacks.
    Lacking(Right),
    /// A link for one person that was used, is too old, or never was.
    Stale,
    /// Somebody else has the e-mail of a link.
    Taken,
    /// Too many passwords are being checked.
    Busy,
    /// No random bytes could be had.
    NoRandomness,
    /// A method that nothing here has.
    Method,
    /// The head of the request is too large.
    TooLarge(StatusCode),
    /// Too many requests came from there.
    TooMany(Spent),
    /// The page took too long, and nobody knows how far it came.
    TooLate,
    /// The body could not be read.
    Body(BodyFault),
    /// The books could not be asked.
    Store(store::Error),
    /// The page could not be written; a fault of ours.
    Template(askama::Error),
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        match &error.cause {
            Cause::Constraint(name) if name == "users_email" => Refusal::Taken,
            _ => Refusal::Store(error),
        }
    }
}

impl From<NoRandomness> for Refusal {
    fn from(_: NoRandomness) -> Self {
        Refusal::NoRandomness
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
        let seconds = self.seconds();
        let (status, text) = match self {
            Refusal::Unreadable(text) => {
                return refused(StatusCode::UNPROCESSABLE_ENTITY, &text, None);
            }
            Refusal::SignedOut => return redirect("/sign-in"),
            Refusal::NotFound => (StatusCode::NOT_FOUND, "There is nothing here for you."),
            Refusal::Foreign => (
                StatusCode::FORBIDDEN,
                "The form was sent from another site, so nothing was changed. Open the page here and try again.",
            ),
            Refusal::Lacking(right) => (
                StatusCode::FORBIDDEN,
                match right {
                    Right::People => {
                        "This is for those who manage people. Ask one of them for the scope “people”."
                    }
                    _ => "You may look here, but not change anything.",
                },
            ),
            Refusal::Stale => (
                StatusCode::NOT_FOUND,
                "This link was used, or is too old. Ask whoever gave it to you for another.",
            ),
            Refusal::Taken => (
                StatusCode::CONFLICT,
                "Somebody signs in with this e-mail already. Ask whoever gave you the link for one to another e-mail.",
            ),
            Refusal::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Many people sign in at the moment. Please try again in a few seconds.",
            ),
            Refusal::NoRandomness => {
                tracing::error!("no random bytes");
                (StatusCode::INTERNAL_SERVER_ERROR, "This could not be done. Nothing was changed.")
            }
            Refusal::Method => (StatusCode::METHOD_NOT_ALLOWED, "This method is not known here."),
            Refusal::TooLarge(status) => (status, "The request is larger than it may be."),
            Refusal::TooMany(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "Too many requests come from your network. Please try again in a few seconds.",
            ),
            Refusal::TooLate => (
                StatusCode::SERVICE_UNAVAILABLE,
                "This took too long. What you asked for may have been done: look before you try again.",
            ),
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
        refused(status, text, seconds)
    }

    /// After which to try again, where that is known.
    fn seconds(&self) -> Option<u64> {
        match self {
            Refusal::TooMany(spent) => Some(spent.0),
            Refusal::TooLate => Some(5),
            _ => None,
        }
    }
}

fn refused(status: StatusCode, text: &str, seconds: Option<u64>) -> Reply {
    let frame = Frame::bare(status.canonical_reason().unwrap_or("Error"));
    let mut reply = html(status, &RefusalPage { frame, text })
        .unwrap_or_else(|_| http::reply(status, "text/plain; charset=utf-8", text.to_owned()));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        reply.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
    }
    if let Some(seconds) = seconds {
        reply.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    reply
}
