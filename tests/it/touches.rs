//! Several touches that share a commission: what a cookie gathers, and what a sale makes of it.

use serde_json::json;
use tributary::domain::attribution::Attribution;
use tributary::domain::catalog::{Catalog, Model};
use tributary::domain::id::Id;
use tributary::domain::money::{Currency, Money};
use tributary::domain::token::{Keys, Token};

use crate::harness::{Answer, App, Seed, http, id, text};
use crate::world::*;

/// A click on a link of an affiliate's, so many days before the sale.
fn click(affiliate: Id, link_id: Id, days: i64) -> Token {
    Token { link_id, ..click_token(affiliate, T0 - days * DAY, link_id as u16) }
}

fn joined(tokens: &[Token]) -> String {
    tokens.iter().map(|token| token.sign(&keys())).collect::<Vec<_>>().join("~")
}

fn world(model: Model) -> World {
    let mut rows = rows();
    rows.programs[0].attribution = model;
    World::of(rows)
}

/// What a sale with a query, and with tokens in its cookie, is credited by; and the notes.
fn told(model: Model, query: &str, cookie: &str) -> (Option<Attribution>, Vec<String>) {
    let mut hit = pixel(0, &format!("amount=100&id=1{query}"));
    if !cookie.is_empty() {
        hit.cookie = format!("tr_{PROGRAM}={cookie}");
    }
    let mut world = world(model);
    world.settle(&[hit]);
    let order = &world.orders.values().next().unwrap().order;
    let attribution = order.attribution.as_ref().map(|told| told.value.clone());
    (attribution, order.notes.iter().cloned().collect())
}

/// Links of the touches, oldest first; `c` is a coupon.
fn links(attribution: Option<&Attribution>) -> String {
    let touches = attribution.map_or(&[][..], |a| &a.touches);
    let link = |id: Option<Id>| id.map_or("c".to_owned(), |id| id.to_string());
    touches.iter().map(|touch| link(touch.link_id)).collect::<Vec<_>>().join(" ")
}

#[test]
fn all_touches_of_a_hit_count_and_the_last_is_credited() {
    let (a, b, c) = (click(ANN, 1, 5), click(BEN, 2, 3), click(ANN, 3, 1));
    let old = click(BEN, 4, 31);
    let other = Token { program_id: OTHER, ..click(BEN, 5, 1) };
    let forged = b.sign(&Keys::parse(OTHER_KEY).unwrap()).replace("1.k0.", "1.k1.");
    let tclid = |tokens: &[Token]| format!("&tclid={}", joined(tokens));
    for (what, query, cookie, touches, credited, by, notes) in [
        ("one", String::new(), joined(&[a]), "", Some(ANN), "cookie", &[][..]),
        ("three", String::new(), joined(&[a, b, c]), "1 2 3", Some(ANN), "cookie", &[]),
        ("in any order", String::new(), joined(&[c, a, b]), "1 2 3", Some(ANN), "cookie", &[]),
        ("a token beside", tclid(&[c]), joined(&[a, b]), "1 2 3", Some(ANN), "click_token", &[]),
        ("an older token", tclid(&[a]), joined(&[b]), "1 2", Some(BEN), "cookie", &[]),
        ("the tag's", tclid(&[a, b]), String::new(), "1 2", Some(BEN), "click_token", &[]),
        ("both tell it", tclid(&[b]), joined(&[a, b]), "1 2", Some(BEN), "click_token", &[]),
        ("coupon", "&coupon=ben10".into(), joined(&[a]), "1 c", Some(BEN), "coupon", &[]),
        ("coupon alone", "&coupon=ben10".into(), String::new(), "", Some(BEN), "coupon", &[]),
        ("expired", String::new(), joined(&[old, a]), "", Some(ANN), "cookie", &["token_expired"]),
        (
            "another program's",
            String::new(),
            joined(&[a, other, c]),
            "1 3",
            Some(ANN),
            "cookie",
            &["token_other_program"],
        ),
        (
            "forged",
            String::new(),
            format!("{}~{forged}~{forged}", joined(&[a])),
            "",
            Some(ANN),
            "cookie",
            &["token_forged"],
        ),
        ("nothing good", "&tclid=x~y".into(), "~".into(), "", None, "", &["token_malformed"]),
    ] {
        for model in [Model::Linear, Model::PositionBased] {
            let (attribution, noted) = told(model, &query, &cookie);
            let found = attribution.as_ref();
            assert_eq!(links(found), touches, "{what}");
            assert_eq!(found.map(|a| a.affiliate_id), credited, "{what}");
            assert_eq!(found.map_or("", |a| a.by.code()), by, "{what}");
            assert_eq!(noted, notes, "{what}");
            let model = (!touches.is_empty()).then_some(model);
            assert_eq!(found.and_then(|a| a.shared_by), model, "{what}");
        }
    }
}

