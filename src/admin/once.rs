//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a POST that moves money is done once, however
//! often it is sent. Its answer is kept with what it did; the same again is answered the same, and says so.

use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Request, StatusCode};
use serde::Serialize;

use super::call::{Answered, Call, tagged};
use super::etag;
use super::refusal::Refusal;
use crate::domain::sign;
use crate::http;
use crate::store::Transaction;
use crate::store::idempotency::{self, Answer, Asked, Once};

/// Characters of a key, at most.
const KEY_CHARS_MAX: usize = 255;
/// On an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// What a request says of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    Absent,
    Given(String),
    /// There is one, or several, that cannot be read.
    Unreadable,
}

impl Key {
    /// Of a request.
    pub fn of<B>(request: &Request<B>) -> Self {
        let mut values = request.headers().get_all("idempotency-key").iter();
        match (values.next(), values.next()) {
            (None, _) => Key::Absent,
            (Some(value), None) => match value.to_str().ok().and_then(key) {
                Some(key) => Key::Given(key),
                None => Key::Unreadable,
            },
            _ => Key::Unreadable,
        }
    }
}

/// A key in quotes, as the draft has it, or bare, as many send it; both are the same key.
fn key(text: &str) -> Option<String> {
    let text = text.trim_matches([' ', '\t']);
    let key = match text.strip_prefix('"') {
        Some(rest) => unescaped(rest.strip_suffix('"')?)?,
        None => text.to_owned(),
    };
    let is_visible = key.bytes().all(|b| b.is_ascii_graphic());
    ((1..=KEY_CHARS_MAX).contains(&key.len()) && is_visible).then_some(key)
}

/// What stands between the quotes of a string (RFC 8941, section 3.3.3).
fn unescaped(text: &str) -> Option<String> {
    let (mut plain, mut chars) = (String::new(), text.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.push(chars.next().filter(|c| matches!(c, '\\' | '"'))?),
            '"' => return None,
            c => plain.push(c),
        }
    }
    Some(plain)
}

/// 200 with an object.
pub(super) fn done(value: &impl Serialize) -> Answer {
    let body = serde_json::to_string(value).unwrap_or_default();
    Answer { status: StatusCode::OK.as_u16(), location: None, body }
}

/// 201 with the object, and where it is.
pub(super) fn made(location: String, value: &impl Serialize) -> Answer {
    let status = StatusCode::CREATED.as_u16();
    Answer { status, location: Some(location), ..done(value) }
}

/// Does `work` once, for a key that has to be there.
pub(super) async fn once(
    call: &Call<'_>,
    work: impl AsyncFnOnce(&Transaction<'_>) -> Result<Answer, Refusal>,
) -> Answered {
    if call.key == Key::Absent {
        let detail =
            "This moves money: send an `Idempotency-Key`, and the same one when you send it again.";
        return Err(Refusal::Unreadable(
            StatusCode::BAD_REQUEST,
            "idempotency_key_missing",
            detail,
        ));
    }
    once_if_asked(call, work).await
}

/// Does `work`; once, where a key was sent.
pub(super) async fn once_if_asked(
    call: &Call<'_>,
    work: impl AsyncFnOnce(&Transaction<'_>) -> Result<Answer, Refusal>,
) -> Answered {
    let key = match &call.key {
        Key::Absent => return Ok(reply(idempotency::within(call.store(), work).await?, false)),
        Key::Given(key) => key,
        Key::Unreadable => {
            let detail =
                "An `Idempotency-Key` is 1 to 255 visible ASCII characters, in quotes or bare.";
            let status = StatusCode::BAD_REQUEST;
            return Err(Refusal::Unreadable(status, "idempotency_key_invalid", detail));
        }
    };
    let (caller, fingerprint) = (call.who.actor.to_string(), fingerprint(call));
    let asked = Asked { caller: &caller, key, fingerprint: &fingerprint };
    match idempotency::once(call.store(), asked, work).await? {
        Once::Done(answer) => Ok(reply(answer, false)),
        Once::Again(answer) => Ok(reply(answer, true)),
        Once::InUse => {
            let detail =
                "A call with this `Idempotency-Key` is being worked on; send it again later.";
            Err(Refusal::Conflict("idempotency_key_in_use", detail.to_owned()))
        }
        Once::Reused => {
            let detail = "This `Idempotency-Key` was used for another call; nothing was done.";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Err(Refusal::Unreadable(status, "idempotency_key_reused", detail))
        }
    }
}

/// Of all that was asked for. No part has a line feed before the body.
fn fingerprint(call: &Call<'_>) -> [u8; 32] {
    let head = format!("{}\n{}\n{}\n", call.method, call.path, call.query);
    sign::digest(&[head.as_bytes(), &call.body].concat())
}

/// An answer as it was, or would have been, given first. Its tag is of its body.
fn reply(answer: Answer, is_replayed: bool) -> http::Reply {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let tag = etag::of(answer.body.as_bytes());
    let mut reply = tagged(http::json_text(status, answer.body), &tag);
    let location = answer.location.and_then(|location| HeaderValue::from_str(&location).ok());
    if let Some(location) = location {
        reply.headers_mut().insert(header::LOCATION, location);
    }
    if is_replayed {
        reply.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_quoted_or_bare() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(key(text).as_deref(), expected, "{text:?}");
        };
        check(
            "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"",
            Some("8e03978e-40d5-43dd-bc93-6894a57f9324"),
        );
        check("8e03978e", Some("8e03978e"));
        check("  a ", Some("a"));
        check(r#""a\"b\\c""#, Some(r#"a"b\c"#));
        check(&"x".repeat(255), Some(&"x".repeat(255)));
        for bad in
            ["", "\"\"", "\"", "\"a", "a b", "\"a b\"", "\"a\"b\"", r#""a\b""#, "a\u{7f}", "é"]
        {
            check(bad, None);
        }
        check(&"x".repeat(256), None);
    }

    #[test]
    fn two_keys_are_none() {
        let request = |keys: &[&str]| {
            let with = |builder: hyper::http::request::Builder, key: &&str| {
                builder.header("Idempotency-Key", *key)
            };
            keys.iter().fold(Request::builder(), with).body(()).unwrap()
        };
        assert_eq!(Key::of(&request(&[])), Key::Absent);
        assert_eq!(Key::of(&request(&["a"])), Key::Given("a".to_owned()));
        assert_eq!(Key::of(&request(&["a", "a"])), Key::Unreadable);
        assert_eq!(Key::of(&request(&["a b"])), Key::Unreadable);
    }
}
