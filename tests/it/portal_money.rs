//! The pages of the money: who sees forms, what is escaped, and that a form does what it does once.

use crate::rooms::{EVIL, Said, World};

const PAGES: [&str; 7] = [
    "/advertiser/sales",
    "/advertiser/sales/1001",
    "/advertiser/sales?status=payable&from=2020-01-01&order=A-1004",
    "/advertiser/payouts",
    "/advertiser/adjustments",
    "/advertiser/statements",
    "/advertiser/statements/11",
];

#[tokio::test]
async fn who_may_only_look_sees_no_form() {
    let world = World::new().await;
    let anna = world.cookie("key-of-anna-advertiser-0000000000").await;
    let forms = async |cookie: &str, path: &str| {
        let page = world.get(path, cookie).await;
        assert_eq!(page.status, 200, "{path}");
        let text = page.text();
        assert!(!text.contains(EVIL), "{path}");
        text.matches("method=\"post\"").count() - 1 // Signing out is for all.
    };
    let mut all = 0;
    for path in PAGES {
        all += forms(&anna, path).await;
    }
    assert!(all >= 6, "{all} forms");
    let read = "update api_keys set scopes = '{read}' where advertiser_id = 1";
    world.db.execute(read, &[]).await.unwrap();
    for path in PAGES {
        assert_eq!(forms(&anna, path).await, 0, "{path}");
    }
    for path in ["/advertiser/payouts", "/advertiser/adjustments", "/advertiser/sales/verdicts"] {
        assert_eq!(world.post(path, &anna, "program=101").await.status, 403, "{path}");
    }
    assert_eq!(world.get("/advertiser/payout-runs/1/file", &anna).await.status, 403);
}

#[tokio::test]
async fn a_form_that_is_sent_again_does_nothing_twice() {
    let world = World::new().await;
    let anna = world.cookie("key-of-anna-advertiser-0000000000").await;
    let booked = async || -> i64 {
        let count = "select count(*) from transfers where code = 'adjust'";
        world.db.query_one(count, &[]).await.unwrap().get(0)
    };
    let form = |amount: &str, once: &str| {
        format!("program=101&affiliate=11&amount={amount}&currency=EUR&reason=a+gift&once={once}")
    };
    let key = "k".repeat(43);
    for _ in 0..3 {
        let answer = world.post("/advertiser/adjustments", &anna, &form("-2,50", &key)).await;
        let location = answer.said("location").to_owned();
        assert_eq!((answer.status, &*location), (303, "/advertiser/adjustments?done=adjusted"));
    }
    assert_eq!(booked().await, 1);
    for (form, words) in [
        (form("3.00", &key), "was sent before, filled in otherwise"),
        (form("3.00", "short"), "did not come whole"),
        (form("1,2,3", &"l".repeat(43)), "can be read in two ways"),
        (form("0", &"m".repeat(43)), "is zero"),
    ] {
        let answer = world.post("/advertiser/adjustments", &anna, &form).await;
        assert_eq!(answer.status, 422, "{form}");
        assert!(answer.text().contains(words), "{form}: {}", answer.text());
    }
    assert_eq!(booked().await, 1);
    // Another's program or affiliate is not there.
    let strange = "program=102&affiliate=12&amount=1&currency=USD&reason=x&once=".to_owned();
    let answer = world.post("/advertiser/adjustments", &anna, &(strange + &"n".repeat(43))).await;
    assert_eq!(answer.status, 404);
    // A refused form may be sent again, put right.
    let answer = world.post("/advertiser/adjustments", &anna, &form("4", &"m".repeat(43))).await;
    assert_eq!(answer.status, 303);
    assert_eq!(booked().await, 2);
}

