//! What was bought: the lines of an order.

use rust_decimal::Decimal;

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The shop's name of the article.
    pub sku: String,
    /// What the article belongs to, where the shop tells it.
    pub category: Option<String>,
    /// How many; may be a fraction, of what is sold by weight.
    pub quantity: Decimal,
    /// Quantity times unit price, in the order's currency.
    pub total: Decimal,
}
