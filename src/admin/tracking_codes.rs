//! `tracking-codes`: what an advertiser puts on his thank-you page, with the pieces ready to paste.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{self, Answered, Call, created, ok, one_more, only};
use super::input::Input;
use super::refusal::Refusal;
use super::rules;
use super::shown::{self, IdText};
use crate::domain::id::Id;
use crate::domain::rights::Right;
use crate::domain::snippet::{self, Addresses};
use crate::random;
use crate::store::page::Page;
use crate::store::tracking_codes::{self, Change, New};

/// What an advertiser puts on his thank-you page.
#[derive(Serialize, ToSchema)]
pub(super) struct TrackingCode {
    id: IdText,
    program_id: IdText,
    name: String,
    /// What stands in its addresses.
    #[schema(example = "AbC123xyz0")]
    code: String,
    /// What the shop's server signs with, and sends as bearer; masked for those without the scope `catalog`.
    secret: String,
    /// For an image tag.
    pixel_url: String,
    /// For a form.
    form_url: String,
    /// For the shop's server.
    postback_url: String,
    /// Where a buyer goes after a form; `{id}`, `{amount}` and `{currency}` are filled in, behind the host.
    redirect_url: Option<String>,
    /// How he gets there: sent on at once, or by a link on a page.
    #[schema(schema_with = shown::return_method)]
    return_method: String,
    snippets: Snippets,
    created_at: Timestamp,
}

/// Ready to paste; `ORDER_AMOUNT` and `ORDER_ID` are to be replaced by the shop's own template.
#[derive(Serialize, ToSchema)]
pub(super) struct Snippets {
    img: String,
    form: String,
    postback: String,
    tag: String,
}

/// `GET tracking-codes`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let (page, program_id) = asked(&mut query);
    query.finish()?;
    let (store, scope) = (call.store(), call.scope());
    let rows = tracking_codes::select(store, scope, one_more(page), program_id).await?;
    Ok(call.list(page, &rows, |row| row.id, |row| view(call, row)))
}

pub(super) fn asked(query: &mut Input) -> (Page, Option<Id>) {
    (call::page(query), query.optional("program_id", rules::ID))
}

/// `GET tracking-codes/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    Ok(ok(&view(call, &find(call, call.id()?).await?)))
}

/// `POST tracking-codes`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let Wanted { program_id, name, redirect_url, return_method } = new(&mut body);
    body.finish()?;
    let (code, secret) = (random::code()?, random::secret()?);
    let new = New { program_id, name, code, secret, redirect_url, return_method };
    let made = tracking_codes::create(call.store(), call.scope(), &new).await?;
    let id = made.ok_or(Refusal::Missing("/program_id"))?;
    Ok(created(&format!("/api/v1/tracking-codes/{id}"), &view(call, &find(call, id).await?)))
}

pub(super) struct Wanted {
    program_id: Id,
    name: String,
    redirect_url: Option<String>,
    return_method: String,
}

pub(super) fn new(body: &mut Input) -> Wanted {
    Wanted {
        program_id: body.required("program_id", rules::ID),
        name: body.required("name", rules::NAME),
        redirect_url: body.optional("redirect_url", rules::REDIRECT),
        return_method: body.optional_or(
            "return_method",
            rules::RETURN_METHOD,
            "redirect".to_owned(),
        ),
    }
}

/// `PATCH tracking-codes/{id}`
pub(super) async fn update(call: &Call<'_>) -> Answered {
    let id = call.id()?;
    let mut body = call.body()?;
    let mut change = change(&mut body);
    body.finish()?;
    let look = async || find(call, id).await.map(|code| (view(call, &code), code.revision));
    change.only_at = call.only_at(look).await?;
    if !tracking_codes::update(call.store(), call.scope(), id, &change).await? {
        return Err(Refusal::not_changed(change.only_at));
    }
    Ok(ok(&view(call, &find(call, id).await?)))
}

pub(super) fn change(body: &mut Input) -> Change {
    Change {
        name: body.replacement("name", rules::NAME),
        redirect_url: body.change("redirect_url", rules::REDIRECT),
        return_method: body.replacement("return_method", rules::RETURN_METHOD),
        only_at: None,
    }
}

async fn find(call: &Call<'_>, id: Id) -> Result<tracking_codes::TrackingCode, Refusal> {
    only(tracking_codes::select(call.store(), call.scope(), Page::one(id), None).await?)
}

fn view(call: &Call<'_>, t: &tracking_codes::TrackingCode) -> TrackingCode {
    let (base, of) = (&call.admin.public_base, &t.of);
    let Addresses { pixel_url, form_url, postback_url } = snippet::addresses(base, &of.code);
    let may_see = call.who.rights.has(Right::Catalog);
    let snippet::Snippets { img, form, postback, tag } = snippet::snippets(base, &of.code, &t.tag);
    TrackingCode {
        id: IdText(t.id),
        program_id: IdText(of.program_id),
        name: of.name.clone(),
        code: of.code.clone(),
        // Who has it can report sales: not for those who only look.
        secret: if may_see { of.secret.clone() } else { "********".to_owned() },
        pixel_url,
        form_url,
        postback_url,
        redirect_url: of.redirect_url.clone(),
        return_method: of.return_method.clone(),
        snippets: Snippets { img, form, postback, tag },
        created_at: t.created_at,
    }
}
