//! Payouts: where one stands and where it may go from there; whether a payee can be in a file; and what an
//! amount is worth in another currency. The sums themselves are the database's: it alone sees which ledger
//! rows no other payout holds.

use rust_decimal::Decimal;

use super::money::{Currency, Money};

/// Where a payout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Status {
    Proposed,
    Approved,
    Paid,
    Failed,
    Cancelled,
}

impl Status {
    /// All of them.
    pub const ALL: [Status; 5] =
        [Status::Proposed, Status::Approved, Status::Paid, Status::Failed, Status::Cancelled];

    /// The stable name.
    pub fn code(self) -> &'static str {
        ["proposed", "approved", "paid", "failed", "cancelled"][self as usize]
    }

    /// Reads the stable name.
    pub fn parse(code: &str) -> Option<Self> {
        Status::ALL.into_iter().find(|status| status.code() == code)
    }
}

/// What a person does with a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Step {
    Approve,
    Pay,
    /// It did not arrive: before or after it was told to be paid.
    Fail,
    /// It is not to be paid.
    Cancel,
}

impl Step {
    /// Where a step leads from a status; nowhere, where it cannot be taken.
    pub fn from(self, status: Status) -> Option<Status> {
        match (self, status) {
            (Step::Approve, Status::Proposed) => Some(Status::Approved),
            (Step::Pay, Status::Approved) => Some(Status::Paid),
            (Step::Fail, Status::Approved | Status::Paid) => Some(Status::Failed),
            (Step::Cancel, Status::Proposed | Status::Approved) => Some(Status::Cancelled),
            _ => None,
        }
    }
}

/// How an affiliate is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Method {
    Paypal,
    Sepa,
    Other,
}

impl Method {
    /// All of them.
    pub const ALL: [Method; 3] = [Method::Paypal, Method::Sepa, Method::Other];

    /// The stable name.
    pub fn code(self) -> &'static str {
        ["paypal", "sepa", "other"][self as usize]
    }

    /// Reads the stable name.
    pub fn parse(code: &str) -> Option<Self> {
        Method::ALL.into_iter().find(|method| method.code() == code)
    }
}

/// The account that payouts are paid from.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct Payer {
    pub name: Option<String>,
    pub iban: Option<String>,
    pub bic: Option<String>,
}

/// Who is paid, as the operator knows him.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Payee {
    pub method: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
    pub iban: Option<String>,
    pub bic: Option<String>,
}

/// Whether a payout is in a file of a method: true, or false for one that is paid otherwise; and what it
/// lacks, if it should be there and cannot.
pub fn is_in_file(method: Method, payee: &Payee, amount: Money) -> Result<bool, &'static str> {
    match payee.method.as_deref().map(Method::parse) {
        None | Some(None) => Err(NO_METHOD),
        Some(Some(own)) if own != method => Ok(false),
        Some(Some(Method::Paypal)) => match payee.email.as_deref() {
            None => Err("the affiliate has no `payee_email`"),
            // Made harmless for spreadsheets it would be somebody else's address.
            Some(email) if is_formula(email) => Err("`payee_email` begins as a formula does"),
            Some(_) => Ok(true),
        },
        Some(Some(Method::Sepa)) if payee.iban.is_none() => {
            Err("the affiliate has no `payee_iban`")
        }
        Some(Some(Method::Sepa)) if amount.currency.code() != "EUR" => {
            Err("a SEPA credit transfer is in EUR")
        }
        Some(Some(Method::Sepa)) if amount.amount > SEPA_MAX => {
            Err("a SEPA credit transfer is of 999999999.99 at most")
        }
        Some(Some(_)) => Ok(true),
    }
}

/// How a payout is paid is settled when it is approved.
const NO_METHOD: &str =
    "the affiliate had no `payee_method` when the payout was approved: cancel it, and run again";

/// Of one credit transfer (European Payments Council, EPC132-08, AT-04).
const SEPA_MAX: Decimal = Decimal::from_parts(1_215_752_191, 23, 0, false, 2);

