//! Stored hits decided again: what was not counted for want of something is counted, what was counted wrongly
//! is corrected, and what is right stays.

use std::process::Command;

use serde_json::{Value, json};
use tributary::config;
use tributary::domain::hit::{Hit, Kind, Method, Part};
use tributary::domain::reason::Outcome;
use tributary::replay::Report;
use tributary::roles;

use crate::failure::settle_until;
use crate::harness::{App, Seed, http};
use crate::recovery::forward;

/// From the beginning until after the test.
pub const EVER: (&str, &str) = ("1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z");
/// All that the books are made of.
const BOOKS: [&str; 8] = [
    "hits",
    "clicks",
    "conversions",
    "transfers",
    "dead_letters",
    "replays",
    "replayed_hits",
    "replayed_conversions",
];

pub fn asked(app: &App, (from, to): (&str, &str), apply: bool) -> config::Replay {
    config::Replay {
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        program: None,
        outcome: None,
        apply,
        settings: app.settings.clone(),
    }
}

pub async fn run(asked: &config::Replay) -> (Report, Vec<String>) {
    let mut told = Vec::new();
    let report = roles::replay(asked, |line| told.push(line)).await.unwrap();
    assert_eq!(report.failed, 0, "{told:?}");
    (report, told)
}

/// Shows the difference, which must change nothing; books it, which must do what was shown; and then there
/// is none, and the books are sound.
pub async fn replay(app: &App) -> Report {
    replay_as(app, asked(app, EVER, true)).await
}

pub async fn replay_as(app: &App, mut asked: config::Replay) -> Report {
    let before = books(app).await;
    asked.apply = false;
    let (shown, told) = run(&asked).await;
    assert_eq!(books(app).await, before, "showing changes nothing");
    asked.apply = true;
    let (applied, _) = run(&asked).await;
    assert_eq!(shown.outcomes, applied.outcomes, "{told:?}");
    assert_eq!(shown.transfers, applied.transfers, "{told:?}");
    let now = books(app).await;
    assert_eq!(now == before, !applied.differs(), "{told:?}");
    let (again, told) = run(&asked).await;
    assert!(!again.differs(), "twice is once: {told:?}");
    assert_eq!(books(app).await, now);
    sound(app).await;
    applied
}

async fn books(app: &App) -> Vec<String> {
    let mut books = Vec::new();
    for table in BOOKS {
        let sql = format!(
            "select '{table} ' || md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {table} t"
        );
        books.push(app.rows(&sql).await[0].get(0));
    }
    books
}

pub async fn sound(app: &App) {
    for (invariant, rows) in roles::audit(&app.store).await.unwrap() {
        assert_eq!(rows, 0, "{invariant}");
    }
}

