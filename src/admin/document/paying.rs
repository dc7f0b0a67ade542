//! What the document says of payable money's routes.

use super::operation::{Operation, files, lists, makes, reports, shows, steps};
use super::said::nothing;
use crate::admin::adjustments::{self, Adjustment};
use crate::admin::call::{asked, asked_of_owners};
use crate::admin::exchanges::{self, Exchange};
use crate::admin::input::schema_of;
use crate::admin::months::MonthClosing;
use crate::admin::paying::Paying;
use crate::admin::payout_files;
use crate::admin::payout_runs::{self, PayoutRun};
use crate::admin::payouts::{self, Payout, PayoutItem};
use crate::admin::statements::{self, Statement};

/// Of one route.
#[rustfmt::skip]
pub(super) fn operation(paying: Paying) -> Operation {
    match paying {
        Paying::AdjustmentsIndex => lists::<Adjustment, _>("Adjustments, newest first. An affiliate sees his own.", asked_of_owners),
        Paying::AdjustmentsCreate => makes::<Adjustment>("Give an affiliate money by hand, or take it.").takes("NewAdjustment", schema_of(&[], adjustments::new)).once(),
        Paying::AdjustmentsShow => shows::<Adjustment>("One adjustment."),
        Paying::PayoutRunsIndex => lists::<PayoutRun, _>("Payout runs, newest first.", payout_runs::asked),
        Paying::PayoutRunsCreate => makes::<PayoutRun>("Propose payouts of all that is owed in a program.").takes("NewPayoutRun", schema_of(&[], payout_runs::new)).once(),
        Paying::PayoutRunsShow => shows::<PayoutRun>("One payout run, with its payouts."),
        Paying::PayoutRunsApprove => steps::<PayoutRun>("Approve all payouts of a run that are proposed, or those of one method. While one of them is outdated, none is.").may_take("RunApproval", schema_of(&[], payout_runs::method)),
        Paying::PayoutRunsPay => steps::<PayoutRun>("Say that all approved payouts of a run are paid, or those of one method.").may_take("RunPayment", schema_of(&[], payout_runs::payment)),
        Paying::PayoutRunsFile => files("The approved payouts of a run, as a file: plain CSV, CSV for PayPal's mass payments, or a SEPA credit transfer (pain.001.001.03).", payout_files::asked),
        Paying::PayoutsIndex => lists::<Payout, _>("Payouts, newest first. An affiliate sees his own.", payouts::asked),
        Paying::PayoutsShow => shows::<Payout>("One payout."),
        Paying::PayoutsItems => lists::<PayoutItem, _>("The ledger rows of a payout, newest first, each with its order.", asked),
        Paying::PayoutsApprove => steps::<Payout>("Approve a proposed payout, unless it is outdated: more went back since than came.").may_take("Approval", nothing()),
        Paying::PayoutsPay => steps::<Payout>("Say that an approved payout is paid.").may_take("Payment", schema_of(&[], payouts::reference)),
        Paying::PayoutsFail => steps::<Payout>("Say that an approved or paid payout did not arrive: its money is payable again.").takes("Failure", schema_of(&[], payouts::reason)),
        Paying::PayoutsCancel => steps::<Payout>("Cancel a payout that is not paid: its money is payable again.").may_take("Cancellation", nothing()),
        Paying::ExchangesIndex => lists::<Exchange, _>("Exchanges, newest first. An affiliate sees his own.", asked_of_owners),
        Paying::ExchangesCreate => makes::<Exchange>("Put an affiliate's payable money of one currency into another.").takes("NewExchange", schema_of(&[], exchanges::asked)).once(),
        Paying::ExchangesShow => shows::<Exchange>("One exchange."),
        Paying::MonthsIndex => lists::<MonthClosing, _>("Closings of months, newest first: what tiers, bonuses and caps gave, and how. An affiliate sees his own.", asked_of_owners),
        Paying::StatementsShow => reports::<Statement, _>("An affiliate's payable money in a month: opening, movements, closing. An affiliate needs not say who he is.", statements::asked).of_named(),
    }
}
