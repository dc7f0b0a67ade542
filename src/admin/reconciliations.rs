//! `reconciliations`: shops' lists of orders, held against the books, and where the two differ.

use hyper::StatusCode;
use hyper::header::{self, HeaderValue};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{self, Answered, Call, ok, one_more, only};
use super::input::Input;
use super::programs;
use super::refusal::Refusal;
use super::rules::{self, Rule};
use super::shown::{self, IdText, Money};
use crate::domain::id::Id;
use crate::domain::money;
use crate::domain::sheet::{self, Cell, text, text_of};
use crate::http::{self, Reply};
use crate::store::page::Page;
use crate::store::reconciliations::{self, Filter};

/// Rows of a page as CSV, where no limit is asked for.
const CSV_ROWS: i64 = 10_000;

/// A shop's list of orders and what was found by it.
#[derive(Serialize, ToSchema)]
pub(super) struct Reconciliation {
    id: IdText,
    program_id: IdText,
    #[schema(schema_with = statuses)]
    status: String,
    /// Why it failed: a stable code, which INTEGRATION.md explains.
    failure: Option<String>,
    /// Of which time the list was taken to be, both ends in it: as asked, else from its first known order to its
    /// last. Only there something may be `extra`.
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    /// Lines of the list, but for the header and empty ones.
    lines: i64,
    /// What was found, by kind; kinds of which there is nothing are left out.
    findings: Vec<FindingCount>,
    created_at: Timestamp,
    compared_at: Option<Timestamp>,
}

/// How many findings of one kind there are, and what became of them.
#[derive(Serialize, ToSchema)]
pub(super) struct FindingCount {
    #[schema(schema_with = kinds)]
    kind: &'static str,
    found: i64,
    corrected: i64,
    /// That could not be corrected.
    failed: i64,
}

/// Where a list and the books differ.
#[derive(Serialize, ToSchema)]
pub(super) struct Finding {
    id: IdText,
    #[schema(schema_with = kinds)]
    kind: &'static str,
    /// Of the file, the header being 1; none of what is not in the list.
    line: Option<i64>,
    order_id: Option<String>,
    conversion_id: Option<IdText>,
    /// The list's.
    amount: Option<Money>,
    /// The list's; of `refunded_but_paid` none is all of it.
    refunded: Option<Money>,
    /// What the books said when they were compared.
    booked: Option<BookedThen>,
    /// The code of a fault, the status as the list has it, or the line that stands.
    detail: Option<String>,
    #[schema(schema_with = states)]
    state: String,
    /// Why it could not be corrected: a stable code, which INTEGRATION.md explains.
    why: Option<String>,
    corrected_at: Option<Timestamp>,
}

/// What the books said of an order.
#[derive(Serialize, ToSchema)]
pub(super) struct BookedThen {
    amount: Money,
    refunded: Money,
    #[schema(schema_with = shown::status)]
    status: String,
}

const STATUS: Rule<String> = rules::words!(&["uploading", "compared", "failed"]);
const STATE: Rule<String> = rules::words!(&["open", "corrected", "failed"]);

fn statuses() -> utoipa::openapi::schema::Object {
    shown::words(STATUS)
}

fn states() -> utoipa::openapi::schema::Object {
    shown::words(STATE)
}

fn kinds() -> utoipa::openapi::schema::Object {
    shown::words(rules::FINDING)
}

/// `GET programs/{id}/reconciliations`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let program = programs::find(call, call.id()?).await?;
    let mut query = call.query();
    let page = call::page(&mut query);
    query.finish()?;
    let (page_read, scope) = (one_more(page), call.scope());
    let rows = reconciliations::select(call.store(), scope, page_read, Some(program.id)).await?;
    Ok(call.list(page, &rows, |row| row.id, view))
}

/// `GET reconciliations/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    Ok(ok(&view(&find(call, call.id()?).await?)))
}

/// `GET reconciliations/{id}/findings`
pub(super) async fn findings(call: &Call<'_>) -> Answered {
    let id = find(call, call.id()?).await?.id;
    let mut query = call.query();
    let has_limit = query.has("limit");
    let (mut page, filter, format) = asked(&mut query);
    query.finish()?;
    if format == "csv" && !has_limit {
        page.limit = CSV_ROWS;
    }
    let (scope, which) = (call.scope(), (id, &filter));
    let rows = reconciliations::findings(call.store(), scope, one_more(page), which).await?;
    match format.as_str() {
        "csv" => Ok(as_csv(call, page, &rows)),
        _ => Ok(call.list(page, &rows, |row| row.id, finding)),
    }
}

