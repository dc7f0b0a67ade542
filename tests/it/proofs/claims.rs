//! Order ids can be guessed, and claimed by unsigned pixels before their orders are placed. The verified sales
//! that come then are what they would be without: amount, affiliate, commission, status and hold period.

use std::collections::HashMap;

use proptest::prelude::*;

use tributary::domain::catalog::Unsigned;
use tributary::domain::hit::Hit;
use tributary::domain::intake::SaleKind;
use tributary::domain::ledger::Status;
use tributary::domain::order::{Key, Order};
use tributary::domain::settlement::{self, Conversion, Read};
use tributary::domain::sign;

use super::Dice;
use crate::world::*;

const CLAIMS: usize = 100_000;
const SALES: usize = 5_000;

/// Of an order id that can be guessed, two days before there is such an order: by Ben or by Ann, with the
/// amount that will be right, or another.
fn claim(n: usize) -> Sent {
    let (affiliate, amount) = ([BEN, ANN][n % 2], [100, 5_000][n / 2 % 2]);
    let clicked = click_token(affiliate, T0 - 3 * DAY, 1);
    let query = format!("amount={amount}&id={n}&coupon={}", ["", "BEN10"][n / 4 % 2]);
    numbered(pixel(0, &query).token(clicked).at(T0 - 2 * DAY), n)
}

/// The order, verified: by the shop's server with the buyer's token, by a signature with his cookie, or by the
/// server without a word of who referred it.
fn sale(n: usize) -> Sent {
    let ann = click_token(ANN, T0 - DAY, 2);
    let plain = format!("amount=100&id={n}");
    let (id, ts) = (n.to_string(), (T0 / 1_000).to_string());
    let sig = sign::signature(SECRET, ["shop", &id, "100", "", &ts]);
    let sale = match n % 3 {
        0 => pixel(0, &plain).postback().token(ann),
        1 => pixel(0, &format!("{plain}&ts={ts}&sig={sig}")).cookie(ann),
        _ => pixel(0, &plain).postback(),
    };
    numbered(sale, n)
}

/// As an edge numbers them: no two alike.
fn numbered(mut sent: Sent, n: usize) -> Sent {
    let at_ms = sent.at_ms + (n / 1_000) as i64;
    sent = sent.at(at_ms);
    sent.id += (n % 1_000) as i64;
    sent
}

fn world(unsigned: Unsigned) -> World {
    let mut rows = rows();
    rows.programs[0].unsigned = unsigned;
    // Claims of two days ago have their hold period behind them when the sales come.
    rows.programs[0].hold_days = 1;
    World::of(rows)
}

/// What may not differ, as text.
fn of_sale(world: &World, n: usize) -> String {
    let (program_id, kind, text) = (PROGRAM, SaleKind::Sale, format!("id:{n}"));
    let made = &world.orders[&Key { program_id, kind, text }];
    let speaks = made.order.speaker.unverified;
    let (held, until, plan) = (made.held, made.hold_until_ms, made.plan_id);
    format!("{:?} {:?} {speaks} {held} {until} {plan:?}", made.order.money.value, made.booked)
        .replace(&format!("conversion_id: {}", made.id), "")
}

/// What time does to claims that nobody holds.
fn release(world: &mut World) -> usize {
    let due = |made: &&mut Conversion| {
        made.booked.status == Status::Pending && !made.held && made.hold_until_ms <= T0
    };
    let released = world.orders.values_mut().filter(due);
    released.map(|made| made.booked.status = Status::Payable).count()
}

#[test]
fn verified_sales_are_what_they_would_be_without_a_hundred_thousand_claims() {
    let mut dice = Dice(4);
    let mut sampled: Vec<usize> = (0..CLAIMS).collect();
    dice.shuffle(&mut sampled);
    sampled.truncate(SALES);
    let sales: Vec<Sent> = sampled.iter().map(|n| sale(*n)).collect();
    let claims: Vec<Sent> = (0..CLAIMS).map(claim).collect();
    for unsigned in [Unsigned::Accept, Unsigned::Hold] {
        let mut honest = world(unsigned);
        honest.settle(&sales);
        let mut attacked = world(unsigned);
        attacked.settle(&claims);
        let released = release(&mut attacked);
        let expected = if unsigned == Unsigned::Accept { CLAIMS } else { 0 };
        assert_eq!(released, expected, "what is held is not released by time");
        attacked.settle(&sales);
        assert_eq!(attacked.orders.len(), CLAIMS);
        let differing =
            sampled.iter().filter(|n| of_sale(&honest, **n) != of_sale(&attacked, **n)).count();
        assert_eq!(differing, 0, "of {SALES} sales after {CLAIMS} claims, {unsigned:?}");
    }
}

