//! A hit of a tracking code to what it speaks of: a sale, or money that went back to the buyer. Knows the dirt
//! that shops send: placeholders never filled in, decimal commas, names in any case. The worker decides by it;
//! the edge calls it too, only to tell the caller early what will become of the hit.

mod details;
mod fields;
mod proof;
mod takeback;

use super::catalog::{Catalog, Program, TrackingCode};
use super::form;
use super::hit::{Hit, Kind, Part};
use super::money::Money;
use super::reason::{Outcome, Reason};
pub use details::{Details, Origin};
use fields::Pairs;
pub use fields::{cookie, normal_order_id};
pub use proof::Proof;
pub use takeback::TakebackTold;

/// Sale or lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum SaleKind {
    Sale,
    Lead,
}

impl SaleKind {
    /// The stable name.
    pub fn code(self) -> &'static str {
        ["sale", "lead"][self as usize]
    }

    /// Reads the stable name.
    pub fn parse(code: &str) -> Option<Self> {
        [SaleKind::Sale, SaleKind::Lead].into_iter().find(|kind| kind.code() == code)
    }
}

/// What a hit says, read and normalised.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Sale {
    pub kind: SaleKind,
    /// Signed by the shop, or sent by its server.
    pub verified: bool,
    /// Whether that covers the evidence of who referred it too; a signature does not.
    pub evidence_verified: bool,
    pub test: bool,
    /// Trimmed and in NFC; absent when there was none that could be meant.
    pub order_id: Option<String>,
    pub money: Money,
    pub coupon: Option<String>,
    pub customer: Option<String>,
    pub new_customer: Option<bool>,
    /// As they were sent; `domain::items` reads them.
    pub items: Option<String>,
    pub details: Details,
    /// The click token sent as a parameter, unverified.
    pub token: Option<String>,
    /// The click token in the program's cookie, unverified.
    pub cookie: Option<String>,
}

/// A field that cannot be used, and why.
pub type Fault = (&'static str, Reason);

/// What a hit of a tracking code is.
#[derive(Debug)]
pub enum Reading<'c, T = Box<Sale>> {
    /// No tracking code has this code.
    Unknown,
    /// It cannot count as it is.
    Refused(&'c TrackingCode, &'c Program, Vec<Fault>),
    /// It speaks of a sale.
    Sale(&'c TrackingCode, &'c Program, T),
    /// It speaks of money that went back to the buyer. Only the secret itself proves one.
    Takeback(&'c TrackingCode, &'c Program, Box<TakebackTold>),
}

/// Reads a pixel, form or postback.
pub fn read<'c>(hit: &Hit<'_>, catalog: &'c Catalog) -> Reading<'c> {
    read_as(hit, catalog, |sound, program, pairs| Box::new(sale(hit, sound, program, pairs))).0
}

/// Reads it only so far that it is known whether it counts, and what speaks for it.
pub fn check<'c>(hit: &Hit<'_>, catalog: &'c Catalog) -> (Reading<'c, ()>, Proof) {
    match read_as(hit, catalog, |_, _, _| ()) {
        (Reading::Unknown, _) if proof::claims(hit) => (Reading::Unknown, Proof::Unproven),
        checked => checked,
    }
}

fn read_as<'c, T>(
    hit: &Hit<'_>,
    catalog: &'c Catalog,
    then: impl FnOnce(SoundSale, &Program, &Pairs<'_>) -> T,
) -> (Reading<'c, T>, Proof) {
    let Some((code, program)) = catalog.tracking_code(hit.text(Part::Code)) else {
        return (Reading::Unknown, Proof::Nothing);
    };
    let Some(pairs) = form::pairs(hit) else {
        let (proof, fault) = match proof::authenticate(hit, code, &Pairs(Vec::new())) {
            Err(fault) => (Proof::Unproven, fault),
            Ok(proof) => (proof, ("body", Reason::BodyUnreadable)),
        };
        return (Reading::Refused(code, program, vec![fault]), proof);
    };
    let pairs = Pairs(pairs);
    let proven = proof::authenticate(hit, code, &pairs);
    let proof = proven.unwrap_or(Proof::Unproven);
    let reading = match sound(hit, proven, program, &pairs) {
        Ok(Sound::Sale(told)) => Reading::Sale(code, program, then(told, program, &pairs)),
        Ok(Sound::Takeback(told)) => Reading::Takeback(code, program, told),
        Err(faults) => Reading::Refused(code, program, faults),
    };
    (reading, proof)
}

/// The outcome of a refused hit: held where a person can still tell what was meant.
pub fn refusal(faults: &[Fault]) -> Outcome {
    let held = faults.iter().all(|(_, reason)| *reason == Reason::AmountAmbiguous);
    if held { Outcome::Held } else { Outcome::Rejected }
}

