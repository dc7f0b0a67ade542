//! A stored hit, told to a person: the request without its secrets, its fields as they read today, and
//! how the commission came about. Pure; shows, never decides.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::plans::{self, Plan};
use super::shown::IdText;
use crate::domain::catalog::Catalog;
use crate::domain::commission::Terms;
use crate::domain::hit::{Hit, Kind, Part};
use crate::domain::id;
use crate::domain::intake::{self, Origin, Reading, Sale, SaleKind, TakebackTold};
use crate::domain::ledger::ShareKind;
use crate::domain::mask;
use crate::domain::money::Money;
use crate::domain::reason::Reason;
use crate::domain::settlement::arithmetic;
use crate::domain::takeback::Takeback;
use crate::store::conversions::Conversion;

/// The headers that are kept, as the API names them.
const HEADERS: [(&str, Part); 9] = [
    ("content_type", Part::ContentType),
    ("cookie", Part::Cookie),
    ("user_agent", Part::UserAgent),
    ("referer", Part::Referer),
    ("accept_language", Part::AcceptLanguage),
    ("sec_fetch_dest", Part::FetchDest),
    ("purpose", Part::Purpose),
    ("origin", Part::Origin),
    ("sec_gpc", Part::Gpc),
];

/// The parts of a request that were there, by name.
type Parts = BTreeMap<&'static str, String>;

/// A request as it came; secrets are masked.
#[derive(Serialize, ToSchema)]
pub(super) struct Arrived {
    #[schema(example = "GET")]
    method: &'static str,
    path: String,
    query: String,
    body: String,
    /// Those that are kept and were sent.
    #[schema(value_type = BTreeMap<String, String>)]
    headers: Parts,
    /// Whether a bearer was sent.
    authorization: bool,
    /// `peer` and `client`; told to the operator, where they are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, String>>, nullable = false)]
    addresses: Option<Parts>,
}

/// A hit's fields as they read today: the parser may have been mended since it was decided.
#[derive(Serialize, ToSchema)]
pub(super) struct Read {
    /// Of a sale.
    fields: Option<Fields>,
    /// Of a refund or chargeback.
    takeback: Option<TakenBack>,
    /// When there are any, there is neither.
    faults: Vec<Fault>,
}

/// A sale as a hit tells it.
#[derive(Serialize, ToSchema)]
pub(super) struct Fields {
    #[schema(example = "sale")]
    r#type: &'static str,
    verified: bool,
    test: bool,
    /// The order id.
    id: Option<String>,
    #[schema(value_type = String, example = "19.95")]
    amount: Decimal,
    #[schema(example = "USD")]
    currency: &'static str,
    coupon: Option<String>,
    customer: Option<String>,
    /// Whether the customer is new.
    new: Option<bool>,
    items: Option<String>,
    #[schema(value_type = Option<String>, example = "3.19")]
    tax: Option<Decimal>,
    #[schema(value_type = Option<String>, example = "4.90")]
    shipping: Option<Decimal>,
    #[schema(value_type = Option<String>, example = "5.00")]
    discount: Option<Decimal>,
    #[schema(example = "DE")]
    country: Option<String>,
    /// `new`, `auto_renewal`, `manual_renewal` or `upgrade`.
    origin: Option<&'static str>,
    click_token: Option<String>,
    cookie: Option<String>,
}

/// A refund or chargeback as a hit tells it.
#[derive(Serialize, ToSchema)]
pub(super) struct TakenBack {
    /// `refund` or `chargeback`.
    #[schema(example = "refund")]
    r#type: &'static str,
    test: bool,
    /// The order id.
    id: String,
    /// The refund's or chargeback's own id.
    takeback_id: String,
    /// None for all of it, as the currency is.
    #[schema(value_type = Option<String>, example = "19.95")]
    amount: Option<Decimal>,
    #[schema(example = "USD")]
    currency: Option<&'static str>,
    /// Of a chargeback: `potential`, `open`, `won`, `lost` or `accepted`.
    status: Option<&'static str>,
    /// Of a chargeback.
    #[schema(example = "FRAUD")]
    reason: Option<&'static str>,
    requested_at: Option<Timestamp>,
    closed_at: Option<Timestamp>,
}

/// A field that cannot be used, and why.
#[derive(Serialize, ToSchema)]
pub(super) struct Fault {
    field: &'static str,
    /// Stable.
    code: &'static str,
    /// For a person.
    text: &'static str,
}

/// How a commission came about.
#[derive(Serialize, ToSchema)]
pub(super) struct Why {
    /// None when nobody is credited.
    attribution: Option<Credit>,
    /// The terms it was priced by.
    plan: Option<Plan>,
    #[schema(example = "10 % of 19.95 USD = 2.00 USD")]
    arithmetic: Option<String>,
    /// Where several have a part of it: whose, and how much.
    #[schema(example = json!(["affiliate 7 (touch): 1.00 USD"]))]
    parts: Vec<String>,
}

/// Who is credited, and by what.
#[derive(Serialize, ToSchema)]
pub(super) struct Credit {
    /// `click_token`, `coupon`, `cookie` or `customer`.
    by: String,
    affiliate_id: Option<IdText>,
    link_id: Option<IdText>,
    click_id: Option<IdText>,
    clicked_at: Option<Timestamp>,
}

