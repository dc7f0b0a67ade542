//! What plans say, booked: items, groups, levels, touches, renewals and rates, in stories and in any order. No server.

use proptest::prelude::*;
use proptest::sample::Index;
use rust_decimal::Decimal;

use tributary::domain::catalog::{Affiliate, Model, Plan, Rows};
use tributary::domain::id::Id;
use tributary::domain::money::Currency;
use tributary::domain::rates::{Rate, Rates};

use crate::world::*;

/// Recruited Ann; and who recruited him.
const CAT: Id = 23;
const DAN: Id = 24;

fn story(model: Model, json: &str) -> Rows {
    let mut rows = rows();
    rows.programs[0].attribution = model;
    rows.programs[0].plans = vec![Plan { id: 40, from_ms: 0, terms: terms(json) }];
    let recruited = |id, by| Affiliate { recruited_by: by, ..affiliate(id) };
    rows.affiliates = vec![
        Affiliate { group: Some("gold".to_owned()), ..recruited(ANN, Some(CAT)) },
        recruited(BEN, None),
        recruited(CAT, Some(DAN)),
        recruited(DAN, None),
    ];
    rows
}

/// Two yen are a dollar cent, quoted a day before the story and since.
fn rates() -> Rates {
    let rate = |code: &str, on: &str, per_euro: i64| {
        let (currency, on) = (Currency::parse(code).unwrap(), on.parse().unwrap());
        (Rate { currency, on, per_euro: Decimal::from(per_euro) }, "ECB".to_owned())
    };
    // The story begins on 2026-09-21.
    [rate("USD", "2026-09-18", 1), rate("JPY", "2026-09-18", 200)].into_iter().collect()
}

/// What everybody is owed, in cents: `Ann 10.00 Cat 1.00`.
fn owed(world: &World) -> String {
    let names = [(ANN, "Ann"), (BEN, "Ben"), (CAT, "Cat"), (DAN, "Dan")];
    let told = names.into_iter().flat_map(|(id, name)| {
        let owed = ["JPY", "USD"].map(|currency| world.pending(id, currency));
        owed.into_iter().filter(|amount| !amount.is_empty()).map(move |a| format!("{name} {a}"))
    });
    told.collect::<Vec<_>>().join(" ")
}

fn check(model: Model, json: &str, cases: &[(&[Sent], &str)]) {
    for (hits, expected) in cases {
        let mut world = World::of(story(model, json));
        world.rates = rates();
        world.settle(hits);
        assert_eq!(owed(&world), *expected, "{json}: {hits:?}");
        // Told again, after everything that may change has changed: nothing moves, whatever else is told.
        let mut changed = story(model, json);
        changed.affiliates.iter_mut().for_each(|a| (a.group, a.recruited_by) = (None, None));
        let later = Plan {
            id: 41,
            from_ms: T0 + 400 * DAY,
            terms: terms(r#"{"kind":"flat","amount":"1"}"#),
        };
        changed.programs[0].plans.push(later);
        world.catalog = changed.into();
        let again = hits.iter().map(|hit| {
            let query = format!("{}&new=1", hit.query);
            Sent { id: hit.id + 7, query, ..hit.clone() }
        });
        world.settle(&again.collect::<Vec<_>>());
        assert_eq!(owed(&world), *expected, "{json} again: {hits:?}");
    }
}

fn ann() -> tributary::domain::token::Token {
    click_token(ANN, T0 - DAY, 1)
}

fn ben() -> tributary::domain::token::Token {
    click_token(BEN, T0 - 2 * DAY, 2)
}

fn sale(n: i64, query: &str) -> Sent {
    pixel(n, query).postback()
}

#[test]
fn rules_by_items_groups_and_details() {
    let json = r#"{"kind":"percent","rate":"10","less":["tax"],"rules":[
        {"when":{"sku":["B*"]},"kind":"percent","rate":"5"},
        {"when":{"country":["DE"]},"kind":"percent","rate":"1"},
        {"when":{"customer":"returning"},"kind":"percent","rate":"2"},
        {"when":{"groups":["gold"]},"kind":"percent","rate":"20"}]}"#;
    let by = |query: &str| vec![sale(0, &format!("amount=100&id=1{query}")).cookie(ann())];
    let other = vec![sale(0, "amount=100&id=1").cookie(ben())];
    check(
        Model::LastClick,
        json,
        &[
            (&by("&items=B1:1:30,A1:1:70"), "Ann 15.50"), // 5 % of 30 + 20 % of 70
            (&by("&items=B1:1"), "Ann 20.00"),            // unreadable: as a whole
            (&by("&tax=20"), "Ann 16.00"),
            (&by("&country=de"), "Ann 1.00"),
            (&by("&tax=20&country=de"), "Ann 0.80"),
            (&by(""), "Ann 20.00"),
            (&other, "Ben 10.00"),
        ],
    );
    let mut world = World::of(story(Model::LastClick, json));
    world.settle(&by("&items=B1:1"));
    world.settle(&[sale(9, "amount=100&id=2&items=B1:1:100&new=0").cookie(ben())]);
    let reasons = |id: &str| {
        let made = world.orders.values().find(|made| made.key.text == id).unwrap();
        made.reasons.clone()
    };
    assert_eq!(reasons("id:1"), ["items_unreadable"]);
    assert!(reasons("id:2").is_empty());
}

