//! What pricing looks at, and nothing else: whoever settles or explains puts it together.

use rust_decimal::Decimal;

use crate::domain::id::Id;
use crate::domain::intake::SaleKind;
use crate::domain::items::Item;
use crate::domain::money::{Currency, Money};

/// All that pricing may look at.
#[derive(Debug, Clone, Copy)]
pub struct Deal<'a> {
    /// What was paid.
    pub money: Money,
    /// The advertiser's currency.
    pub home: Currency,
    /// Sale or lead.
    pub kind: SaleKind,
    /// Of the amount, in its currency.
    pub tax: Option<Decimal>,
    /// Of the amount, in its currency.
    pub shipping: Option<Decimal>,
    /// What the amount still has in it and was not paid, in its currency.
    pub discount: Option<Decimal>,
    /// `new`, `auto_renewal`, `manual_renewal` or `upgrade`; absent: `new`.
    pub origin: Option<&'a str>,
    /// The buyer's, ISO 3166 alpha-2.
    pub country: Option<&'a str>,
    /// What the buyer typed.
    pub coupon: Option<&'a str>,
    /// Whether the customer bought before; absent: not known.
    pub returning: Option<bool>,
    /// What was bought; empty: not known.
    pub items: &'a [Item],
    /// Who is credited.
    pub affiliate_id: Id,
    /// The group that he is in.
    pub group: Option<&'a str>,
    /// How many of the advertiser's currency one of the sale's is worth; absent: nobody quotes it.
    pub rate: Option<Decimal>,
}

impl<'a> Deal<'a> {
    /// A sale of which nothing but the amount is known.
    pub fn of(money: Money, home: Currency) -> Deal<'a> {
        Deal {
            money,
            home,
            kind: SaleKind::Sale,
            tax: None,
            shipping: None,
            discount: None,
            origin: None,
            country: None,
            coupon: None,
            returning: None,
            items: &[],
            affiliate_id: 0,
            group: None,
            rate: None,
        }
    }
}
