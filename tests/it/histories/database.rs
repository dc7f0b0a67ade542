//! The same histories in PostgreSQL: hits through the queue and two workers at a time, people through the store,
//! time through the worker's release. Each history has a program of its own; all of them live at once.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use rust_decimal::Decimal;
use tributary::domain::frame;
use tributary::domain::hit::{Hit, Kind as Door, Method, Part};
use tributary::domain::id::Id;
use tributary::domain::payout::Step;
use tributary::domain::sign;
use tributary::domain::token::Keys;
use tributary::queue::Queue;
use tributary::store::books::{self, Acted, Which};
use tributary::store::caller::Caller;
use tributary::store::keys::Role;
use tributary::store::{Error, Store, Transaction, idempotency, payouts, rates};
use tributary::worker::{self, Worker};

use crate::harness::App;
use crate::proofs::{Dice, many};
use crate::replay::sound;
use crate::world::{BEN, SECRET};

use super::reference::{Sheet, reckon, together};
use super::story::{AFFILIATES, Act, History, Kind, Tell, What, decimals, recruiter};
use super::words::{action, query, quotes, terms, tokens};
use super::writer::history;

const EDGE: i64 = 77;
/// Beyond all holding.
const FOR_EVER: i64 = 4_000_000_000_000;

/// A history and its program.
struct Played {
    history: History,
    number: i64,
}

impl Played {
    fn program_id(&self) -> Id {
        100_000 + self.number
    }

    /// Its own advertiser, program, plans, coupon and tracking code.
    fn seed(&self) -> String {
        let (id, Played { history, number, .. }) = (self.program_id(), self);
        let unsigned = if history.holds_unsigned { "hold" } else { "accept" };
        let (home, hold_days, model) = (history.home, history.hold_days, history.model);
        let mut sql = format!(
            "insert into advertisers (id, name, currency, timezone) values ({id}, 'Shop', '{home}', 'UTC');
             insert into programs (id, advertiser_id, name, landing_url, hold_days, unsigned, attribution)
             values ({id}, {id}, 'Program', 'https://shop.example/', {hold_days}, '{unsigned}', '{model}');
             insert into coupons (program_id, affiliate_id, code) values ({id}, {BEN}, 'BEN10');
             insert into tracking_codes (program_id, code, name, secret)
             values ({id}, 'shop-{number}', 'Shop', '{SECRET}');"
        );
        for (number, version) in (1..).zip(&history.plans) {
            let (terms, from_ms) = (terms(version, home), version.from_ms);
            write!(
                sql,
                "insert into plans (program_id, version, terms, created_at)
                 values ({id}, {number}, '{terms}', to_timestamp({from_ms} / 1000::float8));"
            )
            .unwrap();
        }
        sql
    }

    /// A hit as the edge keeps it. Its id names an edge for each history, so that no two are alike.
    fn hit(&self, tell: &Tell, keys: &Keys) -> Vec<u8> {
        let program_id = self.program_id();
        let (mut query, mut cookie, mut verified) = (query(tell), String::new(), true);
        if let What::Sale(sale) = &tell.what {
            verified = sale.verified;
            if !sale.token.is_empty() {
                write!(query, "&tclid={}", tokens(&sale.token, program_id, keys)).unwrap();
            }
            if !sale.cookie.is_empty() {
                cookie = format!("tr_{program_id}={}", tokens(&sale.cookie, program_id, keys));
            }
        }
        let door = if verified { Door::Postback } else { Door::Pixel };
        let id = tell.id + ((self.number % 1_000 - 7) << 12);
        let (code, bearer) = (format!("shop-{}", self.number), sign::digest_hex(SECRET.as_bytes()));
        let mut hit = Hit::new(id, tell.at_ms, door, Method::Get);
        hit.set(Part::Code, code.as_bytes());
        hit.set(Part::Query, query.as_bytes());
        hit.set(Part::Cookie, cookie.as_bytes());
        hit.set(Part::BearerHash, if verified { bearer.as_bytes() } else { b"" });
        let mut bytes = Vec::new();
        hit.encode(&mut bytes);
        bytes
    }
}

