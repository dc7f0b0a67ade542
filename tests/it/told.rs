//! What a hit tells: the details of a sale, refunds and chargebacks, as tables, without a server.

use tributary::domain::hit::Hit;
use tributary::domain::intake::{self, Details, Reading};
use tributary::domain::order::Order;
use tributary::domain::settlement::{self, Read};
use tributary::domain::takeback::Takeback;

use crate::world::*;

/// When all of these arrive.
const ARRIVAL: &str = "2026-09-21T14:13:20Z";

/// What a hit tells, in a line; of what cannot count, each field with its reason.
fn told(sent: &Sent) -> String {
    let world = World::new();
    match intake::read(&Hit::decode(&sent.bytes()).unwrap(), &world.catalog) {
        Reading::Unknown => "unknown".to_owned(),
        Reading::Refused(_, _, faults) => {
            let fault = |(field, reason): &intake::Fault| format!("{field}: {}", reason.code());
            faults.iter().map(fault).collect::<Vec<_>>().join(", ")
        }
        Reading::Sale(_, _, sale) => {
            format!("{} {}{}", sale.kind.code(), sale.money.amount, details(&sale.details))
        }
        Reading::Takeback(_, _, told) => {
            let test = if told.test { " test" } else { "" };
            format!("{} of {}{test}", takeback(&told.takeback), told.order_id)
        }
    }
}

fn details(details: &Details) -> String {
    let amounts = [details.tax, details.shipping, details.discount];
    let amounts = ["tax", "shipping", "discount"].into_iter().zip(amounts);
    let amounts = amounts.filter_map(|(name, money)| {
        Some(format!(" {name} {} {}", money?.amount, money?.currency.code()))
    });
    let rest = details.country.iter().cloned();
    let rest = rest.chain(details.origin.map(|origin| origin.code().to_owned()));
    amounts.chain(rest.map(|text| format!(" {text}"))).collect()
}

fn takeback(takeback: &Takeback) -> String {
    let at = |ms: i64| jiff::Timestamp::from_millisecond(ms).unwrap();
    let (id, money) = match takeback {
        Takeback::Refund(refund) => (&refund.id, refund.money),
        Takeback::Chargeback(chargeback) => (&chargeback.id, chargeback.money),
    };
    let money = money.map(|m| format!("{} {}", m.amount, m.currency.code()));
    let what = format!("{id} {}", money.unwrap_or_else(|| "whole".to_owned()));
    match takeback {
        Takeback::Refund(_) => format!("refund {what}"),
        Takeback::Chargeback(c) => {
            let closed = c.closed_ms.map(|ms| format!(" closed {}", at(ms))).unwrap_or_default();
            let (stage, reason) = (c.stage.code(), c.reason.code());
            format!("chargeback {what} {stage} {reason} {}{closed}", at(c.requested_ms))
        }
    }
}

fn postback(query: &str) -> Sent {
    pixel(0, query).postback()
}

#[test]
fn a_sale_tells_what_its_amount_is_made_of() {
    for (query, expected) in [
        ("", "sale 9.00"),
        (
            "tax=1.5&shipping=4&discount=0",
            "sale 9.00 tax 1.50 USD shipping 4.00 USD discount 0.00 USD",
        ),
        ("TAX=1.234,50&currency=eur", "sale 9.00 tax 1234.50 EUR"),
        ("tax=OPTIONAL&tax=%20&tax=2&tax=3", "sale 9.00 tax 2.00 USD"),
        ("shipping=%7Bshipping%7D&discount=undefined&country=null&origin=", "sale 9.00"),
        ("country=de", "sale 9.00 DE"),
        ("country=%20Us%20", "sale 9.00 US"),
        ("country=DEU", "sale 9.00"),
        ("country=D1", "sale 9.00"),
        ("country=%C3%9F", "sale 9.00"),
        ("origin=new", "sale 9.00 new"),
        ("origin=Manual_Renewal", "sale 9.00 manual_renewal"),
        ("origin=gift", "sale 9.00"),
        (
            "tax=x&shipping=-1&discount=1.005",
            "tax: amount_invalid, shipping: amount_negative, discount: amount_precision",
        ),
        ("tax=0,123", "tax: amount_ambiguous"),
        ("tax=x&currency=PES", "currency: currency_unknown"),
        ("tax=1.5&currency=JPY", "tax: amount_precision"),
    ] {
        let query = format!("amount=9&id=1&{query}");
        assert_eq!(told(&pixel(0, &query)), expected, "{query}");
        assert_eq!(told(&postback(&query)), expected, "{query}");
    }
    // A sale that is held for one of them says so as for its amount.
    let held = World::new().outcomes(&[pixel(0, "amount=9&id=1&tax=0,123")]);
    assert_eq!(held, ["held amount_ambiguous"]);
}

