//! Histories of money that nobody thought of. Each is played as it was sent and again in any order of arrival, by the
//! product's own functions; and reckoned by a model in whole numbers that shares nothing with them. All three agree.
//!
//! Sales are credited by any of the models, with up to five clicks in a token and in a cookie and a coupon; recruiters
//! have parts of them, upwards. What is earned in another currency than the sale's is exchanged by the quotes of the day before.
//!
//! What commutes. Everything that is told of orders (sales by postback and pixel, again and otherwise, refunds and
//! chargebacks in whatever state) in any order and any batches; with it the passing of time and approvals, which say
//! only where money is, not how much. What does not: a rejection, a correction, and a payout are about what was known
//! when they were made. What was told before them stays before them; one that finds the order otherwise (taken back
//! in full, rejected, paid) is refused. In the end all time has passed: what no chargeback and no rule holds is
//! payable.
//!
//! - `Tellings`: at the end of time pending and payable agree, each; at the end of each phase their sum.
//! - `Verdicts`: approvals may come at any moment, and better evidence takes one back. Their sum agrees.
//! - `Payouts`: pending, payable and paid agree, each, at the end of each phase. A sale is told in one phase, for of
//!   what was paid only takebacks change anything; and no settling lags behind the hold period.
//!
//! `TRIBUTARY_ATTACK=1` plays more than 100,000. `TRIBUTARY_HISTORY=Verdicts:17` plays one again and prints it.

mod books;
mod database;
mod earning;
mod reference;
mod story;
mod words;
mod writer;

use std::collections::BTreeMap;
use std::time::Instant;

use crate::proofs::{Dice, many};

use books::{Arrival, play};
use reference::{Sheet, reckon, together};
use story::{History, Kind};
use words::money;
use writer::history;

type Moved = BTreeMap<&'static str, usize>;

/// Plays a history both ways; how many transfers of each code that made.
fn agree(history: &History, seed: u64) -> Moved {
    let reckoned = reckon(history);
    let mut moved = Moved::new();
    for arrival in [Arrival::InOrder, Arrival::Shuffled] {
        let mut dice = Dice(seed ^ 0x5EED);
        let (sheets, books) = play(history, arrival, &mut dice);
        assert_eq!(sheets.len(), reckoned.sheets.len());
        for (at, (ours, theirs)) in sheets.iter().zip(&reckoned.sheets).enumerate() {
            let each = history.kind == Kind::Payouts
                || history.kind == Kind::Tellings && at + 1 == sheets.len();
            let as_told = |sheet: &Sheet| if each { sheet.clone() } else { together(sheet) };
            assert_eq!(as_told(ours), as_told(theirs), "{arrival:?}, phase {at}");
        }
        for (order, due) in &reckoned.orders {
            let key = format!("id:o{order}");
            let conversion = books.orders.values().find(|conversion| conversion.key.text == key);
            let booked = conversion.unwrap().booked;
            let found = (booked.affiliate_id, booked.amount, conversion.unwrap().reversed);
            let expected = (due.affiliate, money(due.gross), money(due.reversed()).amount);
            // The books of what a person rejected stay as they were then.
            assert!(due.place == "rejected" || found == expected, "{found:?}, {expected:?}");
        }
        for (code, count) in books.moved {
            *moved.entry(code).or_default() += count;
        }
    }
    moved
}

/// Plays so many histories from a seed on; tells which one failed.
fn play_many(kind: Kind, histories: usize) {
    if let Some((only, seed)) = asked() {
        if only == format!("{kind:?}") {
            let history = history(seed, kind, false);
            println!("{history:#?}");
            agree(&history, seed);
        }
        return;
    }
    let (began, mut tells, mut moved) = (Instant::now(), 0, Moved::new());
    for seed in 1..=histories as u64 {
        let history = history(seed, kind, false);
        tells += history.phases.iter().map(|phase| phase.tells.len()).sum::<usize>();
        let played = std::panic::catch_unwind(|| agree(&history, seed));
        let again = || panic!("play it again: TRIBUTARY_HISTORY={kind:?}:{seed}");
        for (code, count) in played.unwrap_or_else(|_| again()) {
            *moved.entry(code).or_default() += count;
        }
    }
    let seconds = began.elapsed().as_secs();
    println!("{kind:?}: {histories} histories, {tells} hits, {seconds} s; {moved:?}");
    let mut codes = vec![
        "accrue",
        "approve",
        "hold",
        "restore",
        "reverse",
        "supersede",
        "of others",
        "exchanged",
    ];
    codes.extend((kind != Kind::Tellings).then_some("reject"));
    codes.extend((kind == Kind::Payouts).then_some("pay"));
    for code in codes {
        assert!(moved[code] > histories / 20, "too few transfers: {code}");
    }
}

fn asked() -> Option<(String, u64)> {
    let text = std::env::var("TRIBUTARY_HISTORY").ok()?;
    let (kind, seed) = text.split_once(':')?;
    Some((kind.to_owned(), seed.parse().ok()?))
}

#[test]
fn what_is_told_makes_the_same_books_in_any_order() {
    play_many(Kind::Tellings, many(1_500, 40_000));
}

#[test]
fn what_people_decide_meanwhile_changes_no_sum() {
    play_many(Kind::Verdicts, many(1_500, 40_000));
}

#[test]
fn payouts_and_what_goes_back_afterwards_foot() {
    play_many(Kind::Payouts, many(1_500, 40_000));
}
