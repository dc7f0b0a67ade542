//! A batch: first its hits are told to their orders; then what these need is looked up; then the books follow.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use super::looking::RateAsked;
use super::{Conversion, Read, Settlement, Telling, tell};
use crate::domain::catalog::{Catalog, Program};
use crate::domain::ledger::Cause;
use crate::domain::lookups::Aid;
use crate::domain::order::Key;
use crate::domain::reason::{Outcome, Reason};

/// A batch whose hits were told, and whose books are still to follow.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) settled: Settlement,
    pub(super) changed: Vec<Changed>,
    /// What a person did to a conversion, and to its books.
    pub(super) judged: Option<Changed>,
}

/// A conversion of whose order something new was told.
#[derive(Debug)]
pub(super) struct Changed {
    pub before: Option<Conversion>,
    pub now: Conversion,
    pub cause: Cause,
    /// Where the fates of its hits are.
    pub fates: Range<usize>,
}

/// Tells the hits of a batch to their orders.
pub fn batch(reads: Vec<Read>, mut known: HashMap<Key, Conversion>, catalog: &Catalog) -> Batch {
    let mut batch = Batch::default();
    let mut orders: BTreeMap<Key, Vec<Telling>> = BTreeMap::new();
    for read in reads {
        match read {
            Read::Done(fate, clicked) => {
                batch.settled.fates.push(fate);
                batch.settled.clicks.extend(clicked);
            }
            Read::Order(key, order) => orders.entry(key).or_default().push(Telling::Sale(order)),
            Read::Takeback(key, takeback) => {
                orders.entry(key).or_default().push(Telling::Takeback(takeback));
            }
        }
    }
    for (key, mut told) in orders {
        told.sort_by_key(|telling| telling.cause().id);
        let conversion = known.remove(&key);
        // The catalog never forgets a program, so a hit that was read has one.
        if let Some(program) = catalog.program(key.program_id) {
            batch.order(&key, told, conversion, program);
        }
    }
    batch
}

impl Batch {
    /// The hits of one order.
    fn order(
        &mut self,
        key: &Key,
        told: Vec<Telling>,
        before: Option<Conversion>,
        program: &Program,
    ) {
        let mut now = before.clone();
        let (mut last, start) = (None, self.settled.fates.len());
        for telling in told {
            let cause = telling.cause();
            let (fate, changed) = tell(&mut now, key, telling, program);
            last = if changed { Some(cause) } else { last };
            self.settled.fates.push(fate);
        }
        let fates = start..self.settled.fates.len();
        if let (Some(now), Some(cause)) = (now, last) {
            self.changed.push(Changed { before, now, cause, fates });
        }
    }

    /// A batch of what follows from a person's verdict on a conversion, beside its own books.
    pub fn judged(before: &Conversion, now: &Conversion, cause: Cause) -> Batch {
        let (before, now) = (Some(before.clone()), now.clone());
        Batch { judged: Some(Changed { before, now, cause, fates: 0..0 }), ..Batch::default() }
    }

    /// Whether there are no books to bring along.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty()
    }

    /// The rates that are needed and not known yet; of most batches none.
    pub fn rates_asked(&self, catalog: &Catalog) -> HashSet<RateAsked> {
        let asked = self
            .changed
            .iter()
            .filter_map(|Changed { now, .. }| now.rate_asked(catalog.program(now.key.program_id)?));
        asked.collect()
    }

    /// Brings the books to what is known now.
    pub fn settle(self, catalog: &Catalog, aid: Aid<'_>) -> Settlement {
        let Batch { mut settled, changed, judged: _ } = self;
        let aid = Aid { catalog: Some(catalog), ..aid };
        for Changed { before, mut now, cause, fates } in changed {
            let Some(program) = catalog.program(now.key.program_id) else { continue };
            settled.transfers.extend(now.follow(before.as_ref(), (program, aid), cause));
            if now.order.awaits_rate() {
                for fate in &mut settled.fates[fates.clone()] {
                    if fate.outcome == Outcome::Converted {
                        fate.outcome = Outcome::Held;
                        fate.reasons.insert(0, Reason::RateMissing.code().to_owned());
                    }
                }
            }
            // A renewal that was looked at because of its customer may stand.
            if !fates.is_empty() || before.as_ref() != Some(&now) {
                settled.conversions.push(now);
            }
        }
        settled
    }
}