/// What a hit tells of, by its `type`.
#[derive(Clone, Copy)]
enum Subject {
    /// With where it comes from, where that follows from the type.
    Sale(SaleKind, Option<Origin>),
    Takeback(takeback::Kind),
}

/// The fields that can be wrong, right.
enum Sound {
    Sale(SoundSale),
    Takeback(Box<TakebackTold>),
}

struct SoundSale {
    kind: SaleKind,
    proof: Proof,
    money: Money,
    order_id: Option<String>,
    details: Details,
}

fn sound(
    hit: &Hit<'_>,
    proven: Result<Proof, Fault>,
    program: &Program,
    pairs: &Pairs<'_>,
) -> Result<Sound, Vec<Fault>> {
    let mut faults = Vec::new();
    let proof = or(&mut faults, proven, Proof::Unproven);
    if faults.iter().any(|(_, reason)| *reason == Reason::Unauthorized) {
        return Err(faults); // A stranger is not told which of his fields were right.
    }
    let subject = match subject(hit.kind, pairs) {
        Ok(subject) => subject,
        Err(reason) => {
            // Which fields it needs depends on the type.
            faults.push(("type", reason));
            return Err(faults);
        }
    };
    let sound = match subject {
        Subject::Sale(kind, origin) => {
            Sound::Sale(sale_fields((kind, origin), proof, program, pairs, &mut faults))
        }
        Subject::Takeback(kind) => {
            let told = (kind, hit.received_ms);
            Sound::Takeback(takeback::read(told, program, pairs, &mut faults))
        }
    };
    if faults.is_empty() { Ok(sound) } else { Err(faults) }
}

/// What was read; where it cannot be used, notes why and goes on with something else.
fn or<T>(faults: &mut Vec<Fault>, read: Result<T, Fault>, instead: T) -> T {
    read.unwrap_or_else(|fault| {
        faults.push(fault);
        instead
    })
}

/// A signature speaks for a sale: were its fields taken for anything else, a buyer could send them twice, or
/// take his sale back.
fn subject(kind: Kind, pairs: &Pairs<'_>) -> Result<Subject, Reason> {
    let sale = Subject::Sale(SaleKind::Sale, None);
    if kind != Kind::Postback {
        return Ok(sale);
    }
    let subject = match pairs.get("type") {
        Some("sale") | None => return Ok(sale),
        Some("lead" | "trial") => Subject::Sale(SaleKind::Lead, None),
        Some("renewal") => Subject::Sale(SaleKind::Sale, Some(Origin::AutoRenewal)),
        Some("upgrade") => Subject::Sale(SaleKind::Sale, Some(Origin::Upgrade)),
        Some("refund") => Subject::Takeback(takeback::Kind::Refund),
        Some("chargeback") => Subject::Takeback(takeback::Kind::Chargeback),
        Some(_) => return Err(Reason::TypeUnknown),
    };
    let signed = pairs.raw("sig").is_some_and(|sig| !sig.is_empty());
    if signed { Err(Reason::TypeUnsigned) } else { Ok(subject) }
}

fn sale_fields(
    (kind, origin): (SaleKind, Option<Origin>),
    proof: Proof,
    program: &Program,
    pairs: &Pairs<'_>,
    faults: &mut Vec<Fault>,
) -> SoundSale {
    let mut money = Money::zero(program.currency);
    let mut details = Details::default();
    match fields::currency(program, pairs) {
        Ok(currency) => {
            money = or(faults, fields::amount(kind, currency, pairs), Money::zero(currency));
            details = details::read(currency, origin, pairs, faults);
        }
        Err(fault) => faults.push(fault),
    }
    let order_id = or(faults, fields::id("id", pairs), None);
    SoundSale { kind, proof, money, order_id, details }
}

fn sale(hit: &Hit<'_>, sound: SoundSale, program: &Program, pairs: &Pairs<'_>) -> Sale {
    let SoundSale { kind, proof, money, order_id, details } = sound;
    Sale {
        kind,
        verified: [Proof::Signature, Proof::Secret].contains(&proof),
        evidence_verified: proof == Proof::Secret,
        test: pairs.get("test") == Some("1"),
        order_id,
        money,
        coupon: pairs.text("coupon"),
        customer: pairs.text("customer"),
        new_customer: pairs
            .get("new")
            .and_then(|v| ["0", "1"].iter().position(|x| *x == v))
            .map(|n| n == 1),
        items: fields::items(pairs),
        details,
        token: pairs
            .get(&program.click_param.to_ascii_lowercase())
            .or(pairs.get("tclid"))
            .map(str::to_owned),
        cookie: cookie(hit, program),
    }
}
