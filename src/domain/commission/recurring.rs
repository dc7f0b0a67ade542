//! Commissions on renewals: how long they go on after a customer was tied to his affiliate.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::Terms;

/// How long renewals earn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recurring {
    /// Calendar months after the tie; none: for life.
    pub months: Option<u16>,
}

impl Terms {
    /// Whether a renewal without a click or coupon of its own earns, so long after its customer was tied to the
    /// affiliate; moments in milliseconds, months in the advertiser's time zone.
    ///
    /// It earns while it comes before tie + months + one day: the day is for a shop that renews each month at
    /// another hour, so of a monthly rhythm exactly `months` renewals earn. A month that lacks the day of the tie
    /// ends with its last: one month after 31 January is 28 February.
    pub fn renewal_earns(&self, tied_ms: i64, renewed_ms: i64, zone: &TimeZone) -> bool {
        let Some(Recurring { months }) = self.recurring else { return false };
        let Some(months) = months else { return true };
        let tied = Timestamp::from_millisecond(tied_ms).map(|tied| tied.to_zoned(zone.clone()));
        let end = tied.and_then(|tied| tied.checked_add(i32::from(months).months()));
        let end = end.and_then(|end| end.checked_add(1.day()));
        // What no calendar reaches is not over yet.
        end.map_or(true, |end| renewed_ms < end.timestamp().as_millisecond())
    }
}
