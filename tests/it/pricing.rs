//! What each structure of a plan pays, reckoned by hand: the arithmetic stands beside each case. No server.

use tributary::domain::commission::Terms;

use crate::sold::{Sold, money, shown, sold, terms};

const TEN: &str = r#"{"kind":"percent","rate":"10"}"#;

/// What it earns, and the sentence that tells how.
fn check(json: &str, cases: &[(Sold, &str)]) {
    let terms = terms(json);
    for (sale, expected) in cases {
        let told = match sale.priced(&terms) {
            Some(priced) => terms.explain(&sale.deal(), &priced),
            None => "a rate is missing".to_owned(),
        };
        assert_eq!(told, *expected, "{json} of {sale:?}");
        if let Some(priced) = sale.priced(&terms) {
            assert!(told.contains(&shown(priced.commission)), "{told} tells what it comes to");
        }
    }
}

#[test]
fn percent_and_flat() {
    check(
        TEN,
        &[
            (sold("19.95 USD"), "10 % of 19.95 USD = 2.00 USD"), // 1.995, to even 2.00
            (sold("39.95 USD"), "10 % of 39.95 USD = 4.00 USD"), // 3.995
            (sold("0.25 USD"), "10 % of 0.25 USD = 0.02 USD"),   // 0.025, to even 0.02
            (sold("0.35 USD"), "10 % of 0.35 USD = 0.04 USD"),   // 0.035, to even 0.04
            (sold("0.00 USD"), "10 % of 0.00 USD = 0.00 USD"),
            (sold("25 JPY"), "10 % of 25 JPY = 2 JPY"), // 2.5, to even 2
            (sold("35 JPY"), "10 % of 35 JPY = 4 JPY"), // 3.5, to even 4
            (sold("1.005 KWD"), "10 % of 1.005 KWD = 0.100 KWD"), // 0.1005, to even 0.100
            (sold("0.1235 CLF"), "10 % of 0.1235 CLF = 0.0124 CLF"), // 0.01235, to even 0.0124
        ],
    );
    check(
        r#"{"kind":"percent","rate":"7.5"}"#,
        &[(sold("1000 JPY"), "7.5 % of 1000 JPY = 75 JPY")],
    );
    check(
        r#"{"kind":"percent","rate":"0.5"}"#,
        &[(sold("1.001 KWD"), "0.5 % of 1.001 KWD = 0.005 KWD")], // 0.005005
    );
    check(
        r#"{"kind":"flat","amount":"5.00"}"#,
        &[
            (sold("1000 JPY"), "5.00 USD for each sale"),
            (sold("0.00 USD").lead(), "5.00 USD for each sale"),
        ],
    );
}

#[test]
fn for_each_item() {
    check(
        r#"{"kind":"flat","amount":"2.00","per":"item"}"#,
        &[
            (sold("60.00 USD").items("A:2:40.00 B:1:20.00"), "2.00 USD × 3 items = 6.00 USD"),
            // What was brought back is not sold; 1.5 kg are one and a half: 2.00 × 1.5.
            (sold("60.00 USD").items("A:-2:-40.00 B:1.5:20.00"), "2.00 USD × 1.5 items = 3.00 USD"),
            // Which items is not known, but there was something.
            (sold("60.00 USD"), "2.00 USD × 1 item = 2.00 USD"),
        ],
    );
    check(
        r#"{"kind":"flat","amount":"0.125","per":"item"}"#,
        &[(sold("1.000 KWD").home("KWD").items("A:7:1"), "0.125 KWD × 7 items = 0.875 KWD")],
    );
}

#[test]
fn less_tax_shipping_and_discount() {
    check(
        r#"{"kind":"percent","rate":"10","less":["tax","shipping","discount"]}"#,
        &[
            // 119.00 - 19.00 = 100.00
            (
                sold("119.00 USD").tax("19.00"),
                "10 % of 100.00 USD (119.00 USD less tax 19.00) = 10.00 USD",
            ),
            // 119.00 - 19.00 - 5.95 - 10.00 = 84.05; 8.405, to even 8.40
            (
                sold("119.00 USD").tax("19.00").shipping("5.95").discount("10.00"),
                "10 % of 84.05 USD (119.00 USD less tax 19.00, shipping 5.95, discount 10.00) = 8.40 USD",
            ),
            // Never below nothing.
            (
                sold("5.00 USD").shipping("5.95"),
                "10 % of 0.00 USD (5.00 USD less shipping 5.95) = 0.00 USD",
            ),
            (sold("119.00 USD"), "10 % of 119.00 USD = 11.90 USD"),
        ],
    );
    check(
        r#"{"kind":"percent","rate":"10","less":["shipping"]}"#,
        &[(
            sold("1100 JPY").tax("100").shipping("95"),
            "10 % of 1005 JPY (1100 JPY less shipping 95) = 100 JPY", // 100.5, to even 100
        )],
    );
}

