//! Lives a program's days: hits through the queue and a worker, commissions released when they are due, and what is
//! done when a month is over. Time is what the hits say; the ledger's clock is set to it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;
use tributary::domain::frame;
use tributary::domain::hit::Hit;
use tributary::domain::id::Id;
use tributary::domain::payout::Step;
use tributary::domain::token::Keys;
use tributary::queue::Queue;
use tributary::store::caller::Caller;
use tributary::store::keys::Role;
use tributary::store::{self, Store, Transaction, idempotency, months, payouts, statements};
use tributary::worker::{self, Worker};

use super::orders::{FIRST_AFFILIATE, KEYS, PROGRAM, Told, seed};
use super::{AFFILIATES, ms};
use crate::Result;
use crate::stage::Stage;

const EDGE: i64 = 77;
/// Hits of one frame: what an edge writes with one fsync under some load.
const FRAME: usize = 50;
const FRAMES_MAX: usize = 64;
/// Affiliates' months that are closed at once.
const CLOSE_MAX: usize = 1_000;
/// More movements than anybody has in a month.
const MOVEMENTS_MAX: i64 = 1_000_000;

pub struct Driver {
    stage: Stage,
    store: Store,
    /// In whose name payouts are made and statements asked for.
    operator: Store,
    queue: Queue,
    worker: Worker,
    hits: Vec<Told>,
    sent: usize,
    /// What each affiliate's last statement closed with.
    closed: BTreeMap<Id, Decimal>,
}

/// What some days came to.
pub struct Lived {
    pub hits: usize,
    pub settling_s: f64,
    pub released: usize,
    pub releasing_s: f64,
}

/// What the end of a month came to.
pub struct Over {
    /// Affiliates' months.
    pub closed: usize,
    pub closing_s: f64,
    pub payouts: i64,
    pub paid: Decimal,
    pub paying_s: f64,
    pub stating_s: f64,
}

