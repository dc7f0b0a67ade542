//! What each structure of a plan pays, reckoned by hand: the arithmetic stands beside each case. No server.

use crate::sold::{Sold, currency, shown, sold, terms};

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
            (sold("119.00 USD").tax("0"), "10 % of 119.00 USD = 11.90 USD"),
        ],
    );
    check(
        r#"{"kind":"percent","rate":"10","less":["tax","shipping"],"rules":[
            {"when":{"sku":["BOOK-*"]},"kind":"percent","rate":"5"}]}"#,
        &[
            // Nothing is taken off that the shop did not send.
            (
                sold("100.00 USD").items("BOOK-7:1:30.00 X:1:70.00"),
                "rule 1: 5 % of 30.00 USD = 1.5; 10 % of 70.00 USD = 7; together 8.50 USD",
            ),
            // 5 % of 30.00, 10 % of 70.00: each its part of 119.00 - 19.00.
            (
                sold("119.00 USD").tax("19.00").items("BOOK-7:1:30.00 X:1:70.00"),
                "rule 1: 5 % of 30.00 USD (of 119.00 USD less tax 19.00) = 1.5; \
                 10 % of 70.00 USD (of 119.00 USD less tax 19.00) = 7; together 8.50 USD",
            ),
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
fn the_plans_of_the_document_can_be_made() {
    let document = include_str!("../../docs/INTEGRATION.md");
    let blocks = document.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let plans: Vec<&str> = blocks.filter(|block| block.starts_with("{\"kind\":")).collect();
    assert_eq!(plans.len(), 3);
    for plan in plans {
        let faults = terms(plan).faults(currency("EUR"));
        assert!(faults.is_empty(), "{plan}: {faults:?}");
    }
}
