//! `programs`: made by the operator with their first plan; changed by the advertiser too.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::call::{self, Answered, Call, created, ok, one_more, only};
use super::input::Input;
use super::plans::{self, Plan};
use super::refusal::Refusal;
use super::rules;
use super::shown::{self, IdText};
use crate::domain::commission::Terms;
use crate::domain::id::Id;
use crate::domain::money::Currency;
use crate::store::advertisers;
use crate::store::page::Page;
use crate::store::programs::{self, Change, Offer};

/// What an advertiser offers to affiliates.
#[derive(Serialize, ToSchema)]
pub(super) struct Program {
    id: IdText,
    advertiser_id: IdText,
    name: String,
    /// Where clicks land.
    #[schema(example = "https://shop.example/")]
    landing_url: String,
    /// Hosts beside the landing page's that a click may land on.
    allowed_hosts: Vec<String>,
    /// Name of the parameter by which the landing page gets the click token.
    click_param: String,
    /// Which click of a visitor is credited.
    #[schema(schema_with = shown::attribution)]
    attribution: String,
    /// Days for which a click counts.
    window_days: i32,
    /// Days until a commission is payable.
    hold_days: i32,
    /// Whether a sale that nothing signed vouches for counts, or waits for approval.
    #[schema(schema_with = shown::unsigned)]
    unsigned: String,
    /// Whether a coupon may attribute a sale.
    coupons: bool,
    /// Whether the tag asks for consent before it stores anything.
    consent: bool,
    /// Less than this is not paid out; in the advertiser's currency.
    #[schema(value_type = String, example = "25.00")]
    payout_minimum: Decimal,
    /// While paused, clicks land and nobody is credited.
    paused: bool,
    /// The newest version of its terms.
    plan: Option<Plan>,
    created_at: Timestamp,
}

/// `GET programs`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let (page, advertiser_id) = asked(&mut query);
    query.finish()?;
    let rows = programs::select(call.store(), call.scope(), one_more(page), advertiser_id).await?;
    Ok(call.list(page, &rows, |row| row.id, view))
}

pub(super) fn asked(query: &mut Input) -> (Page, Option<Id>) {
    (call::page(query), query.optional("advertiser_id", rules::ID))
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
    let terms = first_plan(&mut body, home);
    body.finish()?;
    let (Some(_), Some(terms)) = (home, terms) else {
        return Err(Refusal::Missing("/advertiser_id"));
    };
    let id = programs::create(call.store(), &offer, &json!(terms)).await?;
    Ok(created(&format!("/api/v1/programs/{id}"), &view(&find(call, id).await?)))
}

pub(super) fn new(body: &mut Input) {
    offer(body);
    first_plan(body, None);
}

fn first_plan(body: &mut Input, home: Option<Currency>) -> Option<Terms> {
    let mut plan = body.nested("plan", "NewPlan");
    let terms = plans::terms(&mut plan, home);
    body.absorb(plan);
    terms
}

fn offer(body: &mut Input) -> Offer {
    let (tclid, last_click) = ("tclid".to_owned(), "last_click".to_owned());
    Offer {
        advertiser_id: body.required("advertiser_id", rules::ID),
        name: body.required("name", rules::NAME),
        landing_url: body.required("landing_url", rules::ADDRESS),
        allowed_hosts: body.optional_or("allowed_hosts", rules::HOSTS, Vec::new()),
        click_param: body.optional_or("click_param", rules::PARAMETER, tclid),
        attribution: body.optional_or("attribution", rules::ATTRIBUTION, last_click),
        window_days: body.optional_or("window_days", rules::WINDOW_DAYS, 30),
        hold_days: body.optional_or("hold_days", rules::HOLD_DAYS, 30),
        unsigned: body.optional_or("unsigned", rules::UNSIGNED, "accept".to_owned()),
        coupons: body.optional_or("coupons", rules::YES_OR_NO, true),
        consent: body.optional_or("consent", rules::YES_OR_NO, false),
        payout_minimum: body.optional_or("payout_minimum", rules::MINIMUM, Decimal::ZERO),
    }
}

/// `PATCH programs/{id}`
pub(super) async fn update(call: &Call<'_>) -> Answered {
    let id = call.id()?;
    let mut body = call.body()?;
    let mut change = change(&mut body);
    body.finish()?;
    change.only_at =
        call.only_at(async || find(call, id).await.map(|p| (view(&p), p.revision))).await?;
    if !programs::update(call.store(), call.scope(), id, &change).await? {
        return Err(Refusal::not_changed(change.only_at));
    }
    Ok(ok(&view(&find(call, id).await?)))
}

pub(super) fn change(body: &mut Input) -> Change {
    Change {
        name: body.replacement("name", rules::NAME),
        landing_url: body.replacement("landing_url", rules::ADDRESS),
        allowed_hosts: body.replacement("allowed_hosts", rules::HOSTS),
        click_param: body.replacement("click_param", rules::PARAMETER),
        attribution: body.replacement("attribution", rules::ATTRIBUTION),
        window_days: body.replacement("window_days", rules::WINDOW_DAYS),
        hold_days: body.replacement("hold_days", rules::HOLD_DAYS),
        unsigned: body.replacement("unsigned", rules::UNSIGNED),
        coupons: body.replacement("coupons", rules::YES_OR_NO),
        consent: body.replacement("consent", rules::YES_OR_NO),
        payout_minimum: body.replacement("payout_minimum", rules::MINIMUM),
        paused: body.replacement("paused", rules::YES_OR_NO),
        only_at: None,
    }
}

/// A program that the one who asks may see.
pub(super) async fn find(call: &Call<'_>, id: Id) -> Result<programs::Program, Refusal> {
    only(programs::select(call.store(), call.scope(), Page::one(id), None).await?)
}

fn view(p: &programs::Program) -> Program {
    let of = p.of.clone();
    Program {
        id: IdText(p.id),
        advertiser_id: IdText(of.advertiser_id),
        name: of.name,
        landing_url: of.landing_url,
        allowed_hosts: of.allowed_hosts,
        click_param: of.click_param,
        attribution: of.attribution,
        window_days: of.window_days,
        hold_days: of.hold_days,
        unsigned: of.unsigned,
        coupons: of.coupons,
        consent: of.consent,
        payout_minimum: of.payout_minimum,
        paused: p.paused_at.is_some(),
        plan: p.plan.as_ref().map(plans::view),
        created_at: p.created_at,
    }
}
