//! An advertiser's sales: a list with filters, each with what it costs him and why it stands where it does; and
//! verdicts on many at once.

use askama::Template;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use url::form_urlencoded::Serializer;

use super::books::Desk;
use super::once::{self, Stop, told};
use super::page::{self, Frame, Refusal};
use super::people::Said;
use super::session::{value, values};
use super::show::{self, Moment, State};
use super::{standing, typed};
use crate::domain::id::{self, Id};
use crate::domain::intake;
use crate::domain::ledger::Status;
use crate::http::Reply;
use crate::store::conversions::{self, Judged, Verdict};
use crate::store::page::Page;
use crate::store::portal::{self as rows, PAGE_ROWS};
use crate::store::sales::{self, Sale};

/// Sales of one verdict, at most.
const VERDICTS_MAX: usize = 100;
/// Characters of a reason (V3).
pub const REASON_CHARS_MAX: usize = 500;

#[derive(Template)]
#[template(path = "sales.html", config = "src/portal/askama.toml")]
struct SalesPage {
    frame: Frame,
    said: Option<Said>,
    path: String,
    may: bool,
    once: String,
    programs: Vec<(Id, String)>,
    statuses: [&'static str; 5],
    filter: Filter,
    sales: Vec<Line>,
    /// Whether any of them waits for a verdict.
    open: bool,
    /// Whether it shows whatever there is.
    all: bool,
    /// The query of this page without its place in the list, and that of the next.
    query: String,
    older: Option<String>,
    newest: bool,
    timezone: String,
}

/// A sale in the list.
pub struct Line {
    pub id: Id,
    pub at: Moment,
    pub program: String,
    pub order_id: Option<String>,
    pub affiliate: Option<String>,
    pub shares: i64,
    pub amount: String,
    pub net: String,
    pub state: State,
    pub why: Vec<String>,
    pub unverified: bool,
    /// Whether it can be approved or rejected with others.
    pub open: bool,
}

/// What was asked for.
#[derive(Default)]
struct Filter {
    program: Option<Id>,
    order: String,
    status: Option<&'static str>,
    from: Option<Date>,
    to: Option<Date>,
}

impl Filter {
    fn of(query: &[u8]) -> Result<Self, String> {
        let status = typed::chosen(query, "status", Status::parse, typed::NO_STATUS)?;
        let order: String = value(query, "order").chars().filter(|c| !c.is_control()).collect();
        Ok(Filter {
            program: typed::id(query, "program")?,
            order: show::short(order.trim(), 128),
            status: status.map(Status::code),
            from: typed::date(query, "from")?,
            to: typed::date(query, "to")?,
        })
    }

    /// As the address has it: what is known of it, and nothing else.
    fn query(&self) -> String {
        let mut query = Serializer::new(String::new());
        let day = |date: Option<Date>| date.map(|date| date.to_string());
        for (name, value) in [
            ("program", self.program.map(|id| id.to_string())),
            ("order", self.order()),
            ("status", self.status.map(str::to_owned)),
            ("from", day(self.from)),
            ("to", day(self.to)),
        ] {
            if let Some(value) = value {
                query.append_pair(name, &value);
            }
        }
        query.finish()
    }

    fn order(&self) -> Option<String> {
        Some(self.order.clone()).filter(|order| !order.is_empty())
    }

