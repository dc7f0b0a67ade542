//! Terms in words, line by line, to whom they concern. An affiliate is told every rule that may price a sale of his, in
//! their order, and none that is for others only; nor which others, which groups and whose coupons a rule names.

use rust_decimal::Decimal;

use super::rules::{any, same};
use super::{Buyer, By, Level, Measure, Of, PaidIn, Part, Pay, Per, Reach, Recurring, Terms, When};
use crate::domain::id::Id;
use crate::domain::intake::SaleKind;
use crate::domain::money::{Currency, Money};

/// An affiliate who reads terms.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// Who he is.
    pub affiliate_id: Id,
    /// In which group.
    pub group: Option<&'a str>,
    /// His own.
    pub coupons: &'a [String],
    /// Whether he has a link or a coupon. Who has neither can earn by those whom he recruited.
    pub sells: bool,
}

impl Terms {
    /// All that they say; to an affiliate, what may concern him.
    pub fn told(&self, home: &str, to: Option<&Reader<'_>>) -> Vec<String> {
        if to.is_some_and(|reader| !reader.sells) {
            return self.recruiting_told(home);
        }
        let (mut pays, mut all_priced, mut by_items) = (Vec::new(), false, false);
        for rule in &self.rules {
            let Some((what, prices_all)) = rule.when.told(to).filter(|_| !all_priced) else {
                continue;
            };
            pays.push((what, &rule.pay));
            by_items |= rule.when.looks_at_items();
            // What comes behind it prices nothing any more.
            all_priced = prices_all;
        }
        if !all_priced {
            let what = if pays.is_empty() { "every sale" } else { "anything else" };
            pays.push((what.to_owned(), &self.own));
        }
        // One commission has one currency: a flat amount for one item puts all of it into the advertiser's.
        let mixes = by_items && pays.iter().any(|(_, pay)| matches!(pay.by, By::Flat(..)));
        let line = |(what, pay): &(String, &Pay)| {
            let pay = self.pay(pay, home, mixes);
            format!("{what}: {pay}")
        };
        let mut lines: Vec<String> = pays.iter().map(line).collect();
        if !all_priced {
            lines.extend(self.tiers_told(home));
        }
        lines.extend(self.base_told(home));
        lines.extend(self.months_told(home));
        lines
    }

    /// What percent are of, and in which currency commissions are.
    fn base_told(&self, home: &str) -> Vec<String> {
        let less = self.less.iter().map(|part| match part {
            Part::Tax => "tax",
            Part::Shipping => "shipping",
            Part::Discount => "discount",
        });
        let less: Vec<&str> = less.collect();
        let less = (!less.is_empty())
            .then(|| format!("percent are of the amount less {}", less.join(", ")));
        let currency =
            (self.currency == PaidIn::Program).then(|| format!("commissions are in {home}"));
        less.into_iter().chain(currency).collect()
    }

    /// `mixes`: whether some items of an order may be paid flat, others not.
    fn pay(&self, pay: &Pay, home: &str, mixes: bool) -> String {
        let (mut told, is_flat) = match pay.by {
            By::Percent(rate) => (format!("{} %", rate.normalize()), false),
            By::Flat(amount, Per::Sale) => {
                (format!("{} a sale or lead", at_home(amount, home)), true)
            }
            By::Flat(amount, Per::Item) => (format!("{} an item", at_home(amount, home)), true),
        };
        for (word, bound) in [("at least", pay.minimum), ("at most", pay.maximum)] {
            let Some(bound) = bound else { continue };
            told += &match is_flat || self.currency == PaidIn::Program {
                true => format!(", {word} {}", at_home(bound, home)),
                false => format!(", {word} {bound} in the sale's currency"),
            };
        }
        let of_sale = !is_flat && self.currency == PaidIn::Sale;
        if mixes && of_sale && pay.minimum.or(pay.maximum).is_some() {
            told += &format!(" (in {home} where other items are paid in {home})");
        }
        told
    }

    fn tiers_told(&self, home: &str) -> Vec<String> {
        let (Some(tiers), By::Percent(own)) = (&self.tiers, self.own.by) else { return Vec::new() };
        let of = match tiers.on {
            Reach::Whole => "of all of them",
            Reach::Margin => "of what is beyond",
        };
        let step = |step: &super::Step| {
            let (from, rate) = (measured(tiers.by, step.from, home), step.rate.normalize());
            format!("from {from} in a month on: {rate} % rather than {} % {of}", own.normalize())
        };
        tiers.steps.iter().map(step).collect()
    }

    /// What there is beside the price of a sale.
    fn months_told(&self, home: &str) -> Vec<String> {
        let bonuses = self.bonuses.iter().map(|bonus| {
            let reached = measured(bonus.by, bonus.from, home);
            format!("{} more for a month with {reached}", at_home(bonus.amount, home))
        });
        let recurring = self.recurring.map(|Recurring { months }| match months {
            Some(months) => format!("renewals earn for {months} months"),
            None => "renewals earn for life".to_owned(),
        });
        bonuses.chain(self.cap_told(home)).chain(recurring).chain(self.levels_told()).collect()
    }

