//! Deciding: what becomes of one hit, as tables, without a server.

use tributary::domain::catalog::Model;
use tributary::domain::sign;
use tributary::domain::token::{Keys, Token};

use crate::world::*;

#[test]
fn a_hit_gets_the_outcome_that_its_fields_deserve() {
    let long = "9".repeat(129);
    for (query, expected) in [
        ("amount=19.95&id=1", "converted no_referral"),
        ("id=1", "rejected amount_missing"),
        ("amount=&id=1", "rejected amount_missing"),
        ("amount=OPTIONAL&id=1", "rejected amount_missing"),
        ("amount=undefined&id=1", "rejected amount_missing"),
        ("amount=%7Bp1%7D&id=1", "rejected amount_missing"),
        ("amount=abc&id=1", "rejected amount_invalid"),
        ("amount=123.45P&id=1", "rejected amount_invalid"),
        ("amount=-1&id=1", "rejected amount_negative"),
        ("amount=19.999&id=1", "rejected amount_precision"),
        ("amount=0,123&id=1", "held amount_ambiguous"),
        ("amount=1&id=1&currency=PES", "rejected currency_unknown"),
        ("amount=1&id=1&currency=eur", "converted no_referral"),
        ("amount=1&id=1&currency=XXX", "converted no_referral"),
        ("AMOUNT=1&amp;ID=1", "converted no_referral"),
        ("amount=1", "held order_id_missing"),
        ("amount=1&id=XXX", "held order_id_missing"),
        ("amount=1&id=%20%20", "held order_id_missing"),
        (&format!("amount=1&id={long}"), "rejected order_id_too_long"),
        ("amount=1&id=%FF%FE", "rejected order_id_invalid"),
        ("amount=1&id=a%00b", "rejected order_id_invalid"),
        ("amount=1&id=%F0%9F%98%80", "converted no_referral"),
        ("amount=1&id=a%09b", "converted no_referral"),
        ("amount=1&id=1&test=1", "test test"),
        ("amount=0&id=1", "converted no_referral"),
    ] {
        assert_eq!(World::new().outcomes(&[pixel(0, query)]), [expected], "{query}");
    }
}

#[test]
fn an_unknown_code_is_kept_and_rejected() {
    let hit = pixel(0, "amount=1&id=1").code("nobody");
    assert_eq!(World::new().outcomes(&[hit]), ["rejected code_unknown"]);
}

#[test]
fn a_postback_needs_the_secret_and_a_type_that_is_known() {
    let stranger = |query: &str| {
        let mut hit = pixel(0, query).postback();
        hit.bearer = false;
        hit
    };
    for (hit, expected) in [
        (pixel(0, "amount=1&id=1").postback(), "converted no_referral"),
        (pixel(0, "amount=1&id=1&type=lead").postback(), "converted no_referral"),
        (pixel(0, "id=1&type=lead").postback(), "converted no_referral"),
        (pixel(0, "amount=1&id=1&type=gift").postback(), "rejected type_unknown"),
        (stranger("amount=1&id=1"), "rejected unauthorized"),
        (stranger("amount=1&id=1&key=wrong"), "rejected unauthorized"),
        (stranger(&format!("amount=1&id=1&key={SECRET}")), "converted no_referral"),
    ] {
        let query = hit.query.clone();
        assert_eq!(World::new().outcomes(&[hit]), [expected], "{query}");
    }
}

#[test]
fn a_signature_makes_a_pixel_verified_and_a_wrong_one_rejects_it() {
    let ts = (T0 / 1_000).to_string();
    let sig = sign::signature(SECRET, ["shop", "1", "19.95", "USD", &ts]);
    let good = format!("amount=19.95&id=1&currency=USD&ts={ts}&sig={sig}");
    let mut world = World::new();
    assert_eq!(world.outcomes(&[pixel(0, &good)]), ["converted no_referral"]);
    assert!(!world.orders.values().next().unwrap().order.speaker.unverified);
    for (query, expected) in [
        (good.replace("19.95", "99.95"), "rejected signature_invalid"),
        (good.replace("USD", "usd"), "rejected signature_invalid"),
        (format!("amount=1&id=1&sig={sig}"), "rejected signature_invalid"),
    ] {
        assert_eq!(World::new().outcomes(&[pixel(1, &query)]), [expected], "{query}");
    }
    let late = pixel(24 * 3_600 + 1, &good);
    assert_eq!(World::new().outcomes(&[late]), ["rejected signature_stale"]);
}

#[test]
fn order_ids_have_one_spelling() {
    // NFC and NFD of the same word, with blanks around: one order. Another case: another order.
    let hits = [
        pixel(0, "amount=1&id=Caf%C3%A9"),
        pixel(1, "amount=1&id=%20Cafe%CC%81%20"),
        pixel(2, "amount=1&id=caf%C3%A9"),
        pixel(3, "amount=1&id=007"),
        pixel(4, "amount=1&id=7"),
    ];
    let mut world = World::new();
    let outcomes = world.outcomes(&hits);
    assert_eq!(outcomes[1], "duplicate same_order");
    assert_eq!(world.orders.len(), 4);
}