impl Driver {
    pub async fn start(hits: Vec<Told>) -> Result<Driver> {
        let stage = Stage::bare().await?;
        stage.database.batch_execute(&seed()).await?;
        let store = Store::new(stage.database_url(), 4)?;
        let operator = Store::for_api(stage.database_url(), 2)?;
        let operator = operator.on_behalf_of(Caller::new(Role::Operator, "key:1"));
        let queue = |name| Queue::new(stage.redis_url(), "tributary:year", name);
        let (queue, of_worker) = (queue("edge")?, queue("worker")?);
        let worker = Worker::new(store.clone(), of_worker, Keys::parse(KEYS)?, FRAMES_MAX);
        let closed = BTreeMap::new();
        Ok(Driver { stage, store, operator, queue, worker, hits, sent: 0, closed })
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Lives from one day to another.
    pub async fn live(&mut self, from: Date, to: Date) -> Result<Lived> {
        let mut lived = Lived { hits: 0, settling_s: 0.0, released: 0, releasing_s: 0.0 };
        let mut day = from;
        while day < to {
            let next = day + 1.day();
            self.set_clock(day).await?;
            let began = Instant::now();
            lived.hits += self.settle_until(ms(next)).await?;
            lived.settling_s += began.elapsed().as_secs_f64();
            let began = Instant::now();
            lived.released += self.release(ms(next)).await?;
            lived.releasing_s += began.elapsed().as_secs_f64();
            day = next;
        }
        Ok(lived)
    }

    /// What is done when the month `from` is over, on the first day of the next: everybody's statement of the month
    /// foots and goes on from the one before, the months that are due are closed, and who is owed enough is paid.
    pub async fn month_over(&mut self, from: Date, to: Date) -> Result<Over> {
        let began = Instant::now();
        self.state(from).await?;
        let stating_s = began.elapsed().as_secs_f64();
        self.set_clock(to).await?;
        let began = Instant::now();
        let mut closed = 0;
        loop {
            match months::close_due(&self.store, ms(to), CLOSE_MAX).await? {
                0 => break,
                some => closed += some,
            }
        }
        let closing_s = began.elapsed().as_secs_f64();
        let began = Instant::now();
        let (payouts, paid) = self.pay().await?;
        let paying_s = began.elapsed().as_secs_f64();
        Ok(Over { closed, closing_s, payouts, paid, paying_s, stating_s })
    }

    /// Commissions of each affiliate in cents, without what months added.
    pub async fn earned(&self) -> Result<BTreeMap<Id, i64>> {
        let sql = "
            select case when credit_account = 'advertiser' then debit_owner else credit_owner end,
                   (sum(case when credit_account = 'advertiser' then -amount else amount end) * 100)::bigint
            from transfers
            where conversion_id is not null and 'advertiser' in (debit_account, credit_account)
            group by 1";
        let rows = self.stage.database.query(sql, &[]).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// What the closing of months booked: how many adjustments, and what they came to for each affiliate's month, in
    /// cents.
    pub async fn adjusted(&self) -> Result<(i64, BTreeMap<(Id, Date), i64>)> {
        let sql = "
            select affiliate_id, month, count(*), (sum(amount) * 100)::bigint
            from adjustments where month is not null
            group by 1, 2";
        let rows = self.stage.database.query(sql, &[]).await?;
        let many = rows.iter().map(|row| row.get::<_, i64>(2)).sum();
        let sums = rows.iter().map(|row| ((row.get(0), row.get(1)), row.get(3)));
        Ok((many, sums.filter(|(_, cents)| *cents != 0).collect()))
    }

    pub async fn end(self) {
        self.stage.strike().await;
    }

    /// The moment at which ledger rows are written.
    async fn set_clock(&self, day: Date) -> Result<()> {
        let sql = format!("update bench_clock set at = '{day} 12:00Z'");
        Ok(self.stage.database.batch_execute(&sql).await?)
    }

    async fn settle_until(&mut self, end_ms: i64) -> Result<usize> {
        let rest = &self.hits[self.sent..];
        let these = &rest[..rest.partition_point(|told| told.at_ms < end_ms)];
        if these.is_empty() {
            return Ok(0);
        }
        let mut frames = Vec::new();
        for hits in these.chunks(FRAME) {
            let mut bytes = Vec::new();
            frame::start(&mut bytes);
            for told in hits {
                let hit = Hit::decode(&told.bytes).ok_or("a hit that cannot be read")?;
                frame::push(&mut bytes, &hit);
            }
            frame::seal(&mut bytes, EDGE, self.sent as i64, hits.len() as u32);
            self.sent += hits.len();
            frames.push(bytes);
        }
        let mut left = these.len();
        self.queue.forward(frames.iter().map(|frame| &frame[..])).await?;
        while left > 0 {
            let turn = self.worker.turn(Duration::from_secs(5)).await;
            match turn.map_err(|error| error.to_string())? {
                worker::Turn::Settled(hits) => left -= hits,
                worker::Turn::Idle => return Err("hits do not come".into()),
            }
        }
        Ok(these.len())
    }

    async fn release(&self, now_ms: i64) -> Result<usize> {
        let mut released = 0;
        loop {
            match worker::release(&self.store, now_ms).await? {
                0 => return Ok(released),
                some => released += some,
            }
        }
    }

    /// A run, approved and paid; how many payouts and how much they came to.
    async fn pay(&self) -> Result<(i64, Decimal)> {
        let scope = self.operator.scope(Role::Operator);
        let run = async |tx: &Transaction<'_>| payouts::run(tx, scope, PROGRAM, None).await;
        let run = idempotency::within::<_, store::Error>(&self.operator, run).await?;
        let run = run.ok_or("no program")?;
        for step in [Step::Approve, Step::Pay] {
            let step = (step, payouts::Said::default());
            let take = async |tx: &Transaction<'_>| {
                payouts::step(tx, scope, payouts::Which::OfRun(run, None), step).await
            };
            idempotency::within::<_, store::Error>(&self.operator, take).await?;
        }
        let sql = "select count(*), coalesce(sum(amount), 0) from payouts where run_id = $1 and status = 'paid'";
        let row = self.stage.database.query_one(sql, &[&run]).await?;
        Ok((row.get(0), row.get(1)))
    }

    /// A statement that does not foot is an error of the store's.
    async fn state(&mut self, month: Date) -> Result<()> {
        let scope = self.operator.scope(Role::Operator);
        for affiliate_id in FIRST_AFFILIATE..FIRST_AFFILIATE + AFFILIATES {
            let question = statements::Question {
                affiliate_id,
                program_id: Some(PROGRAM),
                month,
                limit: MOVEMENTS_MAX,
            };
            let accounts = statements::select(&self.operator, scope, &question).await?;
            for account in accounts.ok_or("too many movements")? {
                let closed = self.closed.insert(affiliate_id, account.closing.amount);
                let opening = account.opening.amount;
                if closed.unwrap_or_default() != opening {
                    let text = format!(
                        "{affiliate_id} closed with {closed:?} and opens {month} with {opening}"
                    );
                    return Err(text.into());
                }
            }
        }
        Ok(())
    }
}
