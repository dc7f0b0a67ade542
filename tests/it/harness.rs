//! A private database, the portal on a free port, and a small HTTP client. PostgreSQL itself is given by
//! `TRIBUTARY_TEST_POSTGRES` (a URL without a database).

#![allow(dead_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tributary::domain::sign;
use tributary::http;
use tributary::portal::{self, Portal};
use tributary::store::{Store, migrate};

static NEXT: AtomicU32 = AtomicU32::new(0);

pub struct App {
    pub edge_url: String,
    pub admin_url: String,
    pub admin_key: String,
    pub database_url: String,
    pub store: Store,
    _stop: watch::Sender<bool>,
}

impl App {
    pub async fn start() -> App {
        let server =
            std::env::var("TRIBUTARY_TEST_POSTGRES").expect("a PostgreSQL to test against");
        let name = format!("it_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let (client, connection) =
            tokio_postgres::connect(&format!("{server}/postgres"), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        client.batch_execute(&format!("create database {name}")).await.unwrap();
        let database_url = format!("{server}/{name}");
        let store = Store::new(&database_url, 4).unwrap();
        migrate::run(&store).await.unwrap();
        App::serve(store, database_url).await
    }

    pub async fn serve(store: Store, database_url: String) -> App {
        let admin_key = "the-operators-first-key-of-forty-characters".to_owned();
        let portal = Arc::new(Portal {
            store: store.clone(),
            public_base: "https://track.example".to_owned(),
            operator_key_hash: Some(sign::digest(admin_key.as_bytes())),
            body_timeout: Duration::from_secs(5),
        });
        let fixed = std::env::var("TRIBUTARY_TEST_PORT").unwrap_or("0".to_owned());
        let listener = TcpListener::bind(format!("127.0.0.1:{fixed}")).await.unwrap();
        let admin_url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = watch::channel(false);
        let limits = http::Limits {
            connections_max: 64,
            header_timeout: Duration::from_secs(5),
            drain: Duration::from_secs(1),
        };
        tokio::spawn(http::serve(listener, limits, stopped, move |request, _| {
            let portal = portal.clone();
            async move { portal::answer(&portal, request).await }
        }));
        App {
            edge_url: "https://track.example".to_owned(),
            admin_url,
            admin_key,
            database_url,
            store,
            _stop: stop,
        }
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub async fn http(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host).await.unwrap();
    let mut head = format!(
        "{method} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let at = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&bytes[..at]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Answer { status, headers, body: bytes[at + 4..].to_vec() }
}
