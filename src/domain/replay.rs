//! Stored hits decided again, by today's rules: what becomes of them, and what that changes in the books.
//! Pure and total, as settling is, and by the same functions. A hit that tells of no order is decided like
//! one that has just come. One that does has its whole order told anew, by all its hits, unless what was
//! known then cannot be known any more: then the order stands.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::catalog::{Catalog, Program};
use super::hit::Hit;
use super::id::Id;
pub use super::ledger::Cause;
use super::ledger::{Status, Transfer};
use super::lookups::Aid;
use super::order::{Key, Order};
use super::reason::{Outcome, Reason};
use super::settlement::{self, Clicked, Conversion, Fate, Read, Telling};
use super::token::Keys;

/// Hits of one order that are read to tell it anew. One that has more stands.
pub const ORDER_HITS_MAX: usize = 1_000;

/// What the evidence of a hit can leave in the notes of its order. All other notes are of people and of the
/// books, and stay.
const OF_EVIDENCE: [Reason; 9] = [
    Reason::ProgramPaused,
    Reason::AffiliatePaused,
    Reason::CouponUnknown,
    Reason::CouponNotValid,
    Reason::TokenMalformed,
    Reason::TokenForged,
    Reason::TokenKeyUnknown,
    Reason::TokenExpired,
    Reason::TokenOtherProgram,
];

/// A stored hit.
#[derive(Debug, Clone)]
pub struct Stored {
    /// What became of it so far, under the id that it has in the books.
    pub fate: Fate,
    /// The id that it is decided under: another one for a dead letter, whose own could not be used.
    pub id: Id,
    /// As journalled; empty when it was erased.
    pub raw: Vec<u8>,
}

impl Stored {
    /// The request, if it can be read.
    pub fn hit(&self) -> Option<Hit<'_>> {
        let mut hit = Hit::decode(&self.raw)?;
        hit.id = self.id;
        Some(hit)
    }

    /// What it is by today's rules; `None` when it cannot be read.
    pub fn read(&self, catalog: &Catalog, keys: &Keys) -> Option<Read> {
        Some(settlement::read(&self.hit()?, catalog, keys))
    }
}

/// A hit with what it is by today's rules.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Again {
    pub before: Fate,
    pub read: Option<Read>,
}

/// Something as it was, and as it is to be.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Change<B, A> {
    pub before: B,
    pub after: A,
}

/// Why an order is not told anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stands {
    /// Rejected by a person, reversed, or paid; or paid back, disputed, corrected, or shared between several; or
    /// more than hits was looked up for it.
    Judged,
    /// The bytes of one of its hits were erased, or cannot be read.
    Unreadable,
    /// A click token's key is not there any more, or a pause that was in force is not known any more.
    Forgotten,
    /// One of its hits reads as another order now.
    AnotherOrder,
    /// It has more hits than are read.
    TooMany,
}

impl Stands {
    /// The reason, to a person.
    pub fn text(self) -> &'static str {
        match self {
            Stands::Judged => {
                "rejected, reversed, paid, paid back, corrected, shared, exchanged or recurring"
            }
            Stands::Unreadable => "a hit of theirs cannot be read",
            Stands::Forgotten => "a token's key or a pause is not known any more",
            Stands::AnotherOrder => "a hit of theirs reads as another order",
            Stands::TooMany => "too many hits",
        }
    }
}

/// All that deciding a batch again changes.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Replayed {
    pub hits: Vec<Change<Fate, Fate>>,
    /// Clicks that count from now on, and those that do not any more.
    pub clicks: Vec<Clicked>,
    pub unclicked: Vec<Id>,
    pub conversions: Vec<Change<Option<Conversion>, Conversion>>,
    pub transfers: Vec<Transfer>,
    /// Conversions that were not told anew.
    pub standing: Vec<(Id, Stands)>,
}

/// One order of a batch.
#[derive(Default)]
struct Work {
    before: Option<Conversion>,
    /// All its hits, if it is to be told anew.
    members: Option<Vec<Again>>,
    newcomers: Vec<(Fate, Telling)>,
}

