//! Frames of hits to outcomes, conversions and transfers. Pure and total: the worker claims and
//! prefetches, this decides, the worker applies. How hits were batched or ordered changes which hit is
//! called the duplicate, but neither the orders nor the balances.

use std::collections::{BTreeMap, HashMap};

use super::attribution::attribute;
use super::catalog::{Catalog, Plan, Program};
use super::click::{self, Click};
use super::commission::Deal;
use super::hit::{Hit, Kind};
use super::id::Id;
use super::intake::{self, Reading};
use super::ledger::{Code, Commission, Status, Transfer};
use super::money::Money;
use super::order::{Key, Order};
use super::reason::{Outcome, Reason};
use super::token::Keys;

/// The fate of one hit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Fate {
    pub hit: Id,
    pub program_id: Option<Id>,
    pub affiliate_id: Option<Id>,
    pub outcome: Outcome,
    /// Codes; the first is the reason of the outcome.
    pub reasons: Vec<String>,
    pub conversion_id: Option<Id>,
}

/// A click that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Clicked {
    pub id: Id,
    pub program_id: Id,
    pub affiliate_id: Id,
    pub link_id: Id,
    pub at_ms: i64,
    pub sub_ids: [Option<String>; 5],
}

/// A conversion, as prefetched and as it is to be written.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct Conversion {
    pub id: Id,
    pub key: Key,
    /// 0 for one that is not in the database yet.
    pub revision: i32,
    pub order: Order,
    pub booked: Commission,
    pub plan_id: Option<Id>,
    pub held: bool,
    pub hold_until_ms: i64,
    pub reasons: Vec<String>,
}

/// What a hit is, before its order is known.
#[derive(Debug)]
pub enum Read {
    /// Its fate does not depend on anything else.
    Done(Fate, Option<Clicked>),
    /// It tells of an order.
    Order(Key, Box<Order>),
}

/// All that a batch of frames changes.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Settlement {
    pub fates: Vec<Fate>,
    pub clicks: Vec<Clicked>,
    pub conversions: Vec<Conversion>,
    pub transfers: Vec<Transfer>,
}

/// Reads one hit.
pub fn read(hit: &Hit<'_>, catalog: &Catalog, keys: &Keys) -> Read {
    if hit.kind == Kind::Click {
        return read_click(hit, catalog, keys);
    }
    let refused = |program_id, outcome, reasons: Vec<Reason>| {
        Read::Done(Fate::new(hit.id, program_id, outcome, &reasons), None)
    };
    match intake::read(hit, catalog) {
        Reading::Unknown => refused(None, Outcome::Rejected, vec![Reason::CodeUnknown]),
        Reading::Refused(_, program, faults) => {
            let reasons = faults.iter().map(|(_, reason)| *reason).collect();
            refused(Some(program.id), intake::refusal(&faults), reasons)
        }
        Reading::Sale(_, program, _) if click::nobody_came(hit).is_some() => {
            let reasons = click::nobody_came(hit).into_iter().collect();
            refused(Some(program.id), Outcome::Ignored, reasons)
        }
        Reading::Sale(_, program, sale) if sale.test => {
            let evidence = attribute(&sale, program, catalog, keys, hit.received_ms);
            let reasons = [vec![Reason::TestHit], evidence.1].concat();
            refused(Some(program.id), Outcome::Test, reasons)
        }
        Reading::Sale(_, program, sale) => {
            let evidence = attribute(&sale, program, catalog, keys, hit.received_ms);
            let kind = sale.kind;
            let order = Order::told(hit.id, hit.received_ms, hit.kind as u8, *sale, evidence);
            Read::Order(order.key(program.id, kind), Box::new(order))
        }
    }
}

fn read_click(hit: &Hit<'_>, catalog: &Catalog, keys: &Keys) -> Read {
    match click::judge(hit, catalog) {
        Click::Unknown => {
            Read::Done(Fate::new(hit.id, None, Outcome::Rejected, &[Reason::LinkUnknown]), None)
        }
        Click::Ignored(link, program, reason) => {
            let mut fate = Fate::new(hit.id, Some(program.id), Outcome::Ignored, &[reason]);
            fate.affiliate_id = Some(link.affiliate_id);
            Read::Done(fate, None)
        }
        Click::Counts(link, program, privacy) => {
            let kept =
                click::first_click(hit, catalog, keys, program).map(|_| Reason::FirstClickKept);
            let reasons: Vec<Reason> = kept.into_iter().chain(privacy).collect();
            let mut fate = Fate::new(hit.id, Some(program.id), Outcome::Clicked, &reasons);
            fate.affiliate_id = Some(link.affiliate_id);
            let clicked = Clicked {
                id: hit.id,
                program_id: program.id,
                affiliate_id: link.affiliate_id,
                link_id: link.id,
                at_ms: hit.received_ms,
                sub_ids: click::sub_ids(hit),
            };
            Read::Done(fate, Some(clicked))
        }
    }
}

