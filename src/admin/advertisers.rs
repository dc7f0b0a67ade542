//! `advertisers`: made by the operator; an advertiser sees himself.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{self, Answered, Call, created, ok, one_more, only};
use super::input::Input;
use super::refusal::Refusal;
use super::rules;
use super::shown::IdText;
use crate::domain::id::Id;
use crate::store::advertisers;
use crate::store::page::Page;

/// A merchant.
#[derive(Serialize, ToSchema)]
pub(super) struct Advertiser {
    id: IdText,
    name: String,
    /// ISO 4217: what an amount is in that names no currency, and what flat commissions are in.
    #[schema(example = "USD")]
    currency: String,
    /// IANA name of the time zone: the days of his reports.
    #[schema(example = "Europe/Berlin")]
    timezone: String,
    created_at: Timestamp,
}

/// `GET advertisers`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let page = call::page(&mut query);
    query.finish()?;
    let rows = advertisers::select(call.store(), call.scope(), one_more(page)).await?;
    Ok(call.list(page, &rows, |row| row.id, view))
}

/// `GET advertisers/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    Ok(ok(&find(call, call.id()?).await?))
}

/// `POST advertisers`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let New { name, currency, timezone } = new(&mut body);
    body.finish()?;
    let id = advertisers::create(call.store(), &name, &currency, &timezone).await?;
    Ok(created(&format!("/api/v1/advertisers/{id}"), &find(call, id).await?))
}

pub(super) struct New {
    name: String,
    currency: String,
    timezone: String,
}

pub(super) fn new(body: &mut Input) -> New {
    New {
        name: body.required("name", rules::NAME),
        currency: body.required("currency", rules::CURRENCY),
        timezone: body.required("timezone", rules::TIMEZONE),
    }
}

pub(super) async fn find(call: &Call<'_>, id: Id) -> Result<Advertiser, Refusal> {
    let rows = advertisers::select(call.store(), call.scope(), Page::one(id)).await?;
    Ok(view(&only(rows)?))
}

fn view(a: &advertisers::Advertiser) -> Advertiser {
    Advertiser {
        id: IdText(a.id),
        name: a.name.clone(),
        currency: a.currency.clone(),
        timezone: a.timezone.clone(),
        created_at: a.created_at,
    }
}
