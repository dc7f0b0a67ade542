//! What was bought, as shops send it: `sku:quantity:unit_price` with commas between, or a JSON list. All or
//! nothing: of a list that is half understood, nobody could say what the rest was worth.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::money::{Currency, parse_amount};

/// Items that one order may have.
const ITEMS_MAX: usize = 200;
/// Digits before and behind the decimal point of a quantity and of a unit price. Together a `Decimal` holds
/// them all, so that the product is exact.
const QUANTITY_DIGITS: (usize, usize) = (6, 4);
const PRICE_DIGITS: (usize, usize) = (12, 6);

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The shop's name for what was bought, trimmed, never empty.
    pub sku: String,
    /// Told in JSON only.
    pub category: Option<String>,
    /// Above zero.
    pub quantity: Decimal,
    /// Quantity times unit price, exact: not rounded to the currency's minor unit.
    pub total: Decimal,
}

/// A line of the JSON list. Numbers as they were written: none is ever a float.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    sku: &'a RawValue,
    #[serde(borrow)]
    quantity: &'a RawValue,
    #[serde(borrow)]
    unit_price: Option<&'a RawValue>,
    #[serde(borrow)]
    price: Option<&'a RawValue>,
    #[serde(borrow)]
    category: Option<&'a RawValue>,
}

/// Reads the items of an order in this currency; an empty list says that there are none. `None` when anything
/// in it cannot be read, or there are more than 200.
///
/// A price may be finer than the currency, up to six decimals; it is the quantity's total that is paid.
pub fn parse(text: &str, currency: Currency) -> Option<Vec<Item>> {
    let text = text.trim();
    if text.starts_with('[') {
        return parse_json(text, currency);
    }
    let lines = text.split(',').map(str::trim).filter(|line| !line.is_empty());
    let items = lines.take(ITEMS_MAX + 1).map(|line| {
        // A further colon may be another item's, behind a separator that we do not know.
        let [sku, quantity, price] = line.split(':').collect::<Vec<_>>().try_into().ok()?;
        item(sku, None, quantity, price, currency)
    });
    bounded(items.collect::<Option<Vec<Item>>>()?)
}

fn parse_json(text: &str, currency: Currency) -> Option<Vec<Item>> {
    let lines: Vec<Line<'_>> = serde_json::from_str(text).ok()?;
    let items = lines.into_iter().take(ITEMS_MAX + 1).map(|line| {
        let category = match line.category {
            Some(raw) => Some(value(raw)?).filter(|text| !text.trim().is_empty()),
            None => None,
        };
        let price = value(line.unit_price.or(line.price)?)?;
        item(&value(line.sku)?, category, &value(line.quantity)?, &price, currency)
    });
    bounded(items.collect::<Option<Vec<Item>>>()?)
}

/// A text, or a number's digits; nothing else can be a field of an item.
fn value(raw: &RawValue) -> Option<String> {
    match raw.get().as_bytes().first()? {
        b'"' => serde_json::from_str(raw.get()).ok(),
        b'0'..=b'9' | b'-' => Some(raw.get().to_owned()),
        _ => None,
    }
}

fn item(
    sku: &str,
    category: Option<String>,
    quantity: &str,
    price: &str,
    currency: Currency,
) -> Option<Item> {
    let sku = text(sku).filter(|sku| !sku.is_empty())?;
    let category = match category {
        Some(category) => Some(text(&category)?),
        None => None,
    };
    let quantity =
        plain(quantity.trim(), QUANTITY_DIGITS).filter(|quantity| !quantity.is_zero())?;
    let price = match plain(price.trim(), PRICE_DIGITS) {
        Some(price) => price,
        // Written for people, as amounts are: `1,234.50`.
        None => within(parse_amount(price, currency).ok()?.amount)?,
    };
    let total = quantity.checked_mul(price)?;
    Some(Item { sku, category, quantity, total })
}

/// Trimmed; nothing that no shop means and no table can keep.
fn text(text: &str) -> Option<String> {
    let text = text.trim();
    let is_clean = !text.contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER);
    is_clean.then(|| text.to_owned())
}

/// Digits and at most one decimal point, as few as said.
fn plain(text: &str, (whole_max, fraction_max): (usize, usize)) -> Option<Decimal> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fits = (1..=whole_max).contains(&whole.len()) && fraction.len() <= fraction_max;
    let digits = whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
    if fits && digits { format!("{whole}.{fraction}0").parse().ok() } else { None }
}

fn within(price: Decimal) -> Option<Decimal> {
    (price < Decimal::from(10_u64.pow(12))).then_some(price)
}