#[test]
fn of_a_links_touches_the_newest_counts_and_of_many_the_first_and_the_last() {
    let again = [click(ANN, 1, 9), click(BEN, 2, 5), click(ANN, 1, 1)];
    assert_eq!(links(told(Model::Linear, "", &joined(&again)).0.as_ref()), "2 1");
    let many: Vec<Token> = (1..=7).map(|link| click(ANN, link, 20 - link)).collect();
    let query = format!("&tclid={}", joined(&many[4..]));
    let (attribution, _) = told(Model::Linear, &query, &joined(&many[..5]));
    assert_eq!(links(attribution.as_ref()), "1 4 5 6 7");
    let (attribution, notes) = told(Model::Linear, "", &joined(&many[..6]));
    assert_eq!((attribution, notes), (None, vec!["token_malformed".to_owned()]), "none of ours");
}

#[test]
fn a_cookie_of_several_touches_stands_for_one_where_the_model_is_another_today() {
    let several = joined(&[click(ANN, 1, 5), click(BEN, 2, 3), click(ANN, 3, 1)]);
    for (model, link) in [(Model::LastClick, 3), (Model::FirstClick, 1)] {
        for (query, cookie) in [("", &*several), (&*format!("&tclid={several}"), "")] {
            let (attribution, notes) = told(model, query, cookie);
            let attribution = attribution.unwrap();
            assert_eq!(attribution.link_id, Some(link), "{model:?}");
            assert!(attribution.touches.is_empty() && notes.is_empty(), "{model:?}");
        }
    }
}

#[test]
fn what_was_told_of_touches_is_kept_with_the_order_and_splits_its_commission() {
    let cookie = joined(&[click(ANN, 1, 5), click(BEN, 2, 3)]);
    let (shared, _) = told(Model::PositionBased, "", &cookie);
    let kept = serde_json::to_value(shared.as_ref().unwrap()).unwrap();
    assert_eq!(kept["shared_by"], "position_based");
    assert_eq!(kept["touches"][0]["affiliate_id"], ANN);
    assert_eq!(serde_json::from_value::<Attribution>(kept).ok(), shared);
    let portions = |attribution: Option<Attribution>| -> Vec<(Id, String)> {
        let amount = "10.01".parse().unwrap();
        let commission = Money { amount, currency: Currency::parse("USD").unwrap() };
        let split = attribution.unwrap().split(commission);
        split.iter().map(|p| (p.affiliate_id, p.money.amount.to_string())).collect()
    };
    assert_eq!(portions(shared), [(BEN, "5.01".into()), (ANN, "5.00".into())]);
    let (single, _) = told(Model::LastClick, "", &cookie);
    let kept = serde_json::to_value(single.as_ref().unwrap()).unwrap();
    assert!(kept.get("touches").is_none() && kept.get("shared_by").is_none(), "as it was");
    assert_eq!(portions(single), [(BEN, "10.01".into())]);
}

#[test]
fn a_sale_without_id_is_recognised_by_its_last_click_beside_a_coupon() {
    let cookie = joined(&[click(ANN, 1, 5)]);
    let mut world = world(Model::Linear);
    for query in ["amount=100&coupon=BEN10", "amount=100"] {
        let mut hit = pixel(0, query);
        hit.cookie = format!("tr_{PROGRAM}={cookie}");
        hit.id += i64::from(query.len() as u32);
        world.settle(&[hit]);
    }
    assert_eq!(world.orders.len(), 1);
}

#[test]
fn whoever_is_paused_is_no_touch() {
    let mut rows = rows();
    rows.programs[0].attribution = Model::Linear;
    rows.affiliates[1].paused_ms = Some(T0);
    let catalog: Catalog = rows.into();
    let mut world = World::new();
    world.catalog = catalog;
    let mut hit = pixel(0, "amount=100&id=1");
    hit.cookie = format!("tr_{PROGRAM}={}", joined(&[click(BEN, 2, 3), click(ANN, 1, 2)]));
    world.settle(&[hit]);
    let order = &world.orders.values().next().unwrap().order;
    let attribution = &order.attribution.as_ref().unwrap().value;
    assert!(attribution.affiliate_id == ANN && attribution.touches.is_empty());
    assert!(order.notes.contains("affiliate_paused"));
}

/// More links into a seed's program, each another affiliate's: their codes, and the affiliates' ids.
async fn more_links(app: &App, seed: &Seed, count: usize) -> Vec<(String, String)> {
    let mut links = Vec::new();
    for n in 0..count {
        let affiliate = json!({"name": format!("Blog {n}"), "email": format!("b{n}@example.com")});
        let affiliate_id = id(&app.create("affiliates", affiliate).await);
        let link = json!({"program_id": seed.program_id, "affiliate_id": affiliate_id});
        let code = text(&app.create("links", link).await, "code");
        app.wait_for_link(&code).await;
        links.push((code, affiliate_id));
    }
    links
}

async fn land(app: &App, code: &str, headers: &[(&str, &str)]) -> Answer {
    let answer = http("GET", &format!("{}/c/{code}", app.edge_url), headers, b"").await;
    assert_eq!(answer.status, 302);
    answer
}

