//! Whose customer somebody is: the affiliate's of his first sale that was credited. A sale for which the shop vouches
//! goes before one that nobody signed, an earlier before a later, so whose he is does not depend on the order in which
//! sales become known.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::attribution::Attribution;
use super::id::Id;

/// A program's customer, by the shop's name for him.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub struct Customer {
    pub program_id: Id,
    pub name: String,
}

/// A sale that ties its customer to its affiliate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tie {
    /// Whether only unsigned hits speak for the sale.
    pub unverified: bool,
    /// The hit that speaks for it.
    pub hit: Id,
    /// When that arrived: from then on renewals earn.
    pub at_ms: i64,
    /// Whom renewals credit.
    pub attribution: Attribution,
}

impl Tie {
    /// What goes first is smaller.
    pub fn rank(&self) -> (bool, Id) {
        (self.unverified, self.hit)
    }
}

/// The ties of the customers that were asked for.
#[derive(Debug, Default, Clone)]
pub struct Ties(BTreeMap<Customer, Option<Tie>>);

impl Ties {
    /// Whose customer he is. The outer none: nobody asked for him.
    pub fn of(&self, customer: &Customer) -> Option<Option<&Tie>> {
        self.0.get(customer).map(Option::as_ref)
    }

    /// Whose customers they are.
    pub fn affiliates(&self) -> Vec<Id> {
        self.0.values().flatten().map(|tie| tie.attribution.affiliate_id).collect()
    }

    /// Takes in what is known of a customer; of several ties the first stands.
    pub fn tell(&mut self, customer: Customer, tie: Option<Tie>) {
        let known = self.0.entry(customer).or_default();
        if let Some(tie) = tie.filter(|tie| known.as_ref().is_none_or(|k| tie.rank() < k.rank())) {
            *known = Some(tie);
        }
    }
}
