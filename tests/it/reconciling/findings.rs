//! Where a list and the books differ, kind by kind.

use serde_json::json;

use super::World;

/// What a list of some lines finds in a world of three sales.
async fn check(header: &str, lines: &str, expected: &[&str]) {
    let world = World::start(3).await;
    world.app.execute("update conversions set status = 'payable' where id = 1002").await;
    let list = format!("{header}\n{}\n", lines.replace(' ', "\n"));
    assert_eq!(world.found("", &list).await, expected, "{list}");
}

#[tokio::test]
async fn what_is_in_the_list_and_not_in_the_books_is_missing() {
    check("id,amount", "O-1,20 O-9,5 O-3,20", &["extra - O-2 1002 -", "missing 3 O-9 - -"]).await;
    // Only what counts is missed.
    let lines = "O-1,paid O-2,paid O-3,on-hold O-6,cancelled O-7,pending O-8,shipped";
    check("id,status", lines, &["confirmed 2 O-1 1001 paid", "missing 7 O-8 - -"]).await;
}

#[tokio::test]
async fn what_is_in_the_books_and_not_in_the_list_is_extra_where_the_list_reaches() {
    let world = World::start(9).await;
    let books = "update conversions set status = 'rejected' where id = 1004;
                 update conversions set order_key = 'click:7:0', order_id = null where id = 1005;
                 update conversions set kind = 'lead' where id = 1006";
    world.app.execute(books).await;
    // From the first that is known to the last: not 1, 2 and 9, which may not have been asked for.
    assert_eq!(world.found("", "id\nO-8\nO-3\n").await, ["extra - O-7 1007 -"]);
    assert_eq!(world.found("", "id\nelsewhere\n").await, ["missing 2 elsewhere - -"]);
    let query = "?from=2026-03-01T02:00:00Z&to=2026-03-01T08:00:00Z";
    let expected =
        ["extra - O-2 1002 -", "extra - O-3 1003 -", "extra - O-7 1007 -", "missing 2 no - -"];
    assert_eq!(world.found(query, "id\nno\n").await, expected);
    // A line that cannot be read is in the list all the same.
    let list = "id,amount\nO-8,20\nO-3,20\nO-7,a lot\n";
    assert_eq!(world.found("", list).await, ["unreadable 4 O-7 - amount_invalid"]);
}

#[tokio::test]
async fn amounts_differ_by_number_or_by_currency() {
    let expected = ["amount_differs 2 O-1 1001 -", "amount_differs 4 O-3 1003 -"];
    check("id,amount,currency", "O-1,19.99, O-2,20.0,usd O-3,20.00,EUR", &expected).await;
    // Nothing was said of them.
    check("id,amount", "O-1, O-2,20 O-3,", &[]).await;
    let world = World::start(1).await;
    let made = world.send("", "id,amount\nO-1,\"1.234,50\"\n").await.json();
    let path = format!("reconciliations/{}/findings", made["id"].as_str().unwrap());
    let finding = &world.ask("GET", &path).await.json()["data"][0];
    assert_eq!(finding["amount"], json!({"amount": "1234.50", "currency": "USD"}));
    let booked = json!({
        "amount": {"amount": "20.00", "currency": "USD"},
        "refunded": {"amount": "0.00", "currency": "USD"},
        "status": "pending",
    });
    assert_eq!((&finding["booked"], &finding["state"]), (&booked, &json!("open")));
}