    fn rows(&self, zone: &TimeZone) -> sales::Filter {
        let begin = |day| typed::begin(day, zone);
        sales::Filter {
            program_id: self.program,
            // One that no order can have finds none.
            order_id: self.order().map(|id| intake::normal_order_id(&id).unwrap_or(id)),
            status: self.status.map(str::to_owned),
            from: self.from.and_then(begin),
            to: self.to.and_then(|day| begin(day.tomorrow().ok()?)),
        }
    }
}

/// The page.
pub async fn page(desk: &Desk<'_>, said: Option<Said>) -> Result<Reply, Refusal> {
    let (store, zone, query) = (&desk.portal.store, desk.zone(), &*desk.asked.query);
    let before = typed::before(query)?;
    let (filter, said) = typed::asked(Filter::of(query.as_bytes()), said);
    let page = Page { id: None, before, limit: PAGE_ROWS as i64 + 1 };
    let mut found = match &filter {
        Some(filter) => sales::select(store, desk.door.id, page, &filter.rows(&zone)).await?,
        None => Vec::new(),
    };
    let more = found.len() > PAGE_ROWS;
    found.truncate(PAGE_ROWS);
    let programs = rows::programs(store, desk.door.id).await?;
    let readable = filter.is_some();
    let filter = filter.unwrap_or_default();
    let (query, last) = (filter.query(), found.last().filter(|_| more).map(|sale| sale.id));
    let sales: Vec<Line> = found.iter().map(|sale| line(sale, &zone)).collect();
    let page = SalesPage {
        frame: desk.frame("Sales"),
        path: desk.door.path.clone(),
        may: desk.may(),
        once: once::key()?,
        programs: programs.into_iter().map(|program| (program.id, program.name)).collect(),
        statuses: Status::ALL.map(Status::code),
        open: sales.iter().any(|sale| sale.open),
        sales,
        older: last
            .map(|id| format!("{query}{}before={id}", if query.is_empty() { "" } else { "&" })),
        newest: before.is_some(),
        all: readable && query.is_empty(),
        query,
        filter,
        timezone: desk.advertiser.timezone.clone(),
        said,
    };
    page::html(once::status(page.said.as_ref()), &page)
}

/// A sale as a line of a list.
pub fn line(sale: &Sale, zone: &TimeZone) -> Line {
    Line {
        id: sale.id,
        at: show::moment(sale.received_at, zone),
        program: sale.program.clone(),
        order_id: sale.order_id.clone(),
        affiliate: sale.affiliate.clone(),
        shares: sale.shares,
        amount: show::money(sale.amount, &sale.currency),
        net: show::sums(&sale.net),
        state: show::state(&sale.standing.status),
        why: standing::why(&sale.standing, &sale.currency, zone),
        unverified: !sale.verified,
        open: sale.standing.status == "pending",
    }
}

/// The form of verdicts on those that were ticked.
pub async fn judge(desk: &Desk<'_>) -> Result<Reply, Stop> {
    let body = &desk.asked.body;
    let mut ids: Vec<Id> = Vec::new();
    for text in values(body, "ids") {
        let Some(id) = id::parse(&text) else { return told("Tick sales of the list, please.") };
        ids.push(id);
    }
    ids.sort_unstable();
    ids.dedup();
    match ids.len() {
        0 => return told("Tick the sales that you mean, please."),
        1..=VERDICTS_MAX => {}
        _ => return told(format!("At most {VERDICTS_MAX} sales at once, please.")),
    }
    let reason = reason(body)?;
    let verdict = verdict(body, reason.as_deref())?;
    let filter = Filter::of(desk.asked.query.as_bytes()).map_err(Stop::Told)?;
    let work = async |tx: &crate::store::Transaction<'_>| {
        let judged = conversions::judge_all(tx, desk.scope(), &ids, verdict).await?;
        let count = |what| judged.iter().filter(|(_, judged)| *judged == what).count();
        if count(Judged::NotFound) > 0 {
            return Err(Refusal::NotFound.into());
        }
        let done = count(Judged::Done);
        let query = filter.query();
        let mark = if query.is_empty() { "" } else { "&" };
        let not = ids.len() - done;
        Ok(format!("{}/sales?{query}{mark}done=judged&n={done}&not={not}", desk.door.path))
    };
    desk.once(work).await
}

/// The reason that a form gives.
pub fn reason(body: &[u8]) -> Result<Option<String>, Stop> {
    typed::text(body, "reason", REASON_CHARS_MAX).map_err(Stop::Told)
}

/// The verdict that a form gives; to reject, it has to say why.
pub fn verdict<'a>(body: &[u8], reason: Option<&'a str>) -> Result<Verdict<'a>, Stop> {
    match (&*value(body, "verdict"), reason) {
        ("approve", _) => Ok(Verdict::Approve),
        ("reject", Some(reason)) => Ok(Verdict::Reject(reason)),
        ("reject", None) => told("Please say why it is rejected."),
        _ => told("Approve or reject, please."),
    }
}
