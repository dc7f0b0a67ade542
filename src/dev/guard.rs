//! The guard: a shell that holds the other end of a pipe and stops the private servers when it closes, be
//! it that we stop them, that we end, or that we are killed. All stopping goes this one way.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const SCRIPT: &str = include_str!("guard.sh");
const POLL: Duration = Duration::from_millis(10);

/// The guard of some servers. Dropping it stops them.
pub struct Guard {
    shell: Child,
}

impl Guard {
    /// Starts a guard with nothing to guard yet.
    pub fn start() -> Result<Self, String> {
        let shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "guard"])
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| format!("cannot start /bin/sh: {e}"))?;
        Ok(Guard { shell })
    }

    /// Takes a server under guard; `name` is its program's.
    pub fn watch(&self, name: &str, pid: u32) -> Result<(), String> {
        self.order(&format!("{name} {pid}\n"))
    }

    /// Has a path removed when the servers have stopped.
    pub fn remove(&self, path: &Path) -> Result<(), String> {
        self.order(&format!("remove {}\n", path.display()))
    }

    fn order(&self, line: &str) -> Result<(), String> {
        let mut pipe = self.shell.stdin.as_ref().ok_or("the guard of the servers has no pipe")?;
        pipe.write_all(line.as_bytes())
            .map_err(|e| format!("the guard of the servers is gone: {e}"))
    }

    /// Stops the servers and waits until they have; `children` are those of them that we started.
    pub async fn finish(mut self, children: &mut [&mut Child]) {
        drop(self.shell.stdin.take());
        while matches!(self.shell.try_wait(), Ok(None)) {
            // Reaped as they end.
            for child in children.iter_mut() {
                let _ = child.try_wait();
            }
            tokio::time::sleep(POLL).await;
        }
        for child in children.iter_mut() {
            let _ = child.try_wait();
        }
    }
}

/// Whether a process with this pid and this text in its command line is alive.
fn is_alive(mark: &str, pid: u32) -> bool {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).contains(mark)
}

/// Stops a server that an earlier run left behind, if it still is there; `mark` is in its command line
/// alone. Its own guard may be at it.
pub async fn stop_leftover(name: &str, mark: &str, pid: u32) -> Result<(), String> {
    if !is_alive(mark, pid) {
        return Ok(());
    }
    let guard = Guard::start()?;
    guard.watch(name, pid)?;
    guard.finish(&mut []).await;
    if is_alive(mark, pid) {
        return Err(format!("{name} of an earlier run (pid {pid}) does not stop; end it first"));
    }
    Ok(())
}
