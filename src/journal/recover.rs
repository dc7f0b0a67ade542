//! What is on disk when the edge starts: the journal's identity, its segments in order, each read back by
//! `scan`, and files to be used again.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use super::scan::{self, Place};
use super::segment::sync_dir;
use super::{Error, Options, Segments, Shared};
use crate::dir_lock::{self, DirLock};
use crate::domain::frame::Frame;
use crate::domain::id::Id;
use crate::failpoint;

/// What a start finds.
pub(super) struct Recovered {
    pub edge_id: i64,
    pub last_id: Id,
    pub end_seq: i64,
    pub segments: Segments,
    pub lock: DirLock,
}

/// Kept beside the segments.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Identity {
    edge_id: i64,
    /// No id below this is given again, wherever the clock went.
    id_floor: Id,
}

/// Reads the journal's directory.
pub(super) fn recover(options: &Options) -> Result<Recovered, Error> {
    let dir = &options.dir;
    std::fs::create_dir_all(dir).map_err(Error::at("create", dir))?;
    let lock = dir_lock::take(dir).map_err(|e| match e.kind() {
        ErrorKind::WouldBlock => Error::at("lock (does another edge use it?)", dir)(e),
        _ => Error::at("lock", dir)(e),
    })?;
    let (files, spare) = files(dir)?;
    let identity = identity(dir, files.first().map(|(_, path)| &**path))?;
    let mut segments = Segments { spare, ..Segments::default() };
    let (mut last_id, mut end_seq) = (identity.id_floor, 0);
    for (at, (first_seq, path)) in files.iter().enumerate() {
        // What is missing between two segments is missing from the first of them.
        let next_first = files.get(at + 1).map(|(first, _)| *first);
        let (path, first_seq, edge_id) = (path.clone(), *first_seq, identity.edge_id);
        let bytes = options.segment_bytes as usize;
        let scanned = scan::scan(&Place { path, edge_id, first_seq, next_first, bytes })?;
        end_seq = scanned.segment.end_seq();
        last_id = last_id.max(scanned.last_id);
        if scanned.segment.frames() == 0 {
            let path = &scanned.segment.path;
            std::fs::remove_file(path).map_err(Error::at("remove", path))?;
            continue;
        }
        segments.frames += scanned.segment.frames();
        segments.list.push_back(Arc::new(scanned.segment));
    }
    failpoint::pass("journal.recovered");
    Ok(Recovered { edge_id: identity.edge_id, last_id, end_seq, segments, lock })
}

/// The journal's own id, made at its first start. A journal whose segments were taken away is another
/// journal: nobody knows which sequence numbers it had used.
fn identity(dir: &Path, first_segment: Option<&Path>) -> Result<Identity, Error> {
    let path = dir.join("identity.json");
    let known: Option<Identity> = match std::fs::read(&path) {
        Ok(bytes) => {
            Some(serde_json::from_slice(&bytes).map_err(|e| Error::at("read", &path)(e.into()))?)
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
        Err(e) => return Err(Error::at("read", &path)(e)),
    };
    if let (Some(segment), None) = (first_segment, &known) {
        // Only the file that names the journal is gone; its frames name it too.
        let bytes = std::fs::read(segment).map_err(Error::at("read", segment))?;
        if let Some(frame) = Frame::read(&bytes) {
            let identity = Identity { edge_id: frame.edge_id, id_floor: 0 };
            save(dir, &identity)?;
            return Ok(identity);
        }
    }
    if let (Some(_), Some(identity)) = (first_segment, &known) {
        return Ok(*identity);
    }
    let random =
        getrandom::u64().map_err(|e| Error::at("name", &path)(std::io::Error::other(e)))?;
    let id_floor = known.map_or(0, |identity| identity.id_floor);
    let identity = Identity { edge_id: (random >> 1) as i64, id_floor };
    save(dir, &identity)?;
    Ok(identity)
}

/// Remembers which ids were given, each time a segment begins.
pub(super) fn save_floor(shared: &Shared) -> Result<(), Error> {
    let id_floor = shared.last_id.load(Ordering::Relaxed);
    save(&shared.options.dir, &Identity { edge_id: shared.edge_id, id_floor })
}

fn save(dir: &Path, identity: &Identity) -> Result<(), Error> {
    let (path, temporary) = (dir.join("identity.json"), dir.join("identity.json.new"));
    let failed = Error::at("write", &temporary);
    let write = || {
        std::fs::write(&temporary, serde_json::to_vec(identity)?)?;
        File::open(&temporary)?.sync_all()?;
        std::fs::rename(&temporary, &path)
    };
    write().map_err(failed)?;
    sync_dir(dir)
}

/// Segments by first sequence number, and spare files.
#[allow(clippy::type_complexity)]
fn files(dir: &Path) -> Result<(Vec<(i64, PathBuf)>, Vec<PathBuf>), Error> {
    let (mut segments, mut spare) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(dir).map_err(Error::at("list", dir))? {
        let path = entry.map_err(Error::at("list", dir))?.path();
        let first_seq = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        match (path.extension().and_then(|e| e.to_str()), first_seq) {
            (Some("seg"), Some(first_seq)) => segments.push((first_seq, path)),
            (Some("spare"), _) => spare.push(path),
            (Some("new"), _) => std::fs::remove_file(&path).map_err(Error::at("remove", &path))?,
            _ => {}
        }
    }
    segments.sort();
    Ok((segments, spare))
}

/// How many files `scan` has put aside, and an earlier version after a failure.
pub(super) fn damaged_files(dir: &Path) -> usize {
    let is_damaged = |entry: &std::fs::DirEntry| {
        entry.path().extension().is_some_and(|e| e == "damaged" || e == "failed")
    };
    std::fs::read_dir(dir).into_iter().flatten().flatten().filter(is_damaged).count()
}
