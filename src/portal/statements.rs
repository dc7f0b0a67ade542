//! Statements: what was payable to an affiliate in a month, what moved it, and what is payable behind that, by
//! program and currency; on a page, printed, or as a table. An affiliate has his own, an advertiser those of his
//! affiliates as far as his programs go.

use std::collections::HashMap;

use askama::Template;
use hyper::StatusCode;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::affiliate;
use super::books::Desk;
use super::page::{self, Frame, Refusal};
use super::people::Said;
use super::show::{self, Moment, State};
use super::{Portal, once, standing, typed};
use crate::domain::id::Id;
use crate::domain::sheet;
use crate::domain::statement::{month_name, sheet_of};
use crate::http::{self, Reply};
use crate::store::page::{Page, Scope};
use crate::store::payouts;
use crate::store::sales;
use crate::store::statements::{self, Account, Movement, Question};
use crate::store::{Store, adjustments};

/// Movements of a statement, at most; as a table, and on a page that a browser can still show.
const MOVEMENTS_MAX: i64 = 50_000;
const SHOWN_MAX: i64 = 2_000;
/// Adjustments and payouts below a statement.
const BELOW_MAX: i64 = 50;
/// Months to choose from.
const MONTHS: usize = 12;

#[derive(Template)]
#[template(path = "statement.html", config = "src/portal/askama.toml")]
struct StatementPage {
    frame: Frame,
    said: Option<Said>,
    /// The room's, and this page's own.
    path: String,
    own: String,
    /// Whether an advertiser looks.
    sells: bool,
    affiliate: String,
    month: String,
    months: Vec<String>,
    /// More moved than a page can show.
    long: bool,
    accounts: Vec<AccountPart>,
    adjustments: Vec<AdjustmentLine>,
    payouts: Vec<PayoutLine>,
}

struct AdjustmentLine {
    at: Moment,
    program: String,
    amount: String,
    reason: String,
}

struct AccountPart {
    program: String,
    advertiser: String,
    timezone: String,
    currency: String,
    opening: String,
    closing: String,
    pending: String,
    movements: Vec<Line>,
}

struct Line {
    day: String,
    why: String,
    /// Of an adjustment.
    reason: Option<String>,
    /// An order, with its sale for whom may look at that.
    order: Option<String>,
    conversion_id: Option<Id>,
    amount: String,
    balance: String,
}

struct PayoutLine {
    at: Moment,
    program: String,
    amount: String,
    state: State,
    note: Option<String>,
}

#[derive(Template)]
#[template(path = "statements.html", config = "src/portal/askama.toml")]
struct StatementsPage {
    frame: Frame,
    path: String,
    affiliates: Vec<(Id, String)>,
}

/// Who looks at whose statement, and how he came to it.
struct View<'a> {
    store: &'a Store,
    scope: Scope,
    affiliate_id: Id,
    name: String,
    frame: Frame,
    path: String,
    own: String,
    sells: bool,
    now: Timestamp,
    query: &'a str,
}

/// An advertiser's affiliates, each with a way to his statement.
pub async fn list(desk: &Desk<'_>) -> Result<Reply, Refusal> {
    let page = StatementsPage {
        frame: desk.frame("Statements"),
        path: desk.door.path.clone(),
        affiliates: sales::affiliates(&desk.portal.store, desk.door.id, None).await?,
    };
    page::html(StatusCode::OK, &page)
}

/// The statement of one of an advertiser's affiliates.
pub async fn of_affiliate(desk: &Desk<'_>) -> Result<Reply, Refusal> {
    let store = &desk.portal.store;
    let known = sales::affiliates(store, desk.door.id, Some(desk.asked.id)).await?;
    let (affiliate_id, name) = known.into_iter().next().ok_or(Refusal::NotFound)?;
    let view = View {
        store,
        scope: desk.scope(),
        affiliate_id,
        frame: desk.frame(&format!("Statement of {name}")),
        name,
        path: desk.door.path.clone(),
        own: format!("{}/statements/{affiliate_id}", desk.door.path),
        sells: true,
        now: desk.advertiser.now,
        query: &desk.asked.query,
    };
    answer(view).await
}

/// An affiliate's own.
pub async fn own(portal: &Portal, door: affiliate::Door, query: &str) -> Result<Reply, Refusal> {
    let store = &portal.store;
    let found = crate::store::earnings::affiliate(store, door.id).await?;
    let found = found.ok_or(Refusal::NotFound)?;
    let view = View {
        store,
        scope: Scope { advertiser_id: None, affiliate_id: Some(door.id) },
        affiliate_id: door.id,
        frame: Frame::of("Statement", &found.name, door.visiting).with(door.bar),
        name: found.name,
        own: format!("{}/statement", door.path),
        path: door.path,
        sells: false,
        now: found.now,
        query,
    };
    answer(view).await
}

