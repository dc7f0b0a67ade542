//! What a list puts right in the books, with one call and some at a time.

use serde_json::{Value, json};
use tributary::roles;

use super::World;
use crate::harness::Answer;

impl World {
    /// Sends a list; its id.
    async fn list(&self, list: &str) -> String {
        let answer = self.send("", list).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    async fn correct(&self, id: &str, kinds: Value) -> Answer {
        let path = format!("reconciliations/{id}/corrections");
        let (key, body) = (&self.seed.advertiser_key, json!({"kinds": kinds}));
        self.app.api_as(key, "POST", &path, body).await
    }

    /// Status, amount, what went back, commission and what was taken back of a sale.
    async fn sale(&self, number: i64) -> String {
        let sql = format!(
            "select concat_ws(' ', status, amount::numeric(9,2), refunded::numeric(9,2), commission::numeric(9,2), reversed::numeric(9,2))
             from conversions where id = {}",
            1_000 + number
        );
        self.app.rows(&sql).await[0].get(0)
    }

    /// Kind, order, state and why of findings.
    async fn states(&self, id: &str) -> Vec<String> {
        let sql = format!(
            "select concat_ws(' ', kind, order_id, state, why) from reconciliation_findings
             where reconciliation_id = {id} order by 1"
        );
        self.app.rows(&sql).await.iter().map(|row| row.get(0)).collect()
    }

    async fn books_are_sound(&self) {
        let found = roles::audit(&self.app.store).await.unwrap();
        let broken: Vec<_> = found.iter().filter(|(_, rows)| *rows > 0).collect();
        assert!(broken.is_empty(), "{broken:?}");
    }
}

const ALL: [&str; 4] = ["confirmed", "extra", "refunded_but_paid", "amount_differs"];

#[tokio::test]
async fn one_call_corrects_all_that_can_be() {
    let world = World::start(9).await;
    let list = "id,amount,status,refunded\n\
                O-1,20,completed,\n\
                O-2,25,on-hold,\n\
                O-3,20,refunded,\n\
                O-4,20,partially_refunded,5\n\
                O-6,30,paid,3\n\
                O-9,20,processing,\n\
                O-77,20,paid,\n";
    let id = world.list(list).await;
    let extra = ["extra O-5 open", "extra O-7 open", "extra O-8 open"];
    assert_eq!(world.states(&id).await[4..7], extra);
    let answer = world.correct(&id, json!(ALL)).await;
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({"corrected": 10, "failed": 0, "left": 0}))
    );
    let logged = "select resource || ' ' || action || ' ' || split_part(actor, ':', 1) from audit_log
                  where resource in ('reconciliations', 'refunds') and action = 'create' order by id limit 2";
    let logged: Vec<String> = world.app.rows(logged).await.iter().map(|row| row.get(0)).collect();
    assert_eq!(logged, ["reconciliations create key", "refunds create key"]);
    for (number, expected) in [
        (1, "payable 20.00 0.00 2.00 0.00"),
        (2, "pending 25.00 0.00 2.50 0.00"),
        (3, "reversed 20.00 20.00 2.00 2.00"),
        (4, "pending 20.00 5.00 2.00 0.50"),
        (5, "rejected 20.00 0.00 2.00 0.00"),
        // First how much it was, then what of it went back, then that it counts.
        (6, "payable 30.00 3.00 3.00 0.30"),
        (9, "pending 20.00 0.00 2.00 0.00"),
    ] {
        assert_eq!(world.sale(number).await, expected, "O-{number}");
    }
    world.books_are_sound().await;
    // Again is nothing more, and so is the same list.
    assert_eq!(
        world.correct(&id, json!(ALL)).await.json(),
        json!({"corrected": 0, "failed": 0, "left": 0})
    );
    assert_eq!(world.found("", list).await, ["missing 8 O-77 - -"]);
    let shown = world.ask("GET", &format!("reconciliations/{id}")).await.json();
    let counts = shown["findings"].as_array().unwrap();
    let corrected = counts.iter().map(|count| count["corrected"].as_i64().unwrap()).sum::<i64>();
    assert_eq!((corrected, counts.len()), (10, 5), "{counts:?}");
    let why = "select string_agg(distinct rejection, '') from conversions";
    assert_eq!(world.app.rows(why).await[0].get::<_, &str>(0), "not among the shop's orders");
}