#[test]
fn at_least_and_at_most() {
    check(
        r#"{"kind":"percent","rate":"10","minimum":"1.00","maximum":"50.00"}"#,
        &[
            (sold("3.00 USD"), "10 % of 3.00 USD, at least 1.00 USD = 1.00 USD"),
            (sold("499.00 USD"), "10 % of 499.00 USD = 49.90 USD"),
            (sold("501.00 USD"), "10 % of 501.00 USD, at most 50.00 USD = 50.00 USD"),
            (sold("0.00 USD").lead(), "10 % of 0.00 USD, at least 1.00 USD = 1.00 USD"),
        ],
    );
    check(
        r#"{"kind":"flat","amount":"2.00","per":"item","maximum":"5.00"}"#,
        &[(sold("9.00 USD").items("A:4:9.00"), "2.00 USD × 4 items, at most 5.00 USD = 5.00 USD")],
    );
}

#[test]
fn in_the_currency_of_the_program() {
    check(
        r#"{"kind":"percent","rate":"10","currency":"program"}"#,
        &[
            (sold("19.95 USD"), "10 % of 19.95 USD = 2.00 USD"),
            // 1.995 × 1.0865 = 2.1675675
            (sold("19.95 EUR").rate("1.0865"), "10 % of 19.95 EUR × 1.0865 = 2.17 USD"),
            // 100 × 0.00655 = 0.655, to even 0.66 (0.655 lies between 0.65 and 0.66)
            (sold("1000 JPY").rate("0.00655"), "10 % of 1000 JPY × 0.00655 = 0.66 USD"),
            (sold("19.95 EUR"), "a rate is missing"),
        ],
    );
    check(
        r#"{"kind":"percent","rate":"10","currency":"program"}"#,
        &[
            // 1.000 × 487.35
            (
                sold("10.000 KWD").home("JPY").rate("487.35"),
                "10 % of 10.000 KWD × 487.35 = 487 JPY",
            ),
            (
                sold("100.00 USD").home("CLF").rate("0.02705"),
                "10 % of 100.00 USD × 0.02705 = 0.2705 CLF",
            ),
        ],
    );
    // In the sale's currency, nothing is exchanged.
    check(TEN, &[(sold("19.95 EUR").rate("1.0865"), "10 % of 19.95 EUR = 2.00 EUR")]);
}

#[test]
fn by_article_and_category() {
    let json = r#"{"kind":"percent","rate":"10","rules":[
        {"when":{"sku":["BOOK-*"]},"kind":"percent","rate":"5"},
        {"when":{"category":["sale","outlet"]},"kind":"percent","rate":"2.5"},
        {"when":{"sku":["gift"]},"kind":"flat","amount":"1.00","per":"item"}]}"#;
    check(
        json,
        &[
            // All items by the default: 10 % of 30.00.
            (sold("30.00 USD").items("A:1:10.00 B:1:20.00"), "10 % of 30.00 USD = 3.00 USD"),
            // 5 % of 30.00 = 1.5; 10 % of 70.00 = 7.
            (
                sold("100.00 USD").items("book-7:1:30.00 X:1:70.00"),
                "rule 1: 5 % of 30.00 USD = 1.5; 10 % of 70.00 USD = 7; together 8.50 USD",
            ),
            // The first that holds: a book in the outlet is a book. 5 % of 40.00, 2.5 % of 60.00.
            (
                sold("100.00 USD").items("BOOK-1:1:40.00:outlet T:1:60.00:Sale"),
                "rule 1: 5 % of 40.00 USD = 2; rule 2: 2.5 % of 60.00 USD = 1.5; together 3.50 USD",
            ),
            // A flat amount and percent: 10 % of 80.00 = 8, two gifts for 1.00 each.
            (
                sold("100.00 USD").items("X:1:80.00 GIFT:2:20.00"),
                "10 % of 80.00 USD = 8; rule 3: 1.00 USD × 2 items = 2; together 10.00 USD",
            ),
            // The same from a sale in EUR: the commission is in USD. 10 % of 80.00 × 1.1 = 8.8.
            (
                sold("100.00 EUR").rate("1.1").items("X:1:80.00 GIFT:2:20.00"),
                "10 % of 80.00 EUR × 1.1 = 8.8; rule 3: 1.00 USD × 2 items = 2; together 10.80 USD",
            ),
            (sold("100.00 EUR").items("X:1:80.00 GIFT:2:20.00"), "a rate is missing"),
            // Without items nobody knows what was bought.
            (sold("100.00 USD"), "10 % of 100.00 USD = 10.00 USD"),
            // The order is 90.00, its items 100.00: a discount of 10 % on each. 5 % of 27.00, 10 % of 63.00.
            (
                sold("90.00 USD").items("BOOK-7:1:30.00 X:1:70.00"),
                "rule 1: 5 % of 27.00 USD = 1.35; 10 % of 63.00 USD = 6.3; together 7.65 USD",
            ),
            // Three equal thirds of 10.00: 3.34, 3.33, 3.33. 5 % of 3.34 = 0.167, 10 % of 6.66 = 0.666: 0.833.
            (
                sold("10.00 USD").items("BOOK-1:1:1.00 X:1:1.00 Y:1:1.00"),
                "rule 1: 5 % of 3.34 USD = 0.167; 10 % of 6.66 USD = 0.666; together 0.83 USD",
            ),
            // In yen: thirds of 100 are 34, 33, 33. 5 % of 34 = 1.7, 10 % of 66 = 6.6: 8.3.
            (
                sold("100 JPY").items("BOOK-1:1:1 X:1:1 Y:1:1"),
                "rule 1: 5 % of 34 JPY = 1.7; 10 % of 66 JPY = 6.6; together 8 JPY",
            ),
            // Items that cost nothing: equal parts of the whole.
            (
                sold("10.00 USD").items("BOOK-1:1:0 X:1:0"),
                "rule 1: 5 % of 5.00 USD = 0.25; 10 % of 5.00 USD = 0.5; together 0.75 USD",
            ),
        ],
    );
}

