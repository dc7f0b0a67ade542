//! From one currency into another, by what one euro was in each. A quote is good until the next one, at most
//! for some days: banks do not quote on weekends and holidays. What was quoted is never guessed: where there
//! is no quote, or too old a one, there is no rate.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use super::money::{Currency, Money};

/// Days that a quote may be old. Easter and Christmas make five days without one; a currency whose quotes
/// ended is worth nothing known soon after.
pub const AGE_DAYS_MAX: i32 = 7;
/// Significant digits of a rate, half to even: more than any quote has, and few enough that a rate can be
/// kept and read whole, so that the kept one gives the same amount again.
pub const DIGITS: u32 = 10;

/// The least and the most that one euro may be in a currency; what is outside is no quote but a mistake.
pub const PER_EURO: std::ops::RangeInclusive<Decimal> =
    Decimal::from_parts(1, 0, 0, false, 6)..=Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// How many of a currency one euro was on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Rate {
    /// Not the euro.
    pub currency: Currency,
    pub on: Date,
    /// Within [`PER_EURO`].
    pub per_euro: Decimal,
}

/// A rate from one currency into another, with all that explains it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quoted {
    /// How many of the one currency one of the other is; [`DIGITS`] significant digits.
    pub rate: Decimal,
    /// The day that it was quoted for; of two quotes the older one's.
    pub on: Date,
    /// Who quoted it; of two quotes both, where they are not the same.
    pub source: String,
}

impl Quoted {
    /// Money in the other currency: rounded once, half to even. Nothing where it would be beyond all bounds.
    pub fn convert(&self, money: Money, to: Currency) -> Option<Money> {
        Some(Money::rounded(money.amount.checked_mul(self.rate)?, to))
    }

    /// Whether a rate that a person tells may be meant; see [`LIKENESS`].
    pub fn is_like(&self, told: Decimal) -> bool {
        let most = |rate: Decimal| rate.checked_mul(LIKENESS).unwrap_or(Decimal::MAX);
        told <= most(self.rate) && self.rate <= most(told)
    }
}

/// A rate that a person tells is no more than so many times a quote, and no less than a part of it like that: what is
/// further off was mistyped, or is that of other currencies.
pub const LIKENESS: Decimal = Decimal::TWO;

/// Quotes of several currencies and days, each with who quoted it.
#[derive(Debug, Clone, Default)]
pub struct Rates(HashMap<Currency, BTreeMap<Date, (Decimal, String)>>);

impl FromIterator<(Rate, String)> for Rates {
    fn from_iter<T: IntoIterator<Item = (Rate, String)>>(rates: T) -> Self {
        let mut of: HashMap<Currency, BTreeMap<Date, _>> = HashMap::new();
        for (Rate { currency, on, per_euro }, source) in rates {
            of.entry(currency).or_default().insert(on, (per_euro, source));
        }
        Rates(of)
    }
}

/// What one euro is in a currency.
struct PerEuro<'a> {
    per_euro: Decimal,
    /// When and by whom it was quoted; the euro itself needs no quote.
    quote: Option<(Date, &'a str)>,
}

impl Rates {
    /// How many `to` one `from` was on a day: by the last quotes on or before it, if neither is more than
    /// `age_days_max` days old.
    pub fn between(
        &self,
        from: Currency,
        to: Currency,
        on: Date,
        age_days_max: i32,
    ) -> Option<Quoted> {
        if from == to {
            return Some(Quoted { rate: Decimal::ONE, on, source: "same currency".to_owned() });
        }
        let (from, to) =
            (self.per_euro(from, on, age_days_max)?, self.per_euro(to, on, age_days_max)?);
        let rate = to.per_euro.checked_div(from.per_euro)?;
        let rate =
            rate.round_sf_with_strategy(DIGITS, RoundingStrategy::MidpointNearestEven)?.normalize();
        let quotes = [from.quote, to.quote].into_iter().flatten();
        let on = quotes.clone().map(|(day, _)| day).min()?;
        let mut sources: Vec<&str> = quotes.map(|(_, source)| source).collect();
        sources.dedup();
        Some(Quoted { rate, on, source: sources.join(" and ") })
    }

