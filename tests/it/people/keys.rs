//! API keys: their shape, two at a time, their end; and that what is revoked opens nothing within seconds.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tributary::domain::api_key;
use tributary::store::caller::Caller;
use tributary::store::keys::Role;
use tributary::store::page::Page;
use tributary::store::{Store, api_keys};

use super::{World, cookies, text};
use crate::harness::{Answer, http};

/// Within which what was taken away opens nothing any more.
const SECONDS: Duration = Duration::from_secs(5);

impl World {
    async fn key(&self, role: &str) -> Value {
        let mut wanted = json!({"role": role, "name": "server"});
        match role {
            "advertiser" => wanted["advertiser_id"] = json!(self.advertiser),
            "affiliate" => wanted["affiliate_id"] = json!(self.affiliate),
            _ => {}
        }
        self.app.create("api-keys", wanted).await
    }

    async fn opens(&self, key: &str) -> u16 {
        self.app.api_as(key, "GET", "links", Value::Null).await.status
    }

    async fn rotate(&self, key: &Value, body: Value) -> Answer {
        let path = format!("api-keys/{}/rotate", text(key, "id"));
        self.app.api("POST", &path, body).await
    }
}

#[tokio::test]
async fn keys_have_a_shape_that_scanners_find() {
    let world = World::start().await;
    for (role, kind) in [("operator", "op"), ("advertiser", "adv"), ("affiliate", "aff")] {
        let made = world.key(role).await;
        let key = text(&made, "key");
        let rest = key.strip_prefix(&format!("trib_{kind}_")).unwrap();
        assert!(rest.len() == 49 && rest.bytes().all(|b| b.is_ascii_alphanumeric()), "{key}");
        assert!(api_key::is_plausible(&key) && key.starts_with(&text(&made, "prefix")));
        assert_eq!(world.opens(&key).await, 200);
        let mut wrong = key.clone();
        wrong.pop();
        assert_eq!(world.opens(&format!("{wrong}-")).await, 401);
        let usual = match role {
            "operator" => json!(["read", "catalog", "money", "people"]),
            "advertiser" => json!(["read", "catalog", "money"]),
            _ => json!(["read"]),
        };
        assert_eq!(made["scopes"], usual);
        // As a version that knows no scopes makes them.
        let owner = match role {
            "operator" => "null, null".to_owned(),
            "advertiser" => format!("{}, null", world.advertiser),
            _ => format!("null, {}", world.affiliate),
        };
        let insert = "insert into api_keys (role, name, prefix, hash, advertiser_id, affiliate_id)";
        let former = format!(
            "{insert} values ('{role}', '', 'x', sha256('{role}'), {owner}) returning to_json(scopes)"
        );
        let scopes: Value = world.db.query_one(&former, &[]).await.unwrap().get(0);
        assert_eq!(scopes, usual, "{role}");
        world.sql("delete from api_keys where prefix = 'x'").await;
    }
    let used = world.app.api("GET", "api-keys", Value::Null).await.json();
    assert!(used["data"].as_array().unwrap().iter().all(|key| key["last_used_at"].is_string()));
}

#[tokio::test]
async fn a_key_is_rotated_and_never_are_three_good() {
    let world = World::start().await;
    let first = world.key("advertiser").await;
    let answer = world.rotate(&first, json!({"expires_in_seconds": 3600})).await;
    let second = answer.json();
    assert_eq!(answer.status, 201, "{second}");
    assert_eq!((&second["follows"], &second["name"]), (&first["id"], &json!("server")));
    for key in [&first, &second] {
        assert_eq!(world.opens(&text(key, "key")).await, 200);
    }
    for key in [&first, &second] {
        let refused = world.rotate(key, Value::Null).await;
        assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("not_rotatable")));
    }
    world.sql("update api_keys set expires_at = now() where follows is null").await;
    assert_eq!(world.opens(&text(&first, "key")).await, 401, "its time is over");
    let third = world.rotate(&second, Value::Null).await.json();
    let hours =
        "select extract(epoch from expires_at - now())::int / 3600 from api_keys where id = ";
    let hours = format!("{hours}{}", text(&second, "id"));
    let hours: i32 = world.db.query_one(&hours, &[]).await.unwrap().get(0);
    assert!((23..=24).contains(&hours), "{hours}");
    assert_eq!(world.opens(&text(&third, "key")).await, 200);
    let bad = world.rotate(&third, json!({"expires_in_seconds": -1})).await;
    assert_eq!(bad.status, 422);
    world.sql("update api_keys set expires_at = now() where expires_at > now()").await;
    let soon = world.rotate(&third, json!({"expires_in_seconds": 0})).await;
    assert_eq!(soon.status, 201);
    assert_eq!(world.opens(&text(&third, "key")).await, 401);
}

#[tokio::test]
async fn a_successor_ends_when_its_key_would_have() {
    let world = World::start().await;
    let wanted = json!({"role": "operator", "expires_at": "2099-01-01T00:00:00Z"});
    let key = world.app.create("api-keys", wanted).await;
    let next = world.rotate(&key, Value::Null).await.json();
    assert_eq!(next["expires_at"], key["expires_at"], "{next}");
}

#[tokio::test]
async fn of_two_who_rotate_a_key_at_once_one_is_refused() {
    let world = World::start().await;
    for _ in 0..5 {
        let key = world.key("operator").await;
        let rotate = || world.rotate(&key, Value::Null);
        let answers = tokio::join!(rotate(), rotate(), rotate(), rotate());
        let answers = [answers.0, answers.1, answers.2, answers.3];
        let mut statuses = answers.each_ref().map(|answer| answer.status);
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409]);
        let refused = answers.iter().find(|answer| answer.status == 409).unwrap();
        assert_eq!(refused.json()["code"], "not_rotatable");
    }
}