#[tokio::test]
async fn a_payout_goes_its_way_and_its_statement_foots() {
    let world = World::new().await;
    let anna = world.cookie("key-of-anna-advertiser-0000000000").await;
    let once = |n: u8| format!("&once={}", char::from(b'a' + n).to_string().repeat(43));
    let post = async |path: &str, form: &str, n: u8| {
        let answer = world.post(path, &anna, &(form.to_owned() + &once(n))).await;
        assert_eq!(answer.status, 303, "{path} {form}: {}", answer.text());
        answer.said("location").to_owned()
    };
    let run = post("/advertiser/payouts", "program=101", 0).await;
    let run = run.split('?').next().unwrap().to_owned();
    let page = world.get(&run, &anna).await.text();
    assert!(page.contains("100 JPY"), "{page}");
    let payout = page.split("/advertiser/payouts/").nth(1).unwrap().split('"').next().unwrap();
    let payout = format!("/advertiser/payouts/{payout}");
    // What goes back before anybody approves is looked at again.
    let adjust = "program=101&affiliate=11&currency=JPY&reason=x&amount=";
    post("/advertiser/adjustments", &format!("{adjust}-1"), 5).await;
    for (path, n) in [(&run, 6), (&payout, 7)] {
        let outdated = world.post(path, &anna, &format!("step=approve{}", once(n))).await;
        assert_eq!(outdated.status, 422, "{path}");
        assert!(outdated.text().contains(": 1 JPY less. Cancel"), "{}", outdated.text());
    }
    post("/advertiser/adjustments", &format!("{adjust}1"), 8).await;
    let strange = world.post(&run, &anna, &format!("step=approve&method=cash{}", once(9))).await;
    assert!(strange.status == 422 && strange.text().contains("no such method"));
    assert!(post(&run, "step=approve&method=sepa", 10).await.ends_with("done=run&n=0"));
    assert!(post(&run, "step=approve", 1).await.ends_with("done=run&n=1"));
    let file = world.get(&format!("{run}/file?format=csv"), &anna).await;
    assert!(file.said("content-disposition").starts_with("attachment"), "{:?}", file.headers);
    let blocked = world.get(&format!("{run}/file?format=sepa"), &anna).await;
    assert_eq!(blocked.status, 422);
    assert!(blocked.text().contains("the affiliate had no payee_method"));
    let unknown = world.get(&format!("{run}/file?format=xls"), &anna).await;
    assert_eq!(unknown.status, 422);
    assert!(unknown.text().contains("There is no such file."));
    assert!(post(&payout, "step=pay&reference=BANK-7", 2).await.ends_with("done=paid"));
    let late = world.post(&payout, &anna, &format!("step=cancel{}", once(3))).await;
    assert_eq!(late.status, 422);
    assert!(late.text().contains("It is paid by now."));
    let xenia = world.cookie("key-of-xenia-affiliate-0000000000").await;
    let statement = world.get("/affiliate/statement", &xenia).await.text();
    for told in ["-100 JPY", "0 JPY", "BANK-7", "paid out"] {
        assert!(statement.contains(told), "{told}: {statement}");
    }
    assert!(post(&payout, "step=fail&reason=no+such+account", 4).await.ends_with("done=failed"));
    let statement = world.get("/affiliate/statement", &xenia).await.text();
    assert!(statement.contains("came back: the payout failed"));
    let table = world.get("/affiliate/statement?format=csv", &xenia).await;
    assert!(table.text().contains("\"closing\""), "{}", table.text());
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_and_does_nothing() {
    let world = World::new().await;
    let anna = world.cookie("key-of-anna-advertiser-0000000000").await;
    let once = |n: usize| format!("&once={}", format!("form-{n:02}").repeat(5));
    let forms = [
        ("/advertiser/payouts", "program=101&until=31.01.2020", "A day cannot be read"),
        ("/advertiser/payouts", "program=101&until=2020-02-30", "A day cannot be read"),
        ("/advertiser/payouts", "program=101&until=1900-01-01", "A day is too early or too late"),
        ("/advertiser/payouts", "program=1o1", "There is no such program"),
        ("/advertiser/adjustments", "program=101&affiliate=x", "There is no such affiliate"),
        ("/advertiser/sales/1001/chargeback", "stage=open&requested=1/2/2020", "A day cannot"),
        ("/advertiser/sales/1001/chargeback", "stage=open&reason=spite", "Please choose why"),
        ("/advertiser/sales/1001/verdict", "verdict=approve&revision=x", "It changed meanwhile"),
        ("/advertiser/sales/verdicts?status=x", "verdict=approve&ids=1001", "no such status"),
    ];
    for (n, (path, form, words)) in forms.into_iter().enumerate() {
        let answer = world.post(path, &anna, &(form.to_owned() + &once(n))).await;
        assert_eq!(answer.status, 422, "{path} {form}");
        assert!(answer.text().contains(words), "{path} {form}: {}", answer.text());
    }
    let done = "select (select count(*) from payouts) + (select count(*) from chargebacks)
                     + (select count(*) from adjustments) + (select count(*) from conversions where status = 'payable')";
    let done: i64 = world.db.query_one(done, &[]).await.unwrap().get(0);
    assert_eq!(done, 1, "but for the one that was payable before");
    let xenia = world.cookie("key-of-xenia-affiliate-0000000000").await;
    let operator = world.cookie(&world.app.admin_key).await;
    for (cookie, path, words) in [
        (&anna, "/advertiser/sales?status=lost", "There is no such status"),
        (&anna, "/advertiser/sales?program=x", "There is no such program"),
        (&anna, "/advertiser/sales?from=yesterday", "A day cannot be read"),
        (&anna, "/advertiser/sales?to=2026-13-01", "A day cannot be read"),
        (&anna, "/advertiser/sales?before=x", "This place in the list"),
        (&anna, "/advertiser/payouts?status=due", "There is no such status"),
        (&anna, "/advertiser/payouts?program=x", "There is no such program"),
        (&anna, "/advertiser/adjustments?before=x", "This place in the list"),
        (&anna, "/advertiser/statements/11?month=2026-13", "The month cannot be read"),
        (&anna, "/advertiser/statements/11?month=x&format=csv", "The month cannot be read"),
        (&anna, "/advertiser/statements/11?format=xls", "There is no such format"),
        (&anna, "/advertiser?before=x", "This place in the list"),
        (&xenia, "/affiliate?days=31", "There is no such window"),
        (&xenia, "/affiliate?before=x", "This place in the list"),
        (&xenia, "/affiliate/statement?month=May", "The month cannot be read"),
        (&operator, "/audit-log?before=x", "This place in the list"),
        (&operator, "/people?before=x", "This place in the list"),
        (&operator, "/keys?before=x", "This place in the list"),
    ] {
        let answer = world.get(path, cookie).await;
        assert_eq!(answer.status, 422, "{path}");
        let text = answer.text();
        assert!(text.contains(words), "{path}: {text}");
        assert!(!text.contains("A-1004"), "{path} shows other sales than were asked for: {text}");
    }
    // What is left empty was not asked for.
    for path in
        ["/advertiser/sales?status=&program=&from=&to=&order=", "/advertiser/payouts?status="]
    {
        assert_eq!(world.get(path, &anna).await.status, 200, "{path}");
    }
    let early = "program=101&until=2020-01-01".to_owned() + &once(90);
    assert_eq!(world.post("/advertiser/payouts", &anna, &early).await.status, 303);
    let paid = "select count(*) from payouts";
    assert_eq!(world.db.query_one(paid, &[]).await.unwrap().get::<_, i64>(0), 0);
}

/// What the sale 1001 was decided by.
const FACTS: &str = r#"update conversions set facts = '{
    "speaker": {"unverified": true, "hit": 1001, "value": 0}, "order_id": "1", "coupon": null, "customer": null,
    "money": {"unverified": true, "hit": 1001, "value": {"amount": "19.95", "currency": "EUR"}},
    "new_customer": null, "items": null, "channels": 1, "clicks": [], "amount_differs": false, "revived": false,
    "notes": [], "attribution": {"unverified": true, "hit": 1001, "value": {
      "by": "click_token", "affiliate_id": 11, "link_id": 171, "click_id": 901, "at_ms": 0}}}' where id = 1001"#;