#[test]
fn a_plain_plan_asks_for_nothing() {
    use tributary::domain::hit::Hit;
    use tributary::domain::settlement;
    let world = World::new();
    let hits = [
        sale(0, "amount=2000&currency=JPY&id=1&customer=C1&items=B1:1:5").cookie(ann()),
        renewal(1, "r1"),
        pixel(5, "amount=20&id=2"),
    ];
    let read = |hit: &Sent| {
        settlement::read(&Hit::decode(&hit.bytes()).unwrap(), &world.catalog, &world.keys)
    };
    let reads = hits.iter().map(read).collect();
    let batch = settlement::batch(reads, Default::default(), &world.catalog);
    assert!(batch.customers(&world.catalog).is_empty());
    assert!(batch.rates_asked(&world.catalog).is_empty());
    let settled = batch.settle(&world.catalog, Default::default());
    assert_eq!((settled.conversions.len(), settled.ties.len()), (3, 0));
    let plain =
        |made: &settlement::Conversion| made.order.lookups.is_none() && made.shares.is_empty();
    assert!(settled.conversions.iter().all(plain));
}

#[test]
fn touches_share_and_recruiters_earn() {
    let json = r#"{"kind":"percent","rate":"10","levels":[{"rate":"10","of":"commission"},{"rate":"1","of":"sale"}]}"#;
    let both = |n| sale(n, "amount=100.10&id=1&tclid=").cookie(ann());
    let linear = Sent {
        cookie: format!("tr_{PROGRAM}={}~{}", ben().sign(&keys()), ann().sign(&keys())),
        ..both(0)
    };
    check(
        Model::Linear,
        json,
        &[
            // 10.01: of two equal parts the last touch has the cent. Cat 10 % of it, Dan 1 % of the sale.
            (std::slice::from_ref(&linear), "Ann 5.01 Ben 5.00 Cat 1.00 Dan 1.00"),
            (&[sale(0, "amount=100.10&id=1").cookie(ben())], "Ben 10.01"),
        ],
    );
    // Who is paused gets nothing, and nobody moves up.
    let mut rows = story(Model::Linear, json);
    rows.affiliates[2].paused_ms = Some(T0 - DAY);
    let mut world = World::of(rows);
    world.settle(std::slice::from_ref(&linear));
    assert_eq!(owed(&world), "Ann 5.01 Ben 5.00 Dan 1.00");
    let shares = &world.orders.values().next().unwrap().shares;
    assert_eq!(shares.iter().map(|share| share.part).collect::<Vec<_>>(), [1, 3]);
    world.settle(&[sale(60, "type=refund&id=1&refund_id=R&amount=50.05")]);
    assert_eq!(owed(&world), "Ann 2.51 Ben 2.50 Dan 0.50");
    world.settle(&[sale(90, "type=refund&id=1")]);
    assert_eq!(owed(&world), "");
}

#[test]
fn commissions_in_the_programs_currency() {
    let json = r#"{"kind":"percent","rate":"10","currency":"program"}"#;
    let yen = [sale(0, "amount=2000&currency=JPY&id=1").cookie(ann())];
    check(
        Model::LastClick,
        json,
        &[(&yen, "Ann 1.00"), (&[sale(0, "amount=20&id=1").cookie(ann())], "Ann 2.00")],
    );
    let mut world = World::of(story(Model::LastClick, json));
    assert_eq!(world.outcomes(&yen), ["held rate_missing"]);
    let made = world.orders.values().next().unwrap();
    assert!(made.held && made.reasons == ["rate_missing"] && made.booked.amount.amount.is_zero());
    world.rates = rates();
    world.settle(&[sale(5, "amount=2000&currency=JPY&id=1&new=1").cookie(ann())]);
    assert_eq!(owed(&world), "Ann 1.00");
    let made = world.orders.values().next().unwrap();
    assert!(!made.held && made.reasons.is_empty(), "{:?}", made.reasons);
    let rated = made.rated.as_ref().unwrap();
    let told = (rated.rate.to_string(), rated.on_date.to_string(), &*rated.source);
    assert_eq!(told, ("0.005".to_owned(), "2026-09-18".to_owned(), "ECB"));
}

fn renewal(days: i64, id: &str) -> Sent {
    sale(days * 86_400, &format!("amount=50&id={id}&customer=C1&type=renewal"))
}