struct Stage {
    app: App,
    people: Store,
    workers: [Worker; 2],
    sent: usize,
}

impl Stage {
    async fn set(played: &[Played]) -> Stage {
        let app = App::start().await;
        let people = AFFILIATES.map(|id| {
            format!("insert into affiliates (id, name, email) values ({id}, 'A', 'a@a.example');")
        });
        let recruited = AFFILIATES.map(|id| {
            let by = recruiter(id).map_or("null".to_owned(), |id| id.to_string());
            format!("update affiliates set recruited_by = {by} where id = {id};")
        });
        let programs = played.iter().map(Played::seed).collect::<Vec<_>>();
        app.execute(&[people.concat(), recruited.concat(), programs.concat()].concat()).await;
        rates::import(&app.store, &quotes(), "a bank").await.unwrap();
        let worker =
            |name| Worker::new(app.store.clone(), queue(&app, name), app.token_keys.clone(), 7);
        let workers = [worker("one"), worker("two")];
        let people = Store::for_api(&app.database_url, 1).unwrap();
        let people = people.on_behalf_of(Caller::new(Role::Operator, "key:1"));
        Stage { app, people, workers, sent: 0 }
    }

    /// Hits through the queue, in frames of any size, settled by two workers at once, while time releases what is due
    /// at a moment.
    async fn settle(&mut self, hits: &[Vec<u8>], dice: &mut Dice, now_ms: i64) {
        let mut frames = Vec::new();
        let mut rest = hits;
        while !rest.is_empty() {
            let (these, behind) = rest.split_at((1 + dice.below(9)).min(rest.len()));
            let mut bytes = Vec::new();
            frame::start(&mut bytes);
            these.iter().for_each(|hit| frame::push(&mut bytes, &Hit::decode(hit).unwrap()));
            frame::seal(&mut bytes, EDGE, self.sent as i64, these.len() as u32);
            self.sent += these.len();
            frames.push(bytes);
            rest = behind;
        }
        queue(&self.app, "edge").forward(frames.iter().map(|frame| &frame[..])).await.unwrap();
        let settled = format!("select count(*) from hits where edge_id = {EDGE}");
        let wait = Duration::from_millis(5);
        while self.app.rows(&settled).await[0].get::<_, i64>(0) < self.sent as i64 {
            let [one, two] = &mut self.workers;
            let released = worker::release(&self.app.store, now_ms);
            let (a, b, released) = tokio::join!(one.turn(wait), two.turn(wait), released);
            assert!(a.is_ok() && b.is_ok() && released.is_ok(), "{a:?} {b:?} {released:?}");
        }
    }

    async fn release(&self, now_ms: i64) {
        while worker::release(&self.app.store, now_ms).await.unwrap() > 0 {}
    }

    async fn perform(&self, program_id: Id, act: &Act, now_ms: i64) -> bool {
        let which = Which::sale(program_id, &format!("o{}", act.order));
        let scope = self.people.scope(Role::Operator);
        let action = action(&act.deed, now_ms);
        let act = async |tx: &Transaction<'_>| books::act(tx, scope, &which, &action, None).await;
        let acted = idempotency::within::<_, Error>(&self.people, act).await.unwrap();
        matches!(acted, Acted::Done(..))
    }

