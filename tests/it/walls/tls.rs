//! TLS on the listeners, and what is agreed on over it.

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::sync::watch;
use tributary::roles::{self, Health};

use super::*;

/// One answer by HTTP/2: its status, its headers as text, its body.
async fn ask(
    stream: TlsStream<TcpStream>,
    request: Request<Full<bytes::Bytes>>,
) -> (u16, String, String) {
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let headers = format!("{:?}", head.headers);
    (head.status.as_u16(), headers, String::from_utf8_lossy(&body).into_owned())
}

fn request(
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Request<Full<bytes::Bytes>> {
    let uri = format!("https://localhost{target}");
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(bytes::Bytes::copy_from_slice(body.as_bytes()))).unwrap()
}

#[tokio::test]
async fn the_edge_speaks_both_protocols_over_tls() {
    let app = App::start().await;
    let seed = app.seed().await;
    let certificate = Certificate::new();
    let edge = app.another_edge(|settings| certificate.at_edge(settings)).await;
    let link = format!("/c/{}", seed.link_code);
    let (h2, h1): ([&[u8]; 2], [&[u8]; 1]) = ([b"h2", b"http/1.1"], [b"http/1.1"]);
    let started = Instant::now();
    loop {
        let stream = certificate.connect(&edge.address, &h2).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (status, headers, _) = ask(stream, request("HEAD", &link, &[], "")).await;
        if status == 302 {
            assert!(headers.contains("tclid="), "{headers}");
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(20));
    }
    for (id, protocols) in [("1", &h1[..]), ("2", &[])] {
        let mut stream = certificate.connect(&edge.address, protocols).await.unwrap();
        let answer = say(&mut stream, pixel(&seed, id).as_bytes(), "GIF89a").await;
        assert!(answer.contains("tributary-outcome: accepted"), "{answer}");
        let again = say(&mut stream, pixel(&seed, id).as_bytes(), "GIF89a").await;
        assert!(again.starts_with("HTTP/1.1 200"), "the connection is kept: {again}");
    }
    let secret = format!("Bearer {}", seed.secret);
    for (method, target, headers, body, expected) in [
        ("GET", format!("/t/{}.gif?amount=1&id=3", seed.code), vec![], "", 200),
        ("POST", format!("/t/{}", seed.code), vec![], "amount=1&id=4", 303),
        (
            "POST",
            format!("/postback/{}", seed.code),
            vec![("authorization", &*secret)],
            "amount=1&id=5",
            200,
        ),
        ("DELETE", format!("/t/{}", seed.code), vec![], "", 405),
        ("GET", "/nothing".to_owned(), vec![], "", 404),
        ("HEAD", "/tag.js".to_owned(), vec![], "", 200),
        ("GET", format!("/t/x?{}", "a".repeat(9_000)), vec![], "", 414),
    ] {
        let mut headers = headers;
        headers.push(("content-type", "application/x-www-form-urlencoded"));
        let stream = certificate.connect(&edge.address, &h2).await.unwrap();
        let (status, told, _) = ask(stream, request(method, &target, &headers, body)).await;
        assert_eq!(status, expected, "{method} {target}: {told}");
    }
    app.settle_of(&edge.journal).await;
    let conversions = app.rows("select count(*) from conversions").await;
    assert_eq!(conversions[0].get::<_, i64>(0), 5, "each order once");
    let mut plain = TcpStream::connect(&edge.address).await.unwrap();
    let answer = say(&mut plain, pixel(&seed, "9").as_bytes(), "HTTP/1.1 200").await;
    assert!(!answer.contains("HTTP"), "in the clear there is no answer: {answer}");
}

#[tokio::test]
async fn the_portal_is_the_same_by_http2() {
    let app = App::start().await;
    let seed = app.seed().await;
    let certificate = Certificate::new();
    let (address, _stop) = app.another_admin(|settings| certificate.at_admin(settings)).await;
    let connect = async || certificate.connect(&address, &[b"h2"]).await.unwrap();
    let body = format!("key={}", seed.affiliate_key);
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        // No `Sec-Fetch-Site`, and no `Host`: HTTP/2 has an authority.
        ("origin", "https://localhost"),
    ];
    let (status, told, _) =
        ask(connect().await, request("POST", "/sign-in", &headers, &body)).await;
    assert_eq!(status, 303, "a page of our own: {told}");
    let cookie = told.split("__Host-tributary=").nth(1).unwrap().split(';').next().unwrap();
    let cookie = format!("__Host-tributary={cookie}");
    // As browsers cut it in HTTP/2.
    let crumbs = [("cookie", "a=b"), ("cookie", &*cookie), ("cookie", "c=d")];
    let (status, told, _) = ask(connect().await, request("GET", "/affiliate", &crumbs, "")).await;
    assert_eq!(status, 200, "signed in: {told}");
    let forged = [headers[0], ("origin", "https://evil.example")];
    let (status, ..) = ask(connect().await, request("POST", "/sign-in", &forged, &body)).await;
    assert_eq!(status, 403);
    let (status, told, _) = ask(connect().await, request("GET", "/api/v1/links", &[], "")).await;
    assert_eq!(status, 401, "{told}");
}

