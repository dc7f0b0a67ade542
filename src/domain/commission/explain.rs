//! The arithmetic, for a person: each sentence is made of the very lines that were added up.

use rust_decimal::Decimal;

use super::months;
use super::told::at_home;
use super::{By, Deal, Line, Measure, PaidIn, Part, Per, Priced, Recurring, Terms};
use crate::domain::money::Money;

impl Terms {
    /// How the commission on a deal came about: `10 % of 19.95 USD = 2.00 USD`.
    pub fn explain(&self, deal: &Deal<'_>, priced: &Priced) -> String {
        let total = shown(priced.commission);
        let lines: Vec<&Line> = priced.lines.iter().collect();
        if let [line] = lines[..] {
            let told = self.line_told(line, deal, priced);
            return match line.pay.by {
                // Of `5.00 USD for each sale` there is nothing to reckon.
                By::Flat(_, Per::Sale) if !is_bounded(line) => told,
                _ => format!("{told} = {total}"),
            };
        }
        let told = lines.iter().map(|line| {
            let earns = line.earns.normalize();
            format!("{} = {earns}", self.line_told(line, deal, priced))
        });
        format!("{}; together {total}", told.collect::<Vec<_>>().join("; "))
    }

    /// The same where no more is known than the amount and what was booked; says so where that is not enough.
    pub fn explain_booked(&self, sale: Money, commission: Money) -> String {
        let deal = Deal::of(sale, commission.currency);
        match self.price(&deal) {
            Some(priced) if self.rules.is_empty() && priced.commission == commission => {
                self.explain(&deal, &priced)
            }
            _ => format!("by the plan's rules {} on {}", shown(commission), shown(sale)),
        }
    }

    fn line_told(&self, line: &Line, deal: &Deal<'_>, priced: &Priced) -> String {
        let currency = priced.commission.currency;
        let mut told = line.rule.map(|rule| format!("rule {rule}: ")).unwrap_or_default();
        match line.pay.by {
            By::Percent(rate) => {
                let base = shown(Money::rounded(line.base, deal.money.currency));
                told += &format!("{} % of {base}", rate.normalize());
                if let Some(less) = self.less_told(deal).filter(|_| line.base != deal.money.amount)
                {
                    // A line of several is of a part of what is left.
                    let of = if line.base == self.base(deal) { "" } else { "of " };
                    told += &format!(" ({of}{less})");
                }
                if let Some(rate) = priced.rate {
                    told += &format!(" × {}", rate.normalize());
                }
            }
            By::Flat(amount, Per::Sale) => {
                told += &format!("{} for each sale", shown(Money::rounded(amount, currency)));
            }
            By::Flat(amount, Per::Item) => {
                let amount = shown(Money::rounded(amount, currency));
                let noun = if line.quantity == Decimal::ONE { "item" } else { "items" };
                told += &format!("{amount} × {} {noun}", line.quantity.normalize());
            }
        }
        for (word, bound) in [("at least", line.pay.minimum), ("at most", line.pay.maximum)] {
            // Only the one that was met.
            if let Some(bound) = bound.filter(|bound| *bound == line.earns) {
                told += &format!(", {word} {}", shown(Money::rounded(bound, currency)));
            }
        }
        told
    }

    /// `119.00 USD less tax 19.00`; none where the shop sent nothing to take off.
    fn less_told(&self, deal: &Deal<'_>) -> Option<String> {
        let told = |part: &Part| {
            let (name, amount) = match part {
                Part::Tax => ("tax", deal.tax),
                Part::Shipping => ("shipping", deal.shipping),
                Part::Discount => ("discount", deal.discount),
            };
            let amount = amount.filter(|amount| !amount.is_zero());
            amount.map(|amount| format!("{name} {amount}"))
        };
        let parts: Vec<String> = self.less.iter().filter_map(told).collect();
        (!parts.is_empty()).then(|| format!("{} less {}", shown(deal.money), parts.join(", ")))
    }

    /// The terms in words: `10 % of each sale`, and what else they have.
    pub fn words(&self, home: &str) -> String {
        let amount = |amount| at_home(amount, home);
        let own = match self.own.by {
            By::Percent(rate) => format!("{} % of each sale", rate.normalize()),
            By::Flat(flat, Per::Sale) => format!("{} for each sale or lead", amount(flat)),
            By::Flat(flat, Per::Item) => format!("{} for each item", amount(flat)),
        };
        let rules = (!self.rules.is_empty()).then(|| counted(self.rules.len(), "rule"));
        let paid_in = (self.currency == PaidIn::Program).then(|| format!("in {home}"));
        let tiers = self.tiers.as_ref().map(|t| counted(t.steps.len(), "tier"));
        let bonuses = (!self.bonuses.is_empty()).then(|| counted(self.bonuses.len(), "bonus"));
        let cap = self.cap.map(|cap| format!("at most {} a month", amount(cap)));
        let recurring = self.recurring.map(|Recurring { months }| match months {
            Some(months) => format!("renewals for {months} months"),
            None => "renewals for life".to_owned(),
        });
        let levels = (!self.levels.is_empty()).then(|| counted(self.levels.len(), "level"));
        let more = [paid_in, rules, tiers, bonuses, cap, recurring, levels];
        std::iter::once(own).chain(more.into_iter().flatten()).collect::<Vec<_>>().join(", ")
    }
}

impl months::Line {
    /// The step in words.
    pub fn told(&self) -> String {
        match self {
            months::Line::Tier { own, parts, bounded, extra } => {
                let part = |(rate, base): &(Decimal, Decimal)| {
                    let base = shown(Money::rounded(*base, extra.currency));
                    format!("{} % of {base}", rate.normalize())
                };
                let parts: Vec<String> = parts.iter().map(part).collect();
                let (parts, own) = (parts.join(" and "), own.normalize());
                let within = if *bounded { ", within minimum and maximum" } else { "" };
                format!("{parts} rather than {own} %{within}: {} more", shown(*extra))
            }
            months::Line::Bonus { by, from, reached, extra } => {
                let of = |n: &Decimal| match by {
                    Measure::Volume => shown(Money::rounded(*n, extra.currency)),
                    Measure::Count => format!("{} sales", n.normalize()),
                };
                format!("bonus from {} on, {} reached: {}", of(from), of(reached), shown(*extra))
            }
            months::Line::Cap { cap, sum, extra } => {
                let of = |amount: Decimal| shown(Money::rounded(amount, extra.currency));
                format!("at most {} a month, {} earned: {}", of(*cap), of(*sum), shown(*extra))
            }
        }
    }
}

/// Whether a minimum or maximum was met.
fn is_bounded(line: &Line) -> bool {
    [line.pay.minimum, line.pay.maximum].contains(&Some(line.earns))
}

/// `1 rule`, `2 rules`.
fn counted(n: usize, noun: &str) -> String {
    match (n, noun) {
        (1, _) => format!("1 {noun}"),
        (_, "bonus") => format!("{n} bonuses"),
        _ => format!("{n} {noun}s"),
    }
}

fn shown(money: Money) -> String {
    format!("{} {}", money.amount, money.currency.code())
}
