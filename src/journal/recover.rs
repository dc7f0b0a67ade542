//! What is on disk when the edge starts: the journal's identity and every frame up to the first that does
//! not fit. Damage before the end is said loudly; what is whole behind it is still kept.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use super::segment::{Segment, sync_dir};
use super::{Error, Options, Segments, Shared};
use crate::domain::frame::Frame;
use crate::domain::id::Id;

/// What a start finds.
pub(super) struct Recovered {
    pub edge_id: i64,
    pub last_id: Id,
    pub end_seq: i64,
    pub segments: Segments,
    pub lock: File,
}

/// Kept beside the segments.
#[derive(Serialize, Deserialize)]
struct Identity {
    edge_id: i64,
    /// No id below this is given again, wherever the clock went.
    id_floor: Id,
    /// Where sequence numbers resume if no segment is left.
    seq_floor: i64,
}

/// Reads the journal's directory.
pub(super) fn recover(options: &Options) -> Result<Recovered, Error> {
    let dir = &options.dir;
    std::fs::create_dir_all(dir).map_err(Error::at("create", dir))?;
    let lock = take_lock(dir)?;
    let identity = identity(dir)?;
    let mut segments = Segments::default();
    let (files, spare) = files(dir)?;
    segments.spare = spare;
    let mut found = Found { expected: None, last_id: identity.id_floor };
    for (at, (first_seq, path)) in files.iter().enumerate() {
        let next_first = files.get(at + 1).map_or(i64::MAX, |(first, _)| *first);
        let segment = scan(path, *first_seq, next_first, identity.edge_id, &mut found)?;
        if segment.frames() == 0 {
            std::fs::remove_file(path).map_err(Error::at("remove", path))?;
            continue;
        }
        segments.frames += segment.frames();
        segments.list.push_back(Arc::new(segment));
    }
    let end_seq = found.expected.unwrap_or(0).max(identity.seq_floor);
    Ok(Recovered { edge_id: identity.edge_id, last_id: found.last_id, end_seq, segments, lock })
}

struct Found {
    expected: Option<i64>,
    last_id: Id,
}

fn take_lock(dir: &Path) -> Result<File, Error> {
    let path = dir.join("lock");
    let failed = |operation| Error::at(operation, &path);
    let mut open = OpenOptions::new();
    let lock = open.create(true).truncate(false).write(true).open(&path).map_err(failed("open"))?;
    let taken = lock.try_lock().map_err(std::io::Error::from);
    taken.map_err(failed("lock (does another edge use it?)"))?;
    Ok(lock)
}

/// The journal's own id, made at its first start: a journal that was wiped is another journal.
fn identity(dir: &Path) -> Result<Identity, Error> {
    let path = dir.join("identity.json");
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| Error::at("read", &path)(e.into())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let random =
                getrandom::u64().map_err(|e| Error::at("name", &path)(std::io::Error::other(e)))?;
            let identity = Identity { edge_id: (random >> 1) as i64, id_floor: 0, seq_floor: 0 };
            save(dir, &identity)?;
            Ok(identity)
        }
        Err(e) => Err(Error::at("read", &path)(e)),
    }
}

/// Remembers which ids and sequence numbers were given, each time a segment begins.
pub(super) fn save_floor(shared: &Shared) -> Result<(), Error> {
    let identity = Identity {
        edge_id: shared.edge_id,
        id_floor: shared.last_id.load(Ordering::Relaxed),
        seq_floor: *shared.durable.borrow(),
    };
    save(&shared.options.dir, &identity)
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

/// Reads a segment's frames: they must follow one another, and end where the next segment begins.
fn scan(
    path: &Path,
    first_seq: i64,
    next_first: i64,
    edge_id: i64,
    found: &mut Found,
) -> Result<Segment, Error> {
    let bytes = std::fs::read(path).map_err(Error::at("read", path))?;
    let mut open = OpenOptions::new();
    let file = open.read(true).write(true).open(path).map_err(Error::at("open", path))?;
    if found.expected.is_some_and(|expected| expected != first_seq) {
        tracing::error!(
            ?path,
            expected = found.expected,
            "the journal has a gap: hits are missing"
        );
    }
    let (mut at, mut seq, mut frames) = (0, first_seq, 0);
    while let Some(frame) = Frame::read(&bytes[at..]) {
        // What follows is of an earlier use of the file, or was refused and written again elsewhere.
        if frame.edge_id != edge_id || frame.first_seq != seq || seq >= next_first {
            break;
        }
        let ids = frame.hits().filter_map(|(_, hit)| Some(hit?.id));
        found.last_id = ids.max().unwrap_or(0).max(found.last_id);
        (at, seq, frames) = (at + frame.bytes.len(), frame.end_seq(), frames + 1);
    }
    if next_first != i64::MAX && seq < next_first {
        tracing::error!(
            ?path,
            from = seq,
            to = next_first,
            "the journal is damaged: hits are missing"
        );
    }
    found.expected = Some(if next_first == i64::MAX { seq } else { next_first });
    Ok(Segment::known(path.to_owned(), file, (first_seq, seq), at as u64, frames))
}
