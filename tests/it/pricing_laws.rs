//! What holds of every plan and every sale, and the same prices in other arithmetic: whole numbers of minor
//! units and of ten-thousandths of a percent. No server.

use proptest::prelude::*;
use rust_decimal::Decimal;
use tributary::domain::commission::months::{Booked, due};
use tributary::domain::commission::{By, Pay, Reach, Rule, Terms, Tiers, When};
use tributary::domain::commission::{Measure, PaidIn, Per, Step};
use tributary::domain::items::Item;
use tributary::domain::money::{Currency, Money};

use crate::sold::{Sold, currency, sold};

const CURRENCIES: [&str; 4] = ["USD", "JPY", "KWD", "CLF"];

fn minor(units: i128, currency: Currency) -> Decimal {
    Decimal::from_i128_with_scale(units, currency.exponent())
}

/// Ten-thousandths of a percent as percent.
fn rate(fine: i64) -> Decimal {
    Decimal::new(fine, 4)
}

/// `n / d` to the nearest whole number, of two equally near ones to the even.
fn half_even(n: i128, d: i128) -> i128 {
    let (whole, rest) = (n.div_euclid(d), n.rem_euclid(d));
    match (rest * 2).cmp(&d) {
        std::cmp::Ordering::Less => whole,
        std::cmp::Ordering::Greater => whole + 1,
        std::cmp::Ordering::Equal => whole + whole % 2,
    }
}

/// A sale as numbers: minor units, and items of article number, quantity and total.
#[derive(Debug, Clone)]
struct Numbers {
    code: &'static str,
    units: i128,
    tax: i128,
    items: Vec<(usize, i64, i128)>,
}

fn numbers() -> impl Strategy<Value = Numbers> {
    let item = (0usize..5, 0i64..6, 0i128..200_000);
    let few = (0usize..4, 0i128..100_000_000, 0i128..2_000_000, prop::collection::vec(item, 0..7));
    few.prop_map(|(at, units, tax, items)| Numbers { code: CURRENCIES[at], units, tax, items })
}

impl Numbers {
    fn sold(&self) -> Sold {
        let currency = currency(self.code);
        let items = self.items.iter().map(|(article, quantity, total)| Item {
            sku: format!("S{article}"),
            category: None,
            quantity: Decimal::from(*quantity),
            total: minor(*total, currency),
        });
        let mut sale = sold("0 USD").home(self.code);
        sale.money = Money { amount: minor(self.units, currency), currency };
        sale.parts[0] = Some(minor(self.tax, currency));
        sale.items = items.collect();
        sale
    }
}

/// A pay as numbers: ten-thousandths of a percent, or minor units and whether for each item.
#[derive(Debug, Clone, Copy)]
enum Paid {
    Percent(i64),
    Flat(i128, bool),
}

fn paid() -> impl Strategy<Value = Paid> {
    prop_oneof![
        3 => (0i64..=1_000_000).prop_map(Paid::Percent),
        1 => (0i128..5_000, any::<bool>()).prop_map(|(units, each)| Paid::Flat(units, each)),
    ]
}

impl Paid {
    fn pay(self, currency: Currency) -> Pay {
        let by = match self {
            Paid::Percent(fine) => By::Percent(rate(fine)),
            Paid::Flat(units, each) => {
                By::Flat(minor(units, currency), if each { Per::Item } else { Per::Sale })
            }
        };
        Pay { by, minimum: None, maximum: None }
    }
}

fn plan(own: Paid, rules: &[(usize, Paid)], less_tax: bool, home: Currency) -> Terms {
    let mut terms = Terms::plain(By::Percent(Decimal::ZERO));
    terms.own = own.pay(home);
    let rule = |(article, paid): &(usize, Paid)| Rule {
        when: When { sku: vec![format!("S{article}")], ..When::default() },
        pay: paid.pay(home),
    };
    terms.rules = rules.iter().map(rule).collect();
    if less_tax {
        terms.less = vec![tributary::domain::commission::Part::Tax];
    }
    terms
}

