//! What a sale earns: a plan version's terms and the arithmetic. A plan is data; pricing is a function of it
//! and of the deal. One commission is rounded once, half to even; what cannot be known (a rate of exchange)
//! is said to be missing and never guessed.

mod bounds;
mod deal;
mod explain;
pub mod months;
mod recurring;
mod rules;
mod spread;
mod stored;
mod told;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::items::Item;
use super::money::{Currency, Money};

pub use bounds::{BONUSES_MAX, LEVELS_MAX, RATE_DETAIL, RULES_MAX, STEPS_MAX, WORDS_MAX, is_rate};
pub use deal::Deal;
pub use recurring::Recurring;
pub use rules::{Buyer, Rule, When};
pub use told::Reader;

/// The terms of one plan version, as the API takes them and the database keeps them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "stored::Stored", into = "stored::Stored")]
pub struct Terms {
    /// What is earned where no rule says otherwise.
    pub own: Pay,
    /// What is taken off the sale's amount before percent are of it.
    pub less: Vec<Part>,
    /// Which currency a commission in percent is in.
    pub currency: PaidIn,
    /// In order; the first that matches counts.
    pub rules: Vec<Rule>,
    /// More percent for more sales in a month.
    pub tiers: Option<Tiers>,
    /// Once a month, for each that is reached.
    pub bonuses: Vec<Bonus>,
    /// Commission of an affiliate in a month, at most; in the advertiser's currency.
    pub cap: Option<Decimal>,
    /// Whether renewals earn, and for how long.
    pub recurring: Option<Recurring>,
    /// What recruiters earn: first who recruited the affiliate, then who recruited him, …
    pub levels: Vec<Level>,
}

/// What one sale, or one part of it, earns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pay {
    /// How it is reckoned.
    pub by: By,
    /// At least so much, in the commission's currency; of a sale of nothing, too.
    pub minimum: Option<Decimal>,
    /// At most so much, in the commission's currency.
    pub maximum: Option<Decimal>,
}

/// How a commission is reckoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// So many percent: 0 to 100, at most four decimals.
    Percent(Decimal),
    /// An amount, at least 0, in the advertiser's currency with its decimals.
    Flat(Decimal, Per),
}

/// What a flat amount is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Once for each sale or lead.
    #[default]
    Sale,
    /// For each piece; where the shop names no items, once.
    Item,
}

/// A part of a sale's amount that the affiliate has no percent of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Part {
    Tax,
    Shipping,
    Discount,
}

/// Which currency a commission in percent is in. One that has a flat amount in it is in the advertiser's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaidIn {
    /// The sale's.
    #[default]
    Sale,
    /// The program's, which is the advertiser's.
    Program,
}

/// More percent for more sales of an affiliate in a calendar month, in the advertiser's time zone. They take
/// the place of the terms' own percent; what a rule priced stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tiers {
    /// What is counted.
    pub by: Measure,
    /// Which sales earn more.
    pub on: Reach,
    /// Ascending; at least one.
    pub steps: Vec<Step>,
}

/// What is counted of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The sales' amounts less refunds, in the advertiser's currency.
    Volume,
    /// The sales and leads.
    Count,
}

/// Which sales of a month a step is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// All of them, from the first on.
    Whole,
    /// Those beyond where it begins, and the part beyond of the sale that goes over it.
    Margin,
}

/// A step of tiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Volume in the advertiser's currency, or the number of the sale, at which it begins.
    pub from: Decimal,
    /// Percent in the place of the terms' own.
    pub rate: Decimal,
}

/// An amount for a month in which so much was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bonus {
    /// What is counted.
    pub by: Measure,
    /// Reached when there is at least so much.
    pub from: Decimal,
    /// In the advertiser's currency.
    pub amount: Decimal,
}

/// What one recruiter earns on a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Percent.
    pub rate: Decimal,
    /// Of what.
    pub of: Of,
}

