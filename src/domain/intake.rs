//! A hit of a tracking code to the sale it speaks of. Knows the dirt that shops send: placeholders never
//! filled in, decimal commas, names in any case. The worker decides by it; the edge calls it too, only to
//! tell the caller early what will become of the hit.

use unicode_normalization::UnicodeNormalization;

use super::catalog::{Catalog, Program, TrackingCode};
use super::form;
use super::hit::{Hit, Kind, Part};
use super::money::{Currency, Money, parse_amount};
use super::reason::{Outcome, Reason};
use super::sign;

/// Characters that an order id may have, after normalisation.
const ORDER_ID_CHARS_MAX: usize = 128;
/// Characters kept of the other text fields.
const TEXT_CHARS_MAX: usize = 512;

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
    pub items: Option<String>,
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
}

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

/// Reads a pixel, form or postback.
pub fn read<'c>(hit: &Hit<'_>, catalog: &'c Catalog) -> Reading<'c> {
    read_as(hit, catalog, |sound, program, pairs| Box::new(sale(hit, sound, program, pairs))).0
}

/// Reads it only so far that it is known whether it counts, and what speaks for it.
pub fn check<'c>(hit: &Hit<'_>, catalog: &'c Catalog) -> (Reading<'c, ()>, Proof) {
    match read_as(hit, catalog, |_, _, _| ()) {
        (Reading::Unknown, _) if claims(hit) => (Reading::Unknown, Proof::Unproven),
        checked => checked,
    }
}

/// Whether it brings what would be checked, were its tracking code known.
fn claims(hit: &Hit<'_>) -> bool {
    let is_postback = hit.kind == Kind::Postback;
    if is_postback && !hit.text(Part::BearerHash).is_empty() {
        return true;
    }
    let pairs = Pairs(form::pairs(hit).unwrap_or_default());
    let brings = |name| pairs.raw(name).is_some_and(|value| !value.is_empty());
    brings("sig") || (is_postback && brings("key"))
}

fn read_as<'c, T>(
    hit: &Hit<'_>,
    catalog: &'c Catalog,
    then: impl FnOnce(Sound, &Program, &Pairs<'_>) -> T,
) -> (Reading<'c, T>, Proof) {
    let Some((code, program)) = catalog.tracking_code(hit.text(Part::Code)) else {
        return (Reading::Unknown, Proof::Nothing);
    };
    let Some(pairs) = form::pairs(hit) else {
        let (proof, fault) = match authenticate(hit, code, &Pairs(Vec::new())) {
            Err(fault) => (Proof::Unproven, fault),
            Ok(proof) => (proof, ("body", Reason::BodyUnreadable)),
        };
        return (Reading::Refused(code, program, vec![fault]), proof);
    };
    let pairs = Pairs(pairs);
    let proven = authenticate(hit, code, &pairs);
    let proof = proven.unwrap_or(Proof::Unproven);
    let reading = match sound(hit, proven, program, &pairs) {
        Ok(sound) => Reading::Sale(code, program, then(sound, program, &pairs)),
        Err(faults) => Reading::Refused(code, program, faults),
    };
    (reading, proof)
}

/// The outcome of a refused hit: held where a person can still tell what was meant.
pub fn refusal(faults: &[Fault]) -> Outcome {
    let held = faults.iter().all(|(_, reason)| *reason == Reason::AmountAmbiguous);
    if held { Outcome::Held } else { Outcome::Rejected }
}

/// The fields that can be wrong, right.
struct Sound {
    kind: SaleKind,
    proof: Proof,
    money: Money,
    order_id: Option<String>,
}

fn sound(
    hit: &Hit<'_>,
    proven: Result<Proof, Fault>,
    program: &Program,
    pairs: &Pairs<'_>,
) -> Result<Sound, Vec<Fault>> {
    let mut faults = Vec::new();
    let proof = proven.unwrap_or_else(|fault| {
        faults.push(fault);
        Proof::Unproven
    });
    if faults.iter().any(|(_, reason)| *reason == Reason::Unauthorized) {
        return Err(faults); // A stranger is not told which of his fields were right.
    }
    let signed = pairs.raw("sig").is_some_and(|sig| !sig.is_empty());
    let kind = sale_kind(hit.kind, signed, pairs).unwrap_or_else(|reason| {
        faults.push(("type", reason));
        SaleKind::Sale
    });
    let money = money(kind, program, pairs).unwrap_or_else(|fault| {
        faults.push(fault);
        Money::zero(program.currency)
    });
    let order_id = order_id(pairs).unwrap_or_else(|reason| {
        faults.push(("id", reason));
        None
    });
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Sound { kind, proof, money, order_id })
}

fn sale(hit: &Hit<'_>, sound: Sound, program: &Program, pairs: &Pairs<'_>) -> Sale {
    let Sound { kind, proof, money, order_id } = sound;
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
        items: pairs.raw("items").filter(|items| !items.trim().is_empty()).map(clean),
        token: pairs
            .get(&program.click_param.to_ascii_lowercase())
            .or(pairs.get("tclid"))
            .map(str::to_owned),
        cookie: cookie(hit, program),
    }
}

