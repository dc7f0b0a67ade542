//! Power cuts under load: journal, Redis and PostgreSQL are on one disk that stops at an instant, all
//! processes end, and all are started again on what that disk has.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use crate::installation::{Installation, Wanted};
use crate::load::{Load, Told};
use crate::mounts::Mount;
use crate::role::signal;
use crate::{Dice, books, rounds};

const DISK_BYTES: u64 = 4 << 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_loses_nothing_that_was_answered() {
    let Some(mut disk) = Mount::ext4(DISK_BYTES) else { return };
    let data_dir = disk.path().join("data");
    let wanted = Wanted { data_dir: Some(data_dir.clone()), ..Wanted::default() };
    let mut all = Installation::start(wanted).await;
    let (cuts, mut dice) = (rounds(2, 50), Dice(0x0FF0_0FF0));
    let (mut files_lost, mut entries_lost, mut unreadable) = (0, 0, 0);
    // The shops go on: they do not know of the cut.
    let load = Load::start(&all, 8, Duration::from_millis(10)).await;
    for place in ["postgres/data/PG_VERSION", "redis/appendonlydir", "journal"] {
        assert!(data_dir.join(place).exists(), "{place} is on the disk");
    }
    for cut in 0..cuts {
        tokio::time::sleep(Duration::from_millis(1500 + dice.roll(1500))).await;
        let told = load.told(Told::Ok);
        let (synced, unsynced) = (disk.path().join("synced"), disk.path().join("unsynced"));
        write(&synced, cut).sync_all().unwrap();
        let entries = entries_added(&all);
        write(&unsynced, cut);
        disk.cut_power();
        kill_all(&mut all);
        disk.restore_power();
        assert_eq!(std::fs::read_to_string(&synced).unwrap(), cut.to_string(), "it was synced");
        files_lost += usize::from(holds(&unsynced) != Some(cut));
        unreadable += start_redis(&mut all, &data_dir, cut).await;
        all.revive().await;
        entries_lost += (entries - entries_added(&all)).max(0);
        assert!(told > 0 && load.told(Told::Ok) >= told);
    }
    all.cookie().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let log = load.end().await;
    let tally = books::check(&mut all, &log).await;
    println!(
        "{cuts} power cuts, of which {files_lost} took a file that was not synced; Redis lost \
         {entries_lost} entries, and could not read its log after {unreadable}: {tally:?}"
    );
    assert!(files_lost > 0, "the cut takes nothing: it proves nothing");
    assert!(tally.ok > 100 * cuts, "{tally:?}");
    all.servers.stop().await;
}

fn write(path: &Path, cut: usize) -> std::fs::File {
    let mut file = std::fs::File::create(path).unwrap();
    write!(file, "{cut}").unwrap();
    file
}

fn holds(path: &Path) -> Option<usize> {
    std::fs::read_to_string(path).ok()?.parse().ok()
}

/// A cut may leave zeroes in Redis's log, and it does not start then. As OPERATING says: with what is whole of
/// it, or without it; whether that was so.
async fn start_redis(all: &mut Installation, data_dir: &Path, cut: usize) -> usize {
    let Err(error) = all.servers.revive().await else { return 0 };
    assert!(error.contains("Bad file format reading the append only file"), "{error}");
    let log = data_dir.join("redis/appendonlydir");
    if cut.is_multiple_of(2) {
        let repair = format!(
            "yes | redis-check-aof --fix {}",
            log.join("appendonly.aof.manifest").display()
        );
        let repaired = std::process::Command::new("sh").args(["-c", &repair]).output().unwrap();
        assert!(repaired.status.success(), "{repaired:?}");
    } else {
        std::fs::remove_dir_all(log).unwrap();
    }
    1
}

/// How many entries the stream has ever had.
fn entries_added(all: &Installation) -> i64 {
    let told = all.redis(&["XINFO", "STREAM", "tributary:hits"]);
    let mut lines = told.lines().skip_while(|line| *line != "entries-added");
    lines.nth(1).and_then(|count| count.parse().ok()).unwrap_or(0)
}

fn kill_all(all: &mut Installation) {
    let [postgres, redis] = all.servers.pids();
    let children = std::fs::read_to_string(format!("/proc/{postgres}/task/{postgres}/children"));
    all.edge.kill();
    all.worker.kill();
    signal(redis, "KILL");
    signal(postgres, "KILL");
    for child in children.unwrap().split_whitespace() {
        // What has noticed the end of its server may have gone by itself.
        let _ = std::process::Command::new("kill").args(["-KILL", child]).output();
    }
}
