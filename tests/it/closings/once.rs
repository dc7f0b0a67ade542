//! A month is booked once, whoever closes it and whatever happens meanwhile; and what is shown of it.

use serde_json::{Value, json};

use super::{CLOSES, World, tiers};

#[tokio::test]
async fn workers_that_close_at_once_book_once() {
    let w = World::start(tiers("whole")).await;
    w.sell("A", "1000", "2026-01-05T00:00:00Z").await;
    for (order, amount, due) in [("B", "10", "20.20"), ("C", "20", "20.60")] {
        let all = tokio::join!(w.close(CLOSES), w.close(CLOSES), w.close(CLOSES));
        assert_eq!(all.0 + all.1 + all.2, 1);
        w.sell(order, amount, "2026-01-06T00:00:00Z").await;
        assert_eq!(w.close(CLOSES).await, 1);
        assert_eq!(w.payable().await, due);
        // Two that both know of a change: one looks, and the other finds nothing to do.
        w.app.execute("insert into month_changes select program_id, affiliate_id, month from month_closes").await;
    }
    w.close(CLOSES).await;
    assert_eq!(w.closings().await.len(), 3);
}

#[tokio::test]
async fn a_closing_that_is_killed_in_the_middle_is_done_again() {
    let w = World::start(tiers("whole")).await;
    w.sell("A", "1000", "2026-01-05T00:00:00Z").await;
    // The connection is cut when the adjustment and its transfer are written.
    w.app
        .execute(
            "create function cut() returns trigger language plpgsql security definer as
               'begin perform pg_terminate_backend(pg_backend_pid()); return null; end';
             create trigger cut after insert on transfers for each row when (new.code = 'adjust') execute function cut()",
        )
        .await;
    assert_eq!(w.try_close(CLOSES).await.unwrap_or(0), 0);
    assert_eq!(w.payable().await, "0");
    assert_eq!(w.closings().await, [""; 0]);
    w.app.execute("drop trigger cut on transfers").await;
    assert_eq!(w.close(CLOSES).await, 1);
    assert_eq!(w.closings().await, ["2026-01 USD 0 -> 20.00"]);
    assert_eq!(w.payable().await, "20.00");
}

#[tokio::test]
async fn a_month_that_cannot_be_closed_stops_no_other() {
    let w = World::start(tiers("whole")).await;
    w.sell("A", "1000", "2026-01-05T00:00:00Z").await;
    w.sell("B", "1000", "2026-02-05T00:00:00Z").await;
    w.app.execute("update conversions set facts = '{}' where order_id = 'A'").await;
    assert_eq!(w.close("2026-04-01T00:00:00Z").await, 1);
    assert_eq!(
        w.told("select string_agg(distinct month::text, ' ') from month_changes").await,
        "2026-01-01"
    );
    assert_eq!(w.told("select string_agg(month::text, ' ') from month_closes").await, "2026-02-01");
}

#[tokio::test]
async fn a_closing_is_shown_with_its_arithmetic_to_those_whom_it_is_about() {
    let w = World::start(tiers("whole")).await;
    w.sell("A", "1000", "2026-01-05T00:00:00Z").await;
    w.close(CLOSES).await;
    let path = format!("months?program_id={}", w.seed.program_id);
    let own = w.app.api_as(&w.seed.affiliate_key, "GET", &path, Value::Null).await;
    assert_eq!(own.status, 200, "{}", own.text());
    let closing = own.json()["data"][0].clone();
    assert_eq!(
        (&closing["month"], &closing["number"], &closing["lines"]),
        (
            &json!("2026-01"),
            &json!(1),
            &json!(["12 % of 1000.00 USD rather than 10 %: 20.00 USD more"])
        )
    );
    assert_eq!(closing["due"], json!({"amount": "20.00", "currency": "USD"}));
    for key in [&w.seed.advertiser_key, &w.app.admin_key] {
        assert_eq!(w.app.api_as(key, "GET", &path, Value::Null).await.json(), own.json());
    }
    let adjustment = closing["adjustment_id"].as_str().unwrap();
    let path = format!("adjustments/{adjustment}");
    let adjustment = w.app.api_as(&w.seed.affiliate_key, "GET", &path, Value::Null).await.json();
    assert_eq!(
        (&adjustment["month"], &adjustment["reason"]),
        (&json!("2026-01"), &json!("month 2026-01 closed"))
    );
    let month = w.told("select to_char(now() at time zone 'UTC', 'YYYY-MM')").await;
    let path = format!("statements?month={month}");
    let statement = w.app.api_as(&w.seed.affiliate_key, "GET", &path, Value::Null).await.json();
    let row = &statement["data"][0]["movements"][0];
    assert_eq!((&row["code"], &row["month"]), (&json!("adjust"), &json!("2026-01")), "{statement}");

    let stranger = w.app.seed().await;
    for key in [&stranger.advertiser_key, &stranger.affiliate_key] {
        let seen = w.app.api_as(key, "GET", "months", Value::Null).await.json();
        assert_eq!(seen["data"], json!([]));
    }
}

#[tokio::test]
async fn the_audit_finds_a_month_that_is_booked_otherwise() {
    let w = World::start(tiers("whole")).await;
    w.sell("A", "1000", "2026-01-05T00:00:00Z").await;
    w.close(CLOSES).await;
    let broken = async || {
        let found = tributary::roles::audit(&w.app.store).await.unwrap();
        found.into_iter().find(|(name, _)| *name == "month_booked_otherwise").unwrap().1
    };
    assert_eq!(broken().await, 0);
    w.app.execute("update adjustments set amount = 21").await;
    assert_eq!(broken().await, 1);
    w.app.execute("update adjustments set amount = 20, month = '2026-02-01'").await;
    assert_eq!(broken().await, 2, "one month lacks it, the other has it without a closing");
    w.app.execute("update adjustments set month = '2026-01-01'").await;
    assert_eq!(broken().await, 0);
    let (db, connection) =
        tokio_postgres::connect(&w.app.database_url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let refusal = db.batch_execute("update month_closes set due = 21").await.unwrap_err();
    assert!(refusal.as_db_error().unwrap().message().contains("never changed"));
}
