//! A calendar month of one affiliate in one program: what tiers, bonuses and the cap give beside the
//! commissions that were booked sale by sale at the terms' own rates. The same whatever the order of the
//! input, and however often it is asked: whoever closes the month books the difference to what the month's
//! earlier closings booked.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{Measure, Pay, Reach, Step, Terms, Tiers, percent};
use crate::domain::id::Id;
use crate::domain::money::{Currency, Money};

/// One conversion of the month as it is known now: pending, payable or paid. Of what was rejected or reversed
/// there is none.
#[derive(Debug, Clone, Copy)]
pub struct Booked<'a> {
    /// The conversion; with the moment it gives the order of the month.
    pub id: Id,
    /// When the hit that speaks for it arrived.
    pub at_ms: i64,
    /// Its amount less refunds, in the advertiser's currency; none: nobody quotes its currency, so it does not
    /// count as volume.
    pub volume: Option<Decimal>,
    /// Whether it counts as a sale or lead of this affiliate; a recruiter's share, say, does not.
    pub counts: bool,
    /// What the terms' own percent were of ([`super::Priced::own_base`]) less the part that was refunded, in the
    /// commission's currency.
    pub base: Decimal,
    /// As booked, less what was reversed.
    pub commission: Money,
    /// Of the version that it was priced by.
    pub terms: &'a Terms,
}

/// What is due for a month beside its commissions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// All lines together, in each currency one; in order of currency. Below zero where the cap cuts.
    pub extra: Vec<Money>,
    /// How it came about.
    pub lines: Vec<Line>,
}

/// One step of the arithmetic of a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// What the tiers of one version of the terms give more for its sales.
    Tier {
        /// The terms' own percent.
        own: Decimal,
        /// What the month's sales were paid by: percent, and of how much; in order of the steps.
        parts: Vec<(Decimal, Decimal)>,
        /// Whether the minimum or maximum of a commission changed anything.
        bounded: bool,
        /// More than by the own percent alone. Rounded once.
        extra: Money,
    },
    /// A bonus that was reached.
    Bonus {
        /// What was counted.
        by: Measure,
        /// From when on.
        from: Decimal,
        /// How much there was.
        reached: Decimal,
        /// The bonus.
        extra: Money,
    },
    /// What is above the cap.
    Cap {
        /// At most.
        cap: Decimal,
        /// What commissions, tiers and bonuses came to.
        sum: Decimal,
        /// What it cuts: below zero.
        extra: Money,
    },
}

/// What a month is due. `at_end` are the terms in force at its end: theirs are bonuses and cap; tiers are those
/// of each conversion's own version. Bonuses are in the advertiser's currency, and of commissions in that alone
/// the cap knows: amounts of different currencies are never added.
pub fn due(booked: &[Booked<'_>], at_end: &Terms, home: Currency) -> Due {
    let mut month: Vec<&Booked<'_>> = booked.iter().collect();
    month.sort_by_key(|booked| (booked.at_ms, booked.id));
    let all = month.iter().fold(Reached::default(), |reached, booked| reached.and(booked));
    let mut lines = tiers(&month, all);
    for bonus in &at_end.bonuses {
        let reached = all.of(bonus.by);
        if reached >= bonus.from {
            let extra = Money::rounded(bonus.amount, home);
            lines.push(Line::Bonus { by: bonus.by, from: bonus.from, reached, extra });
        }
    }
    let commissions = month.iter().map(|booked| booked.commission);
    let at_home = commissions.chain(lines.iter().map(Line::extra)).filter(|m| m.currency == home);
    let sum: Decimal = at_home.map(|money| money.amount).sum();
    if let Some(cap) = at_end.cap.filter(|cap| sum > *cap) {
        lines.push(Line::Cap { cap, sum, extra: Money::rounded(cap - sum, home) });
    }
    let mut sums: BTreeMap<&str, Money> = BTreeMap::new();
    for Money { amount, currency } in lines.iter().map(Line::extra) {
        sums.entry(currency.code()).or_insert_with(|| Money::zero(currency)).amount += amount;
    }
    Due { extra: sums.into_values().filter(|sum| !sum.amount.is_zero()).collect(), lines }
}

impl Line {
    /// What it adds.
    pub fn extra(&self) -> Money {
        match self {
            Line::Tier { extra, .. } | Line::Bonus { extra, .. } | Line::Cap { extra, .. } => {
                *extra
            }
        }
    }
}

/// How far a month has come.
#[derive(Debug, Default, Clone, Copy)]
struct Reached {
    volume: Decimal,
    count: Decimal,
}

impl Reached {
    fn and(self, booked: &Booked<'_>) -> Self {
        let count = if booked.counts { Decimal::ONE } else { Decimal::ZERO };
        Reached {
            volume: self.volume + booked.volume.unwrap_or_default().max(Decimal::ZERO),
            count: self.count + count,
        }
    }

    fn of(self, measure: Measure) -> Decimal {
        match measure {
            Measure::Volume => self.volume,
            Measure::Count => self.count,
        }
    }
}

/// What the sales of one version of the terms, in one currency, add up to.
struct Group<'a> {
    own: Decimal,
    tiers: &'a Tiers,
    currency: Currency,
    /// By step, 0 before the first.
    bases: Vec<Decimal>,
    bounded: bool,
    extra: Decimal,
}

