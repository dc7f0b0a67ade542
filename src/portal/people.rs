//! The page of those who manage people: users, what they may, and links for new ones. An operator manages
//! everybody, an advertiser his own staff; nobody gives what he does not have.

use askama::Template;
use bytes::Bytes;
use hyper::StatusCode;
use jiff::tz::TimeZone;

use super::page::{self, Frame, Refusal};
use super::session::{self, Visitor, value, values};
use super::show::{self, Moment};
use super::{Portal, typed};
use crate::domain::id::{self, Id};
use crate::domain::person;
use crate::domain::rights::{Right, Rights};
use crate::domain::sign;
use crate::http::Reply;
use crate::random;
use crate::store::invitations::{self, Guest, Invitation};
use crate::store::keys::{Principal, Role};
use crate::store::page::Page;
use crate::store::portal::{self as rows, Tenant};
use crate::store::users::{self, Change, User};

const PAGE_ROWS: usize = 50;

#[derive(Template)]
#[template(path = "people.html", config = "src/portal/askama.toml")]
struct PeoplePage {
    frame: Frame,
    said: Option<Said>,
    users: Vec<UserLine>,
    older: Option<Id>,
    invitations: Vec<InvitationLine>,
    owners: Vec<Owner>,
    scopes: Vec<&'static str>,
}

/// What was just done or refused.
#[derive(Debug, Default)]
pub struct Said {
    /// In words.
    pub text: String,
    /// Whether it was done.
    pub done: bool,
    /// A link or a key, shown this once.
    pub secret: Option<String>,
}

impl Said {
    /// That it was refused, and why.
    pub fn refused(text: &str) -> Self {
        Said { text: text.to_owned(), ..Said::default() }
    }
}

/// Whose somebody or something new can be.
pub struct Owner {
    /// As the form sends it.
    pub value: String,
    /// In words.
    pub name: String,
}

