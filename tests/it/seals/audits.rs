//! Whoever meddles with what was sealed is told, and an outsider who has the rows computes the same hashes.

use std::io::Write;
use std::process::{Command, Stdio};

use super::{broken, connect, posted, seal, texts, world};
use crate::dice::Dice;
use crate::harness::App;

const DOCUMENT: &str = include_str!("../../../docs/DATA.md");
pub const AUDITS: [(&str, &str); 2] = [
    ("seal_broken", include_str!("../../../sql/audit/seal_broken.sql")),
    ("seal_misses", include_str!("../../../sql/audit/seal_misses.sql")),
];

/// An example of the document's section on seals.
fn block(language: &str) -> &'static str {
    let section = DOCUMENT.split("\n### Seals\n").nth(1).unwrap().split("\n### ").next().unwrap();
    let block = section.split(&format!("```{language}\n")).nth(1).unwrap();
    block.split("```").next().unwrap()
}

/// What the documented program says of rows that the documented statement gave out.
fn outsider(rows: &[String]) -> Vec<String> {
    let mut command = Command::new("python3");
    command.args(["-c", block("python")]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(rows.join("\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

async fn sealed_in_three_blocks() -> App {
    let app = world().await;
    for seconds_ago in [60, 50, 40] {
        app.execute(&posted(30, seconds_ago)).await;
        seal(&app, 30).await;
    }
    app
}

#[tokio::test]
async fn an_outsider_computes_the_same_hashes() {
    let app = sealed_in_three_blocks().await;
    let client = connect(&app).await;
    for advertiser in ["1", "11"] {
        let sql = block("sql").replace(":advertiser", advertiser);
        let rows = client.query(&sql, &[]).await.unwrap();
        let rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let hashes = format!(
            "select number || ' ' || encode(hash, 'hex') || ' ok' from seals
             where advertiser_id = {advertiser} order by number"
        );
        assert_eq!(outsider(&rows), texts(&app, &hashes).await);
        let changed = rows.iter().map(|row| row.replacen(".50\"", ".5\"", 1));
        let said = outsider(&changed.collect::<Vec<_>>());
        assert!(said.iter().all(|line| line.ends_with("BROKEN")), "{said:?}");
    }
}

/// One way to meddle with a transfer, a pair of them, or a seal.
fn meddling(dice: &mut Dice) -> String {
    let mut any = |from: &[&str]| from[dice.roll(from.len() as u64) as usize].to_owned();
    let what = any(&["column", "column", "seal", "delete", "insert", "exchange", "unseal"]);
    let column = any(&[
        "id = id + 1",
        "conversion_id = 7",
        "code = 'exchange'",
        "cause_id = cause_id + 1000",
        "debit_account = 'affiliate_paid'",
        "debit_owner = 2",
        "credit_account = 'affiliate_pending'",
        "credit_owner = 3",
        "amount = amount + 0.01",
        "amount = amount + 0.000",
        "currency = 'EUR'",
        "currency = 'USD '",
        "event_at = event_at + interval '1 microsecond'",
        "created_at = created_at - interval '1 day'",
        "program_id = 16 - program_id",
        "part = 1",
        "rate = 1.1, rate_on = '2026-11-22', rate_source = 'x'",
        "rate = coalesce(rate, 0) + 1, rate_on = coalesce(rate_on, '2026-11-22') + 1, rate_source = coalesce(rate_source, '')",
    ]);
    let seal = any(&[
        "advertiser_id = 12 - advertiser_id, number = number + 9",
        "number = number + 5",
        "first_id = first_id - 1",
        "last_id = last_id + 1",
        "transfers = transfers + 1",
        "hash = sha256(hash)",
        "sealed_at = sealed_at + interval '1 microsecond'",
    ]);
    let place = dice.roll(90);
    let other = (place + 1 + dice.roll(89)) % 90;
    let nth = |n| format!("(select id from transfers order by id offset {n} limit 1)");
    // Without the newest of all: nothing that is left tells of it but a hash that somebody kept.
    let ctid = format!("(select ctid from seals order by last_id offset {} limit 1)", place % 5);
    match what.as_str() {
        "column" => format!("update transfers set {column} where id = {}", nth(place)),
        "seal" => format!("update seals set {seal} where ctid = {ctid}"),
        "delete" => format!("delete from transfers where id = {}", nth(place)),
        "insert" => format!(
            "insert into transfers (id, code, cause_id, program_id, debit_account, debit_owner, credit_account,
                                    credit_owner, amount, currency, event_at)
             select id - 1, code, 7, program_id, debit_account, debit_owner, credit_account, credit_owner, 1, 'USD', event_at
             from transfers where id = {}",
            nth(place)
        ),
        "exchange" => format!(
            "with pair as (select array[{}, {}] as ids)
             update transfers t set amount = o.amount from transfers o, pair
             where t.id = any(ids) and o.id = any(ids) and o.id <> t.id",
            nth(place),
            nth(other)
        ),
        _ => format!("delete from seals where ctid = {ctid}"),
    }
}

#[tokio::test]
async fn whatever_is_changed_is_found() {
    let app = sealed_in_three_blocks().await;
    assert!(broken(&app).await.is_empty());
    app.execute(
        "alter table transfers disable trigger user; alter table seals disable trigger user",
    )
    .await;
    let client = connect(&app).await;
    let mut dice = Dice(0x5ea1_5ea1);
    for round in 0..1_000 {
        let meddling = meddling(&mut dice);
        client.batch_execute(&format!("begin; {meddling}")).await.unwrap();
        let mut found = 0;
        for (_, sql) in AUDITS {
            found += client.query(sql, &[&i64::MIN]).await.unwrap().len();
        }
        client.batch_execute("rollback").await.unwrap();
        assert!(found > 0, "round {round}: {meddling}");
    }
    assert!(broken(&app).await.is_empty(), "nothing of it stayed");
}

/// As if the clock had been set back: written now, with ids from before what was sealed.
#[tokio::test]
async fn what_comes_late_with_an_old_id_is_told() {
    let both: &[&str] = &["seal_broken", "seal_misses"];
    for (straggler, told) in [
        ("(select first_id + 1 from seals where advertiser_id = 1 and number = 2)", &both[..1]),
        ("(select first_id - 1 from seals where advertiser_id = 1 and number = 2)", both),
        ("(select min(first_id) - 1000 from seals)", both),
        // Above all that is sealed of its advertiser, and below what is of the other.
        ("(select max(last_id) - 1 from seals)", &both[1..]),
    ] {
        let app = sealed_in_three_blocks().await;
        app.execute(&format!(
            "insert into transfers (id, code, cause_id, program_id, debit_account, debit_owner, credit_account,
                                    credit_owner, amount, currency, event_at)
             values ({straggler}, 'adjust', 7, 3, 'advertiser', 1, 'affiliate_payable', 2, 1, 'USD', now())"
        ))
        .await;
        assert_eq!(broken(&app).await, told, "{straggler}");
        // Sealing goes on with what comes after, and the straggler stays told.
        app.execute(&posted(9, 30)).await;
        seal(&app, 9).await;
        let still = broken(&app).await;
        assert!(told.iter().all(|told| still.contains(told)), "{straggler}: {still:?}");
    }
}

#[tokio::test]
async fn the_audit_on_the_command_line_prints_the_heads() {
    let app = sealed_in_three_blocks().await;
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_tributary"));
    command.arg("audit").env_clear().env("TRIBUTARY_DATABASE_URL", &app.database_url);
    let output = command.output().await.unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let heads = "select 'seal of advertiser ' || advertiser_id || ': number 3 up to ' || last_id || ', ' || encode(hash, 'hex')
                 from seals where number = 3 order by last_id desc";
    let expected = [vec!["seals: 6".to_owned()], texts(&app, heads).await].concat();
    let lines: Vec<&str> = printed.lines().skip_while(|line| !line.starts_with("seals:")).collect();
    assert_eq!(lines, expected, "{printed}");
    assert!(printed.contains("seal_broken: ok\nseal_misses: ok\n"), "{printed}");
}
