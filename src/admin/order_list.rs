//! A shop's list of orders as it comes in: from the socket into the database, a piece at a time, whatever its size;
//! then held against the books. What breaks off leaves a record that says so, and nothing else.

use std::sync::PoisonError;
use std::time::Duration;

use hyper::StatusCode;

use super::call::{Answered, Call, created};
use super::input::Input;
use super::refusal::Refusal;
use super::{programs, reconciliations, rules};
use crate::domain::id::Id;
use crate::domain::money::Currency;
use crate::domain::reconciliation::{Line, List, Unusable};
use crate::http::chunks::{self, Chunks};
use crate::http::{BodyFault, FieldError};
use crate::store::page::Scope;
use crate::store::reconciliations::{self as kept, Asked, DAILY_MAX};
use crate::store::{Error, Store};

/// Lines that are written at once.
const LINES_AT_ONCE: usize = 4_000;
/// Lines of a list, at most.
pub(super) const LINES_MAX: i64 = 2_000_000;

/// `POST programs/{id}/reconciliations`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    let program = programs::find(call, call.id()?).await?;
    let mut query = call.query();
    let asked = asked(&mut query);
    query.finish()?;
    if asked.from.zip(asked.to).is_some_and(|(from, to)| from >= to) {
        let detail = "must be later than `from`".to_owned();
        return Err(Refusal::Fields(vec![FieldError { pointer: "to".to_owned(), detail }]));
    }
    must_be_csv(&call.content_type)?;
    let home = Currency::parse(&program.home).ok_or(Refusal::NotFound)?;
    let chunks = call.upload.lock().unwrap_or_else(PoisonError::into_inner).take();
    let upload = Upload {
        store: call.store.clone(),
        scope: call.scope(),
        program_id: program.id,
        asked,
        chunks: chunks.ok_or_else(|| broken(&BodyFault::Broken))?,
        list: List::new(home),
        id: None,
        lines: Vec::new(),
        count: 0,
    };
    // On a task of its own: whoever goes away in the middle ends this one, and what he sent has to be cleared away.
    let received = tokio::spawn(upload.receive(call.admin.uploads.timeout)).await;
    let gone = |_| Refusal::Store(Error::unreadable("reconciliations", "the task ended"));
    let id = received.map_err(gone)??;
    chunks::read_to_its_end();
    let shown = reconciliations::find(call, id).await?;
    Ok(created(&format!("/api/v1/reconciliations/{id}"), &reconciliations::view(&shown)))
}

/// Of which time the list is.
pub(super) fn asked(query: &mut Input) -> Asked {
    Asked { from: query.optional("from", rules::MOMENT), to: query.optional("to", rules::MOMENT) }
}

/// By its type, and of the one encoding that is read.
fn must_be_csv(content_type: &str) -> Result<(), Refusal> {
    let content_type = content_type.to_ascii_lowercase();
    let mut parts = content_type.split(';').map(str::trim);
    let is_csv = matches!(parts.next(), Some("text/csv" | "application/csv"));
    let charset = parts.find_map(|part| part.strip_prefix("charset="));
    let is_utf8 =
        charset.is_none_or(|c| matches!(c.trim_matches('"'), "utf-8" | "utf8" | "us-ascii"));
    if is_csv && is_utf8 {
        return Ok(());
    }
    let detail = "The body must be text/csv in UTF-8.";
    Err(Refusal::Unreadable(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail))
}

/// Why a list did not come.
pub(super) fn broken(fault: &BodyFault) -> Refusal {
    let (code, detail) = match fault {
        BodyFault::TooLarge => ("body_too_large", "The list is larger than this server takes."),
        BodyFault::TimedOut => ("body_too_slow", "The list did not come in time."),
        BodyFault::Broken => ("body_broken", "The list broke off."),
    };
    Refusal::Unreadable(fault.status(), code, detail)
}

/// 422, for a list that is none.
fn unusable(code: &'static str, detail: &'static str) -> Refusal {
    Refusal::Unreadable(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
}

fn empty() -> Refusal {
    unusable("list_empty", "The list has no orders.")
}

impl From<Unusable> for Refusal {
    fn from(unusable_list: Unusable) -> Self {
        match unusable_list {
            Unusable::NoOrderId => unusable(
                "order_id_column_missing",
                "No column is called `order_id`, `order`, `order_number` or `id`; or the list is not in UTF-8.",
            ),
            Unusable::Empty => empty(),
            Unusable::HeaderTooLong => unusable(
                "header_too_long",
                "The first line is longer than 64 KiB, or has more than 512 columns.",
            ),
        }
    }
}

/// A list on its way.
struct Upload {
    store: Store,
    scope: Scope,
    program_id: Id,
    asked: Asked,
    chunks: Chunks,
    list: List,
    /// Once there is a record of it.
    id: Option<Id>,
    /// That are not written yet.
    lines: Vec<Line>,
    count: i64,
}

impl Upload {
    /// All of it; what fails is cleared away.
    async fn receive(mut self, timeout: Duration) -> Result<Id, Refusal> {
        let kept = tokio::time::timeout(timeout, self.keep()).await;
        let kept = kept.unwrap_or_else(|_| Err(broken(&BodyFault::TimedOut)));
        if let (Err(refusal), Some(id)) = (&kept, self.id) {
            let why = match refusal {
                Refusal::Unreadable(_, code, _) => code,
                _ => "unavailable",
            };
            if let Err(error) = kept::fail(&self.store, id, why).await {
                // Housekeeping finds it.
                tracing::warn!(%error, "a list that broke off was not cleared away");
            }
        }
        kept
    }

    async fn keep(&mut self) -> Result<Id, Refusal> {
        while let Some(piece) = self.chunks.next().await.map_err(|fault| broken(&fault))? {
            let lines = &mut self.lines;
            self.list.read(&piece, &mut |line| lines.push(line))?;
            if self.list.has_begun() && self.id.is_none() {
                self.begin().await?;
            }
            if self.lines.len() >= LINES_AT_ONCE {
                self.write().await?;
            }
        }
        let lines = &mut self.lines;
        self.list.end(&mut |line| lines.push(line))?;
        let id = match self.id {
            Some(id) => id,
            None => self.begin().await?,
        };
        self.write().await?;
        if self.count == 0 {
            return Err(empty());
        }
        kept::compare(&self.store, id, self.count).await?;
        Ok(id)
    }

    async fn begin(&mut self) -> Result<Id, Refusal> {
        let id = kept::create(&self.store, self.scope, self.program_id, self.asked).await?;
        let too_many = || {
            let detail = format!("The program had {DAILY_MAX} lists within a day.");
            Refusal::Conflict("too_many_reconciliations", detail)
        };
        self.id = Some(id.ok_or_else(too_many)?);
        self.id.ok_or(Refusal::NotFound)
    }

    async fn write(&mut self) -> Result<(), Refusal> {
        let (Some(id), false) = (self.id, self.lines.is_empty()) else { return Ok(()) };
        self.count += i64::try_from(self.lines.len()).unwrap_or(LINES_MAX);
        if self.count > LINES_MAX {
            return Err(unusable("list_too_long", "The list has more than 2,000,000 lines."));
        }
        kept::append(&self.store, id, &self.lines).await?;
        self.lines.clear();
        Ok(())
    }
}
