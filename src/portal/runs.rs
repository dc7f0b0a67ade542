//! A run of payouts on a page: what it proposed, the steps of all of it at once, and files for whoever carries the
//! payments out. A file has the accounts of people in it: it is for those who move money.

use askama::Template;

use super::books::Desk;
use super::once::{self, Stop, told};
use super::page::{self, Frame, Refusal};
use super::payouts::{self as list, Line, Names};
use super::people::Said;
use super::session::value;
use super::show::{self, Moment};
use super::typed;
use crate::domain::payout::{Method, Status, Step};
use crate::domain::payout_file::{self, Blocked};
use crate::http::{self, Reply};
use crate::store::Transaction;
use crate::store::page::Page;
use crate::store::payouts::{self, Filter, Said as Told, Stepped, Which};

/// Payouts of a run on its page.
const PAYOUTS_MAX: usize = 500;
/// Of a run's files.
const FORMATS: [&str; 3] = ["sepa", "paypal", "csv"];

#[derive(Template)]
#[template(path = "payout_run.html", config = "src/portal/askama.toml")]
struct RunPage {
    frame: Frame,
    said: Option<Said>,
    path: String,
    may: bool,
    once: String,
    id: crate::domain::id::Id,
    program: String,
    at: Moment,
    until: Option<Moment>,
    payouts: Vec<Line>,
    more: bool,
    /// How many of them wait for approval, and how many to be paid.
    proposed: usize,
    approved: usize,
    methods: [&'static str; 3],
}

/// The page.
pub async fn page(desk: &Desk<'_>, said: Option<Said>) -> Result<Reply, Refusal> {
    let (store, id, zone) = (&desk.portal.store, desk.asked.id, desk.zone());
    let runs = payouts::select_runs(store, desk.scope(), Page::one(id), None).await?;
    let run = runs.first().ok_or(Refusal::NotFound)?;
    let filter = Filter { run_id: Some(id), ..Filter::default() };
    let all = Page { id: None, before: None, limit: PAYOUTS_MAX as i64 + 1 };
    let mut found = payouts::select(store, desk.scope(), all, &filter).await?;
    let more = found.len() > PAYOUTS_MAX;
    found.truncate(PAYOUTS_MAX);
    let names = Names::of(desk, &found).await?;
    let count = |status| found.iter().filter(|payout| payout.status == status).count();
    let at = show::moment(run.created_at, &zone);
    let page = RunPage {
        frame: desk.frame("Payout run"),
        path: desk.door.path.clone(),
        may: desk.may(),
        once: once::key()?,
        id,
        program: names.program(run.program_id),
        at,
        until: run.until.map(|until| show::moment(until, &zone)),
        proposed: count(Status::Proposed),
        approved: count(Status::Approved),
        methods: Method::ALL.map(Method::code),
        payouts: found.iter().map(|payout| names.line(payout, &zone)).collect(),
        more,
        said,
    };
    page::html(once::status(page.said.as_ref()), &page)
}

/// The form of a step of all payouts of a run, or those of one method, that can take it.
pub async fn step(desk: &Desk<'_>) -> Result<Reply, Stop> {
    let id = desk.asked.id;
    let step = match &*value(&desk.asked.body, "step") {
        "approve" => Step::Approve,
        "pay" => Step::Pay,
        _ => return told("Please choose what becomes of them."),
    };
    let runs = payouts::select_runs(&desk.portal.store, desk.scope(), Page::one(id), None);
    if runs.await?.is_empty() {
        return Err(Refusal::NotFound.into());
    }
    let reference = list::reference(&desk.asked.body)?;
    let reference = reference.as_deref().filter(|_| step == Step::Pay);
    let said = Told { reference, reason: None };
    let which = Which::OfRun(id, method(&desk.asked.body)?);
    let work = async |tx: &Transaction<'_>| {
        let stepped = payouts::step(tx, desk.scope(), which, (step, said)).await?;
        match stepped {
            Stepped::Done(n) => Ok(format!("{}/payout-runs/{id}?done=run&n={n}", desk.door.path)),
            Stepped::Outdated(outdated) => told(list::words(&outdated)),
            Stepped::NotFound | Stepped::Not(_) => Err(Refusal::NotFound.into()),
        }
    };
    desk.once(work).await
}

/// How those are paid whom it is about; nothing for all of them.
fn method(form: &[u8]) -> Result<Option<Method>, Stop> {
    typed::chosen(form, "method", Method::parse, "There is no such method.").map_err(Stop::Told)
}

/// The file of a run's approved payouts.
pub async fn file(desk: &Desk<'_>) -> Result<Reply, Stop> {
    let query = desk.asked.query.as_bytes();
    let file =
        payouts::file(&desk.portal.store, desk.scope(), desk.asked.id, method(query)?).await?;
    let file = file.ok_or(Refusal::NotFound)?;
    let known = |format: &str| FORMATS.into_iter().find(|known| *known == format);
    let format = typed::chosen(query, "format", known, "There is no such file.");
    let format = format.map_err(Stop::Told)?.unwrap_or("csv");
    let blocked = match payout_file::write(&file, format) {
        Ok(written) => {
            return Ok(http::saved(&written.name, written.content_type, written.content));
        }
        Err(blocked) => blocked,
    };
    told(match blocked {
        Blocked::NothingToPay => "No approved payout of this run is paid in this way.".to_owned(),
        Blocked::PayerIncomplete => {
            "The account that you pay from is not known: set payer_iban through the API.".to_owned()
        }
        Blocked::Incomplete(missing) => {
            let name = |id| file.lines.iter().find(|line| line.affiliate_id == id);
            let faults = missing.into_iter().map(|(_, id, why)| {
                let why = why.replace('`', "");
                name(id).map_or_else(|| why.clone(), |line| format!("{}: {why}", line.affiliate))
            });
            let faults: Vec<String> = faults.collect();
            format!("Not all can be in this file. {}", faults.join("; "))
        }
    })
}
