//! One connection to the edge, and one request after another on it, as bytes.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::harness::App;

pub struct Line(BufReader<TcpStream>);

/// What came back. Header names as they were sent.
pub struct Said {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Said {
    /// The values of all headers of this name.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let same = |(other, _): &&(String, String)| other.eq_ignore_ascii_case(name);
        self.headers.iter().filter(same).map(|(_, value)| &**value).collect()
    }
}

impl Line {
    pub async fn to_edge(app: &App) -> Line {
        let address = app.edge_url.trim_start_matches("http://");
        Line(BufReader::new(TcpStream::connect(address).await.unwrap()))
    }

    /// A `GET` of a path with its query, as they stand.
    pub async fn get(&mut self, target: &str, headers: &str) -> Said {
        self.ask(format!("GET {target} HTTP/1.1\r\nHost: track.example\r\n{headers}\r\n")).await
    }

    /// An urlencoded form.
    pub async fn post(&mut self, target: &str, headers: &str, body: &str) -> Said {
        let length = body.len();
        let form = "Content-Type: application/x-www-form-urlencoded\r\n";
        self.ask(format!(
            "POST {target} HTTP/1.1\r\nHost: track.example\r\n{form}{headers}Content-Length: {length}\r\n\r\n{body}"
        ))
        .await
    }

    async fn ask(&mut self, request: String) -> Said {
        self.0.get_mut().write_all(request.as_bytes()).await.unwrap();
        let status = self.line().await;
        let status = status.split(' ').nth(1).unwrap_or_else(|| panic!("{status:?} to {request}"));
        let mut said = Said { status: status.parse().unwrap(), headers: vec![], body: vec![] };
        loop {
            let line = self.line().await;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("{line:?}"));
            said.headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let length = said.all("content-length").first().map_or(0, |n| n.parse().unwrap());
        said.body = vec![0; length];
        self.0.read_exact(&mut said.body).await.unwrap();
        said
    }

    async fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line).await.unwrap();
        assert!(line.ends_with(b"\r\n"), "the connection ended: {line:?}");
        line.truncate(line.len() - 2);
        assert!(!line.iter().any(u8::is_ascii_control), "{line:?}");
        String::from_utf8_lossy(&line).into_owned()
    }
}