#[tokio::test]
async fn a_new_certificate_is_used_and_a_bad_one_is_not() {
    let app = App::start().await;
    let mut certificate = Certificate::new();
    let mut settings = app.settings.clone();
    settings.listeners.ops_tls_cert = Some(certificate.cert.clone());
    settings.listeners.ops_tls_key = Some(certificate.key.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (_stop, stopped) = watch::channel(false);
    let metrics = crate::harness::metrics();
    let serving = async move {
        roles::ops(&settings, Health::default(), metrics, listener, stopped).await.unwrap();
    };
    tokio::spawn(serving);
    let alive = async |certificate: &Certificate| {
        let mut stream = certificate.connect(&address, &[]).await.ok()?;
        let asked = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
        say(&mut stream, asked, "\r\n\r\n").await.starts_with("HTTP/1.1 ").then_some(())
    };
    assert_eq!(alive(&certificate).await, Some(()));
    let ends = "tributary_tls_not_after_seconds{listener=\"ops\"}";
    assert_eq!(counted(ends), 2_208_988_800, "2040-01-01");

    let reloads = |result| {
        counted(&format!("tributary_tls_reloads_total{{listener=\"ops\",result=\"{result}\"}}"))
    };
    certificate.renew();
    let started = Instant::now();
    while alive(&certificate).await.is_none() {
        assert!(started.elapsed() < Duration::from_secs(15), "the new one is not used");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(reloads("ok"), 1);

    // Another's key.
    let other = Certificate::new();
    std::fs::copy(&other.key, &certificate.key).unwrap();
    let started = Instant::now();
    while reloads("failed") == 0 {
        assert!(started.elapsed() < Duration::from_secs(15), "nobody complains");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(alive(&certificate).await, Some(()), "the old one serves on");
    assert_eq!((reloads("ok"), reloads("failed")), (1, 1));
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_stops_the_start() {
    let app = App::start().await;
    let (one, two) = (Certificate::new(), Certificate::new());
    for (cert, key) in [(&one.cert, &two.key), (&one.key, &one.key), (&one.cert, &one.cert)] {
        let mut settings = app.settings.clone();
        settings.listeners.edge_tls_cert = Some(cert.clone());
        settings.listeners.edge_tls_key = Some(key.clone());
        let error = roles::check(&settings).unwrap_err().to_string();
        assert!(error.starts_with("--edge-tls-cert: "), "{error}");
    }
    let mut settings = app.settings.clone();
    settings.listeners.admin_tls_cert = Some(one.cert.clone());
    let error = settings.resolve().unwrap_err().to_string();
    assert!(error.starts_with("--admin-tls-cert: "), "{error}");
    let mut settings = app.settings.clone();
    one.at_admin(&mut settings);
    let error = settings.clone().resolve().unwrap_err().to_string();
    assert_eq!(error, "--admin-url: must be https where --admin-tls-cert is given");
    settings.admin_url = "https://portal.example".to_owned();
    settings.resolve().unwrap();
    assert_eq!(json!(app.settings)["edge_tls_cert"], json!(null));
}

#[tokio::test]
async fn who_does_not_shake_hands_is_dropped() {
    let app = App::start().await;
    let certificate = Certificate::new();
    let edge = app
        .another_edge(|settings| {
            certificate.at_edge(settings);
            settings.header_timeout_seconds = 2;
        })
        .await;
    let started = Instant::now();
    let silent = TcpStream::connect(&edge.address).await.unwrap();
    // He agrees on HTTP/2, and says nothing of it.
    let dumb = certificate.connect(&edge.address, &[b"h2"]).await.unwrap();
    let end = async |mut stream: Box<dyn Duplex>| {
        say(&mut stream, b"", "never").await;
        started.elapsed()
    };
    let (silent, dumb) = tokio::join!(end(Box::new(silent)), end(Box::new(dumb)));
    assert!((Duration::from_secs(4)..Duration::from_secs(10)).contains(&silent), "{silent:?}");
    assert!((Duration::from_secs(1)..Duration::from_secs(10)).contains(&dumb), "{dumb:?}");
}

trait Duplex: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Duplex for S {}
