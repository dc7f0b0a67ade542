//! How lists come: dirty, large, slowly, two at once, or not to their end.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Sending, World};
use crate::processes::Process;

#[tokio::test]
async fn dirty_lists_are_read_all_the_same() {
    let world = World::start(3).await;
    for list in [
        &b"\xef\xbb\xbfOrder ID;Total;Status\r\n\"O-1\";\"20,00\";\"on-hold\"\r\nO-2;20;\r\nO-3;20\r\n"[..],
        b"order\tamount\nO-1\t20.00\nO-2\t20\nO-3\t20",
        b"note,id,amount\n\"two\r\nlines, \"\"quoted\"\"\",O-1,20\n,O-2,20\n\n\n,O-3,20\n",
    ] {
        assert_eq!(world.found("", list).await, [""; 0], "{}", String::from_utf8_lossy(list));
    }
    let expected = ["unreadable 3 - - not_utf8", "unreadable 5 - - order_id_missing"];
    let list = b"id,amount\nO-1,20\n\xff\xfe,20\nO-2,20\n,20\nO-3,20\n";
    assert_eq!(world.found("", list).await, expected);
    let mut list = b"id,amount\nO-1,20\n".to_vec();
    list.extend(vec![b'x'; 10 << 20]);
    list.extend(b"\nO-2,20\nO-3,20\n");
    assert_eq!(world.found("", list).await, ["unreadable 3 - - line_too_long"]);
}

#[tokio::test]
async fn what_is_no_list_is_refused_and_leaves_nothing() {
    let world = World::start(1).await;
    for (kind, query, list, status, code) in [
        ("application/json", "", "{}", 415, "unsupported_media_type"),
        ("text/csv; charset=utf-16", "", "id\nO-1\n", 415, "unsupported_media_type"),
        ("text/csv", "?x=1", "id\nO-1\n", 422, "invalid_fields"),
        ("text/csv", "?from=2026-03-02&to=2026-03-01", "id\nO-1\n", 422, "invalid_fields"),
        ("text/csv", "", "amount\n5\n", 422, "order_id_column_missing"),
        ("application/csv; charset=\"UTF-8\"", "", "", 422, "list_empty"),
        ("text/csv", "", "\n \n", 422, "list_empty"),
    ] {
        let answer = world.send_as(kind, query, list).await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (status, &json!(code)),
            "{kind} {list}"
        );
    }
    assert_eq!(world.count("reconciliations").await, 0);
    let answer = world.send("?from=2026-01-01&to=2027-01-01", "id\n\n").await;
    assert_eq!((answer.status, &answer.json()["code"]), (422, &json!("list_empty")));
    let kept = world.app.rows("select status || ' ' || failure from reconciliations").await;
    assert_eq!(kept[0].get::<_, &str>(0), "failed list_empty");
    assert_eq!(
        world.count("reconciliation_findings").await,
        0,
        "nothing is extra by an empty list"
    );
    // Others have their limit still.
    let large = json!({"ids": vec!["x".repeat(70 << 10)]});
    let key = &world.seed.advertiser_key;
    let answer = world.app.api_as(key, "POST", "conversions/approve", large).await;
    assert_eq!((answer.status, &answer.json()["code"]), (413, &json!("body_too_large")));
}

#[tokio::test]
async fn a_list_has_a_size_and_a_time() {
    let world = World::start(1).await;
    let limits = |settings: &mut tributary::config::Settings| {
        settings.rates.uploads.upload_bytes_max = 100 << 10;
        settings.body_timeout_seconds = 1;
    };
    let (address, _stop) = world.app.another_admin(limits).await;
    let to = (&*world.seed.program_id, &*world.seed.advertiser_key);
    let mut sending = Sending::begin(&address, to).await;
    sending.piece("id\n").await;
    for _ in 0..11 {
        sending.piece(&"O-1,                          \n".repeat(333)).await;
    }
    assert_eq!(sending.end().await.1["code"], "body_too_large");
    let mut slow = Sending::begin(&address, to).await;
    slow.piece("id\nO-1\n").await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(slow.end().await.1["code"], "body_too_slow");
    let kept = "select string_agg(failure, ' ' order by id) from reconciliations";
    assert_eq!(world.app.rows(kept).await[0].get::<_, &str>(0), "body_too_large body_too_slow");
    assert_eq!(world.count("reconciliation_rows").await, 0);
}