#[test]
fn evidence_is_weighed_in_order() {
    let ann = click_token(ANN, T0 - DAY, 1);
    let ben = click_token(BEN, T0 - 2 * DAY, 2);
    let other = Token { program_id: OTHER, ..ann };
    let old = click_token(ANN, T0 - 31 * DAY, 3);
    let forged = ann.sign(&Keys::parse(OTHER_KEY).unwrap()).replace("1.k0.", "1.k1.");
    let unknown = ann.sign(&Keys::parse(OTHER_KEY).unwrap());
    let sale = || pixel(0, "amount=100&id=1");
    for (what, hit, credited, by, note) in [
        ("token", sale().token(ann), Some(ANN), Some("click_token"), None),
        ("cookie", sale().cookie(ben), Some(BEN), Some("cookie"), None),
        (
            "token before cookie",
            sale().token(ann).cookie(ben),
            Some(ANN),
            Some("click_token"),
            None,
        ),
        ("coupon", pixel(0, "amount=100&id=1&coupon=ben10"), Some(BEN), Some("coupon"), None),
        (
            "coupon before cookie",
            pixel(0, "amount=100&id=1&coupon=BEN10").cookie(ann),
            Some(BEN),
            Some("coupon"),
            None,
        ),
        (
            "token before coupon",
            pixel(0, "amount=100&id=1&coupon=BEN10").token(ann),
            Some(ANN),
            Some("click_token"),
            None,
        ),
        (
            "placeholder token",
            sale().token_text("OPTIONAL").cookie(ben),
            Some(BEN),
            Some("cookie"),
            None,
        ),
        ("old token", sale().token(old), None, None, Some("token_expired")),
        (
            "old token, cookie",
            sale().token(old).cookie(ben),
            Some(BEN),
            Some("cookie"),
            Some("token_expired"),
        ),
        ("another program's", sale().token(other), None, None, Some("token_other_program")),
        ("forged", sale().token_text(&forged), None, None, Some("token_forged")),
        ("rotated out", sale().token_text(&unknown), None, None, Some("token_key_unknown")),
        ("nonsense", sale().token_text("123"), None, None, Some("token_malformed")),
        (
            "unknown coupon",
            pixel(0, "amount=100&id=1&coupon=X"),
            None,
            None,
            Some("coupon_unknown"),
        ),
        ("nothing", sale(), None, None, None),
    ] {
        let mut world = World::new();
        world.settle(&[hit]);
        let made = world.orders.values().next().unwrap();
        assert_eq!(made.booked.affiliate_id, credited, "{what}");
        let told = made.order.attribution.as_ref().map(|a| a.value.by.code());
        assert_eq!(told, by, "{what}");
        let expected: Vec<&str> = note.into_iter().collect();
        assert_eq!(made.order.notes.iter().collect::<Vec<_>>(), expected, "{what}");
        let pending = if credited.is_some() { "10.00" } else { "" };
        assert_eq!(world.pending(credited.unwrap_or(0), "USD"), pending, "{what}");
    }
}

#[test]
fn the_window_closes_to_the_millisecond() {
    let clicked = click_token(ANN, T0, 1);
    for (late_ms, credited) in [(-1, true), (0, true), (1, false)] {
        let hit = pixel(0, "amount=1&id=1").token(clicked).at(T0 + 30 * DAY + late_ms);
        let mut world = World::new();
        world.settle(&[hit]);
        let made = world.orders.values().next().unwrap();
        assert_eq!(made.booked.affiliate_id.is_some(), credited, "{late_ms} ms");
    }
}

#[test]
fn first_click_credits_the_earlier_click_whatever_carried_it() {
    let mut rows = rows();
    rows.programs[0].attribution = Model::FirstClick;
    let (early, late) = (click_token(ANN, T0 - 2 * DAY, 1), click_token(BEN, T0 - DAY, 2));
    let mut world = World::of(rows);
    world.settle(&[pixel(0, "amount=100&id=1").token(late).cookie(early)]);
    assert_eq!(world.pending(ANN, "USD"), "10.00");
    // Of two hits, the first that brings evidence decides: nobody takes a credit away afterwards.
    world.settle(&[pixel(1, "amount=100&id=2").token(late)]);
    world.settle(&[pixel(2, "amount=100&id=2").form().token(early)]);
    assert_eq!(
        (world.pending(ANN, "USD"), world.pending(BEN, "USD")),
        ("10.00".into(), "10.00".into())
    );
}

#[test]
fn whoever_is_paused_earns_nothing() {
    let token = click_token(ANN, T0 - DAY, 1);
    for (what, note) in [("affiliate", "affiliate_paused"), ("program", "program_paused")] {
        let mut rows = rows();
        match what {
            "affiliate" => rows.affiliates[0].paused_ms = Some(T0),
            _ => rows.programs[0].paused_ms = Some(T0),
        }
        let mut world = World::of(rows);
        world.settle(&[pixel(0, "amount=100&id=before").token(token).at(T0 - 1)]);
        world.settle(&[pixel(0, "amount=100&id=after").token(token)]);
        assert_eq!(world.pending(ANN, "USD"), "10.00", "{what}: only the sale before the pause");
        assert!(world.orders.values().any(|made| made.reasons.iter().any(|r| r == note)), "{what}");
    }
}
