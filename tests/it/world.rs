//! A world without servers, for deciding as tables and properties: a catalog, hits, and the books that
//! the pure functions make of them.

use std::collections::{BTreeMap, HashMap};

use tributary::domain::catalog::{
    Affiliate, Catalog, Coupon, Link, Model, Plan, Program, Rows, TrackingCode, Unsigned,
};
use tributary::domain::commission::Terms;
use tributary::domain::hit::{Hit, Kind, Method, Part};
use tributary::domain::id::{self, Id};
use tributary::domain::landing::Parsed;
use tributary::domain::lookups::Aid;
use tributary::domain::money::Currency;
use tributary::domain::order::Key;
use tributary::domain::rates::Rates;
use tributary::domain::settlement::{self, Batch, Conversion, Fate, Read, Tying};
use tributary::domain::sign;
use tributary::domain::ties::{Customer, Ties};
use tributary::domain::token::{Keys, Token};

pub const SECRET: &str = "a-secret-of-more-than-32-characters";
pub const KEY: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
pub const OTHER_KEY: &str = "k0:HxECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
/// When the story begins.
pub const T0: i64 = 1_790_000_000_000;
pub const DAY: i64 = 86_400_000;
/// Affiliates Ann and Ben have links `ann` and `ben` into program 30, whose tracking code is `shop`; Ben
/// has the coupon BEN10. Program 31 is another advertiser's, with code `other`.
pub const ANN: Id = 21;
pub const BEN: Id = 22;
pub const PROGRAM: Id = 30;
pub const OTHER: Id = 31;

pub fn keys() -> Keys {
    Keys::parse(KEY).unwrap()
}

pub fn terms(json: &str) -> Terms {
    serde_json::from_str(json).unwrap()
}

