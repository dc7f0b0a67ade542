//! Who comes in: by proxies of ours, and how many of one address.

use ipnet::IpNet;
use serde_json::{Value, json};
use tributary::config::Listener;

use super::*;

/// A PROXY header of version 2 that tells an IPv4 address, and something besides.
fn told(ip: [u8; 4]) -> Vec<u8> {
    let rest = [&ip[..], &[127, 0, 0, 1, 0x11, 0x22, 0, 80], &[4, 0, 2, 9, 9]].concat();
    let length = (rest.len() as u16).to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n", &[0x21, 0x11][..], &length, &rest].concat()
}

/// One that tells of nobody.
fn local() -> Vec<u8> {
    [b"\r\n\r\n\0\r\nQUIT\n", &[0x20, 0x00, 0, 0][..]].concat()
}

fn behind_proxies(settings: &mut Settings) {
    settings.listeners.trusted_proxies = vec!["127.0.0.0/8".parse::<IpNet>().unwrap()];
    settings.listeners.proxy_protocol = vec![Listener::Edge, Listener::Admin];
}

fn told_id(answer: &str) -> String {
    let id = answer.split("tributary-hit: ").nth(1).unwrap_or_else(|| panic!("{answer}"));
    id.split("\r\n").next().unwrap().to_owned()
}

