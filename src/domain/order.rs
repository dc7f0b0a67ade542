//! An order as all its hits tell it. Two tellings join into one; the join is commutative, associative and
//! idempotent, so the result does not depend on how hits arrived or were batched. A verified hit always
//! goes before an unsigned one, an earlier before a later: first verified wins, and an unsigned hit can
//! fill a gap but never block or change what a verified one said. The gap "who referred it" it fills only
//! when it came about the same time: an order id can be guessed long before its order is placed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::attribution::Attribution;
use super::catalog::{Program, Unsigned};
use super::id::{self, Id};
use super::intake::{Sale, SaleKind};
use super::money::Money;
use super::reason::Reason;

/// Distinct clicks of one order id that are remembered.
const CLICKS_MAX: usize = 8;
/// So many clicks, over at least this time, and an order id is taken to be the same for everybody.
const SHARED_CLICKS: usize = 5;
const SHARED_MS: i64 = 24 * 3_600_000;
/// Without an order id, hits of one click within this time are one sale.
const CLICK_WINDOW_MS: i64 = 24 * 3_600_000;
/// Unsigned evidence is kept by the half hour in which it came; it credits a verified sale of the same half
/// hour, the one before or the one behind.
const SLOT_MS: i64 = 30 * 60_000;
/// Half hours of one order that are remembered, the first ones: what comes later pushes nothing out.
const CLAIMS_MAX: usize = 16;

/// What an order is recognised by, once and for ever.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub struct Key {
    pub program_id: Id,
    pub kind: SaleKind,
    pub text: String,
}

/// A value with the hit that told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Told<T> {
    pub unverified: bool,
    pub hit: Id,
    pub value: T,
}

impl<T> Told<T> {
    fn rank(&self) -> (bool, Id) {
        (self.unverified, self.hit)
    }
}

/// The order so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Order {
    /// The hit that speaks for it, with its arrival in milliseconds.
    pub speaker: Told<i64>,
    pub order_id: Option<String>,
    pub money: Told<Money>,
    pub coupon: Option<Told<String>>,
    pub customer: Option<Told<String>>,
    pub new_customer: Option<Told<bool>>,
    pub items: Option<Told<String>>,
    /// Who is credited: follows from the speaker and the two below.
    pub attribution: Option<Told<Attribution>>,
    /// The evidence that came with a hit for which the shop vouches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vouched: Option<Told<Attribution>>,
    /// The first evidence that came unsigned, of each half hour.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<i64, Told<Attribution>>,
    /// One bit for each channel and whether it was verified: what was heard of before.
    pub channels: u16,
    /// The clicks that its hits named, smallest ids first.
    pub clicks: BTreeSet<Id>,
    pub amount_differs: bool,
    /// It was rejected as a claim and came to life again, credited by the claim's own evidence: a person
    /// decides again.
    pub revived: bool,
    /// Codes of reasons about the evidence that came.
    pub notes: BTreeSet<String>,
}

impl Order {
    /// The order as one hit tells it. `channel` is a small number for the endpoint.
    pub fn told(
        hit: Id,
        received_ms: i64,
        channel: u8,
        sale: Sale,
        evidence: (Option<Attribution>, Vec<Reason>),
    ) -> Self {
        let (unverified, evidence_unverified) = (!sale.verified, !sale.evidence_verified);
        fn told<T>(unverified: bool, hit: Id, value: T) -> Told<T> {
            Told { unverified, hit, value }
        }
        let reasons = evidence.1;
        let attribution = evidence.0.map(|v| told(evidence_unverified, hit, v));
        let (vouched, claim) =
            if unverified { (None, attribution.clone()) } else { (attribution.clone(), None) };
        Order {
            speaker: told(unverified, hit, received_ms),
            order_id: sale.order_id,
            money: told(unverified, hit, sale.money),
            coupon: sale.coupon.map(|v| told(unverified, hit, v)),
            customer: sale.customer.map(|v| told(unverified, hit, v)),
            new_customer: sale.new_customer.map(|v| told(unverified, hit, v)),
            items: sale.items.map(|v| told(unverified, hit, v)),
            clicks: attribution.iter().filter_map(|a| a.value.click_id).collect(),
            attribution,
            vouched,
            claims: claim.into_iter().map(|claim| (slot(hit), claim)).collect(),
            channels: 1 << (channel * 2 + u8::from(unverified)),
            amount_differs: false,
            revived: false,
            notes: reasons.iter().map(|r| r.code().to_owned()).collect(),
        }
    }

