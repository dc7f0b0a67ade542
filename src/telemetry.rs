//! Every metric and what it means, and the logs. All names begin with `tributary_`; labels come from
//! closed sets, never from what strangers send. docs/OPERATING.md lists them, a test compares.

use std::sync::{LazyLock, PoisonError, RwLock};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::domain::hit::Kind;
use crate::domain::reason::Outcome;

/// Name and meaning of every metric.
pub const METRICS: &[(&str, &str)] = &[
    ("tributary_hits_received_total", "hits made durable by this edge, by kind"),
    (
        "tributary_hits_refused_total",
        "hits answered 503 because they could not be made durable, by cause",
    ),
    (
        "tributary_rate_limited_total",
        "requests answered 429, or, clicks, landed and not counted, by the budget that was spent",
    ),
    (
        "tributary_connections_refused_total",
        "connections closed before a request was read, by listener and reason",
    ),
    (
        "tributary_tls_reloads_total",
        "certificates read again after a change, by listener and result",
    ),
    (
        "tributary_tls_not_after_seconds",
        "when the certificate in use ends, in seconds since 1970, by listener",
    ),
    ("tributary_hits_settled_total", "hits settled by this worker, by outcome"),
    ("tributary_journal_frames", "frames in this edge's journal"),
    ("tributary_journal_bytes", "bytes of frames in this edge's journal"),
    (
        "tributary_journal_used_ratio",
        "share of this edge's journal quota that is used; from 0.9 only hits that bring a secret are taken, from 0.95 none",
    ),
    (
        "tributary_journal_damaged_files",
        "files of this edge's journal that were found damaged and are kept beside it",
    ),
    ("tributary_queue_lag_hits", "hits of this edge that PostgreSQL has not committed yet"),
    ("tributary_queue_frames", "frames in the stream that no worker has acknowledged"),
    ("tributary_queue_bytes", "bytes that the stream takes in Redis, as this edge measured them"),
    ("tributary_queue_errors_total", "failed Redis operations, by operation"),
    ("tributary_settle_duration_seconds", "time to settle one batch of frames, claim to commit"),
    ("tributary_settle_batch_hits", "hits settled in one batch"),
    ("tributary_settle_errors_total", "batches that failed and were done again, by cause"),
    ("tributary_commissions_released_total", "commissions whose hold period passed"),
    (
        "tributary_http_request_duration_seconds",
        "time to answer a request, by route, method and status",
    ),
    (
        "tributary_loop_silence_seconds",
        "time since a loop of this process last went around, by loop",
    ),
    ("tributary_catalog_version", "version of the catalog in use"),
    ("tributary_catalog_errors_total", "failed attempts to read the catalog"),
    ("tributary_audit_violations", "rows that break an invariant of the books; 0 when all is well"),
    (
        "tributary_audited_at_seconds",
        "when this worker last audited the books, in seconds since 1970",
    ),
    (
        "tributary_csp_reports_total",
        "reports of browsers that a page of the portal broke its policy",
    ),
    (
        "tributary_months_closed_total",
        "affiliates' months that this worker closed, or closed again",
    ),
    (
        "tributary_months_unclosable",
        "affiliates' months that are due and could not be closed, as this worker found last; 0 when all is well",
    ),
    (
        "tributary_seal_lag_seconds",
        "age of the oldest transfer that no seal covers; 0 when there is none",
    ),
    ("tributary_build_info", "1, with the version"),
];

/// Times that matter from a pixel to a slow report, in seconds.
const SECONDS: [f64; 12] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Hits of one batch.
const HITS: [f64; 8] = [1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0];