#[test]
fn neither_does_it_matter_when_claims_and_sales_come() {
    let mut dice = Dice(5);
    let numbers: Vec<usize> = (0..1_000).collect();
    let sales: Vec<Sent> = numbers.iter().map(|n| sale(*n)).collect();
    let claims = numbers.iter().flat_map(|n| {
        (0..3).map(|again| {
            let mut claim = claim(*n);
            claim.id += again * 1_000;
            claim
        })
    });
    let mut all: Vec<Sent> = claims.chain(sales.iter().cloned()).collect();
    for unsigned in [Unsigned::Accept, Unsigned::Hold] {
        let mut honest = world(unsigned);
        honest.settle(&sales);
        for batch in [7, 100, 4_000] {
            dice.shuffle(&mut all);
            let mut mixed = world(unsigned);
            for hits in all.chunks(batch) {
                mixed.settle(hits);
            }
            for n in &numbers {
                assert_eq!(of_sale(&mixed, *n), of_sale(&honest, *n), "{n} in {batch}s");
            }
            assert_eq!(mixed.pending(ANN, "USD"), honest.pending(ANN, "USD"));
            assert_eq!(mixed.pending(BEN, "USD"), "");
        }
    }
}

#[test]
fn a_buyers_pixel_credits_a_postback_that_names_nobody_when_both_come_together() {
    let (ann, ben) = (click_token(ANN, T0 - DAY, 1), click_token(BEN, T0 - DAY, 2));
    let minutes = |n: i64| n * 60;
    for (pixel_s, owed) in [(-30, "10.00"), (30, "10.00"), (minutes(-29), "10.00")]
        .into_iter()
        .chain([(minutes(29), "10.00"), (minutes(-31), ""), (minutes(31), ""), (-86_400, "")])
    {
        let buyer = pixel(pixel_s, "amount=100&id=1").cookie(ann);
        let server = pixel(0, "amount=100&id=1").postback();
        for hits in [[buyer.clone(), server.clone()], [server, buyer]] {
            let mut world = World::new();
            world.outcomes(&hits);
            assert_eq!(world.pending(ANN, "USD"), owed, "{pixel_s} s");
            let made = world.orders.values().next().unwrap();
            let told = made.reasons.iter().any(|reason| reason == "claim_untimely");
            assert_eq!(told, owed.is_empty(), "{:?}", made.reasons);
        }
    }
    // Who claimed long before does not stand in the way of who came with the sale.
    let mut world = World::new();
    world.outcomes(&[
        pixel(-86_400, "amount=5000&id=1").token(ben),
        pixel(-5, "amount=100&id=1").cookie(ann),
        pixel(0, "amount=100&id=1").postback(),
        pixel(6, "amount=5000&id=1").token(ben),
    ]);
    assert_eq!((world.pending(ANN, "USD"), world.pending(BEN, "USD")), ("10.00".into(), "".into()));
}

/// Settles hits one by one, and in batches in other orders; what Ann and Ben are owed, each time the same.
fn owed(hits: &[Sent]) -> [String; 2] {
    let mut one_by_one = World::new();
    one_by_one.outcomes(hits);
    let owed = |world: &World| [ANN, BEN].map(|who| world.pending(who, "USD"));
    let expected = owed(&one_by_one);
    let mut hits = hits.to_vec();
    for seed in 0..8 {
        Dice(seed).shuffle(&mut hits);
        let mut world = World::new();
        hits.chunks(5).for_each(|some| drop(world.settle(some)));
        assert_eq!(owed(&world), expected, "{seed}");
    }
    expected
}

