//! Forms that move money carry a key, made when their page was. However often a form is sent, by a double click or
//! a reload, it does what it does once, and leads to the same page.

use hyper::StatusCode;

use super::page::{self, Refusal};
use super::people::Said;
use super::session::{Visitor, value};
use crate::domain::sign;
use crate::http::Reply;
use crate::random::{self, NoRandomness};
use crate::store::Transaction;
use crate::store::idempotency::{self, Answer, Asked, Once};

/// Characters of a key, at most.
const KEY_CHARS_MAX: usize = 100;

/// Where a field is missing that the page's form has.
pub const NOT_WHOLE: &str = "The form did not come whole. Please send it from this page.";

/// Why a form did nothing.
#[derive(Debug)]
pub enum Stop {
    /// To be told on the page that the form is on.
    Told(String),
    /// There is no such page, or no page at all.
    Refusal(Refusal),
}

impl<E: Into<Refusal>> From<E> for Stop {
    fn from(error: E) -> Self {
        Stop::Refusal(error.into())
    }
}

/// Told, for those who have a sentence.
pub fn told<T>(text: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Told(text.into()))
}

/// The key of a page's forms; each adds its own name to it.
pub fn key() -> Result<String, NoRandomness> {
    random::secret()
}

/// Does `work` once for a form that was sent to `path`; it returns where to go on.
pub async fn once(
    visitor: &Visitor,
    path: &str,
    body: &[u8],
    work: impl AsyncFnOnce(&Transaction<'_>) -> Result<String, Stop>,
) -> Result<Reply, Stop> {
    let key = value(body, "once");
    let is_key =
        (20..=KEY_CHARS_MAX).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
    if !is_key {
        return told(NOT_WHOLE);
    }
    let fingerprint = sign::digest(&[path.as_bytes(), b"\n", body].concat());
    let caller = visitor.who.actor.to_string();
    let asked = Asked { caller: &caller, key: &key, fingerprint: &fingerprint };
    let answer = async |tx: &Transaction<'_>| {
        let location = Some(work(tx).await?);
        let status = StatusCode::SEE_OTHER.as_u16();
        Ok::<_, Stop>(Answer { status, location, body: String::new() })
    };
    match idempotency::once(&visitor.store, asked, answer).await? {
        Once::Done(answer) | Once::Again(answer) => {
            Ok(page::redirect(answer.location.as_deref().unwrap_or("/")))
        }
        Once::InUse => told("This form is being worked on. Look again in a moment."),
        Once::Reused => told(
            "This form was sent before, filled in otherwise. Nothing was done now: look, then send it again.",
        ),
    }
}

/// What the page tells of what was just done, by the code in its address.
pub fn done(query: &str) -> Option<Said> {
    let number = |name| value(query.as_bytes(), name).parse::<u16>().unwrap_or_default();
    let (yes, no) = (number("n"), number("not"));
    let text = match value(query.as_bytes(), "done").as_str() {
        "approved" => "Approved.".to_owned(),
        "rejected" => "Rejected.".to_owned(),
        "judged" if no > 0 => format!(
            "{yes} of {}: done. The others stood otherwise by now, or a chargeback on them is open.",
            u32::from(yes) + u32::from(no)
        ),
        "judged" => format!("{yes}: done."),
        "refund" => "The refund is booked.".to_owned(),
        "chargeback" => "The chargeback is booked.".to_owned(),
        "paid" => "Marked as paid.".to_owned(),
        "failed" => "Marked as failed. What it held can be in another payout.".to_owned(),
        "cancelled" => "Cancelled. What it held can be in another payout.".to_owned(),
        "run" if yes == 1 => "Done, for 1 payout.".to_owned(),
        "run" => format!("Done, for {yes} payouts."),
        "proposed" => "Proposed. Look through it, then approve.".to_owned(),
        "adjusted" => "The adjustment is booked.".to_owned(),
        _ => return None,
    };
    Some(Said { text, done: true, secret: None })
}

/// The status of a page that tells of this.
pub fn status(said: Option<&Said>) -> StatusCode {
    match said {
        Some(said) if !said.done => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::OK,
    }
}
