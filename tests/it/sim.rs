//! A seeded simulation on real PostgreSQL and Redis: one history of hits is settled straight into one
//! program, and into another shuffled, re-batched, delivered several times, and by workers that crash at
//! any await, between commit and acknowledgement too. The books must be the same.

use std::pin::pin;
use std::time::Duration;

use tributary::domain::frame;
use tributary::domain::hit::{Hit, Kind, Method, Part};
use tributary::domain::id::{self, Id};
use tributary::domain::sign;
use tributary::domain::token::Token;
use tributary::queue::Queue;
use tributary::worker::Worker;

use crate::harness::{App, Seed};

const HITS: usize = 400;
const T0: i64 = 1_790_000_000_000;

/// xorshift64*: the same numbers from the same seed, everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % sides
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.roll(at + 1));
        }
    }
}

/// A hit before it is known which program it is sent to.
#[derive(Clone)]
struct Plot {
    seconds: i64,
    channel: usize,
    order: usize,
    amount: &'static str,
    token: Option<usize>,
    cookie: Option<usize>,
}

fn plot(dice: &mut Dice) -> Plot {
    let amounts = ["100", "19.95", "1,234.50", "abc", "-1", "0"];
    let maybe = |dice: &mut Dice| Some(dice.roll(5)).filter(|n| *n < 3);
    Plot {
        seconds: dice.roll(100_000) as i64,
        channel: dice.roll(4),
        order: dice.roll(60),
        amount: amounts[dice.roll(amounts.len())],
        token: maybe(dice),
        cookie: maybe(dice),
    }
}

/// Where the plots are acted out: a program, and two affiliates that both programs share.
struct Stage<'a> {
    app: &'a App,
    program_id: Id,
    code: String,
    secret: String,
    affiliates: [Id; 2],
    node: u16,
}

impl Stage<'_> {
    fn token(&self, n: usize) -> String {
        let click_id = id::next(0, n as u16, T0 - 86_400_000 * (1 + n as i64));
        let affiliate_id = self.affiliates[n % 2];
        let token = Token { click_id, program_id: self.program_id, link_id: 1, affiliate_id };
        token.sign(&self.app.token_keys)
    }

    /// The encoded hit of a plot; `n` makes ids unique and sorts hits of one second.
    fn hit(&self, plot: &Plot, n: usize) -> Vec<u8> {
        let at_ms = T0 + plot.seconds * 1_000;
        let id = id::next(0, self.node, at_ms) + n as i64 % 4096;
        let kind = [Kind::Pixel, Kind::Form, Kind::Postback, Kind::Postback][plot.channel];
        let mut query = format!("amount={}&id=order-{}", plot.amount, plot.order);
        if let Some(n) = plot.token {
            query.push_str(&format!("&tclid={}", self.token(n)));
        }
        let cookie = plot.cookie.map(|n| format!("tr_{}={}", self.program_id, self.token(n)));
        let bearer = sign::digest_hex(self.secret.as_bytes());
        let mut hit = Hit::new(id, at_ms, kind, Method::Get);
        hit.set(Part::Code, self.code.as_bytes());
        hit.set(Part::Query, query.as_bytes());
        hit.set(Part::Cookie, cookie.as_deref().unwrap_or("").as_bytes());
        hit.set(Part::BearerHash, bearer.as_bytes());
        let mut bytes = Vec::new();
        hit.encode(&mut bytes);
        bytes
    }

    /// What the books say of the program, as text that two programs can be compared by.
    async fn books(&self) -> Vec<String> {
        let id = self.program_id;
        let transfers = format!(
            "select account || ' ' || case when account = 'advertiser' then 0 else owner end || ' ' ||
                    t.currency || ' ' || sum(t.amount)
             from (select debit_account account, debit_owner owner, currency, -amount amount, conversion_id
                   from transfers
                   union all
                   select credit_account, credit_owner, currency, amount, conversion_id from transfers) t
             join conversions c on c.id = t.conversion_id
             where c.program_id = {id}
             group by account, owner, t.currency having sum(t.amount) <> 0 order by 1"
        );
        let conversions = format!(
            "select order_key || ' ' || amount || ' ' || currency || ' ' || coalesce(affiliate_id, 0) || ' ' ||
                    coalesce(attributed_by, '-') || ' ' || commission || ' ' || verified || ' ' || status || ' ' ||
                    ('amount_differs' = any (reasons))
             from conversions where program_id = {id} order by 1"
        );
        let mut books = Vec::new();
        for sql in [transfers, conversions] {
            books.extend(self.app.rows(&sql).await.iter().map(|row| row.get::<_, String>(0)));
        }
        books
    }
}

