//! A statement of one account, an affiliate's payable money of one currency in one program: opening, movements,
//! closing. It foots, or there is none.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::id::Id;
use super::money::Money;
use super::sheet::neutral;

/// The payable money of one currency in one program. It foots.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Account {
    pub program_id: Id,
    pub opening: Money,
    pub movements: Vec<Movement>,
    pub closing: Money,
    /// Not payable yet, now; whatever the month.
    pub pending: Money,
}

/// One ledger row.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Movement {
    pub id: Id,
    pub at: Timestamp,
    /// In the advertiser's time zone.
    pub day: Date,
    pub code: String,
    pub conversion_id: Option<Id>,
    pub order_id: Option<String>,
    /// The first day of the month whose closing made it.
    pub month: Option<Date>,
    /// Below zero: taken, or paid.
    pub amount: Money,
    /// Behind it.
    pub balance: Money,
}

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

/// Accounts as a table: a row for each movement, between one for the opening and one for the closing of its account.
pub fn sheet_of(accounts: &[Account]) -> Vec<[String; 8]> {
    let header =
        ["program_id", "currency", "day", "code", "transfer_id", "order_id", "amount", "balance"];
    let mut records = vec![header.map(str::to_owned)];
    for account in accounts {
        let of = |day: String, code: &str, id: String, order: &str, sums: [String; 2]| {
            let currency = account.opening.currency.code().to_owned();
            let [amount, balance] = sums;
            let (code, order) = (neutral(code), neutral(order));
            [account.program_id.to_string(), currency, day, code, id, order, amount, balance]
        };
        let edge = |code: &str, balance: Decimal| {
            of(String::new(), code, String::new(), "", [String::new(), balance.to_string()])
        };
        records.push(edge("opening", account.opening.amount));
        records.extend(account.movements.iter().map(|m| {
            let order = m.order_id.as_deref().unwrap_or("");
            let sums = [m.amount, m.balance].map(|money| money.amount.to_string());
            of(m.day.to_string(), &m.code, m.id.to_string(), order, sums)
        }));
        records.push(edge("closing", account.closing.amount));
    }
    records
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