async fn answer(view: View<'_>) -> Result<Reply, Refusal> {
    let today = view.now.to_zoned(TimeZone::UTC).date();
    let (asked, said) = typed::asked(asked(view.query.as_bytes()), None);
    let readable = asked.is_some();
    let (chosen, is_sheet) = asked.unwrap_or_default();
    let month = chosen.unwrap_or_else(|| today.first_of_month());
    let limit = if is_sheet { MOVEMENTS_MAX } else { SHOWN_MAX };
    let Scope { advertiser_id, .. } = view.scope;
    let scope = Scope { advertiser_id, affiliate_id: None };
    let question = Question { affiliate_id: view.affiliate_id, program_id: None, month, limit };
    let found = match readable {
        true => statements::select(view.store, scope, &question).await?,
        false => Some(Vec::new()),
    };
    let text = month_name(month);
    if is_sheet && let Some(accounts) = &found {
        let name = format!("statement-{}-{text}.csv", view.affiliate_id);
        let table = sheet::written(&sheet_of(accounts, month));
        return Ok(http::saved(&name, sheet::CONTENT_TYPE, table));
    }
    let programs = statements::programs(view.store, view.scope).await?;
    let programs: HashMap<Id, statements::Program> =
        programs.into_iter().map(|program| (program.id, program)).collect();
    let page = StatementPage {
        months: months(today, month),
        month: text,
        long: found.is_none(),
        accounts: found.iter().flatten().map(|account| part(account, &programs)).collect(),
        adjustments: adjustments_of(&view, &programs).await?,
        payouts: payouts_of(&view, &programs).await?,
        frame: view.frame,
        path: view.path,
        own: view.own,
        sells: view.sells,
        affiliate: view.name,
        said,
    };
    page::html(once::status(page.said.as_ref()), &page)
}

/// Which month, and whether as a table.
fn asked(query: &[u8]) -> Result<(Option<Date>, bool), String> {
    let csv = |format: &str| (format == "csv").then_some(());
    let format = typed::chosen(query, "format", csv, "There is no such format: ask for csv.")?;
    Ok((typed::month(query, "month")?, format.is_some()))
}

/// The last months, newest first, and the one that was chosen.
fn months(today: Date, chosen: Date) -> Vec<String> {
    let first = today.first_of_month();
    let back = |n: usize| first.saturating_sub(jiff::Span::new().months(n as i64));
    let mut months: Vec<Date> = (0..MONTHS).map(back).collect();
    if !months.contains(&chosen) {
        months.push(chosen);
        months.sort_by(|a, b| b.cmp(a));
    }
    months.into_iter().map(month_name).collect()
}

fn part(account: &Account, programs: &HashMap<Id, statements::Program>) -> AccountPart {
    let currency = account.opening.currency.code();
    let money = |money: crate::domain::money::Money| show::money(money.amount, currency);
    let program = programs.get(&account.program_id);
    let line = |m: &Movement| Line {
        day: m.day.to_string(),
        why: standing::moved(&m.code).to_owned(),
        reason: m.reason.clone(),
        order: m.order_id.clone(),
        conversion_id: m.conversion_id,
        amount: money(m.amount),
        balance: money(m.balance),
    };
    AccountPart {
        program: program.map_or_else(|| account.program_id.to_string(), |p| p.name.clone()),
        advertiser: program.map(|p| p.advertiser.clone()).unwrap_or_default(),
        timezone: program.map(|p| p.timezone.clone()).unwrap_or_default(),
        currency: currency.to_owned(),
        opening: money(account.opening),
        closing: money(account.closing),
        pending: money(account.pending),
        movements: account.movements.iter().map(line).collect(),
    }
}

/// What was given to him or taken by hand, and why, whatever the month.
async fn adjustments_of(
    view: &View<'_>,
    programs: &HashMap<Id, statements::Program>,
) -> Result<Vec<AdjustmentLine>, Refusal> {
    let page = Page { id: None, before: None, limit: BELOW_MAX };
    let of = (None, Some(view.affiliate_id));
    let found = adjustments::select(view.store, view.scope, page, of).await?;
    let line = |a: &adjustments::Adjustment| {
        let program = programs.get(&a.of.program_id);
        let zone = show::zone(program.map_or("UTC", |program| &program.timezone));
        AdjustmentLine {
            at: show::moment(a.created_at, &zone),
            program: program.map(|program| program.name.clone()).unwrap_or_default(),
            amount: show::money(a.of.amount.amount, a.of.amount.currency.code()),
            reason: a.of.reason.clone(),
        }
    };
    Ok(found.iter().map(line).collect())
}

/// What he was paid, or is to be, whatever the month.
async fn payouts_of(
    view: &View<'_>,
    programs: &HashMap<Id, statements::Program>,
) -> Result<Vec<PayoutLine>, Refusal> {
    let filter =
        payouts::Filter { affiliate_id: Some(view.affiliate_id), ..payouts::Filter::default() };
    let page = Page { id: None, before: None, limit: BELOW_MAX };
    let found = payouts::select(view.store, view.scope, page, &filter).await?;
    let line = |p: &payouts::Payout| {
        let program = programs.get(&p.program_id);
        let zone = show::zone(program.map_or("UTC", |program| &program.timezone));
        PayoutLine {
            at: show::moment(p.paid_at.unwrap_or(p.created_at), &zone),
            program: program.map(|program| program.name.clone()).unwrap_or_default(),
            amount: show::money(p.amount.amount, p.amount.currency.code()),
            state: show::state(p.status.code()),
            note: p.reason.clone().or_else(|| p.reference.clone()),
        }
    };
    Ok(found.iter().map(line).collect())
}
