//! `tributary dev` as a process: ready soon, stopped cleanly, and nothing left behind.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::harness::{http, temp_dir};

/// A data directory that goes with the test.
struct Dir(PathBuf);

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
    command.arg("dev").arg("--data-dir").arg(dir).kill_on_drop(true);
    for listener in ["edge", "admin", "ops"] {
        command.arg(format!("--{listener}-listen=127.0.0.1:0"));
    }
    command.env("TRIBUTARY_SHOP_LISTEN", "127.0.0.1:0").stdout(Stdio::null());
    command
}

/// Starts it and waits until it says that it is ready.
async fn start(dir: &Path) -> (Child, Value, Duration) {
    let started = Instant::now();
    let mut child = command(dir).spawn().unwrap();
    loop {
        if let Ok(text) = std::fs::read(dir.join("dev.json")) {
            return (child, serde_json::from_slice(&text).unwrap(), started.elapsed());
        }
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was ready");
        assert!(started.elapsed() < Duration::from_secs(60), "it does not get ready");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn stop(mut child: Child) {
    let pid = child.id().unwrap().to_string();
    Command::new("kill").args(["-TERM", &pid]).status().await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(30), child.wait()).await;
    assert!(ended.expect("stopped within 10 s").unwrap().success());
}

async fn is_served(url: &str) -> bool {
    let url = url::Url::parse(url).unwrap();
    TcpStream::connect((url.host_str().unwrap(), url.port().unwrap())).await.is_ok()
}

#[tokio::test]
async fn it_is_ready_soon_and_again_with_the_same_data() {
    let dir = Dir(temp_dir("dev"));
    let (child, first, took) = start(&dir.0).await;
    assert!(took < Duration::from_secs(30), "ready after {took:?}");
    let click = http("GET", first["demo"]["link_url"].as_str().unwrap(), &[], b"").await;
    assert_eq!(click.status, 302);
    stop(child).await;
    for url in ["edge_url", "admin_url", "database_url", "redis_url"] {
        assert!(!is_served(first[url].as_str().unwrap()).await, "{url} is still served");
    }

    let (child, second, took) = start(&dir.0).await;
    assert!(took < Duration::from_secs(30), "ready again after {took:?}");
    for key in ["affiliate_key", "advertiser_key"] {
        assert_eq!(first["demo"][key], second["demo"][key]);
    }
    assert_eq!(first["admin_key"], second["admin_key"]);
    // The shop has moved to another port, and the link leads to where it is now.
    let (link, shop) = (&second["demo"]["link_url"], second["demo"]["shop_url"].as_str().unwrap());
    let started = Instant::now();
    loop {
        let click = http("GET", link.as_str().unwrap(), &[], b"").await;
        if click.header("location").unwrap().starts_with(shop) {
            break;
        }
        // An edge knows of a change within two seconds.
        assert!(started.elapsed() < Duration::from_secs(10), "{click:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop(child).await;
}

#[tokio::test]
async fn killed_it_leaves_nothing_behind_and_starts_again() {
    let dir = Dir(temp_dir("dev"));
    let (mut child, told, _) = start(&dir.0).await;
    child.kill().await.unwrap();
    let started = Instant::now();
    for url in ["database_url", "redis_url"] {
        while is_served(told[url].as_str().unwrap()).await {
            assert!(started.elapsed() < Duration::from_secs(20), "{url} is still served");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    std::fs::remove_file(dir.0.join("dev.json")).unwrap();
    let (child, again, _) = start(&dir.0).await;
    assert_eq!(told["demo"]["affiliate_key"], again["demo"]["affiliate_key"]);
    stop(child).await;
}

#[tokio::test]
async fn what_keeps_it_from_starting_is_named() {
    let dir = Dir(temp_dir("dev"));
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let port_taken = command(&dir.0).arg("--shop-listen").arg(&address).output().await.unwrap();
    assert!(!port_taken.status.success());
    let said = String::from_utf8(port_taken.stderr).unwrap();
    assert!(said.contains("--shop-listen") && said.contains(&address), "{said}");

    let no_redis = command(&dir.0).env("PATH", "/nowhere").output().await.unwrap();
    assert!(!no_redis.status.success());
    let said = String::from_utf8(no_redis.stderr).unwrap();
    assert!(said.contains("install the package redis-server"), "{said}");
}
