//! `reports/commissions`: clicks, sales and commissions by day, program, link or sub id, as JSON or CSV.
//! One row for each group, currency of sales and currency of commissions; different currencies are never
//! added. Clicks count once, in the row of the advertiser's currency.

use hyper::StatusCode;
use hyper::header::{self, HeaderValue};
use serde_json::{Value, json};

use super::call::{Answered, Call, ok};
use super::refusal::Refusal;
use super::rules;
use crate::domain::money::{Currency, Money};
use crate::http::{self, FieldError, Reply};
use crate::store::report::{self, Bound, Line, Question, Sums};

/// Rows of a report; who needs more, asks for less time.
const ROWS_MAX: usize = 10_000;

/// `GET reports/commissions`
pub(super) async fn commissions(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let question = Question {
        group_by: query.optional("group_by", rules::group_by).unwrap_or_else(|| "day".to_owned()),
        program_id: query.optional("program_id", rules::identity),
        affiliate_id: query.optional("affiliate_id", rules::identity),
        from: query.optional("from", rules::bound),
        to: query.optional("to", rules::bound),
        limit: ROWS_MAX as i64 + 1,
    };
    let csv = query.optional("format", rules::format).as_deref() == Some("csv");
    query.finish()?;
    let lines = report::commissions(call.store(), call.scope(), &question).await?;
    if lines.len() > ROWS_MAX {
        let detail = format!("has more than {ROWS_MAX} rows; ask for less time");
        return Err(Refusal::Fields(vec![FieldError { pointer: "from".to_owned(), detail }]));
    }
    if csv {
        return Ok(as_csv(&question.group_by, &lines));
    }
    let group = question.group_by.as_str();
    Ok(ok(&json!({
        "from": question.from.map(bound),
        "to": question.to.map(bound),
        "group_by": group,
        "data": lines.iter().map(|line| row(group, line)).collect::<Vec<_>>(),
        "totals": totals(&lines).iter().map(sums).collect::<Vec<_>>(),
        "next_cursor": null,
    })))
}

fn bound(bound: Bound) -> String {
    match bound {
        Bound::Day(day) => day.to_string(),
        Bound::Moment(moment) => moment.to_string(),
    }
}

fn row(group: &str, line: &Line) -> Value {
    let mut value = sums(&line.sums);
    value[group] = json!(line.key);
    value
}

fn sums(s: &Sums) -> Value {
    json!({
        "currency": s.sales.currency,
        "clicks": s.clicks,
        "conversions": s.conversions,
        "sales": s.sales,
        "commission": {
            "pending": s.pending,
            "payable": s.payable,
            "paid": s.paid,
            "reversed": s.reversed,
        },
    })
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
    let plus = |to: &mut Money, from: Money| to.amount += from.amount;
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
    let mut records = vec![header.map(str::to_owned)];
    records.extend(lines.iter().map(|Line { key, sums: s }| {
        [
            neutral(key.as_deref().unwrap_or("")),
            s.sales.currency.code().to_owned(),
            s.pending.currency.code().to_owned(),
            s.clicks.to_string(),
            s.conversions.to_string(),
            s.sales.amount.to_string(),
            s.pending.amount.to_string(),
            s.payable.amount.to_string(),
            s.paid.amount.to_string(),
            s.reversed.amount.to_string(),
        ]
    }));
    let mut reply = http::reply(StatusCode::OK, "text/csv; charset=utf-8", written(&records));
    let headers = reply.headers_mut();
    let disposition = HeaderValue::from_static("attachment; filename=\"commissions.csv\"");
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

fn written<const N: usize>(records: &[[String; N]]) -> Vec<u8> {
    let terminator = csv::Terminator::CRLF;
    let mut writer = csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
    for record in records {
        // Into memory, and every record has N fields: there is nothing that could fail.
        let _ = writer.write_record(record);
    }
    writer.into_inner().unwrap_or_default()
}

/// A text that no spreadsheet takes for a formula (OWASP, "CSV injection").
fn neutral(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_neutralised() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            assert_eq!(neutral(text), format!("'{text}"));
        }
        for text in ["", "summer", "2026-01-31", "a=b"] {
            assert_eq!(neutral(text), text);
        }
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let records = [["a,b".to_owned(), "c\"d".to_owned()], ["e\nf".to_owned(), "g".to_owned()]];
        assert_eq!(written(&records), b"\"a,b\",\"c\"\"d\"\r\n\"e\nf\",g\r\n");
    }
}
