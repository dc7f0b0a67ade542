//! How PostgreSQL finds what a step touches, when there is much that it does not touch.

use std::fs;
use std::path::Path;

use tokio_postgres::NoTls;

use crate::harness::App;

/// An affiliate who was paid 2000 times, each time for ten sales.
const PAID: &str = "
    set session_replication_role = replica;
    insert into conversions (id, program_id, kind, order_key, amount, currency, affiliate_id, attributed_by,
      commission, commission_currency, status, held, hold_until, verified, received_at, facts)
    select n, 1, 'sale', 'id:' || n, 10, 'USD', 1, 'cookie', 1, 'USD', 'paid', false, now(), true, now(), '{}'
    from generate_series(1, 20000) n;
    insert into transfers (id, program_id, conversion_id, code, cause_id, debit_account, debit_owner, credit_account,
      credit_owner, amount, currency, event_at)
    select n, 1, n, 'approve', n, 'affiliate_pending', 1, 'affiliate_payable', 1, 1, 'USD', now()
    from generate_series(1, 20000) n;
    insert into payouts (id, run_id, program_id, affiliate_id, amount, currency, status)
    select n, n, 1, 1, 10, 'USD', 'paid' from generate_series(1, 2000) n;
    insert into payout_items (payout_id, transfer_id, program_id, amount)
    select 1 + n / 10, n + 1, 1, 1 from generate_series(0, 19999) n;
    analyze conversions; analyze shares; analyze transfers; analyze payouts; analyze payout_items;
    set plan_cache_mode = force_generic_plan";

#[tokio::test]
async fn whether_a_sale_is_paid_is_found_by_its_rows() {
    let app = App::start().await;
    let (db, connection) = tokio_postgres::connect(&app.database_url, NoTls).await.unwrap();
    tokio::spawn(connection);
    db.batch_execute(PAID).await.unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/payouts/mark.sql");
    let mark = fs::read_to_string(file).unwrap();
    db.batch_execute(&format!("prepare mark (bigint[]) as {mark}")).await.unwrap();
    let rows = db.query("explain (costs off) execute mark ('{7}')", &[]).await.unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get::<_, String>(0)).collect();
    let plan = plan.join("\n");
    // Not by all payouts that the affiliate ever had.
    assert!(plan.contains("Index Scan using payout_items_once"), "{plan}");
    assert!(!plan.contains("payouts_affiliate_id"), "{plan}");
    for table in ["conversions", "transfers", "payout_items"] {
        assert!(!plan.contains(&format!("Seq Scan on {table}")), "{plan}");
    }
}