struct UserLine {
    id: Id,
    email: String,
    name: String,
    owner: String,
    scopes: Vec<(&'static str, bool)>,
    two_steps: bool,
    disabled: bool,
    /// Whether the one who looks may change him.
    open: bool,
}

struct InvitationLine {
    id: Id,
    email: String,
    owner: String,
    scopes: String,
    is_reset: bool,
    until: Moment,
    /// Whether the one who looks may take it back.
    open: bool,
}

/// The page.
pub async fn page(visitor: &Visitor, query: &str) -> Result<Reply, Refusal> {
    show_page(visitor, typed::before(query)?, None).await
}

async fn show_page(
    visitor: &Visitor,
    before: Option<Id>,
    said: Option<Said>,
) -> Result<Reply, Refusal> {
    let (store, scope) = (&visitor.store, visitor.scope());
    let page = Page { id: None, before, limit: PAGE_ROWS as i64 + 1 };
    let mut users = users::select(store, scope, page).await?;
    let more = users.len() > PAGE_ROWS;
    users.truncate(PAGE_ROWS);
    let tenants = tenants(visitor).await?;
    let all = Page { id: None, before: None, limit: 500 };
    let open = invitations::select(store, scope, all, true).await?;
    let status = match &said {
        Some(said) if !said.done => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::OK,
    };
    let page = PeoplePage {
        frame: Frame::of("People", visitor.name(), false).with(visitor.bar()),
        said,
        older: users.last().filter(|_| more).map(|user| user.id),
        users: users.iter().map(|user| user_line(&visitor.who, &tenants, user)).collect(),
        invitations: open.iter().map(|i| invitation_line(&visitor.who, &tenants, i)).collect(),
        owners: owners(visitor, &tenants),
        scopes: visitor.who.rights.codes(),
    };
    page::html(status, &page)
}

/// Everybody who has a room, for names; an advertiser needs none but his own.
pub async fn tenants(visitor: &Visitor) -> Result<Vec<Tenant>, Refusal> {
    match visitor.who.role {
        Role::Operator => Ok(rows::tenants(&visitor.store).await?),
        _ => Ok(Vec::new()),
    }
}

/// Whose something new can be: an advertiser's only his own.
pub fn owners(visitor: &Visitor, tenants: &[Tenant]) -> Vec<Owner> {
    if visitor.who.role != Role::Operator {
        return Vec::new();
    }
    let own = Owner { value: "operator".to_owned(), name: "The operator".to_owned() };
    let tenant = |tenant: &Tenant| {
        let kind = if tenant.sells { "advertiser" } else { "affiliate" };
        Owner { value: format!("{kind}:{}", tenant.id), name: format!("{} ({kind})", tenant.name) }
    };
    std::iter::once(own).chain(tenants.iter().map(tenant)).collect()
}

/// The role that a form names, if it names one; an advertiser's is his own.
pub fn chosen(visitor: &Visitor, body: &[u8]) -> Result<Option<Role>, Refusal> {
    let text = value(body, "owner");
    let owner = match text.split_once(':') {
        None => (text == "operator").then_some(Role::Operator),
        Some(("advertiser", id)) => id::parse(id).map(Role::Advertiser),
        Some(("affiliate", id)) => id::parse(id).map(Role::Affiliate),
        _ => None,
    };
    match visitor.who.role {
        Role::Operator => Ok(owner),
        own if owner.is_none_or(|owner| owner == own) => Ok(Some(own)),
        _ => Err(Refusal::NotFound),
    }
}

/// The scopes that were ticked; to look is always among them.
pub fn ticked(body: &[u8], role: Role) -> Rights {
    if role.rights() == Rights::READ {
        return Rights::READ;
    }
    let codes: Vec<String> = values(body, "scopes").collect();
    Rights::of(codes.iter().map(String::as_str).chain(["read"]))
}

/// A role in words.
pub fn in_words(role: Role, tenants: &[Tenant]) -> String {
    let named = |id: Id, sells: bool| {
        let tenant = tenants.iter().find(|tenant| tenant.id == id && tenant.sells == sells);
        tenant.map(|tenant| tenant.name.clone())
    };
    match role {
        Role::Operator => "operator".to_owned(),
        Role::Advertiser(id) => named(id, true).unwrap_or_else(|| "advertiser".to_owned()),
        Role::Affiliate(id) => named(id, false).unwrap_or_else(|| "affiliate".to_owned()),
    }
}

fn user_line(who: &Principal, tenants: &[Tenant], user: &User) -> UserLine {
    let own = session::user_id(who) == Some(user.id);
    UserLine {
        id: user.id,
        email: user.email.clone(),
        name: user.name.clone(),
        owner: in_words(user.role, tenants),
        scopes: Right::ALL
            .into_iter()
            .map(|right| (right.code(), user.rights.has(right)))
            .collect(),
        two_steps: user.two_steps,
        disabled: user.disabled_at.is_some(),
        open: !own && who.may_manage(user.role, user.rights),
    }
}

fn invitation_line(who: &Principal, tenants: &[Tenant], invitation: &Invitation) -> InvitationLine {
    InvitationLine {
        id: invitation.id,
        email: invitation.guest.email.clone(),
        owner: in_words(invitation.guest.role, tenants),
        scopes: invitation.guest.rights.codes().join(", "),
        is_reset: invitation.guest.user_id.is_some(),
        until: show::moment(invitation.expires_at, &TimeZone::UTC),
        open: who.may_manage(invitation.guest.role, invitation.guest.rights),
    }
}

/// A link for somebody new.
pub async fn invite(portal: &Portal, visitor: &Visitor, body: &Bytes) -> Result<Reply, Refusal> {
    let email = value(body, "email").trim().to_owned();
    let refused = |text| show_page(visitor, None, Some(Said::refused(text)));
    let Some(role) = chosen(visitor, body)? else {
        return refused("Choose whose it is.").await;
    };
    let rights = ticked(body, role);
    if !person::is_email(&email) {
        return refused("This is not an e-mail address.").await;
    }
    if !visitor.who.may_manage(role, rights) {
        return refused("You cannot give what you do not have.").await;
    }
    // Of another's users he learns nothing: that an e-mail is taken, shows when the link is used.
    if users::has_email(&visitor.store, visitor.scope(), &email).await? {
        return refused("Somebody signs in with this e-mail already.").await;
    }
    let guest = Guest { user_id: None, email, role, rights };
    hand_out(portal, visitor, guest, "Invited").await
}

async fn hand_out(
    portal: &Portal,
    visitor: &Visitor,
    guest: Guest,
    what: &str,
) -> Result<Reply, Refusal> {
    let secret = random::secret()?;
    let hash = sign::digest(secret.as_bytes());
    let first_key = portal.operator_key_hash.as_ref();
    invitations::create(&visitor.store, &visitor.who, &guest, &hash, first_key).await?;
    let text = format!(
        "{what}: {}. Hand this link on, by a way that only the two of you read. It is shown this once, and good once within seven days.",
        guest.email
    );
    let secret = Some(format!("{}/invitation/{secret}", portal.admin_base));
    show_page(visitor, None, Some(Said { text, done: true, secret })).await
}

/// Takes a link back; not one for somebody with more scopes.
pub async fn take_back(visitor: &Visitor, id: Id) -> Result<Reply, Refusal> {
    let scope = visitor.scope();
    let found = invitations::select(&visitor.store, scope, Page::one(id), false).await?;
    let guest = found.into_iter().next().ok_or(Refusal::NotFound)?.guest;
    let may = visitor.who.may_manage(guest.role, guest.rights);
    if !may || !invitations::delete(&visitor.store, id, None).await? {
        return Err(Refusal::NotFound);
    }
    done(visitor, "The link is worth nothing any more.").await
}

async fn done(visitor: &Visitor, text: &str) -> Result<Reply, Refusal> {
    let said = Said { text: text.to_owned(), done: true, secret: None };
    show_page(visitor, None, Some(said)).await
}

/// A user whom the visitor may change: not himself, and nobody with more scopes.
async fn changeable(visitor: &Visitor, id: Id) -> Result<User, Refusal> {
    let found = users::select(&visitor.store, visitor.scope(), Page::one(id)).await?;
    let user = found.into_iter().next().ok_or(Refusal::NotFound)?;
    let own = session::user_id(&visitor.who) == Some(id);
    if own || !visitor.who.may_manage(user.role, user.rights) {
        return Err(Refusal::NotFound);
    }
    Ok(user)
}

/// Gives and takes scopes.
pub async fn set_scopes(visitor: &Visitor, id: Id, body: &Bytes) -> Result<Reply, Refusal> {
    let user = changeable(visitor, id).await?;
    let rights = ticked(body, user.role);
    if !visitor.who.may_manage(user.role, rights) {
        let said = Said::refused("You cannot give what you do not have.");
        return show_page(visitor, None, Some(said)).await;
    }
    let change = Change { rights: Some(rights), ..Change::default() };
    let said = format!("{} now has: {}.", user.email, rights.codes().join(", "));
    make(visitor, &user, change, &said).await
}

/// Shuts somebody out, or lets him in again.
pub async fn disable(visitor: &Visitor, id: Id, disabled: bool) -> Result<Reply, Refusal> {
    let user = changeable(visitor, id).await?;
    let change = Change { disabled: Some(disabled), ..Change::default() };
    let what = if disabled { "is signed out and cannot sign in" } else { "can sign in again" };
    make(visitor, &user, change, &format!("{} {what}.", user.email)).await
}

/// Makes a change of a user as the visitor was found to be allowed it; not if he stands otherwise by now.
async fn make(
    visitor: &Visitor,
    user: &User,
    change: Change,
    said: &str,
) -> Result<Reply, Refusal> {
    let change = Change { only_at: Some(user.revision), ..change };
    if users::update(&visitor.store, user.id, &change).await? {
        return done(visitor, said).await;
    }
    let text = format!("{} was changed meanwhile. Look again, then try again.", user.email);
    show_page(visitor, None, Some(Said::refused(&text))).await
}

/// A link for somebody who forgot his password.
pub async fn reset(portal: &Portal, visitor: &Visitor, id: Id) -> Result<Reply, Refusal> {
    let User { email, role, rights, disabled_at, .. } = changeable(visitor, id).await?;
    if disabled_at.is_some() {
        return Err(Refusal::NotFound);
    }
    let guest = Guest { user_id: Some(id), email, role, rights };
    hand_out(portal, visitor, guest, "New password").await
}

/// For somebody who lost what makes his codes.
pub async fn totp_off(visitor: &Visitor, id: Id) -> Result<Reply, Refusal> {
    let user = changeable(visitor, id).await?;
    let change = Change { second_step_off: true, ..Change::default() };
    make(visitor, &user, change, &format!("{} signs in in one step.", user.email)).await
}