#[test]
fn a_flat_amount_of_a_rule_counts_once_and_its_bounds_hold_for_all_its_items() {
    check(
        r#"{"kind":"percent","rate":"10","rules":[
            {"when":{"category":["tv"]},"kind":"flat","amount":"15.00"},
            {"when":{"category":["book"]},"kind":"percent","rate":"10","maximum":"3.00"}]}"#,
        &[
            // Two television sets, once 15.00; 10 % of 100.00.
            (
                sold("900.00 USD").items("A:1:400.00:tv B:1:400.00:tv C:1:100.00"),
                "rule 1: 15.00 USD for each sale = 15; 10 % of 100.00 USD = 10; together 25.00 USD",
            ),
            // Books together 60.00: 6.00, at most 3.00.
            (
                sold("70.00 USD").items("A:1:30.00:book B:1:30.00:book C:1:10.00"),
                "rule 2: 10 % of 60.00 USD, at most 3.00 USD = 3; 10 % of 10.00 USD = 1; together 4.00 USD",
            ),
        ],
    );
}

#[test]
fn by_customer_country_coupon_type_origin_affiliate_and_group() {
    check(
        r#"{"kind":"percent","rate":"10","rules":[
            {"when":{"affiliate_ids":["22"]},"kind":"percent","rate":"20"},
            {"when":{"groups":["partners"],"customer":"new"},"kind":"percent","rate":"18"},
            {"when":{"coupon":["ANN10","ANN20"]},"kind":"percent","rate":"3"},
            {"when":{"type":"lead"},"kind":"flat","amount":"4.00"},
            {"when":{"origin":["auto_renewal","manual_renewal"]},"kind":"percent","rate":"2"},
            {"when":{"country":["DE","AT"]},"kind":"percent","rate":"12"},
            {"when":{"customer":"returning"},"kind":"percent","rate":"6"},
            {"when":{"origin":["new"],"customer":"new"},"kind":"percent","rate":"15"}]}"#,
        &[
            (sold("100.00 USD"), "10 % of 100.00 USD = 10.00 USD"),
            (sold("100.00 USD").by(22, "x"), "rule 1: 20 % of 100.00 USD = 20.00 USD"),
            (sold("100.00 USD").by(21, "partners"), "10 % of 100.00 USD = 10.00 USD"),
            (
                sold("100.00 USD").by(21, "Partners").returning(false),
                "rule 2: 18 % of 100.00 USD = 18.00 USD",
            ),
            (
                sold("100.00 USD").by(22, "partners").returning(false),
                "rule 1: 20 % of 100.00 USD = 20.00 USD",
            ),
            (sold("100.00 USD").coupon(" ann10 "), "rule 3: 3 % of 100.00 USD = 3.00 USD"),
            (sold("100.00 USD").lead(), "rule 4: 4.00 USD for each sale"),
            (sold("100.00 USD").origin("auto_renewal"), "rule 5: 2 % of 100.00 USD = 2.00 USD"),
            (sold("100.00 USD").origin("upgrade"), "10 % of 100.00 USD = 10.00 USD"),
            (
                sold("100.00 USD").country("AT").returning(true),
                "rule 6: 12 % of 100.00 USD = 12.00 USD",
            ),
            (
                sold("100.00 USD").country("FR").returning(true),
                "rule 7: 6 % of 100.00 USD = 6.00 USD",
            ),
            (sold("100.00 USD").returning(false), "rule 8: 15 % of 100.00 USD = 15.00 USD"),
        ],
    );
}

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