#[test]
fn a_type_says_where_a_sale_comes_from() {
    for (query, expected) in [
        ("amount=9&id=1&type=sale", "sale 9.00"),
        ("amount=9&id=1&type=renewal", "sale 9.00 auto_renewal"),
        ("amount=9&id=1&type=renewal&origin=manual_renewal", "sale 9.00 manual_renewal"),
        ("amount=9&id=1&type=renewal&origin=gift", "sale 9.00 auto_renewal"),
        ("amount=9&id=1&type=upgrade", "sale 9.00 upgrade"),
        ("amount=9&id=1&type=trial", "lead 9.00"),
        ("id=1&type=trial", "lead 0.00"),
        ("id=1&type=lead", "lead 0.00"),
        ("id=1&type=renewal", "amount: amount_missing"),
        ("id=1&type=Refund", "type: type_unknown"),
    ] {
        assert_eq!(told(&postback(query)), expected, "{query}");
    }
    for kind in ["renewal", "upgrade", "trial", "refund", "chargeback", "gift"] {
        let query = format!("amount=9&id=1&type={kind}");
        assert_eq!(told(&pixel(0, &query)), "sale 9.00", "a pixel tells of sales only");
        assert_eq!(told(&pixel(0, &query).form()), "sale 9.00", "a form, too");
    }
}

#[test]
fn refunds_are_read() {
    let long = "9".repeat(129);
    let too_long = format!("id=1&refund_id={long}");
    for (query, expected) in [
        ("id=1", "refund all whole of 1"),
        ("id=1&refund_id=R1", "refund R1 whole of 1"),
        ("id=1&refund_id=R1&amount=5", "refund R1 5.00 USD of 1"),
        ("id=1&refund_id=R1&amount=1.234,50&currency=EUR", "refund R1 1234.50 EUR of 1"),
        ("id=%20Cafe%CC%81&refund_id=%20Cafe%CC%81", "refund Café whole of Café"),
        ("id=1&test=1", "refund all whole of 1 test"),
        ("id=1&refund_id=all", "refund all whole of 1"),
        ("id=1&refund_id=OPTIONAL", "refund all whole of 1"),
        ("refund_id=R1", "id: order_id_required"),
        ("id=XXX&refund_id=R1", "id: order_id_required"),
        ("id=1&amount=5", "refund_id: refund_id_missing"),
        ("id=1&amount=5&refund_id=all", "refund_id: refund_id_missing"),
        ("id=1&amount=5&refund_id=null", "refund_id: refund_id_missing"),
        ("id=1&refund_id=R1&amount=0", "amount: amount_zero"),
        ("id=1&refund_id=R1&amount=-0.00", "amount: amount_zero"),
        ("id=1&refund_id=R1&amount=-5", "amount: amount_negative"),
        ("id=1&refund_id=R1&amount=x", "amount: amount_invalid"),
        ("id=1&refund_id=R1&amount=0,123", "amount: amount_ambiguous"),
        ("id=1&refund_id=R1&amount=", "amount: amount_missing"),
        ("id=1&refund_id=R1&amount=%7Brefund%7D", "amount: amount_missing"),
        ("id=1&refund_id=R1&currency=PES", "currency: currency_unknown"),
        (&too_long, "refund_id: order_id_too_long"),
        ("id=1&refund_id=%FF", "refund_id: order_id_invalid"),
        ("amount=x", "id: order_id_required, amount: amount_invalid, refund_id: refund_id_missing"),
    ] {
        assert_eq!(told(&postback(&format!("{query}&type=refund"))), expected, "{query}");
    }
}

