//! A stored hit, told to a person: the request without its secrets, its fields as they read today, and
//! how the commission came about. Pure; shows, never decides.

use serde_json::{Map, Value, json};

use super::call;
use crate::domain::catalog::Catalog;
use crate::domain::commission::Terms;
use crate::domain::hit::{Hit, Kind, Part};
use crate::domain::id;
use crate::domain::intake::{self, Fault, Reading, Sale};
use crate::domain::mask;
use crate::domain::reason::Reason;
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

/// What came. Addresses only where `with_addresses`; a bearer's digest never.
pub(super) fn request(hit: &Hit<'_>, with_addresses: bool) -> Value {
    let text = |part| String::from_utf8_lossy(hit.get(part)).into_owned();
    let kept = |parts: &[(&str, Part)]| -> Map<String, Value> {
        let there = parts.iter().filter(|(_, part)| !hit.get(*part).is_empty());
        there.map(|(name, part)| ((*name).to_owned(), json!(text(*part)))).collect()
    };
    let mut value = json!({
        "method": hit.method.name(),
        "path": text(Part::Path),
        "query": mask::pairs(&text(Part::Query)),
        "body": mask::body(&text(Part::ContentType), &text(Part::Body)),
        "headers": kept(&HEADERS),
        "authorization": !hit.get(Part::BearerHash).is_empty(),
    });
    if with_addresses {
        value["addresses"] = json!(kept(&[("peer", Part::Peer), ("client", Part::Client)]));
    }
    value
}

/// The fields as they read today: the parser may have been mended since the hit was decided.
pub(super) fn reading(hit: &Hit<'_>, catalog: &Catalog) -> Value {
    if matches!(hit.kind, Kind::Click | Kind::Download) {
        return Value::Null;
    }
    let fault = |(field, reason): &Fault| fault(field, *reason);
    match intake::read(hit, catalog) {
        Reading::Unknown => {
            json!({"fields": null, "faults": [self::fault("code", Reason::CodeUnknown)]})
        }
        Reading::Refused(_, _, faults) => {
            json!({"fields": null, "faults": faults.iter().map(fault).collect::<Vec<_>>()})
        }
        Reading::Sale(_, _, sale) => json!({"fields": fields(&sale), "faults": []}),
    }
}

fn fault(field: &str, reason: Reason) -> Value {
    json!({"field": field, "code": reason.code(), "text": reason.text()})
}

fn fields(sale: &Sale) -> Value {
    json!({
        "type": sale.kind.code(),
        "verified": sale.verified,
        "test": sale.test,
        "id": sale.order_id,
        "amount": sale.money.amount.to_string(),
        "currency": sale.money.currency,
        "coupon": sale.coupon,
        "customer": sale.customer,
        "new": sale.new_customer,
        "items": sale.items,
        "click_token": sale.token,
        "cookie": sale.cookie,
    })
}

/// Who was credited by what evidence, on which terms, and the arithmetic.
pub(super) fn why(c: &Conversion) -> Value {
    let clicked_at =
        c.click_id.and_then(|id| jiff::Timestamp::from_millisecond(id::time_ms(id)).ok());
    let attribution = c.attributed_by.as_ref().map(|by| {
        json!({
            "by": by,
            "affiliate_id": call::opt(c.affiliate_id),
            "link_id": call::opt(c.link_id),
            "click_id": call::opt(c.click_id),
            "clicked_at": clicked_at,
        })
    });
    let plan = c.plan.as_ref();
    let terms: Option<Terms> = plan.and_then(|p| serde_json::from_value(p.terms.clone()).ok());
    let arithmetic = terms.filter(|_| c.affiliate_id.is_some());
    json!({
        "attribution": attribution,
        "plan": plan.map(super::plans::view),
        "arithmetic": arithmetic.map(|terms| terms.explain(c.amount, c.commission)),
    })
}
