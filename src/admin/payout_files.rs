//! `payout-runs/{id}/file`: the approved payouts of a run, for whoever carries them out: a bank's upload (SEPA,
//! ISO 20022 `pain.001.001.03`), PayPal's mass payments, or anybody who reads CSV. A file leaves out who is paid
//! otherwise, and is not written at all while somebody is missing from it.

use askama::Template;
use jiff::Unit;
use rust_decimal::Decimal;

use super::call::{Answered, Call};
use super::cells::{self, neutral};
use super::input::Input;
use super::refusal::Refusal;
use super::rules;
use crate::domain::bank::sepa_text;
use crate::domain::payout::{Method, is_in_file};
use crate::domain::sign;
use crate::http::{FieldError, Reply};
use crate::store::payouts::{self, File, Line};

/// Of a name, at most (ISO 20022, Max70Text by the rules of SEPA).
const NAME_CHARS_MAX: usize = 70;
/// Of what the payee reads (Max140Text).
const REMARK_CHARS_MAX: usize = 140;

/// `GET payout-runs/{id}/file`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    let id = call.id()?;
    let mut query = call.query();
    let format = asked(&mut query);
    query.finish()?;
    let file = payouts::file(call.store(), call.scope(), id).await?.ok_or(Refusal::NotFound)?;
    let name = |ending: &str| format!("payouts-{id}.{ending}");
    match &*format {
        "sepa" => sepa(&file, &name("xml")),
        "paypal" => paypal(&file, &name("csv")),
        _ => Ok(plain(&file, &name("csv"))),
    }
}

pub(super) fn asked(query: &mut Input) -> String {
    query.optional_or("format", rules::PAYOUT_FORMAT, "csv".to_owned())
}

/// The payouts of a method. Refuses, while some that should be in the file cannot.
fn lines_of(file: &File, method: Method) -> Result<Vec<&Line>, Refusal> {
    let (mut lines, mut missing) = (Vec::new(), Vec::new());
    for line in &file.lines {
        match is_in_file(method, &line.payee, line.amount) {
            Ok(true) => lines.push(line),
            Ok(false) => {}
            Err(why) => missing.push(FieldError {
                pointer: format!("/payouts/{}", line.payout_id),
                detail: format!("affiliate {}: {why}", line.affiliate_id),
            }),
        }
    }
    if !missing.is_empty() {
        let detail = "Some payouts cannot be in this file; say how they are paid, or cancel them.";
        return Err(Refusal::Blocked("payees_incomplete", detail, missing));
    }
    if lines.is_empty() {
        let detail = "No approved payout of this run is paid in this way.".to_owned();
        return Err(Refusal::Conflict("nothing_to_pay", detail));
    }
    Ok(lines)
}

/// All of them, to be read by people and by other programs.
fn plain(file: &File, name: &str) -> Reply {
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
    let mut records = vec![header.map(str::to_owned)];
    let cell = |text: &Option<String>| neutral(text.as_deref().unwrap_or(""));
    records.extend(file.lines.iter().map(|line| {
        [
            line.payout_id.to_string(),
            line.affiliate_id.to_string(),
            neutral(&line.affiliate),
            cell(&line.payee.method),
            cell(&line.payee.name),
            cell(&line.payee.email),
            cell(&line.payee.iban),
            cell(&line.payee.bic),
            line.amount.amount.to_string(),
            line.amount.currency.code().to_owned(),
        ]
    }));
    cells::sheet(name, &records)
}

/// PayPal's mass payments: recipient, amount, currency, our reference, a note; without a header row.
fn paypal(file: &File, name: &str) -> Answered {
    let note = neutral(&format!("Commission from {}", file.advertiser));
    let record = |line: &&Line| {
        [
            line.payee.email.clone().unwrap_or_default(),
            line.amount.amount.to_string(),
            line.amount.currency.code().to_owned(),
            line.payout_id.to_string(),
            note.clone(),
        ]
    };
    let records: Vec<_> = lines_of(file, Method::Paypal)?.iter().map(record).collect();
    Ok(cells::sheet(name, &records))
}

/// A customer credit transfer initiation, `pain.001.001.03`, by the rules of SEPA.
#[derive(Template)]
#[template(path = "pain.xml", config = "src/admin/askama.toml")]
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

fn sepa(file: &File, name: &str) -> Answered {
    let lines = lines_of(file, Method::Sepa)?;
    let Some(iban) = file.payer.iban.clone() else {
        let detail = "The advertiser has no `payer_iban`.".to_owned();
        return Err(Refusal::Conflict("payer_incomplete", detail));
    };
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
    Ok(cells::saved(name, "application/xml", content))
}
