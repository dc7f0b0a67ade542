//! Files of payouts for whoever carries them out: a bank's upload (SEPA, ISO 20022 `pain.001.001.03`), PayPal's
//! mass payments, or anybody who reads CSV. A file leaves out who is paid otherwise, and is not written at all
//! while somebody is missing from it.

use askama::Template;
use jiff::civil::Date;
use jiff::{Timestamp, Unit};
use rust_decimal::Decimal;

use super::bank::sepa_text;
use super::id::Id;
use super::money::Money;
use super::payout::{Method, Payee, Payer, is_in_file};
use super::sheet::{self, Cell, number, text, text_of};
use super::sign;

/// Of a name, at most (ISO 20022, Max70Text by the rules of SEPA).
const NAME_CHARS_MAX: usize = 70;
/// Of what the payee reads (Max140Text).
const REMARK_CHARS_MAX: usize = 140;

/// The approved payouts of a run, and who pays them.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct File {
    pub run_id: Id,
    pub advertiser: String,
    pub payer: Payer,
    /// Now.
    pub at: Timestamp,
    /// In the advertiser's time zone.
    pub today: Date,
    pub lines: Vec<Line>,
}

/// One payout of a file.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Line {
    pub payout_id: Id,
    pub affiliate_id: Id,
    /// The affiliate's name.
    pub affiliate: String,
    pub amount: Money,
    pub payee: Payee,
}

/// A file as it is saved.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Written {
    /// Of plain letters.
    pub name: String,
    pub content_type: &'static str,
    pub content: Vec<u8>,
}

/// Why a file is not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocked {
    /// Payouts that should be in it and cannot: each with its affiliate, and what is missing.
    Incomplete(Vec<(Id, Id, &'static str)>),
    /// None of the run's approved payouts is paid in this way.
    NothingToPay,
    /// Nobody knows from which account it is paid.
    PayerIncomplete,
}

/// The approved payouts of a run in a format: `sepa`, `paypal`, else plain CSV.
pub fn write(file: &File, format: &str) -> Result<Written, Blocked> {
    let name = |ending: &str| format!("payouts-{}.{ending}", file.run_id);
    match format {
        "sepa" => sepa(file, name("xml")),
        "paypal" => paypal(file, name("csv")),
        _ => Ok(plain(file, name("csv"))),
    }
}

/// The payouts of a method. Refuses, while some that should be in the file cannot.
fn lines_of(file: &File, method: Method) -> Result<Vec<&Line>, Blocked> {
    let (mut lines, mut missing) = (Vec::new(), Vec::new());
    for line in &file.lines {
        match is_in_file(method, &line.payee, line.amount) {
            Ok(true) => lines.push(line),
            Ok(false) => {}
            Err(why) => missing.push((line.payout_id, line.affiliate_id, why)),
        }
    }
    if !missing.is_empty() {
        return Err(Blocked::Incomplete(missing));
    }
    if lines.is_empty() { Err(Blocked::NothingToPay) } else { Ok(lines) }
}

fn table<const N: usize>(name: String, records: &[[Cell; N]]) -> Written {
    Written { name, content_type: sheet::CONTENT_TYPE, content: sheet::written(records) }
}

/// All of them, to be read by people and by other programs.
fn plain(file: &File, name: String) -> Written {
    let header = [
        "payout_id",
        "affiliate_id",
        "affiliate",
        "method",
        "name",
        "email",
        "iban",
        "bic",
        "amount",
        "currency",
    ];
    let mut records = vec![header.map(text)];
    records.extend(file.lines.iter().map(|line| {
        [
            text(line.payout_id),
            text(line.affiliate_id),
            text(&line.affiliate),
            text_of(line.payee.method.as_deref()),
            text_of(line.payee.name.as_deref()),
            text_of(line.payee.email.as_deref()),
            text_of(line.payee.iban.as_deref()),
            text_of(line.payee.bic.as_deref()),
            number(line.amount.amount),
            text(line.amount.currency.code()),
        ]
    }));
    table(name, &records)
}

/// PayPal's mass payments: recipient, amount, currency, our reference, a note; without a header row.
fn paypal(file: &File, name: String) -> Result<Written, Blocked> {
    let note = format!("Commission from {}", file.advertiser);
    let record = |line: &&Line| {
        [
            text_of(line.payee.email.as_deref()),
            number(line.amount.amount),
            text(line.amount.currency.code()),
            text(line.payout_id),
            text(&note),
        ]
    };
    let records: Vec<_> = lines_of(file, Method::Paypal)?.iter().map(record).collect();
    Ok(table(name, &records))
}

/// A customer credit transfer initiation, `pain.001.001.03`, by the rules of SEPA.
#[derive(Template)]
#[template(path = "pain.xml", config = "src/domain/askama.toml")]
struct Pain {
    message_id: String,
    created_at: String,
    execution_on: String,
    count: usize,
    sum: Decimal,
    payer: Party,
    payments: Vec<Payment>,
}

struct Party {
    name: String,
    iban: String,
    bic: Option<String>,
}

struct Payment {
    id: String,
    amount: Decimal,
    payee: Party,
    remark: String,
}

fn sepa(file: &File, name: String) -> Result<Written, Blocked> {
    let lines = lines_of(file, Method::Sepa)?;
    let iban = file.payer.iban.clone().ok_or(Blocked::PayerIncomplete)?;
    let from = file.payer.name.as_deref().unwrap_or(&file.advertiser);
    let remark = sepa_text(&format!("Commission {}", file.advertiser), REMARK_CHARS_MAX);
    let payment = |line: &&Line| Payment {
        id: line.payout_id.to_string(),
        amount: line.amount.amount,
        payee: Party {
            name: sepa_text(line.payee.name.as_deref().unwrap_or(&line.affiliate), NAME_CHARS_MAX),
            iban: line.payee.iban.clone().unwrap_or_default(),
            bic: line.payee.bic.clone(),
        },
        remark: remark.clone(),
    };
    let payments: Vec<Payment> = lines.iter().map(payment).collect();
    // A bank refuses a message that it has had: the same payouts are the same message, others are another.
    let ids: Vec<&str> = payments.iter().map(|payment| &*payment.id).collect();
    let which = &sign::digest_hex(ids.join(" ").as_bytes())[..8];
    let pain = Pain {
        message_id: format!("{}-{which}", file.run_id),
        created_at: file.at.round(Unit::Second).unwrap_or(file.at).to_string(),
        execution_on: file.today.to_string(),
        count: payments.len(),
        sum: payments.iter().map(|payment| payment.amount).sum(),
        payer: Party { name: sepa_text(from, NAME_CHARS_MAX), iban, bic: file.payer.bic.clone() },
        payments,
    };
    // Into memory: there is nothing that could fail.
    let content = pain.render().unwrap_or_default().into_bytes();
    Ok(Written { name, content_type: "application/xml", content })
}
