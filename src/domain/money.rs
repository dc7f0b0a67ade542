//! Amounts: decimals with their currency's own exponent, never floats. Reads the amounts that shops
//! really send, rounds in one place, and never guesses.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use super::reason::Reason;

/// Digits before the decimal point that an amount may have. Above any real order, below any overflow.
const WHOLE_DIGITS_MAX: usize = 15;

/// An ISO 4217 currency that has a minor unit (or none, like JPY), so not gold and not "no currency".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// What the European Central Bank quotes the others against.
    pub const EUR: Currency = Currency(iso_currency::Currency::EUR);

    /// Reads a code in either case; `None` for one that ISO 4217 does not have.
    pub fn parse(code: &str) -> Option<Self> {
        let currency = iso_currency::Currency::from_code(&code.trim().to_ascii_uppercase())?;
        currency.exponent().is_some().then_some(Currency(currency))
    }

    /// Three capital letters.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Decimals of the minor unit: USD 2, JPY 0, KWD 3.
    pub fn exponent(self) -> u32 {
        self.0.exponent().map_or(2, u32::from)
    }
}

impl TryFrom<String> for Currency {
    type Error = String;
    fn try_from(code: String) -> Result<Self, String> {
        Currency::parse(&code).ok_or_else(|| format!("`{code}` is not an ISO 4217 currency"))
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.code().to_owned()
    }
}

/// An amount in a currency. JSON: `{"amount":"19.95","currency":"USD"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// With exactly the currency's decimals.
    pub amount: Decimal,
    /// Its currency.
    pub currency: Currency,
}

impl Money {
    /// Rounds to the currency's minor unit, half to even. The only rounding there is.
    pub fn rounded(amount: Decimal, currency: Currency) -> Self {
        let digits = currency.exponent();
        let mut amount =
            amount.round_dp_with_strategy(digits, RoundingStrategy::MidpointNearestEven);
        amount.rescale(digits);
        Money { amount, currency }
    }

    /// So much of it as `part` is of `whole`, which is not zero: exact up to the one rounding, in integers, for the
    /// product of two amounts is larger than a decimal can be.
    pub fn portion(self, part: Decimal, whole: Decimal) -> Self {
        let digits = part.scale().max(whole.scale());
        let (Some(own), Some(part), Some(whole)) = (
            minor(self.amount, self.currency.exponent()),
            minor(part, digits),
            minor(whole, digits),
        ) else {
            return self; // Beyond any amount that is read.
        };
        if whole <= 0 {
            return self;
        }
        // Part by part, for the product of all may be larger than even these integers.
        let rest = (own % whole).checked_mul(part);
        let quotient = (own / whole).checked_mul(part).zip(rest);
        let quotient = quotient.and_then(|(wholes, rest)| wholes.checked_add(rest / whole));
        let (Some(quotient), Some(rest)) = (quotient, rest) else { return self };
        let twice = rest % whole * 2;
        let up = twice > whole || (twice == whole && quotient % 2 == 1);
        let minor = quotient + i128::from(up);
        Money {
            amount: Decimal::from_i128_with_scale(minor, self.currency.exponent()),
            currency: self.currency,
        }
    }

    /// Nothing, in a currency.
    pub fn zero(currency: Currency) -> Self {
        Money::rounded(Decimal::ZERO, currency)
    }
}

/// An amount in units of its last decimal, of which there are so many.
fn minor(amount: Decimal, digits: u32) -> Option<i128> {
    let mut amount = amount;
    amount.rescale(digits);
    (amount.scale() == digits).then_some(amount.mantissa())
}

/// Reads an amount as a shop sent it.
///
/// A point is the decimal sign. A comma is one too, unless exactly three digits follow it (`1,234` is
/// 1234, `12,34` is 12.34); where both occur, the last is the decimal sign; spaces and apostrophes group.
/// What can be read in two ways is [`Reason::AmountAmbiguous`]: it is held, not guessed.
pub fn parse_amount(text: &str, currency: Currency) -> Result<Money, Reason> {
    if let Some(amount) = plain(text, currency.exponent() as usize) {
        return Ok(Money { amount, currency });
    }
    let text = text.trim().replace(['\u{a0}', '\u{202f}', '\'', '’'], " ");
    let (negative, text) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    let text = text.trim_start();
    let has_digit = text.bytes().any(|b| b.is_ascii_digit());
    if !has_digit || !text.bytes().all(|b| b.is_ascii_digit() || b".,".contains(&b) || b == b' ') {
        return Err(Reason::AmountInvalid);
    }
    let (whole, fraction) = match text.contains(' ') {
        true => spaced(text)?,
        false => split(text, currency)?,
    };
    if whole.len() > WHOLE_DIGITS_MAX {
        return Err(Reason::AmountTooLarge);
    }
    let fraction = fit(fraction, currency.exponent() as usize)?;
    let digits = format!("{}{whole}.{fraction}0", if negative { "-" } else { "0" });
    let amount: Decimal = digits.parse().map_err(|_| Reason::AmountInvalid)?;
    if amount < Decimal::ZERO {
        return Err(Reason::AmountNegative);
    }
    Ok(Money::rounded(amount, currency))
}

