//! A hit in any bytes, decided: never a panic, and what the edge tells early is what the worker decides.
#![no_main]

#[path = "../world.rs"]
mod world;

use tributary::domain::hit::Part;
use tributary::domain::intake::{self, Proof, Reading};
use tributary::domain::takeback::Takeback;
use tributary::domain::{click, items, mask, redirect, settlement};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (world, hit) = (world::get(), world::hit(bytes));
    let read = intake::read(&hit, &world.catalog);
    let (check, proof) = intake::check(&hit, &world.catalog);
    match (&read, &check) {
        (Reading::Sale(_, _, sale), Reading::Sale(..)) => {
            assert_eq!(sale.verified, [Proof::Signature, Proof::Secret].contains(&proof));
            assert_eq!(sale.evidence_verified, proof == Proof::Secret);
            assert!(!sale.money.amount.is_sign_negative() || sale.money.amount.is_zero());
            assert!(sale.order_id.as_ref().is_none_or(|id| id.chars().count() <= 128));
            assert!(sale.verified == world::is_vouched(&hit), "who is believed");
            let items =
                sale.items.as_deref().and_then(|text| items::parse(text, sale.money.currency));
            assert!(items.unwrap_or_default().iter().all(|item| !item.total.is_sign_negative()));
        }
        (Reading::Takeback(_, _, one), Reading::Takeback(_, _, other)) => {
            assert_eq!(one, other);
            assert!(proof == Proof::Secret && world::is_vouched(&hit), "who takes back");
            assert!((1..=128).contains(&one.order_id.chars().count()));
            let (id, money) = match &one.takeback {
                Takeback::Refund(refund) => (&refund.id, refund.money),
                Takeback::Chargeback(chargeback) => (&chargeback.id, chargeback.money),
            };
            assert!((1..=128).contains(&id.chars().count()));
            assert!(money.is_none_or(|money| !money.amount.is_zero() && !money.amount.is_sign_negative()));
        }
        (Reading::Refused(_, _, one), Reading::Refused(_, _, other)) => assert_eq!(one, other),
        (Reading::Unknown, Reading::Unknown) => {}
        _ => panic!("{read:?} but {check:?}"),
    }
    let _ = settlement::read(&hit, &world.catalog, &world.keys);
    let _ = (click::judge(&hit, &world.catalog), click::sub_ids(&hit));
    let _ = redirect::fill("https://shop.example/thanks?id={id}&amount={amount}", &hit)
        .inspect(|url| assert_eq!(url.host_str(), Some("shop.example")));
    let _ = mask::body(hit.text(Part::ContentType), hit.text(Part::Body));
});
