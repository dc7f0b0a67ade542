//! `tributary replay`: stored hits decided again, the difference told, and, when asked for, booked. In
//! batches, each one transaction on one snapshot; between two of them nothing is held, and workers settle
//! meanwhile. Broken off, it is begun again: what is right already changes no more. Never changes a transfer,
//! and never a fate without keeping what it was.

mod pretended;
mod report;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::catalog::Catalog;
use crate::domain::hit::{Kind, Part};
use crate::domain::id::{self, Id};
use crate::domain::order::Key;
use crate::domain::replay::{Again, Cause, Replayed, Stored, decide};
use crate::domain::settlement::{self, Conversion, Fate, Read};
use crate::domain::token::Keys;
use crate::store::replay::{self as rows, Selection};
use crate::store::{self, Cause as Failure, Store, Transaction, catalog, ledger, settle};
use pretended::Pretended;
pub use report::Report;

/// Hits of one transaction.
const BATCH_HITS: i64 = 1_000;
/// Times that a lost race is run again before the batch is halved: a smaller one is sooner through. And the
/// times for a single hit.
const RACES_MAX: u32 = 3;
const RACES_MAX_ALONE: u32 = 20;
/// Ids that are tried at once for a hit whose own is taken.
const IDS_TRIED: i64 = 64;

/// One run.
pub struct Replay {
    store: Store,
    keys: Keys,
    selection: Selection,
    apply: bool,
    catalog: Arc<Catalog>,
    pretended: Pretended,
    report: Report,
}

impl Replay {
    /// A run over these hits, that books the difference if it is to be applied.
    pub fn new(store: Store, keys: Keys, selection: Selection, apply: bool) -> Self {
        Replay {
            store,
            keys,
            selection,
            apply,
            catalog: Arc::default(),
            pretended: Pretended::default(),
            report: Report { applied: apply, ..Report::default() },
        }
    }

    /// Decides all of them again; tells each difference as it is found, or once it is booked.
    pub async fn run(mut self, mut tell: impl FnMut(String)) -> Result<Report, store::Error> {
        let Selection { from_ms, to_ms, .. } = self.selection;
        // Hits without an id of their own have one below zero, whatever their time.
        for (from, to) in [(Id::MIN, 0), (id::first_of(from_ms), id::first_of(to_ms))] {
            let mut next = from;
            loop {
                let ids =
                    rows::select(&self.store, &self.selection, (next, to), BATCH_HITS).await?;
                let Some(last) = ids.last() else { break };
                next = last + 1;
                self.decide_all(&ids, &mut tell).await?;
            }
        }
        Ok(self.report)
    }

    /// Decides hits; a batch that fails is halved until the hit is alone that cannot be decided, or that
    /// workers are always before.
    async fn decide_all(
        &mut self,
        ids: &[Id],
        tell: &mut impl FnMut(String),
    ) -> Result<(), store::Error> {
        match self.decide_together(ids).await {
            Ok((looked_at, replayed)) => {
                self.report.add(looked_at, &replayed, tell);
                Ok(())
            }
            Err(_) if ids.len() > 1 => {
                let (first, second) = ids.split_at(ids.len() / 2);
                Box::pin(self.decide_all(first, tell)).await?;
                Box::pin(self.decide_all(second, tell)).await
            }
            Err(error) if error.cause == Failure::Retry => Err(error),
            Err(error) => {
                tell(format!("hit {}: cannot be decided again: {error}", ids[0]));
                self.report.failed += 1;
                Ok(())
            }
        }
    }

