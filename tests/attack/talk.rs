//! One connection, in bytes: what is said, and every answer that comes back.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a connection came to.
#[derive(Debug, Default)]
pub struct Talk {
    pub said: Vec<u8>,
    /// The server closed it, in order or not; otherwise the time was over.
    pub closed: bool,
}

/// Says something and listens until the server closes, or says nothing for `patience`.
pub async fn say(address: &str, bytes: &[u8], half_close: bool, patience: Duration) -> Talk {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.set_nodelay(true);
    let mut talk = Talk::default();
    let (mut reader, mut writer) = stream.split();
    // A server may answer, and close, before it has read all.
    let writing = async {
        let _ = writer.write_all(bytes).await;
        if half_close {
            let _ = writer.shutdown().await;
        }
    };
    let reading = async {
        let mut chunk = [0; 16 << 10];
        while let Ok(read) = tokio::time::timeout(patience, reader.read(&mut chunk)).await {
            match read {
                Ok(length) if length > 0 => talk.said.extend_from_slice(&chunk[..length]),
                _ => {
                    talk.closed = true;
                    break;
                }
            }
        }
    };
    tokio::join!(writing, reading);
    talk
}

impl Talk {
    /// The statuses of its answers, in their order. No body of ours has a status line in it.
    pub fn statuses(&self) -> Vec<u16> {
        let line = b"HTTP/1.1 ";
        let begins = self.said.windows(line.len() + 3).filter(|window| window.starts_with(line));
        let status = |window: &[u8]| std::str::from_utf8(&window[line.len()..]).ok()?.parse().ok();
        begins.filter_map(status).collect()
    }

    /// The values of a header, of all answers.
    pub fn headers(&self, name: &str) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.said);
        let value = |line: &str| {
            let (other, value) = line.split_once(": ")?;
            other.eq_ignore_ascii_case(name).then(|| value.to_owned())
        };
        text.split("\r\n").filter_map(value).collect()
    }
}
