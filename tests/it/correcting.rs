//! What a replay corrects in the books, and what it leaves as it is.

use serde_json::{Value, json};

use crate::harness::{App, http};
use crate::replay::*;

#[tokio::test]
async fn what_was_read_wrongly_is_corrected_by_new_transfers() {
    let app = App::start().await;
    let seed = app.seed().await;
    let cookie = click(&app, &seed).await;
    for id in 1..=3 {
        pixel(&app, &seed.code, &format!("amount=100&id={id}"), &cookie).await;
    }
    app.settle().await;
    let ids = app.rows("select id::text from conversions order by id").await;
    let verdict = async |n: usize, verdict: &str, body: Value| {
        let path = format!("conversions/{}/{verdict}", ids[n].get::<_, &str>(0));
        assert_eq!(app.api("POST", &path, body).await.status, 200);
    };
    verdict(1, "approve", Value::Null).await;
    verdict(2, "reject", json!({"reason": "returned"})).await;
    rewrite(&app, "amount=100", "amount=250").await;
    let report = replay(&app).await;
    assert_eq!((report.hits_changed, report.conversions_changed), (0, 2));
    assert_eq!(
        conversions(&app).await,
        ["1 250.00 25.00 pending", "2 250.00 25.00 pending", "3 100.00 10.00 rejected"]
    );
    let sql = "select code || ' ' || debit_account || ' ' || amount from transfers
               where code in ('supersede', 'accrue') and cause_id in (select id from replays) order by conversion_id, id";
    let booked: Vec<String> = app.rows(sql).await.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        booked,
        [
            "supersede affiliate_pending 10.00",
            "accrue advertiser 25.00",
            "supersede affiliate_payable 10.00",
            "accrue advertiser 25.00"
        ]
    );
    let kept = app.rows("select amount::text, status, facts is not null from replayed_conversions order by conversion_id").await;
    assert_eq!((kept[0].get::<_, &str>(0), kept[1].get::<_, &str>(1)), ("100.00", "payable"));
    // And back again: each correction is booked for itself.
    rewrite(&app, "amount=250", "amount=100").await;
    replay(&app).await;
    assert_eq!(conversions(&app).await[0], "1 100.00 10.00 pending");
    assert_eq!(app.rows("select id from transfers where code = 'supersede'").await.len(), 4);
}

#[tokio::test]
async fn an_order_that_no_hit_tells_of_any_more_is_taken_back_and_can_come_again() {
    let app = App::start().await;
    let seed = app.seed().await;
    let cookie = click(&app, &seed).await;
    let token = cookie.split_once('=').unwrap().1;
    postback(&app, &seed, &format!("amount=100&id=1&tclid={token}")).await;
    postback(&app, &seed, &format!("amount=100&id=2&tclid={token}")).await;
    postback(&app, &seed, &format!("amount=100&id=3&tclid={token}")).await;
    pixel(&app, &seed.code, "amount=80&id=1", &cookie).await;
    app.settle().await;
    let secret = |secret: &str| format!("update tracking_codes set secret = '{secret}'");
    app.execute(&secret("another-secret-of-more-than-32-characters")).await;
    let report = replay(&app).await;
    assert_eq!(report.outcomes[&("converted", "rejected")], 3);
    assert_eq!(report.outcomes[&("merged", "converted")], 1, "one has to have made it");
    assert_eq!(
        conversions(&app).await,
        ["1 80.00 8.00 pending", "2 100.00 10.00 reversed", "3 100.00 10.00 reversed"]
    );
    // What is told next of a retracted order makes it anew.
    pixel(&app, &seed.code, "amount=60&id=3", &cookie).await;
    app.settle().await;
    assert_eq!(conversions(&app).await[2], "3 60.00 6.00 pending");
    sound(&app).await;
    assert!(!replay(&app).await.differs());

    app.execute(&secret(&seed.secret)).await;
    replay(&app).await;
    assert_eq!(
        conversions(&app).await,
        ["1 100.00 10.00 pending", "2 100.00 10.00 pending", "3 100.00 10.00 pending"]
    );
    let owed = "select sum(case when credit_account = 'advertiser' then -amount else amount end)::text from transfers";
    assert_eq!(app.rows(owed).await[0].get::<_, &str>(0), "30.00");
}

