//! The link that somebody was given: he chooses a password by it, once. The link is all that he has to show, so
//! what is in it is 256 random bits, good for seven days.

use askama::Template;
use bytes::Bytes;
use hyper::StatusCode;
use serde_json::json;

use super::page::{self, Frame, Refusal};
use super::session::{self, Browser, value};
use super::{Portal, password};
use crate::domain::password as rules;
use crate::domain::person;
use crate::domain::sign;
use crate::http::Reply;
use crate::store::audit_log::{self, Event};
use crate::store::invitations::{self, Open};
use crate::store::keys::Actor;

#[derive(Template)]
#[template(path = "invitation.html", config = "src/portal/askama.toml")]
struct InvitationPage {
    frame: Frame,
    secret: String,
    email: String,
    name: String,
    /// Whether it is for a user who forgot his password.
    is_reset: bool,
    fault: Option<&'static str>,
}

/// The page that asks for a name and a password.
pub async fn form(portal: &Portal, secret: &str) -> Result<Reply, Refusal> {
    let open = find(portal, secret).await?;
    show(&open, secret, String::new(), None)
}

async fn find(portal: &Portal, secret: &str) -> Result<Open, Refusal> {
    let hash = sign::digest(secret.as_bytes());
    let first_key = portal.operator_key_hash.as_ref();
    invitations::find(&portal.store, &hash, first_key).await?.ok_or(Refusal::Stale)
}

fn show(
    open: &Open,
    secret: &str,
    name: String,
    fault: Option<&'static str>,
) -> Result<Reply, Refusal> {
    let is_reset = open.guest.user_id.is_some();
    let title = if is_reset { "Choose a new password" } else { "Welcome" };
    let page = InvitationPage {
        frame: Frame::bare(title),
        secret: secret.to_owned(),
        email: open.guest.email.clone(),
        name,
        is_reset,
        fault,
    };
    let status = if fault.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page::html(status, &page)
}

/// Takes name and password; the browser is known from then on, so that whoever hammers at the e-mail does not
/// lock out its owner.
pub async fn accept(
    portal: &Portal,
    browser: &Browser,
    secret: &str,
    body: &Bytes,
) -> Result<Reply, Refusal> {
    let open = find(portal, secret).await?;
    let (name, wanted) = (value(body, "name").trim().to_owned(), value(body, "password"));
    let is_new = open.guest.user_id.is_none();
    let fault = match rules::fault(&wanted, &open.guest.email) {
        _ if is_new && !person::is_name(&name) => Some("Tell your name."),
        fault => fault,
    };
    if fault.is_some() {
        return show(&open, secret, name, fault);
    }
    let hash = password::hash(wanted).await?;
    let first_key = portal.operator_key_hash.as_ref();
    let accepted = invitations::accept(&portal.store, &open, &name, &hash, first_key).await?;
    let id = accepted.ok_or(Refusal::Stale)?;
    let event = Event {
        action: if is_new { "invitation_accepted" } else { "password_reset" },
        actor: Some(Actor::Invitation(open.id)),
        of: Some((Actor::User(id), open.guest.role)),
        facts: json!({"address": browser.address.to_string()}),
    };
    audit_log::add(&portal.store, &event).await?;
    let mut reply = session::signed_out("/sign-in?after=invitation");
    session::remember(portal, browser, id, &mut reply).await?;
    Ok(reply)
}
