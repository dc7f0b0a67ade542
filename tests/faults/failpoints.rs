//! Aborts at named places: the edge and the worker, each at every place that `src` names, under load.
//! `TRIBUTARY_FAILPOINT=journal.synced` tries one alone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tributary::dev::client;

use crate::installation::{Installation, Wanted, execute, redis};
use crate::load::{Load, Manner};
use crate::role::Role;
use crate::{books, rounds};

const SIGABRT: i32 = 6;
/// A place that is not passed within this is not where it is thought to be.
const PASSED_WITHIN: Duration = Duration::from_secs(60);

/// How often a place is passed before the process aborts there: one seed of these a round.
type Seeds = [u32; 3];
const OFTEN: Seeds = [0, 7, 40];
const SELDOM: Seeds = [0, 1, 2];
/// Passed once by a process, or when something is prepared for it; the load differs from round to round.
const ONCE: Seeds = [0, 0, 0];

const EDGE: &[(&str, Seeds)] = &[
    ("journal.gathered", OFTEN),
    ("journal.written", OFTEN),
    ("journal.synced", OFTEN),
    ("journal.telling", OFTEN),
    ("edge.answering", OFTEN),
    ("forwarder.sending", OFTEN),
    ("forwarder.sent", OFTEN),
    ("forwarder.remembered", OFTEN),
    ("forwarder.told", SELDOM),
    ("journal.sparing", SELDOM),
    ("journal.emptied", SELDOM),
    ("journal.named", SELDOM),
    ("journal.preallocated", ONCE),
    ("journal.removing", ONCE),
    ("journal.recovered", ONCE),
];

const WORKER: &[(&str, Seeds)] = &[
    ("worker.read", OFTEN),
    ("worker.claimed", OFTEN),
    ("worker.prefetched", OFTEN),
    ("worker.committing", OFTEN),
    ("worker.committed", OFTEN),
    ("worker.advanced", OFTEN),
    ("worker.acking", OFTEN),
    ("worker.acked", OFTEN),
    ("ledger.approving", SELDOM),
    ("ledger.released", SELDOM),
    ("frames.pruned", ONCE),
    ("worker.parting", ONCE),
    ("worker.burying", ONCE),
    ("worker.buried", ONCE),
    ("worker.reclaimed", ONCE),
];

#[test]
fn every_named_place_is_tried() {
    let mut named = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            for part in text.split("failpoint::pass(\"").skip(1) {
                let name = part.split('"').next().unwrap().to_owned();
                assert!(named.insert(name.clone()), "{name} is in two places");
            }
        }
    }
    let tried = EDGE.iter().chain(WORKER).map(|(name, _)| (*name).to_owned());
    assert_eq!(named, tried.collect());
    assert!(named.len() >= 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_may_abort_at_every_named_place() {
    if cfg!(not(feature = "failpoints")) {
        panic!("build with --features failpoints, as `make faults` does");
    }
    let mut all = Installation::start(Wanted::default()).await;
    // Commissions are due at once; and orders of one kind cannot be settled.
    let sql = "update programs set hold_days = 0;
        alter table conversions add constraint no_poison check (order_id not like 'poison%')";
    execute(&all.servers.database_url, sql).await;
    let edge_urls = vec![all.edge_url.clone()];
    let pause = Duration::from_millis(10);
    let load = Load::of(&all, Manner { edge_urls, shops: 6, pause, padding: 4_000 }).await;
    let mut ground = Ground {
        edge_url: all.edge_url.clone(),
        database_url: all.servers.database_url.clone(),
        redis_url: all.servers.redis_url.clone(),
        journal_dir: all.journal_dir.clone(),
        round: 0,
    };
    let (mut aborts, mut poisoned) = (0, Vec::new());
    for round in 0..rounds(1, 3) {
        ground.round = round;
        let (edge, worker) = (&mut all.edge, &mut all.worker);
        let walks = tokio::join!(walk(edge, EDGE, &ground), walk(worker, WORKER, &ground));
        aborts += walks.0.0 + walks.1.0;
        poisoned.extend(walks.1.1);
    }
    let log = load.end().await;
    let tally = books::check(&mut all, &log).await;
    println!("{aborts} aborts, {} poisoned: {tally:?}", poisoned.len());
    for order in poisoned {
        let sql = format!(
            "select count(*) from hits join dead_letters on hit_id = id
             where outcome = 'dead' and position('id={order}&' in encode(raw, 'escape')) > 0"
        );
        assert_eq!(all.count(&sql).await, 1, "{order} is a dead letter");
    }
    assert!(tally.ok > 100, "{tally:?}");
}

struct Ground {
    edge_url: String,
    database_url: String,
    redis_url: String,
    journal_dir: PathBuf,
    round: usize,
}

/// Has a role abort at one place after the other; how often it did, and the poison that was answered.
async fn walk(role: &mut Role, places: &[(&str, Seeds)], on: &Ground) -> (usize, Vec<String>) {
    let only = std::env::var("TRIBUTARY_FAILPOINT").ok();
    let usual = role.plan.clone();
    let (mut aborts, mut poisoned) = (0, Vec::new());
    for (at, (name, seeds)) in places.iter().enumerate() {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        role.kill();
        role.plan = usual.clone();
        prepare(name, role, on).await;
        let armed = format!("{name}={}*off->return", seeds[(at + on.round) % seeds.len()]);
        role.plan.environment.push(("FAILPOINTS".to_owned(), armed.clone()));
        role.revive();
        if ["worker.parting", "worker.burying", "worker.buried"].contains(name) {
            poisoned.push(poison(name, on).await);
        }
        let began = Instant::now();
        while role.has_ended().is_none() {
            assert!(began.elapsed() < PASSED_WITHIN, "{armed}: not passed");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(role.ended_by(), Some(SIGABRT), "{armed}: see {}", usual.log.display());
        aborts += 1;
    }
    role.plan = usual;
    role.revive();
    (aborts, poisoned)
}

/// What a place needs to be passed.
async fn prepare(name: &str, role: &mut Role, on: &Ground) {
    match name {
        // No spare files: the first segment is a new one.
        "journal.preallocated" => {
            for entry in std::fs::read_dir(&on.journal_dir).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|extension| extension == "spare") {
                    std::fs::remove_file(path).unwrap();
                }
            }
        }
        // Segments of another size than before are not used again.
        "journal.removing" => {
            let flags = role.plan.flags.iter_mut();
            let size = flags.filter(|(flag, _)| flag == "--journal-segment-bytes").last();
            size.unwrap().1 = (2 << 20).to_string();
        }
        // A worker that has died has frames in hand.
        "worker.reclaimed" => {
            let read = "XREADGROUP GROUP workers gone COUNT 5 STREAMS tributary:hits >";
            let (read, began): (Vec<&str>, _) = (read.split(' ').collect(), Instant::now());
            while redis(&on.redis_url, &read).is_empty() {
                assert!(began.elapsed() < PASSED_WITHIN, "no frames");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        "frames.pruned" => {
            let sql = "update frames set claimed_at = now() - interval '1 hour'";
            execute(&on.database_url, sql).await;
        }
        _ => {}
    }
}

/// Sends an order that cannot be settled, until it is answered.
async fn poison(name: &str, on: &Ground) -> String {
    for attempt in 0..500 {
        let order = format!("poison-{name}-{}-{attempt}", on.round);
        let url = format!("{}/t/shop.gif?amount=10.00&id={order}&", on.edge_url);
        match client::send("GET", &url, &[], b"").await {
            Ok(answer) if answer.status == 200 => return order,
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    panic!("the edge does not answer");
}
