//! `affiliates`: made and changed by the operator; an affiliate sees himself, an advertiser those who have a
//! link or coupon in his programs, without their e-mail and recruiter.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{self, Answered, Call, created, ok, one_more, only};
use super::input::Input;
use super::refusal::Refusal;
use super::rules;
use super::shown::IdText;
use crate::domain::id::Id;
use crate::store::affiliates::{self, Change, New};
use crate::store::page::Page;

/// A publisher.
#[derive(Serialize, ToSchema)]
pub(super) struct Affiliate {
    id: IdText,
    name: String,
    /// Not told to advertisers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "ann@mail.example")]
    email: Option<String>,
    /// The affiliate who brought him, and may earn by his sales; not told to advertisers. Absent: nobody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    recruited_by: Option<IdText>,
    /// By which plans may tell him from others; not told to affiliates. Absent: he is in none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "partners")]
    group: Option<String>,
    /// While paused, nothing is credited to him.
    paused: bool,
    created_at: Timestamp,
}

/// `GET affiliates`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let page = call::page(&mut query);
    query.finish()?;
    let rows = affiliates::select(call.store(), call.scope(), one_more(page)).await?;
    Ok(call.list(page, &rows, |row| row.id, view))
}

/// `GET affiliates/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    Ok(ok(&view(&find(call, call.id()?).await?)))
}

/// `POST affiliates`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let new = new(&mut body);
    body.finish()?;
    let id = affiliates::create(call.store(), &new).await?;
    Ok(created(&format!("/api/v1/affiliates/{id}"), &view(&find(call, id).await?)))
}

pub(super) fn new(body: &mut Input) -> New {
    New {
        name: body.required("name", rules::NAME),
        email: body.required("email", rules::EMAIL),
        recruited_by: body.optional("recruited_by", rules::ID),
        group: body.optional("group", rules::GROUP),
    }
}

/// `PATCH affiliates/{id}`
pub(super) async fn update(call: &Call<'_>) -> Answered {
    let id = call.id()?;
    let mut body = call.body()?;
    let mut change = change(&mut body);
    body.finish()?;
    change.only_at =
        call.only_at(async || find(call, id).await.map(|a| (view(&a), a.revision))).await?;
    if !affiliates::update(call.store(), id, &change).await? {
        return Err(Refusal::not_changed(change.only_at));
    }
    Ok(ok(&view(&find(call, id).await?)))
}

pub(super) fn change(body: &mut Input) -> Change {
    Change {
        name: body.replacement("name", rules::NAME),
        email: body.replacement("email", rules::EMAIL),
        paused: body.replacement("paused", rules::YES_OR_NO),
        recruited_by: body.change("recruited_by", rules::ID),
        group: body.change("group", rules::GROUP),
        only_at: None,
    }
}

/// Refuses a body that names an affiliate whom the one who asks does not know: an advertiser may guess an id,
/// and the links or coupons of his programs would tell him whose it is.
pub(super) async fn known(call: &Call<'_>, id: Id) -> Result<(), Refusal> {
    let rows = affiliates::select(call.store(), call.scope(), Page::one(id)).await?;
    if rows.is_empty() { Err(Refusal::Missing("/affiliate_id")) } else { Ok(()) }
}

async fn find(call: &Call<'_>, id: Id) -> Result<affiliates::Affiliate, Refusal> {
    only(affiliates::select(call.store(), call.scope(), Page::one(id)).await?)
}

fn view(a: &affiliates::Affiliate) -> Affiliate {
    Affiliate {
        id: IdText(a.id),
        name: a.name.clone(),
        email: a.email.clone(),
        recruited_by: a.recruited_by.map(IdText),
        group: a.group.clone(),
        paused: a.paused_at.is_some(),
        created_at: a.created_at,
    }
}