/// Until the edge knows the tracking code; its first accepted answer.
async fn accepted(edge: &AnotherEdge, bytes: &[u8]) -> (TcpStream, String) {
    let started = Instant::now();
    loop {
        let mut stream = TcpStream::connect(&edge.address).await.unwrap();
        let answer = say(&mut stream, bytes, "GIF89a").await;
        if answer.contains("tributary-outcome: accepted") {
            return (stream, answer);
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{answer}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_proxy_tells_whose_a_connection_is() {
    let app = App::start().await;
    let seed = app.seed().await;
    let edge = app.another_edge(behind_proxies).await;
    let addresses = async |answer: &str| {
        app.settle_of(&edge.journal).await;
        let hit = app.api("GET", &format!("hits/{}", told_id(answer)), Value::Null).await.json();
        hit["request"]["addresses"].clone()
    };
    let asked = [&told([203, 0, 113, 7])[..], pixel(&seed, "1").as_bytes()].concat();
    let (mut stream, answer) = accepted(&edge, &asked).await;
    assert_eq!(addresses(&answer).await, json!({"peer": "203.0.113.7"}));
    let again = say(&mut stream, pixel(&seed, "2").as_bytes(), "GIF89a").await;
    assert_eq!(addresses(&again).await, json!({"peer": "203.0.113.7"}), "for all its requests");
    let forged = pixel(&seed, "3").replace("Host: x", "Host: x\r\nX-Forwarded-For: 6.6.6.6");
    let forged = say(&mut stream, forged.as_bytes(), "GIF89a").await;
    assert_eq!(addresses(&forged).await, json!({"peer": "203.0.113.7"}), "he is no proxy of ours");

    // A health check speaks for the proxy, which may forward others' requests.
    let forwarded = pixel(&seed, "4").replace("Host: x", "Host: x\r\nX-Forwarded-For: 203.0.113.9");
    let asked = [&local()[..], forwarded.as_bytes()].concat();
    let (_, answer) = accepted(&edge, &asked).await;
    let expected = json!({"peer": "127.0.0.1", "client": "203.0.113.9"});
    assert_eq!(addresses(&answer).await, expected);
}

#[tokio::test]
async fn without_a_proxys_header_nobody_comes_in() {
    let app = App::start().await;
    let seed = app.seed().await;
    let edge = app.another_edge(behind_proxies).await;
    let refused = |reason| {
        let metric = "tributary_connections_refused_total";
        counted(&format!("{metric}{{listener=\"edge\",reason=\"{reason}\"}}"))
    };
    let before = refused("proxy_header");
    let request = pixel(&seed, "1");
    let in_text = format!("PROXY TCP4 203.0.113.7 127.0.0.1 1 2\r\n{request}");
    let mut too_long = told([203, 0, 113, 7]);
    too_long[14..16].copy_from_slice(&[0xff, 0xff]);
    for (what, bytes) in [
        ("none", request.clone().into_bytes()),
        ("version 1", in_text.into_bytes()),
        ("too long", [&too_long[..], request.as_bytes()].concat()),
        ("half of one, and then nothing", told([203, 0, 113, 7])[..20].to_vec()),
    ] {
        let began = Instant::now();
        let mut stream = TcpStream::connect(&edge.address).await.unwrap();
        assert_eq!(say(&mut stream, &bytes, "HTTP").await, "", "{what}");
        assert!(began.elapsed() < Duration::from_secs(8), "{what}");
    }
    assert!(refused("proxy_header") >= before + 4);

    let edge = app
        .another_edge(|settings| {
            behind_proxies(settings);
            settings.listeners.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        })
        .await;
    let before = refused("untrusted");
    let mut stream = TcpStream::connect(&edge.address).await.unwrap();
    let asked = [&told([203, 0, 113, 7])[..], request.as_bytes()].concat();
    assert_eq!(say(&mut stream, &asked, "HTTP").await, "", "we are no proxy of its");
    assert!(refused("untrusted") > before);
}

#[tokio::test]
async fn a_proxys_header_comes_before_tls() {
    let app = App::start().await;
    let seed = app.seed().await;
    let certificate = Certificate::new();
    let (address, _stop) = app
        .another_admin(|settings| {
            behind_proxies(settings);
            certificate.at_admin(settings);
        })
        .await;
    let mut stream = TcpStream::connect(&address).await.unwrap();
    stream.write_all(&told([203, 0, 113, 7])).await.unwrap();
    let mut stream = certificate.secure(stream, &[]).await.unwrap();
    let key = &seed.affiliate_key;
    let asked =
        format!("GET /api/v1/links HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n");
    let answer = say(&mut stream, asked.as_bytes(), "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_no_more() {
    let app = App::start().await;
    let seed = app.seed().await;
    let edge = app
        .another_edge(|settings| {
            behind_proxies(settings);
            settings.listeners.connections_per_address_max = 3;
        })
        .await;
    let asked = |ip| [&told(ip)[..], pixel(&seed, "1").as_bytes()].concat();
    let (crowd, other) = ([203, 0, 113, 7], [203, 0, 113, 8]);
    let refused =
        || counted("tributary_connections_refused_total{listener=\"edge\",reason=\"address\"}");
    let before = refused();
    let mut kept = vec![accepted(&edge, &asked(crowd)).await.0];
    // Those that were asked before the edge knew the code have gone, or are about to.
    tokio::time::sleep(Duration::from_millis(100)).await;
    for _ in 0..2 {
        kept.push(accepted(&edge, &asked(crowd)).await.0);
    }
    for _ in 0..5 {
        let mut stream = TcpStream::connect(&edge.address).await.unwrap();
        assert_eq!(say(&mut stream, &asked(crowd), "HTTP").await, "", "a fourth");
    }
    assert!(refused() >= before + 5);
    accepted(&edge, &asked(other)).await;
    drop(kept.pop());
    accepted(&edge, &asked(crowd)).await;
    // Who comes from this host is a proxy of it.
    let mut local_ones = Vec::new();
    for _ in 0..10 {
        let asked = [&local()[..], pixel(&seed, "1").as_bytes()].concat();
        local_ones.push(accepted(&edge, &asked).await.0);
    }
}

/// haproxy between us and an edge, until it is dropped.
struct Haproxy {
    child: std::process::Child,
    address: String,
    dir: std::path::PathBuf,
}

impl Haproxy {
    fn start(edge: &str) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (dir, address) = (temp_dir("haproxy"), port.local_addr().unwrap().to_string());
        drop(port);
        std::fs::create_dir_all(&dir).unwrap();
        let config = format!(
            "defaults\n mode tcp\n timeout connect 5s\n timeout client 20s\n timeout server 20s\n\
             listen edge\n bind {address}\n server edge {edge} send-proxy-v2\n"
        );
        std::fs::write(dir.join("haproxy.cfg"), config).unwrap();
        let haproxy = ["haproxy", "/usr/sbin/haproxy"].into_iter().find_map(|program| {
            let mut command = std::process::Command::new(program);
            command.arg("-db").arg("-f").arg(dir.join("haproxy.cfg")).spawn().ok()
        });
        let child = haproxy.expect("haproxy: deploy/install.sh attack");
        Haproxy { child, address, dir }
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

#[tokio::test]
#[ignore = "needs haproxy: tests/attack/smuggling.sh runs it"]
async fn haproxy_is_understood() {
    let app = App::start().await;
    let seed = app.seed().await;
    let edge = app
        .another_edge(|settings| {
            behind_proxies(settings);
            settings.listeners.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        })
        .await;
    let haproxy = Haproxy::start(&edge.address);
    let started = Instant::now();
    let answer = loop {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.9:0".parse().unwrap()).unwrap();
        if let Ok(mut stream) = socket.connect(haproxy.address.parse().unwrap()).await {
            let answer = say(&mut stream, pixel(&seed, "1").as_bytes(), "GIF89a").await;
            if answer.contains("tributary-outcome: accepted") {
                break answer;
            }
        }
        assert!(started.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    app.settle_of(&edge.journal).await;
    let hit = app.api("GET", &format!("hits/{}", told_id(&answer)), Value::Null).await.json();
    assert_eq!(hit["request"]["addresses"], json!({"peer": "127.0.0.9"}));
}