/// An amount as it should be sent, digits and a decimal point: most are, and these are read without a copy.
fn plain(text: &str, digits: usize) -> Option<Decimal> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fits = (1..=WHOLE_DIGITS_MAX).contains(&whole.len()) && fraction.len() <= digits;
    if !fits || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let zeroes = std::iter::repeat_n(b'0', digits - fraction.len());
    let minor = whole.bytes().chain(fraction.bytes()).chain(zeroes);
    let minor = minor.fold(0, |minor: i128, digit| minor * 10 + i128::from(digit - b'0'));
    Some(Decimal::from_i128_with_scale(minor, digits as u32))
}

/// Spaces and apostrophes group; then a point or a comma is the decimal sign, and stands behind the groups.
fn spaced(text: &str) -> Result<(String, &str), Reason> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    if fraction.contains([' ', '.', ',']) {
        return Err(Reason::AmountInvalid);
    }
    Ok((ungroup(whole, ' ')?, fraction))
}

/// Splits into the digits before and after the decimal sign, groups removed.
fn split(text: &str, currency: Currency) -> Result<(String, &str), Reason> {
    let count = |sign| text.matches(sign).count();
    let (group, decimal) = match (count(','), count('.')) {
        (0, 0) => return Ok((text.to_owned(), "")),
        (0, 1) => (None, Some('.')),
        (0, _) => (Some('.'), None),
        (1, 0) => return lone_comma(text, currency),
        (_, 0) => (Some(','), None),
        (1, 1) if text.find(',') > text.find('.') => (Some('.'), Some(',')),
        (_, 1) => (Some(','), Some('.')),
        (1, _) => (Some('.'), Some(',')),
        _ => return Err(Reason::AmountInvalid),
    };
    let (whole, fraction) = match decimal.and_then(|sign| text.rsplit_once(sign)) {
        Some(parts) => parts,
        None => (text, ""),
    };
    if fraction.contains([',', '.']) {
        return Err(Reason::AmountInvalid);
    }
    match group {
        Some(sign) if whole.contains(sign) => Ok((ungroup(whole, sign)?, fraction)),
        _ => Ok((whole.to_owned(), fraction)),
    }
}

/// `1,234` is 1234 and `12,34` is 12.34. `1,234` of a currency with three decimals may be either, and
/// nobody groups `0,123` or `1234,567`.
fn lone_comma(text: &str, currency: Currency) -> Result<(String, &str), Reason> {
    let (whole, fraction) = text.split_once(',').unwrap_or((text, ""));
    if fraction.len() != 3 {
        return Ok((whole.to_owned(), fraction));
    }
    let could_be_group = (1..=3).contains(&whole.len()) && !whole.starts_with('0');
    match (could_be_group, currency.exponent() >= 3) {
        (true, false) => Ok((format!("{whole}{fraction}"), "")),
        (false, true) => Ok((whole.to_owned(), fraction)),
        _ => Err(Reason::AmountAmbiguous),
    }
}

/// Removes group signs: groups of three, or of two before a last three (as in India).
fn ungroup(whole: &str, sign: char) -> Result<String, Reason> {
    let groups: Vec<&str> = whole.split(sign).collect();
    let (first, rest) = groups.split_first().ok_or(Reason::AmountInvalid)?;
    let (last, middle) = rest.split_last().ok_or(Reason::AmountInvalid)?;
    let threes = middle.iter().all(|g| g.len() == 3) && (1..=3).contains(&first.len());
    let twos = middle.iter().all(|g| g.len() == 2) && (1..=2).contains(&first.len());
    if last.len() == 3 && (threes || twos) {
        Ok(groups.concat())
    } else {
        Err(Reason::AmountAmbiguous)
    }
}

