//! The bank's files from the web: redirects, sizes, broken answers, and whom to believe.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{daily, import};
use crate::harness::{App, temp_dir};

/// Answers each connection by the path that it asks for.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, asked: Arc<AtomicUsize>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    asked.fetch_add(1, Ordering::SeqCst);
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let file = daily("2026-01-02", &[("USD", "1.1721"), ("JPY", "183.75")]);
    let led =
        |to: &str| format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
    let answer = match path.as_str() {
        "/daily.xml?x=1" | "/daily.xml" => {
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{file}", file.len())
        }
        "/3" => led("/2"),
        "/2" => led("1"),
        "/1" => led("/daily.xml?x=1"),
        "/4" => led("/3"),
        "/file" => led("file:///etc/passwd"),
        "/plain" => led("http://localhost/daily.xml"),
        "/short" => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{file}", file.len() + 1),
        "/large" => "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n".to_owned(),
        "/html" => "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>".to_owned(),
        "/no-http" => "220 ready\r\n".to_owned(),
        _ => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
    };
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// A server of the bank's files, with TLS if it has a certificate; its address, and how often it was asked.
async fn bank(tls: Option<TlsAcceptor>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let scheme = if tls.is_some() { "https" } else { "http" };
    let address = format!("{scheme}://localhost:{}", listener.local_addr().unwrap().port());
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (tls, counted) = (tls.clone(), counted.clone());
            tokio::spawn(async move {
                match tls {
                    None => answer(stream, counted).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            answer(stream, counted).await;
                        }
                    }
                }
            });
        }
    });
    (address, asked)
}

#[tokio::test]
async fn files_are_fetched_and_nobody_is_led_astray() {
    let app = App::start().await;
    let (bank, asked) = bank(None).await;
    for (path, code, words, times) in [
        ("/4", 1, "more than 3 redirects", 4),
        ("/file", 1, "leads to where nobody may be asked", 1),
        ("/nothing", 1, "answered 404", 1),
        ("/large", 1, "more than 16777216 bytes", 1),
        ("/short", 1, "broke off", 1),
        ("/html", 1, "breaks off", 1),
        ("/no-http", 1, "no answer", 1),
        ("/3", 0, "2 rates of 2026-01-02 to 2026-01-02: 2 are new, 0 were known", 4),
        ("/daily.xml", 0, "0 are new, 2 were known", 1),
    ] {
        asked.store(0, Ordering::SeqCst);
        let (got, said) = import(&app, &["--url", &format!("{bank}{path}")], None).await;
        assert_eq!(got, Some(code), "{path}: {said}");
        assert!(said.contains(words), "{path}: {said}");
        assert_eq!(asked.load(Ordering::SeqCst), times, "{path}");
    }
    for url in ["ftp://localhost/x", "nonsense", "http://me:secret-word@localhost/"] {
        let (got, said) = import(&app, &["--rates-url", url], None).await;
        assert_eq!(got, Some(64), "{url}: {said}");
        assert!(said.contains("--rates-url: ") && !said.contains("secret-word"), "{said}");
    }
}

#[tokio::test]
async fn over_tls_only_whom_this_host_trusts_is_believed() {
    let app = App::start().await;
    let dir = temp_dir("rates-tls");
    std::fs::create_dir_all(&dir).unwrap();
    let of = |name: &str| {
        let params = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let made = params.self_signed(&key).unwrap();
        let path = dir.join(format!("{name}.pem"));
        std::fs::write(&path, made.pem()).unwrap();
        let config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(
                    vec![made.der().clone()],
                    PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
                )
                .unwrap();
        (path, TlsAcceptor::from(Arc::new(config)))
    };
    let (trusted, right) = of("localhost");
    let (other_name, wrong) = of("bank.example");
    let (bank_url, _) = bank(Some(right)).await;
    let (other_url, asked) = bank(Some(wrong)).await;
    let url = format!("{bank_url}/daily.xml");
    let (code, said) = import(&app, &["--url", &url], Some(&trusted)).await;
    assert_eq!((code, said.contains("2 are new")), (Some(0), true), "{said}");
    for (url, trusts, words) in [
        (&url, &other_name, "no TLS"),
        (&format!("{other_url}/daily.xml"), &other_name, "no TLS"),
        (&url, &dir.join("nothing.pem"), "this host trusts nobody"),
        (&format!("{bank_url}/plain"), &trusted, "leads from https to http"),
    ] {
        let (code, said) = import(&app, &["--url", url], Some(trusts)).await;
        assert_eq!((code, said.contains(words)), (Some(1), true), "{url}: {said}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0, "nothing is asked of a stranger");
    std::fs::remove_dir_all(dir).unwrap();
}
