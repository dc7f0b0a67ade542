//! `payout-runs`: one look at all that is owed in a program, and the payouts that it proposed. Two runs of one
//! program come one after the other, and the second finds nothing that the first holds.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{self, Answered, Call, ok, one_more, only};
use super::input::Input;
use super::once::{done, made, once};
use super::payouts::{self as one, Payout, said};
use super::refusal::Refusal;
use super::rules;
use super::shown::IdText;
use crate::domain::id::Id;
use crate::domain::payout::{Method, Step};
use crate::store::page::{At, Page, Scope};
use crate::store::payouts::{self, Filter, Said, Stepped, Which};

/// A run of a program's payouts.
#[derive(Serialize, ToSchema)]
pub(super) struct PayoutRun {
    id: IdText,
    program_id: IdText,
    /// Nothing that was earned at or after this is paid.
    until: Option<Timestamp>,
    created_at: Timestamp,
    /// Newest first; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    payouts: Option<Vec<Payout>>,
}

/// `GET payout-runs`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let (page, program_id) = asked(&mut query);
    query.finish()?;
    let rows = payouts::select_runs(call.store(), call.scope(), one_more(page), program_id).await?;
    Ok(call.list(page, &rows, |row| row.id, |row| view(row, None)))
}

pub(super) fn asked(query: &mut Input) -> (Page, Option<Id>) {
    (call::page(query), query.optional("program_id", rules::ID))
}

/// `GET payout-runs/{id}`
pub(super) async fn show(call: &Call<'_>) -> Answered {
    call.no_query()?;
    Ok(ok(&find(call.store(), call.scope(), call.id()?).await?))
}

/// `POST payout-runs`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let mut body = call.body()?;
    let (program_id, until) = new(&mut body);
    body.finish()?;
    let work = async |tx: &crate::store::Transaction<'_>| {
        let id = payouts::run(tx, call.scope(), program_id, until).await?;
        let id = id.ok_or(Refusal::Missing("/program_id"))?;
        let run = find(tx, call.scope(), id).await?;
        Ok(made(format!("/api/v1/payout-runs/{id}"), &run))
    };
    once(call, work).await
}

pub(super) fn new(body: &mut Input) -> (Id, Option<Timestamp>) {
    (body.required("program_id", rules::ID), body.optional("until", rules::MOMENT))
}

/// `POST payout-runs/{id}/approve`
pub(super) async fn approve(call: &Call<'_>) -> Answered {
    let method = said(call, method)?;
    step(call, method, (Step::Approve, Said::default())).await
}

/// `POST payout-runs/{id}/pay`
pub(super) async fn pay(call: &Call<'_>) -> Answered {
    let (method, reference) = said(call, payment)?;
    let said = Said { reference: reference.as_deref(), reason: None };
    step(call, method, (Step::Pay, said)).await
}

/// Only those payouts that are paid this way.
pub(super) fn method(input: &mut Input) -> Option<Method> {
    let code = input.optional("method", rules::PAYEE_METHOD);
    code.and_then(|code| Method::parse(&code))
}

pub(super) fn payment(body: &mut Input) -> (Option<Method>, Option<String>) {
    (method(body), one::reference(body))
}

async fn step(call: &Call<'_>, method: Option<Method>, taken: (Step, Said<'_>)) -> Answered {
    let id = call.id()?;
    let work = async |tx: &crate::store::Transaction<'_>| {
        let which = Which::OfRun(id, method);
        let stepped = payouts::step(tx, call.scope(), which, taken).await?;
        if let Stepped::Outdated(outdated) = stepped {
            return Err(one::refusal(outdated));
        }
        Ok(done(&find(tx, call.scope(), id).await?))
    };
    once(call, work).await
}

/// A run that the one who asks may see, with its payouts.
async fn find<'a>(at: impl Into<At<'a>>, scope: Scope, id: Id) -> Result<PayoutRun, Refusal> {
    let at = at.into();
    let run = only(payouts::select_runs(at, scope, Page::one(id), None).await?)?;
    let filter = Filter { run_id: Some(id), ..Filter::default() };
    // As many as the program has affiliates, for each currency.
    let all = Page { id: None, before: None, limit: i64::MAX };
    let payouts = payouts::select(at, scope, all, &filter).await?;
    Ok(view(&run, Some(payouts.iter().map(one::view).collect())))
}

fn view(r: &payouts::Run, payouts: Option<Vec<Payout>>) -> PayoutRun {
    PayoutRun {
        id: IdText(r.id),
        program_id: IdText(r.program_id),
        until: r.until,
        created_at: r.created_at,
        payouts,
    }
}
