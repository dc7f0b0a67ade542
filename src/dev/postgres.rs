//! A private PostgreSQL cluster: made once, started on a free port of the loopback. PostgreSQL refuses to
//! run as root, so root lends it to the user `postgres` (or `nobody`), in a place which that user can reach.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::guard::{Guard, stop_leftover};
use super::servers::{self, random_hex};

const NAME: &str = "postgres";
const DATABASE: &str = "tributary";
/// Where Debian keeps the servers of each version.
const DEBIAN_DIR: &str = "/usr/lib/postgresql";
/// Where root's clusters live when the data directory is hidden from PostgreSQL's user.
const FALLBACK_DIR: &str = "/var/lib/tributary-dev";

/// A user that root lends PostgreSQL to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Owner {
    name: String,
    uid: u32,
    gid: u32,
}

/// A cluster that is made and can be started.
pub struct Cluster {
    home: PathBuf,
    bin_dir: PathBuf,
    log: PathBuf,
    password: String,
    owner: Option<Owner>,
}

impl Cluster {
    /// Finds the cluster of a data directory, or makes it; stops what an earlier run left behind.
    pub async fn open(data_dir: &Path, guard: &Guard) -> Result<Self, String> {
        let owner = owner()?;
        let home = home(data_dir, owner.as_ref())?;
        let bin_dir = bin_dir(&home)?;
        let log = data_dir.join("postgres.log");
        let password_file = home.join("password");
        let password = match fs::read_to_string(&password_file) {
            Ok(password) => password,
            Err(_) => random_hex(24)?,
        };
        let cluster = Cluster { home, bin_dir, log, password, owner };
        if !cluster.dir().exists() {
            servers::write_private(&password_file, &cluster.password)?;
            cluster.lend(&password_file)?;
            cluster.make(&password_file, guard).await?;
        }
        if let Some((pid, _)) = cluster.pid_file() {
            stop_leftover(NAME, &cluster.dir().display().to_string(), pid).await?;
        }
        Ok(cluster)
    }

    /// The directory to remove when the cluster is no longer wanted.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The address of the database behind a port.
    pub fn url(&self, port: u16) -> String {
        format!("postgres://{DATABASE}:{}@127.0.0.1:{port}/{DATABASE}", self.password)
    }

    /// Starts the server and waits until it answers.
    pub async fn start(&self, port: u16, guard: &Guard) -> Result<Child, String> {
        let listen = [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={port}"),
            "unix_socket_directories=".to_owned(),
            "max_connections=200".to_owned(),
            "fsync=on".to_owned(),
            "log_timezone=UTC".to_owned(),
        ];
        let log = servers::log_file(&self.log)?;
        let mut child = self
            .command("postgres")
            .arg("-D")
            .arg(self.dir())
            .args(listen.iter().flat_map(|setting| ["-c", setting]))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|e| format!("cannot start PostgreSQL: {e}"))?;
        guard.watch(NAME, child.id())?;
        let pid = child.id();
        let ready = || {
            let state = self.pid_file();
            async move { state == Some((pid, true)) }
        };
        servers::wait_until("PostgreSQL", &mut child, &self.log, ready).await?;
        Ok(child)
    }

    fn dir(&self) -> PathBuf {
        self.home.join("data")
    }

    /// The pid in the lock file, and whether the server says that it is ready.
    fn pid_file(&self) -> Option<(u32, bool)> {
        let text = fs::read_to_string(self.dir().join("postmaster.pid")).ok()?;
        let pid = text.lines().next()?.trim().parse().ok()?;
        Some((pid, text.lines().nth(7).is_some_and(|status| status.trim() == "ready")))
    }

    /// Makes the cluster beside its place and moves it there when it is whole.
    async fn make(&self, password_file: &Path, guard: &Guard) -> Result<(), String> {
        let new = self.home.join("data.new");
        if new.exists() {
            fs::remove_dir_all(&new)
                .map_err(|e| format!("cannot remove {}: {e}", new.display()))?;
        }
        let mut initdb = self.command("initdb");
        initdb.arg("-D").arg(&new).arg("--pwfile").arg(password_file).args([
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--username=tributary",
        ]);
        run("initdb", &mut initdb, "", guard).await?;
        let mut single = self.command(NAME);
        single.args(["--single", "-D"]).arg(&new).arg("postgres");
        run(NAME, &mut single, &format!("create database {DATABASE}\n"), guard).await?;
        fs::rename(&new, self.dir()).map_err(|e| format!("cannot keep the new cluster: {e}"))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin_dir.join(program));
        command.current_dir(&self.home).env("LC_ALL", "C").process_group(0);
        if let Some(owner) = &self.owner {
            command.uid(owner.uid).gid(owner.gid);
        }
        command
    }

    fn lend(&self, path: &Path) -> Result<(), String> {
        lend(path, self.owner.as_ref())
    }
}

/// Runs a program of PostgreSQL's to its end, under guard.
async fn run(name: &str, command: &mut Command, input: &str, guard: &Guard) -> Result<(), String> {
    let failed = |what: &dyn std::fmt::Display| format!("{name} failed: {what}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| failed(&e))?;
    guard.watch(name, child.id())?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).map_err(|e| failed(&e))?;
    }
    let waiting = tokio::task::spawn_blocking(move || child.wait_with_output());
    let output = waiting.await.map_err(|e| failed(&e))?.map_err(|e| failed(&e))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(&String::from_utf8_lossy(&output.stderr).trim()))
}