#[tokio::test]
async fn no_more_is_refunded_by_hand_than_is_left_of_the_sale() {
    let world = World::new().await;
    world.db.execute(FACTS, &[]).await.unwrap();
    let anna = world.cookie("key-of-anna-advertiser-0000000000").await;
    let refund = async |amount: &str, n: usize| {
        let form = format!("amount={amount}&once={}", format!("form-{n:02}").repeat(5));
        world.post("/advertiser/sales/1001/refund", &anna, &form).await
    };
    let form = format!("refund_id=R-1&once={}", "form-00".repeat(5));
    let partial = world.post("/advertiser/sales/1001/refund", &anna, &form).await;
    assert_eq!(partial.status, 422, "{}", partial.text());
    assert!(partial.text().contains("did not come whole"));
    for (n, amount, expected) in [
        (1, "1,234", 422),
        (2, "19.96", 422),
        (3, "9.95", 303),
        (3, "9.95", 303), // sent twice
        (4, "10.01", 422),
        (4, "10.00", 303), // put right
        (5, "0.01", 422),
        (6, "", 303), // all of it: nothing more
    ] {
        let answer = refund(amount, n).await;
        assert_eq!(answer.status, expected, "{amount}: {}", answer.text());
        let is_told = answer.text().contains("more than is left of the sale");
        assert_eq!(is_told, expected == 422, "{amount}");
    }
    let kept = "select string_agg(coalesce(amount::text, 'all'), ' ' order by id) from refunds";
    let kept: String = world.db.query_one(kept, &[]).await.unwrap().get(0);
    assert_eq!(kept, "9.95 10.00 all");
    let left = "select status || ' ' || refunded from conversions where id = 1001";
    let left: String = world.db.query_one(left, &[]).await.unwrap().get(0);
    assert_eq!(left, "reversed 19.95");
}

#[tokio::test]
async fn nobody_owes_to_whom_a_payout_is_under_way() {
    let world = World::new().await;
    let anna = world.cookie("key-of-anna-advertiser-0000000000").await;
    let post = async |path: &str, form: &str, n: usize| {
        let form = format!("{form}&once={}", format!("form-{n:02}").repeat(5));
        let answer = world.post(path, &anna, &form).await;
        assert_eq!(answer.status, 303, "{path} {form}: {}", answer.text());
        answer.said("location").split('?').next().unwrap().to_owned()
    };
    let is_told = async |held: bool, owes: bool| {
        let page = world.get("/advertiser/payouts", &anna).await.text();
        assert!(page.contains("-30 JPY"), "{page}");
        assert_eq!(page.contains("payouts under way to him hold 100 JPY"), held, "{page}");
        assert_eq!(page.contains("owes you"), owes, "{page}");
    };
    let run = post("/advertiser/payouts", "program=101", 0).await;
    post(&run, "step=approve", 1).await;
    let adjust = "program=101&affiliate=11&currency=JPY&reason=x&amount=-30";
    post("/advertiser/adjustments", adjust, 2).await;
    is_told(true, false).await;
    post(&run, "step=pay", 3).await;
    is_told(false, true).await;
}