/// Installs the recorder; the handle renders `/metrics`.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_hits".to_owned()), &HITS)?
        .install_recorder()?;
    for (name, meaning) in METRICS {
        match name {
            name if name.ends_with("_total") => metrics::describe_counter!(*name, *meaning),
            name if name.ends_with("_duration_seconds") || name.ends_with("_batch_hits") => {
                metrics::describe_histogram!(*name, *meaning);
            }
            _ => metrics::describe_gauge!(*name, *meaning),
        }
    }
    gauge!("tributary_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    gauge!("tributary_audit_violations").set(0.0);
    for kind in Kind::ALL {
        received(kind).absolute(0);
    }
    for outcome in Outcome::ALL {
        settled(outcome).absolute(0);
    }
    // An increase is only seen from a value on.
    for cause in ["journal_full", "journal_failed", "journal_closed"] {
        refused(cause).absolute(0);
    }
    for budget in [
        "junk_address",
        "junk",
        "claimed_address",
        "unsigned_address",
        "unsigned_code",
        "signed_address",
        "signed_code",
        "verified_code",
        "api_key",
    ] {
        rate_limited(budget).absolute(0);
    }
    for operation in ["forward", "look", "measure", "read", "reclaim", "ack", "depth", "sweep"] {
        queue_error(operation).absolute(0);
    }
    for cause in ["retry", "fault"] {
        settle_error(cause).absolute(0);
    }
    counter!("tributary_catalog_errors_total").absolute(0);
    counter!("tributary_csp_reports_total").absolute(0);
    Ok(handle)
}

/// Reads a log filter.
pub fn filter(text: &str) -> Result<EnvFilter, String> {
    EnvFilter::try_new(text).map_err(|e| e.to_string())
}

/// JSON lines on standard error, filtered as the setting says.
pub fn log(filter: &str) -> Result<(), String> {
    let subscriber = tracing_subscriber::fmt().with_writer(std::io::stderr).json();
    let subscriber = subscriber.flatten_event(true).with_env_filter(self::filter(filter)?);
    subscriber.try_init().map_err(|e| e.to_string())
}

/// A request's method as a label: the usual ones, and `other`.
pub fn method(name: &str) -> &'static str {
    let usual = ["GET", "HEAD", "POST", "PATCH", "DELETE"];
    usual.into_iter().find(|usual| *usual == name).unwrap_or("other")
}

/// `tributary_hits_received_total`
pub fn received(kind: Kind) -> &'static Counter {
    static COUNTERS: LazyLock<[Counter; 5]> = LazyLock::new(|| {
        Kind::ALL.map(|kind| counter!("tributary_hits_received_total", "kind" => kind.code()))
    });
    &COUNTERS[kind as usize]
}

/// `tributary_hits_refused_total`
pub fn refused(cause: &'static str) -> Counter {
    counter!("tributary_hits_refused_total", "cause" => cause)
}

/// `tributary_rate_limited_total`; the budgets are named where they are made.
pub fn rate_limited(budget: &'static str) -> Counter {
    counter!("tributary_rate_limited_total", "budget" => budget)
}

/// `tributary_connections_refused_total`
pub fn connection_refused(listener: &'static str, reason: &'static str) -> Counter {
    counter!("tributary_connections_refused_total", "listener" => listener, "reason" => reason)
}

/// `tributary_tls_reloads_total`
pub fn tls_reloaded(listener: &'static str, result: &'static str) -> Counter {
    counter!("tributary_tls_reloads_total", "listener" => listener, "result" => result)
}

/// `tributary_tls_not_after_seconds`
pub fn tls_not_after(listener: &'static str, seconds: u64) {
    gauge!("tributary_tls_not_after_seconds", "listener" => listener).set(seconds as f64);
}

/// `tributary_hits_settled_total`
pub fn settled(outcome: Outcome) -> Counter {
    counter!("tributary_hits_settled_total", "outcome" => outcome.code())
}

