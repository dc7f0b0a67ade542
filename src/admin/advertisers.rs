//! `advertisers`: made by the operator; an advertiser sees himself.

use serde_json::{Value, json};

use super::call::{self, Answered, Call, created, list, ok, one_more, only};
use super::rules;
use crate::domain::id::Id;
use crate::store::advertisers::{self, Advertiser};
use crate::store::page::Page;

/// `GET advertisers`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let page = call::page(&mut query);
    query.finish()?;
    let rows = advertisers::select(call.store(), call.scope(), one_more(page)).await?;
    Ok(list(page, &rows, |row| row.id, view))
}

/// `GET advertisers/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    Ok(ok(&find(call, call.id()?).await?))
}

/// `POST advertisers`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let name = body.required("name", rules::name);
    let currency = body.required("currency", rules::currency);
    let timezone = body.required("timezone", rules::timezone);
    body.finish()?;
    let id = advertisers::create(call.store(), &name, &currency, &timezone).await?;
    Ok(created(&format!("/api/v1/advertisers/{id}"), &find(call, id).await?))
}

async fn find(call: &Call<'_>, id: Id) -> Result<Value, super::refusal::Refusal> {
    let rows = advertisers::select(call.store(), call.scope(), Page::one(id)).await?;
    Ok(view(&only(rows)?))
}

fn view(a: &Advertiser) -> Value {
    json!({
        "id": call::text(a.id),
        "name": a.name,
        "currency": a.currency,
        "timezone": a.timezone,
        "created_at": a.created_at,
    })
}
