//! Deals as tests write them down: an amount, and what else is known of the sale.

use rust_decimal::Decimal;
use tributary::domain::commission::{Deal, Priced, Terms};
use tributary::domain::id::Id;
use tributary::domain::intake::SaleKind;
use tributary::domain::items::Item;
use tributary::domain::money::{Currency, Money};

/// All that is known of a sale; the advertiser's currency is USD unless told.
#[derive(Debug, Clone)]
pub struct Sold {
    pub money: Money,
    pub home: Currency,
    pub kind: SaleKind,
    pub parts: [Option<Decimal>; 3],
    pub origin: Option<String>,
    pub country: Option<String>,
    pub coupon: Option<String>,
    pub returning: Option<bool>,
    pub items: Vec<Item>,
    pub affiliate_id: Id,
    pub group: Option<String>,
    pub rate: Option<Decimal>,
}

pub fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

/// `19.95 USD`
pub fn money(text: &str) -> Money {
    let (amount, code) = text.split_once(' ').unwrap();
    Money::rounded(decimal(amount), currency(code))
}

/// `19.95 USD`
pub fn shown(money: Money) -> String {
    format!("{} {}", money.amount, money.currency.code())
}

pub fn terms(json: &str) -> Terms {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

/// A sale of so much, such as `19.95 USD`.
pub fn sold(amount: &str) -> Sold {
    Sold {
        money: money(amount),
        home: currency("USD"),
        kind: SaleKind::Sale,
        parts: [None; 3],
        origin: None,
        country: None,
        coupon: None,
        returning: None,
        items: Vec::new(),
        affiliate_id: 21,
        group: None,
        rate: None,
    }
}

impl Sold {
    pub fn home(mut self, code: &str) -> Self {
        self.home = currency(code);
        self
    }

    pub fn lead(mut self) -> Self {
        self.kind = SaleKind::Lead;
        self
    }

    pub fn tax(mut self, amount: &str) -> Self {
        self.parts[0] = Some(decimal(amount));
        self
    }

    pub fn shipping(mut self, amount: &str) -> Self {
        self.parts[1] = Some(decimal(amount));
        self
    }

    pub fn discount(mut self, amount: &str) -> Self {
        self.parts[2] = Some(decimal(amount));
        self
    }

    pub fn origin(mut self, origin: &str) -> Self {
        self.origin = Some(origin.to_owned());
        self
    }

    pub fn country(mut self, country: &str) -> Self {
        self.country = Some(country.to_owned());
        self
    }

    pub fn coupon(mut self, coupon: &str) -> Self {
        self.coupon = Some(coupon.to_owned());
        self
    }

    pub fn returning(mut self, returning: bool) -> Self {
        self.returning = Some(returning);
        self
    }

    /// Articles with quantity, total and perhaps category: `A:2:30.00 B:1:9.95:books`.
    pub fn items(mut self, items: &str) -> Self {
        let item = |text: &str| {
            let parts: Vec<&str> = text.split(':').collect();
            Item {
                sku: parts[0].to_owned(),
                category: parts.get(3).map(|category| (*category).to_owned()),
                quantity: decimal(parts[1]),
                total: decimal(parts[2]),
            }
        };
        self.items = items.split(' ').map(item).collect();
        self
    }

    pub fn by(mut self, affiliate_id: Id, group: &str) -> Self {
        (self.affiliate_id, self.group) = (affiliate_id, Some(group.to_owned()));
        self
    }

    /// One of the sale's currency is so many of the advertiser's.
    pub fn rate(mut self, rate: &str) -> Self {
        self.rate = Some(decimal(rate));
        self
    }

    pub fn deal(&self) -> Deal<'_> {
        Deal {
            money: self.money,
            home: self.home,
            kind: self.kind,
            tax: self.parts[0],
            shipping: self.parts[1],
            discount: self.parts[2],
            origin: self.origin.as_deref(),
            country: self.country.as_deref(),
            coupon: self.coupon.as_deref(),
            returning: self.returning,
            items: &self.items,
            affiliate_id: self.affiliate_id,
            group: self.group.as_deref(),
            rate: self.rate,
        }
    }

    pub fn priced(&self, terms: &Terms) -> Option<Priced> {
        terms.price(&self.deal())
    }
}
