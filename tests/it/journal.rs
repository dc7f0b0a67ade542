//! The journal on a real disk: what was answered is there after any end, damage is noticed, space returns.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tributary::domain::hit::{Hit, Kind, Method, Part};
use tributary::journal::{Appender, Cursor, Journal, Options, Refused};

use crate::harness::temp_dir;

const SEGMENT: u64 = 1 << 20;

fn options(dir: &Path) -> Options {
    Options {
        dir: dir.to_owned(),
        edge_number: 3,
        segment_bytes: SEGMENT,
        bytes_max: 100 * SEGMENT,
        disk_reserve_bytes: 0,
    }
}

struct Dir(PathBuf);

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn dir() -> Dir {
    Dir(temp_dir("journal"))
}

async fn append(journal: &Journal, appender: &Appender, body: &[u8]) -> Result<i64, Refused> {
    append_as(journal, appender, body, false).await
}

async fn append_as(
    journal: &Journal,
    appender: &Appender,
    body: &[u8],
    vouched: bool,
) -> Result<i64, Refused> {
    let id = journal.next_id(1_790_000_000_000);
    let mut hit = Hit::new(id, 1_790_000_000_000, Kind::Form, Method::Post);
    hit.set(Part::Body, body);
    appender.append(&hit, vouched).done().await.map(|()| id)
}

/// The ids of all hits that a journal holds, in order.
fn ids(journal: &Journal) -> Vec<i64> {
    let (mut cursor, mut ids) = (Cursor::default(), Vec::new());
    loop {
        let frames = journal.read(&mut cursor, 7).unwrap();
        if frames.is_empty() {
            return ids;
        }
        for frame in frames {
            let frame = tributary::domain::frame::Frame::read(&frame.bytes).unwrap();
            ids.extend(frame.hits().map(|(_, hit)| hit.unwrap().id));
        }
    }
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries.filter(|p| p.extension().is_some_and(|e| e == "seg")).collect();
    found.sort();
    found
}

#[tokio::test]
async fn what_was_appended_is_there_after_a_restart() {
    let dir = dir();
    let journal = Journal::open(options(&dir.0)).unwrap();
    let (edge_id, appender) = (journal.edge_id(), journal.appender(|_, _| ()));
    let mut sent = Vec::new();
    for body in [&b"one"[..], &[7; 100_000], b"three"] {
        sent.push(append(&journal, &appender, body).await.unwrap());
    }
    assert_eq!(ids(&journal), sent);
    journal.close();
    assert_eq!(append(&journal, &appender, b"late").await, Err(Refused::Closed));
    drop((journal, appender));

    let journal = Journal::open(options(&dir.0)).unwrap();
    assert_eq!(journal.edge_id(), edge_id);
    assert_eq!(ids(&journal), sent);
    assert_eq!(journal.extent().end_seq, 3);
    let next = append(&journal, &journal.appender(|_, _| ()), b"four").await.unwrap();
    assert!(next > sent[2], "ids go on rising");
    assert_eq!(ids(&journal).len(), 4);
    journal.close();
}

#[tokio::test]
async fn hits_at_once_share_frames_and_span_segments() {
    let dir = dir();
    let journal = Journal::open(options(&dir.0)).unwrap();
    let appender = journal.appender(|_, _| ());
    let body = [b'x'; 3_000];
    let many = (0..2_000).map(|_| append(&journal, &appender, &body));
    let sent = futures_util::future::join_all(many).await;
    let mut sent: Vec<i64> = sent.into_iter().map(Result::unwrap).collect();
    sent.sort_unstable();
    let mut kept = ids(&journal);
    kept.sort_unstable();
    assert_eq!(kept, sent);
    let extent = journal.extent();
    assert!(extent.frames < 1_000, "{} frames for 2000 hits", extent.frames);
    let largest = journal.read(&mut Cursor::default(), usize::MAX).unwrap();
    assert!(largest.iter().all(|frame| frame.bytes.len() < 512 << 10), "frames are bounded");
    assert!(segments(&dir.0).len() >= 5);

    // From the middle on: the frame that holds the hit, and all behind it.
    let frames = journal.read(&mut Cursor::at(1_000), usize::MAX).unwrap();
    assert!(
        frames[0].first_seq <= 1_000 && 1_000 < frames[0].first_seq + i64::from(frames[0].count)
    );

    // What PostgreSQL has is let go of, and the files are used again.
    journal.release(1_000).unwrap();
    assert!(journal.extent().first_seq > 0 && journal.extent().first_seq <= 1_000);
    journal.release(2_000).unwrap();
    assert_eq!(segments(&dir.0).len(), 1);
    for _ in 0..600 {
        append(&journal, &appender, &body).await.unwrap();
    }
    assert!(ids(&journal).len() >= 600);
    journal.close();
    drop((journal, appender));
    let journal = Journal::open(options(&dir.0)).unwrap();
    assert_eq!(journal.extent().end_seq, 2_600, "a file that was used before holds no old frames");
    journal.close();
}