/// Hits whose order id turned out, by what is known of it, to be the same for everybody, are recognised
/// by their click instead. Hands on the keys to prefetch in addition.
pub fn part_shared(reads: &mut [Read], known: &HashMap<Key, Conversion>) -> Vec<Key> {
    let mut keys = Vec::new();
    for read in reads {
        let Read::Order(key, order) = read else { continue };
        let shared =
            known.get(key).is_some_and(|conversion| conversion.order.is_shared_with(order));
        if let Some(text) = order.click_key().filter(|_| shared) {
            order.order_id = None;
            order.notes.insert(Reason::OrderIdShared.code().to_owned());
            key.text = text;
            keys.push(key.clone());
        }
    }
    keys
}

/// Decides a batch: what its hits become, and what they change in the orders already known.
pub fn settle(
    reads: Vec<Read>,
    mut known: HashMap<Key, Conversion>,
    catalog: &Catalog,
) -> Settlement {
    let mut settlement = Settlement::default();
    let mut orders: BTreeMap<Key, Vec<Order>> = BTreeMap::new();
    for read in reads {
        match read {
            Read::Done(fate, clicked) => {
                settlement.fates.push(fate);
                settlement.clicks.extend(clicked);
            }
            Read::Order(key, order) => orders.entry(key).or_default().push(*order),
        }
    }
    for (key, mut told) in orders {
        told.sort_by_key(|order| order.speaker.hit);
        let conversion = known.remove(&key);
        // The catalog never forgets a program, so a hit that was read has one.
        if let Some(program) = catalog.program(key.program_id) {
            settlement.order(key, told, conversion, program);
        }
    }
    settlement
}

impl Settlement {
    /// Settles the hits of one order.
    fn order(
        &mut self,
        key: Key,
        told: Vec<Order>,
        conversion: Option<Conversion>,
        program: &Program,
    ) {
        let before = conversion.clone();
        let mut now = conversion;
        let mut cause = None;
        for order in told {
            let hit = (order.speaker.hit, order.speaker.value);
            let (fate, changed) = match &mut now {
                Some(retracted) if retracted.is_retracted() => {
                    (retracted.begin_anew(order, program), true)
                }
                Some(conversion) => join(conversion, order),
                None => {
                    let made = Conversion::new(key.clone(), order, program);
                    let fate = made.first_fate(hit.0);
                    now = Some(made);
                    (fate, true)
                }
            };
            cause = if changed { Some(hit) } else { cause };
            self.fates.push(fate);
        }
        let (Some(mut now), Some((cause_id, event_ms))) = (now, cause) else { return };
        if before.as_ref().is_none_or(Conversion::is_retracted) {
            now.price(program);
            self.transfers.extend(now.booked.accrue(cause_id, event_ms));
        } else if before.as_ref().is_some_and(|before| before.order != now.order) {
            let was_claim = before.as_ref().is_some_and(|b| b.order.speaker.unverified);
            self.transfers.extend(now.rebook(program, cause_id, event_ms, was_claim));
        }
        now.reasons = now.explain(program);
        self.conversions.push(now);
    }
}

/// Joins a further hit into an order that is known: merged if it told anything new, else a duplicate.
pub(super) fn join(conversion: &mut Conversion, hit: Order) -> (Fate, bool) {
    let before = conversion.order.clone();
    let (id, differs) = (hit.speaker.hit, hit.money.value != before.money.value);
    conversion.order.join(hit);
    let after = &conversion.order;
    let told_news = after.channels != before.channels
        || after.attribution != before.attribution
        || after.speaker != before.speaker
        || after.notes != before.notes
        || [&before.coupon, &before.customer, &before.items]
            != [&after.coupon, &after.customer, &after.items]
        || after.new_customer != before.new_customer;
    let outcome = if told_news { Outcome::Merged } else { Outcome::Duplicate };
    let mut reasons = if told_news { vec![] } else { vec![Reason::SameOrder] };
    if differs {
        reasons.push(Reason::AmountDiffers);
    }
    if after.looks_shared() {
        reasons.push(Reason::OrderIdShared);
    }
    let mut fate = Fate::new(id, Some(conversion.key.program_id), outcome, &reasons);
    fate.conversion_id = Some(conversion.id);
    (fate, *after != before)
}

impl Conversion {
    pub(super) fn new(key: Key, order: Order, program: &Program) -> Self {
        let id = order.speaker.hit;
        let mut made = Conversion {
            id,
            key,
            revision: 0,
            booked: Commission {
                conversion_id: id,
                advertiser_id: program.advertiser_id,
                affiliate_id: None,
                amount: Money::zero(program.currency),
                status: Status::Pending,
            },
            order,
            plan_id: None,
            held: false,
            hold_until_ms: 0,
            reasons: Vec::new(),
        };
        made.held = made.order.held(program).is_some();
        made.reasons = made.explain(program);
        made
    }

