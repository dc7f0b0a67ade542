//! Which sales of a batch tie their customers, and which renewals follow.

use std::collections::{BTreeSet, HashMap};

use super::Conversion;
use super::batch::{Batch, Changed};
use crate::domain::attribution::{Attribution, By};
use crate::domain::catalog::{Catalog, Program};
use crate::domain::id::Id;
use crate::domain::intake::Origin;
use crate::domain::ledger::Status;
use crate::domain::order::{Key, Order};
use crate::domain::reason::Reason;
use crate::domain::ties::{Customer, Tie, Ties};

/// A sale that may tie its customer.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct Tying {
    pub customer: Customer,
    pub conversion_id: Id,
    pub tie: Tie,
    /// Whether it credits anybody; kept otherwise too, for a sale may have done so before.
    pub credits: bool,
    /// Whether it waits for a person: then it ties nobody yet.
    waits: bool,
}

impl Conversion {
    /// The customer that it names, where that may be of use.
    fn customer(&self, order: &Order, program: &Program) -> Option<Customer> {
        let name = order.customer.as_ref().filter(|_| self.is_of_customer(program))?;
        Some(Customer { program_id: self.key.program_id, name: name.value.clone() })
    }

    fn tying(&self, program: &Program) -> Option<Tying> {
        let (order, speaker) = (&self.order, &self.order.speaker);
        let credit = order.attribution.as_ref().filter(|_| order.origin() == Origin::New);
        let affiliate_id = credit.map(|told| told.value.affiliate_id);
        let attribution = Attribution {
            by: By::Customer,
            affiliate_id: affiliate_id.unwrap_or_default(),
            link_id: credit.and_then(|told| told.value.link_id),
            click_id: credit.and_then(|told| told.value.click_id),
            at_ms: speaker.value,
            touches: Vec::new(),
            shared_by: None,
        };
        let (unverified, hit, at_ms) = (speaker.unverified, speaker.hit, speaker.value);
        Some(Tying {
            customer: self.customer(order, program)?,
            conversion_id: self.id,
            tie: Tie { unverified, hit, at_ms, attribution },
            credits: affiliate_id.is_some(),
            waits: order.held(program).is_some() && !self.notes(Reason::ApprovedByHand),
        })
    }
}

impl Changed {
    /// Whom it ties and whom not any more. A rejected sale ties nobody; one that was rejected before is not asked
    /// again.
    fn tyings(&self, catalog: &Catalog) -> Vec<Tying> {
        let Changed { before, now, .. } = self;
        let is_rejected = |c: &Conversion| c.booked.status == Status::Rejected;
        let is_over = is_rejected(now) && before.as_ref().is_none_or(is_rejected);
        let program = catalog.program(now.key.program_id).filter(|_| !is_over);
        let tying = program.and_then(|program| Some((program, now.tying(program)?)));
        let Some((program, mut tying)) = tying else { return Vec::new() };
        tying.credits &= !is_rejected(now);
        let former = before.as_ref().and_then(|before| now.customer(&before.order, program));
        let former = former.filter(|former| *former != tying.customer);
        let gone = former.map(|customer| Tying { customer, credits: false, ..tying.clone() });
        let news = tying.credits || before.is_some();
        gone.into_iter().chain(Some(tying).filter(|_| news)).collect()
    }
}

impl Batch {
    fn tellings(&self) -> impl Iterator<Item = &Changed> {
        self.changed.iter().chain(&self.judged)
    }

    /// The customers of whom it tells anything; of most batches none.
    pub fn customers(&self, catalog: &Catalog) -> BTreeSet<Customer> {
        let all = self.tellings().filter_map(|changed| {
            let program = catalog.program(changed.now.key.program_id)?;
            let orders = changed.before.iter().map(|before| &before.order);
            let orders = orders.chain([&changed.now.order]);
            Some(orders.filter_map(|order| changed.now.customer(order, program)))
        });
        all.flatten().collect()
    }

    /// The conversions that tell anew whom they tie.
    pub fn tying_conversions(&self, catalog: &Catalog) -> Vec<Id> {
        let tells = |changed: &&Changed| !changed.tyings(catalog).is_empty();
        self.tellings().filter(tells).map(|changed| changed.now.id).collect()
    }

    /// Takes what its sales say into the ties by other sales. Hands on the customers who are not whose they were, by
    /// what was `standing`.
    pub fn tie(&mut self, standing: &Ties, others: &mut Ties, catalog: &Catalog) -> Vec<Customer> {
        let tyings: Vec<Tying> = self.tellings().flat_map(|c| c.tyings(catalog)).collect();
        for tying in tyings.iter().filter(|tying| tying.credits && !tying.waits) {
            others.tell(tying.customer.clone(), Some(tying.tie.clone()));
        }
        let told: BTreeSet<&Customer> = tyings.iter().map(|tying| &tying.customer).collect();
        let moved = |customer: &&&Customer| others.of(customer) != standing.of(customer);
        let moved = told.iter().filter(moved).map(|customer| (*customer).clone()).collect();
        self.settled.ties = tyings;
        moved
    }

    /// Whether an order is in it.
    pub fn has(&self, key: &Key) -> bool {
        self.tellings().any(|changed| changed.now.key == *key)
    }

    /// Takes in renewals that were booked before: they are booked again, because of the last hit of the batch that tells
    /// of their customer.
    pub fn renew(&mut self, renewals: HashMap<Key, Conversion>, catalog: &Catalog) {
        let mut causes = HashMap::new();
        for changed in self.tellings() {
            for tying in changed.tyings(catalog) {
                let cause = causes.entry(tying.customer).or_insert(changed.cause);
                if changed.cause.id > cause.id {
                    *cause = changed.cause;
                }
            }
        }
        for renewal in renewals.into_values() {
            let Some(name) = renewal.renews.clone() else { continue };
            let customer = Customer { program_id: renewal.key.program_id, name };
            if let Some(cause) = causes.get(&customer) {
                let (before, now) = (Some(renewal.clone()), renewal);
                self.changed.push(Changed { before, now, cause: *cause, fates: 0..0 });
            }
        }
    }
}
