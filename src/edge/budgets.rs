//! How many hits are let in. Junk and money have budgets of their own, so that a flood of the one never makes
//! the other wait: what a shop vouches for is bounded by its own number only.

use std::net::IpAddr;

use super::visit::Visit;
use crate::domain::hit::{Hit, Kind};
use crate::domain::id::Id;
use crate::domain::intake::Reading;
use crate::domain::reason::Reason;
use crate::http::budget::{Budget, Spent};
use crate::http::lines::Lines;

use hyper::StatusCode;

/// Hits a second.
pub struct Budgets {
    /// Junk, by address.
    pub junk_address: Budget<IpAddr>,
    /// Junk, in all.
    pub junk: Budget<()>,
    /// Clicks and unsigned hits of what there is, by address.
    pub unsigned_address: Budget<IpAddr>,
    /// The same by link or tracking code.
    pub unsigned_code: Budget<Id>,
    /// What is signed or brings the secret, by tracking code.
    pub verified_code: Budget<Id>,
}

/// Whose budget a hit spends.
pub(super) enum Worth {
    /// Of nobody we know, or of somebody who pretends to be one.
    Junk,
    /// Of a link or tracking code.
    Unsigned(Id),
    /// Vouched for by the shop whose tracking code it is.
    Verified(Id),
}

impl Worth {
    /// Of a hit of a tracking code.
    pub fn of(hit: &Hit<'_>, reading: &Reading<'_, bool>) -> Self {
        match reading {
            Reading::Unknown => Worth::Junk,
            Reading::Sale(code, _, true) => Worth::Verified(code.id),
            Reading::Sale(code, _, false) => Worth::Unsigned(code.id),
            Reading::Refused(code, _, faults) => {
                let forged =
                    |reason| [Reason::Unauthorized, Reason::SignatureInvalid].contains(reason);
                match faults.iter().any(|(_, reason)| forged(reason)) {
                    true => Worth::Junk,
                    false if hit.kind == Kind::Postback => Worth::Verified(code.id),
                    false => Worth::Unsigned(code.id),
                }
            }
        }
    }
}

impl Budgets {
    /// Spends what a hit is worth.
    pub(super) fn spend(&self, worth: Worth, visit: &Visit<'_>) -> Result<(), Spent> {
        match worth {
            Worth::Junk => {
                self.junk_address.spend(&visit.neighbourhood())?;
                self.junk.spend(&())
            }
            Worth::Unsigned(code) => {
                self.unsigned_address.spend(&visit.neighbourhood())?;
                self.unsigned_code.spend(&code)
            }
            Worth::Verified(code) => self.verified_code.spend(&code),
        }
    }

    /// Forgets who has not come lately.
    pub fn sweep(&self) {
        self.junk_address.sweep();
        self.junk.sweep();
        self.unsigned_address.sweep();
        self.unsigned_code.sweep();
        self.verified_code.sweep();
    }
}

/// The answer to a hit that is not let in: what it would be, as 429.
pub(super) fn limited(mut lines: Lines, spent: Spent) -> Lines {
    lines.status = StatusCode::TOO_MANY_REQUESTS;
    lines.put("retry-after", &spent.0.to_string());
    lines.put(super::conversion::OUTCOME, "rejected; reason=rate_limited");
    lines
}
