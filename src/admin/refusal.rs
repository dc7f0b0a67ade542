//! What stops a request: the one map from errors to statuses.

use hyper::StatusCode;
use hyper::header::{self, HeaderValue};

use crate::domain::rights::Right;
use crate::http::budget::Spent;
use crate::http::{self, FieldError, Reply};
use crate::random::NoRandomness;
use crate::store::page::Revision;
use crate::store::{Cause, Error};

/// Why a request is not done.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It is not there, or not for the one who asks.
    NotFound,
    /// A body names something that is not there, or not for the one who asks: its pointer.
    Missing(&'static str),
    /// The role may not do this.
    Forbidden,
    /// These are too many requests.
    TooMany(Spent),
    /// It no longer is as `If-Match` says.
    Changed,
    /// The request cannot be read: status, code, detail.
    Unreadable(StatusCode, &'static str, &'static str),
    /// It needs a right that he lacks.
    Lacking(Right),
    /// Fields that are wrong.
    Fields(Vec<FieldError>),
    /// The state of the thing forbids it: code and detail.
    Conflict(&'static str, String),
    /// The same, with what stands in the way, one by one.
    Blocked(&'static str, &'static str, Vec<FieldError>),
    /// The database refused.
    Store(Error),
    /// No random bytes could be had.
    NoRandomness,
}

impl From<Spent> for Refusal {
    fn from(spent: Spent) -> Self {
        Refusal::TooMany(spent)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::Store(error)
    }
}

impl From<NoRandomness> for Refusal {
    fn from(_: NoRandomness) -> Self {
        Refusal::NoRandomness
    }
}

impl From<Vec<FieldError>> for Refusal {
    fn from(faults: Vec<FieldError>) -> Self {
        Refusal::Fields(faults)
    }
}

impl Refusal {
    /// Why a row was not changed: it is not there, or no longer at the only revision that was to be changed.
    pub fn not_changed(only_at: Option<Revision>) -> Self {
        if only_at.is_some() { Refusal::Changed } else { Refusal::NotFound }
    }

    /// The reply. Logs what is our own fault, here and nowhere else.
    pub fn reply(self) -> Reply {
        let problem = |status, code, detail| http::problem(status, code, detail, &[]);
        match self {
            Refusal::NotFound => missing(&[]),
            Refusal::Missing(pointer) => missing(&[field(pointer, "names nothing there is")]),
            Refusal::Forbidden => {
                problem(StatusCode::FORBIDDEN, "forbidden", "The key's role does not allow this.")
            }
            Refusal::TooMany(spent) => http::too_many(spent),
            Refusal::Changed => {
                let detail = "It was changed since; get it again, and decide again.";
                problem(StatusCode::PRECONDITION_FAILED, "precondition_failed", detail)
            }
            Refusal::Lacking(right) => {
                let detail = format!("This needs the scope `{}`, which you lack.", right.code());
                problem(StatusCode::FORBIDDEN, "scope_missing", &detail)
            }
            Refusal::Unreadable(status, code, detail) => problem(status, code, detail),
            Refusal::Fields(faults) => {
                let detail = "Some fields are wrong; none was used.";
                http::problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid_fields", detail, &faults)
            }
            Refusal::Conflict(code, detail) => problem(StatusCode::CONFLICT, code, &detail),
            Refusal::Blocked(code, detail, errors) => {
                http::problem(StatusCode::CONFLICT, code, detail, &errors)
            }
            Refusal::Store(error) => from_store(&error),
            Refusal::NoRandomness => internal("no random bytes"),
        }
    }
}

fn from_store(error: &Error) -> Reply {
    match &error.cause {
        Cause::Race | Cause::Retry => {
            tracing::warn!(%error, "the database is not available");
            unavailable()
        }
        Cause::Constraint(name) => match name.as_str() {
            "links_code_key" | "tracking_codes_code_key" | "coupons_program_code" => http::problem(
                StatusCode::CONFLICT,
                "already_exists",
                "There is one already.",
                &[field("/code", "is taken")],
            ),
            "users_email" => http::problem(
                StatusCode::CONFLICT,
                "already_exists",
                "There is one already.",
                &[field("/email", "is taken")],
            ),
            "affiliates_recruiter_cycle" => {
                let detail =
                    "He would be above himself: who is recruited by him cannot have recruited him.";
                let fields = [field("/recruited_by", "is recruited by him")];
                http::problem(StatusCode::CONFLICT, "recruiter_cycle", detail, &fields)
            }
            "affiliates_recruited_by_fkey" => Refusal::Missing("/recruited_by").reply(),
            name if name.ends_with("_advertiser_id_fkey") => {
                Refusal::Missing("/advertiser_id").reply()
            }
            name if name.ends_with("_affiliate_id_fkey") => {
                Refusal::Missing("/affiliate_id").reply()
            }
            _ => internal(&error.to_string()),
        },
        Cause::Fault => internal(&error.to_string()),
    }
}

fn field(pointer: &str, detail: &str) -> FieldError {
    FieldError { pointer: pointer.to_owned(), detail: detail.to_owned() }
}

fn missing(errors: &[FieldError]) -> Reply {
    http::problem(StatusCode::NOT_FOUND, "not_found", "There is no such thing for you.", errors)
}

fn unavailable() -> Reply {
    let detail = "The database is not available; try again.";
    let mut reply = http::problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail, &[]);
    reply.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    reply
}

fn internal(error: &str) -> Reply {
    tracing::error!(error, "a request failed");
    let detail = "This is our fault; it was logged.";
    http::problem(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail, &[])
}
