//! What months are due: tiers, bonuses and the cap, reckoned by hand. No server.

use tributary::domain::commission::Terms;
use tributary::domain::commission::months::{Booked, Due, due};

use crate::sold::{currency, decimal, money, shown, terms};

/// A month's sale as `volume base commission`, such as `100 100.00 10.00 USD`; `-` where a sale has no volume.
fn booked<'a>(sales: &[&str], terms: &'a Terms) -> Vec<Booked<'a>> {
    let sale = |(at, text): (usize, &&str)| {
        let [volume, base, commission, code] = text.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{text}");
        };
        Booked {
            id: at as i64,
            at_ms: at as i64,
            volume: (volume != "-").then(|| decimal(volume)),
            counts: true,
            base: decimal(base),
            commission: money(&format!("{commission} {code}")),
            terms,
        }
    };
    sales.iter().enumerate().map(sale).collect()
}

fn told(due: &Due) -> (Vec<String>, Vec<String>) {
    let extra = due.extra.iter().map(|extra| shown(*extra)).collect();
    (extra, due.lines.iter().map(|line| line.told()).collect())
}

fn check(json: &str, sales: &[&str], extra: &[&str], lines: &[&str]) {
    let terms = terms(json);
    let month = booked(sales, &terms);
    let due = due(&month, &terms, currency("USD"));
    let (got, told) = told(&due);
    assert_eq!(got, extra, "{json} {sales:?}: {told:?}");
    assert_eq!(told, lines, "{json} {sales:?}");
}

const WHOLE: &str = r#"{"kind":"percent","rate":"10","tiers":{"by":"volume","on":"whole",
    "steps":[{"from":"1000.00","rate":"12"},{"from":"2000.00","rate":"15"}]}}"#;
const MARGIN: &str = r#"{"kind":"percent","rate":"10","tiers":{"by":"volume","on":"margin",
    "steps":[{"from":"1000.00","rate":"12"},{"from":"2000.00","rate":"15"}]}}"#;
const COUNT_WHOLE: &str = r#"{"kind":"percent","rate":"10","tiers":{"by":"count","on":"whole",
    "steps":[{"from":"3","rate":"20"}]}}"#;
const COUNT_MARGIN: &str = r#"{"kind":"percent","rate":"10","tiers":{"by":"count","on":"margin",
    "steps":[{"from":"3","rate":"20"}]}}"#;

#[test]
fn tiers_on_the_whole() {
    check(WHOLE, &[], &[], &[]);
    check(WHOLE, &["999.99 999.99 100.00 USD"], &[], &[]);
    // 12 % of 1000.00 = 120.00, booked at 10 %: 100.00.
    check(
        WHOLE,
        &["400 400 40.00 USD", "600 600 60.00 USD"],
        &["20.00 USD"],
        &["12 % of 1000.00 USD rather than 10 %: 20.00 USD more"],
    );
    // 5 % more of 2000.01 = 100.0005.
    check(
        WHOLE,
        &["1500 1500 150.00 USD", "500.01 500.01 50.00 USD"],
        &["100.00 USD"],
        &["15 % of 2000.01 USD rather than 10 %: 100.00 USD more"],
    );
    // Of the second sale a rule priced half; tiers give more for the other half: 2 % of 700.
    check(
        WHOLE,
        &["400 400 40.00 USD", "600 300 45.00 USD"],
        &["14.00 USD"],
        &["12 % of 700.00 USD rather than 10 %: 14.00 USD more"],
    );
}

#[test]
fn tiers_on_the_margin() {
    // What lies beyond 1000.00: 200.00, 2 % more of it.
    check(
        MARGIN,
        &["400 400 40.00 USD", "800 800 80.00 USD"],
        &["4.00 USD"],
        &["10 % of 1000.00 USD and 12 % of 200.00 USD rather than 10 %: 4.00 USD more"],
    );
    check(MARGIN, &["1000 1000 100.00 USD"], &[], &[]);
    // One sale over all steps: 1000 at 10, 1000 at 12, 500 at 15: 20 + 25 more.
    check(
        MARGIN,
        &["2500 2500 250.00 USD"],
        &["45.00 USD"],
        &[
            "10 % of 1000.00 USD and 12 % of 1000.00 USD and 15 % of 500.00 USD rather than 10 %: 45.00 USD more",
        ],
    );
    // The percent are of 1000.00, the volume with tax is 1250.00: a fifth lies beyond, 200.00.
    check(
        MARGIN,
        &["1250 1000 100.00 USD"],
        &["4.00 USD"],
        &["10 % of 800.00 USD and 12 % of 200.00 USD rather than 10 %: 4.00 USD more"],
    );
}

#[test]
fn tiers_by_count() {
    check(COUNT_WHOLE, &["1 100 10.00 USD", "1 100 10.00 USD"], &[], &[]);
    // Three: all 300.00 at 20 %.
    check(
        COUNT_WHOLE,
        &["1 100 10.00 USD", "1 100 10.00 USD", "1 100 10.00 USD"],
        &["30.00 USD"],
        &["20 % of 300.00 USD rather than 10 %: 30.00 USD more"],
    );
    // From the third on: 50.00 + 30.00 at 20 %.
    check(
        COUNT_MARGIN,
        &["1 100 10.00 USD", "1 100 10.00 USD", "1 50 5.00 USD", "1 30 3.00 USD"],
        &["8.00 USD"],
        &["10 % of 200.00 USD and 20 % of 80.00 USD rather than 10 %: 8.00 USD more"],
    );
}