/// Whom PostgreSQL runs as: ourselves, unless we are root.
fn owner() -> Result<Option<Owner>, String> {
    let myself = fs::metadata("/proc/self").map_err(|e| format!("/proc is needed: {e}"))?;
    if myself.uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let found = find_user(&users, NAME).or_else(|| find_user(&users, "nobody"));
    found.map(Some).ok_or_else(|| {
        "PostgreSQL does not run as root, and there is neither a user postgres nor nobody"
            .to_owned()
    })
}

/// Finds a user in the text of `/etc/passwd`.
fn find_user(users: &str, name: &str) -> Option<Owner> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (user, _, uid, gid) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let (uid, gid) = (uid.parse().ok()?, gid.parse().ok()?);
        (user == name).then(|| Owner { name: name.to_owned(), uid, gid })
    })
}

/// The directory that holds the cluster: in the data directory where PostgreSQL's user can reach it.
fn home(data_dir: &Path, owner: Option<&Owner>) -> Result<PathBuf, String> {
    let record = data_dir.join("postgres.path");
    if let Ok(elsewhere) = fs::read_to_string(&record) {
        let elsewhere = PathBuf::from(elsewhere.trim());
        return make_home(&elsewhere, owner).map(|()| elsewhere);
    }
    let home = data_dir.join(NAME);
    make_home(&home, owner)?;
    let Some(owner) = owner else { return Ok(home) };
    if is_reachable(&home, owner) {
        return Ok(home);
    }
    let elsewhere = Path::new(FALLBACK_DIR).join(random_hex(8)?);
    make_home(&elsewhere, Some(owner))?;
    if !is_reachable(&elsewhere, owner) {
        let (name, dir) = (&owner.name, home.display());
        return Err(format!(
            "user {name}, who runs PostgreSQL, can reach neither {dir} nor {FALLBACK_DIR}"
        ));
    }
    let _ = fs::remove_dir(&home);
    servers::write_private(&record, &elsewhere.display().to_string())?;
    tracing::info!(
        "PostgreSQL's files are in {}: its user {} cannot reach {}",
        elsewhere.display(),
        owner.name,
        data_dir.display()
    );
    Ok(elsewhere)
}

fn make_home(home: &Path, owner: Option<&Owner>) -> Result<(), String> {
    let failed = |e| format!("cannot make {}: {e}", home.display());
    fs::create_dir_all(home).map_err(failed)?;
    fs::set_permissions(home, fs::Permissions::from_mode(0o700)).map_err(failed)?;
    lend(home, owner)
}

fn lend(path: &Path, owner: Option<&Owner>) -> Result<(), String> {
    let Some(owner) = owner else { return Ok(()) };
    chown(path, Some(owner.uid), Some(owner.gid))
        .map_err(|e| format!("cannot give {} to user {}: {e}", path.display(), owner.name))
}

/// Asked of the system itself, so that any kind of permission counts.
fn is_reachable(dir: &Path, owner: &Owner) -> bool {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "cd \"$1\"", "sh"]).arg(dir).current_dir("/").stderr(Stdio::null());
    command.uid(owner.uid).gid(owner.gid).status().is_ok_and(|status| status.success())
}

/// Where `initdb` and `postgres` are: Debian's newest, or of the version that made the cluster, or in PATH.
fn bin_dir(home: &Path) -> Result<PathBuf, String> {
    let made_by = fs::read_to_string(home.join("data/PG_VERSION")).ok();
    let made_by: Option<u32> = made_by.and_then(|text| text.trim().parse().ok());
    let entries = fs::read_dir(DEBIAN_DIR).into_iter().flatten().flatten();
    let versions = entries.filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    let dir_of = |version: u32| Path::new(DEBIAN_DIR).join(version.to_string()).join("bin");
    let best = versions
        .filter(|version| made_by.is_none_or(|made_by| made_by == *version))
        .filter(|version| dir_of(*version).join("initdb").exists())
        .max();
    if let Some(version) = best {
        return Ok(dir_of(version));
    }
    let initdb = servers::find_in_path("initdb").and_then(|path| fs::canonicalize(path).ok());
    match (initdb.as_deref().and_then(Path::parent), made_by) {
        (Some(dir), _) => Ok(dir.to_owned()),
        (None, Some(version)) => Err(format!(
            "the data directory was made by PostgreSQL {version}, which is not there: \
             install the package postgresql-{version}"
        )),
        (None, None) => Err("`postgres` is not there: install the package postgresql".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_his_whole_name() {
        let users =
            "root:x:0:0::/root:/bin/sh\npostgres2:x:9:9::/:\npostgres:x:101:104::/:/bin/sh\n";
        let found = find_user(users, "postgres");
        assert_eq!(found, Some(Owner { name: "postgres".into(), uid: 101, gid: 104 }));
        assert_eq!(find_user(users, "nobody"), None);
    }
}
