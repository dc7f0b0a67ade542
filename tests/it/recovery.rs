//! Frames as no edge should send them: poison, holes, sequence numbers given twice; and an audit that sees
//! what is planted in the books.

use std::time::Duration;

use tributary::domain::frame;
use tributary::domain::hit::{Hit, Kind, Method, Part};
use tributary::domain::id;
use tributary::roles;

use crate::failure::{sell, settle_until};
use crate::harness::{App, Seed, http};

/// A frame of pixels with ids of the test's choosing, as an edge of this id would forward it.
pub async fn forward(app: &App, seed: &Seed, place: (i64, i64), hits: &[(i64, &str)]) {
    send(app, &frame_of(seed, place, hits)).await;
}

fn frame_of(seed: &Seed, (edge_id, first_seq): (i64, i64), hits: &[(i64, &str)]) -> Vec<u8> {
    let mut buffer = Vec::new();
    frame::start(&mut buffer);
    for (id, query) in hits {
        let mut hit = Hit::new(*id, roles::now_ms(), Kind::Pixel, Method::Get);
        hit.set(Part::Code, seed.code.as_bytes());
        hit.set(Part::Query, query.as_bytes());
        frame::push(&mut buffer, &hit);
    }
    frame::seal(&mut buffer, edge_id, first_seq, hits.len() as u32);
    buffer
}

async fn send(app: &App, frame: &[u8]) {
    let (url, stream) = (app.settings.redis().unwrap(), &app.settings.redis_stream);
    let mut queue = tributary::queue::Queue::new(url, stream, "edge").unwrap();
    queue.forward([frame]).await.unwrap();
}

#[tokio::test]
async fn a_hit_that_cannot_be_settled_is_buried_and_stops_none_behind_it() {
    let app = App::start().await;
    let seed = app.seed().await;
    // Two edges with one number have made the same id: a fault of the installation.
    forward(&app, &seed, (1, 0), &[(1_000, "amount=1&id=1")]).await;
    forward(&app, &seed, (2, 0), &[(1_000, "amount=2&id=2"), (1_001, "amount=3&id=3")]).await;
    forward(&app, &seed, (3, 0), &[(1_002, "amount=4&id=4")]).await;
    settle_until(&app, 3).await;
    let dead = app
        .rows(
            "select h.outcome, h.edge_id, h.seq, d.error, length(h.raw) > 0
             from dead_letters d join hits h on h.id = d.hit_id",
        )
        .await;
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].get::<_, &str>(0), dead[0].get::<_, i64>(1)), ("dead", 2));
    assert!(dead[0].get::<_, &str>(3).contains("_pkey"), "{}", dead[0].get::<_, &str>(3));
    assert!(dead[0].get::<_, bool>(4), "it is kept as it came");
    let listed = app.api("GET", "hits?outcome=dead", serde_json::Value::Null).await.json();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1), "{listed}");
}

#[tokio::test]
async fn a_frame_of_a_dead_letter_that_comes_again_is_dropped() {
    let app = App::start().await;
    let seed = app.seed().await;
    app.rows("alter table conversions add constraint no_poison check (order_id <> 'poison')").await;
    let frame = frame_of(&seed, (1, 0), &[(4_000, "amount=1&id=poison")]);
    send(&app, &frame).await;
    forward(&app, &seed, (1, 1), &[(4_001, "amount=1&id=1")]).await;
    settle_until(&app, 1).await;
    // As an edge does when it is started again, or when Redis lost something.
    send(&app, &frame).await;
    forward(&app, &seed, (1, 2), &[(4_002, "amount=1&id=2")]).await;
    settle_until(&app, 2).await;
    assert_eq!(app.rows("select hit_id from dead_letters").await.len(), 1);
    assert_eq!(app.rows("select id from hits where outcome = 'dead'").await.len(), 1);
    // Another hit at its place is not it.
    forward(&app, &seed, (1, 0), &[(4_003, "amount=1&id=3")]).await;
    settle_until(&app, 3).await;
    assert_eq!(app.rows("select id from hits where id = 4003").await.len(), 1);
}

#[tokio::test]
async fn sequence_numbers_that_are_given_twice_lose_nothing() {
    let app = App::start().await;
    let seed = app.seed().await;
    forward(&app, &seed, (1, 0), &[(2_000, "amount=1&id=1"), (2_001, "amount=1&id=2")]).await;
    settle_until(&app, 2).await;
    // The journal was restored to an earlier moment: other hits, the same places.
    forward(&app, &seed, (1, 0), &[(2_002, "amount=1&id=3")]).await;
    forward(&app, &seed, (1, 1), &[(2_003, "amount=1&id=4")]).await;
    settle_until(&app, 4).await;
    // A true repetition changes nothing.
    forward(&app, &seed, (1, 0), &[(2_000, "amount=1&id=1"), (2_001, "amount=1&id=2")]).await;
    forward(&app, &seed, (1, 1), &[(2_003, "amount=1&id=4")]).await;
    settle_until(&app, 4).await;
    assert_eq!(app.rows("select id from hits where id >= 2000 and id < 3000").await.len(), 4);
}