    fn cap_told(&self, home: &str) -> Option<String> {
        self.cap.map(|cap| format!("at most {} a month", at_home(cap, home)))
    }

    fn levels_told(&self) -> Vec<String> {
        let told = |(n, level): (usize, &Level)| {
            let of = match level.of {
                Of::Commission => "the commission",
                Of::Sale => "the amount",
            };
            format!("recruiting, level {n}: {} % of {of}", level.rate.normalize())
        };
        (1..).zip(&self.levels).map(told).collect()
    }

    /// All that concerns who recruits and does not sell.
    fn recruiting_told(&self, home: &str) -> Vec<String> {
        let levels = self.levels_told();
        match levels.is_empty() {
            true => vec!["recruiting earns nothing".to_owned()],
            false => {
                levels.into_iter().chain(self.base_told(home)).chain(self.cap_told(home)).collect()
            }
        }
    }
}

impl When {
    /// What it is for, and whether that is all that the reader may sell; nothing, where it is for others.
    fn told(&self, to: Option<&Reader<'_>>) -> Option<(String, bool)> {
        let mut whom = Vec::new();
        match to {
            None => {
                whom.extend(listed("affiliates", &self.affiliate_ids));
                whom.extend(listed("group", &self.groups));
            }
            Some(reader) => {
                let is_his = self.affiliate_ids.contains(&reader.affiliate_id);
                let for_him = (!self.affiliate_ids.is_empty()).then_some(is_his);
                let for_group =
                    (!self.groups.is_empty()).then(|| any(&self.groups, reader.group, same));
                if for_him == Some(false) || for_group == Some(false) {
                    return None;
                }
                whom.extend(for_him.map(|_| "for you".to_owned()));
                whom.extend(for_group.map(|_| "for your group".to_owned()));
            }
        }
        let what = self.conditions(to);
        let prices_all = what.is_empty() && (to.is_some() || whom.is_empty());
        whom.extend(what);
        let told = if whom.is_empty() { "every sale".to_owned() } else { whom.join(", ") };
        Some((told, prices_all))
    }

    fn conditions(&self, to: Option<&Reader<'_>>) -> Vec<String> {
        let beginnings = |words: &[String]| -> Vec<String> {
            words
                .iter()
                .map(|word| word.strip_suffix('*').map_or(word.clone(), |w| format!("{w}…")))
                .collect()
        };
        let customer = self.customer.map(|buyer| match buyer {
            Buyer::New => "new customers".to_owned(),
            Buyer::Returning => "returning customers".to_owned(),
        });
        let kind = self.kind.map(|kind| match kind {
            SaleKind::Sale => "sales".to_owned(),
            SaleKind::Lead => "leads".to_owned(),
        });
        let origins: Vec<String> =
            self.origin.iter().map(|origin| origin.replace('_', " ")).collect();
        let told = [
            listed("items", &beginnings(&self.sku)),
            listed("category", &beginnings(&self.category)),
            customer,
            listed("buyers in", &self.country),
            self.coupons_told(to),
            kind,
            listed("origin", &origins),
        ];
        told.into_iter().flatten().collect()
    }

    /// Another's coupon is not named: who has it, does business with it.
    fn coupons_told(&self, to: Option<&Reader<'_>>) -> Option<String> {
        let Some(reader) = to else { return listed("coupon", &self.coupon) };
        let is_own =
            |code: &&String| reader.coupons.iter().any(|own| own.eq_ignore_ascii_case(code));
        let own: Vec<&String> = self.coupon.iter().filter(is_own).collect();
        let others = own.len() < self.coupon.len();
        match (listed("your coupon", &own), others) {
            (own, false) => own,
            (Some(own), true) => Some(format!("{own} or certain others")),
            (None, true) => Some("certain coupons".to_owned()),
        }
    }
}

/// `items B1 or B2`; nothing of nothing.
fn listed(noun: &str, words: &[impl ToString]) -> Option<String> {
    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
    (!words.is_empty()).then(|| format!("{noun} {}", words.join(" or ")))
}

fn measured(by: Measure, from: Decimal, home: &str) -> String {
    match by {
        Measure::Volume => format!("{} of sales", at_home(from, home)),
        Measure::Count => format!("{} sales", from.normalize()),
    }
}

