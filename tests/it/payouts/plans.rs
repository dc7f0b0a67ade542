//! How PostgreSQL finds what a step touches, when there is much that it does not touch.

use std::fs;
use std::path::Path;

use tokio_postgres::{Client, NoTls};

use crate::harness::App;

/// An affiliate who was paid so many times, in all for 20,000 sales, each of which stands at a status. Nobody gathers
/// statistics of it but who asks for them.
fn paid(times: u32, status: &str) -> String {
    let each = 20_000 / times;
    format!(
        "
    set session_replication_role = replica;
    alter table conversions set (autovacuum_enabled = off);
    alter table transfers set (autovacuum_enabled = off);
    alter table payouts set (autovacuum_enabled = off);
    alter table payout_items set (autovacuum_enabled = off);
    insert into programs (id, advertiser_id, name, landing_url) values (1, 1, 'Program', 'https://shop.example/');
    insert into conversions (id, program_id, kind, order_key, amount, currency, affiliate_id, attributed_by,
      commission, commission_currency, status, held, hold_until, verified, received_at, facts)
    select n, 1, 'sale', 'id:' || n, 10, 'USD', 1, 'cookie', 1, 'USD', '{status}', false, now(), true, now(), '{{}}'
    from generate_series(1, 20000) n;
    insert into transfers (id, program_id, conversion_id, code, cause_id, debit_account, debit_owner, credit_account,
      credit_owner, amount, currency, event_at)
    select n, 1, n, 'approve', n, 'affiliate_pending', 1, 'affiliate_payable', 1, 1, 'USD', now()
    from generate_series(1, 20000) n;
    insert into payouts (id, run_id, program_id, affiliate_id, amount, currency, status)
    select n, n, 1, 1, 10, 'USD', 'paid' from generate_series(1, {times}) n;
    insert into payout_items (payout_id, transfer_id, program_id, amount)
    select 1 + n / {each}, n + 1, 1, 1 from generate_series(0, 19999) n;
    set plan_cache_mode = force_generic_plan"
    )
}

async fn database(times: u32, status: &str) -> (App, Client) {
    let app = App::start().await;
    let (db, connection) = tokio_postgres::connect(&app.database_url, NoTls).await.unwrap();
    tokio::spawn(connection);
    db.batch_execute(&paid(times, status)).await.unwrap();
    (app, db)
}

/// How a statement of ours is carried out with these arguments, which it does.
async fn plan(db: &Client, file: &str, types: &str, arguments: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql").join(file);
    let statement = fs::read_to_string(file).unwrap();
    let explain = "explain (analyze, costs off, timing off, summary off)";
    let asked = format!("prepare asked ({types}) as {statement}");
    db.batch_execute(&asked).await.unwrap();
    let rows = db.query(&format!("{explain} execute asked ({arguments})"), &[]).await.unwrap();
    db.batch_execute("deallocate asked").await.unwrap();
    rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n")
}

/// The rows that the widest step of a plan looked at, each time that it was gone through counted.
fn widest(plan: &str) -> u64 {
    let number = |text: &str| {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u64>().unwrap()
    };
    let behind = |text: &str, word| text.split(word).skip(1).map(number).sum::<u64>();
    let looked_at = |step: &str| {
        let removed =
            behind(step, "Removed by Filter: ") + behind(step, "Removed by Join Filter: ");
        (number(step) + removed) * behind(step, "loops=")
    };
    plan.split("actual rows=").skip(1).map(looked_at).max().unwrap()
}

#[tokio::test]
async fn whether_a_sale_is_paid_is_found_by_its_rows() {
    let (_app, db) = database(2_000, "paid").await;
    db.batch_execute("analyze conversions, shares, transfers, payouts, payout_items")
        .await
        .unwrap();
    let plan = plan(&db, "payouts/mark.sql", "bigint[]", "'{7}'").await;
    // Not by all payouts that the affiliate ever had.
    assert!(plan.contains("Index Scan using payout_items_once"), "{plan}");
    assert!(!plan.contains("payouts_affiliate_id"), "{plan}");
    assert_eq!(widest(&plan), 10, "{plan}");
}

#[tokio::test]
async fn rows_are_found_before_there_are_statistics() {
    let (_app, db) = database(80, "payable").await;
    let half: Vec<String> = (1..=40).map(|payout| payout.to_string()).collect();
    let half = format!("'{{{}}}'", half.join(","));
    let mark = plan(&db, "payouts/mark.sql", "bigint[]", &half).await;
    assert!(widest(&mark) <= 20_000, "{mark}"); // No row is gone through twice.
    let orders = "'{1,1}', '{sale,sale}', '{id:7,id:8}'";
    let known = plan(&db, "settle/find_conversions.sql", "bigint[], text[], text[]", orders).await;
    assert_eq!(widest(&known), 2, "{known}");
    let read = plan(&db, "books/read.sql", "bigint", "7").await;
    assert_eq!(widest(&read), 1, "{read}");
}
