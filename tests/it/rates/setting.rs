//! What the operator sets, and what everybody reads.

use serde_json::{Value, json};

use super::{HISTORY, check, import};
use crate::harness::App;

#[tokio::test]
async fn the_operator_sets_what_nobody_quotes_and_everybody_reads() {
    let app = App::start().await;
    let seed = app.seed().await;
    let (code, said) = import(&app, &["--file", HISTORY], None).await;
    assert_eq!(code, Some(0), "{said}");
    let rate = json!({"currency": "kwd", "on_date": "2026-04-09", "per_euro": "0.33945", "source": "Central Bank of Kuwait"});
    let made = app.create("rates", rate.clone()).await;
    assert_eq!(made["id"].as_str().map(|id| id.parse::<i64>().is_ok()), Some(true));
    let mut shown = made.clone();
    shown.as_object_mut().unwrap().retain(|name, _| name != "id" && name != "created_at");
    let expected = json!({"currency": "KWD", "on_date": "2026-04-09", "per_euro": "0.33945", "source": "Central Bank of Kuwait"});
    assert_eq!(shown, expected);
    let one = format!("rates/{}", made["id"].as_str().unwrap());
    for key in [&app.admin_key, &seed.advertiser_key, &seed.affiliate_key] {
        let answer = app.api_as(key, "GET", &one, Value::Null).await;
        assert_eq!((answer.status, answer.json()), (200, made.clone()));
    }
    for key in [&seed.advertiser_key, &seed.affiliate_key] {
        assert_eq!(app.api_as(key, "POST", "rates", rate.clone()).await.status, 403);
    }
    // The same again, another value, and a day that the bank quoted.
    for (currency, on, per_euro) in [
        ("KWD", "2026-04-09", "0.33945"),
        ("KWD", "2026-04-09", "0.5"),
        ("USD", "2026-04-09", "1.1"),
    ] {
        let body = json!({"currency": currency, "on_date": on, "per_euro": per_euro});
        let answer = app.api("POST", "rates", body).await;
        assert_eq!((answer.status, &answer.json()["code"]), (409, &json!("rate_exists")));
    }
    for (field, value) in [
        ("currency", json!("EUR")),
        ("currency", json!("TRL")),
        ("on_date", json!("2222-01-01")),
        ("on_date", json!("1998-12-31")),
        ("on_date", json!("2026-04-31")),
        ("per_euro", json!("0")),
        ("per_euro", json!("-1")),
        ("per_euro", json!(1.5)),
        ("source", json!(" ")),
        ("more", json!(1)),
    ] {
        let mut body = json!({"currency": "KWD", "on_date": "2026-04-10", "per_euro": "0.3"});
        body[field] = value;
        let answer = app.api("POST", "rates", body.clone()).await;
        let pointer = answer.json()["errors"][0]["pointer"].clone();
        assert_eq!((answer.status, pointer), (422, json!(format!("/{field}"))), "{body}");
    }
    // With the bank's of the day after, by hand: 0.33945 / 1.1711 = 0.28985569122….
    let expected = "0.2898556912 2026-04-09 ECB and Central Bank of Kuwait";
    check(&app, &[("USD", "KWD", "2026-04-12", Some(expected))]).await;
    let logged = "select actor || ' ' || action || ' ' || row_id || ' ' || (after ->> 'per_euro') from audit_log where resource = 'rates'";
    let logged: String = app.rows(logged).await[0].get(0);
    assert_eq!(logged, format!("first-key create {} 0.33945", made["id"].as_str().unwrap()));
}

#[tokio::test]
async fn rates_are_listed_by_day_and_never_change() {
    let app = App::start().await;
    let (code, said) = import(&app, &["--file", HISTORY], None).await;
    assert_eq!(code, Some(0), "{said}");
    let list = async |query: &str| {
        let answer = app.api("GET", &format!("rates?{query}"), Value::Null).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        let list = answer.json();
        let row = |row: &Value| {
            format!("{} {}", row["on_date"].as_str().unwrap(), row["currency"].as_str().unwrap())
        };
        let rows: Vec<String> = list["data"].as_array().unwrap().iter().map(row).collect();
        (rows, list["next_cursor"].as_str().map(str::to_owned))
    };
    let (rows, next) = list("currency=usd&from=2026-04-01&to=2026-04-07").await;
    assert_eq!(rows, ["2026-04-07 USD", "2026-04-02 USD", "2026-04-01 USD"]);
    assert_eq!(next, None);
    let (mut all, mut query) = (Vec::new(), "from=2026-04-09&limit=7".to_owned());
    loop {
        let (rows, next) = list(&query).await;
        all.extend(rows);
        let Some(next) = next else { break };
        query = format!("from=2026-04-09&limit=7&cursor={next}");
    }
    assert_eq!((all.len(), &*all[0], &*all[29]), (58, "2026-04-10 AUD", "2026-04-09 AUD"));
    assert_eq!(all[28], "2026-04-10 ZAR");
    let answer = app.api("GET", "rates?from=x", Value::Null).await;
    assert_eq!((answer.status, &answer.json()["errors"][0]["pointer"]), (422, &json!("from")));
    assert_eq!(app.api("GET", "rates/7", Value::Null).await.status, 404);
    let (client, connection) =
        tokio_postgres::connect(&app.database_url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    for statement in [
        "update rates set per_euro = 1 where currency = 'USD'",
        "delete from rates where currency = 'USD'",
        "truncate rates",
        "insert into rates (currency, on_date, per_euro, source) values ('EUR', '2026-01-02', 1, 'x')",
        "insert into rates (currency, on_date, per_euro, source) values ('VND', '2026-01-02', 0, 'x')",
        "set role tributary_worker; delete from rates",
    ] {
        assert!(client.batch_execute(statement).await.is_err(), "{statement}");
    }
}
