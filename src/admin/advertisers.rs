//! `advertisers`: made by the operator; an advertiser sees himself, and says which account he pays from.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{self, Answered, Call, created, ok, one_more, only};
use super::input::Input;
use super::refusal::Refusal;
use super::rules;
use super::shown::IdText;
use crate::domain::id::Id;
use crate::domain::rights::Right;
use crate::store::advertisers::{self, Change};
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
    /// Who pays, as his bank knows him; absent: his name. This and the account that payouts are paid from is
    /// told to those with the scope `money`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Shop Ltd")]
    payer_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "DE89370400440532013000")]
    payer_iban: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "COBADEFFXXX")]
    payer_bic: Option<String>,
}

/// `GET advertisers`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let page = call::page(&mut query);
    query.finish()?;
    let rows = advertisers::select(call.store(), call.scope(), one_more(page)).await?;
    Ok(call.list(page, &rows, |row| row.id, |row| view(call, row)))
}

/// `GET advertisers/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    Ok(ok(&view(call, &find(call, call.id()?).await?)))
}

/// `POST advertisers`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let New { name, currency, timezone } = new(&mut body);
    body.finish()?;
    let id = advertisers::create(call.store(), &name, &currency, &timezone).await?;
    Ok(created(&format!("/api/v1/advertisers/{id}"), &view(call, &find(call, id).await?)))
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

/// `PATCH advertisers/{id}`
pub(super) async fn update(call: &Call<'_>) -> Answered {
    let id = call.id()?;
    let mut body = call.body()?;
    let mut change = change(&mut body);
    body.finish()?;
    let look = async || find(call, id).await.map(|a| (view(call, &a), a.revision));
    change.only_at = call.only_at(look).await?;
    if !advertisers::update(call.store(), call.scope(), id, &change).await? {
        return Err(Refusal::not_changed(change.only_at));
    }
    Ok(ok(&view(call, &find(call, id).await?)))
}

pub(super) fn change(body: &mut Input) -> Change {
    Change {
        payer_name: body.change("payer_name", rules::NAME),
        payer_iban: body.change("payer_iban", rules::IBAN),
        payer_bic: body.change("payer_bic", rules::BIC),
        only_at: None,
    }
}

pub(super) async fn find(call: &Call<'_>, id: Id) -> Result<advertisers::Advertiser, Refusal> {
    only(advertisers::select(call.store(), call.scope(), Page::one(id)).await?)
}

fn view(call: &Call<'_>, a: &advertisers::Advertiser) -> Advertiser {
    let payer = a.payer.clone();
    let told = |field: Option<String>| field.filter(|_| call.who.rights.has(Right::Money));
    Advertiser {
        id: IdText(a.id),
        name: a.name.clone(),
        currency: a.currency.clone(),
        timezone: a.timezone.clone(),
        created_at: a.created_at,
        payer_name: told(payer.name),
        payer_iban: told(payer.iban),
        payer_bic: told(payer.bic),
    }
}
