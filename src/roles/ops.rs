//! The ops listener: metrics, liveness, readiness.

use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::{Method, Request, StatusCode};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

use super::{Error, door};
use crate::config::{Listener, Settings};
use crate::http::{self, Reply};
use crate::journal::Journal;
use crate::pulse;
use crate::store::{Store, migrate};
use crate::telemetry;

/// For the database, when it is asked whether it is there.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(3);
/// How often samples of metrics are sorted into their buckets.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// What readiness depends on: a journal for an edge, the database for the others.
#[derive(Clone, Default)]
pub struct Health {
    /// An edge is ready while it can make hits durable.
    pub journal: Option<Journal>,
    /// Worker and admin are ready while the database answers.
    pub store: Option<Store>,
}

/// `/metrics`, `/livez` and `/readyz`, on a listener of their own.
pub async fn ops(
    settings: &Settings,
    health: Health,
    metrics: PrometheusHandle,
    listener: TcpListener,
    stop: watch::Receiver<bool>,
) -> Result<(), Error> {
    let door = door::door(settings, Listener::Ops)?;
    let samples = metrics.clone();
    tokio::spawn(async move {
        // Samples pile up until they are sorted into buckets, whether or not somebody asks for them.
        loop {
            tokio::time::sleep(UPKEEP_EVERY).await;
            samples.run_upkeep();
        }
    });
    let stopping = stop.clone();
    let answer = move |request: Request<Incoming>, _| {
        let (health, metrics, stopping) = (health.clone(), metrics.clone(), stopping.clone());
        async move {
            if ![Method::GET, Method::HEAD].contains(request.method()) {
                let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n");
                reply.headers_mut().insert("allow", HeaderValue::from_static("GET, HEAD"));
                return reply;
            }
            match request.uri().path() {
                "/metrics" => {
                    let mut silences = pulse::silences();
                    // Of loops with one name the longest silence counts: it is told last.
                    silences.sort_by_key(|(_, silent, _)| *silent);
                    for (name, silent, _) in silences {
                        telemetry::silence(name, silent);
                    }
                    metrics.run_upkeep();
                    http::reply(StatusCode::OK, "text/plain; version=0.0.4", metrics.render())
                }
                "/livez" => liveness(),
                "/readyz" if *stopping.borrow() => {
                    text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
                }
                "/readyz" => readiness(&health).await,
                _ => text(StatusCode::NOT_FOUND, "not found\n"),
            }
        }
    };
    http::serve(listener, door, stop, answer).await;
    Ok(())
}

/// Whether every loop of this process goes around.
fn liveness() -> Reply {
    let late: Vec<&str> =
        pulse::silences().into_iter().filter(|(.., late)| *late).map(|(name, ..)| name).collect();
    match late.is_empty() {
        true => text(StatusCode::OK, "ok\n"),
        false => {
            let told = format!("silent for too long: {}\n", late.join(", "));
            http::reply(StatusCode::SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", told)
        }
    }
}

async fn readiness(health: &Health) -> Reply {
    if health.journal.as_ref().is_some_and(|journal| !journal.is_writable()) {
        return text(StatusCode::SERVICE_UNAVAILABLE, "the journal cannot take hits\n");
    }
    if let Some(store) = &health.store
        && !matches!(timeout(DATABASE_TIMEOUT, migrate::check(store)).await, Ok(Ok(())))
    {
        return text(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n");
    }
    text(StatusCode::OK, "ready\n")
}

fn text(status: StatusCode, text: &'static str) -> Reply {
    http::reply(status, "text/plain; charset=utf-8", text)
}