pub(super) fn asked(query: &mut Input) -> (Page, Filter, String) {
    let page = call::page(query);
    let filter = Filter {
        kind: query.optional("kind", rules::FINDING),
        state: query.optional("state", STATE),
    };
    (page, filter, query.optional_or("format", rules::FORMAT, "json".to_owned()))
}

/// One that the one who asks may see.
pub(super) async fn find(
    call: &Call<'_>,
    id: Id,
) -> Result<reconciliations::Reconciliation, Refusal> {
    only(reconciliations::select(call.store(), call.scope(), Page::one(id), None).await?)
}

pub(super) fn view(r: &reconciliations::Reconciliation) -> Reconciliation {
    let count = |count: &reconciliations::Count| FindingCount {
        kind: count.kind.code(),
        found: count.found,
        corrected: count.corrected,
        failed: count.failed,
    };
    Reconciliation {
        id: IdText(r.id),
        program_id: IdText(r.program_id),
        status: r.status.clone(),
        failure: r.failure.clone(),
        from: r.span.map(|(from, _)| from),
        to: r.span.map(|(_, to)| to),
        lines: r.lines,
        findings: r.counts.iter().map(count).collect(),
        created_at: r.created_at,
        compared_at: r.compared_at,
    }
}

fn finding(f: &reconciliations::Finding) -> Finding {
    let booked = |booked: &reconciliations::Booked| BookedThen {
        amount: booked.amount.into(),
        refunded: booked.refunded.into(),
        status: booked.status.clone(),
    };
    Finding {
        id: IdText(f.id),
        kind: f.kind.code(),
        line: f.line,
        order_id: f.order_id.clone(),
        conversion_id: f.conversion_id.map(IdText),
        amount: f.amount.map(Money::from),
        refunded: f.refunded.map(Money::from),
        booked: f.booked.as_ref().map(booked),
        detail: f.detail.clone(),
        state: f.state.clone(),
        why: f.why.clone(),
        corrected_at: f.corrected_at,
    }
}

const HEADER: [&str; 14] = [
    "kind",
    "line",
    "order_id",
    "conversion_id",
    "currency",
    "amount",
    "refunded",
    "booked_currency",
    "booked_amount",
    "booked_refunded",
    "booked_status",
    "detail",
    "state",
    "why",
];

/// A page; the next one is in `Link`.
fn as_csv(call: &Call<'_>, page: Page, rows: &[reconciliations::Finding]) -> Reply {
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let shown = &rows[..rows.len().min(limit)];
    let mut records = vec![HEADER.map(text)];
    records.extend(shown.iter().map(record));
    let mut reply = http::reply(StatusCode::OK, sheet::CONTENT_TYPE, sheet::written(&records));
    let headers = reply.headers_mut();
    let disposition = HeaderValue::from_static("attachment; filename=\"findings.csv\"");
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let last = shown.last().filter(|_| rows.len() > limit);
    if let Some(link) = last.and_then(|row| call.link_to(&rules::cursor_after(row.id))) {
        headers.insert(header::LINK, link);
    }
    reply
}

fn record(f: &reconciliations::Finding) -> [Cell; 14] {
    let amount = |m: Option<money::Money>| Cell::Number(m.map(|m| m.amount));
    let code = |m: Option<money::Money>| text_of(m.map(|m| m.currency.code()));
    let booked = f.booked.as_ref();
    [
        text(f.kind.code()),
        Cell::Number(f.line.map(Decimal::from)),
        text_of(f.order_id.as_deref()),
        text_of(f.conversion_id),
        code(f.amount.or(f.refunded)),
        amount(f.amount),
        amount(f.refunded),
        code(booked.map(|b| b.amount)),
        amount(booked.map(|b| b.amount)),
        amount(booked.map(|b| b.refunded)),
        text_of(booked.map(|b| &b.status)),
        text_of(f.detail.as_deref()),
        text(&f.state),
        text_of(f.why.as_deref()),
    ]
}