/// Decides again: hits that told of no order so far, and orders with all their hits, by conversion.
pub fn decide(
    newcomers: Vec<Again>,
    mut members: BTreeMap<Id, Vec<Again>>,
    known: HashMap<Key, Conversion>,
    catalog: &Catalog,
    cause: Cause,
) -> Replayed {
    let mut replayed = Replayed::default();
    let mut orders: BTreeMap<Key, Work> = BTreeMap::new();
    for (key, conversion) in known {
        let members = members.remove(&conversion.id);
        orders.insert(key, Work { before: Some(conversion), members, newcomers: Vec::new() });
    }
    for Again { before, read } in newcomers {
        match read {
            Some(Read::Done(fate, clicked)) => replayed.alone(before, fate, clicked),
            Some(Read::Order(key, order)) => {
                orders.entry(key).or_default().newcomers.push((before, Telling::Sale(order)));
            }
            Some(Read::Takeback(key, told)) => {
                orders.entry(key).or_default().newcomers.push((before, Telling::Takeback(told)));
            }
            None => {}
        }
    }
    for (key, mut work) in orders {
        work.newcomers.sort_by_key(|(_, telling)| telling.cause().id);
        if let Some(program) = catalog.program(key.program_id) {
            let aid = Aid { catalog: Some(catalog), ..Aid::default() };
            replayed.order(key, work, (program, aid), cause);
        }
    }
    replayed
}

impl Replayed {
    /// A hit whose fate depends on nothing else.
    fn alone(&mut self, before: Fate, after: Fate, clicked: Option<Clicked>) {
        if before == after
            || forgotten(&before.reasons, &after.reasons)
            || differ_in_who_was_first(&before, &after)
        {
            return;
        }
        if before.outcome == Outcome::Clicked {
            self.unclicked.push(before.hit);
        }
        self.clicks.extend(clicked);
        self.hits.push(Change { before, after });
    }