#[tokio::test]
async fn a_key_in_use_is_revoked_as_it_was_seen() {
    let world = World::start().await;
    let key = world.key("operator").await;
    let url = format!("{}/api/v1/api-keys/{}", world.app.admin_url, text(&key, "id"));
    let bearer = format!("Bearer {}", world.app.admin_key);
    let send = async |method: &str, name: &str, tag: &str| {
        http(method, &url, &[("authorization", &bearer), (name, tag)], b"").await
    };
    let seen = send("GET", "accept", "*/*").await;
    let tag = seen.header("etag").unwrap();
    let page = Page::one(text(&key, "id").parse().unwrap());
    let store = Store::for_api(&world.app.database_url, 1).unwrap();
    let store = store.on_behalf_of(Caller::new(Role::Operator, "test"));
    let before = api_keys::select(&store, Role::Operator.into(), page).await.unwrap().remove(0);
    assert_eq!(world.opens(&text(&key, "key")).await, 200);
    let after = api_keys::select(&store, Role::Operator.into(), page).await.unwrap().remove(0);
    assert!(before.last_used_at.is_none() && after.last_used_at.is_some());
    assert_eq!(before.revision, after.revision, "nor between look and change");
    let again = send("GET", "if-none-match", tag).await;
    assert_eq!((again.status, again.header("etag")), (200, Some(tag)));
    assert!(again.json()["last_used_at"].is_string(), "told though the tag is the same");
    assert_eq!(send("DELETE", "if-match", tag).await.status, 204);
    assert_eq!(send("DELETE", "if-match", tag).await.status, 412);
}

#[tokio::test]
async fn what_is_revoked_opens_nothing_within_seconds() {
    let world = World::start().await;
    let (key, other) = (world.key("advertiser").await, world.key("advertiser").await);
    let (text_of_key, id) = (text(&key, "key"), text(&key, "id"));
    let session = cookies(&world.post("/sign-in", "", &format!("key={text_of_key}")).await);
    world.user("ann@x.example", "advertiser", &["read"]).await;
    let user = world.sign_in("ann@x.example").await;
    assert_eq!(world.opens(&text_of_key).await, 200);
    for cookie in [&session, &user] {
        assert_eq!(world.get("/advertiser", cookie).await.status, 200);
    }
    let began = Instant::now();
    assert_eq!(world.app.api("DELETE", &format!("api-keys/{id}"), Value::Null).await.status, 204);
    let users = world.app.api("GET", "users", Value::Null).await.json();
    let path = format!("users/{}", text(&users["data"][0], "id"));
    let disabled = world.app.api("PATCH", &path, json!({"disabled": true})).await;
    assert!(disabled.json()["disabled_at"].is_string());
    assert_eq!(world.opens(&text_of_key).await, 401);
    for cookie in [&session, &user] {
        assert_eq!(world.get("/advertiser", cookie).await.status, 303);
    }
    assert!(began.elapsed() < SECONDS, "{:?}", began.elapsed());
    assert_eq!(world.opens(&text(&other, "key")).await, 200, "another one is as it was");
    assert_eq!(world.attempt("ann@x.example", super::PASSWORD, "").await.status, 401);
}

#[tokio::test]
async fn a_key_ends_when_it_was_told_to() {
    let world = World::start().await;
    let wanted = json!({"role": "operator", "expires_at": "2099-01-01"});
    let key = text(&world.app.create("api-keys", wanted).await, "key");
    assert_eq!(world.opens(&key).await, 200);
    world.sql("update api_keys set expires_at = now()").await;
    assert_eq!(world.opens(&key).await, 401);
    assert_eq!(world.post("/sign-in", "", &format!("key={key}")).await.status, 401);
}

#[tokio::test]
async fn the_keys_page_makes_rotates_and_revokes() {
    let world = World::start().await;
    world.user("ann@x.example", "advertiser", &["read", "people"]).await;
    let ann = world.sign_in("ann@x.example").await;
    let page = world.post("/keys", &ann, "name=laptop&scopes=people").await;
    let shown = |text: &str| {
        let shown = text.split("id=\"shown-once\" readonly value=\"").nth(1).unwrap();
        shown.split('"').next().unwrap().to_owned()
    };
    let key = shown(&page.text());
    assert!(key.starts_with("trib_adv_"), "{key}");
    assert_eq!(world.opens(&key).await, 200);
    assert!(!world.get("/keys", &ann).await.text().contains(&key), "once");
    let refused = world.post("/keys", &ann, "name=more&scopes=money").await;
    assert_eq!(refused.status, 422, "she cannot give what she does not have");
    let id: i64 = world.db.query_one("select id from api_keys", &[]).await.unwrap().get(0);
    let second = shown(&world.post(&format!("/keys/{id}/rotate"), &ann, "").await.text());
    assert_eq!((world.opens(&key).await, world.opens(&second).await), (200, 200));
    assert_eq!(world.post(&format!("/keys/{id}/revoke"), &ann, "").await.status, 200);
    assert_eq!((world.opens(&key).await, world.opens(&second).await), (401, 200));
    let foreign = text(&world.key("operator").await, "id");
    assert_eq!(world.post(&format!("/keys/{foreign}/revoke"), &ann, "").await.status, 404);
}
