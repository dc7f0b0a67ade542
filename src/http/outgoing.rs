//! Asking others: one `GET` for a file, by HTTP/1.1, a connection for each request. Bounded in time, size and
//! redirects, and never led from https to http. What is said of a failure names the host and no more of an
//! address.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::{Host, Url};

use super::tls::Trusted;
use super::{BodyFault, read_body};

/// Redirects that are followed.
const REDIRECTS_MAX: usize = 3;
/// For a connection, the handshake included, and the answer's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// For an answer's body.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// What is wrong with an address that is to be asked, if anything.
pub fn fault(url: &Url) -> Option<&'static str> {
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    let names_user = !url.username().is_empty() || url.password().is_some();
    match (is_web, names_user) {
        (false, _) => Some("must be an absolute http or https URL"),
        (true, true) => Some("must not name a user or a password"),
        (true, false) => None,
    }
}

/// The body behind an address, at most `bytes_max` of it.
pub async fn get(url: &Url, bytes_max: usize) -> Result<Bytes, String> {
    let mut url = url.clone();
    for _ in 0..=REDIRECTS_MAX {
        let host = url.host_str().unwrap_or_default().to_owned();
        let told = |fault: String| format!("{host}: {fault}");
        let asking = timeout(HEAD_TIMEOUT, ask(&url)).await;
        let answer = asking.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        let answer = answer.map_err(told)?;
        let status = answer.status();
        if status == StatusCode::OK {
            let body = read_body(answer.into_body(), bytes_max, BODY_TIMEOUT).await;
            return body.map_err(|fault| {
                told(match fault {
                    BodyFault::TooLarge => format!("the answer has more than {bytes_max} bytes"),
                    BodyFault::TimedOut => "the answer did not come in time".to_owned(),
                    BodyFault::Broken => "the answer broke off".to_owned(),
                })
            });
        }
        url = led_to(&url, &answer).map_err(told)?;
    }
    Err(format!("more than {REDIRECTS_MAX} redirects"))
}

/// Where an answer that is none leads.
fn led_to(url: &Url, answer: &Response<Incoming>) -> Result<Url, String> {
    let status = answer.status();
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Err(format!("answered {status}"));
    }
    let location = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
    let next = location.and_then(|to| url.join(to).ok()).ok_or("leads to no address")?;
    match fault(&next) {
        Some(_) => Err("leads to where nobody may be asked".to_owned()),
        None if url.scheme() == "https" && next.scheme() == "http" => {
            Err("leads from https to http".to_owned())
        }
        None => Ok(next),
    }
}

async fn ask(url: &Url) -> Result<Response<Incoming>, String> {
    let port = url.port_or_known_default().ok_or("has no port")?;
    // Without the brackets of an IPv6 address.
    let host = match url.host().ok_or("has no host")? {
        Host::Domain(name) => name.to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    let stream = TcpStream::connect((host.as_str(), port)).await;
    let stream = stream.map_err(|error| format!("cannot connect: {error}"))?;
    match url.scheme() {
        "https" => {
            let stream = Trusted::of_host()?.connect(&host, stream).await?;
            exchange(url, TokioIo::new(stream)).await
        }
        _ => exchange(url, TokioIo::new(stream)).await,
    }
}

async fn exchange<S>(url: &Url, stream: S) -> Result<Response<Incoming>, String>
where
    S: Read + Write + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| format!("no answer: {error}");
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let request = Request::get(target)
        .header(header::HOST, authority)
        .header(header::USER_AGENT, concat!("tributary/", env!("CARGO_PKG_VERSION")))
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| format!("cannot be asked: {error}"))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(stream).await.map_err(broken)?;
    // It ends with the answer, or when that is dropped.
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_web_is_asked() {
        for (url, good) in [
            ("https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml", true),
            ("http://127.0.0.1:8000/x", true),
            ("file:///etc/passwd", false),
            ("ftp://x.example/", false),
            ("data:,x", false),
            ("https://user:password@x.example/", false),
        ] {
            assert_eq!(fault(&url.parse().unwrap()).is_none(), good, "{url}");
        }
    }
}
