//! Orders: many hits, one conversion; as stories, and as properties over histories nobody thought of.

use proptest::prelude::*;
use proptest::sample::Index;

use tributary::domain::catalog::{Model, Plan, Unsigned};
use tributary::domain::ledger::Status;

use crate::world::*;

#[test]
fn one_order_is_one_conversion_through_every_channel() {
    let ann = click_token(ANN, T0 - DAY, 1);
    let mut world = World::new();
    let outcomes = world.outcomes(&[
        pixel(0, "amount=100&id=1").cookie(ann),
        pixel(1, "amount=100&id=1").cookie(ann),
        pixel(2, "amount=100&id=1&customer=c7").form().cookie(ann),
        pixel(3, "amount=100&id=1").postback(),
        pixel(4, "amount=100&id=1").postback(),
        pixel(3 * 86_400, "amount=100&id=1").cookie(ann),
        pixel(400 * 86_400, "amount=100&id=1"),
    ]);
    let again = "duplicate same_order";
    assert_eq!(outcomes, ["converted", again, "merged", "merged", again, again, again]);
    assert_eq!(world.orders.len(), 1);
    assert_eq!(world.pending(ANN, "USD"), "10.00");
    let order = &world.orders.values().next().unwrap().order;
    assert!(!order.speaker.unverified, "the shop's server spoke");
    assert_eq!(order.customer.as_ref().map(|told| &*told.value), Some("c7"));
}

#[test]
fn the_first_verified_amount_stands_and_the_difference_is_said() {
    let ann = click_token(ANN, T0 - DAY, 1);
    let mut world = World::new();
    let outcomes = world.outcomes(&[
        pixel(0, "amount=999&id=1").cookie(ann),
        pixel(1, "amount=100&id=1").postback(),
        pixel(2, "amount=555&id=1").postback(),
        pixel(3, "amount=777&id=1").cookie(ann),
    ]);
    assert_eq!(
        outcomes,
        ["converted", "merged amount_differs", "duplicate same_order", "duplicate same_order"]
    );
    assert_eq!(world.pending(ANN, "USD"), "10.00");
    let made = world.orders.values().next().unwrap();
    assert!(made.reasons.iter().any(|reason| reason == "amount_differs"));
    assert!(made.reasons.iter().any(|reason| reason == "superseded"));
}

#[test]
fn an_unsigned_claim_cannot_take_a_verified_sale() {
    let (ann, ben) = (click_token(ANN, T0 - DAY, 1), click_token(BEN, T0 - DAY, 2));
    for claim_first in [true, false] {
        let claim = pixel(0, "amount=5000&id=1").token(ben);
        let sale = pixel(1, "amount=100&id=1").postback().token(ann);
        let hits = if claim_first { [claim, sale] } else { [sale, claim] };
        let mut world = World::new();
        for hit in hits {
            world.settle(&[hit]);
        }
        assert_eq!(world.pending(ANN, "USD"), "10.00");
        assert_eq!(world.pending(BEN, "USD"), "");
    }
}

#[test]
fn a_rejected_claim_comes_to_life_when_the_shop_vouches_for_it() {
    let ann = click_token(ANN, T0 - DAY, 1);
    let mut world = World::new();
    world.settle(&[pixel(0, "amount=100&id=1").cookie(ann)]);
    let made = world.orders.values_mut().next().unwrap();
    made.booked.status = Status::Rejected;
    world.balances.clear();
    world.settle(&[pixel(1, "amount=100&id=1").form().cookie(ann)]);
    assert_eq!(world.pending(ANN, "USD"), "", "another claim changes nothing");
    world.settle(&[pixel(2, "amount=100&id=1").postback()]);
    assert_eq!(world.pending(ANN, "USD"), "10.00");
}

#[test]
fn unsigned_hold_waits_and_a_signed_hit_releases_it() {
    let mut rows = rows();
    rows.programs[0].unsigned = Unsigned::Hold;
    let mut world = World::of(rows);
    let ann = click_token(ANN, T0 - DAY, 1);
    let outcomes = world.outcomes(&[
        pixel(0, "amount=100&id=1").token(ann),
        pixel(1, "amount=100&id=1").postback().token(ann),
        pixel(2, "amount=100&id=2").postback().token(ann),
    ]);
    assert_eq!(outcomes, ["held unsigned_held", "merged", "converted"]);
    assert!(world.orders.values().all(|made| !made.held));
}

#[test]
fn without_an_order_id_the_click_is_the_order_and_a_person_decides() {
    let ann = click_token(ANN, T0 - DAY / 2, 1);
    let mut world = World::new();
    let outcomes = world.outcomes(&[
        pixel(0, "amount=100").cookie(ann),
        pixel(5, "amount=100").cookie(ann),
        pixel(2 * 86_400, "amount=100").cookie(ann),
        pixel(6, "amount=100&id=7").cookie(ann),
    ]);
    assert_eq!(
        outcomes,
        ["held order_id_missing", "duplicate same_order", "held order_id_missing", "converted"]
    );
}