#[tokio::test]
async fn what_the_buyer_has_back_and_the_affiliate_still_has() {
    let lines = "O-1,refunded, O-2,Partially-Refunded,5 O-3,paid,1.50";
    let expected = [
        "confirmed 4 O-3 1003 paid",
        "refunded_but_paid 2 O-1 1001 refunded",
        "refunded_but_paid 3 O-2 1002 Partially-Refunded",
        "refunded_but_paid 4 O-3 1003 paid",
    ];
    check("id,status,refunded", lines, &expected).await;
    // How much of it, nobody says: it is told, all the same.
    let expected = ["refunded_but_paid 2 O-1 1001 partially_refunded"];
    check(
        "id,status",
        "O-1,partially_refunded O-2,open O-3,open",
        &[expected[0], "status_unknown 3 O-2 1002 open", "status_unknown 4 O-3 1003 open"],
    )
    .await;
    let world = World::start(4).await;
    let books = "update conversions set refunded = 5 where id in (1001, 1002, 1003);
                 update conversions set refunded = 20, reversed = 2, status = 'reversed' where id = 1004";
    world.app.execute(books).await;
    let list = "id,refunded,status\nO-1,5.00,paid\nO-2,4,refunded\nO-3,5.01,on_hold\nO-4,,voided\n";
    let expected = ["confirmed 2 O-1 1001 paid", "refunded_but_paid 4 O-3 1003 on_hold"];
    assert_eq!(world.found("", list).await, expected);
}

#[tokio::test]
async fn what_the_shop_confirms_need_not_wait() {
    let lines = "O-1,PAID O-2,completed O-3,processing";
    check("id,status", lines, &["confirmed 2 O-1 1001 PAID"]).await;
}

#[tokio::test]
async fn an_order_that_comes_twice_stands_as_it_came_first() {
    let lines = "O-1,20 O-2,20 O-1,20.00 O-2,21 O-3,20 O-1,x O-2,20";
    let expected = ["repeated 5 O-2 1002 line 3", "unreadable 7 O-1 - amount_invalid"];
    check("id,amount", lines, &expected).await;
    // What can be read goes before what cannot.
    let expected = ["amount_differs 3 O-1 1001 -", "unreadable 2 O-1 - amount_invalid"];
    check("id,amount", "O-1,x O-1,21 O-2,20 O-3,20", &expected).await;
}

#[tokio::test]
async fn findings_come_in_pages_and_as_a_file() {
    let world = World::start(2).await;
    let list = "id,status\n=1+1,paid\n\"a\"\"b\",paid\n@x,strange\nO-1,paid\n";
    let made = world.send("", list).await.json();
    let counts = json!([
        {"kind": "confirmed", "found": 1, "corrected": 0, "failed": 0},
        {"kind": "missing", "found": 2, "corrected": 0, "failed": 0},
        {"kind": "status_unknown", "found": 1, "corrected": 0, "failed": 0},
    ]);
    assert_eq!(made["findings"], counts);
    assert_eq!((&made["lines"], &made["status"]), (&json!(4), &json!("compared")));
    assert_eq!((&made["from"], &made["to"]), (&json!("2026-03-01T01:00:00Z"), &made["from"]));
    let path = format!("reconciliations/{}", made["id"].as_str().unwrap());
    assert_eq!(world.ask("GET", &path).await.json(), made);
    let all = format!("programs/{}/reconciliations", world.seed.program_id);
    assert_eq!(world.ask("GET", &all).await.json()["data"], json!([made]));

    let first = world.ask("GET", &format!("{path}/findings?kind=missing&limit=1")).await.json();
    let next = first["next_cursor"].as_str().unwrap();
    let next = format!("{path}/findings?kind=missing&limit=1&cursor={next}");
    let next = world.ask("GET", &next).await.json();
    let one = |page: &serde_json::Value| page["data"].as_array().unwrap().len();
    assert_eq!((one(&first), one(&next), next["next_cursor"].is_null()), (1, 1, true));
    assert_ne!(first["data"], next["data"]);

    let file = world.ask("GET", &format!("{path}/findings?format=csv")).await;
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(file.header("link"), None);
    let mut rows: Vec<String> = file.text().lines().map(str::to_owned).collect();
    assert_eq!(rows[0].split(',').count(), 14);
    rows.sort();
    let is_neutral = rows.iter().any(|row| row.starts_with(r#""missing",2,"'=1+1","#));
    assert!(is_neutral && rows.iter().any(|row| row.contains(r#""a""b""#)), "{rows:?}");
    let page = world.ask("GET", &format!("{path}/findings?format=csv&limit=3")).await;
    assert_eq!(page.text().lines().count(), 4);
    assert!(page.header("link").unwrap().contains("format=csv"));
}