#[tokio::test]
async fn what_cannot_be_known_any_more_stands() {
    let app = App::start().await;
    let seed = app.seed().await;
    let cookie = click(&app, &seed).await;
    let affiliate = format!("affiliates/{}", seed.affiliate_id);
    pixel(&app, &seed.code, "amount=100&id=1", &cookie).await;
    app.settle().await;
    app.execute("update affiliates set paused_at = now() - interval '1 second'").await;
    click(&app, &seed).await;
    pixel(&app, &seed.code, "amount=100&id=2", &cookie).await;
    pixel(&app, &seed.code, "amount=100&id=3", &cookie).await;
    pixel(&app, &seed.code, "amount=100&id=3", &cookie).await;
    app.settle().await;
    let answer = app.api("PATCH", &affiliate, json!({"paused": false})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    app.execute("update hits set raw = '' where id = (select max(id) from hits)").await;
    let report = replay(&app).await;
    assert!(!report.differs(), "the pause was in force: {report}");
    assert_eq!(report.standing.values().map(|ids| ids.len()).sum::<usize>(), 2);
    // A key that was retired since takes nothing away.
    let mut other = asked(&app, EVER, true);
    other.settings.token_keys = Some("k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8".to_owned());
    assert!(!replay_as(&app, other).await.differs());
}

#[tokio::test]
async fn who_came_first_stands_when_the_key_is_retired() {
    let app = App::start().await;
    let seed = app.seed().await;
    let program = format!("programs/{}", seed.program_id);
    let answer = app.api("PATCH", &program, json!({"attribution": "first_click"})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let cookie = click(&app, &seed).await;
    let url = format!("{}/c/{}", app.edge_url, seed.link_code);
    http("GET", &url, &[("cookie", cookie.as_str())], b"").await;
    app.settle().await;
    let kept = "select id from hits where 'first_click_kept' = any (reasons)";
    assert_eq!(app.rows(kept).await.len(), 1);
    let mut asked = asked(&app, EVER, true);
    asked.settings.token_keys = Some("k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8".to_owned());
    assert!(!replay_as(&app, asked).await.differs());
    assert_eq!(app.rows(kept).await.len(), 1);
}

#[tokio::test]
async fn clicks_are_decided_again_too() {
    let app = App::start().await;
    let seed = app.seed().await;
    let url = format!("{}/c/later", app.edge_url);
    assert_eq!(http("GET", &url, &[], b"").await.status, 404);
    click(&app, &seed).await;
    app.settle().await;
    app.execute(&format!(
        "insert into links (program_id, affiliate_id, code) values ({}, {}, 'later')",
        seed.program_id, seed.affiliate_id
    ))
    .await;
    let report = replay(&app).await;
    assert_eq!(report.outcomes[&("rejected", "clicked")], 1);
    assert_eq!(app.rows("select id from clicks").await.len(), 2);
    app.execute("update links set paused_at = now() - interval '1 hour' where code = 'later'")
        .await;
    let report = replay(&app).await;
    assert_eq!(report.outcomes[&("clicked", "ignored")], 1);
    assert_eq!(app.rows("select id from clicks").await.len(), 1);
    let hit = app.rows("select id::text from hits where code = 'later'").await;
    let path = format!("hits/{}", hit[0].get::<_, &str>(0));
    let shown = app.api("GET", &path, Value::Null).await.json();
    let formerly: Vec<&str> = shown["formerly"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|f| f["outcome"].as_str())
        .collect();
    assert_eq!(formerly, ["rejected", "clicked"]);
}

#[tokio::test]
async fn a_hit_that_no_worker_could_decode_gets_its_name_and_time_back() {
    let app = App::start().await;
    let seed = app.seed().await;
    let hit = pixel(&app, &seed.code, "amount=100&id=1&test=1", "").await;
    app.settle().await;
    let whole = "select id, received_at, kind, code, program_id, outcome, reasons from hits where kind = 'pixel'";
    let sql = format!("select row(h)::text from ({whole}) h");
    let before: String = app.rows(&sql).await[0].get(0);
    // As a worker keeps what only a newer one can read.
    app.execute(
        "update hits set id = -5, received_at = to_timestamp(0), code = '', program_id = null,
                outcome = 'rejected', reasons = '{unreadable}' where kind = 'pixel'",
    )
    .await;
    let past = asked(&app, ("1970-01-01T00:00:00Z", "2020-01-01T00:00:00Z"), true);
    assert!(!replay_as(&app, past).await.differs(), "it is of another time");
    assert_eq!(replay(&app).await.outcomes[&("rejected", "test")], 1);
    let after: String = app.rows(&sql).await[0].get(0);
    assert_eq!(after, before);
    assert!(after.contains(&hit));
}
