//! Who may what: each route of the API and each form with every scope, and that nobody gives what he does not
//! have.

use serde_json::{Value, json};
use tributary::admin::routes;

use super::{World, text};

impl World {
    async fn key_with(&self, scopes: &[&str]) -> String {
        let wanted =
            json!({"role": "advertiser", "advertiser_id": self.advertiser, "scopes": scopes});
        text(&self.app.create("api-keys", wanted).await, "key")
    }
}

/// What a route needs, told once more: by what it is about.
fn needed(method: &str, template: &str) -> &'static str {
    let of_people = ["users", "invitations", "api-keys", "audit-log"];
    let of_money = [
        "adjustments",
        "payout",
        "exchanges",
        "/conversions/",
        "reconciliations",
        "refunds",
        "chargebacks",
    ];
    match method {
        _ if of_people.iter().any(|part| template.contains(part)) => "people",
        // A file of payouts has the accounts of people.
        "GET" if template.ends_with("/file") => "money",
        "GET" => "read",
        "PATCH" if template == "/api/v1/advertisers/{id}" => "money",
        _ if template.ends_with("/rates") => "money",
        _ if of_money.iter().any(|part| template.contains(part)) => "money",
        _ => "catalog",
    }
}

#[tokio::test]
async fn every_route_needs_its_scope() {
    let world = World::start().await;
    let mut keys = Vec::new();
    for scope in ["read", "catalog", "money", "people"] {
        keys.push((scope, world.key_with(&["read", scope]).await));
    }
    let mut cells = 0;
    for (method, template) in routes() {
        let path = template.replace("{id}", "7").replace("{version}", "1");
        let path = path.strip_prefix("/api/v1/").unwrap();
        for (scope, key) in &keys {
            let body = if ["POST", "PATCH"].contains(&method) { json!({}) } else { Value::Null };
            let answer = world.app.api_as(key, method, path, body).await;
            let missing = answer.status == 403 && answer.json()["code"] == "scope_missing";
            let of_operator = answer.status == 403 && answer.json()["code"] == "forbidden";
            let may = *scope == needed(method, template) || needed(method, template) == "read";
            assert!(
                of_operator || missing != may,
                "{method} {path} with {scope}: {}",
                answer.status
            );
            cells += 1;
        }
    }
    assert_eq!(cells, routes().count() * 4);
}