#[tokio::test]
async fn holes_of_a_damaged_journal_are_recorded_and_passed() {
    let app = App::start().await;
    let seed = app.seed().await;
    forward(&app, &seed, (1, 0), &[(3_000, "amount=1&id=1"), (3_001, "amount=1&id=2")]).await;
    forward(&app, &seed, (1, 5), &[(3_002, "amount=1&id=3")]).await;
    settle_until(&app, 3).await;
    // What stands for the damage reaches over what was settled before it, below and above the watermark.
    let mut gap = Vec::new();
    frame::start(&mut gap);
    frame::seal(&mut gap, 1, 0, 10);
    send(&app, &gap).await;
    forward(&app, &seed, (1, 10), &[(3_003, "amount=1&id=4")]).await;
    send(&app, &gap).await;
    settle_until(&app, 4).await;
    let edge = app.rows("select watermark from edges where edge_id = 1").await;
    assert_eq!(edge[0].get::<_, i64>(0), 11);
    let losses = app.rows("select first_seq, hits from losses order by 1").await;
    let losses: Vec<(i64, i32)> = losses.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(losses, [(2, 3), (6, 4)]);
}

#[tokio::test]
async fn a_steady_load_is_sent_once() {
    let app = App::start().await;
    let seed = app.seed().await;
    for first in (0..60).step_by(2) {
        sell(&app.edge_url, &seed, first..first + 2).await;
        app.settle().await;
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    let client = redis::Client::open(app.settings.redis().unwrap()).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    let mut info = redis::cmd("XINFO");
    info.arg("STREAM").arg(&app.settings.redis_stream);
    let info: std::collections::HashMap<String, redis::Value> =
        info.query_async(&mut redis).await.unwrap();
    let added: u64 = redis::from_redis_value(info["entries-added"].clone()).unwrap();
    assert_eq!(added, app.journal.extent().frames);
}

/// One referred sale, in the books.
async fn sell_once(app: &App, seed: &Seed) {
    let click = http("GET", &format!("{}/c/{}", app.edge_url, seed.link_code), &[], b"").await;
    let cookie = click.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let pixel = format!("{}/t/{}.gif?amount=100&id=1", app.edge_url, seed.code);
    http("GET", &pixel, &[("cookie", &cookie)], b"").await;
    app.settle().await;
}

#[tokio::test]
async fn the_audit_sees_what_is_planted() {
    let app = App::start().await;
    let seed = app.seed().await;
    sell_once(&app, &seed).await;
    let rival =
        app.create("affiliates", serde_json::json!({"name": "R", "email": "r@example.com"})).await;
    let rival = rival["id"].as_str().unwrap();
    app.execute("alter table transfers disable trigger user").await;
    let minute_ago = id::next(0, 0, roles::now_ms() - 60_000);
    let broken = async || -> Vec<&str> {
        let whole = roles::audit(&app.store).await.unwrap();
        let recent = roles::audit_since(&app.store, minute_ago).await.unwrap();
        assert_eq!(whole, recent, "all of it is new");
        whole.into_iter().filter(|(_, rows)| *rows > 0).map(|(name, _)| name).collect()
    };
    assert!(broken().await.is_empty());
    for (invariant, plant, undo) in [
        (
            "hit_without_outcome",
            "update hits set seq = seq + 1000000 where kind = 'pixel'".to_owned(),
            "update hits set seq = seq - 1000000 where kind = 'pixel'",
        ),
        (
            "status_without_money",
            "update conversions set status = 'payable'".to_owned(),
            "update conversions set status = 'pending'",
        ),
        (
            "status_without_money",
            "update conversions set commission = 10.01".to_owned(),
            "update conversions set commission = 10.00",
        ),
        (
            "status_without_money",
            "update transfers set currency = 'EUR'".to_owned(),
            "update transfers set currency = 'USD'",
        ),
        (
            "status_without_money",
            format!("update transfers set credit_owner = {rival}"),
            "update transfers set credit_owner = (select affiliate_id from conversions)",
        ),
        (
            "conversion_without_hit",
            "update hits set outcome = 'merged' where kind = 'pixel'".to_owned(),
            "update hits set outcome = 'converted' where kind = 'pixel'",
        ),
        (
            "hit_without_conversion",
            "update hits set conversion_id = 1 where kind = 'pixel'".to_owned(),
            "update hits set conversion_id = id where kind = 'pixel'",
        ),
        (
            "transfer_of_another",
            "update transfers set debit_owner = 1".to_owned(),
            "update transfers set debit_owner = (select id from advertisers)",
        ),
        (
            "payable_without_release",
            "update conversions set status = 'paid'".to_owned(),
            "update conversions set status = 'pending'",
        ),
        (
            "transfer_without_cause",
            "update transfers set cause_id = 5".to_owned(),
            "update transfers set cause_id = conversion_id",
        ),
        (
            "accrued_more_than_once",
            "insert into transfers (conversion_id, program_id, code, cause_id, debit_account, debit_owner, credit_account, credit_owner, amount, currency, event_at)
             select conversion_id, program_id, code, 7, debit_account, debit_owner, credit_account, credit_owner, amount, currency, event_at from transfers".to_owned(),
            "delete from transfers where cause_id = 7",
        ),
        (
            "reversed_beyond",
            "update conversions set reversed = 1".to_owned(),
            "update conversions set reversed = 0",
        ),
        (
            "refunded_otherwise",
            "update conversions set refunded = 1".to_owned(),
            "update conversions set refunded = 0",
        ),
        (
            "share_of_another_status",
            "insert into shares (conversion_id, part, program_id, affiliate_id, kind, commission, currency, status)
             select id, 1, program_id, affiliate_id, 'touch', 0, 'USD', 'payable' from conversions"
                .to_owned(),
            "delete from shares",
        ),
        (
            "conversion_of_nobody",
            "alter table conversions disable trigger user; update conversions set plan_id = 9".to_owned(),
            "update conversions set plan_id = (select id from plans)",
        ),
        (
            "click_without_hit",
            "update clicks set id = id + 1".to_owned(),
            "update clicks set id = id - 1",
        ),
    ] {
        app.execute(&plant).await;
        let found = broken().await;
        assert!(found.contains(&invariant), "{invariant}: {plant} was seen as {found:?}");
        app.execute(undo).await;
        assert!(broken().await.is_empty(), "{undo}");
    }
}

#[tokio::test]
async fn what_the_books_refer_to_is_there_and_stays() {
    let app = App::start().await;
    let seed = app.seed().await;
    sell_once(&app, &seed).await;
    let (client, connection) =
        tokio_postgres::connect(&app.database_url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    for (change, refused_by) in [
        ("update conversions set program_id = 7", "conversions_program"),
        ("update conversions set affiliate_id = 7", "conversions_affiliate"),
        ("update conversions set plan_id = 7", "conversions_plan"),
        (
            "insert into transfers (conversion_id, program_id, code, cause_id, debit_account, debit_owner,
               credit_account, credit_owner, amount, currency, event_at)
             select 7, program_id, code, cause_id, debit_account, debit_owner, credit_account, credit_owner,
               amount, currency, event_at from transfers",
            "transfers_conversion",
        ),
        (
            "insert into transfers (conversion_id, program_id, code, cause_id, debit_account, debit_owner,
               credit_account, credit_owner, amount, currency, event_at)
             select conversion_id, 7, 'approve', cause_id, debit_account, debit_owner, credit_account, credit_owner,
               amount, currency, event_at from transfers",
            "transfers_conversion",
        ),
        (
            "insert into transfers (conversion_id, program_id, code, cause_id, debit_account, debit_owner,
               credit_account, credit_owner, amount, currency, event_at)
             select null, 7, 'pay', cause_id, debit_account, debit_owner, credit_account, credit_owner,
               amount, currency, event_at from transfers",
            "transfers_program",
        ),
    ] {
        let error = client.batch_execute(change).await.unwrap_err();
        let refusal = error.as_db_error().unwrap();
        assert_eq!(refusal.code(), &tokio_postgres::error::SqlState::FOREIGN_KEY_VIOLATION);
        assert_eq!(refusal.constraint(), Some(refused_by), "{change}");
    }
    for table in ["programs", "affiliates", "plans", "conversions"] {
        for change in [
            format!("delete from {table}"),
            format!("update {table} set id = id + 1"),
            format!("truncate {table} cascade"),
        ] {
            let error = client.batch_execute(&change).await.unwrap_err();
            let refusal = error.as_db_error().unwrap().message().to_owned();
            assert!(refusal.contains("never") || refusal.contains("final"), "{change}: {refusal}");
        }
    }
    assert_eq!(app.rows("select id from transfers").await.len(), 1);
}