    /// Whether a replay left it without hits: what is told of it next makes it anew.
    pub fn is_retracted(&self) -> bool {
        self.order.notes.contains(Reason::Retracted.code())
    }

    /// A retracted conversion as a hit tells it anew, to be priced; the fate of that hit.
    pub(super) fn begin_anew(&mut self, order: Order, program: &Program) -> Fate {
        let hit = order.speaker.hit;
        self.order = order;
        self.booked.status = Status::Pending;
        self.held = self.order.held(program).is_some();
        self.reasons = self.explain(program);
        self.first_fate(hit)
    }

    pub(super) fn first_fate(&self, hit: Id) -> Fate {
        let outcome = if self.held { Outcome::Held } else { Outcome::Converted };
        let mut fate = Fate::new(hit, Some(self.key.program_id), outcome, &[]);
        fate.reasons.clone_from(&self.reasons);
        fate.conversion_id = Some(self.id);
        fate
    }

    /// Prices the order by the terms in force when the hit that speaks for it arrived.
    pub(super) fn price(&mut self, program: &Program) {
        let order = &self.order;
        let attribution = order.attribution.as_ref().map(|told| &told.value);
        let plan = program.plan_at(order.speaker.value);
        self.plan_id = plan.map(|plan| plan.id);
        self.booked.affiliate_id = attribution.map(|a| a.affiliate_id);
        let money = order.money.value;
        let earns = |plan: &Plan| plan.terms.price(&Deal::of(money, program.currency));
        let priced = attribution.and(plan).and_then(earns);
        self.booked.amount = priced.map_or(Money::zero(money.currency), |p| p.commission);
        self.held = order.held(program).is_some();
        self.hold_until_ms = order.speaker.value + program.hold_ms();
    }

    /// Brings the books to what the order now is. Paid stays paid; a rejected claim that the shop itself
    /// now vouches for comes to life again; else the old booking is taken back and a new one made.
    pub(super) fn rebook(
        &mut self,
        program: &Program,
        cause_id: Id,
        event_ms: i64,
        was_claim: bool,
    ) -> Vec<Transfer> {
        let old = self.booked;
        let vouched = was_claim && !self.order.speaker.unverified;
        let mut priced = self.clone();
        priced.price(program);
        let changed =
            (priced.booked.affiliate_id, priced.booked.amount) != (old.affiliate_id, old.amount);
        // The hold period is the sale's, not that of a claim on it that came before and that time released. What a
        // person released stays so.
        let by_hand = self.order.notes.contains(Reason::ApprovedByHand.code());
        let released = old.status == Status::Payable && !by_hand && self.hold_until_ms <= event_ms;
        let early = vouched && released && event_ms < priced.hold_until_ms;
        match old.status {
            Status::Rejected if vouched => {
                *self = priced;
                self.booked.status = Status::Pending;
                self.order.notes.remove(Reason::RejectedByHand.code());
                // Who rejected the claim may have meant its affiliate, for whom the shop does not vouch.
                self.order.revived = self.order.attribution.as_ref().is_some_and(|a| a.unverified);
                self.held |= self.order.revived;
                self.booked.accrue(cause_id, event_ms).into_iter().collect()
            }
            Status::Pending | Status::Payable if changed || early => {
                *self = priced;
                let back = old.take_back(Code::Supersede, cause_id, event_ms);
                self.booked.status = Status::Pending;
                self.order.notes.remove(Reason::ApprovedByHand.code());
                self.order.notes.insert(Reason::Superseded.code().to_owned());
                back.into_iter().chain(self.booked.accrue(cause_id, event_ms)).collect()
            }
            Status::Pending => {
                *self = priced;
                Vec::new()
            }
            Status::Paid if changed => {
                self.order.notes.insert(Reason::AlreadyPaid.code().to_owned());
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn explain(&self, program: &Program) -> Vec<String> {
        let order = &self.order;
        let mut reasons: Vec<Reason> = order.held(program).into_iter().collect();
        if order.amount_differs {
            reasons.push(Reason::AmountDiffers);
        }
        if order.looks_shared() {
            reasons.push(Reason::OrderIdShared);
        }
        if order.attribution.is_none() {
            reasons.push(Reason::NoReferral);
        }
        if order.is_claimed_in_vain() {
            reasons.push(Reason::ClaimUntimely);
        }
        if program.plans.is_empty() {
            reasons.push(Reason::NoPlan);
        }
        let mut codes: Vec<String> = reasons.iter().map(|r| r.code().to_owned()).collect();
        codes.extend(
            order.notes.iter().filter(|note| !codes.contains(note)).cloned().collect::<Vec<_>>(),
        );
        codes
    }
}

impl Fate {
    /// A fate with its reasons.
    pub fn new(hit: Id, program_id: Option<Id>, outcome: Outcome, reasons: &[Reason]) -> Self {
        let reasons = reasons.iter().map(|r| r.code().to_owned()).collect();
        Fate { hit, program_id, affiliate_id: None, outcome, reasons, conversion_id: None }
    }
}
