//! Links that one person is given: worth no more than whoever made them is, and what they tell of others.

use serde_json::{Value, json};
use tributary::store::sign_ins;

use super::{World, path_of, text};
use crate::harness::http;

const FORM: &str = "name=Somebody&password=four+words+in+a+row";

impl World {
    /// A key of the advertiser's; its id and the key.
    async fn key_of(&self, advertiser: &str, scopes: &[&str]) -> (String, String) {
        let wanted = json!({"role": "advertiser", "advertiser_id": advertiser, "scopes": scopes});
        let made = self.app.create("api-keys", wanted).await;
        (text(&made, "id"), text(&made, "key"))
    }

    /// Where the link leads that somebody makes.
    async fn link_by(&self, key: &str, body: Value) -> String {
        let made = self.app.api_as(key, "POST", "invitations", body).await;
        assert_eq!(made.status, 201, "{}", made.text());
        path_of(&text(&made.json(), "link"))
    }

    async fn statuses(&self, link: &str) -> (u16, u16) {
        (self.get(link, "").await.status, self.post(link, "", FORM).await.status)
    }
}

#[tokio::test]
async fn a_link_is_worth_nothing_when_its_maker_could_not_make_it_any_more() {
    let world = World::start().await;
    let rights = ["read", "money", "people"];
    let (key_id, key) = world.key_of(&world.advertiser, &rights).await;
    let guest = |email: &str| json!({"email": email, "role": "advertiser", "advertiser_id": world.advertiser, "scopes": ["read", "money"]});
    let of_key = world.link_by(&key, guest("n1@x.example")).await;
    let user_id = world.user("ann@x.example", "advertiser", &rights).await;
    let cookie = world.sign_in("ann@x.example").await;
    let form = "email=n2%40x.example&scopes=money";
    let page = world.post("/people/invitations", &cookie, form).await.text();
    let at = page.find("/invitation/").unwrap();
    let of_user = page[at..].split('"').next().unwrap().to_owned();
    for (link, table, id, ends) in [
        (&of_key, "api_keys", &key_id, ["revoked_at = now()", "expires_at = now()"]),
        (&of_user, "users", &user_id, ["disabled_at = now()", "scopes = '{read}'"]),
    ] {
        let cuts = ["scopes = '{read,people}'", "scopes = '{read,money}'"];
        for end in ends.into_iter().chain(cuts) {
            assert_eq!(world.get(link, "").await.status, 200);
            world.sql(&format!("update {table} set {end} where id = {id}")).await;
            assert_eq!(world.statuses(link).await, (404, 404), "{table}: {end}");
            let column = end.split(' ').next().unwrap();
            let back = if column == "scopes" { "'{read,money,people}'" } else { "null" };
            world.sql(&format!("update {table} set {column} = {back} where id = {id}")).await;
        }
        assert_eq!(world.statuses(link).await, (200, 303));
    }
}

#[tokio::test]
async fn a_link_of_the_first_key_goes_with_it() {
    let world = World::start().await;
    let link = path_of(&text(
        &world.app.create("invitations", json!({"email": "n@x.example", "role": "operator"})).await,
        "link",
    ));
    let another = "another-first-key-of-the-operator-0123456789".to_owned();
    let (address, _stop) = world.app.another_admin(|s| s.admin_key = Some(another)).await;
    let url = format!("http://{address}{link}");
    assert_eq!(http("GET", &url, &[], b"").await.status, 404);
    assert_eq!(world.get(&link, "").await.status, 200);
}

#[tokio::test]
async fn a_link_for_a_password_is_for_the_rights_that_it_was_checked_against() {
    let world = World::start().await;
    let (_, key) = world.key_of(&world.advertiser, &["read", "people"]).await;
    let user = world.user("ann@x.example", "advertiser", &["read"]).await;
    let link = world.link_by(&key, json!({"user_id": user})).await;
    let path = format!("users/{user}");
    let more = json!({"scopes": ["read", "money"]});
    assert_eq!(world.app.api("PATCH", &path, more).await.status, 200);
    assert_eq!(world.statuses(&link).await, (404, 404), "whoever made it may not manage her now");
    let less = json!({"scopes": ["read"]});
    assert_eq!(world.app.api("PATCH", &path, less).await.status, 200);
    assert_eq!(world.statuses(&link).await, (200, 303));
}