#[tokio::test]
async fn who_only_looks_sees_no_secret_and_changes_nothing() {
    let world = World::start().await;
    let program = json!({
        "advertiser_id": world.advertiser, "name": "P", "landing_url": "https://shop.example/",
        "plan": {"kind": "percent", "rate": "10"},
    });
    let program = text(&world.app.create("programs", program).await, "id");
    let code = json!({"program_id": program, "name": "Thanks"});
    let code = world.app.create("tracking-codes", code).await;
    let (id, secret) = (text(&code, "id"), text(&code, "secret"));
    let key = world.key_with(&["read"]).await;
    let shown = world.app.api_as(&key, "GET", &format!("tracking-codes/{id}"), Value::Null).await;
    assert_eq!(shown.json()["secret"], "********");
    world.user("ann@x.example", "advertiser", &["read"]).await;
    world.user("bob@x.example", "advertiser", &["read", "catalog"]).await;
    let (ann, bob) = (world.sign_in("ann@x.example").await, world.sign_in("bob@x.example").await);
    assert!(!world.get("/advertiser", &ann).await.text().contains(&secret));
    assert!(world.get("/advertiser", &bob).await.text().contains(&secret));
    let (path, form) =
        (format!("/advertiser/tracking-codes/{id}"), "redirect_url=&return_method=link");
    assert_eq!(world.post(&path, &ann, form).await.status, 403);
    assert_eq!(world.post(&path, &bob, form).await.status, 303);
    for page in ["/people", "/keys", "/audit-log"] {
        assert_eq!(world.get(page, &bob).await.status, 403, "{page}");
    }
    for (_, template) in tributary::portal::routes()
        .filter(|(m, t)| *m == "POST" && (t.starts_with("/people") || t.starts_with("/keys")))
    {
        let path: String = template
            .split(['{', '}'])
            .enumerate()
            .map(|(n, s)| if n % 2 == 1 { "7" } else { s })
            .collect();
        assert_eq!(world.post(&path, &bob, "").await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn nobody_gives_what_he_does_not_have() {
    let world = World::start().await;
    let other = json!({"name": "Other", "currency": "USD", "timezone": "UTC"});
    let other = text(&world.app.create("advertisers", other).await, "id");
    let key = world.key_with(&["read", "people"]).await;
    let ask = async |method: &str, path: &str, body: Value| {
        world.app.api_as(&key, method, path, body).await
    };
    let (own, staff) = (&world.advertiser, json!(["read", "people"]));
    for (body, expected) in [
        (json!({"role": "advertiser", "scopes": ["read"]}), 201),
        (json!({"role": "advertiser"}), 201),
        (json!({"role": "advertiser", "advertiser_id": own, "scopes": staff}), 201),
        (json!({"role": "advertiser", "scopes": ["read", "money"]}), 403),
        (json!({"role": "advertiser", "scopes": ["catalog"]}), 422),
        (json!({"role": "advertiser", "scopes": ["read", "all"]}), 422),
        (json!({"role": "advertiser", "advertiser_id": other, "scopes": ["read"]}), 404),
        (json!({"role": "operator", "scopes": ["read"]}), 403),
        (json!({"role": "affiliate", "affiliate_id": world.affiliate}), 403),
    ] {
        let made = ask("POST", "api-keys", body.clone()).await;
        assert_eq!(made.status, expected, "{body}: {}", made.text());
        let mut guest = body.clone();
        guest["email"] = json!(format!(
            "n{}@x.example",
            world.app.rows("select new_id()").await[0].get::<_, i64>(0)
        ));
        let made = ask("POST", "invitations", guest.clone()).await;
        assert_eq!(made.status, expected, "{guest}: {}", made.text());
    }
    // Nor does he touch who has more, or who is another's.
    let boss = world.user("boss@x.example", "advertiser", &["read", "money", "people"]).await;
    let operator = world.user("op@x.example", "operator", &["read"]).await;
    let staff = world.user("staff@x.example", "advertiser", &["read"]).await;
    for (user, body, expected) in [
        (&boss, json!({"disabled": true}), 403),
        (&boss, json!({"scopes": ["read"]}), 403),
        (&operator, json!({"disabled": true}), 404),
        (&staff, json!({"scopes": ["read", "money"]}), 403),
        (&staff, json!({"scopes": ["read", "people"]}), 200),
        (&staff, json!({"disabled": true}), 200),
    ] {
        let answer = ask("PATCH", &format!("users/{user}"), body.clone()).await;
        assert_eq!(answer.status, expected, "{body}: {}", answer.text());
    }
    for (user, expected) in [(&boss, 403), (&operator, 404), (&staff, 409)] {
        let answer = ask("POST", "invitations", json!({"user_id": user})).await;
        assert_eq!(answer.status, expected, "a link for {user}: {}", answer.text());
    }
    // Nor does he take back what was made for one who has more.
    let guest = json!({"email": "g@x.example", "role": "advertiser", "advertiser_id": own, "scopes": ["read", "money"]});
    let more = text(&world.app.create("invitations", guest).await, "id");
    assert_eq!(ask("DELETE", &format!("invitations/{more}"), Value::Null).await.status, 403);
    world.user("lead@x.example", "advertiser", &["read", "people"]).await;
    let lead = world.sign_in("lead@x.example").await;
    let take_back = format!("/people/invitations/{more}/delete");
    assert!(!world.get("/people", &lead).await.text().contains(&take_back));
    assert_eq!(world.post(&take_back, &lead, "").await.status, 404);
    assert_eq!(
        world.app.api("DELETE", &format!("invitations/{more}"), Value::Null).await.status,
        204
    );
    let all = world.key_with(&["read", "catalog", "money", "people"]).await;
    let keys = world.app.api("GET", "api-keys?limit=1", Value::Null).await.json();
    let path = format!("api-keys/{}", text(&keys["data"][0], "id"));
    assert_eq!(ask("POST", &format!("{path}/rotate"), Value::Null).await.status, 403);
    assert_eq!(ask("DELETE", &path, Value::Null).await.status, 403);
    assert_eq!(world.app.api_as(&all, "GET", "links", Value::Null).await.status, 200);
}

#[tokio::test]
async fn a_user_who_was_changed_meanwhile_stays_as_he_is() {
    let world = World::start().await;
    world.user("ann@x.example", "operator", &["read", "people"]).await;
    let bob = world.user("bob@x.example", "operator", &["read"]).await;
    let cookie = world.sign_in("ann@x.example").await;
    // Found to have no more than she, he is given more before her change of him is made.
    world
        .sql("begin; update users set scopes = '{read,people,money}' where email = 'bob@x.example'")
        .await;
    let path = format!("/people/users/{bob}/disable");
    let meanwhile = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        world.sql("commit").await;
    };
    let (answer, ()) = tokio::join!(world.post(&path, &cookie, ""), meanwhile);
    assert!(answer.status == 422 && answer.text().contains("changed meanwhile"));
    let disabled = "select disabled_at is not null from users where email = 'bob@x.example'";
    assert!(!world.db.query_one(disabled, &[]).await.unwrap().get::<_, bool>(0));
}

#[tokio::test]
async fn nobody_changes_himself_and_links_of_the_disabled_are_worth_nothing() {
    let world = World::start().await;
    let ann = world.user("ann@x.example", "operator", &["read", "people"]).await;
    let cookie = world.sign_in("ann@x.example").await;
    let form = "email=eve%40x.example&owner=operator&scopes=people";
    let page = world.post("/people/invitations", &cookie, form).await.text();
    let at = page.find("/invitation/").unwrap();
    let link = page[at..].split('"').next().unwrap().to_owned();
    assert_eq!(world.get(&link, "").await.status, 200);
    for act in ["disable", "reset", "totp-off", "scopes"] {
        let path = format!("/people/users/{ann}/{act}");
        assert_eq!(world.post(&path, &cookie, "").await.status, 404, "{act}");
    }
    let path = format!("users/{ann}");
    world.app.api("PATCH", &path, json!({"disabled": true})).await;
    assert_eq!(world.get(&link, "").await.status, 404, "she made it");
}
