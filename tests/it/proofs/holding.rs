//! `unsigned: hold`, from the edge to the books and to everybody's view: an unsigned sale is kept and shown, and
//! no time makes it payable; a person does, or the shop's own word takes its place.

use serde_json::{Value, json};

use crate::harness::{App, Seed, http};
use crate::replay::{click, pixel, postback, sound};

async fn held_program() -> (App, Seed, String) {
    let app = App::start().await;
    let seed = app.seed_with(json!({"unsigned": "hold"})).await;
    let cookie = click(&app, &seed).await;
    (app, seed, cookie)
}

/// The one conversion of an order, as somebody is shown it.
async fn order(app: &App, key: &str, seed: &Seed, id: &str) -> Value {
    let path = format!("conversions?program_id={}&order_id={id}", seed.program_id);
    let found = app.api_as(key, "GET", &path, Value::Null).await.json()["data"].clone();
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
    found[0].clone()
}

/// Releases what is due in so many days; how many there were.
async fn release(app: &App, days: i64) -> usize {
    let then_ms = tributary::roles::now_ms() + days * 86_400_000;
    tributary::worker::release(&app.store, then_ms).await.unwrap()
}

/// A page of the portal, as the bearer of a key sees it.
async fn page(app: &App, key: &str, path: &str) -> String {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let sign_in = format!("{}/sign-in", app.admin_url);
    let answer = http("POST", &sign_in, &form, format!("key={key}").as_bytes()).await;
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let url = format!("{}{path}", app.admin_url);
    http("GET", &url, &[("cookie", cookie.as_str())], b"").await.text()
}

#[tokio::test]
async fn an_unsigned_sale_is_shown_as_held_to_everybody() {
    let (app, seed, cookie) = held_program().await;
    let hit = pixel(&app, &seed.code, "amount=100&id=1", &cookie).await;
    app.settle().await;
    for key in [&app.admin_key, &seed.advertiser_key, &seed.affiliate_key] {
        let sale = order(&app, key, &seed, "1").await;
        assert_eq!((&sale["status"], &sale["held"]), (&json!("pending"), &json!(true)));
        assert_eq!(
            (&sale["verified"], &sale["reasons"][0]),
            (&json!(false), &json!("unsigned_held"))
        );
        assert_eq!(sale["commission"], json!({"amount": "10.00", "currency": "USD"}));
    }
    let shown = app.api("GET", &format!("hits/{hit}"), Value::Null).await.json();
    assert_eq!(shown["outcome"], "held");
    let listed = app.api("GET", "hits?outcome=held", Value::Null).await.json();
    assert_eq!(listed["data"][0]["id"], hit.as_str());
    let room = page(&app, &seed.affiliate_key, "/affiliate").await;
    assert!(room.contains("waits for approval") && room.contains("unverified"), "{room}");
    let room = page(&app, &seed.advertiser_key, &format!("/advertiser/hits/{hit}")).await;
    assert!(room.contains("waits for approval"), "{room}");
}

#[tokio::test]
async fn only_a_person_makes_an_unsigned_sale_payable() {
    let (app, seed, cookie) = held_program().await;
    for id in 1..=3 {
        pixel(&app, &seed.code, &format!("amount=100&id={id}"), &cookie).await;
    }
    postback(&app, &seed, "amount=100&id=4").await; // Verified, and of nobody.
    app.settle().await;
    assert_eq!(release(&app, 400).await, 1, "only the verified one is released by time");
    let verdict = async |key: &str, id: &str, what: &str, body: Value| {
        let conversion = order(&app, &app.admin_key, &seed, id).await["id"].clone();
        let path = format!("conversions/{}/{what}", conversion.as_str().unwrap());
        app.api_as(key, "POST", &path, body).await.status
    };
    assert_eq!(verdict(&seed.affiliate_key, "1", "approve", Value::Null).await, 403);
    assert_eq!(verdict(&seed.advertiser_key, "1", "approve", Value::Null).await, 200);
    let no = json!({"reason": "not ours"});
    assert_eq!(verdict(&seed.advertiser_key, "2", "reject", no).await, 200);
    let mut states = Vec::new();
    for id in ["1", "2", "3"] {
        let sale = order(&app, &seed.advertiser_key, &seed, id).await;
        states.push(format!("{} {}", sale["status"], sale["held"]));
    }
    assert_eq!(states, ["\"payable\" false", "\"rejected\" false", "\"pending\" true"]);
    // The approved one stays so when the shop says the same, and no hit of a stranger's changes it.
    let token = cookie.split_once('=').unwrap().1;
    pixel(&app, &seed.code, "amount=9999&id=1", &cookie).await;
    postback(&app, &seed, &format!("amount=100&id=1&tclid={token}")).await;
    app.settle().await;
    let sale = order(&app, &app.admin_key, &seed, "1").await;
    assert_eq!((&sale["status"], &sale["verified"]), (&json!("payable"), &json!(true)));
    sound(&app).await;
}

