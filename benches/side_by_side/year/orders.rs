//! What a shop tells in a year: its orders, what it paid back, and what buyers' banks took. The same each time.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use tributary::domain::hit::{Hit, Kind, Method, Part};
use tributary::domain::id::{self, Id};
use tributary::domain::sign;
use tributary::domain::token::{Keys, Token};

use super::{AFFILIATES, DAY_MS, FIRST, MONTHS, ms};

pub const PROGRAM: Id = 3;
pub const KEYS: &str = "bench:HaREsOZigXuM6wvVijvasXlycZpc5Yp--JL-ZfB2Afo";
pub const SECRET: &str = "a-secret-of-more-than-32-characters";
/// The first affiliate's id; the others follow, and their links have ids so much higher.
pub const FIRST_AFFILIATE: Id = 1_000;
const LINKS: Id = 1_000;
/// Percent of an order; 11 and 12.5 from these volumes of a month on, in cents.
const RATE: i64 = 10;
const TIER_1: i64 = 1_000_000;
const TIER_2: i64 = 5_000_000;

pub struct Order {
    number: usize,
    at_ms: i64,
    affiliate: Id,
    cents: i64,
    by_pixel: bool,
    clicked_ms: i64,
    /// When, and how much; none is all of it.
    pub refunds: Vec<(i64, Option<i64>)>,
    /// When it was opened and when decided, and how.
    pub chargeback: Option<(i64, i64, &'static str)>,
}

/// A hit that the edge kept at a time.
pub struct Told {
    pub at_ms: i64,
    pub bytes: Vec<u8>,
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as i64
    }
}

/// Orders spread over the year; 8 % of them paid back, half of these in part, and 1 % disputed.
pub fn of_a_year(orders: u64) -> Vec<Order> {
    let mut dice = Dice(2025);
    (0..orders as usize).map(|number| order(number, &mut dice)).collect()
}

fn order(number: usize, dice: &mut Dice) -> Order {
    let at_ms = ms(FIRST) + dice.below(365 * DAY_MS);
    // A few affiliates sell much, and most little.
    let affiliate = FIRST_AFFILIATE + dice.below(AFFILIATES) * dice.below(AFFILIATES) / AFFILIATES;
    let cents = 500 + dice.below(49_500);
    let mut refunds = Vec::new();
    let later = |dice: &mut Dice| at_ms + 60_000 + dice.below(60 * DAY_MS - 60_000);
    match dice.below(100) {
        0..4 => refunds.push((later(dice), None)),
        4..8 => {
            for _ in 0..1 + dice.below(2) {
                refunds.push((later(dice), Some(cents * (10 + dice.below(80)) / 100)));
            }
        }
        _ => {}
    }
    let disputed = dice.below(100) == 0;
    let chargeback = disputed.then(|| {
        let (opened, outcomes) = (later(dice), ["won", "lost", "accepted"]);
        let decided = opened + 60_000 + dice.below(30 * DAY_MS);
        (opened, decided, outcomes[dice.below(3) as usize])
    });
    let (by_pixel, clicked_ms) = (dice.below(10) < 3, at_ms - 60_000 - dice.below(25 * DAY_MS));
    Order { number, at_ms, affiliate, cents, by_pixel, clicked_ms, refunds, chargeback }
}

/// All their hits, in order of time.
pub fn told(orders: &[Order]) -> Vec<Told> {
    let keys = Keys::parse(KEYS).unwrap_or_else(|error| panic!("{error}"));
    let mut hits: Vec<(i64, String, Kind)> = Vec::new();
    for order in orders {
        let (number, id) = (order.number, format!("id=order-{}", order.number));
        let sale = format!("{id}&amount={}&tclid={}", amount(order.cents), token(order, &keys));
        hits.push((order.at_ms, sale, if order.by_pixel { Kind::Pixel } else { Kind::Postback }));
        for (at, (at_ms, cents)) in order.refunds.iter().enumerate() {
            let part = cents.map(|cents| format!("&amount={}", amount(cents))).unwrap_or_default();
            let refund = format!("type=refund&{id}&refund_id=r{number}-{at}{part}");
            hits.push((*at_ms, refund, Kind::Postback));
        }
        if let Some((opened, decided, how)) = order.chargeback {
            let of = format!("type=chargeback&{id}&chargeback_id=c{number}&reason=FRAUD");
            hits.push((opened, format!("{of}&status=open"), Kind::Postback));
            hits.push((decided, format!("{of}&status={how}"), Kind::Postback));
        }
    }
    hits.sort_by_key(|hit| hit.0);
    let mut last = 0;
    let encoded = hits.into_iter().map(|(at_ms, query, kind)| {
        last = id::next(last, 0, at_ms);
        Told { at_ms, bytes: encoded(last, at_ms, kind, &query) }
    });
    encoded.collect()
}