/// The new cookie, and the tokens in it; the landing page gets the newest alone.
fn gathered(answer: &Answer) -> (String, Vec<String>) {
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap();
    let tokens: Vec<String> =
        cookie.split_once('=').unwrap().1.split('~').map(str::to_owned).collect();
    let location = answer.header("location").unwrap();
    assert!(location.ends_with(&format!("tclid={}", tokens.last().unwrap())), "{location}");
    (cookie.to_owned(), tokens)
}

#[tokio::test]
async fn a_cookie_gathers_the_touches_that_share() {
    let app = App::start().await;
    let seed = app.seed_with(json!({"attribution": "linear"})).await;
    let links = more_links(&app, &seed, 6).await;
    let (mut cookie, mut first) = gathered(&land(&app, &links[0].0, &[]).await);
    let mut last = first.clone();
    for (n, (code, _)) in links.iter().enumerate().skip(1) {
        let earlier = last;
        let answer = land(&app, code, &[("cookie", &cookie)]).await;
        let whole = answer.header("set-cookie").unwrap();
        assert!(whole.ends_with("; HttpOnly; SameSite=None; Secure; Path=/; Max-Age=2592000"));
        (cookie, last) = gathered(&answer);
        assert!(cookie.len() < 700);
        match n {
            1..=4 => assert_eq!(last[..n], earlier, "it grows, oldest first"),
            _ => {
                assert_eq!(last.len(), 5, "it is bounded");
                assert_eq!((&last[0], &last[1..4]), (&first[0], &earlier[2..5]));
            }
        }
    }
    // The same link again stands for its own earlier click.
    let (again, tokens) = gathered(&land(&app, &links[3].0, &[("cookie", &cookie)]).await);
    assert_eq!(tokens[..4], [&last[..2], &last[3..]].concat()[..4]);
    assert!(!tokens.contains(&last[2]) && tokens.len() == 5);
    // What does not verify is dropped, and what is none of ours is begun anew.
    let name = cookie.split_once('=').unwrap().0;
    let bad = last[1].replace("1.", "2.");
    let mixed = format!("{name}={}~{bad}~{}~", last[0], last[4]);
    let (_, tokens) = gathered(&land(&app, &links[1].0, &[("cookie", &mixed)]).await);
    assert_eq!(tokens[..2], [last[0].clone(), last[4].clone()]);
    assert_eq!(tokens.len(), 3);
    first = [&last[..], &last[..]].concat();
    let stuffed = format!("{name}={}", first.join("~"));
    assert_eq!(gathered(&land(&app, &links[1].0, &[("cookie", &stuffed)]).await).1.len(), 1);
    // Privacy: as with one.
    for (name, value) in [("sec-gpc", "1"), ("user-agent", "Googlebot/2.1")] {
        let answer = land(&app, &links[2].0, &[("cookie", &cookie), (name, value)]).await;
        assert!(answer.header("set-cookie").is_none(), "{name}");
    }
    // A paused affiliate's touch goes with the next click.
    let paused = format!("affiliates/{}", links[4].1);
    assert_eq!(app.api("PATCH", &paused, json!({"paused": true})).await.status, 200);
    let began = std::time::Instant::now();
    while gathered(&land(&app, &links[3].0, &[("cookie", &again)]).await).1.len() > 4 {
        assert!(began.elapsed().as_secs() < 2, "a change must be seen within two seconds");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn under_last_click_the_cookie_is_one_token_whatever_came() {
    let app = App::start().await;
    let seed = app.seed().await;
    let links = more_links(&app, &seed, 1).await;
    let (cookie, one) = gathered(&land(&app, &seed.link_code, &[]).await);
    let (_, other) = gathered(&land(&app, &links[0].0, &[("cookie", &cookie)]).await);
    assert!(one.len() == 1 && other.len() == 1 && one != other);
}

#[tokio::test]
async fn a_program_is_made_and_shown_with_a_model_that_shares() {
    let app = App::start().await;
    let seed = app.seed_with(json!({"attribution": "position_based"})).await;
    let path = format!("programs/{}", seed.program_id);
    let shown = async || app.api("GET", &path, json!(null)).await.json()["attribution"].clone();
    assert_eq!(shown().await, "position_based");
    let code = format!("tracking-codes/{}", seed.tracking_code_id);
    let tag = app.api("GET", &code, json!(null)).await.json()["snippets"]["tag"].clone();
    assert!(tag.as_str().unwrap().contains("data-model=\"position_based\""), "{tag}");
    let change = json!({"attribution": "linear"});
    assert_eq!(app.api("PATCH", &path, change).await.status, 200);
    assert_eq!(shown().await, "linear");
    let wrong = app.api("PATCH", &path, json!({"attribution": "u_shaped"})).await;
    assert_eq!(
        (wrong.status, &wrong.json()["errors"][0]["pointer"]),
        (422, &json!("/attribution"))
    );
}