#[test]
fn chargebacks_are_read() {
    let opened = |what: &str| format!("chargeback {what} {ARRIVAL} of 1");
    for (query, expected) in [
        ("", opened("all whole open UNKNOWN")),
        ("&chargeback_id=C1&amount=5&reason=fraud", opened("C1 5.00 USD open FRAUD")),
        ("&amount=5", opened("all 5.00 USD open UNKNOWN")),
        ("&reason=other", opened("all whole open UNKNOWN")),
        ("&potential=1", opened("all whole potential UNKNOWN")),
        ("&potential=0", opened("all whole open UNKNOWN")),
        ("&status=Potential", opened("all whole potential UNKNOWN")),
        ("&status=open&closed_at=2026-09-01", opened("all whole open UNKNOWN")),
        (
            "&status=WON&potential=1",
            format!("chargeback all whole won UNKNOWN {ARRIVAL} closed {ARRIVAL} of 1"),
        ),
        (
            "&status=lost&closed_at=2026-09-01",
            "chargeback all whole lost UNKNOWN 2026-09-01T00:00:00Z closed 2026-09-01T00:00:00Z of 1".to_owned(),
        ),
        (
            "&status=accepted&requested_at=2026-08-01T12:00:00%2B02:00&closed_at=2026-09-01T00:00:00.5Z",
            "chargeback all whole accepted UNKNOWN 2026-08-01T10:00:00Z closed 2026-09-01T00:00:00.5Z of 1".to_owned(),
        ),
        ("&status=closed", "status: status_unknown".to_owned()),
        ("&amount=0", "amount: amount_zero".to_owned()),
        ("&requested_at=yesterday", "requested_at: time_invalid".to_owned()),
        ("&requested_at=1.9.2026", "requested_at: time_invalid".to_owned()),
        ("&requested_at=1969-12-31", "requested_at: time_invalid".to_owned()),
        ("&requested_at=1970-01-01T00:59:59%2B01:00", "requested_at: time_invalid".to_owned()),
        ("&requested_at=9999-01-01", "requested_at: time_invalid".to_owned()),
        ("&status=won&closed_at=1969-12-31", "closed_at: time_invalid".to_owned()),
        // Tomorrow it is somewhere already.
        (
            "&requested_at=2026-09-22T23:59:59.999Z",
            "chargeback all whole open UNKNOWN 2026-09-22T23:59:59.999Z of 1".to_owned(),
        ),
        ("&requested_at=2026-09-23", "requested_at: time_invalid".to_owned()),
        ("&requested_at=2999-01-01", "requested_at: time_invalid".to_owned()),
        ("&status=lost&closed_at=2026-09-23", "closed_at: time_invalid".to_owned()),
        // A day alone is as good as any moment of it.
        (
            "&status=lost&requested_at=2026-09-01T11:53:00Z&closed_at=2026-09-01",
            "chargeback all whole lost UNKNOWN 2026-09-01T11:53:00Z closed 2026-09-01T00:00:00Z of 1".to_owned(),
        ),
        (
            "&status=lost&requested_at=2026-09-01T11:53:00Z&closed_at=2026-08-31T23:59:59Z",
            "closed_at: time_invalid".to_owned(),
        ),
        ("&requested_at=2026-02-30", "requested_at: time_invalid".to_owned()),
        ("&requested_at=2026-09-01T10:00:00", "requested_at: time_invalid".to_owned()),
        ("&status=lost&closed_at=1788000000", "closed_at: time_invalid".to_owned()),
        ("&closed_at=x&chargeback_id=%00", "chargeback_id: order_id_invalid, closed_at: time_invalid".to_owned()),
    ] {
        assert_eq!(told(&postback(&format!("id=1&type=chargeback{query}"))), expected, "{query}");
    }
    assert_eq!(told(&postback("type=chargeback")), "id: order_id_required");
}

#[test]
fn only_the_secret_itself_takes_back() {
    let ts = (T0 / 1_000).to_string();
    let sig = tributary::domain::sign::signature(SECRET, ["shop", "1", "9", "", &ts]);
    let stranger = |query: &str| Sent { bearer: false, ..postback(query) };
    for kind in ["refund", "chargeback", "renewal", "upgrade", "trial", "lead"] {
        let query = format!("id=1&amount=9&refund_id=R1&type={kind}");
        let signed = format!("{query}&ts={ts}&sig={sig}");
        assert_eq!(told(&stranger(&query)), "key: unauthorized", "{kind}");
        assert_eq!(told(&stranger(&signed)), "type: type_unsigned", "{kind}");
        assert_eq!(
            told(&postback(&signed)),
            "type: type_unsigned",
            "{kind}: where it is sent, it alone decides"
        );
        let forged = signed.replace("id=1", "id=2");
        assert_eq!(
            told(&stranger(&forged)),
            "sig: signature_invalid, type: type_unsigned",
            "{kind}"
        );
        let with_key = stranger(&format!("{query}&key={SECRET}"));
        assert!(!told(&with_key).contains(": "), "{kind}");
    }
}

