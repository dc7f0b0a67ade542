//! What a hit brings to show that the shop sent it: the tracking code's secret, or a signature made with it.

use super::Fault;
use super::fields::Pairs;
use crate::domain::catalog::TrackingCode;
use crate::domain::hit::{Hit, Kind, Part};
use crate::domain::reason::Reason;
use crate::domain::{form, sign};

/// What a hit brings to show that the shop sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Nothing.
    Nothing,
    /// A secret or signature that does not hold, or that nobody can check: the tracking code is not known.
    Unproven,
    /// A signature. Whoever has seen it can bring it again for a day; in a page, that is each buyer.
    Signature,
    /// The tracking code's secret itself.
    Secret,
}

/// Whether the shop's secret speaks for the hit. Optional for pixel and form, required of a postback.
pub(super) fn authenticate(
    hit: &Hit<'_>,
    code: &TrackingCode,
    pairs: &Pairs<'_>,
) -> Result<Proof, Fault> {
    if let Some(sig) = pairs.raw("sig").filter(|sig| !sig.is_empty()) {
        // Were a signed field there twice, one could be signed and the other used.
        if ["id", "amount", "currency", "ts"].into_iter().any(|name| pairs.count(name) > 1) {
            return Err(("sig", Reason::SignatureInvalid));
        }
        let field = |name| pairs.raw(name).unwrap_or("");
        let fields = [&*code.code, field("id"), field("amount"), field("currency"), field("ts")];
        return match sign::check(&code.secret, fields, sig, hit.received_ms) {
            Ok(()) => Ok(Proof::Signature),
            Err(reason) if reason == Reason::SignatureStale => Err(("ts", reason)),
            Err(reason) => Err(("sig", reason)),
        };
    }
    if hit.kind != Kind::Postback {
        return Ok(Proof::Nothing);
    }
    let bearer = hit.text(Part::BearerHash);
    let known = if bearer.is_empty() {
        let key = pairs.raw("key").unwrap_or("");
        sign::is_digest_of(&sign::digest_hex(key.as_bytes()), &code.secret)
    } else {
        sign::is_digest_of(bearer, &code.secret)
    };
    if known { Ok(Proof::Secret) } else { Err(("key", Reason::Unauthorized)) }
}

/// Whether it brings what would be checked, were its tracking code known.
pub(super) fn claims(hit: &Hit<'_>) -> bool {
    let is_postback = hit.kind == Kind::Postback;
    if is_postback && !hit.text(Part::BearerHash).is_empty() {
        return true;
    }
    let pairs = Pairs(form::pairs(hit).unwrap_or_default());
    let brings = |name| pairs.raw(name).is_some_and(|value| !value.is_empty());
    brings("sig") || (is_postback && brings("key"))
}