#[test]
fn an_order_id_that_everybody_has_is_noticed() {
    let mut world = World::new();
    let visitor = |n: i64| {
        let clicked = click_token(ANN, T0 + (n - 1) * DAY, n as u16);
        pixel(0, "amount=35&id=GDC-35").cookie(clicked).at(T0 + n * DAY)
    };
    let outcomes = world.outcomes(&(0..8).map(visitor).collect::<Vec<_>>());
    assert_eq!(outcomes[0], "converted");
    assert!(
        outcomes[1..5]
            .iter()
            .all(|outcome| outcome == "merged" || outcome == "duplicate same_order")
    );
    assert!(outcomes[5..].iter().all(|outcome| outcome == "held order_id_missing"), "{outcomes:?}");
    assert_eq!(world.orders.len(), 4, "one order, and three that wait for approval");
    let warned = |fate: &&tributary::domain::settlement::Fate| {
        fate.reasons.iter().any(|reason| reason == "order_id_shared")
    };
    assert!(world.fates.iter().filter(warned).count() >= 3);
}

#[test]
fn terms_are_those_in_force_when_the_hit_arrived() {
    let mut rows = rows();
    rows.programs[0].plans.push(Plan {
        id: 41,
        from_ms: T0 + 10_000,
        terms: terms(r#"{"kind":"flat","amount":"5.00"}"#),
    });
    let mut world = World::of(rows);
    let ann = click_token(ANN, T0 - DAY, 1);
    world.settle(&[
        pixel(9, "amount=100&id=1").token(ann),
        pixel(10, "amount=100&id=2").token(ann),
        pixel(11, "amount=100&id=3&currency=EUR").token(ann),
    ]);
    assert_eq!(world.pending(ANN, "USD"), "20.00", "ten percent, and five flat twice");
    let plans: std::collections::BTreeMap<_, _> =
        world.orders.values().map(|made| (made.key.text.as_str(), made.plan_id)).collect();
    assert_eq!(plans["id:1"], Some(40));
    assert_eq!(plans["id:2"], Some(41));
}

#[test]
fn the_same_order_id_in_two_programs_is_two_orders() {
    let mut world = World::new();
    world.settle(&[pixel(0, "amount=1&id=1"), pixel(1, "amount=1&id=1").code("other")]);
    assert_eq!(world.orders.len(), 2);
}

/// One of the hits that a busy shop sends: few orders, so that they meet; every channel; dirt.
pub fn any_hit() -> impl Strategy<Value = Sent> {
    let amount =
        prop_oneof![4 => Just("100"), 2 => Just("250.50"), 1 => Just("abc"), 1 => Just("1,234.50")];
    (0i64..100_000, 0u8..6, amount, 0u8..4, 0u8..4, 0u8..3).prop_map(
        |(second, order, amount, channel, token, cookie)| {
            let mut hit = pixel(second, &format!("amount={amount}&id=order-{order}"));
            hit = match channel {
                0 => hit,
                1 => hit.form(),
                _ => hit.postback(),
            };
            let clicked = |which: u8| {
                let affiliate = if which.is_multiple_of(2) { ANN } else { BEN };
                click_token(affiliate, T0 - DAY - i64::from(which), u16::from(which))
            };
            hit = if token > 0 { hit.token(clicked(token)) } else { hit };
            if cookie > 0 { hit.cookie(clicked(cookie + 3)) } else { hit }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Hits of one history, in any order and any batches, each any number of times, make the same books.
    #[test]
    fn neither_order_nor_batches_change_the_books(
        hits in proptest::collection::vec(any_hit(), 1..40),
        cuts in proptest::collection::vec(any::<Index>(), 0..10),
        swaps in proptest::collection::vec((any::<Index>(), any::<Index>()), 0..60),
        model in prop_oneof![
            Just(Model::LastClick), Just(Model::FirstClick), Just(Model::Linear), Just(Model::PositionBased),
        ],
    ) {
        let mut rows = rows();
        rows.programs[0].attribution = model;
        let mut hits = hits;
        for (n, hit) in hits.iter_mut().enumerate() {
            hit.id += n as i64; // As an edge numbers them: no two alike.
        }
        let mut straight = World::of(rows.clone());
        hits.sort_by_key(|hit| hit.id);
        for hit in &hits {
            straight.settle(std::slice::from_ref(hit));
        }
        for (a, b) in swaps {
            let (a, b) = (a.index(hits.len()), b.index(hits.len()));
            hits.swap(a, b);
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(hits.len())).collect();
        cuts.extend([0, hits.len()]);
        cuts.sort_unstable();
        let mut shuffled = World::of(rows);
        for pair in cuts.windows(2) {
            shuffled.settle(&hits[pair[0]..pair[1]]);
        }
        prop_assert_eq!(&straight.balances, &shuffled.balances);
        prop_assert_eq!(straight.fates.len(), shuffled.fates.len());
        let orders = |world: &World| {
            let mut orders: Vec<_> = world.orders.values().map(|made| {
                let notes = made.order.amount_differs;
                (made.key.clone(), made.booked.affiliate_id, made.booked.amount, made.plan_id, notes)
            }).collect();
            orders.sort_by(|a, b| a.0.cmp(&b.0));
            orders
        };
        prop_assert_eq!(orders(&straight), orders(&shuffled));
    }

    /// Whatever comes, each hit has exactly one outcome, and the books are balanced.
    #[test]
    fn every_hit_has_one_outcome(query in ".{0,80}", cookie in ".{0,40}", postback: bool) {
        let mut hit = pixel(0, &query);
        hit.cookie = cookie;
        hit = if postback { hit.postback() } else { hit };
        let mut world = World::new();
        prop_assert_eq!(world.settle(&[hit]).len(), 1);
        let total: rust_decimal::Decimal = world.balances.values().sum();
        prop_assert!(total.is_zero());
    }
}
