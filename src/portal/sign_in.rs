//! Signing in: by e-mail and password, with a code of the authenticator app where the user has one; or by a
//! key. An error says the same whatever was wrong. Failed attempts are counted by e-mail and by address; a
//! browser that somebody signed in with before is counted by itself, so that nobody locks its owner out.

use askama::Template;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{self, HeaderValue};
use serde_json::json;
use subtle::ConstantTimeEq;

use super::page::{self, Frame, Refusal};
use super::session::{self, Browser, value};
use super::{Portal, home, password};
use crate::domain::id::Id;
use crate::domain::{api_key, person, sign};
use crate::http::Reply;
use crate::http::forwarded::neighbourhood;
use crate::store::audit_log::{self, Event};
use crate::store::keys::{self, Actor, Principal, Role};
use crate::store::second_step;
use crate::store::sessions::Means;
use crate::store::sign_ins::{self, Budget};
use crate::store::users::{self, Claimed};

/// Attempts that may fail before the next one has to wait.
const FREE: i32 = 5;
/// Of one address, for several people may have it.
const FREE_OF_ADDRESS: i32 = 20;

#[derive(Template)]
#[template(path = "sign_in.html", config = "src/portal/askama.toml")]
struct SignInPage {
    frame: Frame,
    email: String,
    notice: &'static str,
    fault: Option<String>,
    key_fault: bool,
}

#[derive(Template)]
#[template(path = "sign_in_code.html", config = "src/portal/askama.toml")]
struct CodePage {
    frame: Frame,
    fault: Option<String>,
}

fn sign_in_page() -> SignInPage {
    let frame = Frame::bare("Sign in");
    SignInPage { frame, email: String::new(), notice: "", fault: None, key_fault: false }
}

/// The page with the two forms.
pub fn form(query: &str) -> Result<Reply, Refusal> {
    let notice = match value(query.as_bytes(), "after").as_str() {
        "invitation" => "Your password is set. Sign in with it.",
        "everywhere" => "You are signed out everywhere.",
        _ => "",
    };
    page::html(StatusCode::OK, &SignInPage { notice, ..sign_in_page() })
}

/// Takes the one form or the other.
pub async fn sign_in(portal: &Portal, browser: Browser, body: &Bytes) -> Result<Reply, Refusal> {
    if session::values(body, "email").next().is_some() {
        by_password(portal, browser, body).await
    } else {
        by_key(portal, browser, &value(body, "key")).await
    }
}

async fn by_key(portal: &Portal, browser: Browser, key: &str) -> Result<Reply, Refusal> {
    let Some((who, means)) = owner(portal, key.trim()).await? else {
        // Counted after the fact, so that a good key always opens; and what is beyond is not worth an entry.
        let address = [address_budget(&browser)];
        if sign_ins::reserve(&portal.store, &address).await?.is_none() {
            failed(portal, &browser, "key", None).await?;
        }
        return page::html(
            StatusCode::UNAUTHORIZED,
            &SignInPage { key_fault: true, ..sign_in_page() },
        );
    };
    session::note(portal, ("sign_in", Some("key")), &who, &browser).await?;
    session::begin(portal, &browser, means, home(who.role)).await
}

async fn owner(portal: &Portal, key: &str) -> Result<Option<(Principal, Means)>, Refusal> {
    let hash = sign::digest(key.as_bytes());
    if portal.operator_key_hash.is_some_and(|known| bool::from(known.ct_eq(&hash))) {
        return Ok(Some((Principal::FIRST, Means::OperatorKey(hash))));
    }
    if !api_key::is_plausible(key) {
        return Ok(None);
    }
    let found = keys::find(&portal.store, &hash).await?;
    Ok(found.and_then(|who| match who.actor {
        Actor::Key(id) => Some((who, Means::Key(id))),
        _ => None,
    }))
}

async fn by_password(portal: &Portal, browser: Browser, body: &Bytes) -> Result<Reply, Refusal> {
    let email = typed_email(body);
    let claimed = users::to_sign_in(&portal.store, &email).await?;
    let known = known_device(portal, &browser, claimed.as_ref().map(|user| user.id)).await?;
    let budgets = match &known {
        Some(budget) => vec![budget.clone()],
        // The address first: once it has to wait, what it sends leaves nothing behind.
        None => vec![address_budget(&browser), email_budget(&email, claimed.as_ref())],
    };
    let refused = |status, fault| {
        page::html(
            status,
            &SignInPage { email: email.clone(), fault: Some(fault), ..sign_in_page() },
        )
    };
    if let Some(seconds) = sign_ins::reserve(&portal.store, &budgets).await? {
        return refused(StatusCode::TOO_MANY_REQUESTS, wait(seconds)).map(|r| later(r, seconds));
    }
    let hash = claimed.as_ref().map(|user| user.password_hash.clone());
    let is_right = password::is_right(value(body, "password"), hash, known.is_some()).await;
    match (is_right, claimed) {
        (Err(refusal), _) => {
            sign_ins::give_back(&portal.store, &budgets).await?;
            Err(refusal)
        }
        (Ok(true), Some(user)) => {
            sign_ins::give_back(&portal.store, &budgets).await?;
            if user.two_steps {
                let means = Means::FirstStep(user.id);
                session::begin(portal, &browser, means, "/sign-in/code").await
            } else {
                finish(portal, &browser, user.id, (user.who, "password")).await
            }
        }
        (Ok(_), claimed) => {
            failed(portal, &browser, "password", claimed.as_ref()).await?;
            refused(StatusCode::UNAUTHORIZED, "E-mail or password is wrong.".to_owned())
        }
    }
}

