//! File systems of a test's own, to be filled and cut off. Mounting is for root; where it is impossible a
//! test says so and is skipped, but not where the environment says `CI`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

const PREFIX: &str = "tributary-mount-";

/// A mounted file system. Dropping this takes it away.
pub struct Mount {
    dir: PathBuf,
    images: u32,
}

impl Mount {
    /// In memory, of so many bytes.
    pub fn tmpfs(bytes: u64) -> Option<Mount> {
        let mount = Mount::make();
        let size = format!("size={bytes},mode=755");
        mount.mounted(&["-t", "tmpfs", "-o", &size, "tributary"])
    }

    /// On a disk of its own, of so many bytes.
    pub fn ext4(bytes: u64) -> Option<Mount> {
        let mount = Mount::make();
        let image = mount.image();
        std::fs::File::create(&image).unwrap().set_len(bytes).unwrap();
        run("mkfs.ext4", &["-q", "-F", &image]).unwrap();
        mount.mounted(&["-o", "loop", &image])
    }

    /// Where it is mounted.
    pub fn path(&self) -> PathBuf {
        self.dir.join("on")
    }

    /// From now on nothing reaches the disk: what was not synced by now is lost.
    pub fn cut_power(&self) {
        // EXT4_IOC_SHUTDOWN without flushing its log; Perl is on every Debian.
        let script = "open F,'<',$ARGV[0] and $no_flush=pack('L',2) and ioctl F,0x8004587D,$no_flush or die $!";
        run("perl", &["-e", script, &text(&self.path())]).unwrap();
    }

    /// The disk as it was when the power went, mounted where it was. Who still holds files of before the cut
    /// holds them on the old one.
    pub fn restore_power(&mut self) {
        let old = self.image();
        self.images += 1;
        run("cp", &["--sparse=always", &old, &self.image()]).unwrap();
        run("umount", &["-l", &text(&self.path())]).unwrap();
        std::fs::remove_file(old).unwrap();
        run("mount", &["-o", "loop", &self.image(), &text(&self.path())]).unwrap();
    }

    fn make() -> Mount {
        sweep();
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}", std::process::id());
        let mount = Mount { dir: std::env::temp_dir().join(name), images: 0 };
        std::fs::create_dir_all(mount.path()).unwrap();
        mount
    }

    fn mounted(self, how: &[&str]) -> Option<Mount> {
        let path = text(&self.path());
        match run("mount", &[how, &[&path]].concat()) {
            Ok(()) => Some(self),
            Err(error) if std::env::var("CI").is_ok() => panic!("{error}"),
            Err(error) => {
                // Past the test harness, which keeps what a test that passes prints.
                let skipped = format!("SKIPPED, for nothing can be mounted here: {error}\n");
                let _ = std::io::stderr().write_all(skipped.as_bytes());
                None
            }
        }
    }

    fn image(&self) -> String {
        text(&self.dir.join(format!("image-{}", self.images)))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        take_away(&self.dir);
    }
}

/// Takes away what tests left that were killed.
fn sweep() {
    for entry in std::env::temp_dir().read_dir().unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            take_away(&entry.path());
        }
    }
}

fn take_away(dir: &Path) {
    let _ = run("umount", &["-l", &text(&dir.join("on"))]);
    let _ = std::fs::remove_dir_all(dir);
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|e| format!("{program}: {e}"))?;
    let error = String::from_utf8_lossy(&output.stderr);
    output.status.success().then_some(()).ok_or_else(|| format!("{program}: {}", error.trim()))
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
