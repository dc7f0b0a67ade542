//! A hit on a page: a line of the list, or all there is of one: the request as it came (but for its
//! secrets), what became of it and why, its conversion with the arithmetic, and the books.

use askama::Template;
use hyper::StatusCode;
use jiff::tz::TimeZone;

use super::Portal;
use super::advertiser::Door;
use super::page::{self, Frame, Refusal};
use super::show::{self, Moment, State};
use crate::domain::commission::Terms;
use crate::domain::form;
use crate::domain::hit::{Hit, Part};
use crate::domain::id::Id;
use crate::domain::intake::SaleKind;
use crate::domain::mask;
use crate::domain::money::{Currency, Money};
use crate::domain::reason;
use crate::domain::settlement;
use crate::http::Reply;
use crate::store::portal::{self as rows, Conversion, Transfer};

/// Characters of a field in the list.
const CELL_CHARS: usize = 40;
/// Characters of a field on the hit's own page.
const FIELD_CHARS: usize = 2_000;

/// A line of a list of hits.
pub struct HitLine {
    pub id: Id,
    pub at: Moment,
    pub program: String,
    pub kind: String,
    pub code: String,
    pub order_id: String,
    pub amount: String,
    pub outcome: State,
    pub reasons: Vec<String>,
}

#[derive(Template)]
#[template(path = "hit.html", config = "src/portal/askama.toml")]
struct HitPage {
    frame: Frame,
    path: String,
    hit: HitLine,
    request: Request,
    sale: Option<SalePart>,
    others: Vec<HitLine>,
    transfers: Vec<TransferLine>,
}

