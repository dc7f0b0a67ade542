//! The roles, wired: what each needs, started and drained. `main` and the tests start them alike; the
//! listeners and the signal to stop belong to the caller.

mod door;
mod ops;
mod rates;
mod tending;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use hyper::Request;
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use crate::admin::{self, Admin, Uploads, Walls};
use crate::config::{self, BadSetting, Listener, Settings};
use crate::domain::catalog::{Catalog, Rows};
use crate::domain::sign;
use crate::edge::Edge;
use crate::forwarder::Forwarder;
use crate::http::budget::Budget;
use crate::http::forwarded::Client;
use crate::http::plain::Head;
use crate::http::{self, Peer, Reply};
use crate::journal::{Journal, Options};
use crate::portal::{self, Portal};
use crate::pulse::Pulse;
use crate::queue::Queue;
use crate::replay::{Replay, Report};
use crate::store::replay::Selection;
use crate::store::{Store, catalog, migrate};
use crate::telemetry;
use crate::worker::{Turn, Worker};

pub use door::limits;
pub use ops::{Health, ops};
pub use rates::{RatesReport, import_rates};
pub use tending::{audit, audit_since};

/// Why a role cannot start.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// How long a worker waits for a frame before it looks around.
const BLOCK: Duration = Duration::from_millis(500);
/// Pauses of a worker after a failure, from the first to the longest.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Longer than any of what a worker's loops wait for: the slowest statement, several times over.
const SETTLE_SILENCE_MAX: Duration = Duration::from_secs(180);

/// The address of the database, unless everybody knows its password: how that is spelt in there, only the
/// store knows.
fn database(settings: &Settings) -> Result<&str, Error> {
    let address = settings.database()?;
    if Store::password(address).is_some_and(|password| config::is_well_known(&password)) {
        return Err(config::well_known("database-url").into());
    }
    Ok(address)
}

/// The database of the settings, for what works for all tenants.
pub fn store(settings: &Settings) -> Result<Store, Error> {
    let store = Store::for_worker(database(settings)?, settings.database_connections_max);
    Ok(store.map_err(|e| BadSetting("database-url", e))?)
}

/// The database of the settings, for the admin API and the portal.
pub fn api_store(settings: &Settings) -> Result<Store, Error> {
    let store = Store::for_api(database(settings)?, settings.database_connections_max);
    Ok(store.map_err(|e| BadSetting("database-url", e))?)
}

/// Brings the schema up to date, as the login itself; returns its version.
pub async fn migrate(settings: &Settings) -> Result<i32, Error> {
    let store = Store::new(database(settings)?, 1).map_err(|e| BadSetting("database-url", e))?;
    Ok(migrate::run(&store).await?)
}

/// Refuses a schema that is older than this program, and a role that row security does not hold for.
async fn check_database(store: &Store) -> Result<(), Error> {
    migrate::check(store).await?;
    Ok(store.check_walls().await?)
}

fn queue(settings: &Settings, consumer: &str) -> Result<Queue, Error> {
    let queue = Queue::new(settings.redis()?, &settings.redis_stream, consumer);
    Ok(queue.map_err(|e| BadSetting("redis-url", e))?)
}

/// Checks what only the libraries that use them can tell of the settings. Connects to nothing.
pub fn check(settings: &Settings) -> Result<(), Error> {
    if settings.database_url.is_some() {
        store(settings)?;
    }
    if settings.redis_url.is_some() {
        queue(settings, "check")?;
    }
    telemetry::filter(&settings.log).map_err(|e| BadSetting("log", e))?;
    door::check_certificates(settings)
}

/// Opens the edge's journal.
pub fn journal(settings: &Settings) -> Result<Journal, Error> {
    Ok(Journal::open(Options {
        dir: settings.journal_dir.clone(),
        edge_number: settings.edge_number,
        segment_bytes: settings.journal_segment_bytes,
        bytes_max: settings.journal_bytes_max,
        disk_reserve_bytes: settings.disk_reserve_bytes,
    })?)
}

