//! What plans say beside the price of a sale: recruiters, renewals, rates; and how they are kept and told.

use tributary::domain::commission::Terms;

use crate::sold::{Sold, money, shown, sold, terms};

const TEN: &str = r#"{"kind":"percent","rate":"10"}"#;

#[test]
fn recruiters_earn_by_level() {
    let json = r#"{"kind":"percent","rate":"10","less":["tax"],"levels":[
        {"rate":"10","of":"commission"},{"rate":"2","of":"sale"},{"rate":"0.5","of":"sale"}]}"#;
    for (sale, depth, expected) in [
        // Commission 10 % of 100.00 = 10.00; 10 % of it; 2 % and 0.5 % of 100.00.
        (sold("119.00 USD").tax("19.00"), 9, vec!["1.00 USD", "2.00 USD", "0.50 USD"]),
        (sold("119.00 USD").tax("19.00"), 1, vec!["1.00 USD"]),
        (sold("119.00 USD").tax("19.00"), 0, vec![]),
        // 10 % of 45 = 4 (4.5, to even); of it 0.4, of 45 0.9 and 0.225.
        (sold("45 JPY"), 3, vec!["0 JPY", "1 JPY", "0 JPY"]),
        // 10 % of 1.005 = 0.100; of it 0.010; of 1.005 0.0201 and 0.005025.
        (sold("1.005 KWD"), 3, vec!["0.010 KWD", "0.020 KWD", "0.005 KWD"]),
    ] {
        let terms = terms(json);
        let commission = sale.priced(&terms).unwrap().commission;
        let levels = terms.levels(&sale.deal(), commission, depth).unwrap();
        assert_eq!(levels.into_iter().map(shown).collect::<Vec<_>>(), expected, "{sale:?}");
    }
    // Of a sale in EUR, when the commission is in USD: 2 % of 100.00 × 1.1 = 2.20.
    let terms = terms(r#"{"kind":"flat","amount":"5","levels":[{"rate":"2","of":"sale"}]}"#);
    let levels = |sale: Sold| terms.levels(&sale.deal(), money("5.00 USD"), 1);
    assert_eq!(levels(sold("100.00 EUR").rate("1.1")), Some(vec![money("2.20 USD")]));
    assert_eq!(levels(sold("100.00 EUR")), None);
    assert_eq!(levels(sold("100.00 USD")), Some(vec![money("2.00 USD")]));
}

