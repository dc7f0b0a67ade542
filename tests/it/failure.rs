//! What happens when something is away: the edge answers all the same, and everything is in the books
//! afterwards, once.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tributary::config::Settings;
use tributary::roles;
use tributary::worker::{Turn, Worker};

use crate::harness::{App, Seed, http, temp_dir};

/// Nothing listens there.
const NOWHERE_DATABASE: &str = "postgres://nobody@127.0.0.1:1/nothing";
const NOWHERE_REDIS: &str = "redis://127.0.0.1:1";

/// An edge of its own beside the app's, until it is stopped.
pub struct Edge {
    pub url: String,
    stop: watch::Sender<bool>,
    running: std::thread::JoinHandle<()>,
}

impl Edge {
    pub async fn start(settings: Settings) -> Edge {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let listener = listener.into_std().unwrap();
        let (stop, stopped) = watch::channel(false);
        let journal = roles::journal(&settings).unwrap();
        let running = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                roles::edge(&settings, journal, listener, stopped).await.unwrap();
            });
        });
        Edge { url, stop, running }
    }

    pub async fn stop(self) {
        self.stop.send_replace(true);
        tokio::task::spawn_blocking(|| self.running.join()).await.unwrap().unwrap();
    }
}

/// The app's settings for a second edge, whose journal begins with the catalog that the first one kept.
pub fn beside(app: &App, dir: &Path) -> Settings {
    std::fs::create_dir_all(dir).unwrap();
    std::fs::copy(app.settings.journal_dir.join("catalog.json"), dir.join("catalog.json")).unwrap();
    Settings { journal_dir: dir.to_owned(), edge_number: 5, ..app.settings.clone() }
}

/// Sales by pixel, fifty at a time; all must be answered with the image.
pub async fn sell(edge_url: &str, seed: &Seed, orders: std::ops::Range<u32>) {
    for first in orders.clone().step_by(50) {
        let batch = (first..orders.end.min(first + 50)).map(async |n| {
            let url = format!("{edge_url}/t/{}.gif?amount=1&id={n}", seed.code);
            let answer = http("GET", &url, &[], b"").await;
            assert_eq!(
                (answer.status, answer.header("tributary-outcome")),
                (200, Some("accepted"))
            );
        });
        futures_util::future::join_all(batch).await;
    }
}

async fn conversions(app: &App) -> i64 {
    app.rows("select count(*) from conversions").await[0].get(0)
}

/// Turns a worker until the books have so many conversions.
pub async fn settle_until(app: &App, wanted: i64) {
    let (url, stream) = (app.settings.redis().unwrap(), &app.settings.redis_stream);
    let queue = tributary::queue::Queue::new(url, stream, "afterwards").unwrap();
    let mut worker = Worker::new(app.store.clone(), queue, app.token_keys.clone(), 256);
    let began = Instant::now();
    while conversions(app).await < wanted {
        worker.turn(Duration::from_millis(20)).await.unwrap();
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "only {} conversions",
            conversions(app).await
        );
    }
    while worker.turn(Duration::from_millis(20)).await.unwrap() != Turn::Idle {}
    assert_eq!(conversions(app).await, wanted);
    for (invariant, rows) in roles::audit(&app.store).await.unwrap() {
        assert_eq!(rows, 0, "{invariant}");
    }
}

#[tokio::test]
async fn an_edge_starts_and_serves_without_postgres_and_redis() {
    let app = App::start().await;
    let seed = app.seed().await;
    let dir = temp_dir("away");
    let settings = beside(&app, &dir);
    let away = Settings {
        database_url: Some(NOWHERE_DATABASE.to_owned()),
        redis_url: Some(NOWHERE_REDIS.to_owned()),
        ..settings.clone()
    };
    let edge = Edge::start(away).await;
    sell(&edge.url, &seed, 0..1_000).await;
    let click = http("GET", &format!("{}/c/{}", edge.url, seed.link_code), &[], b"").await;
    assert!(click.status == 302 && click.header("set-cookie").is_some());
    edge.stop().await;
    assert_eq!(conversions(&app).await, 0);

    let edge = Edge::start(settings).await;
    settle_until(&app, 1_000).await;
    edge.stop().await;
    let _ = std::fs::remove_dir_all(dir);
}

#[tokio::test]
async fn what_redis_lost_is_sent_again() {
    let app = App::start().await;
    let seed = app.seed().await;
    let client = redis::Client::open(app.settings.redis().unwrap()).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    for (round, loss) in ["DEL", "XGROUP DESTROY", "DEL"].iter().enumerate() {
        let first = round as u32 * 100;
        sell(&app.edge_url, &seed, first..first + 100).await;
        // Give the forwarder the time to send them into the void.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let stream = &app.settings.redis_stream;
        let mut words = loss.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        command.arg(words.collect::<Vec<_>>()).arg(stream);
        if loss.starts_with("XGROUP") {
            command.arg("workers");
        }
        let _: i64 = command.query_async(&mut redis).await.unwrap();
        settle_until(&app, i64::from(first) + 100).await;
    }
}

#[tokio::test]
async fn garbage_in_the_stream_is_passed_over() {
    let app = App::start().await;
    let seed = app.seed().await;
    let client = redis::Client::open(app.settings.redis().unwrap()).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    for value in [&b"nonsense"[..], b"", b"TRF1\xff\xff\xff\xff"] {
        let mut add = redis::cmd("XADD");
        add.arg(&app.settings.redis_stream).arg("*").arg("f").arg(value);
        let _: String = add.query_async(&mut redis).await.unwrap();
    }
    sell(&app.edge_url, &seed, 0..10).await;
    settle_until(&app, 10).await;
}
