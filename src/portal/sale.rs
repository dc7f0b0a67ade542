//! One sale on a page: all that is known of it, what went back of it, the arithmetic of its commission, its ledger
//! rows; and the forms that approve, reject, refund it and tell of a chargeback.

use askama::Template;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::books::Desk;
use super::hit::{self, HitLine};
use super::once::{self, Stop, told};
use super::page::{self, Frame, Refusal};
use super::people::Said;
use super::sales::{self as list, Line};
use super::session::value;
use super::show::{self, Moment, State};
use super::{standing, typed};
use crate::domain::id::Id;
use crate::domain::ledger::Status;
use crate::domain::reason::{self, Reason};
use crate::domain::takeback::{Dispute, Stage};
use crate::http::Reply;
use crate::store::conversions::{self, Judged};
use crate::store::page::{Page, Revision};
use crate::store::portal as rows;
use crate::store::sales::{self, Chargeback, Filter, Refund, Sale, Share, Transfer};

/// Where a sale is not what the form was made for.
pub const CHANGED: &str = "It changed meanwhile. Look again, then try again.";

#[derive(Template)]
#[template(path = "sale.html", config = "src/portal/askama.toml")]
struct SalePage {
    frame: Frame,
    said: Option<Said>,
    path: String,
    may: bool,
    once: String,
    sale: Line,
    currency: String,
    revision: Revision,
    facts: Vec<(&'static str, String)>,
    reasons: Vec<String>,
    shares: Vec<ShareLine>,
    refunds: Vec<RefundLine>,
    chargebacks: Vec<ChargebackLine>,
    transfers: Vec<TransferLine>,
    hits: Vec<HitLine>,
    can_approve: bool,
    can_reject: bool,
    disputes: &'static [Dispute],
    stages: [&'static str; 5],
}

struct ShareLine {
    affiliate: String,
    why: String,
    commission: String,
    net: String,
    state: State,
}

struct RefundLine {
    id: String,
    at: Moment,
    amount: String,
    hit_id: Option<Id>,
    note: Option<String>,
}

struct ChargebackLine {
    id: String,
    amount: String,
    state: State,
    reason: &'static str,
    requested: Moment,
    closed: Option<Moment>,
    hit_id: Option<Id>,
    note: Option<String>,
    /// Whether somebody may still tell how it ends.
    open: bool,
}

struct TransferLine {
    at: Moment,
    why: String,
    from: String,
    to: String,
    amount: String,
}

/// The page.
pub async fn page(desk: &Desk<'_>, said: Option<Said>) -> Result<Reply, Refusal> {
    let (store, whose, id) = (&desk.portal.store, desk.door.id, desk.asked.id);
    let found = sales::select(store, whose, Page::one(id), &Filter::default()).await?;
    let sale = found.into_iter().next().ok_or(Refusal::NotFound)?;
    let terms = rows::conversion(store, whose, id).await?.ok_or(Refusal::NotFound)?;
    let zone = desk.zone();
    let hits = rows::conversion_hits(store, whose, id).await?;
    let title = sale.order_id.as_ref().map_or_else(|| "Sale".to_owned(), |id| format!("Sale {id}"));
    let shares = sales::shares(store, whose, id).await?;
    let refunds = sales::refunds(store, whose, id).await?;
    let chargebacks = sales::chargebacks(store, whose, id).await?;
    let transfers = sales::transfers(store, whose, id).await?;
    let status = &*sale.standing.status;
    let has = |reason: Reason| sale.standing.reasons.iter().any(|code| code == reason.code());
    let page = SalePage {
        frame: desk.frame(&title),
        path: desk.door.path.clone(),
        may: desk.may(),
        once: once::key()?,
        can_approve: status == "pending" && !has(Reason::ChargebackOpen),
        can_reject: matches!(status, "pending" | "payable"),
        facts: facts(&sale, &terms),
        reasons: sale.standing.reasons.iter().map(|r| reason::text_of(r).to_owned()).collect(),
        revision: sale.revision,
        currency: sale.currency.clone(),
        shares: shares.iter().map(share_line).collect(),
        refunds: refunds.into_iter().map(|refund| refund_line(refund, &zone)).collect(),
        chargebacks: chargebacks.into_iter().map(|told| chargeback_line(told, &zone)).collect(),
        transfers: transfers.iter().map(|row| transfer_line(row, &zone)).collect(),
        hits: hits.iter().map(|row| hit::line(row, &zone, &desk.advertiser.currency)).collect(),
        disputes: Dispute::ALL,
        stages: [Stage::Open, Stage::Potential, Stage::Won, Stage::Lost, Stage::Accepted]
            .map(Stage::code),
        sale: Line { at: show::second(sale.received_at, &zone), ..list::line(&sale, &zone) },
        said,
    };
    page::html(once::status(page.said.as_ref()), &page)
}

fn facts(sale: &Sale, terms: &rows::Conversion) -> Vec<(&'static str, String)> {
    let signed = if sale.verified { "yes" } else { "no: nothing signed speaks for it" };
    let money = |amount: Decimal| show::money(amount, &sale.commission_currency);
    let refunded = sale.standing.refunded;
    let went_back = (!refunded.is_zero()).then(|| show::money(refunded, &sale.currency));
    // Of what was rejected all was taken back, whatever went back before.
    let (word, lost) = match &*sale.standing.status {
        "rejected" => ("Rejected", sale.commission),
        _ => ("Taken back", sale.reversed),
    };
    let left = ("Commission left", money(sale.commission - lost));
    let lost = (!lost.is_zero()).then(|| (word, money(lost)));
    let own = vec![
        ("Program", sale.program.clone()),
        ("Order id", sale.order_id.clone().unwrap_or_else(|| "none".to_owned())),
        ("Kind", sale.kind.clone()),
        ("Amount", show::money(sale.amount, &sale.currency)),
        ("Went back", went_back.unwrap_or_else(|| "nothing".to_owned())),
        ("Verified", signed.to_owned()),
        ("Affiliate", sale.affiliate.clone().unwrap_or_else(|| "nobody".to_owned())),
        ("Attributed by", show::attributed_by(terms.attributed_by.as_deref()).to_owned()),
        ("Commission", money(sale.commission)),
        ("Arithmetic", hit::arithmetic(terms)),
    ];
    let all = (sale.shares > 0).then(|| ("Left with what others get", show::sums(&sale.net)));
    own.into_iter().chain(lost).chain([left]).chain(all).collect()
}

fn share_line(share: &Share) -> ShareLine {
    let why = match (&*share.kind, share.level) {
        ("level", Some(level)) => format!("recruited him, level {level}"),
        _ => "an earlier click".to_owned(),
    };
    let net = match &*share.status {
        "rejected" | "reversed" => Decimal::ZERO,
        _ => share.commission - share.reversed,
    };
    ShareLine {
        affiliate: share.affiliate.clone().unwrap_or_else(|| "another affiliate".to_owned()),
        why,
        commission: show::money(share.commission, &share.currency),
        net: show::money(net, &share.currency),
        state: show::state(&share.status),
    }
}

fn amount(money: Option<(Decimal, String)>) -> String {
    money.map_or_else(|| "all".to_owned(), |(amount, currency)| show::money(amount, &currency))
}

fn refund_line(refund: Refund, zone: &TimeZone) -> RefundLine {
    RefundLine {
        id: refund.refund_id,
        at: show::moment(refund.at, zone),
        amount: amount(refund.money),
        hit_id: refund.hit_id,
        note: refund.note,
    }
}

fn chargeback_line(told: Chargeback, zone: &TimeZone) -> ChargebackLine {
    ChargebackLine {
        id: told.chargeback_id,
        amount: amount(told.money),
        open: !Stage::parse(&told.status).is_some_and(Stage::is_closed),
        state: show::state(&told.status),
        reason: Dispute::parse(&told.reason).text(),
        requested: show::moment(told.requested_at, zone),
        closed: told.closed_at.map(|at| show::moment(at, zone)),
        hit_id: told.hit_id,
        note: told.note,
    }
}

fn transfer_line(row: &Transfer, zone: &TimeZone) -> TransferLine {
    let account =
        |(code, owner): &(String, Option<String>)| standing::account(code, owner.as_deref());
    TransferLine {
        at: show::moment(row.event_at, zone),
        why: standing::moved(&row.code).to_owned(),
        from: account(&row.debit),
        to: account(&row.credit),
        amount: show::money(row.amount, &row.currency),
    }
}

/// The form of a verdict on this sale, as it stood when its page was made.
pub async fn judge(desk: &Desk<'_>) -> Result<Reply, Stop> {
    let (body, id) = (&desk.asked.body, desk.asked.id);
    let reason = list::reason(body)?;
    let verdict = list::verdict(body, reason.as_deref())?;
    let only_at = typed::chosen(body, "revision", |text| text.parse::<Revision>().ok(), CHANGED);
    let only_at = only_at.map_err(Stop::Told)?;
    let word = if value(body, "verdict") == "approve" { "approved" } else { "rejected" };
    let work = async |tx: &crate::store::Transaction<'_>| match conversions::judge(
        tx,
        desk.scope(),
        id,
        (verdict, only_at),
    )
    .await?
    {
        Judged::Done => Ok(format!("{}/sales/{id}?done={word}", desk.door.path)),
        Judged::NotFound => Err(Refusal::NotFound.into()),
        Judged::Changed => told(CHANGED),
        Judged::TooLate(Status::Paid) => told("Something of it was paid out."),
        Judged::TooLate(status) => told(format!("It is {} by now.", status.code())),
        Judged::Disputed => told("A chargeback is open: nothing is paid until it is decided."),
    };
    desk.once(work).await
}
