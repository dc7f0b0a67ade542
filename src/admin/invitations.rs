//! `invitations`: links by which somebody new, or a user who forgot his, chooses a password. The link is shown
//! once, to the one who made it; he hands it on.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{self, Answered, Call, created, ok, one_more, only};
use super::input::Input;
use super::people::{self, Standing};
use super::refusal::Refusal;
use super::rules;
use super::shown::IdText;
use crate::domain::id::Id;
use crate::domain::rights::Rights;
use crate::domain::sign;
use crate::random;
use crate::store::invitations::{self, Guest};
use crate::store::keys::Role;
use crate::store::page::Page;
use crate::store::users;

/// A link by which one person chooses a password, without the link.
#[derive(Serialize, ToSchema)]
pub(super) struct Invitation {
    id: IdText,
    #[serde(flatten)]
    standing: Standing,
    /// Who forgot his password; none for somebody new.
    user_id: Option<IdText>,
    #[schema(example = "ann@shop.example")]
    email: String,
    /// `user:ID`, `key:ID` or `first-key`.
    #[schema(example = "user:7516192768000000000")]
    made_by: String,
    expires_at: Timestamp,
    used_at: Option<Timestamp>,
    created_at: Timestamp,
}

/// A link just made, with the link: it is shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct InvitationWithLink {
    #[serde(flatten)]
    shown: Invitation,
    /// To be handed on, by a way that only the two read.
    link: String,
}

/// `GET invitations`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let page = call::page(&mut query);
    query.finish()?;
    let rows = invitations::select(call.store(), call.scope(), one_more(page), false).await?;
    Ok(call.list(page, &rows, |row| row.id, view))
}

/// `GET invitations/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    Ok(ok(&view(&find(call, call.id()?).await?)))
}

/// `POST invitations`: for somebody new by e-mail, role and scopes; or for a user who forgot his password, by
/// his id alone.
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let guest = guest(call).await?;
    people::manages(call, guest.role, guest.rights)?;
    let secret = random::secret()?;
    let hash = sign::digest(secret.as_bytes());
    let first_key = call.admin.operator_key_hash.as_ref();
    let id = invitations::create(call.store(), &call.who, &guest, &hash, first_key).await?;
    let shown = view(&find(call, id).await?);
    let tag = call::tag_of(&shown);
    let link = format!("{}/invitation/{secret}", call.admin.admin_base);
    let made = InvitationWithLink { shown, link };
    // The tag of what `GET` shows from now on.
    Ok(call::tagged(created(&format!("/api/v1/invitations/{id}"), &made), &tag))
}

async fn guest(call: &Call<'_>) -> Result<Guest, Refusal> {
    let mut body = call.body()?;
    if body.has("user_id") {
        let id = user(&mut body);
        body.finish()?;
        return known(call, id).await;
    }
    let New { email, role, scopes } = new(&mut body, people::own(call));
    body.finish()?;
    // Of another's users he learns nothing: that an e-mail is taken, shows when the link is used.
    if users::has_email(call.store(), call.scope(), &email).await? {
        let detail = "There is a user with this e-mail.".to_owned();
        return Err(Refusal::Conflict("already_exists", detail));
    }
    Ok(Guest { user_id: None, email, role, rights: people::given(call, role, scopes) })
}

/// Who forgot his password.
pub(super) fn user(body: &mut Input) -> Id {
    body.required("user_id", rules::ID)
}

async fn known(call: &Call<'_>, id: Id) -> Result<Guest, Refusal> {
    let found = users::select(call.store(), call.scope(), Page::one(id)).await?.pop();
    let user = found.ok_or(Refusal::Missing("/user_id"))?;
    if user.disabled_at.is_some() {
        return Err(Refusal::Conflict("disabled", "The user is disabled.".to_owned()));
    }
    let users::User { email, role, rights, .. } = user;
    Ok(Guest { user_id: Some(id), email, role, rights })
}

pub(super) struct New {
    email: String,
    role: Role,
    scopes: Option<Rights>,
}

/// `own` is the advertiser who asks.
pub(super) fn new(body: &mut Input, own: Option<Id>) -> New {
    body.absent("user_id", "is for one who is a user already");
    let email = body.required("email", rules::EMAIL);
    let (role, scopes) = people::wanted(body, own);
    New { email, role, scopes }
}

/// `DELETE invitations/{id}`: taken back, as long as nobody used it.
pub(super) async fn delete(call: &Call<'_>) -> Answered {
    call.no_query()?;
    let invitation = find(call, call.id()?).await?;
    people::manages(call, invitation.guest.role, invitation.guest.rights)?;
    let look = async || Ok((view(&invitation), invitation.revision));
    let only_at = call.only_at(look).await?;
    if !invitations::delete(call.store(), invitation.id, only_at).await? {
        let used = || Refusal::Conflict("already_used", "The invitation was used.".to_owned());
        return Err(only_at.map_or_else(used, |_| Refusal::Changed));
    }
    Ok(call::no_content())
}

async fn find(call: &Call<'_>, id: Id) -> Result<invitations::Invitation, Refusal> {
    only(invitations::select(call.store(), call.scope(), Page::one(id), false).await?)
}

fn view(i: &invitations::Invitation) -> Invitation {
    Invitation {
        id: IdText(i.id),
        standing: people::standing(i.guest.role, i.guest.rights),
        user_id: i.guest.user_id.map(IdText),
        email: i.guest.email.clone(),
        made_by: i.made_by.clone(),
        expires_at: i.expires_at,
        used_at: i.used_at,
        created_at: i.created_at,
    }
}
