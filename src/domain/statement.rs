//! A statement of one account, an affiliate's payable money of one currency in one program: opening, movements,
//! closing. It foots, or there is none.

use rust_decimal::Decimal;

/// The balance behind each movement, if the account foots: opening and movements are the closing that the
/// books tell of themselves.
pub fn footed(opening: Decimal, movements: &[Decimal], closing: Decimal) -> Option<Vec<Decimal>> {
    let mut balance = opening;
    let mut balances = Vec::with_capacity(movements.len());
    for amount in movements {
        balance = balance.checked_add(*amount)?;
        balances.push(balance);
    }
    (balance == closing).then_some(balances)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opening_and_movements_are_the_closing() {
        let decimals = |texts: &[&str]| -> Vec<Decimal> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let check =
            |opening: &str, movements: &[&str], closing: &str, expected: Option<&[&str]>| {
                let [opening, closing] = [opening, closing].map(|text| text.parse().unwrap());
                let got = footed(opening, &decimals(movements), closing);
                assert_eq!(got, expected.map(decimals), "{opening} {movements:?} {closing}");
            };
        check("0", &[], "0", Some(&[]));
        check("5.00", &[], "5", Some(&[]));
        check("5.00", &["2.50", "-7.50", "-1"], "-1.00", Some(&["7.50", "0.00", "-1.00"]));
        check("5.00", &["2.50"], "7.51", None);
        check("5.00", &[], "0", None);
    }
}