/// What a recruiter's percent are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// The commission on the sale, before months add to it.
    Commission,
    /// The sale's amount, less what the terms take off.
    Sale,
}

/// What a deal earns, and how that came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priced {
    /// Rounded once.
    pub commission: Money,
    /// The rate of exchange that was used, if one was.
    pub rate: Option<Decimal>,
    /// The arithmetic, one line for each rule that had a part in it.
    pub lines: Lines,
}

/// One line of arithmetic: what one rule gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Which rule, 1 the first; none: the terms' own pay.
    pub rule: Option<usize>,
    /// What it pays.
    pub pay: Pay,
    /// What percent are of, in the sale's currency.
    pub base: Decimal,
    /// How many pieces.
    pub quantity: Decimal,
    /// In the commission's currency, within minimum and maximum, unrounded.
    pub earns: Decimal,
}

/// The lines of one commission, at least one. The first stands by itself: most commissions have no other,
/// and cost no allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    first: Line,
    more: Vec<Line>,
}

/// Above any real quantity, below any overflow.
const QUANTITY_MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

impl Terms {
    /// Terms without any options.
    pub fn plain(by: By) -> Self {
        Terms {
            own: Pay { by, minimum: None, maximum: None },
            less: Vec::new(),
            currency: PaidIn::Sale,
            rules: Vec::new(),
            tiers: None,
            bonuses: Vec::new(),
            cap: None,
            recurring: None,
            levels: Vec::new(),
        }
    }

    /// The commission on a deal. None: it is in another currency than the sale, and nobody quotes the rate.
    pub fn price(&self, deal: &Deal<'_>) -> Option<Priced> {
        let base = self.base(deal);
        let by_item = !deal.items.is_empty() && self.rules.iter().any(|r| r.when.looks_at_items());
        let lines =
            if by_item {
                let parts = spread::spread(base, deal.money.currency.exponent(), deal.items);
                let lines = deal.items.iter().zip(parts);
                Lines::gather(lines.map(|(item, part)| {
                    self.line(deal, Some(item), (part, clamped(item.quantity)))
                }))?
            } else {
                let pieces = deal.items.iter().map(|item| clamped(item.quantity)).sum();
                let quantity = if deal.items.is_empty() { Decimal::ONE } else { pieces };
                Lines { first: self.line(deal, None, (base, quantity)), more: Vec::new() }
            };
        self.sum(lines, deal)
    }

    /// What percent are of: the amount less what the terms take off, never below nothing.
    fn base(&self, deal: &Deal<'_>) -> Decimal {
        let off = self.less.iter().filter_map(|part| match part {
            Part::Tax => deal.tax,
            Part::Shipping => deal.shipping,
            Part::Discount => deal.discount,
        });
        let rest = off.fold(deal.money.amount, Decimal::saturating_sub);
        rest.max(Decimal::ZERO)
    }

    /// The first rule that is for this item, or for the order where there is none, and what it is to price.
    fn line(&self, deal: &Deal<'_>, item: Option<&Item>, part: (Decimal, Decimal)) -> Line {
        let rule = self.rules.iter().position(|rule| rule.when.matches(deal, item));
        let pay = rule.map_or(self.own, |at| self.rules[at].pay);
        let (base, quantity) = part;
        Line { rule: rule.map(|at| at + 1), pay, base, quantity, earns: Decimal::ZERO }
    }

    /// What the lines come to. The only place in which a commission is rounded.
    fn sum(&self, mut lines: Lines, deal: &Deal<'_>) -> Option<Priced> {
        let is_flat = |line: &Line| matches!(line.pay.by, By::Flat(..));
        let at_home = self.currency == PaidIn::Program || lines.iter().any(is_flat);
        let currency = if at_home { deal.home } else { deal.money.currency };
        let converts = currency != deal.money.currency && !lines.iter().all(is_flat);
        let rate = if converts { Some(deal.rate?) } else { None };
        let mut sum = Decimal::ZERO;
        for line in std::iter::once(&mut lines.first).chain(&mut lines.more) {
            line.earns = line.pay.earns(line.base, line.quantity, rate);
            sum = sum.saturating_add(line.earns);
        }
        Some(Priced { commission: Money::rounded(sum, currency), rate, lines })
    }