fn encoded(id: Id, at_ms: i64, kind: Kind, query: &str) -> Vec<u8> {
    let bearer = sign::digest_hex(SECRET.as_bytes());
    let mut hit = Hit::new(id, at_ms, kind, Method::Get);
    hit.set(Part::Code, b"shop");
    hit.set(Part::Query, query.as_bytes());
    if kind == Kind::Postback {
        hit.set(Part::BearerHash, bearer.as_bytes());
    }
    let mut bytes = Vec::new();
    hit.encode(&mut bytes);
    bytes
}

fn token(order: &Order, keys: &Keys) -> String {
    let click_id = id::next(0, 1, order.clicked_ms);
    let (affiliate_id, link_id) = (order.affiliate, order.affiliate + LINKS);
    Token { click_id, program_id: PROGRAM, link_id, affiliate_id }.sign(keys)
}

fn amount(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

impl Order {
    /// Of its cents, what was paid back in the end.
    fn gone(&self) -> i64 {
        let lost = self.chargeback.is_some_and(|(_, _, how)| how != "won");
        let parts: i64 = self.refunds.iter().map(|(_, part)| part.unwrap_or(self.cents)).sum();
        (parts + if lost { self.cents } else { 0 }).min(self.cents)
    }
}

/// What each affiliate has of the commissions in the end, in cents, before months add to it.
pub fn earned(orders: &[Order]) -> BTreeMap<Id, i64> {
    let mut earned = BTreeMap::new();
    for order in orders {
        let commission = half_even(order.cents * RATE, 100);
        let reversed = half_even(commission * order.gone(), order.cents);
        *earned.entry(order.affiliate).or_default() += commission - reversed;
    }
    earned
}

/// What the tiers give each affiliate for each month in the end, in cents; only what is something.
pub fn tiered(orders: &[Order]) -> BTreeMap<(Id, Date), i64> {
    let mut volumes: BTreeMap<(Id, Date), i64> = BTreeMap::new();
    for order in orders {
        let month =
            (0..MONTHS).map(|n| FIRST + n.months()).rfind(|month| ms(*month) <= order.at_ms);
        let Some(month) = month else { continue };
        *volumes.entry((order.affiliate, month)).or_default() += order.cents - order.gone();
    }
    let more = |volume: i64| match volume {
        TIER_2.. => half_even(volume * 25, 1_000),
        TIER_1.. => half_even(volume * 10, 1_000),
        _ => 0,
    };
    let due = volumes.into_iter().map(|(whose, volume)| (whose, more(volume)));
    due.filter(|(_, cents)| *cents != 0).collect()
}

fn half_even(of: i64, by: i64) -> i64 {
    let (whole, twice) = (of / by, of % by * 2);
    let up = twice > by || (twice == by && whole % 2 == 1);
    whole + i64::from(up)
}

/// The program, its affiliates and the clock of then.
pub fn seed() -> String {
    let last = FIRST_AFFILIATE + AFFILIATES - 1;
    format!(
        "insert into advertisers (id, name, currency, timezone) values (1, 'Shop', 'USD', 'UTC');
         insert into affiliates (id, name, email)
         select n, 'Affiliate ' || n, 'a@example.com' from generate_series({FIRST_AFFILIATE}, {last}) n;
         insert into programs (id, advertiser_id, name, landing_url, payout_minimum)
         values ({PROGRAM}, 1, 'Program', 'https://shop.example/', 50);
         insert into plans (program_id, version, terms, created_at)
         values ({PROGRAM}, 1, '{{\"kind\":\"percent\",\"rate\":\"{RATE}\",\"tiers\":{{\"by\":\"volume\",\"on\":\"whole\",
           \"steps\":[{{\"from\":\"10000.00\",\"rate\":\"11\"}},{{\"from\":\"50000.00\",\"rate\":\"12.5\"}}]}}}}', '2024-12-01');
         insert into links (id, program_id, affiliate_id, code)
         select n + {LINKS}, {PROGRAM}, n, 'link-' || n from generate_series({FIRST_AFFILIATE}, {last}) n;
         insert into tracking_codes (program_id, code, name, secret)
         values ({PROGRAM}, 'shop', 'Shop', '{SECRET}');
         create table bench_clock (at timestamptz not null);
         insert into bench_clock values ('2025-01-01');
         create function bench_now() returns timestamptz language sql stable security definer as
           'select at from public.bench_clock';
         alter table transfers alter column created_at set default bench_now();"
    )
}
