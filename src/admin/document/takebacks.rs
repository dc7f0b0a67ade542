//! What the document says of the routes of refunds and chargebacks.

use super::operation::{Operation, judges, lists, makes, shows};
use crate::admin::chargebacks::{self, Chargeback};
use crate::admin::input::schema_of;
use crate::admin::refunds::{self, Refund};
use crate::admin::takebacks::{self, Takebacks};

/// Of one route.
#[rustfmt::skip]
pub(super) fn operation(takebacks: Takebacks) -> Operation {
    match takebacks {
        Takebacks::RefundsIndex => lists::<Refund, _>("Refunds, newest first. `from` and `to` are of when they were told, `ordered_…` of their sales. An affiliate sees those of his own sales.", takebacks::asked),
        Takebacks::RefundsCreate => makes::<Refund>("Tell that an order was paid back, all of it or a part; before its sale, too. The same again is answered 200.").takes("NewRefund", schema_of(&[], refunds::new)).once().or_known(),
        Takebacks::RefundsShow => shows::<Refund>("One refund."),
        Takebacks::ChargebacksIndex => lists::<Chargeback, _>("Chargebacks, newest first. `from` and `to` are of `requested_at`, `ordered_…` of their sales. An affiliate sees those of his own sales.", chargebacks::asked),
        Takebacks::ChargebacksCreate => makes::<Chargeback>("Tell of a chargeback; before its sale, too. Of one that is known: how far it is now, answered 200.").takes("NewChargeback", schema_of(&[], chargebacks::new)).once().or_known(),
        Takebacks::ChargebacksShow => shows::<Chargeback>("One chargeback."),
        Takebacks::ChargebacksUpdate => judges::<Chargeback>("Say how far a chargeback is, or write a note. Again is the same.").takes("ChargebackChange", schema_of(&[], chargebacks::change)).may_be_once(),
    }
}