    /// What the first `depth` recruiters earn on a deal, each rounded once, in the commission's currency.
    /// None: a rate that is needed is missing.
    pub fn levels(&self, deal: &Deal<'_>, commission: Money, depth: usize) -> Option<Vec<Money>> {
        let amount = |level: &Level| {
            let of = match level.of {
                Of::Commission => commission.amount,
                Of::Sale if commission.currency == deal.money.currency => self.base(deal),
                Of::Sale => self.base(deal).saturating_mul(deal.rate?),
            };
            Some(Money::rounded(percent(of, level.rate), commission.currency))
        };
        self.levels.iter().take(depth).map(amount).collect()
    }

    /// Whether a sale in this currency may need a rate of exchange.
    pub fn may_convert(&self, sale: Currency, home: Currency) -> bool {
        let is_flat = |pay: &Pay| matches!(pay.by, By::Flat(..));
        let pays = || std::iter::once(&self.own).chain(self.rules.iter().map(|rule| &rule.pay));
        let at_home = self.currency == PaidIn::Program || pays().any(is_flat);
        let of_sale = self.levels.iter().any(|level| level.of == Of::Sale);
        sale != home && at_home && (of_sale || !pays().all(is_flat))
    }
}

impl Pay {
    /// So many percent of a base, converted, or so much for the pieces; within the bounds.
    fn earns(&self, base: Decimal, quantity: Decimal, rate: Option<Decimal>) -> Decimal {
        let earns = match self.by {
            By::Percent(of) => rate.into_iter().fold(percent(base, of), Decimal::saturating_mul),
            By::Flat(amount, Per::Sale) => amount,
            By::Flat(amount, Per::Item) => amount.saturating_mul(quantity),
        };
        self.bounded(earns)
    }

    fn bounded(&self, earns: Decimal) -> Decimal {
        let raised = self.minimum.map_or(earns, |least| earns.max(least));
        self.maximum.map_or(raised, |most| raised.min(most))
    }
}

impl Priced {
    /// What the terms' own percent were of, in the commission's currency: what tiers give more for.
    pub fn own_base(&self) -> Decimal {
        let own = self.lines.iter().find(|line| line.rule.is_none());
        let base = own.filter(|line| matches!(line.pay.by, By::Percent(_))).map(|line| line.base);
        self.rate.into_iter().fold(base.unwrap_or_default(), Decimal::saturating_mul)
    }
}

impl Lines {
    /// In the order in which the items named their rules.
    pub fn iter(&self) -> impl Iterator<Item = &Line> {
        std::iter::once(&self.first).chain(&self.more)
    }

    /// Makes one line of all that go by the same rule, so that a flat amount for the sale counts once and a
    /// minimum or maximum holds for all of them together.
    fn gather(mut lines: impl Iterator<Item = Line>) -> Option<Lines> {
        let mut gathered = Lines { first: lines.next()?, more: Vec::new() };
        for line in lines {
            let mut known = std::iter::once(&mut gathered.first).chain(&mut gathered.more);
            match known.find(|known| known.rule == line.rule) {
                Some(known) => {
                    known.base += line.base;
                    known.quantity += line.quantity;
                }
                None => gathered.more.push(line),
            }
        }
        Some(gathered)
    }
}

/// So many percent.
fn percent(of: Decimal, rate: Decimal) -> Decimal {
    of.saturating_mul(rate) / Decimal::ONE_HUNDRED
}

/// A quantity as it counts: what was brought back is not sold.
fn clamped(quantity: Decimal) -> Decimal {
    quantity.clamp(Decimal::ZERO, QUANTITY_MAX)
}