pub fn program(id: Id, advertiser_id: Id) -> Program {
    Program {
        id,
        advertiser_id,
        currency: Currency::parse("USD").unwrap(),
        timezone: "Etc/UTC".to_owned(),
        landing_url: "https://shop.example/".to_owned(),
        allowed_hosts: Vec::new(),
        click_param: "tclid".to_owned(),
        attribution: Model::LastClick,
        coupons: true,
        consent: false,
        window_days: 30,
        hold_days: 30,
        unsigned: Unsigned::Accept,
        paused_ms: None,
        plans: vec![Plan { id: 40, from_ms: 0, terms: terms(r#"{"kind":"percent","rate":"10"}"#) }],
        landing: Parsed::default(),
    }
}

pub fn affiliate(id: Id) -> Affiliate {
    Affiliate { id, paused_ms: None, recruited_by: None, group: None }
}

pub fn rows() -> Rows {
    let link = |id, affiliate_id, code: &str| Link {
        id,
        program_id: PROGRAM,
        affiliate_id,
        code: code.to_owned(),
        destination: None,
        paused_ms: None,
        landing: Parsed::default(),
    };
    let code = |id, program_id, code: &str| TrackingCode {
        id,
        program_id,
        code: code.to_owned(),
        secret: SECRET.to_owned(),
        redirect_url: None,
        return_link: false,
    };
    Rows {
        version: 1,
        programs: vec![program(PROGRAM, 10), program(OTHER, 11)],
        links: vec![link(51, ANN, "ann"), link(52, BEN, "ben")],
        tracking_codes: vec![code(61, PROGRAM, "shop"), code(62, OTHER, "other")],
        affiliates: [ANN, BEN].map(affiliate).to_vec(),
        coupons: vec![Coupon {
            program_id: PROGRAM,
            affiliate_id: BEN,
            code: "BEN10".to_owned(),
            from_ms: None,
            to_ms: Some(T0 + 100 * DAY),
        }],
    }
}

/// A click of an affiliate's at a time, as its token says it. Distinct `n` are distinct clicks.
pub fn click_token(affiliate_id: Id, at_ms: i64, n: u16) -> Token {
    let click_id = id::next(0, n, at_ms);
    Token { click_id, program_id: PROGRAM, link_id: affiliate_id + 30, affiliate_id }
}

/// A hit as a test writes it down.
#[derive(Debug, Clone)]
pub struct Sent {
    pub id: Id,
    pub kind: Kind,
    pub code: &'static str,
    pub query: String,
    pub cookie: String,
    pub bearer: bool,
    pub at_ms: i64,
}

/// A pixel of the tracking code `shop`, `n` seconds after the beginning.
pub fn pixel(n: i64, query: &str) -> Sent {
    let at_ms = T0 + n * 1_000;
    let id = id::next(0, 7, at_ms);
    let (cookie, query) = (String::new(), query.to_owned());
    Sent { id, kind: Kind::Pixel, code: "shop", query, cookie, bearer: false, at_ms }
}

impl Sent {
    /// From the shop's server, with its secret.
    pub fn postback(mut self) -> Self {
        (self.kind, self.bearer) = (Kind::Postback, true);
        self
    }

    pub fn form(mut self) -> Self {
        self.kind = Kind::Form;
        self
    }

    pub fn code(mut self, code: &'static str) -> Self {
        self.code = code;
        self
    }

    /// With the program's cookie.
    pub fn cookie(mut self, token: Token) -> Self {
        self.cookie = format!("tr_{PROGRAM}={}", token.sign(&keys()));
        self
    }

    /// With the token as a parameter.
    pub fn token(mut self, token: Token) -> Self {
        self.query = format!("{}&tclid={}", self.query, token.sign(&keys()));
        self
    }

    /// With the token as a parameter, whatever its text.
    pub fn token_text(mut self, text: &str) -> Self {
        self.query = format!("{}&tclid={text}", self.query);
        self
    }

    pub fn at(mut self, at_ms: i64) -> Self {
        self.at_ms = at_ms;
        self.id = id::next(0, 7, at_ms);
        self
    }

    /// Encoded as the edge would.
    pub fn bytes(&self) -> Vec<u8> {
        let bearer = sign::digest_hex(SECRET.as_bytes());
        let method = if self.kind == Kind::Form { Method::Post } else { Method::Get };
        let mut hit = Hit::new(self.id, self.at_ms, self.kind, method);
        hit.set(Part::Code, self.code.as_bytes());
        hit.set(Part::Query, self.query.as_bytes());
        hit.set(Part::Cookie, self.cookie.as_bytes());
        if self.bearer {
            hit.set(Part::BearerHash, bearer.as_bytes());
        }
        let mut bytes = Vec::new();
        hit.encode(&mut bytes);
        bytes
    }
}

/// The books, in memory.
pub struct World {
    pub catalog: Catalog,
    pub keys: Keys,
    pub orders: HashMap<Key, Conversion>,
    pub rates: Rates,
    pub tyings: BTreeMap<(Customer, Id), Tying>,
    pub fates: Vec<Fate>,
    /// By account, owner and currency.
    pub balances: BTreeMap<(&'static str, Id, &'static str), rust_decimal::Decimal>,
}

impl World {
    pub fn new() -> Self {
        World::of(rows())
    }

    pub fn of(rows: Rows) -> Self {
        World {
            catalog: rows.into(),
            keys: keys(),
            orders: HashMap::new(),
            rates: Rates::default(),
            tyings: BTreeMap::new(),
            fates: Vec::new(),
            balances: BTreeMap::new(),
        }
    }

    /// Settles one batch; returns the fates in the order of the hits.
    pub fn settle(&mut self, batch: &[Sent]) -> Vec<Fate> {
        let bytes: Vec<Vec<u8>> = batch.iter().map(Sent::bytes).collect();
        let read = |bytes: &Vec<u8>| {
            settlement::read(&Hit::decode(bytes).unwrap(), &self.catalog, &self.keys)
        };
        let mut reads: Vec<Read> = bytes.iter().map(read).collect();
        settlement::part_shared(&mut reads, &self.orders);
        let mut told = settlement::batch(reads, self.orders.clone(), &self.catalog);
        let ties = self.ties(&mut told);
        let aid = Aid { catalog: None, rates: Some(&self.rates), ties: Some(&ties) };
        let mut settled = told.settle(&self.catalog, aid);
        for tying in settled.ties {
            self.tyings.insert((tying.customer.clone(), tying.conversion_id), tying);
        }
        for mut conversion in settled.conversions {
            conversion.revision += 1;
            self.orders.insert(conversion.key.clone(), conversion);
        }
        for transfer in settled.transfers {
            let currency = transfer.amount.currency.code();
            let amount = transfer.amount.amount;
            assert!(amount > rust_decimal::Decimal::ZERO);
            let (debit, credit) = (transfer.debit, transfer.credit);
            *self.balances.entry((debit.0.code(), debit.1, currency)).or_default() -= amount;
            *self.balances.entry((credit.0.code(), credit.1, currency)).or_default() += amount;
        }
        self.balances.retain(|_, balance| !balance.is_zero());
        let places: HashMap<Id, usize> = batch.iter().map(|sent| sent.id).zip(0..).collect();
        settled.fates.sort_by_key(|fate| places.get(&fate.hit).copied());
        self.fates.extend(settled.fates.iter().cloned());
        settled.fates
    }

    /// What a worker does with customers, without a database.
    fn ties(&self, batch: &mut Batch) -> Ties {
        let (mut standing, mut others) = (Ties::default(), Ties::default());
        let own = batch.tying_conversions(&self.catalog);
        for customer in batch.customers(&self.catalog) {
            standing.tell(customer.clone(), None);
            others.tell(customer.clone(), None);
            for ((of, conversion_id), tying) in &self.tyings {
                if *of == customer && tying.credits {
                    standing.tell(customer.clone(), Some(tying.tie.clone()));
                    if !own.contains(conversion_id) {
                        others.tell(customer.clone(), Some(tying.tie.clone()));
                    }
                }
            }
        }
        let moved = batch.tie(&standing, &mut others, &self.catalog);
        let renews = |made: &Conversion, customer: &Customer| {
            made.key.program_id == customer.program_id
                && made.renews.as_ref() == Some(&customer.name)
        };
        let renewals = self.orders.iter().filter(|(key, made)| {
            !batch.has(key) && moved.iter().any(|customer| renews(made, customer))
        });
        let renewals = renewals.map(|(key, made)| (key.clone(), made.clone())).collect();
        batch.renew(renewals, &self.catalog);
        others
    }

    /// Settles hits one by one; their outcomes, each with its first reason.
    pub fn outcomes(&mut self, hits: &[Sent]) -> Vec<String> {
        let outcome = |sent: &Sent| {
            let fates = self.settle(std::slice::from_ref(sent));
            assert_eq!(fates.len(), 1, "every hit has one outcome");
            let reason = fates[0].reasons.first().map(|reason| format!(" {reason}"));
            format!("{}{}", fates[0].outcome.code(), reason.unwrap_or_default())
        };
        hits.iter().map(outcome).collect()
    }

    /// What an affiliate is owed, pending, in a currency; empty for nothing.
    pub fn pending(&self, affiliate: Id, currency: &'static str) -> String {
        let balance = self.balances.get(&("affiliate_pending", affiliate, currency));
        balance.map(ToString::to_string).unwrap_or_default()
    }
}
