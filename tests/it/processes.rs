//! The roles as processes of their own against given servers, two of each: the same journey, and a clean end.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{App, http, temp_dir};

/// A role in a process; killed if the test fails before it is stopped.
pub struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    fn start(app: &App, role: &str, flags: &[(&str, String)]) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
        command.arg(role).env_clear().stdout(Stdio::null());
        let settings = &app.settings;
        command.env("TRIBUTARY_DATABASE_URL", settings.database().unwrap());
        command.env("TRIBUTARY_REDIS_URL", settings.redis().unwrap());
        command.env("TRIBUTARY_REDIS_STREAM", format!("{}:processes", settings.redis_stream));
        command.env("TRIBUTARY_TOKEN_KEYS", settings.token_keys.as_ref().unwrap());
        command.env("TRIBUTARY_ADMIN_KEY", &app.admin_key);
        for (flag, value) in flags {
            command.arg(format!("--{flag}")).arg(value);
        }
        Process(command.spawn().unwrap())
    }

    /// An admin that is ready, and its address.
    pub async fn start_admin(app: &App) -> (Process, String) {
        let (address, ops) = (free_address(), free_address());
        let flags = [("admin-listen", address.clone()), ("ops-listen", ops.clone())];
        let process = Process::start(app, "admin", &flags);
        wait_until_ready(&ops).await;
        (process, address)
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// SIGTERM; the exit code, and how long it took.
    async fn stop(mut self) -> (Option<i32>, Duration) {
        let began = Instant::now();
        let killed = Command::new("kill").arg(self.0.id().to_string()).status().unwrap();
        assert!(killed.success());
        while began.elapsed() < Duration::from_secs(12) {
            if let Some(status) = self.0.try_wait().unwrap() {
                return (status.code(), began.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        (None, began.elapsed())
    }
}

fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

async fn wait_until_ready(ops: &str) {
    let began = Instant::now();
    loop {
        if let Ok(answer) =
            tributary::dev::client::send("GET", &format!("http://{ops}/readyz"), &[], b"").await
            && answer.status == 200
        {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "not ready");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn two_of_each_role_do_what_one_process_does() {
    let app = App::start().await;
    let seed = app.seed().await;
    let dir = temp_dir("processes");
    let (mut running, mut edges, mut admins, mut ops) = (vec![], vec![], vec![], vec![]);
    for number in 0..2 {
        let mut start = |role: &str, listen: Option<&str>, flags: Vec<(&str, String)>| {
            let (address, ops_address) = (free_address(), free_address());
            let mut flags = flags;
            flags.push(("ops-listen", ops_address.clone()));
            flags.extend(listen.map(|flag| (flag, address.clone())));
            running.push(Process::start(&app, role, &flags));
            ops.push(ops_address);
            format!("http://{address}")
        };
        let journal = dir.join(number.to_string()).display().to_string();
        let flags = vec![("journal-dir", journal), ("edge-number", (7 + number).to_string())];
        edges.push(start("edge", Some("edge-listen"), flags));
        start("worker", None, vec![]);
        admins.push(start("admin", Some("admin-listen"), vec![]));
    }
    for address in &ops {
        wait_until_ready(address).await;
    }
    let link = |edge: &str| format!("{edge}/c/{}", seed.link_code);
    let began = Instant::now();
    while http("HEAD", &link(&edges[1]), &[], b"").await.status != 302 {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "the second edge does not learn of the link"
        );
    }
    let click = http("GET", &link(&edges[0]), &[], b"").await;
    let cookie = click.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let headers = [("cookie", cookie.as_str())];
    let pixel = |edge: &str, query: &str| format!("{edge}/t/{}.gif?{query}", seed.code);
    http("GET", &pixel(&edges[1], "amount=19.95&id=1"), &headers, b"").await;
    http("POST", &format!("{}/t/{}", edges[0], seed.code), &headers, b"amount=39.95&id=2").await;
    let bearer = format!("Bearer {}", seed.secret);
    let postback = format!("{}/postback/{}", edges[1], seed.code);
    http("POST", &postback, &[("authorization", &bearer)], b"amount=19.95&id=1").await;
    let answered = Instant::now();
    let bearer = format!("Bearer {}", seed.affiliate_key);
    for admin in &admins {
        let url = format!("{admin}/api/v1/reports/commissions?group_by=program");
        loop {
            let report = http("GET", &url, &[("authorization", &bearer)], b"").await.json();
            if report["data"][0]["commission"]["pending"]["amount"] == "6.00" {
                assert_eq!(report["data"][0]["conversions"], 2);
                break;
            }
            assert!(
                answered.elapsed() < Duration::from_secs(20),
                "not in the report in time: {report}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    for process in running {
        let (code, took) = process.stop().await;
        assert_eq!(code, Some(0));
        assert!(took < Duration::from_secs(10), "took {took:?} to stop");
    }
    let _ = std::fs::remove_dir_all(dir);
}

#[test]
fn bad_settings_end_with_64_and_a_sentence() {
    for (arguments, words) in [
        (&["edge"][..], "--database-url: is required"),
        (&["config", "check", "--token-keys", "a:AAAA"], "--token-keys: key `a`"),
        (&["config", "check", "--admin-key", "short"], "at least 32 characters"),
        (&["config", "check", "--edge-listen", "nowhere"], "--edge-listen"),
        (&["config", "check", "--log", "a=b=c"], "--log"),
        (&["config", "check", "--redis-url", "http://x"], "--redis-url"),
        (&["all", "--database-url", "x"], "--database-url: invalid"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
        let dir = temp_dir("settings");
        command.args(arguments).env_clear().env("TRIBUTARY_JOURNAL_DIR", &dir);
        command
            .env("TRIBUTARY_OPS_LISTEN", "127.0.0.1:0")
            .env("TRIBUTARY_EDGE_LISTEN", "127.0.0.1:0");
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(words), "{arguments:?}: {said}");
        assert_eq!(output.status.code(), Some(64), "{arguments:?}: {said}");
        let _ = std::fs::remove_dir_all(dir);
    }
}

#[test]
fn settings_are_printed_with_their_secrets_masked() {
    let secret = "0123456789-0123456789-0123456789";
    let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
    let file = temp_dir("secret");
    std::fs::write(&file, "postgres://user:very-secret@127.0.0.1/books\n").unwrap();
    command.args(["config", "check"]).env_clear().env("TRIBUTARY_ADMIN_KEY", secret);
    let output = command.env("TRIBUTARY_DATABASE_URL_FILE", &file).output().unwrap();
    let _ = std::fs::remove_file(&file);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(!printed.contains(secret) && !printed.contains("very-secret"), "{printed}");
    let settings: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(settings["admin_key"], "********");
    assert_eq!(settings["database_url"], "********");
    assert_eq!(settings["edge_listen"], "127.0.0.1:8080");
}

#[test]
fn who_reads_no_further_breaks_nothing() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
    command.args(["config", "check"]).env_clear().stdout(writer).stderr(Stdio::piped());
    let ended = command.spawn().unwrap().wait_with_output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert!(ended.stderr.is_empty(), "{ended:?}");
}
