//! How many hits are let in. Junk and money have budgets of their own, so that a flood of the one never makes
//! the other wait: what brings a shop's secret is bounded by its own number only. A signature is in each
//! buyer's browser, and so spends nothing of that.

use std::net::IpAddr;

use super::visit::Visit;
use crate::domain::id::Id;
use crate::domain::intake::{Proof, Reading};
use crate::http::budget::{Budget, Spent};
use crate::http::lines::Lines;

use hyper::StatusCode;

/// Hits a second.
pub struct Budgets {
    /// Junk, by address.
    pub junk_address: Budget<IpAddr>,
    /// Junk, in all.
    pub junk: Budget<()>,
    /// Hits of unknown codes that bring a signature or secret, by address.
    pub claimed_address: Budget<IpAddr>,
    /// Clicks and unsigned hits of what there is, by address.
    pub unsigned_address: Budget<IpAddr>,
    /// The same by link or tracking code.
    pub unsigned_code: Budget<Id>,
    /// Signed hits, by address.
    pub signed_address: Budget<IpAddr>,
    /// The same by tracking code.
    pub signed_code: Budget<Id>,
    /// What brings the secret, by tracking code.
    pub verified_code: Budget<Id>,
}

/// Whose budget a hit spends.
pub(super) enum Worth {
    /// Of nobody we know, while there may be some we have not heard of: of no budget.
    Free,
    /// Of nobody we know, or of somebody who pretends to be one.
    Junk,
    /// Of nobody we know, with a proof that may be good for a tracking code of this moment.
    Claimed,
    /// Of a link or tracking code.
    Unsigned(Id),
    /// Signed by the shop whose tracking code it is; who sent it, nobody knows.
    Signed(Id),
    /// Sent by the shop whose tracking code it is.
    Verified(Id),
}

impl Worth {
    /// Of a hit of a tracking code; `bounded` says whether one of a code that we do not know has a bound.
    pub fn of(reading: &Reading<'_, ()>, proof: Proof, bounded: bool) -> Self {
        let code = match reading {
            Reading::Unknown if !bounded => return Worth::Free,
            Reading::Unknown if proof == Proof::Unproven => return Worth::Claimed,
            Reading::Unknown => return Worth::Junk,
            Reading::Refused(code, ..) | Reading::Sale(code, ..) | Reading::Takeback(code, ..) => {
                code.id
            }
        };
        match proof {
            Proof::Nothing => Worth::Unsigned(code),
            Proof::Unproven => Worth::Junk,
            Proof::Signature => Worth::Signed(code),
            Proof::Secret => Worth::Verified(code),
        }
    }
}

impl Budgets {
    /// Spends what a hit is worth.
    pub(super) fn spend(&self, worth: Worth, visit: &Visit<'_>) -> Result<(), Spent> {
        match worth {
            Worth::Free => Ok(()),
            Worth::Junk => {
                self.junk_address.spend(&visit.neighbourhood())?;
                self.junk.spend(&())
            }
            Worth::Claimed => self.claimed_address.spend(&visit.neighbourhood()),
            Worth::Unsigned(code) => {
                self.unsigned_address.spend(&visit.neighbourhood())?;
                self.unsigned_code.spend(&code)
            }
            Worth::Signed(code) => {
                self.signed_address.spend(&visit.neighbourhood())?;
                self.signed_code.spend(&code)
            }
            Worth::Verified(code) => self.verified_code.spend(&code),
        }
    }

    /// Forgets who has not come lately.
    pub fn sweep(&self) {
        self.junk_address.sweep();
        self.junk.sweep();
        self.claimed_address.sweep();
        self.unsigned_address.sweep();
        self.unsigned_code.sweep();
        self.signed_address.sweep();
        self.signed_code.sweep();
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
