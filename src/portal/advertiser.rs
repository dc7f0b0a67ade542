//! An advertiser's room: his programs with their tracking codes and ready snippets, and the last hits with
//! what became of them, so that he can see his pixel work.

use askama::Template;
use bytes::Bytes;
use hyper::StatusCode;
use jiff::tz::TimeZone;

use super::edit::{self, Edit};
use super::hit::{self, HitLine};
use super::page::{self, Bar, Frame, Refusal};
use super::session::value;
use super::{Portal, show, typed};
use crate::domain::catalog::Model;
use crate::domain::id::{self, Id};
use crate::domain::rights::Right;
use crate::domain::snippet::{self, Addresses, Snippets};
use crate::http::Reply;
use crate::store::portal::{self as rows, Advertiser, PAGE_ROWS, Program, TrackingCode};

/// How somebody came in: into his own room, or as the operator into anybody's.
pub struct Door {
    /// Whose room it is.
    pub id: Id,
    /// The room's path, without a slash at its end.
    pub path: String,
    /// Whether it is the operator who looks.
    pub visiting: bool,
    /// What the bar on top has.
    pub bar: Bar,
}

impl Door {
    /// His own.
    pub fn own(id: Id, bar: Bar) -> Self {
        Door { id, path: "/advertiser".to_owned(), visiting: false, bar }
    }

    /// The operator's.
    pub fn operators(id: Id, bar: Bar) -> Self {
        Door { id, path: format!("/advertiser/{id}"), visiting: true, bar }
    }
}

/// Tracking codes that are shown.
const CODES_MAX: usize = 500;

#[derive(Template)]
#[template(path = "advertiser.html", config = "src/portal/askama.toml")]
struct Room {
    frame: Frame,
    path: String,
    may_edit: bool,
    programs: Vec<ProgramPart>,
    /// There are more tracking codes than these.
    more_codes: bool,
    hits: Vec<HitLine>,
    newest: bool,
    older: Option<Id>,
    timezone: String,
}

struct ProgramPart {
    name: String,
    paused: bool,
    landing_url: String,
    facts: Vec<(&'static str, String)>,
    warnings: Vec<String>,
    codes: Vec<CodePart>,
}

struct CodePart {
    id: Id,
    name: String,
    secret: String,
    addresses: Addresses,
    snippets: Snippets,
    redirect_url: String,
    link: bool,
    saved: bool,
    fault: Option<&'static str>,
}

/// Something to copy into a shop.
struct Piece<'a> {
    key: &'static str,
    name: &'static str,
    hint: &'static str,
    text: &'a str,
}

impl CodePart {
    /// The snippets, the likeliest first.
    fn pieces(&self) -> [Piece<'_>; 4] {
        let Snippets { img, form, postback, tag } = &self.snippets;
        let piece = |key, name, hint, text| Piece { key, name, hint, text };
        [
            piece("img", "Image tag", "for the thank-you page", img),
            piece("form", "Form", "for the last step of the checkout", form),
            piece("postback", "Postback", "from your server, with the secret", postback),
            piece(
                "tag",
                "Script tag",
                "for every page: it keeps the click where browsers drop foreign cookies",
                tag,
            ),
        ]
    }
}