/// A journal of four frames of one hit each: the file's bytes, where each frame ends, and the hits' ids.
async fn four_frames(dir: &Path) -> (PathBuf, Vec<u8>, Vec<usize>, Vec<i64>) {
    let journal = Journal::open(options(dir)).unwrap();
    let appender = journal.appender(|_, _| ());
    let (mut ends, mut sent) = (vec![0], Vec::new());
    for n in 0..4 {
        sent.push(append(&journal, &appender, &[n + 1; 50]).await.unwrap());
        ends.push(journal.extent().bytes as usize);
    }
    journal.close();
    drop((journal, appender));
    let file = segments(dir).remove(0);
    let bytes = std::fs::read(&file).unwrap();
    (file, bytes, ends, sent)
}

/// Opens a journal whose only segment has these bytes; the ids it kept, and the next sequence number.
fn reopen(dir: &Path, file: &Path, bytes: &[u8]) -> (Vec<i64>, i64) {
    for old in segments(dir) {
        std::fs::remove_file(old).unwrap();
    }
    std::fs::write(file, bytes).unwrap();
    let journal = Journal::open(options(dir)).unwrap();
    let found = (ids(&journal), journal.extent().end_seq);
    journal.close();
    found
}

#[tokio::test]
async fn a_torn_tail_is_cut_and_whole_frames_before_it_are_kept() {
    let dir = dir();
    let (file, whole, ends, sent) = four_frames(&dir.0).await;
    for cut in (0..=ends[4]).filter(|cut| cut % 7 == 0 || ends.contains(cut)) {
        // A power cut in the middle of a write: zeroes from here on.
        let mut torn = whole.clone();
        torn[cut..].fill(0);
        let (kept, end_seq) = reopen(&dir.0, &file, &torn);
        let good = ends.iter().rposition(|end| *end <= cut).unwrap();
        assert_eq!(kept, sent[..good], "cut at {cut}");
        let clean = ends.contains(&cut);
        assert_eq!(
            end_seq > good as i64,
            !clean,
            "cut at {cut}: no sequence number is given twice"
        );
    }
}

#[tokio::test]
async fn damage_is_noticed_and_what_is_whole_behind_it_is_kept() {
    let dir = dir();
    let (file, whole, ends, sent) = four_frames(&dir.0).await;
    for at in (0..ends[4]).step_by(7) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x40;
        let (kept, end_seq) = reopen(&dir.0, &file, &damaged);
        let hurt = ends.iter().rposition(|end| *end <= at).unwrap();
        let others: Vec<i64> =
            sent.iter().enumerate().filter(|(n, _)| *n != hurt).map(|(_, id)| *id).collect();
        assert_eq!(kept, others, "byte {at}");
        assert!(if hurt < 3 { end_seq == 4 } else { end_seq >= 4 }, "byte {at}: {end_seq}");
        assert!(
            dir.0.read_dir().unwrap().any(|e| e
                .unwrap()
                .path()
                .extension()
                .is_some_and(|e| e == "damaged"))
        );
    }
}

