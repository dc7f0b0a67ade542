//! Whether a click counts: the same question for the edge (may it set the cookie?) and the worker (is it
//! a click in the books?). Kept either way.

use super::catalog::{Catalog, Link, Model, Program};
use super::hit::{Hit, Method, Part};
use super::reason::Reason;
use super::token::{Keys, Token};
use super::{form, intake};

/// Words in the user agent of robots that say what they are. Not HTTP libraries: they may be shops.
const ROBOTS: [&str; 8] = [
    "bot",
    "crawl",
    "spider",
    "slurp",
    "facebookexternalhit",
    "mediapartners",
    "pingdom",
    "lighthouse",
];

/// What a click is.
#[derive(Debug)]
pub enum Click<'c> {
    /// No link has this code.
    Unknown,
    /// It lands on the program's page; nobody is credited.
    Ignored(&'c Link, &'c Program, Reason),
    /// It lands and is credited; the reason, if any, is why nothing may be stored at the visitor.
    Counts(&'c Link, &'c Program, Option<Reason>),
}

/// Judges a click from the stored request alone.
pub fn judge<'c>(hit: &Hit<'_>, catalog: &'c Catalog) -> Click<'c> {
    let Some((link, program)) = catalog.link(hit.text(Part::Code)) else {
        return Click::Unknown;
    };
    let at_ms = hit.received_ms;
    let agent = hit.get(Part::UserAgent).to_ascii_lowercase();
    let agent = String::from_utf8_lossy(&agent);
    let ignored = if !program.is_active(at_ms) {
        Some(Reason::ProgramPaused)
    } else if !catalog.affiliate_is_active(link.affiliate_id, at_ms) {
        Some(Reason::AffiliatePaused)
    } else if !link.is_active(at_ms) {
        Some(Reason::LinkPaused)
    } else if let Some(reason) = nobody_came(hit) {
        Some(reason)
    } else if !matches!(hit.get(Part::FetchDest), b"" | b"document") {
        Some(Reason::NotNavigation)
    } else if ROBOTS.iter().any(|word| agent.contains(word)) {
        Some(Reason::Robot)
    } else {
        None
    };
    match ignored {
        Some(reason) => Click::Ignored(link, program, reason),
        None => Click::Counts(link, program, privacy(hit)),
    }
}

/// Why a request is not a visit of anybody's, if it is not: a link checker's, or a browser's ahead of time.
pub fn nobody_came(hit: &Hit<'_>) -> Option<Reason> {
    let purpose = hit.get(Part::Purpose).to_ascii_lowercase();
    let ahead = |word: &[u8]| purpose.windows(word.len()).any(|part| part == word);
    if hit.method == Method::Head {
        Some(Reason::Head)
    } else if ahead(b"prefetch") || ahead(b"preview") {
        Some(Reason::Prefetch)
    } else {
        None
    }
}

/// Under first click, the token (as text) of an earlier click of this visitor that still has the credit.
pub fn first_click(
    hit: &Hit<'_>,
    catalog: &Catalog,
    keys: &Keys,
    program: &Program,
) -> Option<String> {
    if program.attribution != Model::FirstClick {
        return None;
    }
    let text = intake::cookie(hit, program)?;
    let token = Token::verify(&text, keys).ok()?;
    let fresh = hit.received_ms - token.clicked_ms() <= program.window_ms();
    let active = catalog.affiliate_is_active(token.affiliate_id, hit.received_ms);
    (token.program_id == program.id && fresh && active).then_some(text)
}

/// Why nothing may be stored at the visitor, nor his address with us.
pub fn privacy(hit: &Hit<'_>) -> Option<Reason> {
    if hit.get(Part::Gpc) == b"1" {
        Some(Reason::GlobalPrivacyControl)
    } else if consent(hit).as_deref() == Some("0") {
        Some(Reason::ConsentWithheld)
    } else {
        None
    }
}

/// What the visitor said when he was asked, if he was: `0` or `1`.
pub fn consent(hit: &Hit<'_>) -> Option<String> {
    let query = hit.text(Part::Query);
    // Hardly any request says so; looking is cheaper than decoding.
    query.contains("consent").then(|| form::query_value(query.as_bytes(), "consent")).flatten()
}

/// The affiliate's sub ids, `s1` to `s5`.
pub fn sub_ids(hit: &Hit<'_>) -> [Option<String>; 5] {
    let query = hit.get(Part::Query);
    ["s1", "s2", "s3", "s4", "s5"].map(|name| {
        let value = form::query_value(query, name)?;
        let value: String = value.chars().filter(|c| *c != '\0').take(128).collect();
        (!value.is_empty()).then_some(value)
    })
}
