//! What a person says that a sale was of: it stands before what hits tell.

use tributary::domain::ledger::Status;
use tributary::domain::money::{Currency, Money};
use tributary::domain::settlement::{Action, Refused};
use tributary::domain::takeback::{Refund, Takeback};

use super::{Books, sale, told, usd};
use crate::world::*;

#[test]
fn what_was_corrected_to_nothing_earns_nothing() {
    const FLAT: &str = r#"{"kind":"flat","amount":"5.00"}"#;
    const LEAST: &str = r#"{"kind":"percent","rate":"10","minimum":"2.00"}"#;
    let (paid, free) = (sale(0, "amount=100&id=1"), sale(0, "amount=0&id=1"));
    let back = |amount: &str| told(1, &format!("type=refund&id=1&refund_id=a{amount}"));
    for (plan, hits, corrected, state) in [
        (FLAT, vec![paid.clone()], &["0"][..], "pending 0.00 0.00 0.00"),
        (LEAST, vec![paid.clone()], &["0"], "pending 0.00 0.00 0.00"),
        // What went back of it stays gone, whatever it was of.
        (FLAT, vec![paid.clone(), back("&amount=30")], &["0"], "reversed 0.00 0.00 0.00"),
        (FLAT, vec![paid.clone(), back("&amount=100")], &["0"], "reversed 0.00 0.00 0.00"),
        (FLAT, vec![paid.clone(), back("")], &["0"], "reversed 0.00 0.00 0.00"),
        (FLAT, vec![paid.clone(), back("&amount=60")], &["60", "0"], "reversed 0.00 0.00 0.00"),
        // It was of another currency, so nothing went back.
        (
            FLAT,
            vec![paid.clone(), back("&amount=9&currency=EUR")],
            &["0"],
            "pending 0.00 0.00 0.00",
        ),
        // It turns out to be something after all.
        (FLAT, vec![paid.clone()], &["0", "100"], "pending 5.00 0.00 0.00"),
        (FLAT, vec![paid.clone(), back("&amount=30")], &["0", "100"], "pending 5.00 1.50 30.00"),
        (LEAST, vec![paid, back("&amount=30")], &["0", "50"], "pending 5.00 3.00 30.00"),
        // What is told as a sale of nothing is one, and earns what the terms give for it.
        (FLAT, vec![free.clone()], &[], "pending 5.00 0.00 0.00"),
        (FLAT, vec![free.clone(), back("&amount=1")], &[], "pending 5.00 0.00 0.00"),
        (FLAT, vec![free.clone(), back("")], &[], "reversed 5.00 5.00 0.00"),
        (FLAT, vec![free], &["100", "0"], "pending 5.00 0.00 0.00"),
    ] {
        let mut books = Books::under(plan);
        hits.iter().for_each(|hit| drop(books.settle(std::slice::from_ref(hit))));
        corrected.iter().for_each(|amount| books.act(Action::Correct(usd(amount))).unwrap());
        assert_eq!(books.state(), state, "{plan} {hits:?} {corrected:?}");
        // What goes back afterwards moves nothing that is not there.
        books.settle(&[told(2, "type=refund&id=1&refund_id=b")]);
        let made = books.made();
        assert_eq!(
            (made.booked.status, made.reversed),
            (Status::Reversed, made.booked.amount.amount)
        );
    }
}

#[test]
fn nothing_waits_for_no_rate() {
    let mut books = Books::under(r#"{"kind":"percent","rate":"10","currency":"program"}"#);
    books.settle(&[sale(0, "amount=100&currency=KWD&id=1")]);
    assert_eq!(books.state(), "pending 0.00 0.00 0.000 held");
    let asked = |books: &Books| {
        books.made().rate_asked(books.world.catalog.program(PROGRAM).unwrap()).is_some()
    };
    let correct = |books: &mut Books, amount: &str| {
        let kwd = Currency::parse("KWD").unwrap();
        let money = Money::rounded(amount.parse().unwrap(), kwd);
        books.act(Action::Correct(money)).unwrap();
        (books.state(), asked(books), books.made().reasons.contains(&"rate_missing".to_owned()))
    };
    assert!(asked(&books));
    assert_eq!(correct(&mut books, "0"), ("pending 0.00 0.00 0.000".to_owned(), false, false));
    // It turns out to be something after all.
    assert_eq!(correct(&mut books, "50"), ("pending 0.00 0.00 0.000 held".to_owned(), true, true));
}

#[test]
fn a_correction_stands_before_what_hits_told() {
    let mut books = Books::of(&[sale(0, "amount=100&id=1")]);
    books.settle(&[told(1, "type=refund&id=1&refund_id=a&amount=30")]);
    assert_eq!(books.act(Action::Correct(usd("100"))), Err(Refused::Same));
    books.act(Action::Correct(usd("60"))).unwrap();
    assert_eq!(books.state(), "pending 6.00 3.00 30.00");
    books.settle(&[told(2, "amount=100&id=1")]);
    assert_eq!(books.state(), "pending 6.00 3.00 30.00");
    let refund = Refund { id: "b".to_owned(), money: Some(usd("30")) };
    let takeback = Action::Takeback(Takeback::Refund(refund));
    books.act(takeback.clone()).unwrap();
    assert_eq!(books.act(takeback), Err(Refused::Same));
    assert_eq!(books.state(), "reversed 6.00 6.00 60.00");
    assert_eq!(books.act(Action::Reprice), Err(Refused::Same));
}

#[test]
fn what_a_person_approved_stays_so_when_it_is_corrected() {
    let part = told(1, "type=refund&id=1&refund_id=a&amount=50");
    for (hits, corrected, state) in [
        (vec![], &["110"][..], "payable 11.00 0.00 0.00"),
        (vec![], &["0"], "payable 0.00 0.00 0.00"),
        (vec![], &["0", "60"], "payable 6.00 0.00 0.00"),
        (vec![part.clone()], &["80"], "payable 8.00 5.00 50.00"),
        (vec![part.clone()], &["50"], "reversed 5.00 5.00 50.00"),
        (vec![part], &["50", "110"], "payable 11.00 5.00 50.00"),
        // What is open is decided first.
        (vec![told(1, "type=chargeback&id=1")], &["110"], "pending 11.00 0.00 0.00 held"),
    ] {
        let mut books = Books::of(&[sale(0, "amount=100&id=1")]);
        books.act(Action::Approve).unwrap();
        hits.iter().for_each(|hit| drop(books.settle(std::slice::from_ref(hit))));
        corrected.iter().for_each(|amount| books.act(Action::Correct(usd(amount))).unwrap());
        assert_eq!(books.state(), state, "{hits:?} {corrected:?}");
        assert!(books.made().reasons.iter().any(|reason| reason == "approved_by_hand"));
    }
    // He may still decide otherwise.
    let mut books = Books::of(&[sale(0, "amount=100&id=1")]);
    books.act(Action::Approve).unwrap();
    books.act(Action::Correct(usd("110"))).unwrap();
    assert_eq!(books.act(Action::Approve), Err(Refused::Same));
    books.act(Action::Reject("no".to_owned())).unwrap();
    assert_eq!(books.made().booked.status, Status::Rejected);
}