/// `tributary_http_request_duration_seconds`; route is a template of ours, method one of the usual.
pub fn request(route: &'static str, method: &'static str, status: u16, took: Duration) {
    type Known = Vec<((&'static str, &'static str, u16), Histogram)>;
    // Looking a metric up by its labels costs more than recording it, and so does hashing: what is asked
    // for most comes first, as a rule.
    static KNOWN: RwLock<Known> = RwLock::new(Vec::new());
    let key = (route, method, status);
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, histogram)) = known.iter().find(|(known, _)| *known == key) {
        return histogram.record(took.as_secs_f64());
    }
    drop(known);
    let made = histogram!("tributary_http_request_duration_seconds",
        "route" => route, "method" => method, "status" => status.to_string());
    made.record(took.as_secs_f64());
    KNOWN.write().unwrap_or_else(PoisonError::into_inner).push((key, made));
}

/// `tributary_journal_frames`, `tributary_journal_bytes`, `tributary_queue_lag_hits`
pub fn journal(frames: u64, bytes: u64, lag_hits: i64) {
    gauge!("tributary_journal_frames").set(frames as f64);
    gauge!("tributary_journal_bytes").set(bytes as f64);
    gauge!("tributary_queue_lag_hits").set(lag_hits as f64);
}

/// `tributary_journal_used_ratio`
#[allow(clippy::float_arithmetic)] // A ratio, not money.
pub fn journal_used(percent: u64) {
    gauge!("tributary_journal_used_ratio").set(percent as f64 * 0.01);
}

/// `tributary_journal_damaged_files`
pub fn damaged(files: usize) {
    gauge!("tributary_journal_damaged_files").set(files as f64);
}

/// `tributary_queue_frames`
pub fn queue_frames() -> Gauge {
    gauge!("tributary_queue_frames")
}

/// `tributary_queue_bytes`
pub fn queue_bytes(bytes: u64) {
    gauge!("tributary_queue_bytes").set(bytes as f64);
}

/// `tributary_loop_silence_seconds`
pub fn silence(name: &'static str, silent: Duration) {
    gauge!("tributary_loop_silence_seconds", "loop" => name).set(silent.as_secs_f64());
}

/// `tributary_queue_errors_total`
pub fn queue_error(operation: &'static str) -> Counter {
    counter!("tributary_queue_errors_total", "operation" => operation)
}

/// `tributary_settle_duration_seconds`, `tributary_settle_batch_hits`
pub fn batch(took: Duration, hits: usize) {
    histogram!("tributary_settle_duration_seconds").record(took.as_secs_f64());
    histogram!("tributary_settle_batch_hits").record(hits as f64);
}

/// `tributary_settle_errors_total`
pub fn settle_error(cause: &'static str) -> Counter {
    counter!("tributary_settle_errors_total", "cause" => cause)
}

/// `tributary_commissions_released_total`
pub fn released(count: u64) {
    counter!("tributary_commissions_released_total").increment(count);
}

/// `tributary_catalog_version`
pub fn catalog_version(version: i64) {
    gauge!("tributary_catalog_version").set(version as f64);
}

/// `tributary_catalog_errors_total`
pub fn catalog_error() {
    counter!("tributary_catalog_errors_total").increment(1);
}

/// `tributary_csp_reports_total`
pub fn csp_report() {
    counter!("tributary_csp_reports_total").increment(1);
}

/// `tributary_audit_violations`, `tributary_audited_at_seconds`
#[allow(clippy::float_arithmetic)] // A moment, not money.
pub fn audited(violations: usize, now_ms: i64) {
    gauge!("tributary_audit_violations").set(violations as f64);
    gauge!("tributary_audited_at_seconds").set(now_ms as f64 * 0.001);
}

/// `tributary_months_closed_total` and `tributary_months_unclosable`
pub fn months(closed: usize, failed: usize) {
    counter!("tributary_months_closed_total").increment(closed as u64);
    gauge!("tributary_months_unclosable").set(failed as f64);
}

/// `tributary_seal_lag_seconds`
#[allow(clippy::float_arithmetic)] // An age, not money.
pub fn seal_lag(ms: i64) {
    gauge!("tributary_seal_lag_seconds").set(ms as f64 * 0.001);
}
