//! One file of the journal: preallocated and written in place, so that fdatasync has no metadata to write.
//! Its name is the sequence number of its first hit.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use super::Error;
use crate::domain::frame::HEADER_BYTES;
use crate::failpoint;

/// A segment and how far it is filled with durable frames.
pub(super) struct Segment {
    pub path: PathBuf,
    pub file: File,
    pub first_seq: i64,
    end_seq: AtomicI64,
    end: AtomicU64,
    frames: AtomicU64,
    /// A write or an fsync of it failed: what it holds beyond its end is not known.
    failed: AtomicBool,
}

impl Segment {
    /// A segment that exists, filled as given.
    pub fn known(path: PathBuf, file: File, seqs: (i64, i64), end: u64, frames: u64) -> Self {
        let (first_seq, end_seq) = seqs;
        Segment {
            path,
            file,
            first_seq,
            end_seq: AtomicI64::new(end_seq),
            end: AtomicU64::new(end),
            frames: AtomicU64::new(frames),
            failed: AtomicBool::new(false),
        }
    }

    /// Makes an empty segment of `bytes`, from a spare file where there is one. When it returns, the file
    /// and its name are on disk.
    pub fn create(
        dir: &Path,
        first_seq: i64,
        bytes: u64,
        spare: Option<PathBuf>,
    ) -> Result<Self, Error> {
        let path = dir.join(format!("{first_seq:020}.seg"));
        let file = match spare {
            Some(spare) => {
                // Empty before it has its new name: what ends a segment is zeroes.
                let open = OpenOptions::new().read(true).write(true).open(&spare);
                let file = open.map_err(Error::at("open", &spare))?;
                let emptied = file.write_all_at(&[0; HEADER_BYTES], 0);
                let emptied = emptied.and_then(|()| file.sync_data());
                emptied.map_err(|error| {
                    let _ = std::fs::remove_file(&spare); // It is not tried again.
                    Error::at("empty", &spare)(error)
                })?;
                failpoint::pass("journal.emptied");
                std::fs::rename(&spare, &path).map_err(Error::at("reuse", &spare))?;
                file
            }
            None => preallocate(&path, bytes, |_| Ok(true))?.ok_or_else(|| {
                Error::at("preallocate", &path)(std::io::Error::other("given up"))
            })?,
        };
        failpoint::pass("journal.named");
        sync_dir(dir)?;
        Ok(Segment::known(path, file, (first_seq, first_seq), 0, 0))
    }

    /// Writes a frame after the last, and zeroes behind it, and waits until it is on disk. `buffer` holds
    /// the frame; on return it is as it was.
    pub fn write(&self, buffer: &mut Vec<u8>, end_seq: i64) -> std::io::Result<()> {
        let (at, length) = (self.end(), buffer.len());
        buffer.resize(length + HEADER_BYTES, 0);
        let written = self.file.write_all_at(buffer, at);
        buffer.truncate(length);
        written?;
        failpoint::pass("journal.written");
        self.file.sync_data()?;
        failpoint::pass("journal.synced");
        self.end_seq.store(end_seq, Ordering::Release);
        self.frames.fetch_add(1, Ordering::Relaxed);
        self.end.store(at + length as u64, Ordering::Release);
        Ok(())
    }

    /// Takes no frame any more. What was refused must not be read back at the next start: zeroes, which end
    /// a segment, go where it begins, if the disk still takes them.
    pub fn distrust(&self) {
        self.failed.store(true, Ordering::Relaxed);
        let ended = self.file.write_all_at(&[0; HEADER_BYTES], self.end());
        if let Err(error) = ended.and_then(|()| self.file.sync_data()) {
            tracing::warn!(%error, "cannot end a segment that failed");
        }
    }

    /// Whether the file may be used again.
    pub fn is_trusted(&self) -> bool {
        !self.failed.load(Ordering::Relaxed)
    }

    /// Bytes that hold durable frames.
    pub fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    /// The sequence number after its last hit.
    pub fn end_seq(&self) -> i64 {
        self.end_seq.load(Ordering::Acquire)
    }

    /// How many frames it holds.
    pub fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }
}

/// Zeroes written, not merely reserved: an extent that was never written costs metadata at its first fsync.
/// `goes_on` is asked after each piece; no file when it does not.
pub(super) fn preallocate(
    path: &Path,
    bytes: u64,
    mut goes_on: impl FnMut(&File) -> std::io::Result<bool>,
) -> Result<Option<File>, Error> {
    let temporary = path.with_extension("new");
    let failed = |operation| Error::at(operation, &temporary);
    let mut open = OpenOptions::new();
    open.read(true).write(true).create(true).truncate(true).mode(0o600);
    let file = open.open(&temporary).map_err(failed("create"))?;
    let zeroes = vec![0; 1 << 20];
    for at in (0..bytes).step_by(zeroes.len()) {
        let length = zeroes.len().min((bytes - at) as usize);
        let written = file.write_all_at(&zeroes[..length], at).and_then(|()| goes_on(&file));
        if !matches!(written, Ok(true)) {
            let _ = std::fs::remove_file(&temporary); // Do not keep a full disk full.
            return written.map(|_| None).map_err(failed("preallocate"));
        }
    }
    file.sync_all().map_err(failed("sync"))?;
    failpoint::pass("journal.preallocated");
    std::fs::rename(&temporary, path).map_err(failed("rename"))?;
    Ok(Some(file))
}

/// Makes a directory's entries durable.
pub(super) fn sync_dir(dir: &Path) -> Result<(), Error> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(Error::at("sync", dir))
}
