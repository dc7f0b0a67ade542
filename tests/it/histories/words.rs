//! A history in the product's words: hits as the edge keeps them, actions, terms, a catalog.

use rust_decimal::Decimal;
use tributary::domain::catalog::{Affiliate, Plan, Rows, Unsigned};
use tributary::domain::id::Id;
use tributary::domain::money::{Currency, Money};
use tributary::domain::settlement::Action;
use tributary::domain::takeback::{Chargeback, Dispute, Refund, Stage, Takeback};

use crate::world::{self, Sent, click_token, pixel};

use super::story::{Back, CLEO, Cash, Click, Deed, History, Tell, Terms, What, written};

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
    let clicked = |click: Click| click_token(click.affiliate, click.at_ms, 3);
    if let Some(click) = sale.token {
        hit = hit.token(clicked(click));
    }
    if let Some(click) = sale.cookie {
        hit = hit.cookie(clicked(click));
    }
    if sale.verified { hit.postback() } else { hit }
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
pub fn terms(terms: &Terms, home: &'static str) -> String {
    let home = |minor: i128| written(Cash { minor, currency: home });
    match *terms {
        Terms::Flat(minor) => format!(r#"{{"kind":"flat","amount":"{}"}}"#, home(minor)),
        Terms::Percent { rate, minimum, maximum } => {
            let least = minimum.map(|minor| format!(r#","minimum":"{}""#, home(minor)));
            let most = maximum.map(|minor| format!(r#","maximum":"{}""#, home(minor)));
            let rate = Decimal::from_i128_with_scale(rate, 4).normalize();
            let bounds = [least, most].map(Option::unwrap_or_default).concat();
            format!(r#"{{"kind":"percent","rate":"{rate}"{bounds}}}"#)
        }
    }
}

/// The catalog with the first so many versions of the plan.
pub fn catalog(history: &History, plans: usize) -> Rows {
    let mut rows = world::rows();
    rows.affiliates.push(Affiliate { id: CLEO, paused_ms: None, recruited_by: None, group: None });
    let program = &mut rows.programs[0];
    program.currency = Currency::parse(history.home).unwrap();
    program.hold_days = history.hold_days;
    program.unsigned = if history.holds_unsigned { Unsigned::Hold } else { Unsigned::Accept };
    let versions = history.plans.iter().zip(40..).take(plans);
    let plan = |((from_ms, told), id): (&(i64, Terms), Id)| Plan {
        id,
        from_ms: *from_ms,
        terms: world::terms(&terms(told, history.home)),
    };
    program.plans = versions.map(plan).collect();
    rows
}