/// Whether a spreadsheet takes a text for a formula (OWASP, "CSV injection").
pub fn is_formula(text: &str) -> bool {
    // Some read the full-width forms alike.
    const SIGNS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    text.starts_with(SIGNS)
}
/// What an amount is worth in another currency, rounded once; nothing where it is less than a minor unit, or
/// more than can be told.
pub fn exchanged(from: Money, to: Currency, rate: Decimal) -> Option<Money> {
    let worth = Money::rounded(from.amount.checked_mul(rate)?, to);
    (worth.amount > Decimal::ZERO).then_some(worth)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(amount: &str, currency: &str) -> Money {
        Money::rounded(amount.parse().unwrap(), Currency::parse(currency).unwrap())
    }

    #[test]
    fn a_payout_goes_forward_and_comes_back_only_when_it_failed() {
        let check = |step: Step, expected: [Option<Status>; 5]| {
            assert_eq!(Status::ALL.map(|status| step.from(status)), expected, "{step:?}");
        };
        let (approved, paid) = (Some(Status::Approved), Some(Status::Paid));
        let (failed, cancelled) = (Some(Status::Failed), Some(Status::Cancelled));
        check(Step::Approve, [approved, None, None, None, None]);
        check(Step::Pay, [None, paid, None, None, None]);
        check(Step::Fail, [None, failed, failed, None, None]);
        check(Step::Cancel, [cancelled, cancelled, None, None, None]);
        for status in Status::ALL {
            assert_eq!(Status::parse(status.code()), Some(status));
        }
        for method in Method::ALL {
            assert_eq!(Method::parse(method.code()), Some(method));
        }
    }

    #[test]
    fn a_payee_is_in_the_file_of_his_method() {
        let check = |file: Method, own: &str, has: &str, amount, expected: Result<bool, &str>| {
            let some = |name: &str| has.contains(name).then(|| has.to_owned());
            let method = (!own.is_empty()).then(|| own.to_owned());
            let payee = Payee { method, email: some("@"), iban: some("DE"), ..Payee::default() };
            let got = is_in_file(file, &payee, amount).map_err(|why| why.to_owned());
            assert_eq!(got, expected.map_err(str::to_owned), "{own} {has}");
        };
        let euro = money("5", "EUR");
        check(Method::Sepa, "sepa", "DE1", euro, Ok(true));
        check(Method::Sepa, "paypal", "a@b", euro, Ok(false));
        check(Method::Sepa, "other", "", euro, Ok(false));
        check(Method::Sepa, "", "DE1", euro, Err(NO_METHOD));
        check(Method::Sepa, "sepa", "", euro, Err("the affiliate has no `payee_iban`"));
        let dollars = money("5", "USD");
        check(Method::Sepa, "sepa", "DE1", dollars, Err("a SEPA credit transfer is in EUR"));
        check(Method::Sepa, "sepa", "DE1", money("999999999.99", "EUR"), Ok(true));
        let much = "a SEPA credit transfer is of 999999999.99 at most";
        check(Method::Sepa, "sepa", "DE1", money("1000000000.00", "EUR"), Err(much));
        check(Method::Paypal, "paypal", "a@b", dollars, Ok(true));
        check(Method::Paypal, "sepa", "DE1", dollars, Ok(false));
        check(Method::Paypal, "paypal", "", dollars, Err("the affiliate has no `payee_email`"));
        let formula = "`payee_email` begins as a formula does";
        check(Method::Paypal, "paypal", "=1@b", dollars, Err(formula));
    }

    #[test]
    fn an_amount_is_exchanged_and_rounded_once() {
        let check = |amount: &str, from: &str, rate: &str, to: &str, expected: Option<&str>| {
            let to = Currency::parse(to).unwrap();
            let worth = exchanged(money(amount, from), to, rate.parse().unwrap());
            let worth = worth.map(|money| money.amount.to_string());
            assert_eq!(worth.as_deref(), expected, "{amount} {from} at {rate}");
        };
        check("100.00", "USD", "0.9217", "EUR", Some("92.17"));
        check("0.05", "USD", "0.9", "EUR", Some("0.04")); // 0.045, half to even
        check("0.15", "USD", "0.9", "EUR", Some("0.14")); // 0.135
        check("100.00", "USD", "149.995", "JPY", Some("15000")); // 14999.5
        check("1", "JPY", "0.0062", "EUR", Some("0.01"));
        check("1", "JPY", "0.0041", "EUR", None);
        check("10.00", "EUR", "0.3333", "KWD", Some("3.333"));
        check("999999999999999.99", "USD", "9999999999999999", "JPY", None);
    }
}