#[test]
fn a_refund_that_does_not_count_has_its_outcome() {
    for (query, expected) in [
        ("id=1&test=1", "test test"),
        ("refund_id=R1", "rejected order_id_required"),
        ("id=1&refund_id=R1&amount=0,123", "held amount_ambiguous"),
    ] {
        let hit = postback(&format!("{query}&type=refund"));
        assert_eq!(World::new().outcomes(&[hit]), [expected], "{query}");
    }
}

#[test]
fn a_takeback_is_settled_by_the_key_of_its_sale() {
    let world = World::new();
    let read = |sent: &Sent| {
        settlement::read(&Hit::decode(&sent.bytes()).unwrap(), &world.catalog, &world.keys)
    };
    let Read::Order(sale, _) = read(&pixel(0, "amount=9&id=Cafe%CC%81")) else { panic!("a sale") };
    for kind in ["refund", "chargeback"] {
        let sent = postback(&format!("id=%20Caf%C3%A9%20&type={kind}"));
        let Read::Takeback(key, told) = read(&sent) else { panic!("{kind}") };
        assert_eq!((key, told.hit, told.received_ms), (sale.clone(), sent.id, sent.at_ms));
    }
}

#[test]
fn the_first_verified_details_stand_as_a_unit() {
    let world = World::new();
    let order = |sent: &Sent| -> Order {
        let bytes = sent.bytes();
        match settlement::read(&Hit::decode(&bytes).unwrap(), &world.catalog, &world.keys) {
            Read::Order(_, order) => *order,
            other => panic!("{other:?}"),
        }
    };
    let hits = [
        pixel(0, "amount=9&id=1&tax=1&country=de"),
        pixel(1, "amount=9&id=1"),
        pixel(2, "amount=9&id=1&shipping=2").postback(),
        pixel(3, "amount=9&id=1&tax=3&type=renewal").postback(),
    ];
    assert!(order(&hits[1]).details.is_none());
    let of = |order: &Order| order.details.as_ref().map(|told| details(&told.value));
    for (which, expected) in [
        (&[0, 1][..], " tax 1.00 USD DE"),
        (&[0, 1, 2], " shipping 2.00 USD"),
        (&[0, 1, 2, 3], " shipping 2.00 USD"),
        (&[0, 3], " tax 3.00 USD auto_renewal"),
    ] {
        for back in [false, true] {
            let mut which = which.to_vec();
            if back {
                which.reverse();
            }
            let mut told = which.iter().map(|at| order(&hits[*at]));
            let mut all = told.next().unwrap();
            told.for_each(|other| all.join(other));
            assert_eq!(of(&all).as_deref(), Some(expected), "{which:?}");
            let json = serde_json::to_value(&all).unwrap();
            assert_eq!(serde_json::from_value::<Order>(json).unwrap(), all, "kept as it is");
        }
    }
    // A postback that tells nothing but details tells something.
    let mut world = World::new();
    let twice = [hits[1].clone().postback(), pixel(4, "amount=9&id=1&tax=1").postback()];
    assert_eq!(world.outcomes(&twice), ["converted no_referral", "merged"]);
}

#[test]
fn items_are_kept_whole_or_seen_to_be_cut() {
    let items = |text: &str| {
        let query = format!("amount=9&id=1&items={text}");
        let world = World::new();
        let bytes = pixel(0, &query).bytes();
        match intake::read(&Hit::decode(&bytes).unwrap(), &world.catalog) {
            Reading::Sale(_, _, sale) => sale.items,
            other => panic!("{other:?}"),
        }
    };
    for (text, expected) in [
        ("", None),
        ("OPTIONAL", None),
        ("%7Bitems%7D", None),
        ("A:1:5", Some("A:1:5")),
        ("%20[]%20", Some("[]")),
    ] {
        assert_eq!(items(text).as_deref(), expected, "{text}");
    }
    let lines = |n: usize| "A:1:5555,".repeat(n / 9) + &"A".repeat(n % 9);
    assert_eq!(items(&lines(8_192)), Some(lines(8_192)));
    let cut = items(&lines(8_193)).unwrap();
    assert!(
        cut.ends_with('…') && cut.chars().count() == 8_193,
        "what is cut is not taken for whole"
    );
}
