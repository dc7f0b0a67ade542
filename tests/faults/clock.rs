//! The clock of edge and worker jumps an hour ahead, and back, and an hour behind (libfaketime).

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::books;
use crate::installation::{Installation, Wanted};
use crate::load::{Load, Told};
use crate::rounds;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clock_may_jump() {
    let name = format!("tributary-faults-clock-{}", std::process::id());
    let clock = Clock(std::env::temp_dir().join(name));
    clock.set("+0");
    let wanted = Wanted {
        edge_environment: clock.environment(),
        worker_environment: clock.environment(),
        ..Wanted::default()
    };
    let mut all = Installation::start(wanted).await;
    let load = Load::start(&all, 8, Duration::from_millis(10)).await;
    for _ in 0..rounds(1, 10) {
        for offset in ["+0", "+1h", "+0", "-1h", "+1h", "-1h"] {
            clock.set(offset);
            tokio::time::sleep(Duration::from_secs(1)).await;
            // An edge that starts with a clock behind its own ids.
            if offset == "-1h" {
                all.edge.kill();
                all.edge.revive();
            }
            let (before, began) = (load.told(Told::Ok), Instant::now());
            while load.told(Told::Ok) < before + 100 {
                assert!(began.elapsed() < Duration::from_secs(30), "no answers at {offset}");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
    clock.set("+0");
    let log = load.end().await;
    // Everything is credited: the click was within the window, however the clock stood.
    let tally = books::check(&mut all, &log).await;
    let ahead = all.count(&hits("received_at > now() + interval '30 minutes'")).await;
    let behind = all.count(&hits("received_at < now() - interval '30 minutes'")).await;
    println!("{tally:?}; {ahead} hits of an hour ahead, {behind} of an hour behind");
    assert!(ahead > 100 && behind > 100, "the clock did not jump");
    // An id that is given twice would be a dead letter.
    assert_eq!(all.count("select count(*) from dead_letters").await, 0);
    let ids = "select id, lag(id) over (partition by edge_id order by seq) as before from hits";
    let back = format!("select count(*) from ({ids}) h where id <= before");
    assert_eq!(all.count(&back).await, 0, "ids rise with the order of arrival");
    assert_eq!(tally.failed, 0);
}

fn hits(of: &str) -> String {
    format!("select count(*) from hits where {of}")
}

/// How far the clock of some processes is off, in a file.
struct Clock(PathBuf);

impl Clock {
    fn set(&self, offset: &str) {
        // Moved into its place: a reader sees it whole.
        let new = self.0.with_extension("new");
        std::fs::write(&new, offset).unwrap();
        std::fs::rename(&new, &self.0).unwrap();
    }

    /// What makes a process read the file whenever it reads the clock. Timers run on as they did.
    fn environment(&self) -> Vec<(String, String)> {
        let file = self.0.display().to_string();
        [
            ("LD_PRELOAD", library().display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", file),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Where Debian has it.
fn library() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().flatten().map(|entry| entry.path());
    let mut paths = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1"));
    let found = paths.find(|path: &PathBuf| Path::exists(path));
    found.expect("the package libfaketime, which deploy/install.sh installs")
}
