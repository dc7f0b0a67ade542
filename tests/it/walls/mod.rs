//! The walls of the listeners: TLS and HTTP/2, proxies, numbers of connections, budgets of requests.

mod budgets;
mod door;
mod http2;
mod limits;
mod tls;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tributary::config::Settings;

use crate::harness::{AnotherEdge, App, Seed, http, temp_dir};

/// A certificate of `localhost` in files of its own.
struct Certificate {
    cert: PathBuf,
    key: PathBuf,
    der: CertificateDer<'static>,
}

impl Certificate {
    fn new() -> Self {
        let dir = temp_dir("tls");
        std::fs::create_dir_all(&dir).unwrap();
        let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
        let der = Certificate::write(&cert, &key);
        Certificate { cert, key, der }
    }

    /// Puts another one into the files.
    fn renew(&mut self) {
        self.der = Certificate::write(&self.cert, &self.key);
    }

    fn write(cert: &PathBuf, key: &PathBuf) -> CertificateDer<'static> {
        let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2040, 1, 1);
        let pair = rcgen::KeyPair::generate().unwrap();
        let made = params.self_signed(&pair).unwrap();
        std::fs::write(cert, made.pem()).unwrap();
        std::fs::write(key, pair.serialize_pem()).unwrap();
        made.der().clone()
    }

    fn at_edge(&self, settings: &mut Settings) {
        settings.listeners.edge_tls_cert = Some(self.cert.clone());
        settings.listeners.edge_tls_key = Some(self.key.clone());
    }

    fn at_admin(&self, settings: &mut Settings) {
        settings.listeners.admin_tls_cert = Some(self.cert.clone());
        settings.listeners.admin_tls_key = Some(self.key.clone());
    }

    /// Shakes hands on a connection, trusting this certificate only.
    async fn secure(
        &self,
        stream: TcpStream,
        protocols: &[&[u8]],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions().unwrap();
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    /// Connects, and speaks the first of the protocols that the server speaks too.
    async fn connect(
        &self,
        address: &str,
        protocols: &[&[u8]],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        self.secure(TcpStream::connect(address).await?, protocols).await
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.cert.parent().unwrap());
    }
}

/// Sends bytes, and reads until a text has come or the connection ends.
async fn say<S>(stream: &mut S, bytes: &[u8], until: &str) -> String
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let _ = stream.write_all(bytes).await;
    let (mut answer, mut chunk) = (String::new(), [0; 4096]);
    while !answer.contains(until) {
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut chunk)).await;
        match read.expect("neither an answer nor an end") {
            Ok(0) | Err(_) => break,
            Ok(length) => answer.push_str(&String::from_utf8_lossy(&chunk[..length])),
        }
    }
    answer
}

/// A pixel's request.
fn pixel(seed: &Seed, id: &str) -> String {
    format!("GET /t/{}.gif?amount=1&id={id} HTTP/1.1\r\nHost: x\r\n\r\n", seed.code)
}

/// Waits until an edge knows what there is.
async fn ready(edge: &AnotherEdge, seed: &Seed) {
    let url = format!("{}/c/{}", edge.url, seed.link_code);
    let started = Instant::now();
    while http("HEAD", &url, &[], b"").await.status != 302 {
        assert!(started.elapsed() < Duration::from_secs(20), "the edge does not learn of the link");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// How often something was counted under a metric, with its labels as they are written.
fn counted(metric: &str) -> u64 {
    let rendered = crate::harness::metrics().render();
    let line = rendered.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
    line.map_or(0, |value| value.parse::<f64>().unwrap() as u64)
}
