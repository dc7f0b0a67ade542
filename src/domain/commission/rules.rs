//! Which pay is for which sale, or for which part of it.

use serde::{Deserialize, Serialize};

use super::{By, Deal, PaidIn, Pay, Per, Terms};
use crate::domain::id::Id;
use crate::domain::intake::SaleKind;
use crate::domain::items::Item;

/// What is paid when something holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// All of it must hold.
    pub when: When,
    /// What it earns then.
    pub pay: Pay,
}

/// What must hold of a sale: of each list that is not empty, one word. Words are compared without regard to
/// the case of ASCII letters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// Of an item; a word that ends in `*` is a beginning.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sku: Vec<String>,
    /// Of an item; a word that ends in `*` is a beginning.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub category: Vec<String>,
    /// Whether the customer bought before. Where the shop does not tell, neither holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<Buyer>,
    /// The buyer's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub country: Vec<String>,
    /// What the buyer typed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub coupon: Vec<String>,
    /// Sale or lead.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none", with = "kind")]
    pub kind: Option<SaleKind>,
    /// `new`, `auto_renewal`, `manual_renewal`, `upgrade`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub origin: Vec<String>,
    /// Who is credited.
    #[serde(skip_serializing_if = "Vec::is_empty", with = "ids")]
    pub affiliate_ids: Vec<Id>,
    /// In which group he is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

/// Whether a customer bought before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Buyer {
    New,
    Returning,
}

impl When {
    /// Whether it asks what was bought, so that parts of one order may be paid differently.
    pub fn looks_at_items(&self) -> bool {
        !self.sku.is_empty() || !self.category.is_empty()
    }

    /// Whether it holds of an item of the deal, or of the whole deal where the items are not known. What asks
    /// for items does not hold without one.
    pub(super) fn matches(&self, deal: &Deal<'_>, item: Option<&Item>) -> bool {
        let returning = self.customer.map(|buyer| buyer == Buyer::Returning);
        let (sku, category) = (item.map(|i| &*i.sku), item.and_then(|i| i.category.as_deref()));
        any(&self.sku, sku, begins)
            && any(&self.category, category, begins)
            && (returning.is_none() || returning == deal.returning)
            && any(&self.country, deal.country, same)
            && any(&self.coupon, deal.coupon, same)
            && self.kind.is_none_or(|kind| kind == deal.kind)
            && any(&self.origin, deal.origin.or(Some("new")), same)
            && (self.affiliate_ids.is_empty() || self.affiliate_ids.contains(&deal.affiliate_id))
            && any(&self.groups, deal.group, same)
    }
}

impl Terms {
    /// Whether they look at nothing but the sale's amount and currency: most do, and their pricing costs nothing else.
    pub fn is_plain(&self) -> bool {
        let per_sale = matches!(self.own.by, By::Percent(_) | By::Flat(_, Per::Sale));
        per_sale
            && self.currency == PaidIn::Sale
            && self.less.is_empty()
            && self.rules.is_empty()
            && self.levels.is_empty()
            && self.recurring.is_none()
    }

    /// Whether they ask what was bought.
    pub fn looks_at_items(&self) -> bool {
        let per_item = |pay: &Pay| matches!(pay.by, By::Flat(_, Per::Item));
        per_item(&self.own)
            || self.rules.iter().any(|rule| per_item(&rule.pay) || rule.when.looks_at_items())
    }

    /// Whether they ask who recruited the affiliate, or in which group he is.
    pub fn looks_at_affiliate(&self) -> bool {
        !self.levels.is_empty() || self.rules.iter().any(|rule| !rule.when.groups.is_empty())
    }
}

/// Whether there is no word, or one that fits what is known.
pub(super) fn any(words: &[String], known: Option<&str>, fits: fn(&str, &str) -> bool) -> bool {
    words.is_empty() || known.is_some_and(|known| words.iter().any(|word| fits(word, known)))
}

/// Whether a word is what is known.
pub(super) fn same(word: &str, known: &str) -> bool {
    word.eq_ignore_ascii_case(known.trim())
}

fn begins(word: &str, known: &str) -> bool {
    let Some(beginning) = word.strip_suffix('*') else { return same(word, known) };
    let start = known.trim().as_bytes().get(..beginning.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(beginning.as_bytes()))
}

/// `sale` or `lead`.
mod kind {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::SaleKind;

    pub fn serialize<S: Serializer>(kind: &Option<SaleKind>, to: S) -> Result<S::Ok, S::Error> {
        match kind {
            Some(kind) => to.serialize_str(kind.code()),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SaleKind>, D::Error> {
        let Some(code) = Option::<String>::deserialize(from)? else { return Ok(None) };
        let kind = SaleKind::parse(&code);
        kind.map(Some).ok_or_else(|| D::Error::custom(format!("`{code}` is no type of sale")))
    }
}

/// Ids as JSON carries them: texts, because JavaScript loses integers above 2^53.
mod ids {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Id;

    pub fn serialize<S: Serializer>(ids: &[Id], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(ids.iter().map(Id::to_string))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Id>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}