#[test]
fn of_claims_about_the_time_of_the_sale_the_nearest_is_credited() {
    let (ann, ben) = (click_token(ANN, T0 - DAY, 1), click_token(BEN, T0 - DAY, 2));
    let [to_ann, to_ben] = [["10.00", ""], ["", "10.00"]];
    for (buyer_s, thief_s, expected) in [
        (-10, vec![-29 * 60], to_ann),
        (-10, vec![-15 * 60], to_ann),
        (10, vec![-60, 60], to_ann),
        (90, vec![-20 * 60, -300, 150, 20 * 60], to_ann),
        (-70, vec![-75, -100, 100], to_ann),
        // Who knows the order's id and its time better than the buyer's browser is still believed.
        (-10, vec![-9], to_ben),
        (10, vec![-10], to_ben),
        // So is who has the first and the last word in the buyer's minute.
        (5, vec![-15, 35], to_ben),
        // The buyer came too late.
        (31 * 60, vec![-29 * 60], to_ben),
    ] {
        let mut hits = vec![
            pixel(buyer_s, "amount=100&id=1").cookie(ann),
            pixel(0, "amount=100&id=1").postback(),
        ];
        hits.extend(thief_s.iter().map(|s| pixel(*s, "amount=5000&id=1").token(ben)));
        assert_eq!(owed(&hits), expected, "{buyer_s} {thief_s:?}");
    }
}

#[test]
fn no_number_of_claims_pushes_out_the_buyers() {
    let (ann, ben) = (click_token(ANN, T0 - DAY, 1), click_token(BEN, T0 - DAY, 2));
    let claim = |n: i64| pixel(n, "amount=5000&id=1").token(ben);
    // A day of half hours, and each half minute of the last three hours, before the sale and behind it.
    let before = (1..=48).map(|n| -n * 1_800 - 7).chain((2..360).map(|n| -n * 30));
    let mut hits: Vec<Sent> = before.map(claim).collect();
    hits.sort_by_key(|hit| hit.id);
    hits.push(pixel(-5, "amount=100&id=1").cookie(ann));
    hits.push(pixel(0, "amount=100&id=1").postback());
    hits.extend((2..360).map(|n| claim(n * 30)));
    let mut world = World::new();
    world.outcomes(&hits);
    let made = world.orders.values().next().unwrap();
    assert!(made.order.claims.len() <= 2 * 120 + 1, "{}", made.order.claims.len());
    assert_eq!((world.pending(ANN, "USD"), world.pending(BEN, "USD")), ("10.00".into(), "".into()));
    // The shop's word may be settled an hour later than the claims of that hour.
    let early = hits.partition_point(|hit| hit.at_ms <= T0 + 3_600_000);
    let said = hits.iter().position(|hit| hit.bearer).unwrap();
    let word = hits.remove(said);
    hits.insert(early, word);
    let mut world = World::new();
    hits.chunks(7).for_each(|some| drop(world.settle(some)));
    assert_eq!((world.pending(ANN, "USD"), world.pending(BEN, "USD")), ("10.00".into(), "".into()));
}

#[test]
fn what_is_forgotten_does_not_depend_on_how_claims_came() {
    let mut dice = Dice(6);
    let ann = click_token(ANN, T0 - DAY, 1);
    let claim = |n: i64| told(&pixel(n * 25, "amount=100&id=1").cookie(ann));
    let mut claims: Vec<Order> = (0..1_000).map(claim).collect();
    let straight = claims[1..].iter().fold(claims[0].clone(), joined);
    assert_eq!(straight.claims.len(), 241, "of 120 minutes two each, and the very first");
    for _ in 0..20 {
        dice.shuffle(&mut claims);
        let (left, right) = claims.split_at(1 + dice.below(998));
        let fold = |claims: &[Order]| claims[1..].iter().fold(claims[0].clone(), joined);
        assert_eq!(joined(fold(left), &fold(right)), straight);
    }
}

#[test]
fn what_a_signed_page_brings_goes_before_what_anybody_brings() {
    let (ann, ben) = (click_token(ANN, T0 - DAY, 1), click_token(BEN, T0 - DAY, 2));
    let ts = (T0 / 1_000).to_string();
    let sig = sign::signature(SECRET, ["shop", "1", "100", "", &ts]);
    let mut world = World::new();
    world.outcomes(&[
        pixel(-5, "amount=100&id=1").token(ben),
        pixel(0, &format!("amount=100&id=1&ts={ts}&sig={sig}")).cookie(ann),
    ]);
    assert_eq!((world.pending(ANN, "USD"), world.pending(BEN, "USD")), ("10.00".into(), "".into()));
}

