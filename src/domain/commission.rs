//! What a sale earns: a plan version's terms and the arithmetic. A plan is data; pricing is a function.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::money::{Currency, Money};

/// The terms of one plan version, as the API takes them and the database keeps them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Terms {
    /// `rate` percent of the sale's amount, in the sale's currency.
    Percent {
        /// 0 to 100, at most four decimals.
        rate: Decimal,
    },
    /// The same for each sale or lead, in the advertiser's currency.
    Flat {
        /// At least 0, with the currency's decimals.
        amount: Decimal,
    },
}

impl Terms {
    /// What is wrong with the terms for an advertiser of this currency: the field and a sentence.
    pub fn fault(&self, home: Currency) -> Option<(&'static str, &'static str)> {
        match self {
            Terms::Percent { rate } => {
                let fits = (Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(rate);
                let fine = fits && rate.normalize().scale() <= 4;
                (!fine).then_some(("rate", "must be between 0 and 100, with at most four decimals"))
            }
            Terms::Flat { amount } => {
                let fits =
                    *amount >= Decimal::ZERO && *amount < Decimal::from(1_000_000_000_000_i64);
                let fine = fits && amount.normalize().scale() <= home.exponent();
                (!fine).then_some((
                    "amount",
                    "must not be negative, with at most the currency's decimals",
                ))
            }
        }
    }

    /// The commission on a sale. Rounded once, half to even.
    pub fn price(&self, sale: Money, home: Currency) -> Money {
        match self {
            Terms::Percent { rate } => {
                Money::rounded(sale.amount * rate / Decimal::ONE_HUNDRED, sale.currency)
            }
            Terms::Flat { amount } => Money::rounded(*amount, home),
        }
    }

    /// The arithmetic, for a person: `10 % of 19.95 USD = 2.00 USD`.
    pub fn explain(&self, sale: Money, commission: Money) -> String {
        let Money { amount, currency } = commission;
        let code = currency.code();
        match self {
            Terms::Percent { rate } => {
                let rate = rate.normalize();
                format!("{rate} % of {} {} = {amount} {code}", sale.amount, sale.currency.code())
            }
            Terms::Flat { .. } => format!("{amount} {code} for each sale"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(amount: &str, currency: &str) -> Money {
        Money::rounded(amount.parse().unwrap(), Currency::parse(currency).unwrap())
    }

    #[test]
    fn percent_and_flat() {
        let usd = Currency::parse("USD").unwrap();
        for (terms, sale, expected) in [
            (r#"{"kind":"percent","rate":"10"}"#, money("19.95", "USD"), money("2.00", "USD")),
            (r#"{"kind":"percent","rate":"10"}"#, money("39.95", "USD"), money("4.00", "USD")),
            (r#"{"kind":"percent","rate":"10"}"#, money("0.25", "USD"), money("0.02", "USD")),
            (r#"{"kind":"percent","rate":"10"}"#, money("0.35", "USD"), money("0.04", "USD")),
            (r#"{"kind":"percent","rate":"7.5"}"#, money("1000", "JPY"), money("75", "JPY")),
            (r#"{"kind":"percent","rate":"0.5"}"#, money("1.001", "KWD"), money("0.005", "KWD")),
            (r#"{"kind":"percent","rate":"10"}"#, money("0", "USD"), money("0", "USD")),
            (r#"{"kind":"flat","amount":"5.00"}"#, money("1000", "JPY"), money("5", "USD")),
        ] {
            let terms: Terms = serde_json::from_str(terms).unwrap();
            assert_eq!(terms.price(sale, usd), expected, "{terms:?} of {sale:?}");
        }
    }

    #[test]
    fn terms_that_make_no_sense() {
        let usd = Currency::parse("USD").unwrap();
        for (terms, field) in [
            (r#"{"kind":"percent","rate":"101"}"#, "rate"),
            (r#"{"kind":"percent","rate":"-1"}"#, "rate"),
            (r#"{"kind":"percent","rate":"1.23456"}"#, "rate"),
            (r#"{"kind":"flat","amount":"-5"}"#, "amount"),
            (r#"{"kind":"flat","amount":"5.001"}"#, "amount"),
        ] {
            let terms: Terms = serde_json::from_str(terms).unwrap();
            assert_eq!(terms.fault(usd).map(|fault| fault.0), Some(field), "{terms:?}");
        }
        assert!(serde_json::from_str::<Terms>(r#"{"kind":"flat","rate":"5"}"#).is_err());
    }
}