#[tokio::test]
async fn what_cannot_be_corrected_says_why() {
    let world = World::start(5).await;
    let list = "id,amount,currency,status,refunded\n\
                O-1,20,EUR,paid,\n\
                O-2,20,USD,partially_refunded,\n\
                O-3,20,EUR,refunded,5\n\
                O-4,20,USD,paid,\n\
                O-5,20,USD,on-hold,\n";
    let id = world.list(list).await;
    world.app.execute("update conversions set status = 'reversed', reversed = 2, refunded = 20 where id = 1004").await;
    let answer =
        world.correct(&id, json!(["amount_differs", "refunded_but_paid", "confirmed"])).await;
    assert_eq!(
        answer.json(),
        json!({"corrected": 1, "failed": 4, "left": 0}),
        "{:?}",
        world.states(&id).await
    );
    let expected = [
        "amount_differs O-1 failed currency_differs",
        "confirmed O-1 corrected",
        "confirmed O-4 failed conversion_not_pending",
        "refunded_but_paid O-2 failed refund_amount_unknown",
        "refunded_but_paid O-3 failed currency_differs",
    ];
    assert_eq!(world.states(&id).await, expected);
    let path = format!("reconciliations/{id}/findings?state=failed&kind=confirmed");
    assert_eq!(world.ask("GET", &path).await.json()["data"][0]["why"], "conversion_not_pending");
}

#[tokio::test]
async fn what_was_paid_out_to_anybody_is_not_priced_anew() {
    let world = World::start(2).await;
    let id = world.list("id,amount\nO-1,25\nO-2,25\n").await;
    world.app.execute("update conversions set status = 'payable' where id = 1001").await;
    world.app.execute("update conversions set status = 'paid' where id = 1002").await;
    let recruiter = "insert into shares (conversion_id, part, program_id, affiliate_id, kind, level, commission, currency, status)
                     select id, 1, program_id, affiliate_id, 'level', 1, 1, 'USD', 'paid' from conversions where id = 1001";
    world.app.execute(recruiter).await;
    let answer = world.correct(&id, json!(["amount_differs"])).await;
    assert_eq!(answer.json(), json!({"corrected": 0, "failed": 2, "left": 0}));
    let expected =
        ["amount_differs O-1 failed already_paid", "amount_differs O-2 failed already_paid"];
    assert_eq!(world.states(&id).await, expected);
}

#[tokio::test]
async fn what_changed_since_is_not_corrected_by_an_old_list() {
    let world = World::start(2).await;
    let older = world.list("id,amount,refunded\nO-1,25,\nO-2,20,5\n").await;
    let newer = world.list("id,amount,refunded\nO-1,30,\nO-2,20,7\n").await;
    let both = json!(["amount_differs", "refunded_but_paid"]);
    assert_eq!(world.correct(&newer, both.clone()).await.json()["corrected"], 2);
    // More than five went back by now: nothing is left to do there.
    let expected = json!({"corrected": 1, "failed": 1, "left": 0});
    assert_eq!(world.correct(&older, both).await.json(), expected);
    assert_eq!(world.states(&older).await[0], "amount_differs O-1 failed changed_since");
    assert_eq!(world.sale(1).await, "pending 30.00 0.00 3.00 0.00");
    assert_eq!(world.sale(2).await, "pending 20.00 7.00 2.00 0.70");
    world.books_are_sound().await;
    // The rest of what went back, and no more than that.
    let last = world.list("id,status\nO-1,on-hold\nO-2,cancelled\n").await;
    assert_eq!(world.correct(&last, json!(["refunded_but_paid"])).await.json()["corrected"], 1);
    assert_eq!(world.sale(2).await, "reversed 20.00 20.00 2.00 2.00");
    world.books_are_sound().await;
}