    /// Joins another telling in. The first hit that brings good evidence decides who is credited, one that the
    /// shop vouches for before an unsigned one: what comes later cannot take the credit away.
    pub fn join(&mut self, mut other: Order) {
        self.recall();
        other.recall();
        self.revived |= other.revived;
        self.amount_differs |= other.amount_differs || self.money.value != other.money.value;
        best(&mut self.speaker, other.speaker);
        best(&mut self.money, other.money);
        fill(&mut self.coupon, other.coupon);
        fill(&mut self.customer, other.customer);
        fill(&mut self.new_customer, other.new_customer);
        fill(&mut self.items, other.items);
        fill(&mut self.vouched, other.vouched);
        for (slot, claim) in other.claims {
            let ours = self.claims.entry(slot).or_insert_with(|| claim.clone());
            best(ours, claim);
        }
        while self.claims.len() > CLAIMS_MAX {
            self.claims.pop_last();
        }
        self.attribution = self.credited();
        self.channels |= other.channels;
        self.clicks.extend(other.clicks);
        while self.clicks.len() > CLICKS_MAX {
            self.clicks.pop_last();
        }
        self.notes.extend(other.notes);
    }

    /// Whose evidence stands. Of what came unsigned, a verified sale believes only what came with it.
    fn credited(&self) -> Option<Told<Attribution>> {
        let now = slot(self.speaker.hit);
        let timely = if self.speaker.unverified { i64::MIN..=i64::MAX } else { now - 1..=now + 1 };
        let claim = || self.claims.range(timely).next().map(|(_, claim)| claim);
        self.vouched.as_ref().or_else(claim).cloned()
    }

    /// Whether somebody claimed the credit, and nobody gets it, for no claim came with the sale.
    pub fn is_claimed_in_vain(&self) -> bool {
        self.attribution.is_none() && !self.claims.is_empty()
    }

    /// Puts the evidence of an order that was kept before it was told apart in its place.
    fn recall(&mut self) {
        let Some(told) = self.attribution.as_ref().filter(|_| self.vouched.is_none()) else {
            return;
        };
        let own = !self.speaker.unverified && told.hit == self.speaker.hit;
        if !told.unverified || own {
            self.vouched = Some(told.clone());
        } else if self.claims.is_empty() {
            self.claims.insert(slot(told.hit), told.clone());
        }
    }

    /// What the order is recognised by: its id; without one its click; without that, nothing but itself.
    pub fn key(&self, program_id: Id, kind: SaleKind) -> Key {
        let text = match &self.order_id {
            Some(id) => format!("id:{id}"),
            None => self.click_key().unwrap_or_else(|| format!("hit:{}", self.speaker.hit)),
        };
        Key { program_id, kind, text }
    }

    /// The key by click, for hits that name one: its time is cut into windows from the click on.
    pub fn click_key(&self) -> Option<String> {
        let attribution = &self.attribution.as_ref()?.value;
        let window = (self.speaker.value - attribution.at_ms) / CLICK_WINDOW_MS;
        Some(format!("click:{}:{window}", attribution.click_id?))
    }

    /// Whether this order id turned out to be the same for everybody, as seen when `hit` comes: then that
    /// hit is another sale, recognised by its click.
    pub fn is_shared_with(&self, hit: &Order) -> bool {
        let clicks = self.clicks.len() >= SHARED_CLICKS && self.clicks.is_disjoint(&hit.clicks);
        let apart = hit.speaker.value - self.speaker.value >= SHARED_MS;
        let unsigned = self.speaker.unverified && hit.speaker.unverified;
        unsigned && clicks && apart && !hit.clicks.is_empty()
    }

    /// Whether so many clicks named this order id that the shop should look at what it sends.
    pub fn looks_shared(&self) -> bool {
        self.order_id.is_some() && self.clicks.len() >= SHARED_CLICKS
    }

    /// Why it waits for a person, whatever time passes.
    pub fn held(&self, program: &Program) -> Option<Reason> {
        // What a signed hit brings along is as good as the page that was signed.
        let foreign = |told: &Told<Attribution>| told.unverified && told.hit != self.speaker.hit;
        let claim = self.speaker.unverified || self.attribution.as_ref().is_some_and(foreign);
        if program.unsigned == Unsigned::Hold && claim {
            Some(Reason::UnsignedHeld)
        } else if self.revived {
            Some(Reason::Revived)
        } else if self.order_id.is_none() {
            Some(Reason::OrderIdMissing)
        } else {
            None
        }
    }
}

/// The half hour in which a hit came.
fn slot(hit: Id) -> i64 {
    id::time_ms(hit).div_euclid(SLOT_MS)
}

fn best<T>(ours: &mut Told<T>, theirs: Told<T>) {
    if theirs.rank() < ours.rank() {
        *ours = theirs;
    }
}

fn fill<T>(ours: &mut Option<Told<T>>, theirs: Option<Told<T>>) {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => best(ours, theirs),
        (ours @ None, Some(theirs)) => *ours = Some(theirs),
        (_, None) => {}
    }
}
