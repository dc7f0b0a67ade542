//! Adjustments: money that an advertiser gives to an affiliate or takes from him by hand, for a reason.

use askama::Template;

use super::books::Desk;
use super::once::{self, Stop, told};
use super::page::{self, Frame, Refusal};
use super::people::Said;
use super::session::value;
use super::show::{self, Moment};
use super::typed;
use crate::domain::id::Id;
use crate::domain::money::Currency;
use crate::http::Reply;
use crate::store::Transaction;
use crate::store::adjustments::{self, New};
use crate::store::page::Page;
use crate::store::portal::{self as rows, PAGE_ROWS};
use crate::store::sales;

/// Characters of a reason (V10).
const REASON_CHARS_MAX: usize = 500;

#[derive(Template)]
#[template(path = "adjustments.html", config = "src/portal/askama.toml")]
struct AdjustmentsPage {
    frame: Frame,
    said: Option<Said>,
    path: String,
    may: bool,
    once: String,
    programs: Vec<(Id, String)>,
    affiliates: Vec<(Id, String)>,
    currency: String,
    adjustments: Vec<Line>,
    older: Option<Id>,
    newest: bool,
}

struct Line {
    at: Moment,
    affiliate_id: Id,
    affiliate: String,
    program: String,
    amount: String,
    reason: String,
}

/// The page.
pub async fn page(desk: &Desk<'_>, said: Option<Said>) -> Result<Reply, Refusal> {
    let (store, whose, zone) = (&desk.portal.store, desk.door.id, desk.zone());
    let before = typed::before(&desk.asked.query)?;
    let page = Page { id: None, before, limit: PAGE_ROWS as i64 + 1 };
    let mut found = adjustments::select(store, desk.scope(), page, (None, None)).await?;
    let more = found.len() > PAGE_ROWS;
    found.truncate(PAGE_ROWS);
    let ids: Vec<Id> = found.iter().map(|adjustment| adjustment.of.affiliate_id).collect();
    let names = sales::names(store, &ids).await?;
    let programs: Vec<(Id, String)> =
        rows::programs(store, whose).await?.into_iter().map(|p| (p.id, p.name)).collect();
    let program = |id: Id| programs.iter().find(|program| program.0 == id);
    let line = |a: &adjustments::Adjustment| Line {
        at: show::moment(a.created_at, &zone),
        affiliate_id: a.of.affiliate_id,
        affiliate: names.get(&a.of.affiliate_id).cloned().unwrap_or_default(),
        program: program(a.of.program_id).map(|program| program.1.clone()).unwrap_or_default(),
        amount: show::money(a.of.amount.amount, a.of.amount.currency.code()),
        reason: a.of.reason.clone(),
    };
    let lines = found.iter().map(line).collect();
    let page = AdjustmentsPage {
        frame: desk.frame("Adjustments"),
        path: desk.door.path.clone(),
        may: desk.may(),
        once: once::key()?,
        affiliates: sales::affiliates(store, whose, None).await?,
        currency: desk.advertiser.currency.clone(),
        older: found.last().filter(|_| more).map(|adjustment| adjustment.id),
        newest: before.is_some(),
        adjustments: lines,
        programs,
        said,
    };
    page::html(once::status(page.said.as_ref()), &page)
}

/// The form.
pub async fn adjust(desk: &Desk<'_>) -> Result<Reply, Stop> {
    let body = &desk.asked.body;
    let chosen = |name| typed::id(body, name).map_err(Stop::Told);
    let (Some(program_id), Some(affiliate_id)) = (chosen("program")?, chosen("affiliate")?) else {
        return told("Please choose a program and an affiliate.");
    };
    let Some(currency) = Currency::parse(&value(body, "currency")) else {
        return told("This is no currency: write its code of three letters, such as EUR.");
    };
    let amount = typed::signed_amount(body, "amount", currency).map_err(Stop::Told)?;
    let reason = typed::text(body, "reason", REASON_CHARS_MAX).map_err(Stop::Told)?;
    let Some(reason) = reason else { return told("Please say why: the affiliate reads it.") };
    // Whose the program is, the statement sees to; a stranger's is not there at all.
    let own = rows::programs(&desk.portal.store, desk.door.id).await?;
    if own.iter().all(|program| program.id != program_id) {
        return Err(Refusal::NotFound.into());
    }
    let known = sales::affiliates(&desk.portal.store, desk.door.id, Some(affiliate_id)).await?;
    let is_known = !known.is_empty();
    let new = New { program_id, affiliate_id, amount, reason };
    let work =
        async |tx: &Transaction<'_>| match adjustments::create(tx, desk.scope(), &new).await? {
            Some(_) => Ok(format!("{}/adjustments?done=adjusted", desk.door.path)),
            None if is_known => told("This affiliate has nothing to do with this program."),
            None => Err(Refusal::NotFound.into()),
        };
    desk.once(work).await
}
