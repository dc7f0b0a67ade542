//! `tracking-codes`: what an advertiser puts on his thank-you page, with the pieces ready to paste.

use serde_json::{Value, json};

use super::call::{self, Answered, Call, created, list, ok, one_more, only};
use super::random;
use super::refusal::Refusal;
use super::rules;
use crate::domain::id::Id;
use crate::domain::snippet::{self, Addresses};
use crate::store::page::Page;
use crate::store::tracking_codes::{self, Change, New, TrackingCode};

/// `GET tracking-codes`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let page = call::page(&mut query);
    let program_id = query.optional("program_id", rules::identity);
    query.finish()?;
    let (store, scope) = (call.store(), call.scope());
    let rows = tracking_codes::select(store, scope, one_more(page), program_id).await?;
    Ok(list(page, &rows, |row| row.id, |row| view(call, row)))
}

/// `GET tracking-codes/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    Ok(ok(&find(call, call.id()?).await?))
}

/// `POST tracking-codes`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let program_id = body.required("program_id", rules::identity);
    let name = body.required("name", rules::name);
    let redirect_url = body.optional("redirect_url", rules::redirect);
    let return_method = body.optional("return_method", rules::return_method);
    body.finish()?;
    let new = New {
        program_id,
        name,
        code: random::code()?,
        secret: random::secret()?,
        redirect_url,
        return_method: return_method.unwrap_or_else(|| "redirect".to_owned()),
    };
    let made = tracking_codes::create(call.store(), call.scope(), &new).await?;
    let id = made.ok_or(Refusal::Missing("/program_id"))?;
    Ok(created(&format!("/api/v1/tracking-codes/{id}"), &find(call, id).await?))
}

/// `PATCH tracking-codes/{id}`
pub(super) async fn update(call: &Call<'_>) -> Answered {
    let id = call.id()?;
    let mut body = call.body()?;
    let change = Change {
        name: body.replacement("name", rules::name),
        redirect_url: body.change("redirect_url", rules::redirect),
        return_method: body.replacement("return_method", rules::return_method),
    };
    body.finish()?;
    if !tracking_codes::update(call.store(), call.scope(), id, &change).await? {
        return Err(Refusal::NotFound);
    }
    Ok(ok(&find(call, id).await?))
}

async fn find(call: &Call<'_>, id: Id) -> Result<Value, Refusal> {
    let rows = tracking_codes::select(call.store(), call.scope(), Page::one(id), None).await?;
    Ok(view(call, &only(rows)?))
}

fn view(call: &Call<'_>, t: &TrackingCode) -> Value {
    let (base, of) = (&call.admin.public_base, &t.of);
    let Addresses { pixel_url, form_url, postback_url } = snippet::addresses(base, &of.code);
    json!({
        "id": call::text(t.id),
        "program_id": call::text(of.program_id),
        "name": of.name,
        "code": of.code,
        "secret": of.secret,
        "pixel_url": pixel_url,
        "form_url": form_url,
        "postback_url": postback_url,
        "redirect_url": of.redirect_url,
        "return_method": of.return_method,
        "snippets": snippet::snippets(base, &of.code, &t.tag),
        "created_at": t.created_at,
    })
}
