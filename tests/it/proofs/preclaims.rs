//! Guessed order ids over the real edge, worker and books: unsigned pixels claim them all, some of it is released
//! by time, and then the verified sales come, on several connections at once, with more claims among them.

use std::time::Instant;

use serde_json::json;

use super::line::Line;
use super::{Dice, many};
use crate::harness::{App, Seed, http};
use crate::replay::sound;

const LINES: usize = 16;

/// Who attacks, and who is to be paid.
struct Tokens {
    thief: String,
    honest: String,
}

async fn token(app: &App, link: &str) -> String {
    let answer = http("GET", &format!("{}/c/{link}", app.edge_url), &[], b"").await;
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    cookie.split_once('=').unwrap().1.to_owned()
}

/// A rival's link into the same program, clicked by himself.
async fn tokens(app: &App, seed: &Seed) -> Tokens {
    let rival = json!({"name": "Rival", "email": "rival@example.com"});
    let rival = app.create("affiliates", rival).await;
    let link = json!({"program_id": seed.program_id, "affiliate_id": rival["id"]});
    let link = app.create("links", link).await["code"].as_str().unwrap().to_owned();
    app.wait_for_link(&link).await;
    Tokens { thief: token(app, &link).await, honest: token(app, &seed.link_code).await }
}

/// Sends pixels and postbacks, each a target with its headers, on several connections at once.
async fn send(app: &App, requests: &[(String, String)]) {
    let share = requests.len().div_ceil(LINES).max(1);
    let sending = requests.chunks(share).map(async |requests| {
        let mut line = Line::to_edge(app).await;
        for (target, headers) in requests {
            let said = line.get(target, headers).await;
            assert_eq!(said.status, 200, "{target}");
            assert_eq!(said.all("tributary-outcome"), ["accepted"], "{target}");
        }
    });
    futures_util::future::join_all(sending).await;
}

fn claim(seed: &Seed, tokens: &Tokens, n: usize) -> (String, String) {
    // Some guess the amount, too.
    let amount = ["19.95", "5000"][n % 2];
    let token = [&tokens.thief, &tokens.honest][usize::from(n.is_multiple_of(5))];
    (format!("/t/{}.gif?amount={amount}&id=R-{n:06}&tclid={token}", seed.code), String::new())
}

fn sale(seed: &Seed, tokens: &Tokens, n: usize) -> (String, String) {
    let id = format!("R-{n:06}");
    if n.is_multiple_of(2) {
        let bearer = format!("Authorization: Bearer {}\r\n", seed.secret);
        let query = format!("amount=19.95&id={id}&tclid={}", tokens.honest);
        return (format!("/postback/{}?{query}", seed.code), bearer);
    }
    let ts = (tributary::roles::now_ms() / 1_000).to_string();
    let fields = [&*seed.code, &id, "19.95", "USD", &ts];
    let sig = tributary::domain::sign::signature(&seed.secret, fields);
    let query = format!("amount=19.95&id={id}&currency=USD&ts={ts}&sig={sig}");
    let cookie = format!("Cookie: tr_{}={}\r\n", seed.program_id, tokens.honest);
    (format!("/t/{}.gif?{query}", seed.code), cookie)
}

