//! What a run that writes nothing would have written so far, so that its later batches see it as they would
//! in the books. Grows with the differences, not with the hits.

use std::collections::HashMap;

use crate::domain::id::Id;
use crate::domain::order::Key;
use crate::domain::replay::{Replayed, Stored};
use crate::domain::settlement::Conversion;

/// Hits by the ids that they have in the books, and conversions. Empty in a run that writes.
#[derive(Default)]
pub(super) struct Pretended {
    hits: HashMap<Id, Stored>,
    conversions: HashMap<Key, Conversion>,
}

impl Pretended {
    /// Keeps what a batch would have changed.
    pub fn keep(&mut self, replayed: &Replayed, read: &[Stored]) {
        let read: HashMap<Id, &Stored> =
            read.iter().map(|stored| (stored.fate.hit, stored)).collect();
        for change in &replayed.hits {
            if let Some(stored) = read.get(&change.before.hit) {
                let (id, raw) = (change.after.hit, stored.raw.clone());
                self.hits.insert(change.before.hit, Stored { fate: change.after.clone(), id, raw });
            }
        }
        for change in &replayed.conversions {
            self.conversions.insert(change.after.key.clone(), change.after.clone());
        }
    }

    /// Whether a hit would have this id.
    pub fn has(&self, id: Id) -> bool {
        self.hits.values().any(|stored| stored.id == id)
    }

    /// Hits as they would be.
    pub fn hits(&self, found: Vec<Stored>) -> Vec<Stored> {
        let now = |stored: Stored| self.hits.get(&stored.fate.hit).cloned().unwrap_or(stored);
        found.into_iter().map(now).collect()
    }

    /// The hits that would tell of these conversions, whose ids are sorted.
    pub fn members(&self, found: Vec<Stored>, conversions: &[Id]) -> Vec<Stored> {
        let tells = |stored: &&Stored| {
            stored.fate.conversion_id.is_some_and(|id| conversions.binary_search(&id).is_ok())
        };
        let mut members: Vec<Stored> =
            found.into_iter().filter(|stored| !self.hits.contains_key(&stored.fate.hit)).collect();
        members.extend(self.hits.values().filter(tells).cloned());
        members.sort_by_key(|stored| stored.id);
        members
    }

    /// What these conversions, whose ids are sorted, would be recognised by.
    pub fn keys<'a>(&'a self, conversions: &'a [Id]) -> impl Iterator<Item = Key> + 'a {
        let all =
            self.conversions.values().filter(|made| conversions.binary_search(&made.id).is_ok());
        all.map(|made| made.key.clone())
    }

    /// Conversions as they would be.
    pub fn conversions(
        &self,
        mut found: HashMap<Key, Conversion>,
        keys: &[Key],
    ) -> HashMap<Key, Conversion> {
        let made = keys.iter().filter_map(|key| self.conversions.get(key));
        found.extend(made.map(|made| (made.key.clone(), made.clone())));
        found
    }
}
