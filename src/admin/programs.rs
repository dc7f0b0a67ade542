//! `programs`: made by the operator with their first plan; changed by the advertiser too.

use serde_json::{Value, json};

use super::call::{self, Answered, Call, created, list, ok, one_more, only};
use super::input::Input;
use super::refusal::Refusal;
use super::{plans, rules};
use crate::domain::id::Id;
use crate::domain::money::Currency;
use crate::store::advertisers;
use crate::store::page::Page;
use crate::store::programs::{self, Change, Offer, Program};

/// `GET programs`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let page = call::page(&mut query);
    let advertiser_id = query.optional("advertiser_id", rules::identity);
    query.finish()?;
    let rows = programs::select(call.store(), call.scope(), one_more(page), advertiser_id).await?;
    Ok(list(page, &rows, |row| row.id, view))
}

/// `GET programs/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    Ok(ok(&view(&find(call, call.id()?).await?)))
}

/// `POST programs`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let offer = offer(&mut body);
    let rows =
        advertisers::select(call.store(), call.scope(), Page::one(offer.advertiser_id)).await?;
    // Without its advertiser a program has no currency; its plan is still read for its other faults.
    let home = rows.first().and_then(|advertiser| Currency::parse(&advertiser.currency));
    let mut plan = body.nested("plan");
    let terms = plans::terms(&mut plan, home);
    body.absorb(plan);
    body.finish()?;
    let (Some(_), Some(terms)) = (home, terms) else {
        return Err(Refusal::Missing("/advertiser_id"));
    };
    let id = programs::create(call.store(), &offer, &json!(terms)).await?;
    Ok(created(&format!("/api/v1/programs/{id}"), &view(&find(call, id).await?)))
}

fn offer(body: &mut Input) -> Offer {
    Offer {
        advertiser_id: body.required("advertiser_id", rules::identity),
        name: body.required("name", rules::name),
        landing_url: body.required("landing_url", rules::address),
        allowed_hosts: body.optional("allowed_hosts", rules::hosts).unwrap_or_default(),
        click_param: body
            .optional("click_param", rules::parameter)
            .unwrap_or_else(|| "tclid".to_owned()),
        attribution: body
            .optional("attribution", rules::attribution)
            .unwrap_or_else(|| "last_click".to_owned()),
        window_days: body.optional("window_days", rules::window_days).unwrap_or(30),
        hold_days: body.optional("hold_days", rules::hold_days).unwrap_or(30),
        unsigned: body.optional("unsigned", rules::unsigned).unwrap_or_else(|| "accept".to_owned()),
        coupons: body.optional("coupons", rules::boolean).unwrap_or(true),
        consent: body.optional("consent", rules::boolean).unwrap_or(false),
    }
}

/// `PATCH programs/{id}`
pub(super) async fn update(call: &Call<'_>) -> Answered {
    let id = call.id()?;
    let mut body = call.body()?;
    let change = Change {
        name: body.replacement("name", rules::name),
        landing_url: body.replacement("landing_url", rules::address),
        allowed_hosts: body.replacement("allowed_hosts", rules::hosts),
        click_param: body.replacement("click_param", rules::parameter),
        attribution: body.replacement("attribution", rules::attribution),
        window_days: body.replacement("window_days", rules::window_days),
        hold_days: body.replacement("hold_days", rules::hold_days),
        unsigned: body.replacement("unsigned", rules::unsigned),
        coupons: body.replacement("coupons", rules::boolean),
        consent: body.replacement("consent", rules::boolean),
        paused: body.replacement("paused", rules::boolean),
    };
    body.finish()?;
    if !programs::update(call.store(), call.scope(), id, &change).await? {
        return Err(Refusal::NotFound);
    }
    Ok(ok(&view(&find(call, id).await?)))
}

/// A program that the one who asks may see.
pub(super) async fn find(call: &Call<'_>, id: Id) -> Result<Program, Refusal> {
    only(programs::select(call.store(), call.scope(), Page::one(id), None).await?)
}

fn view(p: &Program) -> Value {
    let of = &p.of;
    json!({
        "id": call::text(p.id),
        "advertiser_id": call::text(of.advertiser_id),
        "name": of.name,
        "landing_url": of.landing_url,
        "allowed_hosts": of.allowed_hosts,
        "click_param": of.click_param,
        "attribution": of.attribution,
        "window_days": of.window_days,
        "hold_days": of.hold_days,
        "unsigned": of.unsigned,
        "coupons": of.coupons,
        "consent": of.consent,
        "paused": p.paused_at.is_some(),
        "plan": p.plan.as_ref().map(plans::view),
        "created_at": p.created_at,
    })
}
