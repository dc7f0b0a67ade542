//! The attacks of `make attack` in short: malformed requests, hidden ones, and the two parsers of heads.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;
use tributary::roles;

use crate::dice::Dice;
use crate::harness::{App, Seed};
use crate::noise::{self, Ground};
use crate::variants::{self, Aim};
use crate::{heads, talk};

const SILENCE_MAX: Duration = Duration::from_secs(20);

#[test]
fn the_short_way_and_hyper_understand_a_head_alike() {
    let (mut dice, mut taken, mut last) = (Dice(0x0_4EAD), 0, 0);
    let ground = Ground { wanted: noise::EDGE, bearers: Vec::new() };
    for number in 0..50_000 {
        let bytes = match number % 5 {
            0 => noise::request(&mut dice, &ground),
            _ => noise::head(&mut dice),
        };
        match heads::compare(&bytes) {
            Ok(close) => {
                taken += usize::from(close.is_some());
                last += usize::from(close == Some(true));
            }
            Err(difference) => panic!("{difference}\n{:?}", String::from_utf8_lossy(&bytes)),
        }
    }
    println!("50000 heads, {taken} taken by the short way, {last} of them the last");
    assert!(taken > 10_000 && last > 500, "{taken} taken, {last} of them the last");
}

/// Everything that was received is in the books, and they are sound.
async fn is_sound(app: &App) {
    app.settle().await;
    let hits = app.rows("select count(*) from hits").await[0].get::<_, i64>(0);
    assert_eq!(hits, app.journal.extent().end_seq, "received = outcomes");
    for (invariant, rows) in roles::audit(&app.store).await.unwrap() {
        assert_eq!(rows, 0, "{invariant}");
    }
}

fn at(url: &str) -> &str {
    url.trim_start_matches("http://")
}

#[tokio::test]
async fn malformed_requests_are_refused_and_others_are_served() {
    let app = App::start().await;
    let seed = app.seed().await;
    let grounds = [
        (&app.edge_url, Ground { wanted: noise::EDGE, bearers: vec![seed.secret.clone()] }),
        (
            &app.admin_url,
            Ground { wanted: noise::ADMIN, bearers: vec![seed.affiliate_key.clone()] },
        ),
    ];
    let mut dice = Dice(0xBAD);
    for number in 0..1_000 {
        let (url, ground) = &grounds[usize::from(number % 4 == 0)];
        let bytes: Vec<u8> = (0..4).flat_map(|_| noise::request(&mut dice, ground)).collect();
        let talk = talk::say(at(url), &bytes, true, SILENCE_MAX).await;
        let (statuses, said) = (talk.statuses(), String::from_utf8_lossy(&bytes));
        assert!(
            talk.closed && statuses.iter().all(|status| *status < 500),
            "{statuses:?}: {said:?}"
        );
        if number % 10 == 0 {
            honest(&app, &seed, number).await;
        }
    }
    is_sound(&app).await;
    let honest = "select count(*) from conversions where order_id like 'honest-%'";
    assert_eq!(app.rows(honest).await[0].get::<_, i64>(0), 100);
}

async fn honest(app: &App, seed: &Seed, number: u32) {
    let request = format!(
        "GET /t/{}.gif?amount=1&id=honest-{number} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        seed.code
    );
    let talk = talk::say(at(&app.edge_url), request.as_bytes(), false, SILENCE_MAX).await;
    assert_eq!(
        (talk.statuses(), talk.headers("tributary-outcome")),
        (vec![200], vec!["accepted".to_owned()])
    );
}

#[tokio::test]
async fn no_request_is_hidden_in_another() {
    let app = App::start().await;
    let seed = app.seed().await;
    let fields = json!({"program_id": seed.program_id, "affiliate_id": seed.affiliate_id});
    let poison = app.create("links", fields).await;
    let poison = poison["code"].as_str().unwrap();
    app.wait_for_link(poison).await;
    let link = seed.link_code.as_str();
    let variants = variants::all(&Aim::at_edge(&seed.code, (link, poison), "v"));
    assert!(variants.len() >= 300, "{}", variants.len());
    let mut own = 0;
    for (number, variant) in variants.iter().enumerate() {
        let name = format!("canary-{number}");
        let bytes = [&variant.bytes[..], &variants::canary(link, &name)].concat();
        let talk = talk::say(at(&app.edge_url), &bytes, true, SILENCE_MAX).await;
        own += usize::from(variant.judge(&talk, &name));
    }
    is_sound(&app).await;
    let sql = "select c.s1 from clicks c join links l on l.id = c.link_id where c.s1 like 'v%'";
    let kept: HashSet<usize> = app
        .rows(sql)
        .await
        .iter()
        .map(|row| row.get::<_, String>(0)[1..].parse().unwrap())
        .collect();
    let hidden: Vec<&str> = kept
        .iter()
        .filter(|number| !variants[**number].may_count)
        .map(|number| variants[*number].name.as_str())
        .collect();
    assert!(hidden.is_empty(), "hidden requests: {hidden:#?}");
    assert!(!kept.is_empty() && own > 50, "{} requests in plain sight, {own} answers", kept.len());
}
