//! A directory that one holder has at a time, in this process or another: the journal's, and that of the private
//! servers. A file `lock` in it says so, by the lock of the operating system on it; the file itself stays, and nobody
//! has to be asked who left it. It ends with its holder, however that ends.

use std::fs::{File, TryLockError};
use std::path::Path;

/// A directory, held: nobody else can take it while this lives, whichever process he is in.
pub struct DirLock(File);

/// Takes a directory that is there. `WouldBlock`: another has it; any other error is the disk's.
pub fn take(dir: &Path) -> std::io::Result<DirLock> {
    let mut open = File::options();
    let file = open.create(true).truncate(false).write(true).open(dir.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(DirLock(file)),
        Err(TryLockError::WouldBlock) => Err(std::io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

impl Drop for DirLock {
    /// Lets go at once. To close the file would not do: a child that is just being started has it open too,
    /// until it is another program.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_let_go_is_free_though_a_child_has_the_file_open() {
        let dir = std::env::temp_dir().join(format!("tributary-lock-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let first = take(&dir).unwrap();
        let child_has = first.0.try_clone().unwrap();
        assert_eq!(take(&dir).err().unwrap().kind(), std::io::ErrorKind::WouldBlock);
        drop(first);
        assert!(take(&dir).is_ok());
        drop(child_has);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