/// An amount in the advertiser's currency.
pub(super) fn at_home(amount: Decimal, home: &str) -> String {
    match Currency::parse(home) {
        Some(currency) => format!("{} {home}", Money::rounded(amount, currency).amount),
        None => format!("{amount} {home}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reader_is_told_what_may_concern_him() {
        let plan = r#"{"kind":"percent","rate":"10","minimum":"1.00","less":["tax","shipping"],
            "rules":[{"when":{"affiliate_ids":["21"]},"kind":"percent","rate":"20"},
                     {"when":{"groups":["gold","silver"],"customer":"new"},"kind":"percent","rate":"15"},
                     {"when":{"sku":["B1","C*"],"country":["DE","AT"]},"kind":"flat","amount":"5"},
                     {"when":{"coupon":["ANN5","BEN5"],"type":"sale"},"kind":"percent","rate":"3"},
                     {"when":{"origin":["auto_renewal"]},"kind":"flat","amount":"0.5","per":"item"}],
            "tiers":{"by":"count","on":"whole","steps":[{"from":"10","rate":"12"}]},
            "bonuses":[{"by":"volume","from":"5000","amount":"100"}],
            "cap":"1000","recurring":{"months":12},
            "levels":[{"rate":"10","of":"commission"},{"rate":"2","of":"sale"}]}"#;
        let terms: Terms = serde_json::from_str(plan).unwrap();
        let all = [
            "items B1 or C…, buyers in DE or AT: 5.00 USD a sale or lead",
            "origin auto renewal: 0.50 USD an item",
            "anything else: 10 %, at least 1.00 in the sale's currency (in USD where other items are paid in USD)",
            "from 10 sales in a month on: 12 % rather than 10 % of all of them",
            "percent are of the amount less tax, shipping",
            "100.00 USD more for a month with 5000.00 USD of sales",
            "at most 1000.00 USD a month",
            "renewals earn for 12 months",
            "recruiting, level 1: 10 % of the commission",
            "recruiting, level 2: 2 % of the amount",
        ];
        let check = |to: Option<Reader<'_>>, own: &[&str], coupon: &str| {
            let mut expected: Vec<&str> = own.to_vec();
            expected.extend([all[0], coupon]);
            expected.extend(&all[1..]);
            assert_eq!(terms.told("USD", to.as_ref()), expected);
        };
        let advertisers = ["affiliates 21: 20 %", "group gold or silver, new customers: 15 %"];
        check(None, &advertisers, "coupon ANN5 or BEN5, sales: 3 %");
        let coupons = ["ben5".to_owned()];
        let ben = Reader { affiliate_id: 22, group: None, coupons: &coupons, sells: true };
        check(Some(ben), &[], "your coupon BEN5 or certain others, sales: 3 %");
        let golden = Reader { group: Some("Gold"), coupons: &[], ..ben };
        let gold = "for your group, new customers: 15 %";
        check(Some(golden), &[gold], "certain coupons, sales: 3 %");
        // What is for him whatever he sells leaves nothing to the other rules, nor to tiers.
        let ann = Reader { affiliate_id: 21, ..ben };
        let told = terms.told("USD", Some(&ann));
        assert_eq!(told[0], "for you: 20 %");
        assert_eq!(told[1..], all[4..]);
        // Who only recruits.
        let eve = Reader { sells: false, coupons: &[], ..ben };
        assert_eq!(terms.told("USD", Some(&eve)), [all[8], all[9], all[4], all[6]]);
        let plain: Terms = serde_json::from_str(r#"{"kind":"percent","rate":"10"}"#).unwrap();
        assert_eq!(plain.told("USD", Some(&eve)), ["recruiting earns nothing"]);
    }

    #[test]
    fn plain_terms_are_one_line() {
        for (plan, expected) in [
            (r#"{"kind":"percent","rate":"7.50"}"#, "every sale: 7.5 %"),
            (r#"{"kind":"flat","amount":"500"}"#, "every sale: 500 JPY a sale or lead"),
            (
                r#"{"kind":"flat","amount":"5","per":"item","maximum":"20"}"#,
                "every sale: 5 JPY an item, at most 20 JPY",
            ),
        ] {
            let terms: Terms = serde_json::from_str(plan).unwrap();
            assert_eq!(terms.told("JPY", None), [expected]);
        }
    }

    #[test]
    fn a_bound_is_told_in_the_currency_that_it_may_be_in() {
        let check = |plan: &str, expected: &str| {
            let plan = format!(r#"{{"kind":"percent","rate":"10","minimum":"1.00",{plan}}}"#);
            let terms: Terms = serde_json::from_str(&plan).unwrap();
            let told = terms.told("USD", None);
            let own = told.iter().find(|line| line.starts_with("anything else")).unwrap();
            assert_eq!(own, &format!("anything else: 10 %, at least 1.00 {expected}"));
        };
        let rule = |when: &str, pay: &str| format!(r#""rules":[{{"when":{{{when}}},{pay}}}]"#);
        let (flat, percent) = (r#""kind":"flat","amount":"5""#, r#""kind":"percent","rate":"5""#);
        let (item, country) = (r#""sku":["B1"]"#, r#""country":["DE"]"#);
        let mixed = "in the sale's currency (in USD where other items are paid in USD)";
        check(&rule(item, flat), mixed);
        check(&rule(item, percent), "in the sale's currency");
        // All of an order is paid by such a rule, or nothing of it.
        check(&rule(country, flat), "in the sale's currency");
        check(&format!(r#"{},"currency":"program""#, rule(item, flat)), "USD");
    }
}