/// What the room shows beside what is in the books.
#[derive(Default)]
struct View {
    before: Option<Id>,
    saved: Option<Id>,
    /// An edit that was refused, as it was sent, and why.
    refused: Option<(Id, Edit, &'static str)>,
}

/// The room.
pub async fn page(portal: &Portal, door: Door, query: &str) -> Result<Reply, Refusal> {
    // That something was saved is told, not asked for: another's way of writing it tells nothing.
    let saved = id::parse(&value(query.as_bytes(), "saved"));
    let view = View { before: typed::before(query)?, saved, refused: None };
    room(portal, &door, view).await
}

/// Takes the form of one tracking code.
pub async fn edit(portal: &Portal, door: &Door, id: Id, body: &Bytes) -> Result<Reply, Refusal> {
    let edit =
        Edit { redirect_url: value(body, "redirect_url"), method: value(body, "return_method") };
    let (url, method) = match edit::check(&edit) {
        Ok(checked) => checked,
        Err(fault) => {
            let view = View { refused: Some((id, edit, fault)), ..View::default() };
            return room(portal, door, view).await;
        }
    };
    if rows::edit_tracking_code(&portal.store, door.id, id, url.as_deref(), method).await? {
        Ok(page::redirect(&format!("{}?saved={id}#code-{id}", door.path)))
    } else {
        Err(Refusal::NotFound)
    }
}

async fn room(portal: &Portal, door: &Door, view: View) -> Result<Reply, Refusal> {
    let store = &portal.store;
    let advertiser = rows::advertiser(store, door.id).await?.ok_or(Refusal::NotFound)?;
    let programs = rows::programs(store, door.id).await?;
    let mut codes = rows::tracking_codes(store, door.id, CODES_MAX as i64 + 1).await?;
    let more_codes = codes.len() > CODES_MAX;
    codes.truncate(CODES_MAX);
    let refused = view.refused.as_ref().map(|(id, ..)| *id);
    if refused.is_some_and(|id| codes.iter().all(|code| code.id != id)) {
        return Err(Refusal::NotFound);
    }
    let mut hits = rows::hits(store, door.id, view.before.unwrap_or(Id::MAX)).await?;
    let more = hits.len() > PAGE_ROWS;
    hits.truncate(PAGE_ROWS);
    let zone: TimeZone = show::zone(&advertiser.timezone);
    let room = Room {
        frame: Frame::of(&advertiser.name, &advertiser.name, door.visiting).with(door.bar),
        may_edit: door.bar.rights.has(Right::Catalog),
        path: door.path.clone(),
        programs: programs
            .into_iter()
            .map(|program| program_part(portal, &advertiser, program, (&codes, &view)))
            .collect(),
        more_codes,
        older: hits.last().filter(|_| more).map(|hit| hit.id),
        hits: hits.iter().map(|row| hit::line(row, &zone, &advertiser.currency)).collect(),
        newest: view.before.is_some(),
        timezone: advertiser.timezone,
    };
    let bad = refused.is_some();
    page::html(if bad { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &room)
}

fn program_part(
    portal: &Portal,
    advertiser: &Advertiser,
    program: Program,
    (codes, view): (&[TrackingCode], &View),
) -> ProgramPart {
    let own = codes.iter().filter(|code| code.program_id == program.id);
    ProgramPart {
        facts: facts(&program, &advertiser.currency),
        warnings: warnings(&program),
        codes: own.map(|code| code_part(portal, &program, code, view)).collect(),
        name: program.name,
        paused: program.paused,
        landing_url: program.landing_url,
    }
}

fn code_part(portal: &Portal, program: &Program, code: &TrackingCode, view: &View) -> CodePart {
    let base = &portal.public_base;
    let refused = view.refused.as_ref().filter(|(id, ..)| *id == code.id);
    let stored = code.redirect_url.clone().unwrap_or_default();
    let tag = snippet::TagTerms {
        click_param: program.click_param.clone(),
        consent: program.consent,
        model: Model::parse(&program.attribution).unwrap_or(Model::LastClick),
        window_days: program.window_days,
    };
    CodePart {
        id: code.id,
        name: code.name.clone(),
        secret: code.secret.clone(),
        addresses: snippet::addresses(base, &code.code),
        snippets: snippet::snippets(base, &code.code, &tag),
        redirect_url: refused.map_or(stored, |(_, edit, _)| edit.redirect_url.clone()),
        link: refused.map_or(&code.return_method, |(_, edit, _)| &edit.method) == edit::LINK,
        saved: view.saved == Some(code.id),
        fault: refused.map(|(_, _, fault)| *fault),
    }
}

/// The terms of a program, in words.
fn facts(program: &Program, currency: &str) -> Vec<(&'static str, String)> {
    let window = show::count(program.window_days.into(), "day");
    let credit = show::credit(&program.attribution, &window);
    let coupons = if program.coupons { "; coupons count too" } else { "" };
    let hold = match program.hold_days {
        0 => "none: commissions are payable at once".to_owned(),
        days => format!("{} until a commission is payable", show::count(days.into(), "day")),
    };
    let unsigned = match program.unsigned.as_str() {
        "hold" => "wait for your approval",
        _ => "count like signed ones, and are marked as unverified",
    };
    let mut facts = vec![
        ("Commission", show::plan(program.terms.as_ref(), currency)),
        ("Credit", format!("{credit}{coupons}")),
        ("Hold", hold),
        ("Unsigned sales", unsigned.to_owned()),
    ];
    let told = program.terms.as_ref().map(|terms| terms.told(currency, None)).unwrap_or_default();
    // One line says no more than the commission above.
    if told.len() > 1 {
        facts.extend(told.into_iter().map(|line| ("Terms", line)));
    }
    facts
}

/// What the shop should look at.
fn warnings(program: &Program) -> Vec<String> {
    let health = program.health;
    let mut warnings = Vec::new();
    let mut warn = |when: bool, text: String| {
        if when {
            warnings.push(text);
        }
    };
    warn(
        !program.heard_of,
        "No hit has come yet. Put one of the snippets on the thank-you page and place a test order.".into(),
    );
    warn(
        health.day_rejected > 0,
        format!(
            "In the last 24 hours, {} of {} rejected ({} %). The list below tells why.",
            health.day_rejected,
            show::count(health.day_hits, "hit")
                + if health.day_hits == 1 { " was" } else { " were" },
            (health.day_rejected * 100) / health.day_hits.max(1),
        ),
    );
    warn(
        health.order_id_missing > 0,
        format!(
            "In the last 7 days, {} came without an order id. Such sales wait for your approval: send the order id as id.",
            show::count(health.order_id_missing, "hit")
        ),
    );
    warn(
        health.order_id_shared > 0,
        format!(
            "In the last 7 days, {} had an order id that many visitors share. Does the shop send the same id for everybody?",
            show::count(health.order_id_shared, "hit")
        ),
    );
    warn(
        health.amount_ambiguous > 0,
        format!(
            "In the last 7 days, {} had an amount that can be read in two ways. Send it with a decimal point and without grouping.",
            show::count(health.amount_ambiguous, "hit")
        ),
    );
    warnings
}
