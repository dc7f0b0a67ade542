//! A statement of one account, an affiliate's payable money of one currency in one program: opening, movements,
//! closing. It foots, or there is none.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::id::Id;
use super::money::Money;
use super::sheet::{Cell, number, text, text_of};

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
    /// Of an adjustment: why, in words that the affiliate may read.
    pub reason: Option<String>,
    /// Below zero: taken, or paid.
    pub amount: Money,
    /// Behind it.
    pub balance: Money,
}

/// The columns of a statement as a table: `month` is the statement's, `closed_month` that whose closing made an adjustment.
const SHEET: [&str; 11] = [
    "program_id",
    "currency",
    "day",
    "code",
    "transfer_id",
    "order_id",
    "amount",
    "balance",
    "month",
    "closed_month",
    "reason",
];

/// A month by its first day, as it is written.
pub fn month_name(first: Date) -> String {
    first.strftime("%Y-%m").to_string()
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

/// Accounts in a month as a table: a row for each movement, between one for the opening and one for the closing of its
/// account.
pub fn sheet_of(accounts: &[Account], month: Date) -> Vec<[Cell; 11]> {
    let mut records = vec![SHEET.map(text)];
    for account in accounts {
        let row = |code: &str, balance: Money, moved: Option<&Movement>| {
            [
                text(account.program_id),
                text(account.opening.currency.code()),
                text_of(moved.map(|m| m.day)),
                text(code),
                text_of(moved.map(|m| m.id)),
                text_of(moved.and_then(|m| m.order_id.as_deref())),
                Cell::Number(moved.map(|m| m.amount.amount)),
                number(balance.amount),
                text(month_name(month)),
                text_of(moved.and_then(|m| m.month).map(month_name)),
                text_of(moved.and_then(|m| m.reason.as_deref())),
            ]
        };
        records.push(row("opening", account.opening, None));
        records.extend(account.movements.iter().map(|m| row(&m.code, m.balance, Some(m))));
        records.push(row("closing", account.closing, None));
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;
    use crate::domain::sheet;

    #[test]
    fn a_table_tells_month_and_reason() {
        let usd = |amount: &str| Money {
            amount: amount.parse().unwrap(),
            currency: Currency::parse("USD").unwrap(),
        };
        let moved = |code: &str, month: Option<&str>, reason: Option<&str>| Movement {
            id: 7,
            at: Timestamp::UNIX_EPOCH,
            day: "2026-03-02".parse().unwrap(),
            code: code.to_owned(),
            conversion_id: None,
            order_id: Some("1001".to_owned()),
            month: month.map(|month| month.parse().unwrap()),
            reason: reason.map(str::to_owned),
            amount: usd("2.00"),
            balance: usd("2.00"),
        };
        let account = Account {
            program_id: 5,
            opening: usd("0.00"),
            movements: vec![
                moved("adjust", None, Some("=a gift")),
                moved("adjust", Some("2026-01-01"), Some("month closed")),
                moved("pay", None, None),
            ],
            closing: usd("6.00"),
            pending: usd("0.00"),
        };
        let sheet = sheet_of(&[account], "2026-03-01".parse().unwrap());
        let table = String::from_utf8(sheet::written(&sheet)).unwrap();
        let told: Vec<&str> = table.lines().collect();
        let name = |name| format!("\"{name}\"");
        let moved = r#""5","USD","2026-03-02""#;
        let expected = [
            SHEET.map(name).join(","),
            r#""5","USD","","opening","","","",0.00,"2026-03","","""#.to_owned(),
            format!(r#"{moved},"adjust","7","1001",2.00,2.00,"2026-03","","'=a gift""#),
            format!(r#"{moved},"adjust","7","1001",2.00,2.00,"2026-03","2026-01","month closed""#),
            format!(r#"{moved},"pay","7","1001",2.00,2.00,"2026-03","","""#),
            r#""5","USD","","closing","","","",6.00,"2026-03","","""#.to_owned(),
        ];
        assert_eq!(told, expected);
    }

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