    /// One transaction; run again when another writer was first.
    async fn decide_together(&mut self, ids: &[Id]) -> Result<(usize, Replayed), store::Error> {
        let races_max = if ids.len() > 1 { RACES_MAX } else { RACES_MAX_ALONE };
        let mut races = 0;
        loop {
            if catalog::version(&self.store).await? != self.catalog.version {
                self.catalog = Arc::new(catalog::load(&self.store).await?.into());
            }
            let work = async |tx: &Transaction<'_>| self.decide_in(tx, ids).await;
            match rows::batch(&self.store, self.apply, work).await {
                Ok(batch) => {
                    let looked_at = batch.looked_at;
                    if !self.apply {
                        self.pretended.keep(&batch.replayed, &batch.hits);
                    }
                    return Ok((looked_at, batch.replayed));
                }
                Err(error) if error.cause == Failure::Retry && races < races_max => {
                    races += 1;
                    tokio::time::sleep(Duration::from_millis(u64::from(10 * races))).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Prefetch, decide, apply.
    async fn decide_in(&self, tx: &Transaction<'_>, ids: &[Id]) -> Result<Batch, store::Error> {
        let mut hits = self.pretended.hits(rows::hits(tx, ids).await?);
        hits.retain(|stored| self.is_asked_for(stored));
        self.name(tx, &mut hits).await?;
        let looked_at = hits.len();
        let orders: Vec<Id> = Vec::from_iter(
            hits.iter().filter_map(|s| s.fate.conversion_id).collect::<BTreeSet<_>>(),
        );
        let (told, newcomers): (Vec<Stored>, Vec<Stored>) =
            hits.into_iter().partition(|stored| stored.fate.conversion_id.is_some());
        let members = match orders.is_empty() {
            true => told,
            false => self.pretended.members(rows::members(tx, &orders).await?, &orders),
        };
        let (mut befores, mut reads) = (Vec::new(), Vec::new());
        for stored in &newcomers {
            if let Some(read) = stored.read(&self.catalog, &self.keys) {
                befores.push(stored.fate.clone());
                reads.push(read);
            }
        }
        let known = self.known(tx, &mut reads, &orders).await?;
        let again = |(before, read): (Fate, Read)| Again { before, read: Some(read) };
        let again = befores.into_iter().zip(reads).map(again).collect();
        let cause = match self.apply {
            true => rows::cause(tx).await?,
            false => Cause { id: 0, event_ms: 0 },
        };
        let replayed = decide(again, self.by_order(&members), known, &self.catalog, cause);
        let hits: Vec<Stored> = newcomers.into_iter().chain(members).collect();
        let batch = Batch { looked_at, hits, replayed };
        if self.apply {
            batch.apply(tx, cause.id, &self.selection).await?;
        }
        Ok(batch)
    }

    /// What the statement that selects cannot tell of hits without an id or a program of their own.
    fn is_asked_for(&self, stored: &Stored) -> bool {
        let Selection { from_ms, to_ms, program_id, outcome } = &self.selection;
        let Some(hit) = stored.hit() else { return false };
        let in_time = stored.fate.hit >= 0 || (*from_ms..*to_ms).contains(&hit.received_ms);
        let code = hit.text(Part::Code);
        let program = stored.fate.program_id.or_else(|| match hit.kind {
            Kind::Click => self.catalog.link(code).map(|(_, program)| program.id),
            _ => self.catalog.tracking_code(code).map(|(_, program)| program.id),
        });
        in_time
            && program_id.is_none_or(|asked| program == Some(asked))
            && outcome.is_none_or(|asked| asked == stored.fate.outcome)
    }

    /// Hits without an id of their own get the one that their edge gave them, or the next that is free.
    async fn name(&self, tx: &Transaction<'_>, hits: &mut [Stored]) -> Result<(), store::Error> {
        let mut taken: BTreeSet<Id> = BTreeSet::new();
        for stored in hits.iter_mut().filter(|stored| stored.id < 0) {
            let Some(given) = crate::domain::hit::Hit::decode(&stored.raw).map(|hit| hit.id) else {
                continue;
            };
            let mut first = given.max(1);
            stored.id = loop {
                let tried: Vec<Id> = (first..first.saturating_add(IDS_TRIED)).collect();
                let known = settle::known_hits(tx, &tried).await?;
                let is_free = |id: &&Id| {
                    !known.contains(id) && !taken.contains(id) && !self.pretended.has(**id)
                };
                match tried.iter().find(is_free) {
                    Some(free) => break *free,
                    None => first += IDS_TRIED,
                }
            };
            taken.insert(stored.id);
        }
        Ok(())
    }

    /// What is known of the orders that these hits tell of, and of these conversions.
    async fn known(
        &self,
        tx: &Transaction<'_>,
        reads: &mut [Read],
        conversions: &[Id],
    ) -> Result<HashMap<Key, Conversion>, store::Error> {
        let mut keys: BTreeSet<Key> = reads.iter().filter_map(|read| read.key().cloned()).collect();
        if !conversions.is_empty() {
            keys.extend(rows::keys(tx, conversions).await?);
            keys.extend(self.pretended.keys(conversions));
        }
        let mut known = self.find(tx, Vec::from_iter(keys)).await?;
        let parted = settlement::part_shared(reads, &known);
        known.extend(self.find(tx, parted).await?);
        Ok(known)
    }

    async fn find(
        &self,
        tx: &Transaction<'_>,
        keys: Vec<Key>,
    ) -> Result<HashMap<Key, Conversion>, store::Error> {
        let found = settle::find(tx, &keys).await?;
        Ok(self.pretended.conversions(found, &keys))
    }

    fn by_order(&self, members: &[Stored]) -> BTreeMap<Id, Vec<Again>> {
        let mut orders: BTreeMap<Id, Vec<Again>> = BTreeMap::new();
        for stored in members {
            let Some(conversion) = stored.fate.conversion_id else { continue };
            let read = stored.read(&self.catalog, &self.keys);
            orders.entry(conversion).or_default().push(Again { before: stored.fate.clone(), read });
        }
        orders
    }
}

/// A batch that was decided.
struct Batch {
    looked_at: usize,
    /// All that were read for it.
    hits: Vec<Stored>,
    replayed: Replayed,
}

impl Batch {
    /// Writes what is changed, and before that what it was.
    async fn apply(
        &self,
        tx: &Transaction<'_>,
        replay_id: Id,
        selection: &Selection,
    ) -> Result<(), store::Error> {
        let Replayed { hits, clicks, unclicked, conversions, transfers, .. } = &self.replayed;
        if hits.is_empty() && conversions.is_empty() {
            return Ok(());
        }
        let mut hits = hits.clone();
        hits.sort_by_key(|change| change.before.hit);
        let stored: HashMap<Id, &Stored> = self.hits.iter().map(|s| (s.fate.hit, s)).collect();
        let of_hits: Vec<&Stored> =
            hits.iter().filter_map(|change| stored.get(&change.before.hit).copied()).collect();
        let after: Vec<Conversion> = conversions.iter().map(|c| c.after.clone()).collect();
        let ids: Vec<Id> = after.iter().map(|conversion| conversion.id).collect();
        rows::record(tx, replay_id, selection, &hits, &ids).await?;
        settle::write_conversions(tx, &after).await?;
        rows::update_hits(tx, &of_hits, &hits).await?;
        rows::delete_clicks(tx, unclicked).await?;
        settle::insert_clicks(tx, clicks).await?;
        if ledger::post(tx, transfers).await? != transfers.len() as u64 {
            return Err(store::Error::raced("ledger.post"));
        }
        Ok(())
    }
}