#[tokio::test]
async fn what_was_approved_is_corrected_and_stays_payable() {
    let world = World::start(2).await;
    for number in [1, 2] {
        let path = format!("conversions/{}/approve", 1_000 + number);
        assert_eq!(world.ask("POST", &path).await.status, 200);
    }
    let id = world.list("id,amount\nO-1,25\nO-2,0\n").await;
    let corrected = world.correct(&id, json!(["amount_differs"])).await.json();
    assert_eq!(corrected, json!({"corrected": 2, "failed": 0, "left": 0}));
    assert_eq!(world.sale(1).await, "payable 25.00 0.00 2.50 0.00");
    assert_eq!(world.sale(2).await, "payable 0.00 0.00 0.00 0.00");
    let shown = world.ask("GET", "conversions/1001").await.json();
    assert_eq!(shown["reasons"], json!(["approved_by_hand", "superseded"]));
    world.books_are_sound().await;
    let (key, reason) = (&world.seed.advertiser_key, json!({"reason": "returned"}));
    let rejected = world.app.api_as(key, "POST", "conversions/1001/reject", reason).await;
    assert_eq!(rejected.status, 200);
    assert_eq!(world.sale(1).await, "rejected 25.00 0.00 2.50 0.00");
    world.books_are_sound().await;
}

#[tokio::test]
async fn what_was_paid_out_goes_back_whole() {
    let world = World::start(3).await;
    let id = world.list("id\nO-1\nO-3\n").await;
    world.app.execute("update conversions set status = 'paid' where id = 1002").await;
    assert_eq!(world.correct(&id, json!(["extra"])).await.json()["corrected"], 1);
    assert_eq!(world.sale(2).await, "reversed 20.00 20.00 2.00 2.00");
    let refund = "select refund_id from refunds where conversion_id = 1002";
    assert_eq!(world.app.rows(refund).await[0].get::<_, String>(0), format!("reconciliation:{id}"));
}

#[tokio::test]
async fn many_are_corrected_in_steps_and_each_once() {
    let world = World::start(1_100).await;
    let id = world.list("id\nO-1\nO-1100\n").await;
    let mut done = Vec::new();
    // Two at once take turns.
    for _ in 0..2 {
        let (one, two) = tokio::join!(
            world.correct(&id, json!(["extra"])),
            world.correct(&id, json!(["extra"]))
        );
        done.extend([one, two].map(|answer| answer.json()["corrected"].as_i64().unwrap()));
    }
    done.sort_unstable();
    assert_eq!(done, [0, 98, 500, 500]);
    let rejects = "select count(*) from transfers where code = 'reject'";
    assert_eq!(world.app.rows(rejects).await[0].get::<_, i64>(0), 1_098);
}

#[tokio::test]
async fn nothing_is_extra_by_a_list_that_hides_orders() {
    let world = World::start(3).await;
    let id = world.list("id,amount\nO-1,20\n,20\nO-3,20\n").await;
    assert_eq!(world.states(&id).await, ["extra O-2 open", "unreadable open"]);
    let answer = world.correct(&id, json!(["extra"])).await;
    assert_eq!((answer.status, &answer.json()["code"]), (409, &json!("lines_unreadable")));
    assert_eq!(world.correct(&id, json!(["confirmed"])).await.status, 200);
    for kinds in [json!([]), json!(["missing"]), json!(["repeated"]), json!("extra")] {
        let answer = world.correct(&id, kinds.clone()).await;
        assert_eq!(
            (answer.status, &answer.json()["errors"][0]["pointer"]),
            (422, &json!("/kinds")),
            "{kinds}"
        );
    }
    let missing = world.correct(&id, json!(["missing"])).await.text();
    assert!(missing.contains("who referred it"), "{missing}");
    assert_eq!(world.correct("7", json!(["extra"])).await.status, 404);
    let program = &world.seed.program_id;
    world
        .app
        .execute(&format!("insert into reconciliations (id, program_id) values (70, {program})"))
        .await;
    let answer = world.correct("70", json!(["extra"])).await;
    assert_eq!((answer.status, &answer.json()["code"]), (409, &json!("not_compared")));
    assert_eq!(world.sale(2).await, "pending 20.00 0.00 2.00 0.00");
}
