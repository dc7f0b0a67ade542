//! An affiliate's room: his links, what he has earned, and the state of each sale. Tells nothing of others,
//! and not why a sale is looked at, only that it is; of what went back, how much and how far, not what was noted.

use std::collections::BTreeMap;

use askama::Template;
use hyper::StatusCode;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::page::{self, Bar, Frame, Refusal};
use super::{Portal, earned, show, typed};
use crate::domain::commission::Reader;
use crate::domain::id::Id;
use crate::domain::snippet;
use crate::http::Reply;
use crate::store::earnings::{self, Balance, SaleDay};

/// Days to choose from, and those that are shown where nobody chose.
const WINDOWS: [i32; 3] = [7, 30, 90];
const WINDOW: i32 = 30;
/// Links that are shown.
const LINKS_MAX: usize = 500;
/// Programs whose terms are shown.
const PLANS_MAX: usize = 200;

/// How somebody came in: into his own room, or as the operator into anybody's.
pub struct Door {
    /// Whose room it is.
    pub id: Id,
    /// The room's path, without a slash at its end.
    pub path: String,
    /// Whether it is the operator who looks.
    pub visiting: bool,
    /// What the bar on top has.
    pub bar: Bar,
}

impl Door {
    /// His own.
    pub fn own(id: Id, bar: Bar) -> Self {
        Door { id, path: "/affiliate".to_owned(), visiting: false, bar }
    }

    /// The operator's.
    pub fn operators(id: Id, bar: Bar) -> Self {
        Door { id, path: format!("/affiliate/{id}"), visiting: true, bar }
    }
}

#[derive(Template)]
#[template(path = "affiliate.html", config = "src/portal/askama.toml")]
struct Room {
    frame: Frame,
    paused: bool,
    path: String,
    balances: Vec<BalanceLine>,
    links: Vec<LinkLine>,
    /// He has more than these.
    more_links: bool,
    /// By program, what he earns there.
    plans: Vec<(String, Vec<String>)>,
    /// Of more programs than these.
    more_plans: bool,
    /// The windows to choose from, and whether each is the chosen one.
    windows: Vec<(i32, bool)>,
    days: Vec<DayLine>,
    total: DayLine,
    sales: Vec<earned::SaleLine>,
    /// Whether others' sales are among them.
    shares: bool,
    newest: bool,
    older: Option<Id>,
    window: i32,
}

struct BalanceLine {
    currency: String,
    pending: String,
    payable: String,
    paid: String,
}

struct LinkLine {
    program: String,
    url: String,
    destination: Option<String>,
    paused: bool,
}

struct DayLine {
    label: String,
    clicks: i64,
    conversions: i64,
    /// One line a currency, in each of these.
    sales: Vec<String>,
    pending: Vec<String>,
    payable: Vec<String>,
    paid: Vec<String>,
}

