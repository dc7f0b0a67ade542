//! An advertiser's payouts: what is owed, the payouts of his programs and where each stands, one payout with its
//! items; and the forms that propose a run and move a payout on.

use std::collections::HashMap;

use askama::Template;
use jiff::tz::TimeZone;
use url::form_urlencoded::Serializer;

use super::books::Desk;
use super::once::{self, Stop, told};
use super::page::{self, Frame, Refusal};
use super::people::Said;
use super::session::value;
use super::show::{self, Moment, State};
use super::{standing, typed};
use crate::domain::id::Id;
use crate::domain::payout::{Status, Step};
use crate::http::Reply;
use crate::store::Transaction;
use crate::store::page::Page;
use crate::store::payouts::{self, Filter, Outdated, Payout, Said as Told, Stepped, Which};
use crate::store::portal::{self as rows, PAGE_ROWS};
use crate::store::sales;

/// Characters of a reference and of a reason (V10).
const REFERENCE_CHARS_MAX: usize = 200;
const REASON_CHARS_MAX: usize = 500;
/// Runs in their list: the last ones.
const RUNS_MAX: i64 = 10;
/// Ledger rows of a payout on its page.
const ITEMS_MAX: usize = 500;

#[derive(Template)]
#[template(path = "payouts.html", config = "src/portal/askama.toml")]
struct PayoutsPage {
    frame: Frame,
    said: Option<Said>,
    path: String,
    may: bool,
    once: String,
    programs: Vec<(Id, String)>,
    owed: Vec<OwedLine>,
    statuses: [&'static str; 5],
    program: Option<Id>,
    status: String,
    payouts: Vec<Line>,
    older: Option<String>,
    newest: bool,
    /// The last runs, with their programs.
    runs: Vec<(Id, Moment, String)>,
    timezone: String,
}

struct OwedLine {
    affiliate_id: Id,
    affiliate: String,
    program: String,
    amount: String,
    /// It is the affiliate who owes.
    debt: bool,
    /// Or so much is under way to him still, and his next payout nets it.
    under_way: Option<String>,
}

/// A payout in a list.
pub struct Line {
    pub id: Id,
    pub run_id: Id,
    pub at: Moment,
    pub affiliate_id: Id,
    pub affiliate: String,
    pub program: String,
    pub amount: String,
    pub state: State,
    /// The reference of a paid one, the reason of a failed one.
    pub note: Option<String>,
}

#[derive(Template)]
#[template(path = "payout.html", config = "src/portal/askama.toml")]
struct PayoutPage {
    frame: Frame,
    said: Option<Said>,
    path: String,
    may: bool,
    once: String,
    payout: Line,
    facts: Vec<(&'static str, String)>,
    steps: Steps,
    items: Vec<ItemLine>,
    more: bool,
}

/// Which steps can be taken.
pub struct Steps {
    pub approve: bool,
    pub pay: bool,
    pub fail: bool,
    pub cancel: bool,
}

impl Steps {
    fn from(status: Status) -> Self {
        let can = |step: Step| step.from(status).is_some();
        Steps {
            approve: can(Step::Approve),
            pay: can(Step::Pay),
            fail: can(Step::Fail),
            cancel: can(Step::Cancel),
        }
    }
}

struct ItemLine {
    at: Moment,
    why: String,
    sale: Option<(Id, String)>,
    amount: String,
    released: bool,
}

/// The page of all of them.
pub async fn list(desk: &Desk<'_>, said: Option<Said>) -> Result<Reply, Refusal> {
    let (store, query) = (&desk.portal.store, &*desk.asked.query);
    let before = typed::before(query)?;
    let (asked, said) = typed::asked(asked(query.as_bytes()), said);
    let (readable, (program, status)) = (asked.is_some(), asked.unwrap_or_default());
    let filter = Filter {
        program_id: program,
        status: status.map(|status| status.code().to_owned()),
        ..Filter::default()
    };
    let page = Page { id: None, before, limit: PAGE_ROWS as i64 + 1 };
    let mut found = match readable {
        true => payouts::select(store, desk.scope(), page, &filter).await?,
        false => Vec::new(),
    };
    let more = found.len() > PAGE_ROWS;
    found.truncate(PAGE_ROWS);
    let owed = sales::owed(store, desk.door.id).await?;
    let last = Page { id: None, before: None, limit: RUNS_MAX };
    let runs = payouts::select_runs(store, desk.scope(), last, program).await?;
    let names = Names::of(desk, &found).await?;
    let zone = desk.zone();
    let run = |run: &payouts::Run| {
        (run.id, show::moment(run.created_at, &zone), names.program(run.program_id))
    };
    let status = status.map(Status::code).unwrap_or_default().to_owned();
    let older = found.last().filter(|_| more).map(|last| way(program, &status, last.id));
    let page = PayoutsPage {
        frame: desk.frame("Payouts"),
        path: desk.door.path.clone(),
        may: desk.may(),
        once: once::key()?,
        owed: owed.into_iter().map(owed_line).collect(),
        statuses: Status::ALL.map(Status::code),
        program,
        status,
        payouts: found.iter().map(|payout| names.line(payout, &zone)).collect(),
        runs: runs.iter().map(run).collect(),
        programs: names.programs,
        older,
        newest: before.is_some(),
        timezone: desk.advertiser.timezone.clone(),
        said,
    };
    page::html(once::status(page.said.as_ref()), &page)
}

/// Which program and which status the list is to be of.
fn asked(query: &[u8]) -> Result<(Option<Id>, Option<Status>), String> {
    let status = typed::chosen(query, "status", Status::parse, typed::NO_STATUS)?;
    Ok((typed::id(query, "program")?, status))
}

/// The query of the page that follows.
fn way(program: Option<Id>, status: &str, before: Id) -> String {
    let mut query = Serializer::new(String::new());
    if let Some(program) = program {
        query.append_pair("program", &program.to_string());
    }
    if !status.is_empty() {
        query.append_pair("status", status);
    }
    query.append_pair("before", &before.to_string()).finish()
}

fn owed_line(owed: sales::Owed) -> OwedLine {
    let (is_below, is_held) = (owed.amount.is_sign_negative(), !owed.under_way.is_zero());
    OwedLine {
        affiliate_id: owed.affiliate_id,
        affiliate: owed.affiliate.unwrap_or_else(|| owed.affiliate_id.to_string()),
        program: owed.program,
        amount: show::money(owed.amount, &owed.currency),
        debt: is_below && !is_held,
        under_way: (is_below && is_held).then(|| show::money(owed.under_way, &owed.currency)),
    }
}

/// What programs and affiliates are called.
pub struct Names {
    pub programs: Vec<(Id, String)>,
    affiliates: HashMap<Id, String>,
}

impl Names {
    /// Of those that payouts name.
    pub async fn of(desk: &Desk<'_>, payouts: &[Payout]) -> Result<Self, Refusal> {
        let store = &desk.portal.store;
        let programs = rows::programs(store, desk.door.id).await?;
        let ids: Vec<Id> = payouts.iter().map(|payout| payout.affiliate_id).collect();
        Ok(Names {
            programs: programs.into_iter().map(|program| (program.id, program.name)).collect(),
            affiliates: sales::names(store, &ids).await?,
        })
    }

