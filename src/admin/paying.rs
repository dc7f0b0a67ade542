//! What can be asked of payable money: adjustments, payouts, exchanges, months, statements. A part of the table of
//! routes, with the right that each needs and what answers it.

use super::call::{Answered, Call};
use super::{adjustments, exchanges, months, payout_files, payout_runs, payouts, statements};
use crate::domain::rights::Right;

/// What answers a route.
#[derive(Debug, Clone, Copy)]
#[rustfmt::skip]
pub(super) enum Paying {
    AdjustmentsIndex, AdjustmentsCreate, AdjustmentsShow,
    PayoutRunsIndex, PayoutRunsCreate, PayoutRunsShow, PayoutRunsApprove, PayoutRunsPay, PayoutRunsFile,
    PayoutsIndex, PayoutsShow, PayoutsItems, PayoutsApprove, PayoutsPay, PayoutsFail, PayoutsCancel,
    ExchangesIndex, ExchangesCreate, ExchangesShow,
    MonthsIndex, StatementsShow,
}

impl Paying {
    /// The right that it needs. A file has the accounts of people in it.
    #[rustfmt::skip]
    pub fn needs(self) -> Right {
        match self {
            Paying::AdjustmentsIndex | Paying::AdjustmentsShow
            | Paying::PayoutRunsIndex | Paying::PayoutRunsShow
            | Paying::PayoutsIndex | Paying::PayoutsShow | Paying::PayoutsItems
            | Paying::ExchangesIndex | Paying::ExchangesShow
            | Paying::MonthsIndex | Paying::StatementsShow => Right::Read,
            Paying::AdjustmentsCreate
            | Paying::PayoutRunsCreate | Paying::PayoutRunsApprove | Paying::PayoutRunsPay
            | Paying::PayoutRunsFile
            | Paying::PayoutsApprove | Paying::PayoutsPay | Paying::PayoutsFail | Paying::PayoutsCancel
            | Paying::ExchangesCreate => Right::Money,
        }
    }

    /// Does it.
    pub async fn answer(self, call: &Call<'_>) -> Answered {
        match self {
            Paying::AdjustmentsIndex => adjustments::index(call).await,
            Paying::AdjustmentsCreate => adjustments::create(call).await,
            Paying::AdjustmentsShow => adjustments::show(call).await,
            Paying::PayoutRunsIndex => payout_runs::index(call).await,
            Paying::PayoutRunsCreate => payout_runs::create(call).await,
            Paying::PayoutRunsShow => payout_runs::show(call).await,
            Paying::PayoutRunsApprove => payout_runs::approve(call).await,
            Paying::PayoutRunsPay => payout_runs::pay(call).await,
            Paying::PayoutRunsFile => payout_files::show(call).await,
            Paying::PayoutsIndex => payouts::index(call).await,
            Paying::PayoutsShow => payouts::show(call).await,
            Paying::PayoutsItems => payouts::items(call).await,
            Paying::PayoutsApprove => payouts::approve(call).await,
            Paying::PayoutsPay => payouts::pay(call).await,
            Paying::PayoutsFail => payouts::fail(call).await,
            Paying::PayoutsCancel => payouts::cancel(call).await,
            Paying::ExchangesIndex => exchanges::index(call).await,
            Paying::ExchangesCreate => exchanges::create(call).await,
            Paying::ExchangesShow => exchanges::show(call).await,
            Paying::MonthsIndex => months::index(call).await,
            Paying::StatementsShow => statements::show(call).await,
        }
    }
}
