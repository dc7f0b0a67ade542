//! Histories nobody thought of: sales, refunds and chargebacks in any order, in any batches, and people in between.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;
use rust_decimal::Decimal;

use tributary::domain::ledger::Status;
use tributary::domain::money::Money;
use tributary::domain::order::Key;
use tributary::domain::settlement::{Action, Conversion};

use super::{Books, told};
use crate::world::*;

/// One thing that is told of a few orders: sales by any channel, refunds, chargebacks. Of one order all are in one
/// currency, as a shop sells.
fn any_telling() -> impl Strategy<Value = Sent> {
    let amount = prop_oneof![Just(100u32), Just(250), Just(33), Just(1)];
    (0i64..100_000, 0usize..4, 0u8..10, amount, 0u8..4, 0u8..4).prop_map(
        |(second, order, kind, amount, name, stage)| {
            let (currency, unit) =
                [("USD", "0.01"), ("JPY", "1"), ("KWD", "0.001"), ("CLF", "0.0001")][order];
            let amount =
                Decimal::from(amount) * Decimal::from(7) * unit.parse::<Decimal>().unwrap();
            let of = format!("id=order-{order}&amount={amount}&currency={currency}");
            let stage = ["open", "won", "lost", "accepted"][usize::from(stage)];
            match kind {
                0..3 => {
                    let affiliate = if name.is_multiple_of(2) { ANN } else { BEN };
                    let clicked =
                        click_token(affiliate, T0 - DAY - i64::from(name), u16::from(name));
                    let hit = pixel(second, &of).token(clicked);
                    if kind == 0 { hit } else { hit.postback() }
                }
                3..6 => told(second, &format!("{of}&type=refund&refund_id=r{name}")),
                6 => told(second, &format!("id=order-{order}&type=refund")),
                _ => told(
                    second,
                    &format!("{of}&type=chargeback&chargeback_id=c{name}&status={stage}"),
                ),
            }
        },
    )
}

/// What is known of all orders, whatever the conversions' own ids.
fn known(books: &Books) -> BTreeMap<Key, String> {
    let state = |made: &Conversion| {
        let booked = (made.booked.affiliate_id, made.booked.amount, made.booked.status.code());
        format!(
            "{booked:?} {} {} {}",
            made.reversed.normalize(),
            made.refunded.normalize(),
            made.held
        )
    };
    books.world.orders.iter().map(|(key, made)| (key.clone(), state(made))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Tellings of one history, in any order and any batches, make the same books; and at every step the books hold
    /// what the conversions say.
    #[test]
    fn neither_order_nor_batches_change_what_is_left(
        hits in proptest::collection::vec(any_telling(), 1..40),
        cuts in proptest::collection::vec(any::<Index>(), 0..10),
        swaps in proptest::collection::vec((any::<Index>(), any::<Index>()), 0..60),
    ) {
        let mut hits = hits;
        for (n, hit) in hits.iter_mut().enumerate() {
            hit.id += n as i64; // As an edge numbers them: no two alike.
        }
        hits.sort_by_key(|hit| hit.id);
        let straight = Books::of(&hits);
        for (a, b) in swaps {
            let (a, b) = (a.index(hits.len()), b.index(hits.len()));
            hits.swap(a, b);
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(hits.len())).collect();
        cuts.extend([0, hits.len()]);
        cuts.sort_unstable();
        let mut shuffled = Books::new();
        for pair in cuts.windows(2) {
            shuffled.settle(&hits[pair[0]..pair[1]]);
        }
        prop_assert_eq!(known(&straight), known(&shuffled));
        prop_assert_eq!(straight.balances(), shuffled.balances());
    }

    /// Whatever people do in between, nothing drifts.
    #[test]
    fn people_and_hits_keep_the_books_together(
        hits in proptest::collection::vec(any_telling(), 1..40),
        is_flat in any::<bool>(),
        acts in proptest::collection::vec((any::<Index>(), 0u8..6), 0..20),
    ) {
        let mut hits = hits;
        for (n, hit) in hits.iter_mut().enumerate() {
            hit.id += n as i64;
            hit.query = hit.query.replace("order-1", "order-0").replace("order-2", "order-0").replace("order-3", "order-0");
        }
        let mut books = if is_flat { Books::under(r#"{"kind":"flat","amount":"5"}"#) } else { Books::new() };
        let acts: BTreeMap<usize, u8> =
            acts.into_iter().map(|(at, act)| (at.index(hits.len()), act)).collect();
        for (at, hit) in hits.iter().enumerate() {
            books.settle(std::slice::from_ref(hit));
            if books.world.orders.is_empty() {
                continue;
            }
            let nothing = Money::zero(books.made().order.sale().currency);
            let _ = match acts.get(&at) {
                Some(0 | 1) => books.act(Action::Approve),
                Some(2) => books.act(Action::Reject("no".to_owned())),
                Some(3) if books.made().booked.status == Status::Payable => {
                    books.set(Status::Paid);
                    Ok(())
                }
                Some(4) => books.act(Action::Correct(nothing)),
                Some(5) => books.act(Action::Correct(Money { amount: Decimal::ONE, ..nothing })),
                _ => books.act(Action::Reprice),
            };
            let made = books.made();
            let is_paid = made.booked.status == Status::Paid || made.reasons.iter().any(|r| r == "already_paid");
            let earns = made.booked.status != Status::Rejected && made.booked.amount.amount > made.reversed;
            let order = &made.order;
            let is_nothing = order.sale().amount.is_zero() && !order.money.value.amount.is_zero();
            prop_assert!(!(earns && !is_paid && is_nothing), "{:?}", made);
        }
    }
}
