//! `users`: listed and changed by those who manage people; made by invitations alone.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{self, Answered, Call, ok, one_more, only};
use super::input::Input;
use super::people::{self, Standing};
use super::refusal::Refusal;
use super::rules;
use super::shown::IdText;
use crate::domain::id::Id;
use crate::store::keys::{Actor, Role};
use crate::store::page::Page;
use crate::store::users::{self, Change};

/// Somebody who signs in by e-mail and password.
#[derive(Serialize, ToSchema)]
pub(super) struct User {
    id: IdText,
    #[serde(flatten)]
    standing: Standing,
    #[schema(example = "ann@shop.example")]
    email: String,
    name: String,
    /// Whether he is asked for a code besides.
    totp: bool,
    /// Since then he cannot sign in.
    disabled_at: Option<Timestamp>,
    created_at: Timestamp,
}

/// `GET users`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let page = call::page(&mut query);
    query.finish()?;
    let rows = users::select(call.store(), call.scope(), one_more(page)).await?;
    Ok(call.list(page, &rows, |row| row.id, view))
}

/// `GET users/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    Ok(ok(&view(&find(call, call.id()?).await?)))
}

/// `PATCH users/{id}`: scopes, disabled, the second step taken off, and by the operator another e-mail: one
/// that somebody took who is not its owner is free again. Not of oneself, for nobody should shut
/// himself out; not of one with more scopes.
pub(super) async fn update(call: &Call<'_>) -> Answered {
    let id = call.id()?;
    let mut body = call.body()?;
    let mut change = change(&mut body);
    let user = find(call, id).await?;
    if change.rights.is_some_and(|rights| !user.role.rights().cover(rights)) {
        body.fault("scopes", "has more than the role `affiliate` can");
    }
    body.finish()?;
    if call.who.actor == Actor::User(id) {
        let detail = "Somebody else has to change this for you.".to_owned();
        return Err(Refusal::Conflict("yourself", detail));
    }
    if change.email.is_some() && call.role != Role::Operator {
        return Err(Refusal::Forbidden);
    }
    people::manages(call, user.role, user.rights)?;
    people::manages(call, user.role, change.rights.unwrap_or(user.rights))?;
    change.only_at = call.only_at(async || Ok((view(&user), user.revision))).await?;
    if !users::update(call.store(), id, &change).await? {
        return Err(Refusal::not_changed(change.only_at));
    }
    Ok(ok(&view(&find(call, id).await?)))
}

pub(super) fn change(body: &mut Input) -> Change {
    Change {
        email: body.replacement("email", rules::EMAIL),
        rights: body.replacement("scopes", rules::SCOPES),
        disabled: body.replacement("disabled", rules::YES_OR_NO),
        second_step_off: body.replacement("totp", rules::OFF).is_some(),
        only_at: None,
    }
}

async fn find(call: &Call<'_>, id: Id) -> Result<users::User, Refusal> {
    only(users::select(call.store(), call.scope(), Page::one(id)).await?)
}

fn view(u: &users::User) -> User {
    User {
        id: IdText(u.id),
        standing: people::standing(u.role, u.rights),
        email: u.email.clone(),
        name: u.name.clone(),
        totp: u.two_steps,
        disabled_at: u.disabled_at,
        created_at: u.created_at,
    }
}