    fn per_euro(&self, currency: Currency, on: Date, age_days_max: i32) -> Option<PerEuro<'_>> {
        if currency == Currency::EUR {
            return Some(PerEuro { per_euro: Decimal::ONE, quote: None });
        }
        let (day, (per_euro, source)) = self.0.get(&currency)?.range(..=on).next_back()?;
        let age_days = on.since(*day).ok()?.get_days();
        let good = age_days <= age_days_max;
        good.then_some(PerEuro { per_euro: *per_euro, quote: Some((*day, source)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    /// Some days of 2022 with a weekend, after which the rouble ends. And what a person set.
    fn rates() -> Rates {
        let quotes = [
            ("USD", "2022-02-25", "1.1216", "ECB"),
            ("JPY", "2022-02-25", "129.64", "ECB"),
            ("RUB", "2022-02-25", "92.5673", "ECB"),
            ("USD", "2022-02-28", "1.1199", "ECB"),
            ("JPY", "2022-02-28", "129.31", "ECB"),
            ("RUB", "2022-02-28", "115.4842", "ECB"),
            ("USD", "2022-03-01", "1.1162", "ECB"),
            ("RUB", "2022-03-01", "117.201", "ECB"),
            ("KWD", "2022-02-24", "0.33945", "Central Bank of Kuwait"),
            ("VND", "2022-02-28", "25563.2", "Central Bank of Kuwait"),
        ];
        let rate = |(code, on, per_euro, source): (&str, &str, &str, &str)| {
            let rate =
                Rate { currency: currency(code), on: day(on), per_euro: per_euro.parse().unwrap() };
            (rate, source.to_owned())
        };
        quotes.map(rate).into_iter().collect()
    }

    /// `expected`: rate, day, source, by hand.
    fn check(from: &str, to: &str, on: &str, expected: Option<(&str, &str, &str)>) {
        let got = rates().between(currency(from), currency(to), day(on), AGE_DAYS_MAX);
        let got = got.map(|q| (q.rate.to_string(), q.on.to_string(), q.source));
        let expected = expected.map(|(rate, on, s)| (rate.to_owned(), on.to_owned(), s.to_owned()));
        assert_eq!(got, expected, "{from} {to} {on}");
    }

    #[test]
    fn rates_between_currencies() {
        for (from, to, on, expected) in [
            // With the euro on either side; 1 / 1.1216 = 0.891583452211…
            ("EUR", "USD", "2022-02-25", Some(("1.1216", "2022-02-25", "ECB"))),
            ("USD", "EUR", "2022-02-25", Some(("0.8915834522", "2022-02-25", "ECB"))),
            // Through the euro: 129.64 / 1.1216 = 115.5848787446…; 1.1216 / 129.64 = 0.00865165072508…
            ("USD", "JPY", "2022-02-25", Some(("115.5848787", "2022-02-25", "ECB"))),
            ("JPY", "USD", "2022-02-25", Some(("0.008651650725", "2022-02-25", "ECB"))),
            // Over the weekend, and not from the day after.
            ("EUR", "USD", "2022-02-26", Some(("1.1216", "2022-02-25", "ECB"))),
            ("EUR", "USD", "2022-02-27", Some(("1.1216", "2022-02-25", "ECB"))),
            ("EUR", "USD", "2022-02-28", Some(("1.1199", "2022-02-28", "ECB"))),
            // Of two quotes the older day; both sources, or the one that both are of.
            ("JPY", "USD", "2022-03-01", Some(("0.008631969685", "2022-02-28", "ECB"))),
            (
                "USD",
                "KWD",
                "2022-02-28",
                Some(("0.3031074203", "2022-02-24", "ECB and Central Bank of Kuwait")),
            ),
            (
                "KWD",
                "USD",
                "2022-02-28",
                Some(("3.299160407", "2022-02-24", "Central Bank of Kuwait and ECB")),
            ),
            (
                "VND",
                "KWD",
                "2022-02-28",
                Some(("0.00001327885398", "2022-02-24", "Central Bank of Kuwait")),
            ),
            // A currency that ended: seven days, and no more.
            ("RUB", "EUR", "2022-03-08", Some(("0.008532350407", "2022-03-01", "ECB"))),
            ("RUB", "EUR", "2022-03-09", None),
            ("EUR", "RUB", "2022-03-08", Some(("117.201", "2022-03-01", "ECB"))),
            // Nobody quoted it, or not yet.
            ("EUR", "CHF", "2022-02-25", None),
            ("EUR", "USD", "2022-02-24", None),
            ("CHF", "EUR", "2022-02-25", None),
            // The same needs no quote.
            ("EUR", "EUR", "2022-02-25", Some(("1", "2022-02-25", "same currency"))),
            ("CHF", "CHF", "1999-01-01", Some(("1", "1999-01-01", "same currency"))),
        ] {
            check(from, to, on, expected);
        }
    }

    #[test]
    fn the_age_is_counted_in_days() {
        let age = |on: &str, age_days_max| {
            rates().between(Currency::EUR, currency("USD"), day(on), age_days_max).is_some()
        };
        assert!(age("2022-03-01", 0) && !age("2022-03-02", 0) && age("2022-03-02", 1));
        assert!(age("2022-03-31", 30) && age("2022-04-01", 31) && !age("2022-04-01", 30));
        assert!(age("2023-03-01", 365) && !age("2023-03-01", 364));
    }

    #[test]
    fn what_is_kept_gives_the_same_amount_again() {
        let quoted = |from, to| {
            rates().between(currency(from), currency(to), day("2022-02-28"), AGE_DAYS_MAX).unwrap()
        };
        for (amount, from, to, expected) in [
            // 100 × 115.4656666 = 11546.56666 yen; 11547 × 0.008660583095 = 100.0037… dollars.
            ("100.00", "USD", "JPY", "11547"),
            ("11547", "JPY", "USD", "100.00"),
            ("19.95", "USD", "KWD", "6.047"),
            ("1.000", "KWD", "JPY", "381"),
            ("1000000", "VND", "KWD", "13.279"),
        ] {
            let money = Money { amount: amount.parse().unwrap(), currency: currency(from) };
            let quoted = quoted(from, to);
            let got = quoted.convert(money, currency(to)).unwrap();
            assert_eq!((got.amount.to_string().as_str(), got.currency.code()), (expected, to));
            let kept: Quoted =
                serde_json::from_str(&serde_json::to_string(&quoted).unwrap()).unwrap();
            assert_eq!(kept, quoted);
            assert_eq!(kept.convert(money, currency(to)), Some(got));
        }
        let most = Money { amount: Decimal::MAX, currency: Currency::EUR };
        assert_eq!(quoted("EUR", "JPY").convert(most, currency("JPY")), None);
    }

    #[test]
    fn a_rate_told_by_hand_is_like_the_quote() {
        let quoted = |rate: &str| Quoted {
            rate: rate.parse().unwrap(),
            on: day("2026-03-02"),
            source: String::new(),
        };
        let check = |rate: &str, told: &str, expected: bool| {
            assert_eq!(quoted(rate).is_like(told.parse().unwrap()), expected, "{rate} {told}");
        };
        check("0.9217", "0.93", true);
        check("0.9217", "1.8434", true);
        check("0.9217", "1.8435", false);
        check("0.9217", "0.46085", true);
        check("0.9217", "0.4608", false);
        check("0.9217", "92.17", false);
        check("149.5", "0.00668896321", false); // The other way round.
        check("149.5", "999999999999999", false);
        check("79228162514264337593543950335", "79228162514264337593543950335", true);
    }
}
