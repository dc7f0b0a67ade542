//! `links`: an affiliate's way into a program. Made by the operator and by the program's advertiser.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::affiliates;
use super::call::{self, Answered, Call, created, ok, one_more, only};
use super::input::Input;
use super::refusal::Refusal;
use super::rules;
use super::shown::IdText;
use crate::domain::id::Id;
use crate::domain::snippet;
use crate::random;
use crate::store::links::{self, Change, New};
use crate::store::page::Page;

/// An affiliate's way into a program.
#[derive(Serialize, ToSchema)]
pub(super) struct Link {
    id: IdText,
    program_id: IdText,
    affiliate_id: IdText,
    /// What stands in its address; letters and digits of our choice, if none was asked for.
    #[schema(example = "shop-link1")]
    code: String,
    /// What the affiliate shares.
    #[schema(example = "https://track.example/c/shop-link1")]
    url: String,
    /// Where a click lands; on the program's landing page, if there is none.
    destination: Option<String>,
    /// A click on a paused link lands all the same, and counts nothing.
    paused: bool,
    created_at: Timestamp,
}

/// `GET links`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let page = call::page(&mut query);
    let (program_id, affiliate_id) = call::owners(&mut query);
    query.finish()?;
    let (store, scope) = (call.store(), call.scope());
    let rows = links::select(store, scope, one_more(page), program_id, affiliate_id).await?;
    Ok(call.list(page, &rows, |row| row.id, |row| view(call, row)))
}

/// `GET links/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    Ok(ok(&view(call, &find(call, call.id()?).await?)))
}

/// `POST links`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let Wanted { program_id, affiliate_id, code, destination } = new(&mut body);
    body.finish()?;
    affiliates::known(call, affiliate_id).await?;
    let code = code.map_or_else(random::code, Ok)?;
    let new = New { program_id, affiliate_id, code, destination };
    let made = links::create(call.store(), call.scope(), &new).await?;
    let id = made.ok_or(Refusal::Missing("/program_id"))?;
    Ok(created(&format!("/api/v1/links/{id}"), &view(call, &find(call, id).await?)))
}

pub(super) struct Wanted {
    program_id: Id,
    affiliate_id: Id,
    code: Option<String>,
    destination: Option<String>,
}

pub(super) fn new(body: &mut Input) -> Wanted {
    Wanted {
        program_id: body.required("program_id", rules::ID),
        affiliate_id: body.required("affiliate_id", rules::ID),
        destination: body.optional("destination", rules::ADDRESS),
        code: body.optional("code", rules::CODE),
    }
}

/// `PATCH links/{id}`
pub(super) async fn update(call: &Call<'_>) -> Answered {
    let id = call.id()?;
    let mut body = call.body()?;
    let mut change = change(&mut body);
    body.finish()?;
    let look = async || find(call, id).await.map(|link| (view(call, &link), link.revision));
    change.only_at = call.only_at(look).await?;
    if !links::update(call.store(), call.scope(), id, &change).await? {
        return Err(Refusal::not_changed(change.only_at));
    }
    Ok(ok(&view(call, &find(call, id).await?)))
}

pub(super) fn change(body: &mut Input) -> Change {
    Change {
        destination: body.change("destination", rules::ADDRESS),
        paused: body.replacement("paused", rules::YES_OR_NO),
        only_at: None,
    }
}

async fn find(call: &Call<'_>, id: Id) -> Result<links::Link, Refusal> {
    only(links::select(call.store(), call.scope(), Page::one(id), None, None).await?)
}

fn view(call: &Call<'_>, l: &links::Link) -> Link {
    Link {
        id: IdText(l.id),
        program_id: IdText(l.program_id),
        affiliate_id: IdText(l.affiliate_id),
        code: l.code.clone(),
        url: snippet::link_url(&call.admin.public_base, &l.code),
        destination: l.destination.clone(),
        paused: l.paused_at.is_some(),
        created_at: l.created_at,
    }
}
