//! Whom a hit credits, and what he and others earn by a plan: in whole numbers, by other arithmetic than the product's.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tributary::domain::id::Id;

use crate::world::{BEN, DAY};

use super::story::{
    Cash, Click, History, Model, QUOTED, Sale, Terms, Version, decimals, quote, recruiter,
};

const WINDOW: i64 = 30 * DAY;
/// Of more touches the oldest but the first go.
const TOUCHES: usize = 5;
/// All of something, in ten-thousandths of a percent.
const WHOLE: i128 = 100 * 10_000;

/// What a sale earns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earned {
    /// Whom the sale names.
    pub affiliate: Option<Id>,
    pub currency: &'static str,
    /// The number of each part, whose it is, and how much; none that is nothing. 0 is the affiliate's own, then come
    /// the other touches', then the recruiters'.
    pub parts: Vec<(usize, Id, i128)>,
}

/// Whom a hit's own evidence credits: of a sale that touches share all of them, oldest first.
pub fn credited(sale: &Sale, at_ms: i64, model: Model) -> Vec<Id> {
    let good = |click: &&Click| at_ms - click.at_ms <= WINDOW;
    let coupon = sale.coupon.then_some(BEN);
    let one = match model {
        "last_click" => {
            let last = |clicks: &[Click]| clicks.last().filter(good).map(|click| click.affiliate);
            last(&sale.token).or(coupon).or(last(&sale.cookie))
        }
        "first_click" => {
            let first =
                [sale.token.first(), sale.cookie.first()].into_iter().flatten().filter(good);
            first.min_by_key(|click| click.at_ms).map(|click| click.affiliate).or(coupon)
        }
        _ => return touches(sale.token.iter().chain(&sale.cookie).filter(good), coupon, at_ms),
    };
    one.into_iter().collect()
}

/// Of each link the newest click; and the coupon, when it was used.
fn touches<'a>(clicks: impl Iterator<Item = &'a Click>, coupon: Option<Id>, at_ms: i64) -> Vec<Id> {
    let mut newest = BTreeMap::new();
    for click in clicks {
        let known = newest.entry(click.edge()).or_insert(click.at_ms);
        *known = click.at_ms.max(*known);
    }
    // An edge sees the clicks of one link alone, two for each affiliate.
    let clicks = newest.into_iter().map(|(edge, at_ms)| (at_ms, edge, Id::from(edge / 2)));
    let mut touches: Vec<(i64, u16, Id)> = clicks.chain(coupon.map(|id| (at_ms, 0, id))).collect();
    touches.sort_unstable();
    while touches.len() > TOUCHES {
        touches.remove(1);
    }
    touches.into_iter().map(|touch| touch.2).collect()
}

/// What a sale of these touches, told at a moment, earns by a version of the plan; nothing, if it was `voided`.
pub fn earned(
    plan: &Version,
    (sale, at_ms): (Cash, i64),
    touches: &[Id],
    history: &History,
    voided: bool,
) -> Earned {
    let Some(own) = touches.last().copied() else {
        return Earned { affiliate: None, currency: sale.currency, parts: Vec::new() };
    };
    let exchange = |to: &str| Exchange::of(sale.currency, to, at_ms);
    let whole = commission(&plan.terms, sale, history.home, exchange);
    let mut parts: Vec<(Id, i128)> = split(whole.minor, touches, history.model);
    let above = std::iter::successors(recruiter(own), |below| recruiter(*below));
    parts.extend(above.zip(&plan.levels).map(|(above, level)| {
        let minor = match level.of_sale {
            true => {
                let Exchange { times, by } = exchange(whole.currency);
                half_even(sale.minor * level.rate * times, WHOLE * by)
            }
            false => half_even(whole.minor * level.rate, WHOLE),
        };
        (above, minor)
    }));
    let parts = parts.into_iter().enumerate().map(|(part, (id, minor))| (part, id, minor));
    let parts = parts.filter(|(_, _, minor)| *minor != 0 && !voided).collect();
    Earned { affiliate: Some(own), currency: whole.currency, parts }
}

/// A commission in parts by the touches' weights, the last touch's affiliate first. What cannot be divided goes, unit
/// by unit, where most of it is missing.
fn split(commission: i128, touches: &[Id], model: Model) -> Vec<(Id, i128)> {
    let between = touches.len() as i128 - 2;
    let weight = |at: usize| match model {
        "position_based" if between > 0 && (at == 0 || at + 1 == touches.len()) => 2 * between,
        _ => 1,
    };
    let mut parts: Vec<(Id, i128)> = Vec::new();
    for (at, id) in touches.iter().enumerate() {
        match parts.iter_mut().find(|part| part.0 == *id) {
            Some(part) => part.1 += weight(at),
            None => parts.push((*id, weight(at))),
        }
    }
    let own = parts.iter().position(|part| Some(&part.0) == touches.last()).expect("it is one");
    parts[..=own].rotate_right(1);
    let whole: i128 = parts.iter().map(|part| part.1).sum();
    let mut missing: Vec<usize> = (0..parts.len()).collect();
    missing.sort_by_key(|at| Reverse(commission * parts[*at].1 % whole));
    parts.iter_mut().for_each(|part| part.1 = commission * part.1 / whole);
    let left = commission - parts.iter().map(|part| part.1).sum::<i128>();
    missing.iter().take(left as usize).for_each(|at| parts[*at].1 += 1);
    parts
}

fn commission(
    terms: &Terms,
    sale: Cash,
    home: &'static str,
    exchange: impl Fn(&str) -> Exchange,
) -> Cash {
    match *terms {
        Terms::Flat(minor) => Cash { minor, currency: home },
        Terms::Percent { rate, minimum, maximum, at_home } => {
            let currency = if at_home { home } else { sale.currency };
            let Exchange { times, by } = exchange(currency);
            let (exact, whole) = (sale.minor * rate * times, WHOLE * by);
            let exact = minimum.map_or(exact, |least| exact.max(least * whole));
            let exact = maximum.map_or(exact, |most| exact.min(most * whole));
            Cash { minor: half_even(exact, whole), currency }
        }
    }
}

/// Minor units of one currency in those of another: so many times, divided by so much.
struct Exchange {
    times: i128,
    by: i128,
}

impl Exchange {
    /// By the last quotes before the day of a moment, as one rate of ten digits.
    fn of(from: &str, to: &str, at_ms: i64) -> Exchange {
        if from == to {
            return Exchange { times: 1, by: 1 };
        }
        let (one, other) = (per_euro(from, at_ms), per_euro(to, at_ms));
        let mut by = 1;
        while other * by / one < 1_000_000_000 {
            by *= 10;
        }
        let times = half_even(other * by, one);
        let units = |currency| 10_i128.pow(decimals(currency));
        Exchange { times: times * units(to), by: by * units(from) }
    }
}

/// What one euro was, in millionths.
fn per_euro(currency: &str, at_ms: i64) -> i128 {
    let number = QUOTED.iter().position(|quoted| quoted.0 == currency);
    let days = || (0..at_ms.div_euclid(DAY)).rev();
    number.map_or(1_000_000, |number| days().find_map(|day| quote(number, day)).expect("quoted"))
}

/// A quotient, halves to even.
pub fn half_even(of: i128, by: i128) -> i128 {
    let (whole, twice) = (of / by, of % by * 2);
    match twice.cmp(&by) {
        std::cmp::Ordering::Less => whole,
        std::cmp::Ordering::Greater => whole + 1,
        std::cmp::Ordering::Equal => whole + whole % 2,
    }
}