#[tokio::test]
async fn nobody_learns_who_signs_in_elsewhere() {
    let world = World::start().await;
    let ann = world.user("ann@x.example", "advertiser", &["read"]).await;
    let other = json!({"name": "Other", "currency": "USD", "timezone": "UTC"});
    let other = text(&world.app.create("advertisers", other).await, "id");
    let (_, own) = world.key_of(&world.advertiser, &["read", "people"]).await;
    let (_, stranger) = world.key_of(&other, &["read", "people"]).await;
    let guest = json!({"email": "ANN@x.example", "role": "advertiser", "advertiser_id": other});
    world.sql("update users set disabled_at = now()").await;
    let mine = json!({"email": "ANN@x.example", "role": "advertiser"});
    assert_eq!(world.app.api_as(&own, "POST", "invitations", mine).await.status, 409);
    assert_eq!(world.app.api("POST", "invitations", guest.clone()).await.status, 409);
    let link = world.link_by(&stranger, guest.clone()).await;
    let taken = world.post(&link, "", FORM).await;
    assert!(taken.status == 409 && taken.text().contains("already"), "{}", taken.text());
    assert_eq!(world.get(&link, "").await.status, 200, "nothing was used up");
    // By the page, too.
    let boss =
        json!({"email": "boss@x.example", "role": "advertiser", "scopes": ["read", "people"]});
    let accepted = world.post(&world.link_by(&stranger, boss).await, "", FORM).await;
    assert_eq!(accepted.status, 303);
    let cookie = world.sign_in("boss@x.example").await;
    let form = "email=ann%40x.example";
    assert_eq!(world.post("/people/invitations", &cookie, form).await.status, 200);
    let form = "email=BOSS%40x.example";
    assert_eq!(world.post("/people/invitations", &cookie, form).await.status, 422, "her own");
    // The operator frees it.
    let path = format!("users/{ann}");
    let freed = json!({"email": "ann-of-before@x.example"});
    assert_eq!(world.app.api_as(&own, "PATCH", &path, freed.clone()).await.status, 403);
    let boss = world.app.api("PATCH", &path, json!({"email": "Boss@x.example"})).await;
    assert_eq!((boss.status, &boss.json()["code"]), (409, &json!("already_exists")));
    let changed = world.app.api("PATCH", &path, freed).await;
    assert_eq!(changed.json()["email"], "ann-of-before@x.example", "{}", changed.text());
    assert_eq!(world.post(&link, "", FORM).await.status, 303);
}

#[tokio::test]
async fn what_is_open_is_listed_and_what_is_long_over_is_swept() {
    let world = World::start().await;
    for email in ["open@x.example", "over@x.example", "old@x.example"] {
        world.app.create("invitations", json!({"email": email, "role": "operator"})).await;
    }
    let end = async |email: &str, days: u8| {
        let end = format!("now() - interval '{days} days' where email = '{email}'");
        world.sql(&format!("update invitations set expires_at = {end}")).await;
    };
    end("over@x.example", 29).await;
    end("old@x.example", 31).await;
    world.user("ann@x.example", "operator", &["read", "people"]).await;
    let page = world.get("/people", &world.sign_in("ann@x.example").await).await.text();
    assert!(page.contains("open@x.example"));
    assert!(!page.contains("over@x.example") && !page.contains("old@x.example"));
    let entries = "select count(*) from audit_log";
    let before: i64 = world.db.query_one(entries, &[]).await.unwrap().get(0);
    sign_ins::sweep(&world.app.store).await.unwrap();
    let after: i64 = world.db.query_one(entries, &[]).await.unwrap().get(0);
    assert_eq!(before, after, "nobody did it");
    let left = world.app.api("GET", "invitations", Value::Null).await.json();
    let left: Vec<&str> =
        left["data"].as_array().unwrap().iter().map(|i| i["email"].as_str().unwrap()).collect();
    assert_eq!(left, ["ann@x.example", "over@x.example", "open@x.example"]);
}
