//! What terms may say: bounds that keep pricing a plan cheap, its arithmetic exact, and its months fair.

use rust_decimal::Decimal;

use super::{By, Level, Measure, Pay, Rule, Terms, Tiers};
use crate::domain::money::Currency;

/// Rules of a plan.
pub const RULES_MAX: usize = 50;
/// Words of one list of a rule.
pub const WORDS_MAX: usize = 500;
/// Steps of tiers.
pub const STEPS_MAX: usize = 20;
/// Bonuses of a plan.
pub const BONUSES_MAX: usize = 20;
/// Recruiters above an affiliate who may earn.
pub const LEVELS_MAX: usize = 10;
/// Months for which renewals may earn, unless they do so for life.
const MONTHS_MAX: u16 = 1_200;
/// Amounts are below.
const AMOUNT_END: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0);

/// What a percentage must be.
pub const RATE_DETAIL: &str = "must be between 0 and 100, with at most four decimals";
const AMOUNT: &str = "must be from 0 to below 1000000000000, with at most the currency's decimals";
const FROM: &str = "must be above 0 and below 1000000000000, with at most the currency's decimals";
const NUMBER: &str = "must be a whole number above 0";

/// Where something is wrong, as a pointer without its first `/`, and what it must be.
pub type Fault = (String, &'static str);

impl Terms {
    /// All that is wrong with the terms for an advertiser of this currency.
    pub fn faults(&self, home: Currency) -> Vec<Fault> {
        let mut faults = Faults { home, found: Vec::new() };
        faults.pay("", &self.own);
        for (at, part) in self.less.iter().enumerate() {
            let again = self.less[..at].contains(part);
            faults.found(again, || format!("less/{at}"), "is there twice");
        }
        faults.found(self.rules.len() > RULES_MAX, || "rules".into(), "must be at most 50");
        for (at, rule) in self.rules.iter().enumerate() {
            faults.rule(&format!("rules/{at}/"), rule);
        }
        if let Some(tiers) = &self.tiers {
            faults.tiers(tiers, self.own.by);
        }
        let many = self.bonuses.len() > BONUSES_MAX;
        faults.found(many, || "bonuses".into(), "must be at most 20");
        for (at, bonus) in self.bonuses.iter().enumerate() {
            faults.from(&format!("bonuses/{at}/from"), bonus.by, bonus.from);
            faults.above_nothing(&format!("bonuses/{at}/amount"), bonus.amount);
        }
        if let Some(cap) = self.cap {
            faults.above_nothing("cap", cap);
        }
        let months = self.recurring.and_then(|recurring| recurring.months);
        let unusual = months.is_some_and(|months| !(1..=MONTHS_MAX).contains(&months));
        faults.found(unusual, || "recurring/months".into(), "must be from 1 to 1200, or null");
        faults.levels(&self.levels);
        faults.found
    }
}

/// Whether this is a percentage that terms may have.
pub fn is_rate(rate: Decimal) -> bool {
    (Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(&rate) && rate.normalize().scale() <= 4
}

struct Faults {
    home: Currency,
    found: Vec<Fault>,
}

impl Faults {
    fn found(&mut self, wrong: bool, place: impl FnOnce() -> String, what: &'static str) {
        if wrong {
            self.found.push((place(), what));
        }
    }

    fn pay(&mut self, place: &str, pay: &Pay) {
        match pay.by {
            By::Percent(rate) => self.rate(&format!("{place}rate"), rate),
            By::Flat(amount, _) => self.amount(&format!("{place}amount"), amount),
        }
        for (name, bound) in [("minimum", pay.minimum), ("maximum", pay.maximum)] {
            bound.into_iter().for_each(|bound| self.amount(&format!("{place}{name}"), bound));
        }
        let crossed = pay.minimum.zip(pay.maximum).is_some_and(|(least, most)| least > most);
        self.found(crossed, || format!("{place}maximum"), "must not be below `minimum`");
    }

    fn rule(&mut self, place: &str, rule: &Rule) {
        let when = &rule.when;
        let lists = [
            ("sku", when.sku.len()),
            ("category", when.category.len()),
            ("country", when.country.len()),
            ("coupon", when.coupon.len()),
            ("origin", when.origin.len()),
            ("affiliate_ids", when.affiliate_ids.len()),
            ("groups", when.groups.len()),
        ];
        for (name, words) in lists {
            let many = words > WORDS_MAX;
            self.found(many, || format!("{place}when/{name}"), "must have at most 500 words");
        }
        let asks = when.customer.is_some() || when.kind.is_some();
        let idle = !asks && lists.iter().all(|(_, words)| *words == 0);
        let detail = "must ask for something; what holds for all is the terms' own";
        self.found(idle, || format!("{place}when"), detail);
        self.pay(place, &rule.pay);
    }

    fn tiers(&mut self, tiers: &Tiers, own: By) {
        let By::Percent(own) = own else {
            return self.found(true, || "tiers".into(), "belongs to `percent`");
        };
        let count = tiers.steps.len();
        let few = !(1..=STEPS_MAX).contains(&count);
        self.found(few, || "tiers/steps".into(), "must be 1 to 20");
        let (mut from, mut rate) = (Decimal::ZERO, own);
        for (at, step) in tiers.steps.iter().enumerate() {
            let place = |name: &str| format!("tiers/steps/{at}/{name}");
            self.from(&place("from"), tiers.by, step.from);
            let falls = at > 0 && step.from <= from;
            self.found(falls, || place("from"), "must be above that of the step before");
            self.rate(&place("rate"), step.rate);
            let less = step.rate < rate;
            self.found(less, || place("rate"), "must not be below that of the step before");
            (from, rate) = (step.from, step.rate);
        }
    }

    fn levels(&mut self, levels: &[Level]) {
        let many = levels.len() > LEVELS_MAX;
        self.found(many, || "levels".into(), "must be at most 10");
        for (at, level) in levels.iter().enumerate() {
            self.rate(&format!("levels/{at}/rate"), level.rate);
        }
        let all = levels.iter().fold(Decimal::ZERO, |all, level| all.saturating_add(level.rate));
        let much = all > Decimal::ONE_HUNDRED;
        self.found(much, || "levels".into(), "must be at most 100 percent together");
    }

    fn rate(&mut self, place: &str, rate: Decimal) {
        self.found(!is_rate(rate), || place.to_owned(), RATE_DETAIL);
    }

    fn amount(&mut self, place: &str, amount: Decimal) {
        let fine = self.is_amount(amount);
        self.found(!fine, || place.to_owned(), AMOUNT);
    }

    fn above_nothing(&mut self, place: &str, amount: Decimal) {
        let fine = self.is_amount(amount) && !amount.is_zero();
        self.found(!fine, || place.to_owned(), FROM);
    }

    fn from(&mut self, place: &str, by: Measure, from: Decimal) {
        let whole = by == Measure::Volume || from.normalize().scale() == 0;
        let fine = self.is_amount(from) && !from.is_zero() && whole;
        let what = if by == Measure::Volume { FROM } else { NUMBER };
        self.found(!fine, || place.to_owned(), what);
    }

    fn is_amount(&self, amount: Decimal) -> bool {
        let fits = amount >= Decimal::ZERO && amount < AMOUNT_END;
        fits && amount.normalize().scale() <= self.home.exponent()
    }
}