    /// A run of payouts, approved and paid.
    async fn pay(&self, program_id: Id) {
        let scope = self.people.scope(Role::Operator);
        let run = async |tx: &Transaction<'_>| payouts::run(tx, scope, program_id, None).await;
        let run = idempotency::within::<_, Error>(&self.people, run).await.unwrap().unwrap();
        for step in [Step::Approve, Step::Pay] {
            let which = payouts::Which::OfRun(run, None);
            let take = async |tx: &Transaction<'_>| {
                payouts::step(tx, scope, which, (step, payouts::Said::default())).await
            };
            let taken = idempotency::within::<_, Error>(&self.people, take).await.unwrap();
            assert!(matches!(taken, payouts::Stepped::Done(_)), "{taken:?}");
        }
    }

    /// What each affiliate has, by program, in minor units.
    async fn sheets(&self) -> BTreeMap<Id, Sheet> {
        let sql = "
            select program_id, account, owner, currency, sum(amount) from (
              select program_id, debit_account as account, debit_owner as owner, currency, -amount as amount from transfers
              union all
              select program_id, credit_account, credit_owner, currency, amount from transfers) t
            where account <> 'advertiser'
            group by program_id, account, owner, currency having sum(amount) <> 0";
        let mut sheets: BTreeMap<Id, Sheet> = BTreeMap::new();
        for row in self.app.rows(sql).await {
            let (account, code): (&str, &str) = (row.get(1), row.get(3));
            let account = account.strip_prefix("affiliate_").unwrap();
            let account = ["pending", "payable", "paid"].into_iter().find(|a| *a == account);
            let known = ["USD", "EUR", "JPY", "KWD", "CLF"].into_iter().find(|c| *c == code);
            let mut sum: Decimal = row.get(4);
            assert!(sum.normalize().scale() <= decimals(code), "{sum} {code}");
            sum.rescale(decimals(code));
            let key = (account.unwrap(), row.get(2), known.unwrap());
            sheets.entry(row.get(0)).or_default().insert(key, sum.mantissa());
        }
        sheets
    }
}

fn queue(app: &App, consumer: &str) -> Queue {
    Queue::new(app.settings.redis().unwrap(), &app.settings.redis_stream, consumer).unwrap()
}

/// Plays histories of these kinds, phase by phase, all at once.
async fn play(kinds: &'static [Kind], histories: usize) {
    let played = |number: i64| {
        let kind = kinds[number as usize % kinds.len()];
        Played { history: history(700_000 + number as u64, kind, true), number }
    };
    let played: Vec<Played> = (1..=histories as i64).map(played).collect();
    let (mut stage, mut dice) = (Stage::set(&played).await, Dice(0xB00C));
    let keys = stage.app.token_keys.clone();
    let (mut done, mut refused) = (0, 0);
    for at in 0..4 {
        let phases = || played.iter().filter_map(|p| Some((p, p.history.phases.get(at)?)));
        let Some(end_ms) = phases().map(|(_, phase)| phase.end_ms).max() else { break };
        let hits = phases().flat_map(|(p, phase)| phase.tells.iter().map(move |tell| (p, tell)));
        let mut hits: Vec<Vec<u8>> = hits.map(|(p, tell)| p.hit(tell, &keys)).collect();
        dice.shuffle(&mut hits);
        // Where somebody is paid at its end, no settling lags behind the time that releases.
        let meanwhile_ms = if kinds.contains(&Kind::Payouts) { 0 } else { end_ms };
        stage.settle(&hits, &mut dice, meanwhile_ms).await;
        stage.release(end_ms).await;
        for (p, phase) in phases() {
            for act in phase.approvals.iter().chain(&phase.acts) {
                let is_done = stage.perform(p.program_id(), act, end_ms).await;
                (done, refused) = (done + usize::from(is_done), refused + usize::from(!is_done));
            }
        }
        stage.release(end_ms).await;
        for (p, _) in phases().filter(|(_, phase)| phase.pays) {
            stage.pay(p.program_id()).await;
        }
        sound(&stage.app).await;
    }
    stage.release(FOR_EVER).await;
    let sheets = stage.sheets().await;
    for p in &played {
        let reckoned = reckon(&p.history).sheets.pop().unwrap();
        let found = sheets.get(&p.program_id()).cloned().unwrap_or_default();
        match p.history.kind {
            Kind::Verdicts => assert_eq!(together(&found), together(&reckoned), "{}", p.number),
            _ => assert_eq!(found, reckoned, "{}", p.number),
        }
    }
    sound(&stage.app).await;
    let hits = stage.sent;
    println!(
        "{kinds:?}: {histories} histories, {hits} hits; people: {done} done, {refused} refused"
    );
    assert!(done > histories / 2 && refused > 0);
}

#[tokio::test]
async fn the_database_has_the_same_books() {
    play(&[Kind::Tellings, Kind::Verdicts], many(80, 600)).await;
}

#[tokio::test]
async fn the_database_pays_the_same() {
    play(&[Kind::Payouts], many(40, 300)).await;
}
