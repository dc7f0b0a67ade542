//! Hits explained without their secrets, and reports to the cent.

use serde_json::{Value, json};

use super::{World, call, get, header, ids, sql, text};

#[tokio::test]
async fn a_hit_is_shown_and_explained_without_its_secrets() {
    use tributary::domain::hit::{Hit, Kind, Method, Part};
    let world = World::start().await;
    let (app, w) = (&world.app, &world);
    let path = format!("tracking-codes/{}", w.acme.tracking_code);
    let tracking_code = get(app, &w.operator, &path).await;
    let (code, secret) = (text(&tracking_code["code"]), text(&tracking_code["secret"]));
    w.book(1_001, Some(&w.ann), "19.95", "2.00").await;
    let mut raws = Vec::new();
    for (kind, query) in [
        (Kind::Postback, format!("amount=1.234,50&id=A1&key={secret}")),
        (Kind::Pixel, "amount=abc&currency=PES".to_owned()),
    ] {
        let mut hit = Hit::new(1_001, 1_772_330_400_000, kind, Method::Get);
        hit.set(Part::Code, code.as_bytes());
        hit.set(Part::Query, query.as_bytes());
        hit.set(Part::UserAgent, b"curl");
        hit.set(Part::Peer, b"192.0.2.1");
        hit.set(Part::BearerHash, b"0123456789abcdef");
        let mut raw = Vec::new();
        hit.encode(&mut raw);
        raws.push(raw.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    }
    // A postback with a bearer is judged by it; this one is not the secret.
    let id = (1_772_330_400_000_i64 << 22) + 1;
    let program = &w.acme.program;
    sql(app, &format!(
        "update hits set raw = '\\x{}', code = '{code}' where id = 1001;
         insert into hits (id, edge_id, seq, received_at, kind, code, program_id, outcome, reasons, raw)
         values ({id}, 1, 2, '2026-03-01 02:00Z', 'pixel', '{code}', {program}, 'rejected',
                 '{{amount_invalid,currency_unknown}}', '\\x{}'),
                ({id} + 1, 1, 3, '2026-03-01 02:00Z', 'pixel', 'nobody', null, 'rejected', '{{code_unknown}}', '')",
        raws[0], raws[1]
    )).await;
    let shown = get(app, &w.acme.key, "hits/1001").await;
    assert!(
        !shown.to_string().contains(&secret) && !shown.to_string().contains("0123456789abcdef")
    );
    assert_eq!(shown["request"]["query"], "amount=1.234,50&id=A1&key=********");
    assert_eq!(shown["request"]["headers"]["user_agent"], "curl");
    assert!(shown["request"].get("addresses").is_none(), "for the operator only");
    assert_eq!(shown["reading"]["faults"][0]["code"], "unauthorized");
    assert_eq!(shown["why"]["arithmetic"], "10 % of 19.95 USD = 2.00 USD");
    assert_eq!(shown["why"]["attribution"]["by"], "cookie");
    assert_eq!(shown["conversion"]["id"], "1001");
    let shown = get(app, &w.operator, &format!("hits/{id}")).await;
    assert_eq!(shown["reason"], "amount_invalid");
    assert_eq!(shown["reasons"][0]["text"], "The amount is not a number.");
    assert_eq!(shown["reading"]["faults"][0]["code"], "currency_unknown");
    assert_eq!(shown["request"]["addresses"]["peer"], "192.0.2.1");
    for (key, filter, count) in [
        (&w.operator, "outcome=rejected".to_owned(), 2),
        (&w.acme.key, "outcome=rejected".to_owned(), 1),
        (&w.operator, "code=nobody".to_owned(), 1),
        (&w.operator, "from=2026-03-01T02:00:00Z&to=2026-03-01T02:00:01Z".to_owned(), 2),
        (&w.operator, "to=2026-03-01T02:00:00Z".to_owned(), 1),
        (&w.other.key, format!("code={code}"), 0),
    ] {
        let list = get(app, key, &format!("hits?{filter}")).await;
        assert_eq!(ids(&list).len(), count, "{filter}");
    }
}

#[tokio::test]
async fn the_report_counts_to_the_cent() {
    let world = World::start().await;
    let (app, w) = (&world.app, &world);
    // Acme's days are New York's: 02:00Z on March 1st is the evening of February 28th.
    for (id, at, s1) in [
        (1_000, "2026-03-01 01:00Z", "=cmd"),
        (1_002, "2026-03-01 01:30Z", ""),
        (1_004, "2026-03-02 12:00Z", "mail"),
    ] {
        w.click(id, &w.ann, at, s1).await;
    }
    w.book(1_001, Some(&w.ann), "19.95", "2.00").await;
    w.book(1_003, Some(&w.ann), "39.95", "4.00").await;
    w.book(1_005, Some(&w.ann), "10.00", "1.00").await;
    w.book(1_007, None, "7.00", "0").await;
    w.book(1_009, Some(&w.ann), "50.00", "5.00").await;
    sql(
        app,
        "update conversions set currency = 'EUR', commission_currency = 'EUR' where id = 1009",
    )
    .await;
    call(app, &w.operator, "POST", "conversions/1003/approve", Value::Null).await;
    call(app, &w.operator, "POST", "conversions/1005/reject", json!({"reason": "x"})).await;
    let range = "from=2026-02-01&to=2026-04-01";
    let report = get(app, &w.ann.key, &format!("reports/commissions?{range}")).await;
    let money = |amount: &str, currency: &str| json!({"amount": amount, "currency": currency});
    let usd = |amount: &str| money(amount, "USD");
    let eur = |amount: &str| money(amount, "EUR");
    let euros = json!({
        "day": "2026-02-28", "currency": "EUR", "clicks": 0, "conversions": 1, "sales": eur("50.00"),
        "commission": {"pending": eur("5.00"), "payable": eur("0.00"), "paid": eur("0.00"), "reversed": eur("0.00")},
    });
    let dollars = json!({
        "day": "2026-02-28", "currency": "USD", "clicks": 2, "conversions": 2, "sales": usd("59.90"),
        "commission": {"pending": usd("2.00"), "payable": usd("4.00"), "paid": usd("0.00"), "reversed": usd("1.00")},
    });
    assert_eq!(report["data"][0], euros);
    assert_eq!(report["data"][1], dollars);
    assert_eq!(
        (&report["data"][2]["day"], &report["data"][2]["clicks"]),
        (&json!("2026-03-02"), &json!(1))
    );
    assert_eq!(report["data"].as_array().unwrap().len(), 3);
    let total = &report["totals"][1];
    assert_eq!((&total["clicks"], &total["sales"]), (&json!(3), &usd("59.90")));

    let all = get(app, &w.acme.key, &format!("reports/commissions?{range}&group_by=program")).await;
    assert_eq!(all["data"][1]["conversions"], 3, "the advertiser sees what nobody referred");
    assert_eq!(all["data"][1]["program"], w.acme.program);
    for (key, rows) in [(&w.other.key, 0), (&w.bob.key, 0)] {
        let others = format!("reports/commissions?{range}&affiliate_id={}", w.bob.id);
        assert_eq!(get(app, &w.ann.key, &others).await["data"], json!([]), "of another, nothing");
        let path = format!("reports/commissions?{range}&affiliate_id={}", w.ann.id);
        assert_eq!(get(app, key, &path).await["data"].as_array().unwrap().len(), rows);
    }
    let by_link =
        get(app, &w.operator, &format!("reports/commissions?{range}&group_by=link")).await;
    assert_eq!(by_link["data"][0]["link"], w.ann.link);
    let path = format!("reports/commissions?{range}&group_by=s1&affiliate_id={}", w.ann.id);
    let answer = call(app, &w.operator, "GET", &format!("{path}&format=csv"), Value::Null).await;
    assert!(header(&answer, "content-disposition").unwrap().starts_with("attachment"));
    let expected = r#""s1","currency","commission_currency","clicks","conversions","sales","commission_pending","commission_payable","commission_paid","commission_reversed"
"'=cmd","USD","USD",1,1,19.95,2.00,0.00,0.00,0.00
"mail","USD","USD",1,0,0.00,0.00,0.00,0.00,1.00
"","EUR","EUR",0,1,50.00,5.00,0.00,0.00,0.00
"","USD","USD",1,1,39.95,0.00,4.00,0.00,0.00
"#
    .replace('\n', "\r\n");
    assert_eq!(String::from_utf8(answer.body).unwrap(), expected);
    let moment = "from=2026-03-01T01:30:00Z&to=2026-03-01T02:00:00Z";
    let narrow = get(app, &w.operator, &format!("reports/commissions?{moment}")).await;
    assert_eq!(
        (&narrow["data"][0]["clicks"], &narrow["data"][0]["conversions"]),
        (&json!(1), &json!(0))
    );
    let bare = get(app, &w.operator, "reports/commissions").await;
    assert!(bare["data"].is_array(), "the last 30 days, where none are named");
}
