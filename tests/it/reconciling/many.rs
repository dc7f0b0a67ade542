//! Verdicts on many conversions in one call.

use serde_json::{Value, json};

use super::World;
use crate::harness::Answer;

async fn judge(world: &World, verdict: &str, body: Value) -> Answer {
    let (key, path) = (&world.seed.advertiser_key, format!("conversions/{verdict}"));
    world.app.api_as(key, "POST", &path, body).await
}

async fn counts(world: &World) -> String {
    let sql = "select string_agg(status || ' ' || count, ', ' order by status)
               from (select status, count(*) from conversions group by status) c";
    world.app.rows(sql).await[0].get(0)
}

#[tokio::test]
async fn many_are_judged_by_their_ids_and_each_is_told() {
    let world = World::start(4).await;
    world.app.execute("update conversions set status = 'reversed' where id = 1003").await;
    let ids = json!({"ids": ["1001", "1003", "1001", "7", "1002"]});
    for _ in 0..2 {
        let answer = judge(&world, "approve", ids.clone()).await;
        let expected = json!({"data": [
            {"id": "7", "result": "not_found"},
            {"id": "1001", "result": "done"},
            {"id": "1002", "result": "done"},
            {"id": "1003", "result": "conversion_not_pending", "status": "reversed"},
        ], "left": 0, "next_after": null});
        assert_eq!((answer.status, answer.json()), (200, expected));
    }
    assert_eq!(counts(&world).await, "payable 2, pending 1, reversed 1");
    let reject = json!({"ids": ["1002", "1004"], "reason": "sent back"});
    assert_eq!(judge(&world, "reject", reject).await.status, 200);
    assert_eq!(counts(&world).await, "payable 1, rejected 2, reversed 1");
    let transfers = "select string_agg(conversion_id || code, ' ' order by conversion_id, id) from transfers where code <> 'accrue'";
    let booked = "1001approve 1002approve 1002reject 1004reject";
    assert_eq!(world.app.rows(transfers).await[0].get::<_, &str>(0), booked);
}

#[tokio::test]
async fn all_that_is_pending_is_judged_in_steps() {
    let world = World::start(1_203).await;
    let mut filter = json!({"program_id": world.seed.program_id, "status": "pending"});
    for (done, left) in [(500, 703), (500, 203), (203, 0)] {
        let answer = judge(&world, "approve", json!({"filter": filter})).await.json();
        assert_eq!(
            (answer["data"].as_array().unwrap().len(), &answer["left"]),
            (done, &json!(left))
        );
        filter["after"] = answer["next_after"].clone();
    }
    assert_eq!(counts(&world).await, "payable 1203");
}

#[tokio::test]
async fn a_filter_takes_what_it_says_and_nothing_else() {
    let world = World::start(6).await;
    let program = &world.seed.program_id;
    let filter = |more: Value| {
        let mut filter = json!({"program_id": program, "status": "pending"});
        filter.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"filter": filter, "reason": "trial"})
    };
    for (more, expected) in [
        (json!({"affiliate_id": "7"}), vec![]),
        (json!({"order_ids": ["O-1", "nothing"]}), vec!["1001"]),
        (
            json!({"from": "2026-03-01T02:00:00Z", "to": "2026-03-01T04:00:00Z"}),
            vec!["1002", "1003"],
        ),
        (json!({"after": "1005", "affiliate_id": world.seed.affiliate_id}), vec!["1006"]),
    ] {
        let answer = judge(&world, "reject", filter(more.clone())).await;
        let json = answer.json();
        let ids = json["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap());
        assert_eq!(ids.collect::<Vec<_>>(), expected, "{more}");
    }
    assert_eq!(counts(&world).await, "pending 2, rejected 4");
}

#[tokio::test]
async fn what_is_anothers_is_not_there() {
    let world = World::start(1).await;
    let app = &world.app;
    let other = json!({"name": "Other", "currency": "USD", "timezone": "UTC"});
    let other = app.create("advertisers", other).await;
    let key = json!({"role": "advertiser", "advertiser_id": other["id"]});
    let key = app.create("api-keys", key).await["key"].as_str().unwrap().to_owned();
    let by_id = app.api_as(&key, "POST", "conversions/approve", json!({"ids": ["1001"]})).await;
    assert_eq!(by_id.json()["data"], json!([{"id": "1001", "result": "not_found"}]));
    let filter = json!({"filter": {"program_id": world.seed.program_id, "status": "pending"}});
    let by_filter = app.api_as(&key, "POST", "conversions/approve", filter).await;
    assert_eq!((by_filter.status, &by_filter.json()["code"]), (404, &json!("not_found")));
    assert_eq!(counts(&world).await, "pending 1");
}

#[tokio::test]
async fn bad_questions_are_refused() {
    let world = World::start(1).await;
    let program = &world.seed.program_id;
    for (body, pointers) in [
        (json!({}), vec!["/ids"]),
        (json!({"ids": []}), vec!["/ids"]),
        (json!({"ids": vec!["1"; 501]}), vec!["/ids"]),
        (
            json!({"ids": ["1001"], "filter": {"program_id": program, "status": "pending"}}),
            vec!["/ids"],
        ),
        (json!({"filter": {"program_id": program}}), vec!["/filter/status"]),
        (json!({"filter": {"program_id": program, "status": "paid"}}), vec!["/filter/status"]),
        (
            json!({"filter": {"program_id": program, "status": "pending", "order_ids": [7]}}),
            vec!["/filter/order_ids"],
        ),
        (json!({"filter": {"program_id": "7", "status": "pending"}}), vec!["/filter/program_id"]),
    ] {
        let answer = judge(&world, "approve", body.clone()).await;
        let json = answer.json();
        let told =
            json["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap());
        assert_eq!(told.collect::<Vec<_>>(), pointers, "{body}");
        assert!(matches!(answer.status, 404 | 422));
    }
    assert_eq!(counts(&world).await, "pending 1");
    let answer = world
        .app
        .api_as(&world.seed.affiliate_key, "POST", "conversions/approve", json!({"ids": ["1001"]}))
        .await;
    assert_eq!(answer.status, 403);
}
