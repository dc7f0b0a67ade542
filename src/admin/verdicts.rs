//! Verdicts on many conversions at once: by their ids, or all that are pending by a filter. Each stands for itself, and
//! what became of it is told. As with one, repeating a verdict moves no money again.

use serde::Serialize;
use utoipa::ToSchema;

use super::call::{Answered, Call};
use super::input::Input;
use super::once::{done, once};
use super::refusal::Refusal;
use super::rules::{self, Rule};
use super::shown::{self, IdText};
use super::{conversions, programs};
use crate::domain::id::Id;
use crate::store::Transaction;
use crate::store::conversions::{Judged, Verdict, judge_all};
use crate::store::verdicts::{self, Filter};

/// Conversions that are judged in one call, at most.
const AT_ONCE: i64 = 500;

/// What became of each.
#[derive(Serialize, ToSchema)]
pub(super) struct Verdicts {
    data: Vec<Judgement>,
    /// Of a filter: how many pending conversions it has behind these.
    left: i64,
    /// Of a filter: the `after` by which the next call goes on; none when nothing is left.
    next_after: Option<IdText>,
}

/// What became of a verdict on one conversion.
#[derive(Serialize, ToSchema)]
pub(super) struct Judgement {
    id: IdText,
    /// `done`: it is as asked for, now or already before.
    #[schema(schema_with = results)]
    result: &'static str,
    /// Where the commission's money is, if that forbids it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = shown::status, nullable = false)]
    status: Option<&'static str>,
}

const RESULT: Rule<String> =
    rules::words!(&["done", "not_found", "conversion_not_pending", "chargeback_open"]);
/// Of a filter: said for those who read it.
const PENDING: Rule<String> = rules::words!(&["pending"]);

fn results() -> utoipa::openapi::schema::Object {
    shown::words(RESULT)
}

/// Which conversions are judged.
enum Which {
    Ids(Vec<Id>),
    Pending(Filter),
}

/// `POST conversions/approve`
pub(super) async fn approve(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let which = which(&mut body);
    body.finish()?;
    carry_out(call, which, Verdict::Approve).await
}

/// `POST conversions/reject`
pub(super) async fn reject(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let which = which(&mut body);
    let reason = conversions::reason(&mut body);
    body.finish()?;
    carry_out(call, which, Verdict::Reject(&reason)).await
}

fn which(body: &mut Input) -> Which {
    if body.has("filter") { Which::Pending(by_filter(body)) } else { Which::Ids(by_ids(body)) }
}

pub(super) fn by_ids(body: &mut Input) -> Vec<Id> {
    body.required("ids", rules::IDS)
}

pub(super) fn by_filter(body: &mut Input) -> Filter {
    let mut fields = body.nested("filter", "PendingFilter");
    let filter = filter(&mut fields);
    body.absorb(fields);
    filter
}

pub(super) fn filter(fields: &mut Input) -> Filter {
    fields.required("status", PENDING);
    Filter {
        program_id: fields.required("program_id", rules::ID),
        affiliate_id: fields.optional("affiliate_id", rules::ID),
        from: fields.optional("from", rules::MOMENT),
        to: fields.optional("to", rules::MOMENT),
        order_ids: fields.optional("order_ids", rules::ORDER_IDS),
        after: fields.optional("after", rules::ID),
    }
}

async fn carry_out(call: &Call<'_>, which: Which, verdict: Verdict<'_>) -> Answered {
    let (ids, left) = match which {
        Which::Ids(ids) => (ids, 0),
        Which::Pending(filter) => {
            programs::find(call, filter.program_id).await.map_err(|refusal| match refusal {
                Refusal::NotFound => Refusal::Missing("/filter/program_id"),
                other => other,
            })?;
            verdicts::pending(call.store(), call.scope(), &filter, AT_ONCE).await?
        }
    };
    let next_after = ids.last().filter(|_| left > 0).copied();
    let work = async |tx: &Transaction<'_>| {
        let judged = judge_all(tx, call.scope(), &ids, verdict).await?;
        let data = judged.into_iter().map(|(id, judged)| judgement(id, judged)).collect();
        Ok(done(&Verdicts { data, left, next_after: next_after.map(IdText) }))
    };
    once(call, work).await
}

fn judgement(id: Id, judged: Judged) -> Judgement {
    let (result, status) = match judged {
        Judged::Done => ("done", None),
        // It was to be judged at any revision: there is no other that it could have.
        Judged::NotFound | Judged::Changed => ("not_found", None),
        Judged::Disputed => ("chargeback_open", None),
        Judged::TooLate(status) => ("conversion_not_pending", Some(status.code())),
    };
    Judgement { id: IdText(id), result, status }
}
