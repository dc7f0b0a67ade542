//! `reports/commissions`: clicks, sales and commissions by day, program, link or sub id, as JSON or CSV.
//! One row for each group, currency of sales and currency of commissions; different currencies are never
//! added. Clicks count once, in the row of the advertiser's currency.

use std::collections::BTreeMap;

use hyper::StatusCode;
use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use super::call::{Answered, Call};
use super::cells;
use super::input::Input;
use super::refusal::Refusal;
use super::rules;
use super::shown::Money;
use crate::domain::money::{self, Currency};
use crate::domain::sheet::{number, text, text_of};
use crate::http::{self, FieldError, Reply};
use crate::store::report::{self, Bound, Line, Question, Sums};

/// Rows of a report; who needs more, asks for less time.
const ROWS_MAX: usize = 10_000;

/// Clicks, sales and commissions, grouped.
#[derive(Serialize, ToSchema)]
pub(super) struct Report {
    /// As asked for; none is 30 days before the end.
    from: Option<String>,
    /// As asked for; none is until now.
    to: Option<String>,
    group_by: String,
    data: Vec<Row>,
    /// The sums of all rows, for each pair of currencies.
    totals: Vec<Counts>,
    /// Always none: a report has one page.
    next_cursor: Option<String>,
}

/// One group in one currency of sales and one of commissions.
#[derive(Serialize, ToSchema)]
pub(super) struct Row {
    /// The day, the id or the sub id, in a field named as `group_by`; none where a sale or click has none.
    #[serde(flatten)]
    #[schema(value_type = Group)]
    group: BTreeMap<String, Option<String>>,
    #[serde(flatten)]
    counts: Counts,
}

/// What a row is about, in one field that is named as `group_by`: the day in the advertiser's time zone, the
/// id or the sub id; null where a sale or click has none.
struct Group;

impl PartialSchema for Group {
    fn schema() -> RefOr<Schema> {
        let words = (rules::GROUP_BY.schema)()["enum"].as_array().cloned().unwrap_or_default();
        let text =
            || ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]));
        // At least one: which of them it is, the question tells.
        let group = ObjectBuilder::new().min_properties(Some(1));
        let names = words.iter().filter_map(serde_json::Value::as_str);
        names.fold(group, |group, name| group.property(name, text())).into()
    }
}

impl ToSchema for Group {}

/// Numbers that may be added.
#[derive(Serialize, ToSchema)]
pub(super) struct Counts {
    /// Of the sales; ISO 4217.
    #[schema(example = "USD")]
    currency: &'static str,
    /// Counted once, in the row of the advertiser's currency.
    clicks: i64,
    /// But for the rejected and the reversed.
    conversions: i64,
    /// Of those conversions.
    sales: Money,
    commission: Commission,
}

/// Commissions by where their money is.
#[derive(Serialize, ToSchema)]
pub(super) struct Commission {
    pending: Money,
    payable: Money,
    paid: Money,
    /// Rejected or reversed.
    reversed: Money,
}

/// `GET reports/commissions`
pub(super) async fn commissions(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let (question, format) = asked(&mut query);
    query.finish()?;
    let lines = report::commissions(call.store(), call.scope(), &question).await?;
    if lines.len() > ROWS_MAX {
        let detail = format!("has more than {ROWS_MAX} rows; ask for less time");
        return Err(Refusal::Fields(vec![FieldError { pointer: "from".to_owned(), detail }]));
    }
    if format == "csv" {
        return Ok(as_csv(&question.group_by, &lines));
    }
    Ok(http::json(StatusCode::OK, &shown(question, &lines)))
}

pub(super) fn asked(query: &mut Input) -> (Question, String) {
    let question = Question {
        group_by: query.optional_or("group_by", rules::GROUP_BY, "day".to_owned()),
        program_id: query.optional("program_id", rules::ID),
        affiliate_id: query.optional("affiliate_id", rules::ID),
        from: query.optional("from", rules::BOUND),
        to: query.optional("to", rules::BOUND),
        limit: ROWS_MAX as i64 + 1,
    };
    (question, query.optional_or("format", rules::FORMAT, "json".to_owned()))
}

fn shown(question: Question, lines: &[Line]) -> Report {
    let group_by = question.group_by;
    Report {
        from: question.from.map(bound),
        to: question.to.map(bound),
        data: lines.iter().map(|line| row(&group_by, line)).collect(),
        totals: totals(lines).iter().map(counts).collect(),
        next_cursor: None,
        group_by,
    }
}

fn bound(bound: Bound) -> String {
    match bound {
        Bound::Day(day) => day.to_string(),
        Bound::Moment(moment) => moment.to_string(),
    }
}

fn row(group: &str, line: &Line) -> Row {
    let group = BTreeMap::from([(group.to_owned(), line.key.clone())]);
    Row { group, counts: counts(&line.sums) }
}

fn counts(s: &Sums) -> Counts {
    Counts {
        currency: s.sales.currency.code(),
        clicks: s.clicks,
        conversions: s.conversions,
        sales: s.sales.into(),
        commission: Commission {
            pending: s.pending.into(),
            payable: s.payable.into(),
            paid: s.paid.into(),
            reversed: s.reversed.into(),
        },
    }
}

/// The sums over all groups, for each pair of currencies.
fn totals(lines: &[Line]) -> Vec<Sums> {
    let mut totals: Vec<Sums> = Vec::new();
    for Line { sums, .. } in lines {
        match totals.iter_mut().find(|total| currencies(total) == currencies(sums)) {
            Some(total) => add(total, sums),
            None => totals.push(*sums),
        }
    }
    totals.sort_by_key(|total| currencies(total).map(Currency::code));
    totals
}

fn currencies(sums: &Sums) -> [Currency; 2] {
    [sums.sales.currency, sums.pending.currency]
}

/// Adds what is of the same currencies.
fn add(total: &mut Sums, more: &Sums) {
    total.clicks += more.clicks;
    total.conversions += more.conversions;
    let plus = |to: &mut money::Money, from: money::Money| to.amount += from.amount;
    plus(&mut total.sales, more.sales);
    plus(&mut total.pending, more.pending);
    plus(&mut total.payable, more.payable);
    plus(&mut total.paid, more.paid);
    plus(&mut total.reversed, more.reversed);
}

/// RFC 4180, with a header row.
fn as_csv(group: &str, lines: &[Line]) -> Reply {
    let header = [
        group,
        "currency",
        "commission_currency",
        "clicks",
        "conversions",
        "sales",
        "commission_pending",
        "commission_payable",
        "commission_paid",
        "commission_reversed",
    ];
    let mut records = vec![header.map(text)];
    records.extend(lines.iter().map(|Line { key, sums: s }| {
        [
            text_of(key.as_deref()),
            text(s.sales.currency.code()),
            text(s.pending.currency.code()),
            number(s.clicks),
            number(s.conversions),
            number(s.sales.amount),
            number(s.pending.amount),
            number(s.payable.amount),
            number(s.paid.amount),
            number(s.reversed.amount),
        ]
    }));
    cells::sheet("commissions.csv", &records)
}