#[test]
fn what_may_need_a_rate() {
    let home = crate::sold::currency("USD");
    for (json, sale, expected) in [
        (TEN, "EUR", false),
        (r#"{"kind":"percent","rate":"10","currency":"program"}"#, "EUR", true),
        (r#"{"kind":"percent","rate":"10","currency":"program"}"#, "USD", false),
        (r#"{"kind":"flat","amount":"1"}"#, "EUR", false),
        (r#"{"kind":"flat","amount":"1","levels":[{"rate":"1","of":"sale"}]}"#, "EUR", true),
        (
            r#"{"kind":"percent","rate":"1","rules":[{"when":{"sku":["A"]},"kind":"flat","amount":"1"}]}"#,
            "EUR",
            true,
        ),
    ] {
        let may = terms(json).may_convert(crate::sold::currency(sale), home);
        assert_eq!(may, expected, "{json} {sale}");
    }
}

#[test]
fn renewals_earn_for_calendar_months_and_a_day() {
    use jiff::tz::TimeZone;
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let ms = |text: &str| {
        let local: jiff::civil::DateTime = text.parse().unwrap();
        local.to_zoned(berlin.clone()).unwrap().timestamp().as_millisecond()
    };
    let year = r#"{"kind":"percent","rate":"10","recurring":{"months":12}}"#;
    let month = r#"{"kind":"percent","rate":"10","recurring":{"months":1}}"#;
    let life = r#"{"kind":"percent","rate":"10","recurring":{"months":null}}"#;
    for (json, tied, renewed, expected) in [
        (TEN, "2026-01-15T10:00", "2026-02-15T10:00", false),
        (year, "2026-01-15T10:00", "2026-02-15T10:00", true),
        // The twelfth renewal, some hours late; one day late; and the thirteenth.
        (year, "2026-01-15T10:00", "2027-01-15T10:00", true),
        (year, "2026-01-15T10:00", "2027-01-16T09:59", true),
        (year, "2026-01-15T10:00", "2027-01-16T10:00", false),
        (year, "2026-01-15T10:00", "2027-02-15T10:00", false),
        // One month after the last of January is the last of February.
        (month, "2026-01-31T10:00", "2026-02-28T10:00", true),
        (month, "2026-01-31T10:00", "2026-03-01T10:00", false),
        (month, "2024-01-31T10:00", "2024-02-29T23:00", true),
        // By the calendar, not by hours: in between the clocks were put forward, and the day is 23 hours long.
        (month, "2026-02-28T10:00", "2026-03-29T09:59", true),
        (month, "2026-02-28T10:00", "2026-03-29T10:00", false),
        (life, "2026-01-15T10:00", "2126-01-15T10:00", true),
    ] {
        let earns = terms(json).renewal_earns(ms(tied), ms(renewed), &berlin);
        assert_eq!(earns, expected, "{json} {tied} {renewed}");
    }
}

#[test]
fn terms_are_read_as_they_are_written() {
    for json in [
        TEN,
        r#"{"kind":"flat","amount":"5.00"}"#,
        r#"{"kind":"flat","amount":"5.00","per":"item","minimum":"1","maximum":"2"}"#,
        r#"{"kind":"percent","rate":"10","less":["tax","discount"],"currency":"program",
            "rules":[{"when":{"sku":["A*"],"category":["b"],"customer":"new","country":["DE"],"coupon":["X"],
                "type":"lead","origin":["upgrade"],"affiliate_ids":["7516192768000000000"],"groups":["g"]},
                "kind":"flat","amount":"1","per":"item"}],
            "tiers":{"by":"volume","on":"margin","steps":[{"from":"1000.00","rate":"12"}]},
            "bonuses":[{"by":"count","from":"10","amount":"100.00"}],"cap":"1000.00",
            "recurring":{"months":null},"levels":[{"rate":"10","of":"commission"}]}"#,
    ] {
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_value(terms(json)).unwrap(), value);
    }
    // What is not known is not left out: the rest of the terms would mean something else.
    for json in [
        r#"{"kind":"gift"}"#,
        r#"{"kind":"percent"}"#,
        r#"{"kind":"flat","rate":"5"}"#,
        r#"{"kind":"percent","rate":"5","amount":"5"}"#,
        r#"{"kind":"percent","rate":"5","per":"item"}"#,
        r#"{"kind":"percent","rate":"5","colour":"red"}"#,
        r#"{"kind":"percent","rate":"5","rules":[{"when":{"colour":["red"]},"kind":"flat","amount":"1"}]}"#,
        r#"{"kind":"percent","rate":"5","rules":[{"when":{},"kind":"flat","amount":"1","x":1}]}"#,
        r#"{"kind":"percent","rate":"5","levels":[{"rate":"1","of":"commission","x":1}]}"#,
    ] {
        assert!(serde_json::from_str::<Terms>(json).is_err(), "{json}");
    }
}

#[test]
fn what_is_known_of_a_booked_sale_is_told_and_no_more() {
    for (json, sale, commission, expected) in [
        (TEN, "19.95 USD", "2.00 USD", "10 % of 19.95 USD = 2.00 USD"),
        (r#"{"kind":"flat","amount":"5"}"#, "9 JPY", "5.00 USD", "5.00 USD for each sale"),
        (
            r#"{"kind":"percent","rate":"10","less":["tax"]}"#,
            "119.00 USD",
            "10.00 USD",
            "by the plan's rules 10.00 USD on 119.00 USD",
        ),
    ] {
        assert_eq!(terms(json).explain_booked(money(sale), money(commission)), expected);
    }
}

#[test]
fn plans_in_words() {
    for (json, expected) in [
        (TEN, "10 % of each sale"),
        (r#"{"kind":"flat","amount":"5"}"#, "5.00 USD for each sale or lead"),
        (
            r#"{"kind":"flat","amount":"5","per":"item","cap":"100","recurring":{"months":12},
                "bonuses":[{"by":"count","from":"1","amount":"1"},{"by":"count","from":"2","amount":"1"}],
                "levels":[{"rate":"1","of":"sale"}]}"#,
            "5.00 USD for each item, 2 bonuses, at most 100.00 USD a month, renewals for 12 months, 1 level",
        ),
    ] {
        assert_eq!(terms(json).words("USD"), expected);
    }
}