fn bounded(items: Vec<Item>) -> Option<Vec<Item>> {
    (items.len() <= ITEMS_MAX).then_some(items)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As `sku/category*quantity=total`, one after the other; `-` for what cannot be read.
    fn shown(text: &str, currency: &str) -> String {
        let Some(items) = parse(text, Currency::parse(currency).unwrap()) else {
            return "-".to_owned();
        };
        let line = |item: &Item| {
            let category = item.category.as_deref().map(|c| format!("/{c}")).unwrap_or_default();
            let (quantity, total) = (item.quantity.normalize(), item.total.normalize());
            format!("{}{category}*{quantity}={total}", item.sku)
        };
        items.iter().map(line).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn lists_with_commas() {
        for (text, expected) in [
            ("A1:2:9.95", "A1*2=19.9"),
            (" A1 : 2 : 9.95 , B2:1:5 ,", "A1*2=19.9 B2*1=5"),
            (",,A1:1:0,", "A1*1=0"),
            ("A1:0.5:7", "A1*0.5=3.5"),
            ("A1:3:0.333333", "A1*3=0.999999"),
            ("A1:7.:7.", "A1*7=49"),
            ("Café 1:1:5", "Café 1*1=5"),
            ("A1:999999.9999:999999999999.999999", "A1*999999.9999=999999999899999999.0000000001"),
            ("", ""),
            (" , ", ""),
            ("A1", "-"),
            ("A1:2", "-"),
            ("A1:2:", "-"),
            (":2:5", "-"),
            ("A1:0:5", "-"),
            ("A1:0.0:5", "-"),
            ("A1:-1:5", "-"),
            ("A1:1:-5", "-"),
            ("A1:+1:5", "-"),
            ("A1:x:5", "-"),
            ("A1:1e3:5", "-"),
            ("A1:1:5 EUR", "-"),
            ("A1:1:0.1234567", "-"),
            ("A1:0.00001:5", "-"),
            ("A1:1000000:5", "-"),
            ("A1:1:1000000000000", "-"),
            ("A1:1:9,95", "-"),
            ("A1:1:5;B2:1:5", "-"),
            ("shop:A1:1:5", "-"),
            ("A1:1:5,B2", "-"),
            ("A1:1:5…", "-"),
            ("A\u{1}:1:5", "-"),
            ("A\u{fffd}:1:5", "-"),
            ("{items}", "-"),
            ("[items]", "-"),
        ] {
            assert_eq!(shown(text, "USD"), expected, "{text}");
        }
    }

    #[test]
    fn lists_in_json() {
        for (text, expected) in [
            (r#"[{"sku":"A1","quantity":2,"unit_price":9.95}]"#, "A1*2=19.9"),
            (r#" [ {"sku":" A1 ","quantity":"2","price":"9.95","name":"x"} ] "#, "A1*2=19.9"),
            (r#"[{"sku":"A1","quantity":1,"unit_price":3,"price":4}]"#, "A1*1=3"),
            (r#"[{"sku":7001,"quantity":1,"price":0.1}]"#, "7001*1=0.1"),
            (r#"[{"sku":"A","category":"shoes","quantity":1,"price":1}]"#, "A/shoes*1=1"),
            (r#"[{"sku":"A","category":null,"quantity":1,"price":1}]"#, "A*1=1"),
            (r#"[{"sku":"A","category":" ","quantity":1,"price":1}]"#, "A*1=1"),
            (r#"[{"sku":"A","quantity":1,"price":"1,234.50"}]"#, "A*1=1234.5"),
            (r#"[{"sku":"A","quantity":1,"price":"12,34"}]"#, "A*1=12.34"),
            (r#"[{"sku":"A,B:C","quantity":1,"price":1}]"#, "A,B:C*1=1"),
            ("[]", ""),
            (r#"[{"sku":"A","quantity":1}]"#, "-"),
            (r#"[{"sku":"A","price":1}]"#, "-"),
            (r#"[{"quantity":1,"price":1}]"#, "-"),
            (r#"[{"sku":"","quantity":1,"price":1}]"#, "-"),
            (r#"[{"sku":null,"quantity":1,"price":1}]"#, "-"),
            (r#"[{"sku":"A","quantity":1,"price":null}]"#, "-"),
            (r#"[{"sku":"A","quantity":1,"price":"0,123"}]"#, "-"),
            (r#"[{"sku":"A","quantity":1e1,"price":1}]"#, "-"),
            (r#"[{"sku":"A","quantity":1,"price":1e-1}]"#, "-"),
            (r#"[{"sku":"A","quantity":-1,"price":1}]"#, "-"),
            (r#"[{"sku":"A","quantity":true,"price":1}]"#, "-"),
            (r#"[{"sku":"A","quantity":[1],"price":1}]"#, "-"),
            (r#"[{"sku":"A\u0000","quantity":1,"price":1}]"#, "-"),
            (r#"[{"sku":"A","quantity":1,"price":1,"price":2}]"#, "-"),
            (r#"[{"sku":"A","quantity":1,"price":1},]"#, "-"),
            (r#"[{"sku":"A","quantity":1,"price":1}"#, "-"),
            (r#"["A:1:1"]"#, "-"),
            ("[1]", "-"),
            (r#"{"sku":"A","quantity":1,"price":1}"#, "-"),
        ] {
            assert_eq!(shown(text, "USD"), expected, "{text}");
        }
        // Prices for people follow the currency; digits with a point do not.
        let price = |price: &str| format!(r#"[{{"sku":"A","quantity":1,"price":"{price}"}}]"#);
        assert_eq!(shown(&price("1,234"), "JPY"), "A*1=1234");
        assert_eq!(shown(&price("1,234"), "KWD"), "-");
        assert_eq!(shown(&price("10.5"), "JPY"), "A*1=10.5");
    }

    #[test]
    fn there_are_at_most_200() {
        let commas = |n| vec!["A:1:1"; n].join(",");
        let line = r#"{"sku":"A","quantity":1,"price":1}"#;
        let json = |n| format!("[{}]", vec![line; n].join(","));
        let usd = Currency::parse("USD").unwrap();
        for n in [199, 200] {
            assert_eq!(parse(&commas(n), usd).map(|items| items.len()), Some(n));
            assert_eq!(parse(&json(n), usd).map(|items| items.len()), Some(n));
        }
        assert_eq!(parse(&commas(201), usd), None);
        assert_eq!(parse(&json(201), usd), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_not(text in r#"[\[\]{}:,."a1-9 \-]{0,40}|\PC{0,40}"#) {
            for item in parse(&text, Currency::parse("KWD").unwrap()).unwrap_or_default() {
                prop_assert!(!item.sku.is_empty() && item.quantity > Decimal::ZERO);
                prop_assert!(item.total >= Decimal::ZERO);
            }
        }
    }
}
