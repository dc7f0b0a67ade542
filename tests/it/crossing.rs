//! Verdicts that meet other verdicts, the worker, and who releases or pays what follows from them.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};

use crate::booked::Shop;
use crate::harness::{Answer, App};

impl App {
    /// Waits until somebody waits for a lock.
    pub async fn somebody_waits(&self) {
        let waiting = "select from pg_stat_activity
                       where datname = current_database() and wait_event_type = 'Lock'";
        while self.rows(waiting).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// How many rings of locks PostgreSQL has undone in this database. Ends all connections, for each tells when it ends.
    async fn deadlocks(&self) -> i64 {
        let others =
            "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
        self.rows(&format!("select pg_terminate_backend(pid, 5000) {others}")).await;
        let sql = "select deadlocks from pg_stat_database where datname = current_database()";
        self.rows(sql).await[0].get(0)
    }

    /// A connection of somebody else's.
    async fn other(&self) -> Client {
        let (client, connection) =
            tokio_postgres::connect(&self.database_url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }
}

fn recurring() -> Value {
    json!({"kind": "percent", "rate": "10", "recurring": {"months": null}})
}

/// A shop whose customer C1 is Ann's by sale 1, and would be Ben's by sale 2; the renewal r1 is Ann's.
async fn with_a_renewal() -> Shop {
    let shop = Shop::open(json!({"plan": recurring()})).await;
    let ben = shop.link(&shop.another("ben", json!({})).await).await;
    shop.name(&shop.seed.affiliate_id, "ann").await;
    let (ann, ben) = (shop.click(&shop.seed.link_code).await, shop.click(&ben).await);
    shop.tell(&format!("amount=100&id=1&customer=C1&tclid={ann}")).await;
    shop.tell(&format!("amount=200&id=2&customer=C1&tclid={ben}")).await;
    shop.tell("amount=50&id=r1&customer=C1&type=renewal").await;
    assert_eq!(shop.owed().await, "ann 15.00 USD; ben 20.00 USD");
    shop
}

async fn judge(shop: &Shop, verdict: &str, ids: &[String]) -> Answer {
    let mut body = json!({ "ids": ids });
    if verdict == "reject" {
        body["reason"] = json!("fraud");
    }
    let path = format!("conversions/{verdict}");
    shop.app.api_as(&shop.seed.advertiser_key, "POST", &path, body).await
}

async fn id(shop: &Shop, order: &str) -> String {
    shop.text(&format!("select id::text from conversions where order_id = '{order}'")).await
}

fn row(order: &str) -> String {
    format!("select 1 from conversions where order_id = '{order}' for update")
}

/// Two calls name the sales of two customers in opposite orders, while the worker settles more of the same sales.
#[tokio::test]
async fn verdicts_that_cross_wait_in_one_order() {
    let shop = Shop::open(json!({"plan": recurring()})).await;
    let token = shop.click(&shop.seed.link_code).await;
    for round in 0..25 {
        for (n, customer) in [(1, "A"), (2, "B"), (3, "B"), (4, "A")] {
            let told =
                format!("amount=100&id={round}-{n}&customer={customer}{round}&tclid={token}");
            shop.tell(&told).await;
        }
        let mut ids = Vec::new();
        for n in 1..=4 {
            ids.push(id(&shop, &format!("{round}-{n}")).await);
        }
        let more = async |fields: &[&str]| {
            for (n, customer) in [(4, "A"), (3, "B"), (2, "B"), (1, "A")] {
                let order = format!("id={round}-{n}&customer={customer}{round}&tclid={token}");
                for fields in fields {
                    shop.send(&format!("{fields}&{order}")).await;
                }
            }
            for customer in ["B", "A"] {
                let renewal = format!("id=r{round}{customer}&customer={customer}{round}");
                shop.send(&format!("amount=50&type=renewal&{renewal}")).await;
            }
            shop.app.settle().await;
        };
        let told = ["amount=100&new=0", "type=refund&refund_id=a&amount=10"];
        for (verdict, told) in [("approve", &told[..1]), ("reject", &told[1..])] {
            let (one, other) = (judge(&shop, verdict, &ids[..2]), judge(&shop, verdict, &ids[2..]));
            let (one, other, ()) = tokio::join!(one, other, more(told));
            for answer in [one, other] {
                assert_eq!(answer.status, 200, "{round} {verdict}: {}", answer.text());
            }
        }
    }
    shop.owed().await;
    assert_eq!(shop.app.deadlocks().await, 0);
}

#[tokio::test]
async fn a_verdict_waits_for_who_has_a_renewal_in_hand() {
    let shop = with_a_renewal().await;
    let mut other = shop.app.other().await;
    let tx = other.transaction().await.unwrap();
    // As who releases it does, who holds no customer.
    let release = "update conversions set revision = revision + 1 where order_id = 'r1'";
    tx.execute(release, &[]).await.unwrap();
    let go_on = async {
        shop.app.somebody_waits().await;
        tx.commit().await.unwrap();
    };
    tokio::join!(shop.decide("1", "reject"), go_on);
    assert_eq!(shop.owed().await, "ben 25.00 USD");
}

#[tokio::test]
async fn a_verdict_that_lost_a_race_is_done_again() {
    let shop = with_a_renewal().await;
    let mut other = shop.app.other().await;
    let tx = other.transaction().await.unwrap();
    // The renewal first, and then the sale: the verdict has the sale and waits for the renewal. It began to wait first, so it
    // is the one whom PostgreSQL sends away.
    tx.execute(&row("r1"), &[]).await.unwrap();
    let go_on = async {
        shop.app.somebody_waits().await;
        tx.execute(&row("1"), &[]).await.unwrap();
        tx.commit().await.unwrap();
    };
    tokio::join!(shop.decide("1", "reject"), go_on);
    assert_eq!(shop.owed().await, "ben 25.00 USD");
    assert_eq!(shop.app.deadlocks().await, 1);
}

/// Between the customer's lock and the row's somebody makes it another's sale.
#[tokio::test]
async fn who_waits_for_a_customer_has_no_row() {
    let shop = with_a_renewal().await;
    let (mut teller, mut settler) = (shop.app.other().await, shop.app.other().await);
    let (telling, settling) =
        (teller.transaction().await.unwrap(), settler.transaction().await.unwrap());
    let lock = format!(
        "select pg_advisory_xact_lock(hashtextextended('tributary.customer {} C2', 0))",
        shop.seed.program_id
    );
    settling.execute(&lock, &[]).await.unwrap();
    let change = "update conversions set facts = jsonb_set(facts, '{customer,value}', '\"C2\"') where order_id = '1'";
    telling.execute(change, &[]).await.unwrap();
    let go_on = async {
        shop.app.somebody_waits().await;
        telling.commit().await.unwrap();
        let waits = "select from pg_locks l join pg_database d on d.oid = l.database
                     where d.datname = current_database() and l.locktype = 'advisory' and not l.granted";
        while shop.app.rows(waits).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let free = settling.query(&format!("{} skip locked", row("1")), &[]).await.unwrap();
        assert_eq!(free.len(), 1);
        settling.commit().await.unwrap();
    };
    tokio::join!(shop.decide("1", "reject"), go_on);
    let status = "select status from conversions where order_id = '1'";
    assert_eq!(shop.text(status).await, "rejected");
}

#[tokio::test]
async fn what_is_answered_of_many_holds_for_all_of_them() {
    let shop = Shop::open(json!({"plan": recurring(), "unsigned": "hold"})).await;
    shop.name(&shop.seed.affiliate_id, "ann").await;
    let token = shop.click(&shop.seed.link_code).await;
    // The renewal is known before the sale by which its customer is somebody's.
    shop.tell("amount=50&id=r1&customer=C1&type=renewal").await;
    shop.load(&format!("amount=100&id=1&customer=C1&tclid={token}")).await;
    let ids = [id(&shop, "r1").await, id(&shop, "1").await];
    let done = |id: &String| json!({"id": id, "result": "done"});
    let answer = judge(&shop, "approve", &ids).await.json();
    assert_eq!(answer["data"], json!([done(&ids[0]), done(&ids[1])]));
    let stand = "select order_id || ' ' || status from conversions order by order_id";
    assert_eq!(shop.text(stand).await, "1 payable; r1 payable");
    assert_eq!(shop.owed().await, "ann 15.00 USD");
}

#[tokio::test]
async fn nobody_is_paid_less_because_somebody_is_not_found() {
    let shop = with_a_renewal().await;
    let nobody = "create or replace function standing_of(asked bigint[])
        returns table (id bigint, paused_ms bigint, recruited_by bigint, group_name text)
        language sql stable security definer as
        'select null::bigint, null::bigint, null::bigint, null::text where false'";
    shop.app.execute(nobody).await;
    assert_eq!(shop.try_to("reject", "1").await.status, 500);
    let status = "select status from conversions where order_id = '1'";
    assert_eq!(shop.text(status).await, "pending");
    assert_eq!(shop.owed().await, "ann 15.00 USD; ben 20.00 USD");
}