/// The commission in minor units, by whole numbers alone.
fn reckoned(own: Paid, rules: &[(usize, Paid)], less_tax: bool, sale: &Numbers) -> i128 {
    let base = (sale.units - if less_tax { sale.tax } else { 0 }).max(0);
    let pieces: i64 = sale.items.iter().map(|item| item.1).sum();
    let whole = [(None, base, if sale.items.is_empty() { 1 } else { pieces })];
    let parts: Vec<(Option<usize>, i128, i64)> = if sale.items.is_empty() || rules.is_empty() {
        whole.to_vec()
    } else {
        let free = sale.items.iter().all(|item| item.2 == 0);
        let weights: Vec<i128> =
            sale.items.iter().map(|item| if free { 1 } else { item.2 }).collect();
        let all: i128 = weights.iter().sum();
        let mut bases: Vec<i128> = weights.iter().map(|weight| base * weight / all).collect();
        // One unit at a time to whoever lacks most.
        let mut lacks: Vec<(i128, usize)> =
            (0..bases.len()).map(|at| (base * weights[at] - bases[at] * all, at)).collect();
        while bases.iter().sum::<i128>() < base {
            let at = (0..lacks.len()).rev().max_by_key(|at| lacks[*at].0).unwrap();
            bases[lacks[at].1] += 1;
            lacks[at].0 = -1;
        }
        let rule = |article: usize| rules.iter().position(|rule| rule.0 == article);
        let items = sale.items.iter().zip(bases);
        items.map(|(item, base)| (rule(item.0), base, item.1)).collect()
    };
    // In millionths of a minor unit, which a percentage cannot fall between.
    let mut sum = 0;
    let mut counted = std::collections::HashSet::new();
    for (rule, base, quantity) in parts {
        sum += match rule.map_or(own, |at| rules[at].1) {
            Paid::Percent(fine) => base * i128::from(fine),
            Paid::Flat(units, true) => units * i128::from(quantity) * 1_000_000,
            Paid::Flat(units, false) if counted.insert(rule) => units * 1_000_000,
            Paid::Flat(..) => 0,
        };
    }
    half_even(sum, 1_000_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn whole_numbers_come_to_the_same(
        sale in numbers(),
        own in paid(),
        rules in prop::collection::vec((0usize..5, paid()), 0..4),
        less_tax in any::<bool>(),
    ) {
        let home = currency(sale.code);
        let terms = plan(own, &rules, less_tax, home);
        prop_assert_eq!(terms.faults(home), vec![]);
        let sold = sale.sold();
        let priced = sold.priced(&terms).unwrap();
        let expected = minor(reckoned(own, &rules, less_tax, &sale), home);
        prop_assert_eq!(priced.commission, Money { amount: expected, currency: home });
        // The parts are the whole, and it was rounded once.
        let base = if less_tax { sold.money.amount - sold.parts[0].unwrap() } else { sold.money.amount };
        let base = base.max(Decimal::ZERO);
        prop_assert_eq!(priced.lines.iter().map(|line| line.base).sum::<Decimal>(), base);
        let earns: Decimal = priced.lines.iter().map(|line| line.earns).sum();
        let half = Decimal::new(5, home.exponent() + 1);
        prop_assert!((earns - priced.commission.amount).abs() <= half);
        prop_assert!(priced.lines.iter().all(|line| line.base >= Decimal::ZERO));
        // Never more than there is, where nothing but percent is paid.
        let percent = |paid: &Paid| matches!(paid, Paid::Percent(_));
        if percent(&own) && rules.iter().all(|rule| percent(&rule.1)) {
            prop_assert!(priced.commission.amount <= base);
        }
        // Terms that were stored price the same.
        let stored: Terms = serde_json::from_str(&serde_json::to_string(&terms).unwrap()).unwrap();
        prop_assert_eq!(sold.priced(&stored).unwrap(), priced);
    }

    #[test]
    fn bounds_hold_and_nothing_is_negative(
        sale in numbers(),
        own in paid(),
        least in 0i128..3_000,
        more in 0i128..100_000,
        rate in 1i64..100_000_000,
    ) {
        let mut sold = sale.sold();
        let home = currency("USD");
        (sold.home, sold.rate) = (home, Some(Decimal::new(rate, 6)));
        let mut terms = plan(own, &[], false, home);
        terms.currency = PaidIn::Program;
        terms.own.minimum = Some(minor(least, home));
        terms.own.maximum = Some(minor(least + more, home));
        let commission = sold.priced(&terms).unwrap().commission;
        prop_assert_eq!(commission.currency, home);
        prop_assert!(commission.amount >= minor(least, home));
        prop_assert!(commission.amount <= minor(least + more, home));
        let levels = terms.levels(&sold.deal(), commission, 10).unwrap();
        prop_assert!(levels.iter().all(|level| level.amount >= Decimal::ZERO));
    }
}

/// A month: own percent, steps of volume and percent, and sales, all as whole numbers.
#[derive(Debug, Clone)]
struct Month {
    own: i64,
    steps: Vec<(i128, i64)>,
    sales: Vec<i128>,
}

fn month() -> impl Strategy<Value = Month> {
    let steps = prop::collection::vec((1i128..100_000, 0i64..100_000), 1..6);
    let sales = prop::collection::vec(0i128..60_000, 0..12);
    (0i64..300_000, steps, sales).prop_map(|(own, rises, sales)| {
        let (mut from, mut rate) = (0, own);
        let steps = rises.into_iter().map(|(more, better)| {
            (from, rate) = (from + more, rate + better);
            (from, rate)
        });
        Month { own, steps: steps.collect(), sales }
    })
}

impl Month {
    fn terms(&self, on: Reach) -> Terms {
        let home = currency("USD");
        let mut terms = Terms::plain(By::Percent(rate(self.own)));
        let step = |step: &(i128, i64)| Step { from: minor(step.0, home), rate: rate(step.1) };
        let steps = self.steps.iter().map(step).collect();
        terms.tiers = Some(Tiers { by: Measure::Volume, on, steps });
        assert_eq!(terms.faults(home), vec![]);
        terms
    }

    /// What the month is due beside its commissions, in order of the places given.
    fn due(&self, terms: &Terms, places: &[usize]) -> Decimal {
        let home = currency("USD");
        let booked: Vec<Booked<'_>> = places
            .iter()
            .map(|at| {
                let amount = minor(self.sales[*at], home);
                let commission = sold("0 USD");
                let commission = Sold { money: Money { amount, currency: home }, ..commission };
                let commission = commission.priced(terms).unwrap().commission;
                let (id, at_ms) = (*at as i64, (*at / 2) as i64);
                let volume = Some(amount);
                Booked { id, at_ms, volume, counts: true, base: amount, commission, terms }
            })
            .collect();
        let due = due(&booked, terms, home);
        assert_eq!(
            due.extra.iter().map(|extra| extra.amount).sum::<Decimal>(),
            due.lines.iter().map(|line| line.extra().amount).sum::<Decimal>()
        );
        due.extra.iter().map(|extra| extra.amount).sum()
    }

    fn in_order(&self) -> Vec<usize> {
        (0..self.sales.len()).collect()
    }

    /// The same in whole numbers: unit by unit of the month's volume, each at the percent of its step.
    fn reckoned(&self, on: Reach) -> i128 {
        let all: i128 = self.sales.iter().sum();
        let better = |reached: i128| {
            let mut steps = self.steps.iter().filter(|step| step.0 <= reached);
            i128::from(steps.next_back().map_or(self.own, |step| step.1) - self.own)
        };
        let sum = match on {
            Reach::Whole => all * better(all),
            Reach::Margin => {
                // A unit lies on a step when the month had come to the step before the unit.
                let bounds = self.steps.iter().map(|step| step.0.min(all)).chain([all]);
                let bounds: Vec<i128> = bounds.collect();
                bounds.windows(2).map(|ends| (ends[1] - ends[0]) * better(ends[0])).sum()
            }
        };
        half_even(sum, 1_000_000)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn months_in_whole_numbers_come_to_the_same(month in month()) {
        for on in [Reach::Whole, Reach::Margin] {
            let due = month.due(&month.terms(on), &month.in_order());
            prop_assert_eq!(due, minor(month.reckoned(on), currency("USD")), "{:?}", on);
        }
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(month in month(), seed in any::<u64>()) {
        let mut places = month.in_order();
        let mut dice = seed;
        for at in (1..places.len()).rev() {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            places.swap(at, (dice >> 33) as usize % (at + 1));
        }
        for on in [Reach::Whole, Reach::Margin] {
            let terms = month.terms(on);
            prop_assert_eq!(month.due(&terms, &places), month.due(&terms, &month.in_order()));
        }
    }

    #[test]
    fn the_margin_is_continuous_and_below_the_whole(month in month(), more in 1i128..50) {
        let (whole, margin) = (month.terms(Reach::Whole), month.terms(Reach::Margin));
        let of = |month: &Month, terms: &Terms| month.due(terms, &month.in_order());
        let was = of(&month, &margin);
        prop_assert!(was >= Decimal::ZERO && was <= of(&month, &whole));
        let mut further = month.clone();
        further.sales.push(more);
        let gain = of(&further, &margin) - was;
        let best = i128::from(month.steps.last().unwrap().1 - month.own);
        // Of a few cents more nobody gets more than their share, and what rounding twice may do.
        let bound = minor(half_even(more * best, 1_000_000) + 2, currency("USD"));
        prop_assert!(gain >= -minor(1, currency("USD")) && gain <= bound, "{gain} {bound}");
    }

    #[test]
    fn what_the_cap_leaves_is_the_cap(month in month(), cap in 1i128..20_000) {
        let home = currency("USD");
        let mut terms = month.terms(Reach::Whole);
        let commission = |at: &usize| {
            let amount = minor(month.sales[*at], home);
            let sale = Sold { money: Money { amount, currency: home }, ..sold("0 USD") };
            sale.priced(&month.terms(Reach::Whole)).unwrap().commission.amount
        };
        let commissions: Decimal = month.in_order().iter().map(commission).sum();
        let uncapped = commissions + month.due(&terms, &month.in_order());
        terms.cap = Some(minor(cap, home));
        let capped = commissions + month.due(&terms, &month.in_order());
        prop_assert_eq!(capped, uncapped.min(minor(cap, home)));
    }
}