#[tokio::test]
async fn of_what_breaks_off_only_that_stays() {
    let world = World::start(1).await;
    let address = world.app.admin_url.trim_start_matches("http://").to_owned();
    let to = (&*world.seed.program_id, &*world.seed.advertiser_key);
    let mut sending = Sending::begin(&address, to).await;
    sending.piece("id,amount\n").await;
    for _ in 0..10 {
        sending.piece(&"O-1,20\n".repeat(1_000)).await;
    }
    let began = Instant::now();
    while world.count("reconciliation_rows").await == 0 {
        assert!(began.elapsed() < Duration::from_secs(20), "nothing is written while it comes");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(sending);
    let status = "select status || coalesce(' ' || failure, '') from reconciliations";
    while world.app.rows(status).await[0].get::<_, &str>(0) != "failed body_broken" {
        assert!(began.elapsed() < Duration::from_secs(20), "nobody notices");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(world.count("reconciliation_rows").await, 0);
    assert_eq!(world.count("reconciliation_findings").await, 0);
}

#[tokio::test]
async fn two_lists_at_once_are_two() {
    let world = World::start(3).await;
    let address = world.app.admin_url.trim_start_matches("http://").to_owned();
    let to = (&*world.seed.program_id, &*world.seed.advertiser_key);
    let (mut one, mut two) =
        (Sending::begin(&address, to).await, Sending::begin(&address, to).await);
    one.piece("id\nO-1\nO-").await;
    two.piece("id;amount\nO-2;").await;
    one.piece("3\n").await;
    two.piece("21\n").await;
    let ((first, one), (second, two)) = (one.end().await, two.end().await);
    assert_eq!((first, second), (201, 201), "{one} {two}");
    let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
    assert_eq!(world.findings(&id(&one)).await, ["extra - O-2 1002 -"]);
    assert_eq!(world.findings(&id(&two)).await, ["amount_differs 2 O-2 1002 -"]);
}

#[tokio::test]
async fn there_are_only_so_many_lists_a_day() {
    let world = World::start(1).await;
    let program = &world.seed.program_id;
    let many = "insert into reconciliations (program_id, created_at) select {p}, now() - i * interval '29 minutes'
                from generate_series(1, 50) i".replace("{p}", program);
    world.app.execute(&many).await;
    // The oldest of them is more than a day old.
    assert_eq!(world.send("", "id\nO-1\n").await.status, 201);
    let answer = world.send("", "id\nO-1\n").await;
    assert_eq!((answer.status, &answer.json()["code"]), (409, &json!("too_many_reconciliations")));
}

#[tokio::test]
async fn lines_are_swept_and_what_was_found_stays() {
    let world = World::start(1).await;
    let store = &world.app.store;
    let sweep = async || tributary::store::reconciliations::sweep(store).await.unwrap();
    let made = world.send("", "id\nO-1\nO-9\n").await.json();
    assert!(!sweep().await);
    assert_eq!(world.count("reconciliation_rows").await, 2);
    let old = "update reconciliations set created_at = now() - interval '91 days'";
    world.app.execute(old).await;
    sweep().await;
    assert_eq!(world.count("reconciliation_rows").await, 0);
    let found = world.findings(made["id"].as_str().unwrap()).await;
    assert_eq!(found, ["missing 3 O-9 - -"]);
    // Nobody sends this one any more.
    let program = &world.seed.program_id;
    let stale = format!(
        "insert into reconciliations (program_id, created_at) values ({program}, now() - interval '25 hours')"
    );
    world.app.execute(&stale).await;
    sweep().await;
    let abandoned =
        world.app.rows("select count(*) from reconciliations where failure = 'abandoned'").await;
    assert_eq!(abandoned[0].get::<_, i64>(0), 1);
}

/// Bytes of memory that a process had at most.
fn peak(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

/// Sends a list of so many orders to a process of its own, of which the books have a tenth; how much more memory
/// it took at most, and how long that was.
async fn stream(orders: i64) -> (u64, Duration) {
    let world = World::start(orders / 10).await;
    let (process, address) = Process::start_admin(&world.app).await;
    let to = (&*world.seed.program_id, &*world.seed.advertiser_key);
    let mut small = Sending::begin(&address, to).await;
    small.piece("id\nO-1\n").await;
    assert_eq!(small.end().await.0, 201);
    let (before, began) = (peak(&process), Instant::now());
    let mut sending = Sending::begin(&address, to).await;
    sending.piece("order_id,amount,currency,status\n").await;
    let mut piece = String::new();
    for order in 1..=orders {
        piece +=
            &format!("O-{order},20.00,USD,{}\n", if order % 7 == 0 { "paid" } else { "pending" });
        if order % 500 == 0 || order == orders {
            sending.piece(&piece).await;
            piece.clear();
        }
    }
    let (status, made) = sending.end().await;
    assert_eq!((status, &made["lines"]), (201, &json!(orders)), "{made}");
    let count = |kind: &str| {
        let mut counts = made["findings"].as_array().unwrap().iter();
        counts
            .find(|count| count["kind"] == kind)
            .map_or(0, |count| count["found"].as_i64().unwrap())
    };
    let known = orders / 10;
    assert_eq!((count("confirmed"), count("missing")), (known / 7, orders / 7 - known / 7));
    (peak(&process) - before, began.elapsed())
}

#[tokio::test]
async fn a_large_list_takes_no_more_memory_than_a_small_one() {
    let (grown, _) = stream(100_000).await;
    assert!(grown < 24 << 20, "{} KiB more", grown >> 10);
}

/// By hand: `cargo test --features failpoints --test it -- --ignored --nocapture a_million_lines`.
#[tokio::test]
#[ignore = "takes a minute"]
async fn a_million_lines() {
    let (grown, took) = stream(1_000_000).await;
    println!("a million lines: {} KiB more than a small list, {took:?}", grown >> 10);
    assert!(grown < 32 << 20, "{} KiB more", grown >> 10);
}