/// The cookie of a click on the seed's link.
pub async fn click(app: &App, seed: &Seed) -> String {
    let answer = http("GET", &format!("{}/c/{}", app.edge_url, seed.link_code), &[], b"").await;
    answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

pub async fn pixel(app: &App, code: &str, query: &str, cookie: &str) -> String {
    let url = format!("{}/t/{code}.gif?{query}", app.edge_url);
    let answer = http("GET", &url, &[("cookie", cookie)], b"").await;
    assert_eq!(answer.status, 200);
    answer.header("tributary-hit").unwrap().to_owned()
}

pub async fn postback(app: &App, seed: &Seed, query: &str) {
    let url = format!("{}/postback/{}?{query}", app.edge_url, seed.code);
    let bearer = format!("Bearer {}", seed.secret);
    assert_eq!(http("POST", &url, &[("authorization", &bearer)], b"").await.status, 200);
}

/// `outcome reason` of all hits of tracking codes, in the order they came.
pub async fn fates(app: &App) -> Vec<String> {
    let sql =
        "select concat_ws(' ', outcome, reasons[1]) from hits where kind <> 'click' order by id";
    app.rows(sql).await.iter().map(|row| row.get(0)).collect()
}

/// `code amount` of all transfers, in the order they were written.
async fn transfers(app: &App) -> Vec<String> {
    let sql = "select code || ' ' || amount from transfers order by id";
    app.rows(sql).await.iter().map(|row| row.get(0)).collect()
}

pub async fn conversions(app: &App) -> Vec<String> {
    let sql =
        "select concat_ws(' ', order_id, amount, commission, status) from conversions order by id";
    app.rows(sql).await.iter().map(|row| row.get(0)).collect()
}

/// A tracking code of the seed's program that is made only now.
async fn make_code(app: &App, seed: &Seed, code: &str) {
    app.execute(&format!(
        "insert into tracking_codes (program_id, code, name, secret) values ({}, '{code}', 'Late', '{}')",
        seed.program_id, seed.secret
    ))
    .await;
}

/// The stored bytes of all hits, with some of them exchanged for others of the same length.
pub async fn rewrite(app: &App, from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    app.execute(&format!(
        "update hits set raw = decode(replace(encode(raw, 'hex'), encode('{from}', 'hex'), encode('{to}', 'hex')), 'hex')"
    ))
    .await;
}

#[tokio::test]
async fn a_sale_whose_tracking_code_is_made_later_is_counted() {
    let app = App::start().await;
    let seed = app.seed().await;
    let cookie = click(&app, &seed).await;
    let hit = pixel(&app, "late", "amount=100&id=1", &cookie).await;
    pixel(&app, "late", "amount=100&id=1", &cookie).await;
    pixel(&app, &seed.code, "amount=50&id=2", &cookie).await;
    app.settle().await;
    assert_eq!(fates(&app).await, ["rejected code_unknown", "rejected code_unknown", "converted"]);
    assert!(!replay(&app).await.differs());
    make_code(&app, &seed, "late").await;
    let report = replay(&app).await;
    assert_eq!((report.hits_changed, report.conversions_changed), (2, 1));
    assert_eq!(fates(&app).await, ["converted", "duplicate same_order", "converted"]);
    assert_eq!(conversions(&app).await, ["1 100.00 10.00 pending", "2 50.00 5.00 pending"]);
    assert_eq!(transfers(&app).await, ["accrue 5.00", "accrue 10.00"]);
    let kept = app
        .rows("select h.outcome, h.reasons[1], h.hit_id::text from replayed_hits h join replays r on r.id = h.replay_id order by 3")
        .await;
    assert_eq!(kept.len(), 2);
    assert_eq!(
        (kept[0].get::<_, &str>(0), kept[0].get::<_, &str>(1)),
        ("rejected", "code_unknown")
    );
    assert_eq!(kept[0].get::<_, &str>(2), hit);
    let shown = app.api("GET", &format!("hits/{hit}"), Value::Null).await.json();
    assert_eq!(shown["formerly"][0]["reasons"], json!(["code_unknown"]), "{shown}");
    let booked =
        "select event_at = (select received_at from hits where id = cause_id) from transfers";
    assert!(app.rows(booked).await.iter().all(|row| row.get(0)), "as if it had been settled then");
    let counted = app.rows("select count(*) from replayed_hits").await[0].get::<_, i64>(0);
    app.execute("do $$ begin delete from replayed_hits; exception when others then null; end $$")
        .await;
    assert_eq!(app.rows("select hit_id from replayed_hits").await.len() as i64, counted, "final");
}

#[tokio::test]
async fn a_dead_letter_is_settled_after_all() {
    let app = App::start().await;
    let seed = app.seed().await;
    forward(&app, &seed, (1, 0), &[(1_000, "amount=1&id=1")]).await;
    forward(&app, &seed, (2, 0), &[(1_000, "amount=2&id=2"), (1_001, "amount=3&id=3")]).await;
    settle_until(&app, 2).await;
    let dead = app.api("GET", "hits?outcome=dead", Value::Null).await.json();
    assert!(dead["data"][0]["error"].as_str().unwrap().contains("_pkey"), "{dead}");
    let path = format!("hits/{}", dead["data"][0]["id"].as_str().unwrap());
    assert_eq!(app.api("GET", &path, Value::Null).await.json()["outcome"], "dead");
    // Of another time, another program or with another outcome, it stays.
    let past = asked(&app, ("1970-01-01T00:00:00Z", "2020-01-01T00:00:00Z"), true);
    assert!(!replay_as(&app, past).await.differs());
    let other = config::Replay { program: Some(1), ..asked(&app, EVER, true) };
    assert!(!replay_as(&app, other).await.differs());

    let program = seed.program_id.parse().ok();
    let dead = config::Replay {
        outcome: Some(Outcome::Dead),
        program,
        ..asked(&app, ("2020-01-01T00:00:00Z", EVER.1), true)
    };
    let report = replay_as(&app, dead).await;
    assert_eq!((report.hits, report.hits_changed), (1, 1));
    let dead = app.api("GET", "hits?outcome=dead", Value::Null).await.json();
    assert_eq!(dead["data"], json!([]));
    let settled = app
        .rows(
            "select id, kind, code, program_id::text, seq from hits where edge_id = 2 order by seq",
        )
        .await;
    assert_eq!(settled[0].get::<_, i64>(0), 1_002, "its own id and the next are taken");
    assert_eq!(settled[0].get::<_, &str>(1), "pixel");
    assert_eq!(settled[0].get::<_, &str>(2), seed.code);
    assert_eq!(settled[0].get::<_, &str>(3), seed.program_id);
    assert_eq!(conversions(&app).await.len(), 3);
    let shown = app.api("GET", "hits/1002", Value::Null).await.json();
    assert_eq!(shown["outcome"], "converted");
    assert!(shown["error"].as_str().unwrap().contains("_pkey"), "why it was dead stays known");
}

#[tokio::test]
async fn what_is_right_already_stays() {
    let app = App::start().await;
    let seed = app.seed_with(json!({"unsigned": "hold"})).await;
    let (one, two) = (click(&app, &seed).await, click(&app, &seed).await);
    for query in [
        "amount=100&id=1",
        "amount=120&id=1",
        "amount=abc&id=2",
        "amount=1,234.5&id=3",
        "amount=9&id=4&test=1",
        "amount=7",
        "amount=1&id=5",
    ] {
        pixel(&app, &seed.code, query, &one).await;
        pixel(&app, &seed.code, query, &two).await;
    }
    pixel(&app, "nobody", "amount=1&id=1", &one).await;
    app.settle().await;
    for query in ["amount=110&id=1", "amount=1&id=5", "amount=1&id=6", "amount=1&id=6&type=lead"] {
        postback(&app, &seed, query).await;
    }
    app.settle().await;
    let verdicts =
        app.rows("select id::text from conversions where order_id = '5' or order_id is null").await;
    for (row, verdict) in verdicts.iter().zip(["approve", "reject", "reject"]) {
        let path = format!("conversions/{}/{verdict}", row.get::<_, &str>(0));
        let body = if verdict == "reject" { json!({"reason": "returned"}) } else { Value::Null };
        assert_eq!(app.api("POST", &path, body).await.status, 200);
    }
    // Settings of today are not those of then, where they were frozen.
    let change = json!({"hold_days": 60, "unsigned": "accept"});
    let path = format!("programs/{}", seed.program_id);
    assert_eq!(app.api("PATCH", &path, change).await.status, 200);
    let report = replay(&app).await;
    assert!(!report.differs(), "{report}");
    assert!(app.rows("select id from replays").await.is_empty());
}

#[tokio::test]
async fn only_what_was_asked_for_is_decided_again() {
    let app = App::start().await;
    let (seed, other) = (app.seed().await, app.seed().await);
    let first = pixel(&app, "late", "amount=1&id=1", "").await;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let second = pixel(&app, "late", "amount=1&id=2", "").await;
    pixel(&app, &other.code, "amount=abc&id=3", "").await;
    app.settle().await;
    make_code(&app, &seed, "late").await;
    rewrite(&app, "amount=abc", "amount=123").await;
    let at = |hit: &str| {
        let ms = hit.parse::<i64>().unwrap() >> 22;
        jiff::Timestamp::from_millisecond(ms).unwrap()
    };
    // Until before the second one, and from it on to itself: a range ends before its end.
    for (from, to, hits) in [(at(&first), at(&second), 1), (at(&second), at(&second), 0)] {
        let range = config::Replay { from, to, ..asked(&app, EVER, false) };
        if hits == 0 {
            let refused = roles::replay(&range, |_| ()).await.unwrap_err();
            assert!(refused.to_string().contains("--to"), "{refused}");
            continue;
        }
        assert_eq!(run(&range).await.0.hits_changed, hits);
    }
    let program = |seed: &Seed| seed.program_id.parse().ok();
    for (program, outcome, hits) in [
        (None, None, 3),
        (program(&seed), None, 2),
        (program(&other), None, 1),
        (None, Some(Outcome::Rejected), 3),
        (program(&other), Some(Outcome::Rejected), 1),
        (None, Some(Outcome::Converted), 0),
    ] {
        let filtered = config::Replay { program, outcome, ..asked(&app, EVER, false) };
        assert_eq!(run(&filtered).await.0.hits_changed, hits, "{program:?} {outcome:?}");
    }
    let filtered = config::Replay { program: program(&other), ..asked(&app, EVER, true) };
    replay_as(&app, filtered).await;
    assert_eq!(
        fates(&app).await,
        ["rejected code_unknown", "rejected code_unknown", "converted no_referral"]
    );
}

#[tokio::test]
async fn many_hits_are_decided_in_batches_while_workers_settle() {
    let app = App::start().await;
    let seed = app.seed().await;
    let cookie = click(&app, &seed).await;
    app.settle().await;
    let mut values = Vec::new();
    let now = roles::now_ms();
    for n in 0..2_300_i64 {
        let (id, query) = (((now - 100_000) << 22) + n * 8, format!("amount=10&id={}", n % 900));
        let mut hit = Hit::new(id, now - 100_000, Kind::Pixel, Method::Get);
        hit.set(Part::Code, b"late");
        hit.set(Part::Query, query.as_bytes());
        hit.set(Part::Cookie, cookie.as_bytes());
        let mut raw = Vec::new();
        hit.encode(&mut raw);
        let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
        values.push(format!(
            "({id}, 77, {n}, now(), 'pixel', 'late', 'rejected', '{{code_unknown}}', '\\x{hex}')"
        ));
    }
    app.execute(&format!(
        "insert into hits (id, edge_id, seq, received_at, kind, code, outcome, reasons, raw) values {}",
        values.join(",")
    ))
    .await;
    make_code(&app, &seed, "late").await;
    let (shown, _) = run(&asked(&app, EVER, false)).await;
    assert_eq!(shown.outcomes[&("rejected", "converted")], 900);
    assert_eq!(shown.outcomes[&("rejected", "duplicate")], 1_400);
    // The same orders come by another way meanwhile.
    let settling = async {
        for n in 0..100 {
            postback(&app, &seed, &format!("amount=20&id={n}")).await;
            app.settle().await;
        }
    };
    let asked = asked(&app, EVER, true);
    let ((applied, _), ()) = tokio::join!(run(&asked), settling);
    assert_eq!(applied.hits_changed, 2_300);
    let counted = app
        .rows("select count(*), sum(amount)::text, sum(commission)::text from conversions")
        .await;
    assert_eq!(counted[0].get::<_, i64>(0), 900);
    assert_eq!(counted[0].get::<_, &str>(1), "10000.00", "the shop's own word stands");
    assert_eq!(counted[0].get::<_, &str>(2), "1000.00");
    sound(&app).await;
    assert!(!run(&asked).await.0.differs());
}

#[tokio::test]
async fn the_command_tells_by_its_exit_code() {
    let app = App::start().await;
    let seed = app.seed().await;
    pixel(&app, "late", "amount=100&id=1", "").await;
    app.settle().await;
    make_code(&app, &seed, "late").await;
    let settings = app.settings.clone();
    let command = async |arguments: &'static [&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
        command.arg("replay").args(["--from", EVER.0]).args(arguments).env_clear();
        command.env("TRIBUTARY_DATABASE_URL", settings.database().unwrap());
        command.env("TRIBUTARY_TOKEN_KEYS", settings.token_keys.as_ref().unwrap());
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = command(&["--to", "2100-01-01T00:00:00Z"]).await;
    assert!(said.contains("rejected (code_unknown) -> converted"), "{said}");
    assert!(said.contains("nothing was changed"), "{said}");
    assert_eq!(code, Some(2));
    let (code, said) =
        command(&["--to", "2100-01-01T00:00:00Z", "--outcome", "rejected", "--apply"]).await;
    assert!(code == Some(0) && said.contains("\napplied"), "{said}");
    let (code, said) = command(&["--to", "2100-01-01T00:00:00Z"]).await;
    assert!(code == Some(0) && said.contains("no difference"), "{said}");
    for wrong in [
        &["--to", "yesterday"][..],
        &["--to", "1960-01-01T00:00:00Z"],
        &["--to", EVER.1, "--outcome", "lost"],
    ] {
        assert_eq!(command(wrong).await.0, Some(64), "{wrong:?}");
    }
}