/// Frames of hits, as an edge of this id would journal them.
fn frames(edge_id: i64, hits: &[Vec<u8>], mut size: impl FnMut() -> usize) -> Vec<Vec<u8>> {
    let (mut frames, mut at) = (Vec::new(), 0);
    while at < hits.len() {
        let end = (at + size()).min(hits.len());
        let mut buffer = Vec::new();
        frame::start(&mut buffer);
        for hit in &hits[at..end] {
            frame::push(&mut buffer, &Hit::decode(hit).unwrap());
        }
        frame::seal(&mut buffer, edge_id, at as i64, (end - at) as u32);
        frames.push(buffer);
        at = end;
    }
    frames
}

/// Drops a future after it was polled so many times: the process died there.
async fn dies_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|cx| {
        if left == 0 {
            return std::task::Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(cx).map(Some)
    })
    .await
}

fn queue(app: &App, consumer: &str) -> Queue {
    Queue::new(app.settings.redis().unwrap(), &app.settings.redis_stream, consumer).unwrap()
}

fn worker(app: &App, consumer: &str, batch: usize) -> Worker {
    Worker::new(app.store.clone(), queue(app, consumer), app.token_keys.clone(), batch)
}

async fn settled(app: &App, edge_id: i64) -> i64 {
    let count = format!("select count(*) from hits where edge_id = {edge_id}");
    app.rows(&count).await[0].get(0)
}

async fn stage<'a>(app: &'a App, seeds: &[Seed; 2], which: usize, model: &str) -> Stage<'a> {
    let seed = &seeds[which];
    let path = format!("programs/{}", seed.program_id);
    let change = serde_json::json!({ "attribution": model });
    assert_eq!(app.api("PATCH", &path, change).await.status, 200);
    Stage {
        app,
        program_id: seed.program_id.parse().unwrap(),
        code: seed.code.clone(),
        secret: seed.secret.clone(),
        affiliates: [0, 1].map(|n: usize| seeds[n].affiliate_id.parse().unwrap()),
        node: 900 + which as u16,
    }
}

async fn simulate(seed: u64, model: &str) {
    let app = App::start().await;
    let seeds = [app.seed().await, app.seed().await];
    let straight = stage(&app, &seeds, 0, model).await;
    let rough = stage(&app, &seeds, 1, model).await;
    let mut dice = Dice(seed);
    let mut plots: Vec<Plot> = (0..HITS).map(|_| plot(&mut dice)).collect();
    plots.sort_by_key(|plot| plot.seconds);

    // Straight: in order, one worker, every frame once.
    let hits: Vec<_> = plots.iter().enumerate().map(|(n, plot)| straight.hit(plot, n)).collect();
    let sent = frames(1, &hits, || 20);
    queue(&app, "edge").forward(sent.iter().map(|frame| &frame[..])).await.unwrap();
    let mut steady = worker(&app, "steady", 256);
    while settled(&app, 1).await < HITS as i64 {
        steady.turn(Duration::from_millis(20)).await.unwrap();
    }

    // Rough: shuffled, cut anew, each frame up to three times, and workers that die.
    let mut hits: Vec<_> = plots.iter().enumerate().map(|(n, plot)| rough.hit(plot, n)).collect();
    dice.shuffle(&mut hits);
    let mut sent = frames(2, &hits, || 1 + dice.roll(15));
    for _ in 0..2 {
        let again: Vec<_> = sent.iter().filter(|_| dice.roll(2) == 0).cloned().collect();
        sent.extend(again);
    }
    dice.shuffle(&mut sent);
    queue(&app, "edge").forward(sent.iter().map(|frame| &frame[..])).await.unwrap();
    let mut crashes = 0;
    for life in 0..2_000 {
        if settled(&app, 2).await == HITS as i64 {
            break;
        }
        let mut worker = worker(&app, &format!("life-{life}"), 1 + dice.roll(6));
        worker.reclaim(Duration::ZERO).await.unwrap();
        let polls = 1 + dice.roll(30);
        let lived = dies_after(polls, worker.turn(Duration::from_millis(20))).await;
        crashes += usize::from(lived.is_none());
    }
    let mut last = worker(&app, "last", 256);
    last.reclaim(Duration::ZERO).await.unwrap();
    while last.turn(Duration::ZERO).await.unwrap() != tributary::worker::Turn::Idle {}

    assert_eq!(settled(&app, 2).await, HITS as i64, "seed {seed}: every hit once");
    assert!(crashes > 5, "seed {seed}: only {crashes} crashes");
    assert_eq!(straight.books().await, rough.books().await, "seed {seed}");
    for (invariant, rows) in tributary::roles::audit(&app.store).await.unwrap() {
        assert_eq!(rows, 0, "seed {seed}: {invariant}");
    }
}

#[tokio::test]
async fn a_rough_life_makes_the_same_books_last_click() {
    for seed in [1, 0xDEAD_BEEF] {
        simulate(seed, "last_click").await;
    }
}

#[tokio::test]
async fn a_rough_life_makes_the_same_books_first_click() {
    for seed in [7, 0xFEED_F00D] {
        simulate(seed, "first_click").await;
    }
}
