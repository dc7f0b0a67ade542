//! What a replay found, as lines for a person.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Formatter, Result};

use rust_decimal::Decimal;

use crate::domain::id::Id;
use crate::domain::replay::{Change, Replayed, Stands};
use crate::domain::settlement::{Conversion, Fate};

/// The whole difference, counted.
#[derive(Debug, Default)]
pub struct Report {
    /// Whether it is in the books.
    pub applied: bool,
    /// Hits that were decided again.
    pub hits: usize,
    /// Hits with another fate.
    pub hits_changed: usize,
    /// Conversions that are new, or not what they were.
    pub conversions_changed: usize,
    /// Hits that could not be decided; they are as they were.
    pub failed: usize,
    /// From one outcome to another.
    pub outcomes: BTreeMap<(&'static str, &'static str), usize>,
    /// Transfers: their code and currency, how many and how much.
    pub transfers: BTreeMap<(&'static str, &'static str), (usize, Decimal)>,
    /// Conversions that were not told anew, by why.
    pub standing: BTreeMap<Stands, BTreeSet<Id>>,
}

impl Report {
    /// Whether anything was decided otherwise.
    pub fn differs(&self) -> bool {
        self.hits_changed + self.conversions_changed > 0
    }

    pub(super) fn add(
        &mut self,
        looked_at: usize,
        replayed: &Replayed,
        tell: &mut impl FnMut(String),
    ) {
        self.hits += looked_at;
        self.hits_changed += replayed.hits.len();
        self.conversions_changed += replayed.conversions.len();
        for change in &replayed.hits {
            let outcomes = (change.before.outcome.code(), change.after.outcome.code());
            *self.outcomes.entry(outcomes).or_default() += 1;
            tell(hit(change));
        }
        for change in &replayed.conversions {
            tell(conversion(change));
        }
        for transfer in &replayed.transfers {
            let kind = (transfer.code.code(), transfer.amount.currency.code());
            let (count, amount) = self.transfers.entry(kind).or_default();
            *count += 1;
            *amount += transfer.amount.amount;
        }
        for (id, stands) in &replayed.standing {
            self.standing.entry(*stands).or_default().insert(*id);
        }
    }
}

fn hit(Change { before, after }: &Change<Fate, Fate>) -> String {
    let renamed =
        if before.hit == after.hit { String::new() } else { format!(" (now {})", after.hit) };
    format!("hit {}{renamed}: {} -> {}", before.hit, fate(before), fate(after))
}

fn fate(fate: &Fate) -> String {
    let mut text = fate.outcome.code().to_owned();
    if !fate.reasons.is_empty() {
        text.push_str(&format!(" ({})", fate.reasons.join(", ")));
    }
    let ids = [
        ("program", fate.program_id),
        ("affiliate", fate.affiliate_id),
        ("conversion", fate.conversion_id),
    ];
    for (name, id) in ids {
        if let Some(id) = id {
            text.push_str(&format!(" {name} {id}"));
        }
    }
    text
}

fn conversion(Change { before, after }: &Change<Option<Conversion>, Conversion>) -> String {
    let was = before.as_ref().map_or_else(|| "new".to_owned(), state);
    let order = after.order.order_id.as_deref().unwrap_or(&after.key.text);
    format!("conversion {} (order {order:?}): {was} -> {}", after.id, state(after))
}

fn state(c: &Conversion) -> String {
    let sale = c.order.sale();
    let commission = &c.booked.amount;
    let affiliate = c.booked.affiliate_id.map_or_else(|| "nobody".to_owned(), |id| id.to_string());
    let mut text = format!(
        "{} {}, affiliate {affiliate}, commission {} {} {}",
        sale.amount,
        sale.currency.code(),
        commission.amount,
        commission.currency.code(),
        c.booked.status.code(),
    );
    for (is, word) in [(c.held, "held"), (c.order.speaker.unverified, "unverified")] {
        if is {
            text.push_str(&format!(", {word}"));
        }
    }
    if !c.reasons.is_empty() {
        text.push_str(&format!(" ({})", c.reasons.join(", ")));
    }
    text
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Report { hits, hits_changed, conversions_changed, failed, .. } = self;
        writeln!(f, "{hits} hits decided again, {failed} that could not be")?;
        writeln!(f, "{hits_changed} hits and {conversions_changed} conversions differ")?;
        for ((from, to), count) in &self.outcomes {
            writeln!(f, "  {from} -> {to}: {count}")?;
        }
        for ((code, currency), (count, amount)) in &self.transfers {
            writeln!(f, "  {code}: {count} transfers, {amount} {currency}")?;
        }
        for (stands, conversions) in &self.standing {
            writeln!(
                f,
                "  stand as they are, {}: {} conversions",
                stands.text(),
                conversions.len()
            )?;
        }
        match (self.differs(), self.applied) {
            (false, _) => write!(f, "no difference"),
            (true, true) => write!(f, "applied"),
            (true, false) => write!(f, "nothing was changed; --apply books it"),
        }
    }
}