#[test]
fn an_order_that_was_kept_by_an_earlier_version_is_understood() {
    let ann = click_token(ANN, T0 - DAY, 1);
    for (first, owed) in [
        (pixel(0, "amount=100&id=1").cookie(ann), "10.00"),
        (pixel(-86_400, "amount=100&id=1").cookie(ann), ""),
        (pixel(-86_400, "amount=100&id=1").postback().token(ann), "10.00"),
    ] {
        let mut world = World::new();
        world.settle(&[first]);
        for made in world.orders.values_mut() {
            let mut facts = serde_json::to_value(&made.order).unwrap();
            for field in ["vouched", "claims"] {
                facts.as_object_mut().unwrap().remove(field);
            }
            made.order = serde_json::from_str(&facts.to_string()).unwrap();
        }
        world.settle(&[pixel(60, "amount=100&id=1").postback()]);
        assert_eq!(world.pending(ANN, "USD"), owed);
    }
    // One that kept its claims by the half hour.
    let mut world = World::new();
    world.settle(&[pixel(0, "amount=100&id=1").cookie(ann)]);
    let made = world.orders.values_mut().next().unwrap();
    let (hit, claim) = made.order.claims.pop_first().unwrap();
    made.order.claims.insert(T0 / 1_800_000, claim);
    world.settle(&[pixel(60, "amount=100&id=1").postback()]);
    assert_eq!(world.pending(ANN, "USD"), "10.00");
    let made = world.orders.values().next().unwrap();
    assert_eq!(made.order.claims.keys().collect::<Vec<_>>(), [&hit]);
}

/// What one hit tells of its order.
fn told(sent: &Sent) -> Order {
    let world = World::new();
    match settlement::read(&Hit::decode(&sent.bytes()).unwrap(), &world.catalog, &world.keys) {
        Read::Order(_, order) => *order,
        other => panic!("{other:?}"),
    }
}

/// Tellings of one order from some minutes, hours or two days, some verified, with the evidence of one of four
/// affiliates or none.
fn tellings() -> impl Strategy<Value = Vec<Order>> {
    let second = prop_oneof![0i64..240, 0i64..7_200, 0i64..172_800];
    let telling = (second, 0u8..8, 0u8..5);
    proptest::collection::vec(telling, 1..60).prop_map(|tellings| {
        let order = |(n, (second, channel, which)): (usize, (i64, u8, u8))| {
            let mut hit = pixel(second, "amount=100&id=1");
            hit.id += n as i64;
            let clicked =
                click_token([ANN, BEN][usize::from(which % 2)], T0 - DAY, u16::from(which));
            hit = if which > 0 { hit.cookie(clicked) } else { hit };
            told(&if channel == 0 { hit.postback() } else { hit })
        };
        tellings.into_iter().enumerate().map(order).collect()
    })
}

fn joined(mut one: Order, other: &Order) -> Order {
    one.join(other.clone());
    one
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_join_is_one(tellings in tellings(), seed: u64, cut in 1usize..59) {
        let fold = |tellings: &[Order]| tellings[1..].iter().fold(tellings[0].clone(), joined);
        // `amount_differs` aside, which is of pairs; the amounts are all the same here.
        let straight = fold(&tellings);
        let mut shuffled = tellings.clone();
        Dice(seed).shuffle(&mut shuffled);
        prop_assert_eq!(&fold(&shuffled), &straight, "commutative");
        let cut = cut.min(tellings.len() - 1);
        if cut > 0 {
            let (left, right) = shuffled.split_at(cut);
            prop_assert_eq!(&joined(fold(left), &fold(right)), &straight, "associative");
        }
        prop_assert_eq!(&joined(straight.clone(), &straight), &straight, "idempotent");
        let kept: HashMap<String, serde_json::Value> =
            serde_json::from_str(&serde_json::to_string(&straight).unwrap()).unwrap();
        let again: Order = serde_json::from_str(&serde_json::to_string(&kept).unwrap()).unwrap();
        prop_assert_eq!(again, straight, "as it is stored");
    }
}
