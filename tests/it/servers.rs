//! The private servers of `tributary dev`.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio_postgres::NoTls;
use tributary::dev::servers;

use crate::harness::temp_dir;

async fn sql(database_url: &str, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(database_url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client.query(sql, &[]).await?.iter().map(|row| row.get(0)).collect())
}

async fn is_listening(url: &str) -> bool {
    let address = url.rsplit_once('@').unwrap().1.split('/').next().unwrap();
    tokio::net::TcpStream::connect(address).await.is_ok()
}

async fn wait_until_gone(path: &Path) {
    let started = Instant::now();
    while path.exists() {
        assert!(started.elapsed() < Duration::from_secs(10), "{} is still there", path.display());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_second_start_goes_on_with_the_same_data() {
    let dir = temp_dir("servers");
    let first = servers::claim(&dir).unwrap().start().await.unwrap();
    sql(&first.database_url, "create table kept as select 'here' as word").await.unwrap();
    let (database_url, redis_url) = (first.database_url.clone(), first.redis_url.clone());
    let stopping = Instant::now();
    first.stop().await;
    assert!(stopping.elapsed() < Duration::from_secs(10));
    assert!(!is_listening(&database_url).await && !is_listening(&redis_url).await);

    let starting = Instant::now();
    let second = servers::claim(&dir).unwrap().start_for_a_while().await.unwrap();
    assert!(starting.elapsed() < Duration::from_secs(20), "took {:?}", starting.elapsed());
    let kept = sql(&second.database_url, "select word from kept").await.unwrap();
    assert_eq!(kept, ["here"]);
    let durable = "select setting from pg_settings where name in ('fsync', 'synchronous_commit')";
    assert_eq!(sql(&second.database_url, durable).await.unwrap(), ["on", "on"]);
    second.stop().await;
    assert!(!dir.exists());
}

#[tokio::test]
async fn a_directory_in_use_is_refused() {
    let dir = temp_dir("servers");
    let first = servers::claim(&dir).unwrap().start_for_a_while().await.unwrap();
    let refusal = servers::claim(&dir).err().unwrap();
    assert!(refusal.contains("is in use by another `tributary dev`"), "{refusal}");
    first.stop().await;
}

#[tokio::test]
async fn servers_that_nobody_holds_stop_by_themselves() {
    let dir = temp_dir("servers");
    let servers = servers::claim(&dir).unwrap().start_for_a_while().await.unwrap();
    let (database_url, redis_url) = (servers.database_url.clone(), servers.redis_url.clone());
    drop(servers);
    wait_until_gone(&dir).await;
    assert!(!is_listening(&database_url).await && !is_listening(&redis_url).await);
}

#[tokio::test]
async fn passwords_are_asked_for() {
    let dir = temp_dir("servers");
    let servers = servers::claim(&dir).unwrap().start_for_a_while().await.unwrap();
    let (user, rest) = servers.database_url.split_once("//tributary:").unwrap();
    let wrong = format!("{user}//tributary:wrong@{}", rest.split_once('@').unwrap().1);
    assert!(sql(&wrong, "select 'x'").await.is_err());
    servers.stop().await;
}