/// What came. Addresses only where `with_addresses`; a bearer's digest never.
pub(super) fn request(hit: &Hit<'_>, with_addresses: bool) -> Arrived {
    let text = |part| String::from_utf8_lossy(hit.get(part)).into_owned();
    let kept = |parts: &[(&'static str, Part)]| -> Parts {
        let there = parts.iter().filter(|(_, part)| !hit.get(*part).is_empty());
        there.map(|(name, part)| (*name, text(*part))).collect()
    };
    Arrived {
        method: hit.method.name(),
        path: text(Part::Path),
        query: mask::pairs(&text(Part::Query)),
        body: mask::body(&text(Part::ContentType), &text(Part::Body)),
        headers: kept(&HEADERS),
        authorization: !hit.get(Part::BearerHash).is_empty(),
        addresses: with_addresses.then(|| kept(&[("peer", Part::Peer), ("client", Part::Client)])),
    }
}

/// The fields as they read today.
pub(super) fn reading(hit: &Hit<'_>, catalog: &Catalog) -> Option<Read> {
    if matches!(hit.kind, Kind::Click | Kind::Download) {
        return None;
    }
    let mut read = Read { fields: None, takeback: None, faults: Vec::new() };
    match intake::read(hit, catalog) {
        Reading::Unknown => read.faults.push(fault(&("code", Reason::CodeUnknown))),
        Reading::Refused(_, _, faults) => read.faults.extend(faults.iter().map(fault)),
        Reading::Sale(_, _, sale) => read.fields = Some(fields(*sale)),
        Reading::Takeback(_, _, told) => read.takeback = Some(taken_back(*told)),
    }
    Some(read)
}

fn fault((field, reason): &intake::Fault) -> Fault {
    Fault { field, code: reason.code(), text: reason.text() }
}

fn fields(sale: Sale) -> Fields {
    Fields {
        r#type: sale.kind.code(),
        verified: sale.verified,
        test: sale.test,
        id: sale.order_id,
        amount: sale.money.amount,
        currency: sale.money.currency.code(),
        coupon: sale.coupon,
        customer: sale.customer,
        new: sale.new_customer,
        items: sale.items,
        tax: sale.details.tax.map(|money| money.amount),
        shipping: sale.details.shipping.map(|money| money.amount),
        discount: sale.details.discount.map(|money| money.amount),
        country: sale.details.country,
        origin: sale.details.origin.map(Origin::code),
        click_token: sale.token,
        cookie: sale.cookie,
    }
}

fn taken_back(told: TakebackTold) -> TakenBack {
    let (r#type, takeback_id, money, chargeback) = match told.takeback {
        Takeback::Refund(refund) => ("refund", refund.id, refund.money, None),
        Takeback::Chargeback(c) => {
            let rest = (c.stage.code(), c.reason.code(), c.requested_ms, c.closed_ms);
            ("chargeback", c.id, c.money, Some(rest))
        }
    };
    let at = |ms: i64| Timestamp::from_millisecond(ms).ok();
    TakenBack {
        r#type,
        test: told.test,
        id: told.order_id,
        takeback_id,
        amount: money.map(|money| money.amount),
        currency: money.map(|money| money.currency.code()),
        status: chargeback.map(|(status, ..)| status),
        reason: chargeback.map(|(_, reason, ..)| reason),
        requested_at: chargeback.and_then(|(_, _, requested_ms, _)| at(requested_ms)),
        closed_at: chargeback.and_then(|(.., closed_ms)| at(closed_ms?)),
    }
}

/// Who was credited by what evidence, on which terms, and the arithmetic.
pub(super) fn why(c: &Conversion) -> Why {
    let clicked_at = c.click_id.and_then(|id| Timestamp::from_millisecond(id::time_ms(id)).ok());
    let credit = |by: String| Credit {
        by,
        affiliate_id: c.affiliate_id.map(IdText),
        link_id: c.link_id.map(IdText),
        click_id: c.click_id.map(IdText),
        clicked_at,
    };
    let plan = c.plan.as_ref();
    let terms: Option<Terms> = plan.and_then(|p| serde_json::from_value(p.terms.clone()).ok());
    let terms = terms.filter(|_| c.affiliate_id.is_some());
    let touches = c.shares.iter().filter(|share| {
        share.kind == ShareKind::Touch && share.commission.currency == c.commission.currency
    });
    let whole = touches.fold(c.commission, |whole, share| {
        Money::rounded(whole.amount + share.commission.amount, whole.currency)
    });
    let told = |terms: Terms| match (&c.order, SaleKind::parse(&c.kind)) {
        (Some(order), Some(kind)) => arithmetic((order, kind), (&terms, c.home), whole),
        _ => terms.explain_booked(c.amount, whole),
    };
    Why {
        attribution: c.attributed_by.clone().map(credit),
        plan: plan.map(plans::view),
        arithmetic: terms.map(told),
        parts: parts(c),
    }
}

/// Whose parts it has, if there are several.
fn parts(c: &Conversion) -> Vec<String> {
    let told = |affiliate_id, what: &str, money: Money| {
        format!("affiliate {affiliate_id} ({what}): {} {}", money.amount, money.currency.code())
    };
    let own = c.affiliate_id.map(|id| told(id, "credited", c.commission));
    let others = c.shares.iter().map(|share| match share.kind {
        ShareKind::Touch => told(share.affiliate_id, "touch", share.commission),
        ShareKind::Level(level) => {
            told(share.affiliate_id, &format!("level {level}"), share.commission)
        }
    });
    let others: Vec<String> = others.collect();
    own.filter(|_| !others.is_empty()).into_iter().chain(others).collect()
}