/// A request as it came.
#[derive(Default)]
struct Request {
    line: String,
    headers: Vec<(&'static str, String)>,
    fields: Vec<(String, String)>,
    /// Of a body that is not what its content type says.
    body: Option<String>,
}

struct SalePart {
    rows: Vec<(&'static str, String)>,
    state: State,
    reasons: Vec<String>,
}

struct TransferLine {
    at: Moment,
    code: String,
    from: String,
    to: String,
    amount: String,
}

/// The page of one hit.
pub async fn page(portal: &Portal, door: &Door, id: Id) -> Result<Reply, Refusal> {
    let store = &portal.store;
    let advertiser = rows::advertiser(store, door.id).await?.ok_or(Refusal::NotFound)?;
    let row = rows::hit(store, door.id, id).await?.ok_or(Refusal::NotFound)?;
    let zone = show::zone(&advertiser.timezone);
    let mut page = HitPage {
        frame: Frame::of(&format!("Hit {id}"), &advertiser.name, door.visiting).with(door.bar),
        path: door.path.clone(),
        hit: line(&row, &zone, &advertiser.currency),
        request: Hit::decode(&row.raw).map(|hit| request(&hit)).unwrap_or_default(),
        sale: None,
        others: Vec::new(),
        transfers: Vec::new(),
    };
    page.hit.at = show::second(row.received_at, &zone);
    if let Some(conversion) = row.conversion_id {
        let others = rows::conversion_hits(store, door.id, conversion).await?;
        let others = others.iter().filter(|other| other.id != id);
        page.others = others.map(|row| line(row, &zone, &advertiser.currency)).collect();
        let sale = rows::conversion(store, door.id, conversion).await?;
        page.sale = sale.map(|sale| sale_part(&sale, &zone));
        let transfers = rows::transfers(store, door.id, conversion).await?;
        page.transfers = transfers.iter().map(|row| transfer_line(row, &zone)).collect();
    }
    page::html(StatusCode::OK, &page)
}

/// A line of the list. What the shop sent stands there as it came; an amount without a currency is in the
/// advertiser's.
pub fn line(row: &rows::Hit, zone: &TimeZone, home: &str) -> HitLine {
    let pairs = Hit::decode(&row.raw).and_then(|hit| form::pairs(&hit)).unwrap_or_default();
    let told = |name: &str| {
        let found = pairs.iter().find(|(n, value)| n == name && !value.trim().is_empty());
        found.map(|(_, value)| show::short(value.trim(), CELL_CHARS))
    };
    let currency = told("currency").unwrap_or_else(|| home.to_owned());
    HitLine {
        id: row.id,
        at: show::moment(row.received_at, zone),
        program: row.program.clone(),
        kind: row.kind.clone(),
        code: row.code.clone(),
        order_id: told("id").unwrap_or_default(),
        amount: told("amount").map(|amount| format!("{amount} {currency}")).unwrap_or_default(),
        outcome: show::state(&row.outcome),
        reasons: sentences(&row.reasons),
    }
}

fn sentences(codes: &[String]) -> Vec<String> {
    codes.iter().map(|code| reason::text_of(code).to_owned()).collect()
}

fn request(hit: &Hit<'_>) -> Request {
    const HEADERS: [(&str, Part); 11] = [
        ("Content-Type", Part::ContentType),
        ("Origin", Part::Origin),
        ("Referer", Part::Referer),
        ("User-Agent", Part::UserAgent),
        ("Accept-Language", Part::AcceptLanguage),
        ("Cookie", Part::Cookie),
        ("Sec-Fetch-Dest", Part::FetchDest),
        ("Sec-Purpose", Part::Purpose),
        ("Sec-GPC", Part::Gpc),
        ("Address", Part::Client),
        ("Connection from", Part::Peer),
    ];
    let query = String::from_utf8_lossy(hit.get(Part::Query));
    let mark = if query.is_empty() { "" } else { "?" };
    let headers = HEADERS.iter().map(|(name, part)| (*name, hit.get(*part)));
    let fields = form::pairs(hit);
    Request {
        line: format!(
            "{} {}{mark}{}",
            hit.method.name(),
            String::from_utf8_lossy(hit.get(Part::Path)),
            show::short(&mask::pairs(&query), FIELD_CHARS),
        ),
        headers: headers
            .filter(|(_, bytes)| !bytes.is_empty())
            .map(|(name, bytes)| (name, show::short(&String::from_utf8_lossy(bytes), FIELD_CHARS)))
            .chain(
                (!hit.get(Part::BearerHash).is_empty())
                    .then(|| ("Authorization", mask::MASK.to_owned())),
            )
            .collect(),
        body: fields.is_none().then(|| {
            let body = String::from_utf8_lossy(hit.get(Part::Body));
            show::short(&mask::body(hit.text(Part::ContentType), &body), FIELD_CHARS)
        }),
        fields: fields.unwrap_or_default().into_iter().map(masked_field).collect(),
    }
}

fn masked_field((name, value): form::Pair<'_>) -> (String, String) {
    let (name, value) = (name.into_owned(), value.into_owned());
    let value = if mask::is_secret(&name) {
        mask::MASK.to_owned()
    } else {
        show::short(&value, FIELD_CHARS)
    };
    (show::short(&name, CELL_CHARS), value)
}

fn sale_part(sale: &Conversion, zone: &TimeZone) -> SalePart {
    let hold = match sale.status.as_str() {
        "pending" if sale.held => "waits for approval".to_owned(),
        _ => show::moment(sale.hold_until, zone).text,
    };
    let signed = if sale.verified { "yes" } else { "no: nothing signed speaks for it" };
    let mut rows = vec![
        ("Order id", sale.order_id.clone().unwrap_or_else(|| "none".to_owned())),
        ("Kind", sale.kind.clone()),
        ("Amount", show::money(sale.amount, &sale.currency)),
        ("Verified", signed.to_owned()),
        ("Affiliate", sale.affiliate.clone().unwrap_or_else(|| "nobody".to_owned())),
        ("Attributed by", show::attributed_by(sale.attributed_by.as_deref()).to_owned()),
        ("Commission", show::money(sale.commission, &sale.commission_currency)),
        ("Arithmetic", arithmetic(sale)),
        ("Held until", hold),
    ];
    if let Some(shares) = &sale.shares {
        rows.push(("Others", shares.clone()));
    }
    SalePart { rows, state: show::state(&sale.status), reasons: sentences(&sale.reasons) }
}

/// How the commission comes about, by the version of the plan that was in force.
pub fn arithmetic(sale: &Conversion) -> String {
    if sale.affiliate.is_none() {
        return "nobody is credited, so there is no commission".to_owned();
    }
    let money =
        |amount, currency: &str| Some(Money { amount, currency: Currency::parse(currency)? });
    let amount = money(sale.amount, &sale.currency);
    let commission = money(sale.commission + sale.touches, &sale.commission_currency);
    let explained = |terms: &Terms| match (&sale.order, SaleKind::parse(&sale.kind)) {
        (Some(order), Some(kind)) => {
            let home = Currency::parse(&sale.home)?;
            Some(settlement::arithmetic((order, kind), (terms, home), commission?))
        }
        _ => Some(terms.explain_booked(amount?, commission?)),
    };
    let Some(version) = sale.plan_version else {
        return "the program had no plan, so nothing is earned".to_owned();
    };
    match sale.terms.as_ref().and_then(explained) {
        Some(text) => format!("{text} (plan version {version})"),
        None => format!("plan version {version}"),
    }
}

fn transfer_line(transfer: &Transfer, zone: &TimeZone) -> TransferLine {
    TransferLine {
        at: show::moment(transfer.event_at, zone),
        code: transfer.code.clone(),
        from: transfer.debit.replace('_', " "),
        to: transfer.credit.replace('_', " "),
        amount: show::money(transfer.amount, &transfer.currency),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::hit::{Kind, Method};

    #[test]
    fn secrets_do_not_reach_the_page() {
        let mut hit = Hit::new(1, 1, Kind::Postback, Method::Post);
        hit.set(Part::Body, br#"{"key":"hush","amount":"5"}"#);
        hit.set(Part::ContentType, b"application/json");
        hit.set(Part::BearerHash, b"0123abcd");
        let shown = request(&hit);
        let text = format!("{:?} {:?} {:?}", shown.headers, shown.fields, shown.body);
        assert!(!text.contains("hush") && !text.contains("0123abcd"), "{text}");
        assert!(shown.fields.contains(&("amount".to_owned(), "5".to_owned())));
        hit.set(Part::Body, br#"{"key":"hush","amount":"#);
        assert!(!request(&hit).body.unwrap().contains("hush"));
    }
}
