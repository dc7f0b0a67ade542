//! One's own account: the password, the second step with its recovery codes, and where one is signed in. Each
//! change asks for the password again, for a browser may be left open.

use askama::Template;
use bytes::Bytes;
use hyper::StatusCode;
use jiff::tz::TimeZone;

use super::page::{self, Frame, Refusal};
use super::session::{self, Visitor, value};
use super::show::{self, Moment};
use super::{Portal, password, sign_in};
use crate::domain::id::Id;
use crate::domain::password as rules;
use crate::domain::totp;
use crate::http::Reply;
use crate::random;
use crate::store::{second_step, sessions, sign_ins, users};

const RECOVERY_CODES: usize = 10;
/// Attempts at one's own password that may fail before the next one has to wait.
const FREE: i32 = 5;

#[derive(Template)]
#[template(path = "account.html", config = "src/portal/askama.toml")]
struct AccountPage {
    frame: Frame,
    email: String,
    /// What was done or refused, and whether it was done.
    said: Option<(&'static str, bool)>,
    two_steps: bool,
    codes_left: i64,
    places: Vec<PlaceLine>,
}

struct PlaceLine {
    agent: String,
    since: Moment,
    seen: Moment,
    own: bool,
}

#[derive(Template)]
#[template(path = "account_totp.html", config = "src/portal/askama.toml")]
struct TotpPage {
    frame: Frame,
    email: String,
    fault: Option<&'static str>,
    secret: String,
    base32: String,
    uri: String,
}

#[derive(Template)]
#[template(path = "account_codes.html", config = "src/portal/askama.toml")]
struct CodesPage {
    frame: Frame,
    codes: Vec<String>,
}

/// The account of somebody who has one; a key has none.
fn own(visitor: &Visitor) -> Result<(Id, &str), Refusal> {
    let id = session::user_id(&visitor.who).ok_or(Refusal::NotFound)?;
    let email = visitor.user.as_ref().map_or("", |(email, _)| email);
    Ok((id, email))
}

fn frame(visitor: &Visitor, title: &str) -> Frame {
    Frame::of(title, visitor.name(), false).with(visitor.bar())
}

/// The page, with what was just done or refused.
pub async fn page(visitor: &Visitor, said: Option<(&'static str, bool)>) -> Result<Reply, Refusal> {
    let (id, email) = own(visitor)?;
    let second = second_step::of(&visitor.store, id).await?.ok_or(Refusal::NotFound)?;
    let places = sessions::of_user(&visitor.store, id, &visitor.session).await?;
    let place = |place: sessions::Place| PlaceLine {
        agent: if place.agent.is_empty() { "a browser without a name".into() } else { place.agent },
        since: show::moment(place.created_at, &TimeZone::UTC),
        seen: show::moment(place.seen_at, &TimeZone::UTC),
        own: place.own,
    };
    let page = AccountPage {
        frame: frame(visitor, "Account"),
        email: email.to_owned(),
        said,
        two_steps: second.secret.is_some(),
        codes_left: second_step::recovery_codes_left(&visitor.store, id).await?,
        places: places.into_iter().map(place).collect(),
    };
    let refused = said.is_some_and(|(_, done)| !done);
    page::html(if refused { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &page)
}

/// What is wrong with the password that was given to prove that it is he, if anything is.
async fn unproven(
    visitor: &Visitor,
    id: Id,
    body: &Bytes,
) -> Result<Option<&'static str>, Refusal> {
    // By session: whoever got hold of one makes nobody wait in another.
    let budgets = [(format!("again:{}", hex::encode(visitor.session)), FREE)];
    if sign_ins::reserve(&visitor.store, &budgets).await?.is_some() {
        return Ok(Some("Too many attempts failed. Try again later."));
    }
    let hash = users::password_hash(&visitor.store, id).await?;
    let is_right = password::is_right(value(body, "password"), hash, true).await;
    // Unless it is known to be wrong: an attempt that could not be made has not failed.
    if !matches!(is_right, Ok(false)) {
        sign_ins::give_back(&visitor.store, &budgets).await?;
    }
    Ok((!is_right?).then_some("Your password is wrong. Nothing was changed."))
}

/// Another password; every other browser is signed out.
pub async fn change_password(visitor: &Visitor, body: &Bytes) -> Result<Reply, Refusal> {
    let (id, email) = own(visitor)?;
    let wanted = value(body, "new");
    let fault = match rules::fault(&wanted, email) {
        Some(fault) => Some(fault),
        None => unproven(visitor, id, body).await?,
    };
    if let Some(fault) = fault {
        return page(visitor, Some((fault, false))).await;
    }
    let hash = password::hash(wanted).await?;
    let device = visitor.browser.device();
    let own = (&visitor.session, device.as_ref());
    users::change_password(&visitor.store, id, &hash, own).await?;
    let said = "Your password is changed, and every other browser is signed out.";
    page(visitor, Some((said, true))).await
}

/// The page with a new secret for the authenticator app.
pub fn totp_form(visitor: &Visitor) -> Result<Reply, Refusal> {
    own(visitor)?;
    totp_page(visitor, &random::bytes::<{ totp::SECRET_BYTES }>()?, None)
}

fn totp_page(
    visitor: &Visitor,
    secret: &[u8],
    fault: Option<&'static str>,
) -> Result<Reply, Refusal> {
    let (_, email) = own(visitor)?;
    let page = TotpPage {
        frame: frame(visitor, "Second step"),
        email: email.to_owned(),
        fault,
        secret: hex::encode(secret),
        base32: totp::base32(secret),
        uri: totp::uri(secret, email),
    };
    let status = if fault.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page::html(status, &page)
}

/// Turns the second step on, once a code shows that the app has the secret; the recovery codes are shown once.
pub async fn turn_on(visitor: &Visitor, body: &Bytes) -> Result<Reply, Refusal> {
    let (id, _) = own(visitor)?;
    let secret = hex::decode(value(body, "secret")).unwrap_or_default();
    if secret.len() != totp::SECRET_BYTES {
        return Err(Refusal::NotFound);
    }
    if let Some(fault) = unproven(visitor, id, body).await? {
        return totp_page(visitor, &secret, Some(fault));
    }
    let second = second_step::of(&visitor.store, id).await?.ok_or(Refusal::NotFound)?;
    let step = totp::matches(&secret, &value(body, "code"), second.step, second.used);
    let Some(step) = step else {
        let fault = "The code does not fit. Is the clock of your device right?";
        return totp_page(visitor, &secret, Some(fault));
    };
    let mut codes = Vec::with_capacity(RECOVERY_CODES);
    while codes.len() < RECOVERY_CODES {
        codes.push(recovery_code()?);
    }
    let digests: Vec<_> = codes.iter().map(|code| sign_in::recovery_digest(code)).collect();
    second_step::turn_on(&visitor.store, id, (&secret, step), &digests).await?;
    page::html(StatusCode::OK, &CodesPage { frame: frame(visitor, "Recovery codes"), codes })
}

/// 80 random bits, in groups that can be typed.
fn recovery_code() -> Result<String, Refusal> {
    let text = totp::base32(&random::bytes::<10>()?).to_lowercase();
    Ok([&text[..4], &text[4..8], &text[8..12], &text[12..]].join("-"))
}

/// Turns the second step off.
pub async fn turn_off(visitor: &Visitor, body: &Bytes) -> Result<Reply, Refusal> {
    let (id, _) = own(visitor)?;
    if let Some(fault) = unproven(visitor, id, body).await? {
        return page(visitor, Some((fault, false))).await;
    }
    second_step::turn_off(&visitor.store, id).await?;
    page(visitor, Some(("You sign in in one step from now on.", true))).await
}

/// Ends every session, this one too, and forgets every browser.
pub async fn sign_out_everywhere(portal: &Portal, visitor: &Visitor) -> Result<Reply, Refusal> {
    let (id, _) = own(visitor)?;
    session::note(portal, ("sign_out_everywhere", None), &visitor.who, &visitor.browser).await?;
    users::sign_out_everywhere(&visitor.store, id, None).await?;
    Ok(session::signed_out("/sign-in?after=everywhere"))
}
