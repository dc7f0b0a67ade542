//! Corrections: what a shop's list of orders puts right in the books, with one call, some at a time. Each finding is
//! corrected once, so that the next call goes on where this one ended.

use serde::Serialize;
use utoipa::ToSchema;

use super::call::{Answered, Call};
use super::input::Input;
use super::once::{done, once};
use super::refusal::Refusal;
use super::rules;
use crate::domain::reconciliation::Kind;
use crate::store::Transaction;
use crate::store::corrections::{self, Corrected};

/// Findings of one call, at most.
const AT_ONCE: i64 = 500;

/// What became of findings.
#[derive(Serialize, ToSchema)]
pub(super) struct Corrections {
    /// In this call.
    corrected: i64,
    /// In this call; each finding says `why`.
    failed: i64,
    /// How many of these kinds wait still: call again until there is none.
    left: i64,
}

/// `POST reconciliations/{id}/corrections`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let id = call.id()?;
    let mut body = call.body()?;
    let kinds = kinds(&mut body);
    body.finish()?;
    let which = (&*kinds, AT_ONCE);
    let work = async |tx: &Transaction<'_>| match corrections::correct(tx, call.scope(), id, which)
        .await?
    {
        Corrected::Some { corrected, failed, left } => {
            Ok(done(&Corrections { corrected, failed, left }))
        }
        Corrected::NotFound => Err(Refusal::NotFound),
        Corrected::NotCompared => {
            let detail = "The list did not come to its end, or comes still.".to_owned();
            Err(Refusal::Conflict("not_compared", detail))
        }
        Corrected::Blind => {
            let detail = "The list has lines of which nobody can tell the order: what seems to be extra may \
                          be one of those. Mend them, and send the list again.";
            Err(Refusal::Conflict("lines_unreadable", detail.to_owned()))
        }
    };
    once(call, work).await
}

pub(super) fn kinds(body: &mut Input) -> Vec<Kind> {
    body.required("kinds", rules::CORRECTABLE)
}
