//! The pages of an advertiser's money: sales, payouts, adjustments, statements; and the forms on them. A part of
//! the table of routes, with what answers each.

use jiff::tz::TimeZone;

use super::advertiser::Door;
use super::once::{self, Stop};
use super::page::{Frame, Refusal};
use super::people::Said;
use super::session::Visitor;
use super::{Asked, Portal};
use super::{adjustments, payouts, runs, sale, sales, show, statements, takebacks};
use crate::domain::rights::Right;
use crate::http::Reply;
use crate::store::page::Scope;
use crate::store::portal::{self as rows, Advertiser};
use crate::store::{Cause, Transaction};

/// Times that a form which lost a race is done again.
const RACES_MAX: u32 = 5;

/// What answers a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[rustfmt::skip]
#[allow(missing_docs)]
pub enum Books {
    Sales, JudgeMany, Sale, Judge, Refund, Dispute,
    Payouts, Propose, Payout, Step, Run, StepRun, RunFile,
    Adjustments, Adjust,
    Statements, Statement,
}

/// A visitor in an advertiser's room, with what he asked for.
pub struct Desk<'a> {
    /// The portal, with the books as he may see and change them.
    pub portal: &'a Portal,
    pub visitor: &'a Visitor,
    pub door: Door,
    pub advertiser: Advertiser,
    pub asked: &'a Asked,
}

impl Desk<'_> {
    /// Only what is this advertiser's, whoever looks.
    pub fn scope(&self) -> Scope {
        Scope { advertiser_id: Some(self.door.id), affiliate_id: None }
    }

    /// The advertiser's.
    pub fn zone(&self) -> TimeZone {
        show::zone(&self.advertiser.timezone)
    }

    /// Whether he may move money: else no form is shown.
    pub fn may(&self) -> bool {
        self.visitor.who.rights.has(Right::Money)
    }

    /// What all pages have around them.
    pub fn frame(&self, title: &str) -> Frame {
        Frame::of(title, &self.advertiser.name, self.door.visiting).with(self.door.bar)
    }

    /// Does what a form asks for, once; `work` returns where to go on.
    pub async fn once(
        &self,
        work: impl AsyncFnOnce(&Transaction<'_>) -> Result<String, Stop>,
    ) -> Result<Reply, Stop> {
        once::once(self.visitor, &self.asked.path, &self.asked.body, work).await
    }
}

/// Answers.
pub async fn answer(
    action: Books,
    (portal, visitor): (&Portal, &Visitor),
    door: Door,
    asked: &Asked,
) -> Result<Reply, Refusal> {
    let advertiser = rows::advertiser(&portal.store, door.id).await?.ok_or(Refusal::NotFound)?;
    let desk = &Desk { portal, visitor, door, advertiser, asked };
    // Who lost a race did nothing.
    let mut left = RACES_MAX;
    let acted = loop {
        match act(action, desk).await {
            Some(Err(Stop::Refusal(Refusal::Store(error))))
                if error.cause == Cause::Race && left > 0 =>
            {
                left -= 1;
            }
            acted => break acted,
        }
    };
    let stopped = match acted {
        None => return page(action, desk, once::done(&asked.query)).await,
        Some(Ok(reply)) => return Ok(reply),
        Some(Err(Stop::Refusal(refusal))) => return Err(refusal),
        Some(Err(Stop::Told(text))) => Said::refused(&text),
    };
    page(action, desk, Some(stopped)).await
}

/// Does what a form asks for.
async fn act(action: Books, desk: &Desk<'_>) -> Option<Result<Reply, Stop>> {
    Some(match action {
        Books::JudgeMany => sales::judge(desk).await,
        Books::Judge => sale::judge(desk).await,
        Books::Refund => takebacks::refund(desk).await,
        Books::Dispute => takebacks::dispute(desk).await,
        Books::Propose => payouts::propose(desk).await,
        Books::Step => payouts::step(desk).await,
        Books::StepRun => runs::step(desk).await,
        Books::RunFile => runs::file(desk).await,
        Books::Adjust => adjustments::adjust(desk).await,
        _ => return None,
    })
}

/// A page, or the one that a form is on.
async fn page(action: Books, desk: &Desk<'_>, said: Option<Said>) -> Result<Reply, Refusal> {
    match action {
        Books::Sales | Books::JudgeMany => sales::page(desk, said).await,
        Books::Sale | Books::Judge | Books::Refund | Books::Dispute => sale::page(desk, said).await,
        Books::Payouts | Books::Propose => payouts::list(desk, said).await,
        Books::Payout | Books::Step => payouts::page(desk, said).await,
        Books::Run | Books::StepRun | Books::RunFile => runs::page(desk, said).await,
        Books::Adjustments | Books::Adjust => adjustments::page(desk, said).await,
        Books::Statements => statements::list(desk).await,
        Books::Statement => statements::of_affiliate(desk).await,
    }
}
