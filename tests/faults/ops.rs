//! What an operator sees of a role: its metrics and its readiness.

use std::time::{Duration, Instant};

use tributary::dev::client;

/// The sum of a metric's series whose labels hold `label`; 0 where there is none, or no answer.
pub async fn metric(ops_url: &str, name: &str, label: &str) -> u64 {
    let answer = client::send("GET", &format!("{ops_url}/metrics"), &[], b"").await;
    let text = answer.map(|answer| answer.text()).unwrap_or_default();
    let ours = |line: &&str| {
        let (series, rest) = line.split_at(line.find(['{', ' ']).unwrap_or(line.len()));
        series == name && rest.contains(label)
    };
    let value = |line: &str| line.rsplit(' ').next()?.parse::<f64>().ok();
    text.lines().filter(ours).filter_map(value).map(|value| value as u64).sum()
}

/// Whether a role is ready; none without an answer.
pub async fn is_ready(ops_url: &str) -> Option<bool> {
    let answer = client::send("GET", &format!("{ops_url}/readyz"), &[], b"").await;
    answer.ok().map(|answer| answer.status == 200)
}

/// Waits until something is so; how long that took.
pub async fn until(
    what: &str,
    at_most: Duration,
    mut is_so: impl AsyncFnMut() -> bool,
) -> Duration {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < at_most, "{what}: not after {at_most:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    began.elapsed()
}