#[tokio::test]
async fn the_shops_own_word_takes_the_place_of_what_is_held() {
    let (app, seed, cookie) = held_program().await;
    let token = cookie.split_once('=').unwrap().1;
    for id in 1..=3 {
        pixel(&app, &seed.code, &format!("amount=9999&id={id}"), &cookie).await;
    }
    app.settle().await;
    postback(&app, &seed, &format!("amount=100&id=1&tclid={token}")).await;
    postback(&app, &seed, "amount=100&id=2").await;
    let ts = (tributary::roles::now_ms() / 1_000).to_string();
    let fields = [&*seed.code, "3", "100", "", &ts];
    let sig = tributary::domain::sign::signature(&seed.secret, fields);
    let query = format!("amount=100&id=3&ts={ts}&sig={sig}");
    pixel(&app, &seed.code, &query, &cookie).await;
    app.settle().await;
    let mut states = Vec::new();
    for id in ["1", "2", "3"] {
        let sale = order(&app, &seed.advertiser_key, &seed, id).await;
        assert_eq!((&sale["verified"], &sale["amount"]), (&json!(true), &json!("100.00")));
        assert_eq!(sale["commission"]["amount"], "10.00");
        states.push(sale["held"] == true);
    }
    // Of the second, the shop vouches for the sale, and nobody for who referred it.
    assert_eq!(states, [false, true, false]);
    assert_eq!(release(&app, 31).await, 2);
    sound(&app).await;
}

#[tokio::test]
async fn what_a_person_approved_is_not_taken_back_as_what_time_released() {
    let app = App::start().await;
    let seed = app.seed().await;
    let cookie = click(&app, &seed).await;
    let token = cookie.split_once('=').unwrap().1;
    for id in 1..=3 {
        pixel(&app, &seed.code, &format!("amount=100&id={id}"), &cookie).await;
    }
    app.settle().await;
    for id in ["1", "3"] {
        let conversion = order(&app, &app.admin_key, &seed, id).await["id"].clone();
        let path = format!("conversions/{}/approve", conversion.as_str().unwrap());
        assert_eq!(app.api("POST", &path, Value::Null).await.status, 200);
    }
    // The claims' hold period passes, and then the shop vouches for them.
    app.execute("update conversions set hold_until = now() - interval '1 day'").await;
    assert_eq!(release(&app, 0).await, 1);
    for (id, amount) in [("1", 100), ("2", 100), ("3", 120)] {
        postback(&app, &seed, &format!("amount={amount}&id={id}&tclid={token}")).await;
    }
    app.settle().await;
    let mut states = Vec::new();
    for id in ["1", "2", "3"] {
        let sale = order(&app, &app.admin_key, &seed, id).await;
        assert_eq!(sale["verified"], true);
        let by_hand = sale["reasons"].as_array().unwrap().contains(&json!("approved_by_hand"));
        states.push((sale["status"].as_str().unwrap().to_owned(), by_hand));
    }
    let state = |status: &str, by_hand| (status.to_owned(), by_hand);
    assert_eq!(
        states,
        // The third is another sum than the person approved.
        [state("payable", true), state("pending", false), state("pending", false)]
    );
    sound(&app).await;
}