fn tiers(month: &[&Booked<'_>], all: Reached) -> Vec<Line> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut before = Reached::default();
    for booked in month {
        let after = before.and(booked);
        if let (Some(tiers), super::By::Percent(own)) = (&booked.terms.tiers, booked.terms.own.by) {
            let currency = booked.commission.currency;
            let same = |g: &Group<'_>| (g.own, g.tiers, g.currency) == (own, tiers, currency);
            let at = groups.iter().position(same).unwrap_or_else(|| {
                let bases = vec![Decimal::ZERO; tiers.steps.len() + 1];
                groups.push(Group {
                    own,
                    tiers,
                    currency,
                    bases,
                    bounded: false,
                    extra: Decimal::ZERO,
                });
                groups.len() - 1
            });
            let parts = match tiers.on {
                Reach::Whole => {
                    let mut parts = vec![Decimal::ZERO; tiers.steps.len() + 1];
                    parts[steps_reached(tiers, all.of(tiers.by))] = booked.base;
                    parts
                }
                Reach::Margin => {
                    let (from, to) = (before.of(tiers.by), after.of(tiers.by));
                    on_margin(tiers, booked.base, from, to)
                }
            };
            groups[at].add(&parts, booked.base, &booked.terms.own);
        }
        before = after;
    }
    groups.into_iter().filter(|group| !group.extra.is_zero()).map(Group::line).collect()
}

impl Group<'_> {
    /// Adds a sale: in parts by their steps rather than as a whole by the own percent, each way within the
    /// bounds of a commission.
    fn add(&mut self, parts: &[Decimal], base: Decimal, pay: &Pay) {
        let mut stepped = Decimal::ZERO;
        for (at, part) in parts.iter().enumerate() {
            stepped += percent(*part, self.rate(at));
            self.bases[at] += part;
        }
        let plain = percent(base, self.own);
        let (more, less) = (pay.bounded(stepped), pay.bounded(plain));
        self.bounded |= (more, less) != (stepped, plain);
        self.extra += more - less;
    }

    /// The percent of a step, 0 before the first.
    fn rate(&self, at: usize) -> Decimal {
        at.checked_sub(1).map_or(self.own, |at| self.tiers.steps[at].rate)
    }

    fn line(self) -> Line {
        let parts = (0..self.bases.len()).map(|at| (self.rate(at), self.bases[at]));
        let parts = parts.filter(|part| !part.1.is_zero()).collect();
        let extra = Money::rounded(self.extra, self.currency);
        Line::Tier { own: self.own, parts, bounded: self.bounded, extra }
    }
}

/// How many steps have begun.
fn steps_reached(tiers: &Tiers, reached: Decimal) -> usize {
    tiers.steps.iter().take_while(|step| reached >= step.from).count()
}

/// How much of a sale's base lies on which step, when the month was at `from` before it and at `to` behind it.
fn on_margin(tiers: &Tiers, base: Decimal, from: Decimal, to: Decimal) -> Vec<Decimal> {
    let mut parts = vec![Decimal::ZERO; tiers.steps.len() + 1];
    if from == to || tiers.by == Measure::Count {
        // The n-th sale is on the step that begins with the n-th; what does not count is where the month is.
        parts[steps_reached(tiers, to)] = base;
        return parts;
    }
    let mut left = base;
    let begins = |step: &Step| step.from.clamp(from, to);
    for (at, step) in tiers.steps.iter().enumerate() {
        let start = if at == 0 { from } else { begins(&tiers.steps[at - 1]) };
        let part = portion(base, begins(step) - start, to - from).min(left);
        parts[at] = part;
        left -= part;
    }
    parts[tiers.steps.len()] = left;
    parts
}

/// `base * of / all`, exact where base is all there is.
fn portion(base: Decimal, of: Decimal, all: Decimal) -> Decimal {
    if base == all {
        of
    } else {
        base.checked_mul(of).map_or_else(|| base * (of / all), |p| p / all)
    }
}