#[test]
fn renewals_earn_for_the_months_after_the_first_sale() {
    let json = r#"{"kind":"percent","rate":"10","recurring":{"months":2}}"#;
    let first = sale(0, "amount=100&id=1&customer=C1").cookie(ann());
    let rival = sale(60, "amount=10&id=2&customer=C1").cookie(ben());
    let (one, two, three) = (renewal(30, "r1"), renewal(61, "r2"), renewal(91, "r3"));
    check(
        Model::LastClick,
        json,
        &[
            (&[first.clone(), one.clone(), two.clone(), three.clone()], "Ann 20.00"),
            (std::slice::from_ref(&one), ""),
            // By its own click, whoever the customer is of.
            (
                &[first.clone(), one.clone().cookie(click_token(BEN, T0 + 29 * DAY, 2))],
                "Ann 10.00 Ben 5.00",
            ),
            (&[rival.clone(), first.clone(), one.clone()], "Ann 15.00 Ben 1.00"),
        ],
    );
    check(
        Model::LastClick,
        r#"{"kind":"percent","rate":"10"}"#,
        &[(&[first.clone(), one.clone()], "Ann 10.00")],
    );
    // Whoever comes last, the first sale ties; what was booked for another goes back.
    let mut world = World::of(story(Model::LastClick, json));
    for (hit, expected) in [
        (&two, ""),
        (&rival, "Ben 6.00"),
        (&first, "Ann 15.00 Ben 1.00"),
        (&one, "Ann 20.00 Ben 1.00"),
        (&three, "Ann 20.00 Ben 1.00"),
    ] {
        world.settle(std::slice::from_ref(hit));
        assert_eq!(owed(&world), expected, "{hit:?}");
    }
    let made = world.orders.values().find(|made| made.key.text == "id:r2").unwrap();
    assert_eq!(made.order.credit().unwrap().by.code(), "customer");
    assert_eq!(made.renews.as_deref(), Some("C1"));
}

fn any_told() -> impl Strategy<Value = Sent> {
    let seconds = 0_i64..(100 * 86_400);
    (seconds, 0..6_u8, 0..3_u8, 0..4_u8, 0..4_u8, any::<bool>()).prop_map(
        |(at, order, who, customer, kind, yen)| {
            let money = if yen { "amount=2000&currency=JPY" } else { "amount=100" };
            let items = ["", "&items=B1:1:30,A1:2:35", "&items=x", ""][usize::from(customer)];
            let kind = ["", "&type=renewal", "&type=renewal", "&type=refund&refund_id=R"]
                [usize::from(kind)];
            let customer =
                if customer < 3 { format!("&customer=C{customer}") } else { String::new() };
            let query = format!("{money}&id={order}{customer}{items}{kind}");
            let hit = sale(at, &query);
            match who {
                0 => hit.cookie(click_token(ANN, T0 + at * 1_000 - DAY, 1)),
                1 => Sent {
                    cookie: format!(
                        "tr_{PROGRAM}={}~{}",
                        click_token(BEN, T0 + at * 1_000 - 2 * DAY, 2).sign(&keys()),
                        click_token(ANN, T0 + at * 1_000 - DAY, 1).sign(&keys())
                    ),
                    ..hit
                },
                _ => hit,
            }
        },
    )
}

/// The balances, and of each order what is known, whose it is, and what each has of it.
fn books(world: &World) -> (String, Vec<String>) {
    let mut orders: Vec<String> = world
        .orders
        .values()
        .map(|made| {
            let shares = made.shares.iter().filter(|share| !share.commission.amount.is_zero());
            let shares: Vec<_> =
                shares.map(|s| (s.part, s.affiliate_id, s.commission.amount)).collect();
            let (booked, held) = (made.booked, made.held);
            format!(
                "{:?} {:?} {} {held} {shares:?}",
                made.key, booked.affiliate_id, booked.amount.amount
            )
        })
        .collect();
    orders.sort();
    (format!("{:?}", world.balances), orders)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn neither_order_nor_batches_change_what_plans_say(
        hits in proptest::collection::vec(any_told(), 1..30),
        cuts in proptest::collection::vec(any::<Index>(), 0..8),
        swaps in proptest::collection::vec((any::<Index>(), any::<Index>()), 0..30),
        quoted in any::<bool>(),
    ) {
        let json = r#"{"kind":"percent","rate":"10","currency":"program","recurring":{"months":2},
            "rules":[{"when":{"sku":["B*"]},"kind":"percent","rate":"5"},
                     {"when":{"groups":["gold"]},"kind":"percent","rate":"20"}],
            "levels":[{"rate":"10","of":"commission"},{"rate":"1","of":"sale"}]}"#;
        let mut hits = hits;
        hits.iter_mut().enumerate().for_each(|(n, hit)| hit.id += n as i64);
        let mut straight = World::of(story(Model::Linear, json));
        let mut rough = World::of(story(Model::Linear, json));
        if quoted {
            straight.rates = rates();
            rough.rates = rates();
        }
        hits.iter().for_each(|hit| drop(straight.settle(std::slice::from_ref(hit))));
        for (a, b) in swaps {
            let (a, b) = (a.index(hits.len()), b.index(hits.len()));
            hits.swap(a, b);
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(hits.len())).collect();
        cuts.extend([0, hits.len()]);
        cuts.sort_unstable();
        for pair in cuts.windows(2).filter(|pair| pair[0] < pair[1]) {
            rough.settle(&hits[pair[0]..pair[1]]);
        }
        prop_assert_eq!(books(&straight), books(&rough));
    }
}
