//! A private PostgreSQL and Redis under a data directory, for `tributary dev` and the tests. They listen
//! on free ports of the loopback, with passwords of their own, and end when the process that started them
//! ends, however it does.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::guard::{Guard, stop_leftover};
use super::postgres::Cluster;
use crate::dir_lock::{self, DirLock};

const REDIS: &str = "redis-server";
/// A port that was free a moment ago may be taken when a server binds it.
const STARTS_MAX: usize = 3;
/// For a server to be ready, recovery included.
const READY_TIMEOUT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);
/// Tries to start PostgreSQL again, a tenth of a second apart.
const REVIVES_MAX: usize = 100;

/// Both servers, ready. Dropping this stops them; `stop` also waits for it.
pub struct Servers {
    /// PostgreSQL: user, password, port and database.
    pub database_url: String,
    /// Redis: password and port.
    pub redis_url: String,
    postgres: Child,
    redis: Child,
    cluster: Cluster,
    data_dir: PathBuf,
    guard: Guard,
    _lock: DirLock,
}

/// A data directory that nobody else is using, and nobody else can while this lives.
pub struct Claim {
    data_dir: PathBuf,
    lock: DirLock,
}

/// Makes a data directory and claims it. Refuses when another process has.
pub fn claim(data_dir: &Path) -> Result<Claim, String> {
    let data_dir = open_dir(data_dir)?;
    let lock = lock(&data_dir)?;
    Ok(Claim { data_dir, lock })
}

impl Claim {
    /// The directory, absolute.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Starts both servers with what an earlier run left in the directory.
    pub async fn start(self) -> Result<Servers, String> {
        begin(self, false).await
    }

    /// Starts both servers for a while: the directory is removed when they have stopped.
    pub async fn start_for_a_while(self) -> Result<Servers, String> {
        begin(self, true).await
    }
}

async fn begin(claim: Claim, for_a_while: bool) -> Result<Servers, String> {
    let Claim { data_dir, lock } = claim;
    let guard = Guard::start()?;
    if for_a_while {
        guard.remove(&data_dir)?;
    }
    let cluster = Cluster::open(&data_dir, &guard).await?;
    if for_a_while {
        guard.remove(cluster.home())?;
    }
    let (postgres, redis) =
        tokio::join!(start_postgres(&cluster, &guard), start_redis(&data_dir, &guard));
    let ((postgres, database_url), (redis, redis_url)) = (postgres?, redis?);
    Ok(Servers { database_url, redis_url, postgres, redis, cluster, data_dir, guard, _lock: lock })
}

impl Servers {
    /// The processes: PostgreSQL's first, then Redis.
    pub fn pids(&self) -> [u32; 2] {
        [self.postgres.id(), self.redis.id()]
    }

    /// Starts again, where it was, whichever of them has ended.
    pub async fn revive(&mut self) -> Result<(), String> {
        if ended(&mut self.postgres) {
            let port = port_of(&self.database_url)?;
            // What an ended server leaves behind may take a moment to go.
            let mut tries = 0;
            self.postgres = loop {
                match self.cluster.start(port, &self.guard).await {
                    Ok(child) => break child,
                    Err(error) if tries >= REVIVES_MAX => return Err(error),
                    Err(_) => tokio::time::sleep(POLL * 10).await,
                }
                tries += 1;
            };
        }
        if ended(&mut self.redis) {
            let (port, password) = (port_of(&self.redis_url)?, password_of(&self.redis_url)?);
            let program = find_in_path(REDIS).ok_or("`redis-server` is not there")?;
            self.redis = spawn_redis(&program, &self.data_dir, port, &password)?;
            self.guard.watch(REDIS, self.redis.id())?;
            let mark = format!("{} 127.0.0.1:{port}", self.redis.id());
            write_private(&self.data_dir.join("redis/pid"), &mark)?;
            let (log, ready) = (self.data_dir.join("redis.log"), || redis_answers(port, &password));
            wait_until("Redis", &mut self.redis, &log, ready).await?;
        }
        Ok(())
    }

    /// Stops both, keeping what they hold. Takes a moment; gives up on grace after 4 s.
    pub async fn stop(self) {
        let Servers { mut postgres, mut redis, guard, .. } = self;
        guard.finish(&mut [&mut postgres, &mut redis]).await;
    }
}

fn ended(child: &mut Child) -> bool {
    child.try_wait().is_ok_and(|status| status.is_some())
}

fn port_of(url: &str) -> Result<u16, String> {
    let url = url::Url::parse(url).map_err(|e| e.to_string())?;
    url.port().ok_or_else(|| "an address without port".to_owned())
}

fn password_of(url: &str) -> Result<String, String> {
    let url = url::Url::parse(url).map_err(|e| e.to_string())?;
    url.password().map(str::to_owned).ok_or_else(|| "an address without password".to_owned())
}