/// Whether the shop's secret speaks for the hit. Optional for pixel and form, required of a postback.
fn authenticate(hit: &Hit<'_>, code: &TrackingCode, pairs: &Pairs<'_>) -> Result<Proof, Fault> {
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

/// A signature speaks for a sale: were its fields taken for a lead, a buyer could send them twice.
fn sale_kind(kind: Kind, signed: bool, pairs: &Pairs<'_>) -> Result<SaleKind, Reason> {
    match (kind, pairs.get("type")) {
        (Kind::Postback, Some("lead")) if signed => Err(Reason::TypeUnsigned),
        (Kind::Postback, Some("lead")) => Ok(SaleKind::Lead),
        (Kind::Postback, Some("sale") | None) => Ok(SaleKind::Sale),
        (Kind::Postback, Some(_)) => Err(Reason::TypeUnknown),
        _ => Ok(SaleKind::Sale),
    }
}

fn money(kind: SaleKind, program: &Program, pairs: &Pairs<'_>) -> Result<Money, Fault> {
    let currency = match pairs.get("currency") {
        Some(code) if code == program.currency.code() => program.currency,
        Some(code) => Currency::parse(code).ok_or(("currency", Reason::CurrencyUnknown))?,
        None => program.currency,
    };
    match pairs.get("amount") {
        Some(text) => parse_amount(text, currency).map_err(|reason| ("amount", reason)),
        None if kind == SaleKind::Lead => Ok(Money::zero(currency)),
        None => Err(("amount", Reason::AmountMissing)),
    }
}

/// One order id has one spelling: trimmed, NFC, case kept.
fn order_id(pairs: &Pairs<'_>) -> Result<Option<String>, Reason> {
    pairs.get("id").map(normal_order_id).transpose()
}

/// The one spelling of an order id that is trimmed already.
pub fn normal_order_id(text: &str) -> Result<String, Reason> {
    if text.contains(['\u{fffd}', '\0']) {
        return Err(Reason::OrderIdInvalid);
    }
    let id: String = match text.is_ascii() {
        true => text.to_owned(), // Most are, and ASCII is in NFC.
        false => text.nfc().take(ORDER_ID_CHARS_MAX + 1).collect(),
    };
    if id.chars().count() > ORDER_ID_CHARS_MAX { Err(Reason::OrderIdTooLong) } else { Ok(id) }
}

/// The text of the program's cookie, if it came.
pub fn cookie(hit: &Hit<'_>, program: &Program) -> Option<String> {
    let text = hit.text(Part::Cookie);
    if text.is_empty() {
        return None;
    }
    let name = program.cookie_name();
    // The edge kept `name=value` pairs of our own, which need no decoding.
    let ours = text.split(';').filter_map(|pair| pair.trim().split_once('='));
    ours.into_iter().find(|(n, _)| *n == name).map(|(_, value)| value.to_owned())
}

/// Text to keep: what the database can hold, bounded.
fn clean(text: &str) -> String {
    text.trim().chars().filter(|c| *c != '\0').take(TEXT_CHARS_MAX).collect()
}

struct Pairs<'a>(Vec<form::Pair<'a>>);

impl Pairs<'_> {
    /// The first value of this name, exactly as sent.
    fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| &**value)
    }

    fn count(&self, name: &str) -> usize {
        self.0.iter().filter(|(n, _)| n == name).count()
    }

    /// The first value of this name that somebody meant, trimmed.
    fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(n, _)| n == name).map(|(_, value)| value.trim());
        values.find(|value| !is_absent(value))
    }

    fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(clean)
    }
}

/// Whether a value is a placeholder that nobody filled in. Each form was met in a real shop's page:
/// `tests/it/cases/pixel_corpus.tsv`.
fn is_absent(value: &str) -> bool {
    const WORDS: [&str; 8] =
        ["optional", "undefined", "null", "nan", "none", "orderid", "order_id", "aa.bb"];
    // Most values are numbers, or end like one; no placeholder does.
    if value.as_bytes().last().is_some_and(u8::is_ascii_digit) {
        return false;
    }
    let lower = value.to_ascii_lowercase();
    let wrapped = |open: &str, close: &str| {
        lower.len() >= open.len() + close.len() && lower.starts_with(open) && lower.ends_with(close)
    };
    value.is_empty()
        || WORDS.contains(&lower.as_str())
        || (lower.len() >= 3 && lower.bytes().all(|b| b == b'x'))
        || wrapped("{", "}")
        || wrapped("${", "}")
        || wrapped("[", "]")
        || wrapped("##", "##")
        || wrapped("%", "%")
        || wrapped("%7b", "%7d")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_absent() {
        for value in [
            "",
            "OPTIONAL",
            "optional",
            "XXX",
            "XXXXX",
            "OrderID",
            "AA.BB",
            "{p1}",
            "{{amount}}",
            "${amount}",
            "[order_id]",
            "##ORDER##",
            "undefined",
            "NULL",
            "null",
            "NaN",
            "%7Bp1%7D",
        ] {
            assert!(is_absent(value), "{value}");
        }
        for value in ["0", "1", "XX", "OrderID7", "a{b}", "{", "[1", "GDC-35", "null1"] {
            assert!(!is_absent(value), "{value}");
        }
    }
}