impl DayLine {
    /// The columns of money, in the order of the table's head.
    fn columns(&self) -> [(&'static str, &[String]); 4] {
        [
            ("Sales", &self.sales),
            ("Pending", &self.pending),
            ("Payable", &self.payable),
            ("Paid", &self.paid),
        ]
    }
}

/// The room.
pub async fn room(portal: &Portal, door: Door, query: &str) -> Result<Reply, Refusal> {
    let Door { id, path, visiting, bar } = door;
    let before = typed::before(query)?;
    let known = |typed: &str| WINDOWS.into_iter().find(|days| days.to_string() == typed);
    let fault = "There is no such window: choose one from the list, please.";
    let window = typed::chosen(query.as_bytes(), "days", known, fault);
    let window = window.map_err(Refusal::Unreadable)?.unwrap_or(WINDOW);
    let store = &portal.store;
    let affiliate = earnings::affiliate(store, id).await?.ok_or(Refusal::NotFound)?;
    let links = earnings::links(store, id, LINKS_MAX as i64 + 1).await?;
    let plans = earnings::plans(store, id, PLANS_MAX as i64 + 1).await?;
    let balances = earnings::totals(store, id).await?;
    let clicks = earnings::clicks(store, id, window).await?;
    let (days, total) = by_day(clicks, earnings::days(store, id, window).await?);
    let (newest, before) = (before.is_some(), before.unwrap_or(Id::MAX));
    let sales = earnings::sales(store, id, before).await?;
    let (sales, older) = earned::page(sales, earnings::shares(store, id, before).await?);
    let room = Room {
        frame: Frame::of(&affiliate.name, &affiliate.name, visiting).with(bar),
        paused: affiliate.paused,
        path,
        balances: balances.iter().map(balance_line).collect(),
        more_plans: plans.len() > PLANS_MAX,
        plans: plans.iter().take(PLANS_MAX).map(|plan| plan_lines(id, plan)).collect(),
        more_links: links.len() > LINKS_MAX,
        links: links
            .into_iter()
            .take(LINKS_MAX)
            .map(|link| link_line(&portal.public_base, link))
            .collect(),
        windows: WINDOWS.map(|days| (days, days == window)).to_vec(),
        days,
        total,
        shares: sales.iter().any(|sale| sale.others),
        sales,
        older,
        newest,
        window,
    };
    page::html(StatusCode::OK, &room)
}

fn balance_line(balance: &Balance) -> BalanceLine {
    let text = |amount| show::money(amount, &balance.currency);
    BalanceLine {
        currency: balance.currency.clone(),
        pending: text(balance.pending),
        payable: text(balance.payable),
        paid: text(balance.paid),
    }
}

fn plan_lines(affiliate_id: Id, plan: &earnings::Plan) -> (String, Vec<String>) {
    let reader = Reader {
        affiliate_id,
        group: plan.group.as_deref(),
        coupons: &plan.coupons,
        sells: plan.sells,
    };
    let told = plan.terms.as_ref().map(|terms| terms.told(&plan.currency, Some(&reader)));
    let none = || vec![show::plan(None, &plan.currency)];
    (plan.program.clone(), told.unwrap_or_else(none))
}

fn link_line(public_base: &str, link: earnings::Link) -> LinkLine {
    let url = snippet::link_url(public_base, &link.code);
    LinkLine { program: link.program, url, destination: link.destination, paused: link.paused }
}

/// Sums of a day, or of all. Currencies are never added to each other.
#[derive(Default)]
struct Sums {
    clicks: i64,
    conversions: i64,
    sales: BTreeMap<String, Decimal>,
    /// By status, then currency.
    commission: BTreeMap<String, BTreeMap<String, Decimal>>,
}

/// Folds clicks and sales into days, newest first, and their total.
fn by_day(clicks: Vec<(Date, i64)>, sales: Vec<SaleDay>) -> (Vec<DayLine>, DayLine) {
    let mut days: BTreeMap<Date, Sums> = BTreeMap::new();
    let mut total = Sums::default();
    for (day, clicks) in clicks {
        days.entry(day).or_default().clicks += clicks;
        total.clicks += clicks;
    }
    for sale in sales {
        days.entry(sale.day).or_default().add(&sale);
        total.add(&sale);
    }
    let lines = days.iter().rev().map(|(day, sums)| sums.line(day.to_string())).collect();
    (lines, total.line("Total".to_owned()))
}

impl Sums {
    fn add(&mut self, sale: &SaleDay) {
        self.conversions += sale.conversions;
        // What a share of another's sale is in is no currency of his sales.
        if sale.conversions > 0 {
            *self.sales.entry(sale.currency.clone()).or_default() += sale.sales;
        }
        let commission = self.commission.entry(sale.status.clone()).or_default();
        *commission.entry(sale.commission_currency.clone()).or_default() += sale.commission;
    }

    fn line(&self, label: String) -> DayLine {
        let lines = |sums: &BTreeMap<String, Decimal>| {
            sums.iter().map(|(currency, amount)| show::money(*amount, currency)).collect()
        };
        let commission = |status| self.commission.get(status).map(lines).unwrap_or_default();
        DayLine {
            label,
            clicks: self.clicks,
            conversions: self.conversions,
            sales: lines(&self.sales),
            pending: commission("pending"),
            payable: commission("payable"),
            paid: commission("paid"),
        }
    }
}