async fn start_postgres(cluster: &Cluster, guard: &Guard) -> Result<(Child, String), String> {
    let mut failure = String::new();
    for _ in 0..STARTS_MAX {
        let port = free_port()?;
        match cluster.start(port, guard).await {
            Ok(child) => return Ok((child, cluster.url(port))),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

async fn start_redis(data_dir: &Path, guard: &Guard) -> Result<(Child, String), String> {
    let program = find_in_path(REDIS)
        .ok_or("`redis-server` is not there: install the package redis-server")?;
    let dir = data_dir.join("redis");
    make_dir(&dir, 0o700)?;
    let pid_file = dir.join("pid");
    stop_redis_leftover(&pid_file).await?;
    let mut failure = String::new();
    for _ in 0..STARTS_MAX {
        let (port, password) = (free_port()?, random_hex(24)?);
        let mut child = spawn_redis(&program, data_dir, port, &password)?;
        guard.watch(REDIS, child.id())?;
        write_private(&pid_file, &format!("{} 127.0.0.1:{port}", child.id()))?;
        let ready = || redis_answers(port, &password);
        match wait_until("Redis", &mut child, &data_dir.join("redis.log"), ready).await {
            Ok(()) => return Ok((child, format!("redis://:{password}@127.0.0.1:{port}"))),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// The pid file holds what Redis then shows as its command line.
async fn stop_redis_leftover(pid_file: &Path) -> Result<(), String> {
    let text = fs::read_to_string(pid_file).unwrap_or_default();
    match text.split_once(' ') {
        Some((pid, mark)) => stop_leftover(REDIS, mark, pid.parse().unwrap_or(0)).await,
        None => Ok(()),
    }
}

/// The settings go in by a pipe: a command line, with its password, is for all to read.
fn spawn_redis(
    program: &Path,
    data_dir: &Path,
    port: u16,
    password: &str,
) -> Result<Child, String> {
    let settings = format!(
        "bind 127.0.0.1\nport {port}\nrequirepass {password}\nappendonly yes\nsave \"\"\n\
         maxmemory-policy noeviction\n"
    );
    let failed = |e| format!("cannot start Redis: {e}");
    let log = log_file(&data_dir.join("redis.log"))?;
    let mut child = Command::new(program)
        .arg("-")
        .current_dir(data_dir.join("redis"))
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(log.try_clone().map_err(failed)?)
        .stderr(log)
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(settings.as_bytes()).map_err(failed)?;
    }
    Ok(child)
}

/// Whether Redis has loaded its log and answers to its password.
async fn redis_answers(port: u16, password: &str) -> bool {
    let Ok(mut stream) = tokio::net::TcpStream::connect(("127.0.0.1", port)).await else {
        return false;
    };
    let question = format!("AUTH {password}\r\nPING\r\nQUIT\r\n");
    let mut answer = String::new();
    let asked = stream.write_all(question.as_bytes()).await;
    asked.is_ok() && stream.read_to_string(&mut answer).await.is_ok() && answer.contains("+PONG")
}

/// Waits until a server is ready; tells the end of its log when it ends instead.
pub(super) async fn wait_until<F, Fut>(
    name: &str,
    child: &mut Child,
    log: &Path,
    ready: F,
) -> Result<(), String>
where
    F: Fn() -> Fut,
    Fut: Future<Output = bool>,
{
    let started = Instant::now();
    while !ready().await {
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("{name} did not start ({status}):\n{}", last_lines(log)));
        }
        if started.elapsed() > READY_TIMEOUT {
            return Err(format!("{name} is not ready after a minute:\n{}", last_lines(log)));
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

fn last_lines(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}

/// Makes the data directory. Where PostgreSQL runs as another user he must be able to pass through it;
/// what is secret in it is closed to him by itself.
fn open_dir(data_dir: &Path) -> Result<PathBuf, String> {
    let root = fs::metadata("/proc/self").is_ok_and(|myself| myself.uid() == 0);
    make_dir(data_dir, if root { 0o711 } else { 0o700 })?;
    fs::canonicalize(data_dir).map_err(|e| format!("cannot use {}: {e}", data_dir.display()))
}

fn make_dir(dir: &Path, mode: u32) -> Result<(), String> {
    let made = fs::create_dir_all(dir);
    made.and_then(|()| fs::set_permissions(dir, fs::Permissions::from_mode(mode)))
        .map_err(|e| format!("cannot make {}: {e}", dir.display()))
}

fn lock(data_dir: &Path) -> Result<DirLock, String> {
    let dir = data_dir.display();
    dir_lock::take(data_dir).map_err(|e| match e.kind() {
        ErrorKind::WouldBlock => {
            format!(
                "{dir} is in use by another `tributary dev`; stop it or choose another --data-dir"
            )
        }
        _ => format!("cannot lock {dir}: {e}"),
    })
}

pub(super) fn log_file(path: &Path) -> Result<File, String> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(|e| format!("cannot write {}: {e}", path.display()))
}

/// Writes a file that only its owner can read; a reader sees the old text or the new.
pub(super) fn write_private(path: &Path, text: &str) -> Result<(), String> {
    let new = path.with_extension("new");
    let _ = fs::remove_file(&new);
    let write = || {
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().map_err(|e| format!("cannot write {}: {e}", path.display()))
}

/// A program's path, as a shell would find it.
pub(super) fn find_in_path(program: &str) -> Option<PathBuf> {
    let script = "command -v \"$1\"";
    let output = Command::new("/bin/sh").args(["-c", script, "sh", program]).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(path.trim()))
}

/// So many random bytes, in hexadecimal.
pub(super) fn random_hex(bytes: usize) -> Result<String, String> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).map_err(|e| format!("there is no randomness: {e}"))?;
    Ok(hex::encode(random))
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind(("127.0.0.1", 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address.map(|address| address.port()).map_err(|e| format!("there is no free port: {e}"))
}