/// Cuts surplus zeros; other surplus digits are more precise than the currency is. Three surplus digits
/// are never zeros of precision: `1.000` may be a thousand somewhere.
fn fit(fraction: &str, digits: usize) -> Result<&str, Reason> {
    if fraction.len() <= digits {
        return Ok(fraction);
    }
    let (kept, surplus) = fraction.split_at(digits);
    let exact = surplus.bytes().all(|b| b == b'0') && fraction.len() != 3;
    if exact { Ok(kept) } else { Err(Reason::AmountPrecision) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, currency: &str, expected: Result<&str, Reason>) {
        let currency = Currency::parse(currency).unwrap();
        let got = parse_amount(text, currency).map(|money| money.amount.to_string());
        assert_eq!(got, expected.map(str::to_owned), "{text} {}", currency.code());
    }

    #[test]
    fn amounts_as_shops_send_them() {
        for (text, expected) in [
            ("19.95", "19.95"),
            ("20", "20.00"),
            ("0", "0.00"),
            ("0.01", "0.01"),
            (".5", "0.50"),
            ("7.", "7.00"),
            (" 19.95 ", "19.95"),
            ("+19.95", "19.95"),
            ("1,234.50", "1234.50"),
            ("12,34", "12.34"),
            ("12,3", "12.30"),
            ("1.234,50", "1234.50"),
            ("1,234", "1234.00"),
            ("12,345", "12345.00"),
            ("1,234,567", "1234567.00"),
            ("1.234.567", "1234567.00"),
            ("1.234.567,89", "1234567.89"),
            ("1,23,456.00", "123456.00"),
            ("1 234,50", "1234.50"),
            ("1 234 567", "1234567.00"),
            ("1'234.50", "1234.50"),
            ("1\u{a0}234,50", "1234.50"),
            ("19.9500", "19.95"),
        ] {
            check(text, "USD", Ok(expected));
        }
        check("1000.00", "JPY", Ok("1000"));
        check("1,234", "JPY", Ok("1234"));
        check("1.234", "KWD", Ok("1.234"));
        check("1234,567", "KWD", Ok("1234.567"));
    }

    #[test]
    fn amounts_that_are_refused_or_held() {
        use Reason::*;
        for (text, reason) in [
            ("abc", AmountInvalid),
            ("123.45P", AmountInvalid),
            ("$5", AmountInvalid),
            ("1e3", AmountInvalid),
            ("1.2,3.4", AmountInvalid),
            (".", AmountInvalid),
            ("-1", AmountNegative),
            ("-0.01", AmountNegative),
            ("19.999", AmountPrecision),
            ("1.000", AmountPrecision),
            ("12,3456", AmountPrecision),
            ("0,123", AmountAmbiguous),
            ("1,2,3", AmountAmbiguous),
            ("12,34,56", AmountAmbiguous),
            ("19 95", AmountAmbiguous),
            ("5 19.95", AmountAmbiguous),
            ("1 2 3", AmountAmbiguous),
            ("1 234.5 0", AmountInvalid),
            ("1234,567", AmountAmbiguous),
            ("9999999999999999", AmountTooLarge),
        ] {
            check(text, "USD", Err(reason));
        }
        check("1,234", "KWD", Err(AmountAmbiguous));
        check("10.5", "JPY", Err(AmountPrecision));
    }

    proptest! {
        #[test]
        fn plain_amounts_are_read_as_any_other(whole in 0u64..1_000_000, fraction in "[0-9]{0,3}") {
            for currency in ["USD", "JPY", "KWD"] {
                let currency = Currency::parse(currency).unwrap();
                let text = format!("{whole}.{fraction}");
                // A sign keeps it from the short way.
                prop_assert_eq!(
                    parse_amount(&text, currency),
                    parse_amount(&format!("+{text}"), currency)
                );
            }
        }
    }

    #[test]
    fn halves_go_to_even() {
        let usd = Currency::parse("usd").unwrap();
        for (amount, expected) in [("0.125", "0.12"), ("0.135", "0.14"), ("1.005", "1.00")] {
            let amount: Decimal = amount.parse().unwrap();
            assert_eq!(Money::rounded(amount, usd).amount.to_string(), expected);
        }
    }

    #[test]
    fn a_portion_is_exact_and_rounded_once() {
        for (amount, currency, part, whole, expected) in [
            ("10.00", "USD", "30.00", "100.00", "3.00"),
            ("0.09", "USD", "1", "6", "0.02"), // 0.015, to even
            ("0.03", "USD", "1", "6", "0.00"), // 0.005, to even
            ("100", "JPY", "1", "3", "33"),
            ("1.001", "KWD", "0.500", "1.000", "0.500"), // 0.5005, to even
            ("1.0003", "CLF", "0.5", "1", "0.5002"),     // 0.50015, to even
            ("5.00", "USD", "0", "9.99", "0.00"),
            (
                "999999999999999.99",
                "USD",
                "999999999999999.98",
                "999999999999999.99",
                "999999999999999.98",
            ),
            // As an exchange may make them.
            (
                "107999999999999999989",
                "VND",
                "333333333333333.3333",
                "999999999999999.9999",
                "35999999999999999996",
            ),
            ("79228162514264337593543950335", "JPY", "2", "3", "52818775009509558395695966890"),
        ] {
            let currency = Currency::parse(currency).unwrap();
            let money = Money::rounded(amount.parse().unwrap(), currency);
            let got = money.portion(part.parse().unwrap(), whole.parse().unwrap());
            assert_eq!(got.amount.to_string(), expected, "{amount} × {part} / {whole}");
        }
    }

    #[test]
    fn only_currencies_with_a_unit_are_currencies() {
        for code in ["PES", "XXX", "XAU", "", "US", "DOLLAR"] {
            assert_eq!(Currency::parse(code), None, "{code}");
        }
    }
}