    fn order(&mut self, key: Key, work: Work, by: (&Program, Aid<'_>), cause: Cause) {
        let Work { before, members, newcomers } = work;
        let mut now = before.clone();
        let mut told = None;
        if let (Some(conversion), Some(members)) = (&mut now, members) {
            match tell_anew(conversion, members, by.0) {
                Ok(anew) => told = Some(anew),
                Err(stands) => self.standing.push((conversion.id, stands)),
            }
        }
        if told.is_none() && newcomers.is_empty() {
            return;
        }
        if let (Some(conversion), Some(told)) = (&mut now, &mut told) {
            match told.order.take() {
                Some(order) => conversion.order = order,
                // Without a hit that tells of it, until a newcomer does.
                None => _ = conversion.order.notes.insert(Reason::Retracted.code().to_owned()),
            }
        }
        let mut fates = Vec::new();
        for (old, telling) in newcomers {
            let (fate, _) = settlement::tell(&mut now, &key, telling, by.0);
            fates.push(Change { before: old, after: fate });
        }
        let Some(mut now) = now else { return };
        let told_more = before.as_ref().is_none_or(|before| before.order != now.order);
        if told.is_some() || told_more {
            self.transfers.extend(book(before.as_ref(), &mut now, by, cause));
        }
        self.hits.extend(fates.into_iter().filter(|change| change.before != change.after));
        self.hits.extend(told.into_iter().flat_map(|told| told.fates(&now)));
        if before.as_ref() != Some(&now) {
            self.conversions.push(Change { before, after: now });
        }
    }
}

/// Brings the books to what an order is now.
fn book(
    before: Option<&Conversion>,
    now: &mut Conversion,
    (program, aid): (&Program, Aid<'_>),
    cause: Cause,
) -> Vec<Transfer> {
    let Some(before) = before else {
        // As if it had been settled when it came.
        let cause = Cause { id: now.id, event_ms: now.order.speaker.value };
        return now.follow(None, (program, aid), cause);
    };
    let transfers = now.follow(Some(before), (program, aid), cause);
    if now.awaits_sale() || before.awaits_sale() {
        return transfers;
    }
    let same_booking = now.booked == before.booked;
    if same_booking && now.order == before.order {
        *now = before.clone();
        return transfers;
    }
    let same_hold = now.order.speaker == before.order.speaker
        && now.order.held(program) == before.order.held(program)
        && !now.order.is_touched();
    if same_booking && same_hold {
        // What was frozen stays so, whatever the program's settings are by now.
        (now.plan_id, now.held, now.hold_until_ms, now.rated) =
            (before.plan_id, before.held, before.hold_until_ms, None);
    }
    transfers
}

/// An order told anew.
struct Told {
    /// `None` when no hit tells of it any more.
    order: Option<Order>,
    /// Hits that still tell of it, in order.
    stay: Vec<Fate>,
    refused: Vec<Change<Fate, Fate>>,
}

impl Told {
    /// The fates that changed. Hits that stay keep theirs, for which of them is called the duplicate depends
    /// on how they came; but one of them has to be the one that made the conversion.
    fn fates(self, now: &Conversion) -> Vec<Change<Fate, Fate>> {
        let mut changes = self.refused;
        let made = |fate: &Fate| matches!(fate.outcome, Outcome::Converted | Outcome::Held);
        if let Some(first) = self.stay.first().filter(|_| !self.stay.iter().any(made)) {
            changes.push(Change { before: first.clone(), after: now.first_fate(first.hit) });
        }
        changes
    }
}

fn tell_anew(
    conversion: &Conversion,
    members: Vec<Again>,
    program: &Program,
) -> Result<Told, Stands> {
    let is_open = matches!(conversion.booked.status, Status::Pending | Status::Payable);
    // What was looked up beside it, and whom it ties its customer to, no hit tells.
    let beside = conversion.order.lookups.is_some() || conversion.is_of_customer(program);
    let settled = conversion.order.is_touched() || !conversion.shares.is_empty() || beside;
    if !is_open || settled {
        return Err(Stands::Judged);
    }
    if members.len() > ORDER_HITS_MAX {
        return Err(Stands::TooMany);
    }
    let stored = &conversion.order;
    let named = [Some(stored.speaker.hit), stored.attribution.as_ref().map(|told| told.hit)];
    if named.into_iter().flatten().any(|hit| members.iter().all(|m| m.before.hit != hit)) {
        return Err(Stands::Unreadable);
    }
    let mut told = Told { order: None, stay: Vec::new(), refused: Vec::new() };
    for Again { before, read } in members {
        match read.ok_or(Stands::Unreadable)? {
            Read::Done(after, _) => told.refused.push(Change { before, after }),
            // Were it one, the order would be touched by it.
            Read::Takeback(..) => return Err(Stands::AnotherOrder),
            Read::Order(key, order) => {
                let order = belongs(conversion, key, *order)?;
                told.stay.push(before);
                match &mut told.order {
                    Some(all) => all.join(order),
                    none => *none = Some(order),
                }
            }
        }
    }
    let Some(order) = &mut told.order else { return Ok(told) };
    if forgotten(&stored.notes, &order.notes) {
        return Err(Stands::Forgotten);
    }
    let of_evidence = |note: &&String| OF_EVIDENCE.iter().any(|reason| reason.code() == **note);
    order.notes.extend(stored.notes.iter().filter(|note| !of_evidence(note)).cloned());
    order.revived = stored.revived;
    order.order_id.clone_from(&stored.order_id);
    Ok(told)
}

/// What a hit tells of the order that it belongs to, which is recognised by what it was recognised by then.
fn belongs(conversion: &Conversion, key: Key, mut order: Order) -> Result<Order, Stands> {
    let ours = &conversion.key;
    if key == *ours {
        return Ok(order);
    }
    let by_click = order.click_key().is_some_and(|text| text == ours.text);
    let by_itself = ours.text == format!("hit:{}", order.speaker.hit);
    if (key.program_id, key.kind) != (ours.program_id, ours.kind) || !(by_click || by_itself) {
        return Err(Stands::AnotherOrder);
    }
    order.order_id = None;
    Ok(order)
}

/// Whether two fates of a click differ in nothing but whether an earlier one keeps the credit: what that one was
/// credited by, a key or a pause, may be gone.
fn differ_in_who_was_first(before: &Fate, after: &Fate) -> bool {
    let but_first = |fate: &Fate| {
        let mut fate = fate.clone();
        fate.reasons.retain(|reason| reason != Reason::FirstClickKept.code());
        fate
    };
    before.outcome == Outcome::Clicked && but_first(before) == but_first(after)
}

/// Whether something was known when the hits came that today's catalog and keys do not tell any more: that
/// something was paused then, or what a token says whose key is gone.
fn forgotten<'a>(
    before: impl IntoIterator<Item = &'a String>,
    after: impl IntoIterator<Item = &'a String>,
) -> bool {
    let before: BTreeSet<&String> = before.into_iter().collect();
    let after: BTreeSet<&String> = after.into_iter().collect();
    let says =
        |notes: &BTreeSet<&String>, reason: Reason| notes.iter().any(|n| *n == reason.code());
    let gone = |reason| says(&before, reason) && !says(&after, reason);
    let came = |reason| says(&after, reason) && !says(&before, reason);
    [Reason::ProgramPaused, Reason::AffiliatePaused, Reason::LinkPaused].into_iter().any(gone)
        || came(Reason::TokenKeyUnknown)
}
