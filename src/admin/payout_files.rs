//! `payout-runs/{id}/file`: the approved payouts of a run, for whoever carries them out.

use super::call::{Answered, Call};
use super::input::Input;
use super::refusal::Refusal;
use super::{payout_runs, rules};
use crate::domain::payout::Method;
use crate::domain::payout_file::{self, Blocked};
use crate::http::{self, FieldError};
use crate::store::payouts;

/// `GET payout-runs/{id}/file`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    let id = call.id()?;
    let mut query = call.query();
    let (format, method) = asked(&mut query);
    query.finish()?;
    let file = payouts::file(call.store(), call.scope(), id, method).await?;
    let file = file.ok_or(Refusal::NotFound)?;
    let written = payout_file::write(&file, &format).map_err(refusal)?;
    Ok(http::saved(&written.name, written.content_type, written.content))
}

pub(super) fn asked(query: &mut Input) -> (String, Option<Method>) {
    let format = query.optional_or("format", rules::PAYOUT_FORMAT, "csv".to_owned());
    (format, payout_runs::method(query))
}

fn refusal(blocked: Blocked) -> Refusal {
    match blocked {
        Blocked::Incomplete(missing) => {
            let detail =
                "Some payouts cannot be in this file; mend what `errors` names, or cancel them.";
            let fault = |(payout, affiliate, why)| FieldError {
                pointer: format!("/payouts/{payout}"),
                detail: format!("affiliate {affiliate}: {why}"),
            };
            let faults = missing.into_iter().map(fault).collect();
            Refusal::Blocked("payees_incomplete", detail, faults)
        }
        Blocked::NothingToPay => {
            let detail = "No approved payout of this run is paid in this way.".to_owned();
            Refusal::Conflict("nothing_to_pay", detail)
        }
        Blocked::PayerIncomplete => {
            let detail = "The advertiser has no `payer_iban`.".to_owned();
            Refusal::Conflict("payer_incomplete", detail)
        }
    }
}
