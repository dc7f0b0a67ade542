//! Frames of hits to outcomes, conversions and transfers. Pure and total: the worker claims and
//! prefetches, this decides, the worker applies. How hits were batched or ordered changes which hit is
//! called the duplicate, but neither the orders nor the balances.

mod actions;
mod batch;
mod conversion;
mod following;
mod looking;
mod monthly;
mod pricing;
mod telling;
mod tying;

use std::collections::HashMap;

use super::attribution::attribute;
use super::catalog::Catalog;
use super::click;
use super::hit::{Hit, Kind};
use super::id::Id;
use super::intake::{self, Reading, SaleKind};
use super::ledger::Transfer;
use super::order::{Key, Order};
use super::reason::{Outcome, Reason};
use super::takeback::Takeback;
use super::token::Keys;
pub use actions::{Action, By, Refused, act, take_back_unknown};
pub use batch::{Batch, batch};
pub use conversion::Conversion;
pub use looking::RateAsked;
pub use pricing::{arithmetic, priced};
pub(super) use telling::{Telling, tell};
pub use tying::Tying;

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

/// What a hit is, before its order is known.
#[derive(Debug)]
pub enum Read {
    /// Its fate does not depend on anything else.
    Done(Fate, Option<Clicked>),
    /// It tells of an order.
    Order(Key, Box<Order>),
    /// It tells that money of an order went back, or may.
    Takeback(Key, Box<TakebackHit>),
}

impl Read {
    /// The order that it tells of.
    pub fn key(&self) -> Option<&Key> {
        match self {
            Read::Done(..) => None,
            Read::Order(key, _) | Read::Takeback(key, _) => Some(key),
        }
    }
}

/// What a hit, or a person, tells of money that went back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct TakebackHit {
    /// For what a person does, the id of the row that says so.
    pub hit: Id,
    pub received_ms: i64,
    pub takeback: Takeback,
}

/// All that a batch of frames changes.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Settlement {
    pub fates: Vec<Fate>,
    pub clicks: Vec<Clicked>,
    pub conversions: Vec<Conversion>,
    pub transfers: Vec<Transfer>,
    pub ties: Vec<Tying>,
}

/// Reads one hit.
pub fn read(hit: &Hit<'_>, catalog: &Catalog, keys: &Keys) -> Read {
    if hit.kind == Kind::Click {
        return click::read(hit, catalog, keys);
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
        Reading::Sale(_, program, _) | Reading::Takeback(_, program, _)
            if click::nobody_came(hit).is_some() =>
        {
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
        Reading::Takeback(_, program, told) if told.test => {
            refused(Some(program.id), Outcome::Test, vec![Reason::TestHit])
        }
        Reading::Takeback(_, program, told) => {
            let text = format!("id:{}", told.order_id);
            let key = Key { program_id: program.id, kind: SaleKind::Sale, text };
            let (hit, received_ms, takeback) = (hit.id, hit.received_ms, told.takeback);
            Read::Takeback(key, Box::new(TakebackHit { hit, received_ms, takeback }))
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

impl Fate {
    /// A fate with its reasons.
    pub fn new(hit: Id, program_id: Option<Id>, outcome: Outcome, reasons: &[Reason]) -> Self {
        let reasons = reasons.iter().map(|r| r.code().to_owned()).collect();
        Fate { hit, program_id, affiliate_id: None, outcome, reasons, conversion_id: None }
    }
}