    /// A program's.
    pub fn program(&self, id: Id) -> String {
        let found = self.programs.iter().find(|program| program.0 == id);
        found.map_or_else(|| id.to_string(), |program| program.1.clone())
    }

    /// A payout as a line of a list.
    pub fn line(&self, p: &Payout, zone: &TimeZone) -> Line {
        let affiliate = self.affiliates.get(&p.affiliate_id).cloned();
        Line {
            id: p.id,
            run_id: p.run_id,
            at: show::moment(p.created_at, zone),
            affiliate_id: p.affiliate_id,
            affiliate: affiliate.unwrap_or_else(|| p.affiliate_id.to_string()),
            program: self.program(p.program_id),
            amount: show::money(p.amount.amount, p.amount.currency.code()),
            state: show::state(p.status.code()),
            note: p.reason.clone().or_else(|| p.reference.clone()),
        }
    }
}

/// The page of one.
pub async fn page(desk: &Desk<'_>, said: Option<Said>) -> Result<Reply, Refusal> {
    let (store, id, zone) = (&desk.portal.store, desk.asked.id, desk.zone());
    let found = payouts::select(store, desk.scope(), Page::one(id), &Filter::default()).await?;
    let names = Names::of(desk, &found).await?;
    let payout = found.first().ok_or(Refusal::NotFound)?;
    let all = Page { id: None, before: None, limit: ITEMS_MAX as i64 + 1 };
    let mut items = payouts::items(store, desk.scope(), id, all).await?;
    let more = items.len() > ITEMS_MAX;
    items.truncate(ITEMS_MAX);
    let line = names.line(payout, &zone);
    let page = PayoutPage {
        frame: desk.frame(&format!("Payout to {}", line.affiliate)),
        path: desk.door.path.clone(),
        may: desk.may(),
        once: once::key()?,
        facts: facts(payout, &zone),
        payout: line,
        steps: Steps::from(payout.status),
        items: items.iter().map(|item| item_line(item, &zone)).collect(),
        more,
        said,
    };
    page::html(once::status(page.said.as_ref()), &page)
}

fn facts(p: &Payout, zone: &TimeZone) -> Vec<(&'static str, String)> {
    let at = |at: Option<jiff::Timestamp>| at.map(|at| show::moment(at, zone).text);
    let told = [
        ("Approved", at(p.approved_at)),
        ("Paid", at(p.paid_at)),
        ("Reference", p.reference.clone()),
        ("Closed", at(p.closed_at)),
        ("Reason", p.reason.clone()),
    ];
    told.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
}

fn item_line(item: &payouts::Item, zone: &TimeZone) -> ItemLine {
    let order = item.order_id.clone().unwrap_or_else(|| "without an order id".to_owned());
    ItemLine {
        at: show::moment(item.event_at, zone),
        why: standing::moved(&item.code).to_owned(),
        sale: item.conversion_id.map(|id| (id, order)),
        amount: show::money(item.amount.amount, item.amount.currency.code()),
        released: item.released_at.is_some(),
    }
}

/// The form of a run: payouts of all that is owed in a program.
pub async fn propose(desk: &Desk<'_>) -> Result<Reply, Stop> {
    let body = &desk.asked.body;
    let Some(program) = typed::id(body, "program").map_err(Stop::Told)? else {
        return told("Please choose a program.");
    };
    let until = typed::begin_of(body, "until", &desk.zone()).map_err(Stop::Told)?;
    let work = async |tx: &Transaction<'_>| {
        let run = payouts::run(tx, desk.scope(), program, until).await?;
        let run = run.ok_or(Refusal::NotFound)?;
        Ok(format!("{}/payout-runs/{run}?done=proposed", desk.door.path))
    };
    desk.once(work).await
}

/// The form of a step of one payout.
pub async fn step(desk: &Desk<'_>) -> Result<Reply, Stop> {
    let id = desk.asked.id;
    let (step, done) = match &*value(&desk.asked.body, "step") {
        "approve" => (Step::Approve, "approved"),
        "pay" => (Step::Pay, "paid"),
        "fail" => (Step::Fail, "failed"),
        "cancel" => (Step::Cancel, "cancelled"),
        _ => return told("Please choose what becomes of it."),
    };
    let reference = reference(&desk.asked.body)?;
    let reason = typed::text(&desk.asked.body, "reason", REASON_CHARS_MAX).map_err(Stop::Told)?;
    if step == Step::Fail && reason.is_none() {
        return told("Please say why it failed.");
    }
    let said = Told {
        reference: reference.as_deref().filter(|_| step == Step::Pay),
        reason: reason.as_deref().filter(|_| step == Step::Fail),
    };
    let work = async |tx: &Transaction<'_>| match payouts::step(
        tx,
        desk.scope(),
        Which::One(id),
        (step, said),
    )
    .await?
    {
        Stepped::Done(_) => Ok(format!("{}/payouts/{id}?done={done}", desk.door.path)),
        Stepped::NotFound => Err(Refusal::NotFound.into()),
        Stepped::Not(status) => told(format!("It is {} by now.", status.code())),
        Stepped::Outdated(outdated) => told(words(&outdated)),
    };
    desk.once(work).await
}

/// Why payouts are not approved.
pub fn words(outdated: &[Outdated]) -> String {
    let one = |outdated: &Outdated| {
        let Outdated { affiliate, less, .. } = outdated;
        format!("{affiliate}: {} less", show::money(less.amount, less.currency.code()))
    };
    let all: Vec<String> = outdated.iter().map(one).collect();
    format!(
        "Nothing was approved: more went back since than came. By now it would be, for {}. Cancel what is named and \
         propose again.",
        all.join("; for ")
    )
}

/// What whoever pays knows a payment by.
pub fn reference(body: &[u8]) -> Result<Option<String>, Stop> {
    typed::text(body, "reference", REFERENCE_CHARS_MAX).map_err(Stop::Told)
}