/// The edge: serves until `stop`, then lets what is in flight finish and forwards what is durable. Starts
/// and serves with PostgreSQL or Redis down, from the catalog that it kept on its disk.
pub async fn edge(
    settings: &Settings,
    journal: Journal,
    listener: TcpListener,
    stop: watch::Receiver<bool>,
) -> Result<(), Error> {
    let door = door::door(settings, Listener::Edge)?;
    let store = store(settings)?;
    let kept = settings.journal_dir.join("catalog.json");
    let snapshot = Arc::new(ArcSwap::from_pointee(load_snapshot(&kept)));
    // Forwarding goes on until the last hit was answered.
    let (served, end) = watch::channel(false);
    let forwarder = Forwarder {
        journal: journal.clone(),
        queue: queue(settings, "edge")?,
        store: store.clone(),
        stream_bytes_max: settings.stream_bytes_max,
    };
    let budgets = Arc::new(door::budgets(&settings.rates));
    let read_ms = Arc::new(AtomicI64::new(0));
    let (swept, follow) = (budgets.clone(), publish(snapshot.clone(), kept, read_ms.clone()));
    let follow = catalog::follow(store, follow, stop.clone());
    let tend = async move {
        tokio::join!(follow, door::sweep_for_ever(move || swept.sweep()));
    };
    let beside = Beside { forward: forwarder.run(end), tend }.start()?;
    let edge = Arc::new(Edge {
        appender: journal.appender(crate::edge::count),
        journal: journal.clone(),
        catalog: snapshot,
        catalog_read_ms: read_ms,
        keys: settings.keys()?,
        trusted_proxies: settings.listeners.trusted_proxies.clone(),
        budgets,
        body_timeout: Duration::from_secs(settings.body_timeout_seconds),
    });
    let short = edge.clone();
    let short = move |head: &Head<'_>, peer: &Peer| short.answer_plain(head, peer);
    let answer = move |request, peer| edge.clone().answer(request, peer);
    http::serve_plain(listener, door, stop, (answer, short)).await;
    let closing = journal.clone();
    tokio::task::spawn_blocking(move || closing.close()).await?;
    served.send_replace(true);
    // What is not forwarded by then is in the journal, and is at the next start.
    let _ = tokio::time::timeout(Duration::from_secs(1), beside).await;
    Ok(())
}

/// What an edge does besides answering, on a thread and a runtime of its own: none of it delays an answer.
struct Beside<A, B> {
    forward: A,
    tend: B,
}

impl<A: Future<Output = ()> + Send + 'static, B: Future<Output = ()> + Send + 'static>
    Beside<A, B>
{
    /// Ends when forwarding does.
    fn start(self) -> Result<oneshot::Receiver<()>, Error> {
        let (ended, end) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("forwarder".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::spawn(self.tend);
                self.forward.await;
            });
            let _ = ended.send(());
        })?;
        Ok(end)
    }
}

/// Puts a catalog that changed into use, and on the disk; notes when it was read, changed or not.
fn publish(
    current: Arc<ArcSwap<Catalog>>,
    kept: PathBuf,
    read_ms: Arc<AtomicI64>,
) -> impl Fn(Option<Rows>) {
    move |changed| {
        if let Some(rows) = changed {
            if let Err(error) = save_snapshot(&kept, &rows) {
                tracing::warn!(%error, "cannot keep the catalog on disk");
            }
            current.store(Arc::new(rows.into()));
        }
        read_ms.store(now_ms(), Ordering::Relaxed);
    }
}

fn load_snapshot(path: &Path) -> Catalog {
    let rows =
        std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice::<Rows>(&bytes).ok());
    rows.unwrap_or_default().into()
}

/// Kept for a start without PostgreSQL. Holds secrets, hence readable by its owner only.
fn save_snapshot(path: &Path, rows: &Rows) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let temporary = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(&temporary)?;
    file.write_all(&serde_json::to_vec(rows)?)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)
}

/// The worker: turns until `stop`, in several lanes, and releases what is due. While PostgreSQL writes the
/// batch of one lane, the next one's is decided.
pub async fn worker(settings: &Settings, stop: watch::Receiver<bool>) -> Result<(), Error> {
    let lanes = settings.worker_lanes;
    let (url, beside) = (database(settings)?, settings.database_connections_max - lanes);
    let bad = |e| BadSetting("database-url", e);
    let settling = Store::for_settling(url, lanes).map_err(bad)?;
    let store = Store::for_worker(url, beside).map_err(bad)?;
    check_database(&store).await?;
    let began_ms = now_ms();
    let lanes = (0..lanes).map(|lane| {
        let name = format!("{}-{began_ms}-{lane}", std::process::id());
        let (queue, keys) = (queue(settings, &name)?, settings.keys()?);
        let worker = Worker::new(settling.clone(), queue, keys, settings.batch_frames_max);
        Ok(turn_until(stop.clone(), worker, Duration::from_secs(settings.drain_seconds)))
    });
    let lanes = lanes.collect::<Result<Vec<_>, Error>>()?;
    let audits = tokio::spawn(tending::audit_for_ever(store.clone()));
    let seals = tokio::spawn(tending::seal_for_ever(store.clone()));
    let months = tokio::spawn(tending::close_months_for_ever(store.clone()));
    let housekeeping = tokio::spawn(tending::keep_house(store));
    futures_util::future::join_all(lanes).await;
    housekeeping.abort();
    audits.abort();
    seals.abort();
    months.abort();
    Ok(())
}

