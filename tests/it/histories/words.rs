//! A history in the product's words: hits as the edge keeps them, actions, terms, a catalog.

use jiff::Span;
use jiff::civil::Date;
use rust_decimal::Decimal;
use tributary::domain::catalog::{Model, Plan, Rows, Unsigned};
use tributary::domain::id::Id;
use tributary::domain::money::{Currency, Money};
use tributary::domain::rates::Rate;
use tributary::domain::settlement::Action;
use tributary::domain::takeback::{Chargeback, Dispute, Refund, Stage, Takeback};
use tributary::domain::token::{Keys, Token};

use crate::world::{self, PROGRAM, Sent, affiliate, click_token, pixel};

use super::story::{
    Back, CLEO, Cash, Click, Deed, History, Level, QUOTED, QUOTED_DAYS, Tell, Terms, Version, What,
    quote, recruiter, written,
};

/// What a hit says of its order, but for who referred it by a click.
pub fn query(tell: &Tell) -> String {
    let order = tell.order;
    match &tell.what {
        What::Sale(sale) => {
            let coupon = if sale.coupon { "&coupon=BEN10" } else { "" };
            format!("id=o{order}{}{coupon}", amount(Some(sale.cash)))
        }
        What::Back(Back::Refund { name, cash }) => {
            format!("type=refund&id=o{order}&refund_id={name}{}", amount(*cash))
        }
        What::Back(Back::Chargeback { name, cash, stage }) => {
            let stage = if *stage == "potential" { "open&potential=1" } else { stage };
            let told = format!("&chargeback_id={name}&status={stage}{}", amount(*cash));
            format!("type=chargeback&id=o{order}{told}")
        }
    }
}

/// A hit as the edge keeps it.
pub fn sent(tell: &Tell) -> Sent {
    let mut hit = pixel(0, &query(tell)).at(tell.at_ms);
    hit.id = tell.id;
    let What::Sale(sale) = &tell.what else { return hit.postback() };
    let told = |clicks: &[Click]| tokens(clicks, PROGRAM, &world::keys());
    if !sale.token.is_empty() {
        hit = hit.token_text(&told(&sale.token));
    }
    if !sale.cookie.is_empty() {
        hit.cookie = format!("tr_{PROGRAM}={}", told(&sale.cookie));
    }
    if sale.verified { hit.postback() } else { hit }
}

/// Clicks as a parameter or a cookie tells of them.
pub fn tokens(clicks: &[Click], program_id: Id, keys: &Keys) -> String {
    let token = |click: &Click| {
        let made = click_token(click.affiliate, click.at_ms, click.edge());
        Token { program_id, link_id: made.link_id + 10 * click.link, ..made }.sign(keys)
    };
    clicks.iter().map(token).collect::<Vec<_>>().join("~")
}

fn amount(cash: Option<Cash>) -> String {
    let text = |cash: Cash| format!("&amount={}&currency={}", written(cash), cash.currency);
    cash.map(text).unwrap_or_default()
}

pub fn money(cash: Cash) -> Money {
    let currency = Currency::parse(cash.currency).unwrap();
    Money { amount: Decimal::from_i128_with_scale(cash.minor, currency.exponent()), currency }
}

/// What a person does, as the product knows it.
pub fn action(deed: &Deed, now_ms: i64) -> Action {
    match deed {
        Deed::Approve => Action::Approve,
        Deed::Reject => Action::Reject("no".to_owned()),
        Deed::Correct(cash) => Action::Correct(money(*cash)),
        Deed::Back(Back::Refund { name, cash }) => {
            let refund = Refund { id: (*name).to_owned(), money: cash.map(money) };
            Action::Takeback(Takeback::Refund(refund))
        }
        Deed::Back(Back::Chargeback { name, cash, stage }) => {
            let stage = Stage::parse(stage).unwrap();
            let told = Chargeback {
                id: (*name).to_owned(),
                money: cash.map(money),
                stage,
                reason: Dispute::Unknown,
                requested_ms: now_ms,
                closed_ms: stage.is_closed().then_some(now_ms),
            };
            Action::Takeback(Takeback::Chargeback(told))
        }
    }
}

/// The terms as the API takes them.
pub fn terms(version: &Version, home: &'static str) -> String {
    let home = |minor: i128| written(Cash { minor, currency: home });
    let percent = |rate: i128| Decimal::from_i128_with_scale(rate, 4).normalize();
    let level = |level: &Level| {
        let of = if level.of_sale { "sale" } else { "commission" };
        format!(r#"{{"rate":"{}","of":"{of}"}}"#, percent(level.rate))
    };
    let levels = version.levels.iter().map(level).collect::<Vec<_>>().join(",");
    match version.terms {
        Terms::Flat(minor) => {
            format!(r#"{{"kind":"flat","amount":"{}","levels":[{levels}]}}"#, home(minor))
        }
        Terms::Percent { rate, minimum, maximum, at_home } => {
            let least = minimum.map(|minor| format!(r#","minimum":"{}""#, home(minor)));
            let most = maximum.map(|minor| format!(r#","maximum":"{}""#, home(minor)));
            let rate = percent(rate);
            let paid_in = at_home.then(|| r#","currency":"program""#.to_owned());
            let more = [least, most, paid_in].map(Option::unwrap_or_default).concat();
            format!(r#"{{"kind":"percent","rate":"{rate}","levels":[{levels}]{more}}}"#)
        }
    }
}

/// All quotes, as the bank's files have them.
pub fn quotes() -> Vec<Rate> {
    let quoted = |number: usize, day: i64| {
        let per_euro = Decimal::from_i128_with_scale(quote(number, day)?, 6);
        let on = Date::constant(1970, 1, 1) + Span::new().days(day);
        Some(Rate { currency: Currency::parse(QUOTED[number].0).unwrap(), on, per_euro })
    };
    QUOTED_DAYS.flat_map(|day| (0..QUOTED.len()).filter_map(move |n| quoted(n, day))).collect()
}

/// The catalog with the first so many versions of the plan.
pub fn catalog(history: &History, plans: usize) -> Rows {
    let mut rows = world::rows();
    rows.affiliates.push(affiliate(CLEO));
    for one in &mut rows.affiliates {
        one.recruited_by = recruiter(one.id);
    }
    let program = &mut rows.programs[0];
    program.currency = Currency::parse(history.home).unwrap();
    program.hold_days = history.hold_days;
    program.attribution = Model::parse(history.model).unwrap();
    program.unsigned = if history.holds_unsigned { Unsigned::Hold } else { Unsigned::Accept };
    let versions = history.plans.iter().zip(40..).take(plans);
    let plan = |(version, id): (&Version, Id)| Plan {
        id,
        from_ms: version.from_ms,
        terms: world::terms(&terms(version, history.home)),
    };
    program.plans = versions.map(plan).collect();
    rows
}
