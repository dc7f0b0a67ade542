//! Whether a click counts: the same question for the edge (may it set the cookie?) and the worker (is it
//! a click in the books?). Kept either way.

use super::catalog::{Catalog, Link, Model, Program};
use super::hit::{Hit, Method, Part};
use super::reason::{Outcome, Reason};
use super::settlement::{Clicked, Fate, Read};
use super::token::{Keys, Token};
use super::touches::{self, Touch};
use super::{form, intake};

/// Words in the user agent of robots that say what they are, no two of which begin alike. Not HTTP libraries:
/// they may be shops.
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

/// Whether a user agent has one of the robots' words, in any case.
fn is_robot(agent: &[u8]) -> bool {
    // By its first two letters one word at most can begin at a place.
    const FIRST: [[u8; 2]; 8] = {
        let (mut first, mut at) = ([[0; 2]; 8], 0);
        while at < first.len() {
            first[at] = [ROBOTS[at].as_bytes()[0], ROBOTS[at].as_bytes()[1]];
            at += 1;
        }
        first
    };
    const BEGINS: [bool; 256] = {
        let (mut begins, mut at) = ([false; 256], 0);
        while at < FIRST.len() {
            begins[FIRST[at][0] as usize] = true;
            begins[FIRST[at][0].to_ascii_uppercase() as usize] = true;
            at += 1;
        }
        begins
    };
    let is_here = |at: usize| {
        let rest = &agent[at..];
        let [one, two, ..] = rest else { return false };
        let two = [one | 0x20, two | 0x20];
        let word = FIRST.iter().position(|first| *first == two).map(|word| ROBOTS[word]);
        let word = word.and_then(|word| Some((word, rest.get(..word.len())?)));
        word.is_some_and(|(word, here)| here.eq_ignore_ascii_case(word.as_bytes()))
    };
    (0..agent.len()).any(|at| BEGINS[usize::from(agent[at])] && is_here(at))
}

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

/// What a click is, in the books.
pub fn read(hit: &Hit<'_>, catalog: &Catalog, keys: &Keys) -> Read {
    match judge(hit, catalog) {
        Click::Unknown => {
            Read::Done(Fate::new(hit.id, None, Outcome::Rejected, &[Reason::LinkUnknown]), None)
        }
        Click::Ignored(link, program, reason) => {
            let mut fate = Fate::new(hit.id, Some(program.id), Outcome::Ignored, &[reason]);
            fate.affiliate_id = Some(link.affiliate_id);
            Read::Done(fate, None)
        }
        Click::Counts(link, program, privacy) => {
            let kept = first_click(hit, catalog, keys, program).map(|_| Reason::FirstClickKept);
            let reasons: Vec<Reason> = kept.into_iter().chain(privacy).collect();
            let mut fate = Fate::new(hit.id, Some(program.id), Outcome::Clicked, &reasons);
            fate.affiliate_id = Some(link.affiliate_id);
            let clicked = Clicked {
                id: hit.id,
                program_id: program.id,
                affiliate_id: link.affiliate_id,
                link_id: link.id,
                at_ms: hit.received_ms,
                sub_ids: sub_ids(hit),
            };
            Read::Done(fate, Some(clicked))
        }
    }
}

/// Judges a click from the stored request alone.
pub fn judge<'c>(hit: &Hit<'_>, catalog: &'c Catalog) -> Click<'c> {
    let Some((link, program)) = catalog.link(hit.text(Part::Code)) else {
        return Click::Unknown;
    };
    let at_ms = hit.received_ms;
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
    } else if is_robot(hit.get(Part::UserAgent)) {
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
    let first = touches::texts(&text, program.attribution).next()?;
    counting(first, hit, catalog, keys, program).is_some().then(|| first.to_owned())
}

/// What the cookie is to say after a click with this token: the token; where touches share a commission, behind
/// those of the visitor's earlier clicks that still count.
pub fn gathered(
    hit: &Hit<'_>,
    catalog: &Catalog,
    keys: &Keys,
    program: &Program,
    token: String,
) -> String {
    if !program.attribution.is_shared() {
        return token;
    }
    let earlier = intake::cookie(hit, program);
    let earlier = earlier.iter().flat_map(|text| touches::texts(text, program.attribution));
    let read = |text| Some((counting(text, hit, catalog, keys, program)?, text));
    let counted = earlier.chain([&*token]).filter_map(read).collect();
    let kept = touches::keep(counted, |(token, _)| Touch::from(token));
    let texts: Vec<&str> = kept.into_iter().map(|(_, text)| text).collect();
    texts.join(&touches::BETWEEN.to_string())
}

/// A token of the visitor's cookie, if a sale that came now would be credited by it.
fn counting(
    text: &str,
    hit: &Hit<'_>,
    catalog: &Catalog,
    keys: &Keys,
    program: &Program,
) -> Option<Token> {
    let token = Token::verify(text, keys).ok()?;
    let fresh = hit.received_ms - token.clicked_ms() <= program.window_ms();
    let active = catalog.affiliate_is_active(token.affiliate_id, hit.received_ms);
    (token.program_id == program.id && fresh && active).then_some(token)
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_robot_is_known_by_its_words_wherever_they_are(
            before in "[a-z bcsfmpl\\PC]{0,9}",
            word in 0..ROBOTS.len(),
            cut in 0usize..4,
            after in "[A-Z /;]{0,5}",
        ) {
            let word = &ROBOTS[word][..ROBOTS[word].len() - cut.min(ROBOTS[word].len())];
            for agent in [format!("{before}{word}{after}"), format!("{before}{after}{word}")] {
                for agent in [agent.to_ascii_uppercase(), agent] {
                    let lower = agent.to_ascii_lowercase();
                    let expected = ROBOTS.iter().any(|word| lower.contains(word));
                    prop_assert_eq!(is_robot(agent.as_bytes()), expected, "{}", agent);
                }
            }
        }
    }
}