/// One lane of a worker. A turn that has begun is given the time to end; broken off, it would only cost a
/// redelivery.
async fn turn_until(mut stop: watch::Receiver<bool>, mut worker: Worker, drain: Duration) {
    let (mut pause, pulse) = (PAUSE, Pulse::new("worker", SETTLE_SILENCE_MAX));
    while !*stop.borrow() {
        pulse.beat();
        let mut stopping = stop.clone();
        let overdue = async move {
            let _ = stopping.wait_for(|stop| *stop).await;
            tokio::time::sleep(drain).await;
        };
        let turned = tokio::select! {
            turned = worker.turn(BLOCK) => turned,
            () = overdue => break,
        };
        match turned {
            Ok(Turn::Idle | Turn::Settled(_)) => pause = PAUSE,
            Err(error) => {
                tracing::warn!(%error, "cannot settle; trying again");
                let _ = tokio::time::timeout(pause, stop.wait_for(|stop| *stop)).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }
}

/// The admin API and the portal, on one listener.
pub async fn admin(
    settings: &Settings,
    listener: TcpListener,
    stop: watch::Receiver<bool>,
) -> Result<(), Error> {
    admin_of(settings, api_store(settings)?, listener, stop).await
}

/// The same on a store of the caller's.
pub async fn admin_of(
    settings: &Settings,
    store: Store,
    listener: TcpListener,
    stop: watch::Receiver<bool>,
) -> Result<(), Error> {
    let door = door::door(settings, Listener::Admin)?;
    check_database(&store).await?;
    let operator_key_hash = settings.admin_key.as_ref().map(|key| sign::digest(key.as_bytes()));
    let public_base = settings.public_base().to_owned();
    let admin_base = settings.admin_base().to_owned();
    let body_timeout = Duration::from_secs(settings.body_timeout_seconds);
    let rates = &settings.rates;
    let junk_address = Arc::new(Budget::new("junk_address", rates.junk_address_per_second));
    let portal = Portal {
        store: store.clone(),
        public_base: public_base.clone(),
        admin_base: admin_base.clone(),
        operator_key_hash,
        body_timeout,
        junk_address: junk_address.clone(),
    };
    let walls = Walls::new(rates.api_key_per_second, junk_address);
    let uploads =
        Uploads { bytes_max: rates.uploads.upload_bytes_max, timeout: rates.uploads.timeout() };
    let admin =
        Admin { store, public_base, admin_base, operator_key_hash, walls, body_timeout, uploads };
    let rooms = Arc::new(Rooms { admin, portal });
    let swept = rooms.clone();
    let sweeping = tokio::spawn(door::sweep_for_ever(move || swept.admin.walls.sweep()));
    let trusted = settings.listeners.trusted_proxies.clone();
    let patience = Duration::from_secs(settings.request_timeout_seconds);
    let answer = move |mut request: Request<Incoming>, peer: Peer| {
        let client = Client::of(&request, &peer, &trusted);
        request.extensions_mut().insert(client);
        rooms.clone().answer(request, patience)
    };
    http::serve(listener, door, stop, answer).await;
    sweeping.abort();
    Ok(())
}

/// What is served on the admin listener.
struct Rooms {
    admin: Admin,
    portal: Portal,
}

impl Rooms {
    async fn answer(self: Arc<Self>, request: Request<Incoming>, patience: Duration) -> Reply {
        let (began, method) = (Instant::now(), telemetry::method(request.method().as_str()));
        let is_api = admin::serves(request.uri().path());
        let route = if is_api { admin::template_of(request.uri().path()) } else { "portal" };
        let patience = if is_api { self.admin.patience(&request, patience) } else { patience };
        let answering = async {
            if is_api {
                admin::answer(&self.admin, request).await
            } else {
                portal::answer(&self.portal, request).await
            }
        };
        let reply = tokio::time::timeout(patience, answering).await.unwrap_or_else(|_| {
            tracing::warn!(route, "a request was not answered in time");
            if is_api { http::too_late() } else { portal::too_late(&self.portal) }
        });
        telemetry::request(route, method, reply.status().as_u16(), began.elapsed());
        reply
    }
}

/// The clock, for what is not about a hit.
pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// Decides stored hits again; each difference is told as it is found, or once it is booked.
pub async fn replay(asked: &config::Replay, tell: impl FnMut(String)) -> Result<Report, Error> {
    let (from_ms, to_ms) = (asked.from.as_millisecond(), asked.to.as_millisecond());
    if from_ms >= to_ms {
        return Err(BadSetting("to", "must be later than --from".to_owned()).into());
    }
    let (settings, outcome) = (&asked.settings, asked.outcome);
    let (store, keys) = (store(settings)?, settings.keys()?);
    migrate::check(&store).await?;
    let selection = Selection { from_ms, to_ms, program_id: asked.program, outcome };
    Ok(Replay::new(store, keys, selection, asked.apply).run(tell).await?)
}