#[tokio::test]
async fn a_file_that_is_cut_short_is_noticed_wherever_it_was_cut() {
    let dir = dir();
    let (file, whole, ends, sent) = four_frames(&dir.0).await;
    for cut in (0..ends[4] + 3).filter(|cut| cut % 7 == 0 || ends.contains(cut)) {
        let (kept, end_seq) = reopen(&dir.0, &file, &whole[..cut]);
        let good = ends.iter().rposition(|end| *end <= cut).unwrap();
        assert_eq!(kept, sent[..good], "cut at {cut}");
        assert!(end_seq >= 4, "cut at {cut}: {end_seq} of 4 are accounted for");
    }
    // Of the zeroes behind the last frame, as many as a header has tell that nothing is missing.
    let (kept, end_seq) = reopen(&dir.0, &file, &whole[..ends[4] + 100]);
    assert_eq!((kept, end_seq), (sent, 4));
}

#[tokio::test]
async fn a_page_of_zeroes_does_not_hide_what_is_behind_it() {
    let dir = dir();
    let (file, whole, ends, sent) = four_frames(&dir.0).await;
    let mut hole = whole.clone();
    hole[ends[1]..ends[2]].fill(0);
    let (kept, end_seq) = reopen(&dir.0, &file, &hole);
    assert_eq!((kept, end_seq), (vec![sent[0], sent[2], sent[3]], 4));
}

#[tokio::test]
async fn the_last_frame_is_counted_by_its_hits_though_its_header_lies() {
    let dir = dir();
    let journal = Journal::open(options(&dir.0)).unwrap();
    let appender = journal.appender(|_, _| ());
    let many = (0..50).map(|_| append(&journal, &appender, &[b'x'; 90]));
    futures_util::future::join_all(many).await;
    journal.close();
    drop((journal, appender));
    let file = segments(&dir.0).remove(0);
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.windows(4).rposition(|word| word == b"TRF1").unwrap();
    bytes[last + 28..last + 32].copy_from_slice(&1_u32.to_le_bytes());
    let (_, end_seq) = reopen(&dir.0, &file, &bytes);
    assert_eq!(end_seq, 50, "all its hits are accounted for");
}

#[tokio::test]
async fn a_segment_that_is_gone_is_a_gap_and_a_journal_that_is_gone_is_another() {
    let dir = dir();
    let journal = Journal::open(options(&dir.0)).unwrap();
    let (edge_id, appender) = (journal.edge_id(), journal.appender(|_, _| ()));
    for _ in 0..60 {
        append(&journal, &appender, &[1; 60_000]).await.unwrap();
    }
    journal.close();
    drop((journal, appender));
    let files = segments(&dir.0);
    assert!(files.len() >= 4);
    std::fs::remove_file(&files[1]).unwrap();
    let journal = Journal::open(options(&dir.0)).unwrap();
    assert_eq!((journal.edge_id(), journal.extent().end_seq), (edge_id, 60));
    assert!(ids(&journal).len() < 60);
    journal.close();
    drop(journal);
    for file in segments(&dir.0) {
        std::fs::remove_file(file).unwrap();
    }
    let journal = Journal::open(options(&dir.0)).unwrap();
    assert_ne!(journal.edge_id(), edge_id, "its sequence numbers mean something else");
    journal.close();
}

#[tokio::test]
async fn a_full_journal_refuses_and_serves_again_when_space_returns() {
    let dir = dir();
    let small = Options { bytes_max: 4 * SEGMENT, ..options(&dir.0) };
    let journal = Journal::open(small).unwrap();
    let appender = journal.appender(|_, _| ());
    let mut accepted = 0;
    let refused = loop {
        match append(&journal, &appender, &[1; 60_000]).await {
            Ok(_) => accepted += 1,
            Err(refused) => break refused,
        }
        assert!(accepted < 1_000, "a full journal must refuse");
    };
    assert_eq!(refused, Refused::Full);
    assert!(journal.used_percent() >= 90 && journal.is_writable(), "there is room for signed hits");
    while append_as(&journal, &appender, &[1; 60_000], true).await.is_ok() {
        accepted += 1;
        assert!(accepted < 1_000, "a full journal must refuse");
    }
    assert!(journal.used_percent() >= 95 && !journal.is_writable());
    assert_eq!(ids(&journal).len(), accepted, "what was accepted is kept");
    journal.release(journal.extent().end_seq).unwrap();
    assert!(append(&journal, &appender, b"again").await.is_ok());
    journal.close();
}

