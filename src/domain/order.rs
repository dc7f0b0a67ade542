//! An order as all its hits tell it. Two tellings join into one; the join is commutative, associative and
//! idempotent, so the result does not depend on how hits arrived or were batched. A verified hit always
//! goes before an unsigned one, an earlier before a later: first verified wins, and an unsigned hit can
//! fill a gap but never block or change what a verified one said. The gap "who referred it" it fills only
//! when it came about the same time: an order id can be guessed long before its order is placed.

mod takebacks;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::attribution::Attribution;
use super::catalog::{Program, Unsigned};
use super::id::{self, Id};
use super::intake::{Details, Origin, Sale, SaleKind};
use super::lookups::Lookups;
use super::money::Money;
use super::reason::Reason;
use super::takeback::Refund;
pub use takebacks::Disputed;

/// Distinct clicks of one order id that are remembered.
const CLICKS_MAX: usize = 8;
/// So many clicks, over at least this time, and an order id is taken to be the same for everybody.
const SHARED_CLICKS: usize = 5;
const SHARED_MS: i64 = 24 * 3_600_000;
/// Without an order id, hits of one click within this time are one sale.
const CLICK_WINDOW_MS: i64 = 24 * 3_600_000;
/// Unsigned evidence credits a verified sale that came at most so long before or behind it.
const TIMELY_MS: i64 = 30 * 60_000;
/// Minutes of one order whose claims are remembered, the newest ones: more than a sale's time has, so that what
/// was claimed long before pushes nothing out.
const CLAIM_MINUTES_MAX: usize = 120;

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
    /// As a unit, for they are of one amount; absent when none was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Told<Details>>,
    /// Who is credited: follows from the speaker and the two below.
    pub attribution: Option<Told<Attribution>>,
    /// The evidence that came with a hit for which the shop vouches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vouched: Option<Told<Attribution>>,
    /// Evidence that came unsigned, by its hit: the very first, and the first and the last of each minute.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<Id, Told<Attribution>>,
    /// What was paid back, by the shop's name for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refunds: BTreeMap<String, Told<Refund>>,
    /// What the buyer's bank was asked for, by the shop's name for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub chargebacks: BTreeMap<String, Disputed>,
    /// The amount as the shop's books have it: stands before `money`, the latest before earlier ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected: Option<Told<Money>>,
    /// What pricing looked up beside the order; it is no part of what is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookups: Option<Box<Lookups>>,
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
            details: Some(sale.details)
                .filter(|details| !details.is_empty())
                .map(|v| told(unverified, hit, v)),
            clicks: attribution.iter().filter_map(|a| Some(a.value.last_click()?.0)).collect(),
            attribution,
            vouched,
            claims: claim.into_iter().map(|claim| (hit, claim)).collect(),
            refunds: BTreeMap::new(),
            chargebacks: BTreeMap::new(),
            corrected: None,
            lookups: None,
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
        self.join_takebacks(&mut other);
        self.revived |= other.revived;
        self.amount_differs |= other.amount_differs || self.money.value != other.money.value;
        best(&mut self.speaker, other.speaker);
        best(&mut self.money, other.money);
        fill(&mut self.coupon, other.coupon);
        fill(&mut self.customer, other.customer);
        fill(&mut self.new_customer, other.new_customer);
        fill(&mut self.items, other.items);
        fill(&mut self.details, other.details);
        fill(&mut self.vouched, other.vouched);
        for (hit, claim) in other.claims {
            self.claims.entry(hit).or_insert(claim);
        }
        self.forget_claims();
        self.attribution = self.credited();
        self.channels |= other.channels;
        self.clicks.extend(other.clicks);
        while self.clicks.len() > CLICKS_MAX {
            self.clicks.pop_last();
        }
        self.notes.extend(other.notes);
    }

    /// Leaves those claims that may yet credit somebody. A verified hit that speaks gives way only to an earlier
    /// one, so what is too late for it is too late for ever, but for the very first, by which we know of any.
    fn forget_claims(&mut self) {
        let Some(first) = self.claims.keys().next().copied() else { return };
        let own = id::time_ms(self.speaker.hit);
        let until = if self.speaker.unverified { i64::MAX } else { own + TIMELY_MS };
        let mut minutes: BTreeMap<i64, (Id, Id)> = BTreeMap::new();
        for hit in self.claims.keys() {
            minutes.entry(minute(id::time_ms(*hit))).or_insert((*hit, *hit)).1 = *hit;
        }
        let newest = minutes.range(..=minute(until)).rev().take(CLAIM_MINUTES_MAX);
        let mut stay: BTreeSet<Id> = newest.flat_map(|(_, ends)| [ends.0, ends.1]).collect();
        stay.insert(first);
        self.claims.retain(|hit, _| stay.contains(hit));
    }

    /// Whose evidence stands. Of what came unsigned, a verified sale believes only what came about the same time,
    /// and of that the nearest; an unverified one the first.
    fn credited(&self) -> Option<Told<Attribution>> {
        let own = id::time_ms(self.speaker.hit);
        let apart = |claim: &&Told<Attribution>| (id::time_ms(claim.hit) - own).abs();
        let mut claims = self.claims.values();
        let claim = if self.speaker.unverified {
            claims.next()
        } else {
            claims.filter(|claim| apart(claim) <= TIMELY_MS).min_by_key(apart)
        };
        self.vouched.as_ref().or(claim).cloned()
    }

    /// Who is credited: by evidence of its own; a renewal without any, by its customer.
    pub fn credit(&self) -> Option<&Attribution> {
        let own = self.attribution.as_ref().map(|told| &told.value);
        own.or_else(|| self.lookups.as_ref()?.credit())
    }

    /// Whether its commission waits for a rate of exchange.
    pub fn awaits_rate(&self) -> bool {
        self.lookups.as_ref().is_some_and(|lookups| lookups.rate_missing)
    }

    /// Whether its plan asks what was bought, and nobody can read that.
    pub fn are_items_unreadable(&self) -> bool {
        self.lookups.as_ref().is_some_and(|lookups| lookups.items_unreadable)
    }

    /// Where the sale comes from.
    pub fn origin(&self) -> Origin {
        self.details.as_ref().and_then(|told| told.value.origin).unwrap_or(Origin::New)
    }

    /// Whether somebody claimed the credit, and nobody gets it, for no claim came with the sale.
    pub fn is_claimed_in_vain(&self) -> bool {
        self.attribution.is_none() && !self.claims.is_empty()
    }

    /// Puts the evidence of an order that was kept by an earlier version in its place.
    fn recall(&mut self) {
        if self.claims.iter().any(|(key, claim)| *key != claim.hit) {
            let claims = std::mem::take(&mut self.claims);
            self.claims = claims.into_values().map(|claim| (claim.hit, claim)).collect();
        }
        let Some(told) = self.attribution.as_ref().filter(|_| self.vouched.is_none()) else {
            return;
        };
        let own = !self.speaker.unverified && told.hit == self.speaker.hit;
        if !told.unverified || own {
            self.vouched = Some(told.clone());
        } else if self.claims.is_empty() {
            self.claims.insert(told.hit, told.clone());
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
        let (click_id, at_ms) = self.attribution.as_ref()?.value.last_click()?;
        let window = (self.speaker.value - at_ms) / CLICK_WINDOW_MS;
        Some(format!("click:{click_id}:{window}"))
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

/// The minute of a moment.
fn minute(at_ms: i64) -> i64 {
    at_ms.div_euclid(60_000)
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