async fn preclaimed(unsigned: &str, claims: usize, sales: usize) {
    let app = App::start().await;
    let seed = app.seed_with(json!({"unsigned": unsigned})).await;
    let tokens = tokens(&app, &seed).await;
    let began = Instant::now();
    let all: Vec<_> = (0..claims).map(|n| claim(&seed, &tokens, n)).collect();
    for some in all.chunks(10_000) {
        send(&app, some).await;
        app.settle().await;
    }
    // As if a third of them had waited out their hold period.
    app.execute("update conversions set hold_until = now() - interval '1 day' where id % 3 = 0")
        .await;
    let now_ms = tributary::roles::now_ms();
    while tributary::worker::release(&app.store, now_ms).await.unwrap() > 0 {}
    let count = async |what: &str| -> i64 {
        app.rows(&format!("select count(*) from conversions where {what}")).await[0].get(0)
    };
    let payable = count("status = 'payable'").await;
    assert_eq!(payable > 0, unsigned == "accept", "{payable}: what is held waits for a person");

    let mut dice = Dice(claims as u64);
    let mut sampled: Vec<usize> = (0..claims).collect();
    dice.shuffle(&mut sampled);
    sampled.truncate(sales);
    let late = sampled.iter().map(|n| claim(&seed, &tokens, *n));
    let mut requests: Vec<_> =
        sampled.iter().map(|n| sale(&seed, &tokens, *n)).chain(late).collect();
    dice.shuffle(&mut requests);
    send(&app, &requests).await;
    app.settle().await;

    let ids: Vec<String> = sampled.iter().map(|n| format!("'R-{n:06}'")).collect();
    let of_sample = format!("order_id in ({})", ids.join(","));
    assert_eq!(count(&of_sample).await, sales as i64, "not one is stopped or doubled");
    let right = format!(
        "{of_sample} and verified and amount = 19.95 and affiliate_id = {} and commission = 2.00
         and status = 'pending' and not held and hold_until > now() + interval '29 days'",
        seed.affiliate_id
    );
    assert_eq!(count(&right).await, sales as i64, "not one is changed");
    assert_eq!(count("true").await, claims as i64);
    sound(&app).await;
    println!(
        "unsigned: {unsigned}: {claims} claims over the wire, {payable} released by time, then {sales} \
         verified sales among {sales} more claims: none stopped, none changed ({:.1?})",
        began.elapsed()
    );
}

#[tokio::test]
async fn claims_that_are_accepted_change_no_verified_sale() {
    preclaimed("accept", many(2_000, 100_000), many(400, 10_000)).await;
}

#[tokio::test]
async fn claims_that_are_held_change_no_verified_sale() {
    preclaimed("hold", many(2_000, 100_000), many(400, 10_000)).await;
}

#[tokio::test]
async fn earlier_claims_neither_take_nor_push_out_what_the_buyer_tells() {
    let app = App::start().await;
    let seed = app.seed().await;
    let tokens = tokens(&app, &seed).await;
    let pixel = |token: &str| format!("/t/{}.gif?amount=19.95&id=R-1&tclid={token}", seed.code);
    let mut line = Line::to_edge(&app).await;
    let claimed = line.get(&pixel(&tokens.thief), "").await;
    assert_eq!(claimed.status, 200);
    app.settle().await;
    // As if he had begun ten hours ago and claimed each half hour.
    let half_hour = (30 * 60_000i64) << 22;
    app.execute(&format!(
        "update conversions set facts = jsonb_set(facts, '{{claims}}', (facts -> 'claims') || (
           select jsonb_object_agg((c.key::bigint - n * {half_hour})::text,
                    jsonb_set(c.value, '{{hit}}', to_jsonb(c.key::bigint - n * {half_hour})))
           from jsonb_each(facts -> 'claims') c, generate_series(1, 20) n))"
    ))
    .await;
    let bearer = format!("Authorization: Bearer {}\r\n", seed.secret);
    let postback = format!("/postback/{}?amount=19.95&id=R-1", seed.code);
    for (target, headers) in [(pixel(&tokens.honest), ""), (postback, &*bearer)] {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        assert_eq!(line.get(&target, headers).await.status, 200);
    }
    app.settle().await;
    let sale = app
        .rows(
            "select affiliate_id::text, verified, status,
               (select count(*) from jsonb_object_keys(facts -> 'claims')) as claims from conversions",
        )
        .await;
    assert_eq!(sale.len(), 1);
    assert_eq!(sale[0].get::<_, &str>(0), seed.affiliate_id, "the buyer's own, and not the first");
    assert_eq!((sale[0].get(1), sale[0].get::<_, &str>(2)), (true, "pending"));
    assert!(sale[0].get::<_, i64>(3) > 2, "the earlier ones are still known");
    sound(&app).await;
}