#[tokio::test]
async fn a_disk_that_others_fill_is_not_filled_further() {
    let dir = dir();
    // More than any disk has: of what is free nothing is for the journal.
    let options = Options { disk_reserve_bytes: u64::MAX >> 1, ..options(&dir.0) };
    let journal = Journal::open(options).unwrap();
    let appender = journal.appender(|_, _| ());
    let mut accepted = 0;
    while append_as(&journal, &appender, &[1; 60_000], true).await.is_ok() {
        accepted += 1;
    }
    assert!(
        accepted < 100 && accepted > 1 && journal.extent().bytes < SEGMENT,
        "what it has already, it uses"
    );
    assert!(!journal.is_writable());
    journal.close();
}

#[tokio::test]
async fn a_small_disk_is_used_again_and_again() {
    let dir = dir();
    let options = Options { disk_reserve_bytes: u64::MAX >> 1, ..options(&dir.0) };
    let journal = Journal::open(options).unwrap();
    let appender = journal.appender(|_, _| ());
    for _ in 0..5 {
        let mut accepted = 0;
        while append(&journal, &appender, &[1; 60_000]).await.is_ok() {
            accepted += 1;
        }
        assert!((10..100).contains(&accepted), "{accepted}");
        journal.release(journal.extent().end_seq).unwrap();
        assert!(journal.is_writable() && segments(&dir.0).len() == 1);
    }
    journal.close();
}

#[tokio::test]
async fn what_strangers_sent_into_a_file_that_is_used_again_does_not_hold_up_a_start() {
    let dir = dir();
    let journal = Journal::open(options(&dir.0)).unwrap();
    let appender = journal.appender(|_, _| ());
    // Each eight bytes would be a frame of half a mebibyte, were its checksum right.
    let body: Vec<u8> = [*b"TRF1", 0x0008_0000_u32.to_le_bytes()].concat().repeat(7_500);
    for _ in 0..40 {
        append(&journal, &appender, &body).await.unwrap();
    }
    journal.release(journal.extent().end_seq).unwrap();
    while segments(&dir.0).len() < 2 {
        append(&journal, &appender, &[0; 60_000]).await.unwrap();
    }
    let kept = journal.extent();
    journal.close();
    drop((journal, appender));
    let began = Instant::now();
    let journal = Journal::open(options(&dir.0)).unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(
        (journal.extent().first_seq, journal.extent().end_seq),
        (kept.first_seq, kept.end_seq)
    );
    journal.close();
}

#[tokio::test]
async fn a_directory_has_one_writer() {
    let dir = dir();
    let journal = Journal::open(options(&dir.0)).unwrap();
    let second = Journal::open(options(&dir.0)).err().unwrap();
    assert_eq!(second.operation, "lock (does another edge use it?)");
    journal.close();
}

static GONE: AtomicU32 = AtomicU32::new(0);

#[tokio::test]
async fn a_hit_is_counted_though_its_caller_has_gone() {
    let dir = dir();
    let journal = Journal::open(options(&dir.0)).unwrap();
    let appender = journal.appender(|_, kept| {
        assert_eq!(kept, Ok(()));
        GONE.fetch_add(1, Ordering::Relaxed);
    });
    for _ in 0..5 {
        // Polled once, and dropped: the caller hung up.
        let sent = append(&journal, &appender, b"gone");
        let _ = tokio::time::timeout(Duration::ZERO, sent).await;
    }
    let began = Instant::now();
    while GONE.load(Ordering::Relaxed) < 5 {
        assert!(began.elapsed() < Duration::from_secs(20), "not all are counted");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(ids(&journal).len(), 5);
    journal.close();
}