#[test]
fn tiers_in_several_currencies() {
    // The volume is 600 + 440 (400 EUR at 1.1); 2 % more of 600.00 USD and of 400.00 EUR, never added.
    check(
        WHOLE,
        &["600 600 60.00 USD", "440 400 40.00 EUR"],
        &["8.00 EUR", "12.00 USD"],
        &[
            "12 % of 600.00 USD rather than 10 %: 12.00 USD more",
            "12 % of 400.00 EUR rather than 10 %: 8.00 EUR more",
        ],
    );
    // Nobody quotes the second sale's currency: it does not help to reach the step, but is paid by it.
    check(WHOLE, &["600 600 60.00 USD", "- 400 40.00 EUR"], &[], &[]);
    check(
        WHOLE,
        &["1000 1000 100.00 USD", "- 45 4 JPY"],
        &["1 JPY", "20.00 USD"], // 0.9 JPY
        &[
            "12 % of 1000.00 USD rather than 10 %: 20.00 USD more",
            "12 % of 45 JPY rather than 10 %: 1 JPY more",
        ],
    );
    check(
        WHOLE,
        &["1000 1.005 0.100 KWD", "- 0.1235 0.0124 CLF"],
        &["0.0025 CLF", "0.020 KWD"], // 2 % of 0.1235 = 0.00247; 2 % of 1.005 = 0.0201
        &[
            "12 % of 1.005 KWD rather than 10 %: 0.020 KWD more",
            "12 % of 0.1235 CLF rather than 10 %: 0.0025 CLF more",
        ],
    );
}

#[test]
fn tiers_keep_the_bounds_of_a_commission() {
    // At 10 % 60.00, at most 50.00; at 12 % no more than that. The small one: 10.00, 12.00.
    check(
        r#"{"kind":"percent","rate":"10","maximum":"50.00","tiers":{"by":"volume","on":"whole",
            "steps":[{"from":"500","rate":"12"}]}}"#,
        &["600 600 50.00 USD", "100 100 10.00 USD"],
        &["2.00 USD"],
        &["12 % of 700.00 USD rather than 10 %, within minimum and maximum: 2.00 USD more"],
    );
}

#[test]
fn bonuses_and_the_cap() {
    let json = r#"{"kind":"percent","rate":"10","cap":"150.00","bonuses":[
        {"by":"volume","from":"500.00","amount":"20.00"},{"by":"volume","from":"1000.00","amount":"50.00"},
        {"by":"count","from":"2","amount":"5.00"}]}"#;
    check(json, &["499.99 499.99 50.00 USD"], &[], &[]);
    // Each that is reached: 20 + 5.
    check(
        json,
        &["300 300 30.00 USD", "200 200 20.00 USD"],
        &["25.00 USD"],
        &[
            "bonus from 500.00 USD on, 500.00 USD reached: 20.00 USD",
            "bonus from 2 sales on, 2 sales reached: 5.00 USD",
        ],
    );
    // 100 + 20 + 50 + 5 = 175, at most 150: 25 cut, 50 more than was booked.
    check(
        json,
        &["900 900 90.00 USD", "100 100 10.00 USD"],
        &["50.00 USD"],
        &[
            "bonus from 500.00 USD on, 1000.00 USD reached: 20.00 USD",
            "bonus from 1000.00 USD on, 1000.00 USD reached: 50.00 USD",
            "bonus from 2 sales on, 2 sales reached: 5.00 USD",
            "at most 150.00 USD a month, 175.00 USD earned: -25.00 USD",
        ],
    );
    // Of what is in EUR the cap knows nothing. 2000.00 USD earn 200.00, with 20 and 50: 270, 120 cut.
    check(
        json,
        &["2000 2000 200.00 USD"],
        &["-50.00 USD"],
        &[
            "bonus from 500.00 USD on, 2000.00 USD reached: 20.00 USD",
            "bonus from 1000.00 USD on, 2000.00 USD reached: 50.00 USD",
            "at most 150.00 USD a month, 270.00 USD earned: -120.00 USD",
        ],
    );
    check(json, &["- 9000 900.00 EUR"], &[], &[]);
}

#[test]
fn tiers_are_those_of_the_version_that_priced_the_sale() {
    let (old, new) = (terms(WHOLE), terms(r#"{"kind":"percent","rate":"8"}"#));
    let mut month = booked(&["600 600 60.00 USD"], &old);
    month.extend(booked(&["500 500 40.00 USD"], &new));
    // The month reached 1100.00, of which the old terms priced 600.00: 2 % of that.
    let (extra, lines) = told(&due(&month, &new, currency("USD")));
    assert_eq!(extra, ["12.00 USD"]);
    assert_eq!(lines, ["12 % of 600.00 USD rather than 10 %: 12.00 USD more"]);
    // A share of another's sale helps to reach neither volume nor number, but the cap knows of it.
    let capped = terms(r#"{"kind":"percent","rate":"10","cap":"50.00"}"#);
    let mut month = booked(&["- 0 60.00 USD"], &capped);
    month[0].counts = false;
    assert_eq!(told(&due(&month, &capped, currency("USD"))).0, ["-10.00 USD"]);
}
