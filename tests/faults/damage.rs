//! Journal files that are damaged while their edge is stopped. What is whole is settled; what is missing is
//! said in a log, a metric and the books' own list of losses, which holds at least as many.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tributary::domain::frame::Frame;

use crate::installation::{Installation, Wanted, rows};
use crate::load::{Load, Told};
use crate::ops::{metric, until};
use crate::{Dice, books, rounds};

const A_WHILE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_is_told_and_what_is_whole_is_kept() {
    let mut all = Installation::start(Wanted::default()).await;
    let load = Load::start(&all, 8, Duration::from_millis(10)).await;
    let (seeds, mut lost, mut recorded) = (rounds(5, 100) as u64, HashSet::new(), 0);
    for seed in 1..=seeds {
        let mut dice = Dice(seed * 0xDA_3A6E);
        tokio::time::sleep(Duration::from_millis(300 + dice.roll(500))).await;
        // From here on nothing is settled: what is damaged may be in the books or not.
        all.worker.kill();
        tokio::time::sleep(Duration::from_millis(300 + dice.roll(500))).await;
        all.edge.kill();
        let answered = load.answered();
        // As a rule the journal holds the only copy.
        if dice.roll(4) > 0 {
            all.redis(&["FLUSHALL"]);
        }
        let what = damage(&all.journal_dir, seed, &mut dice);
        all.revive().await;
        let missing = see_missing(&all, &load, &answered, &lost).await;
        let said = all.count("select coalesce(sum(hits), 0)::bigint from losses").await - recorded;
        println!("seed {seed}: {what}: {} orders are missing, {said} hits recorded", missing.len());
        assert!(said >= missing.len() as i64, "silent: {}", all.state().await);
        see_it_said(&all).await;
        lost.extend(missing);
        recorded += said;
    }
    let mut log = load.end().await;
    for order in &lost {
        log.insert(order.clone(), Told::Unknown);
    }
    let tally = books::check(&mut all, &log).await;
    println!("{seeds} damages: {} orders missing, {recorded} recorded: {tally:?}", lost.len());
    assert!(tally.ok > 100, "{tally:?}");
}

/// Turns bits of a segment, empties a page of it, or cuts it short: somewhere among its frames.
fn damage(dir: &Path, seed: u64, dice: &mut Dice) -> String {
    let mut segments: Vec<(PathBuf, Vec<u8>, u64)> = files(dir, "seg")
        .into_iter()
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .map(|(path, bytes)| (path, frames_end(&bytes), bytes))
        .filter(|(_, end, _)| *end > 0)
        .map(|(path, end, bytes)| (path, bytes, end as u64))
        .collect();
    let (count, which) = (segments.len(), dice.roll(segments.len() as u64) as usize);
    let (path, mut bytes, end) = segments.swap_remove(which);
    let at = dice.roll(end) as usize;
    let how = match seed % 3 {
        0 => {
            for _ in 0..=dice.roll(4) {
                bytes[dice.roll(end) as usize] ^= 1 << dice.roll(8);
            }
            "bits turned"
        }
        1 => {
            let page = at..(at + 4096).min(end as usize);
            bytes[page].fill(0);
            "a page of zeroes"
        }
        _ => {
            bytes.truncate(at);
            "cut short"
        }
    };
    std::fs::write(&path, bytes).unwrap();
    format!("{how}, in file {which} of {count}, at {at} of {end}")
}

fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let paths = dir.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> =
        paths.filter(|p| p.extension().is_some_and(|e| e == extension)).collect();
    found.sort();
    found
}

fn frames_end(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(frame) = Frame::read(&bytes[at..]) {
        at += frame.bytes.len();
    }
    at
}

/// Of the orders that were answered before the damage, those that are not in the books when later ones are,
/// and were not missing before.
async fn see_missing(
    all: &Installation,
    load: &Load,
    answered: &[String],
    lost: &HashSet<String>,
) -> Vec<String> {
    let before: HashSet<&String> = answered.iter().collect();
    let later = || load.answered().into_iter().find(|order| !before.contains(order));
    until("served again", A_WHILE, async || later().is_some()).await;
    // In the books, and all that came before it: two lanes do not settle in order.
    let sql = format!(
        "select count(*) from conversions c join hits h on h.id = c.id join edges e using (edge_id)
         where c.order_id = '{}' and e.watermark > h.seq",
        later().unwrap()
    );
    until("settled again", A_WHILE, async || all.count(&sql).await == 1).await;
    let rows = rows(&all.servers.database_url, "select order_id from conversions").await;
    let booked: HashSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let is_missing = |order: &&String| !booked.contains(*order) && !lost.contains(*order);
    answered.iter().filter(is_missing).cloned().collect()
}

/// In the log of the edge, and in its metric until somebody has taken the files away.
async fn see_it_said(all: &Installation) {
    let damaged = || files(&all.journal_dir, "damaged");
    let told = async || metric(&all.edge_ops_url, "tributary_journal_damaged_files", "").await;
    assert!(!damaged().is_empty(), "the damaged file is kept");
    assert!(all.edge.logged().contains("the journal is damaged: hits are missing"));
    until("told", A_WHILE, async || told().await == damaged().len() as u64).await;
    for file in damaged() {
        std::fs::remove_file(file).unwrap();
    }
    until("taken away", A_WHILE, async || told().await == 0).await;
}
