//! A plain HTTP/1.1 client: one request, one connection, no redirects followed. For `tributary dev`, which
//! makes its demo data through the admin API as anybody would, and for the tests.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use serde_json::Value;

const TIMEOUT: Duration = Duration::from_secs(20);

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Sends a request to an `http://` address.
pub async fn send(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer, String> {
    let exchange = exchange(method, url, headers, body);
    let answer = tokio::time::timeout(TIMEOUT, exchange).await;
    answer
        .unwrap_or_else(|_| Err("no answer in time".to_owned()))
        .map_err(|e| format!("{method} {url}: {e}"))
}

async fn exchange(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer, String> {
    let text = |e: &dyn std::fmt::Display| e.to_string();
    let uri: hyper::Uri = url.parse().map_err(|e| text(&e))?;
    let authority = uri.authority().ok_or("not an absolute address")?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request =
        Request::builder().method(method).uri(path).header("host", authority.as_str());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = Full::new(Bytes::copy_from_slice(body));
    let request = request.body(body).map_err(|e| text(&e))?;
    let address = (authority.host(), authority.port_u16().unwrap_or(80));
    let stream = tokio::net::TcpStream::connect(address).await.map_err(|e| text(&e))?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|e| text(&e))?;
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(|e| text(&e))?;
    let (head, body) = answer.into_parts();
    let body = body.collect().await.map_err(|e| text(&e))?.to_bytes().to_vec();
    connection.abort();
    let value =
        |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = head.headers.iter().map(|(n, v)| (n.to_string(), value(v))).collect();
    Ok(Answer { status: head.status.as_u16(), headers, body })
}