/// The page that asks for the code, for whoever gave his password.
pub async fn code_form(portal: &Portal, browser: &Browser) -> Result<Reply, Refusal> {
    halfway(portal, browser).await?;
    let page = CodePage { frame: Frame::bare("Second step"), fault: None };
    page::html(StatusCode::OK, &page)
}

/// Takes the code; a good one opens another session than the one that waited for it.
pub async fn code(portal: &Portal, browser: Browser, body: &Bytes) -> Result<Reply, Refusal> {
    let (id, who) = halfway(portal, &browser).await?;
    let budget = known_device(portal, &browser, Some(id)).await?;
    let budgets = [budget.unwrap_or_else(|| (format!("code:{id}"), FREE))];
    let refused = |status, fault| {
        page::html(status, &CodePage { frame: Frame::bare("Second step"), fault: Some(fault) })
    };
    if let Some(seconds) = sign_ins::reserve(&portal.store, &budgets).await? {
        return refused(StatusCode::TOO_MANY_REQUESTS, wait(seconds)).map(|r| later(r, seconds));
    }
    let code = value(body, "code");
    let taken = second_step::take(&portal.store, id, &code, &recovery_digest(&code)).await?;
    if let Some(step) = taken {
        sign_ins::give_back(&portal.store, &budgets).await?;
        return finish(portal, &browser, id, (who, step)).await;
    }
    let facts = json!({"step": "code", "address": browser.address.to_string()});
    let of = Some((who.actor, who.role));
    let event = Event { action: "sign_in_failed", actor: None, of, facts };
    audit_log::add(&portal.store, &event).await?;
    refused(StatusCode::UNAUTHORIZED, "The code is wrong, or it was used before.".to_owned())
}

/// The digest of a recovery code, however it was typed.
pub fn recovery_digest(code: &str) -> [u8; 32] {
    let letters = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase());
    sign::digest(letters.collect::<String>().as_bytes())
}

async fn finish(
    portal: &Portal,
    browser: &Browser,
    id: Id,
    (who, step): (Principal, &'static str),
) -> Result<Reply, Refusal> {
    session::note(portal, ("sign_in", Some(step)), &who, browser).await?;
    let mut reply = session::begin(portal, browser, Means::Password(id), home(who.role)).await?;
    session::remember(portal, browser, id, &mut reply).await?;
    Ok(reply)
}

async fn halfway(portal: &Portal, browser: &Browser) -> Result<(Id, Principal), Refusal> {
    let session = session::find(portal, browser).await?.filter(|session| session.waits);
    let who = session.map(|session| session.who).ok_or(Refusal::SignedOut)?;
    session::user_id(&who).map(|id| (id, who)).ok_or(Refusal::SignedOut)
}

/// The budget of a browser that this user signed in with before.
async fn known_device(
    portal: &Portal,
    browser: &Browser,
    user: Option<Id>,
) -> Result<Option<Budget>, Refusal> {
    let (Some(device), Some(id)) = (browser.device(), user) else { return Ok(None) };
    let known = sign_ins::is_known(&portal.store, &device, id).await?;
    Ok(known.then(|| (format!("device:{}:{id}", hex::encode(device)), FREE)))
}

async fn failed(
    portal: &Portal,
    browser: &Browser,
    step: &str,
    claimed: Option<&Claimed>,
) -> Result<(), Refusal> {
    // What nobody has may be a password in the wrong field: it is not kept.
    let email = claimed.map(|user| &user.email);
    let facts = json!({"step": step, "email": email, "address": browser.address.to_string()});
    let of: Option<(Actor, Role)> = claimed.map(|user| (user.who.actor, user.who.role));
    let event = Event { action: "sign_in_failed", actor: None, of, facts };
    Ok(audit_log::add(&portal.store, &event).await?)
}

/// What was typed, without what PostgreSQL cannot hold.
fn typed_email(body: &[u8]) -> String {
    value(body, "email").replace('\0', "").trim().chars().take(person::EMAIL_CHARS_MAX).collect()
}

/// By the user where there is one: however his e-mail is spelled, it is one budget.
fn email_budget(email: &str, claimed: Option<&Claimed>) -> Budget {
    let whose = match claimed {
        Some(user) => user.id.to_string(),
        None => sign::digest_hex(email.to_lowercase().as_bytes()),
    };
    (format!("email:{whose}"), FREE)
}

fn address_budget(browser: &Browser) -> Budget {
    (format!("address:{}", neighbourhood(browser.address)), FREE_OF_ADDRESS)
}

fn wait(seconds: i64) -> String {
    format!("Too many attempts failed. Try again in {}.", super::show::count(seconds, "second"))
}

/// With the time after which to try again.
fn later(mut reply: Reply, seconds: i64) -> Reply {
    reply.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    reply
}
