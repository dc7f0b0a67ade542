//! `affiliates`: made and changed by the operator; an affiliate sees himself, an advertiser those who have a
//! link, a coupon or a share in his programs, without their e-mail and recruiter.

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
use crate::store::affiliates::{self, Change, New, PayeeChange};
use crate::store::keys::Role;
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
    /// How he is paid. This and what follows is told to those with the scope `money`, and to himself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = shown::payee_method)]
    payee_method: Option<String>,
    /// As his bank knows him; absent: his name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Ann Miller")]
    payee_name: Option<String>,
    /// At PayPal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "ann@mail.example")]
    payee_email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "DE89370400440532013000")]
    payee_iban: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "COBADEFFXXX")]
    payee_bic: Option<String>,
}

/// `GET affiliates`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let page = call::page(&mut query);
    query.finish()?;
    let rows = select(call, one_more(page)).await?;
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
    // Who says where money goes, moves it.
    if change.payee != PayeeChange::default() && !call.who.rights.has(Right::Money) {
        return Err(Refusal::Lacking(Right::Money));
    }
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
        payee: PayeeChange {
            method: body.change("payee_method", rules::PAYEE_METHOD),
            name: body.change("payee_name", rules::NAME),
            email: body.change("payee_email", rules::EMAIL),
            iban: body.change("payee_iban", rules::IBAN),
            bic: body.change("payee_bic", rules::BIC),
        },
        only_at: None,
    }
}

/// Refuses a body that names an affiliate whom the one who asks does not know: an advertiser may guess an id,
/// and what is of his programs would tell him whose it is.
pub(super) async fn known(call: &Call<'_>, id: Id) -> Result<(), Refusal> {
    let rows = select(call, Page::one(id)).await?;
    if rows.is_empty() { Err(Refusal::Missing("/affiliate_id")) } else { Ok(()) }
}

async fn find(call: &Call<'_>, id: Id) -> Result<affiliates::Affiliate, Refusal> {
    only(select(call, Page::one(id)).await?)
}

/// With where their money goes, for whom that concerns.
async fn select(call: &Call<'_>, page: Page) -> Result<Vec<affiliates::Affiliate>, Refusal> {
    let with_payee = matches!(call.role, Role::Affiliate(_)) || call.who.rights.has(Right::Money);
    Ok(affiliates::select(call.store(), call.scope(), page, with_payee).await?)
}

fn view(a: &affiliates::Affiliate) -> Affiliate {
    let payee = a.payee.clone().unwrap_or_default();
    Affiliate {
        id: IdText(a.id),
        name: a.name.clone(),
        email: a.email.clone(),
        recruited_by: a.recruited_by.map(IdText),
        group: a.group.clone(),
        paused: a.paused_at.is_some(),
        created_at: a.created_at,
        payee_method: payee.method,
        payee_name: payee.name,
        payee_email: payee.email,
        payee_iban: payee.iban,
        payee_bic: payee.bic,
    }
}
