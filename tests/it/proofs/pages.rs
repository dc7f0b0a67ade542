//! What strangers wrote, as others get it: a spreadsheet takes no formula from it, a page no link and no script,
//! a log no secret, and a terminal no command.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use crate::harness::{App, Seed, http, temp_dir};
use crate::replay::{click, pixel, rewrite};

/// In every one of them, so that it can be looked for.
const MARK: &str = "canary7f3a";
/// Formulas, markup, and what a terminal obeys.
const WRITTEN: [&str; 26] = [
    "=cmd|' /C calc'!A0",
    "=HYPERLINK(\"https://evil.example\",\"x\")",
    "+1+1",
    "-2+3",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\u{ff1d}1+1",
    "\u{ff0b}1",
    "\"=1+1",
    "\",=1+1",
    "'=1+1",
    ";=1+1",
    "x;=1+1;y",
    "x\t=1+1",
    "x,\"=1+1\",y",
    "x\n=1+1",
    "\u{1b}[31m",
    "\u{1b}]0;x\u{7}",
    "\u{9b}2J",
    "\u{202e}",
    "\u{8}\u{8}\u{7f}",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
];

fn encode(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

/// Clicks, pixels, forms and postbacks with all of them, in every field that a stranger has.
async fn write_everywhere(edge: &str, seed: &Seed) {
    let bearer = format!("Bearer {}", seed.secret);
    for (n, written) in WRITTEN.iter().enumerate() {
        let text = encode(&format!("{written}{MARK}"));
        let plain: String = written.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect();
        let plain = format!("{}{MARK}", plain.trim());
        let seen = [
            ("user-agent", &*plain),
            ("referer", &*plain),
            ("accept-language", &*plain),
            ("x-forwarded-for", "203.0.113.77"),
        ];
        let subs = format!("s1={text}&s2={text}&s3={text}&s4={text}&s5={text}");
        let url = format!("{edge}/c/{}?{subs}&url={text}", seed.link_code);
        let clicked = http("GET", &url, &seen, b"").await;
        let cookie = clicked.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let fields =
            format!("amount=1{n}&id={text}&coupon={text}&customer={text}&items={text}&p1={text}");
        let seen = [&seen[..], &[("cookie", cookie.as_str())]].concat();
        let url = format!("{edge}/t/{}", seed.code);
        http("GET", &format!("{url}.gif?{fields}"), &seen, b"").await;
        http("POST", &url, &seen, fields.as_bytes()).await;
        http("GET", &format!("{edge}/t/{text}.gif?{fields}"), &seen, b"").await;
        http("GET", &format!("{edge}/c/{text}?{fields}"), &seen, b"").await;
        let url = format!("{edge}/postback/{}", seed.code);
        let known = [&seen[..], &[("authorization", bearer.as_str())]].concat();
        http("POST", &url, &known, fields.as_bytes()).await;
        http("POST", &url, &seen, format!("{fields}&key={}x", seed.secret).as_bytes()).await;
    }
}

/// What stands at the beginning of each cell, whether cells are parted by commas, semicolons or tabs.
fn beginnings(csv: &str) -> Vec<char> {
    let (mut quoted, mut begins, mut found) = (false, true, Vec::new());
    for c in csv.chars() {
        if begins {
            found.push(c);
        }
        quoted ^= c == '"';
        begins = !quoted && [',', ';', '\t', '\n', '\r'].contains(&c);
    }
    found
}

#[tokio::test]
async fn a_report_has_no_formula() {
    let app = App::start().await;
    let seed = app.seed().await;
    write_everywhere(&app.edge_url, &seed).await;
    app.settle().await;
    let mut cells = 0;
    for group in ["s1", "s2", "s3", "s4", "s5", "day", "program", "link"] {
        let path = format!("reports/commissions?group_by={group}&format=csv");
        let answer = app.api("GET", &path, Value::Null).await;
        assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
        let text = answer.text();
        assert!(
            beginnings(&text).iter().all(|c| "\"\r\n".contains(*c) || c.is_ascii_digit()),
            "{text}"
        );
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        for record in reader.records() {
            let record = record.unwrap();
            let signs = ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}'];
            assert!(!record[0].starts_with(signs), "{:?}", &record[0]);
            for number in record.iter().skip(3) {
                assert!(number.parse::<rust_decimal::Decimal>().is_ok(), "{number}");
            }
            cells += record.len();
        }
        if group == "s1" {
            for formula in ["'=cmd|' /C calc'!A0", "'+1+1", "'-2+3", "'@SUM(1+1)"] {
                assert!(text.contains(&format!("\"{formula}{MARK}\"")), "{formula} in {text}");
            }
        }
    }
    assert!(cells > WRITTEN.len() * 5 * 10 / 2, "{cells}");
}

#[tokio::test]
async fn a_page_has_no_link_and_no_markup_of_a_strangers() {
    let app = App::start().await;
    let seed = app.seed().await;
    write_everywhere(&app.edge_url, &seed).await;
    app.settle().await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("key={}", app.admin_key);
    let answer = http("POST", &format!("{}/sign-in", app.admin_url), &form, body.as_bytes()).await;
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let mut paths = vec![
        "/operator".to_owned(),
        format!("/advertiser/{}", seed.advertiser_id),
        format!("/affiliate/{}", seed.affiliate_id),
    ];
    let sql = "select id::text from hits where program_id is not null order by id";
    for row in app.rows(sql).await {
        paths.push(format!("/advertiser/{}/hits/{}", seed.advertiser_id, row.get::<_, &str>(0)));
    }
    let mut marked = 0;
    for path in &paths {
        let url = format!("{}{path}", app.admin_url);
        let page = http("GET", &url, &[("cookie", cookie.as_str())], b"").await;
        assert_eq!(page.status, 200, "{path}");
        let text = page.text();
        marked += usize::from(text.contains(MARK));
        for markup in ["<script>alert", "<img", "onerror=alert(1)>"] {
            assert!(!text.contains(markup), "{path}: {markup}");
        }
        for attribute in ["href=\"", "src=\"", "action=\"", "formaction=\""] {
            for value in text.split(attribute).skip(1) {
                let value = value.split('"').next().unwrap();
                let ours = value.starts_with(['/', '#']) && !value.starts_with("//");
                // The icon that there is none.
                assert!(ours || value == "data:,", "{path}: {value}");
                assert!(!value.contains(MARK), "{path}: {value}");
            }
        }
    }
    assert!(
        paths.len() > 100 && marked > 50,
        "{} pages, {marked} with what was written",
        paths.len()
    );
}

/// A sub-command against the servers of a test.
fn command(app: &App, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
    let settings = &app.settings;
    command.args(arguments).env_clear();
    command.env("TRIBUTARY_DATABASE_URL", settings.database().unwrap());
    command.env("TRIBUTARY_REDIS_URL", settings.redis().unwrap());
    command.env("TRIBUTARY_REDIS_STREAM", format!("{}:pages", settings.redis_stream));
    command.env("TRIBUTARY_TOKEN_KEYS", settings.token_keys.as_ref().unwrap());
    command.env("TRIBUTARY_ADMIN_KEY", &app.admin_key);
    command
}

/// What makes a terminal do something, or text look like other text.
fn acts(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[tokio::test]
async fn a_log_is_json_and_holds_nothing_of_a_strangers() {
    let app = App::start().await;
    let seed = app.seed().await;
    let log = temp_dir("log");
    let (edge, admin, ops) = (free_address(), free_address(), free_address());
    let mut command = command(&app, &["all"]);
    for (flag, value) in [("edge", &edge), ("admin", &admin), ("ops", &ops)] {
        command.arg(format!("--{flag}-listen={value}"));
    }
    let journal = temp_dir("log-journal");
    command.arg(format!("--journal-dir={}", journal.display())).arg("--log=trace");
    command.args([
        "--trusted-proxies=127.0.0.0/8",
        "--edge-number=9",
        "--junk-address-per-second=0",
        "--junk-per-second=0",
        "--journal-segment-bytes=1048576",
    ]);
    let out = std::fs::File::create(&log).unwrap();
    let mut child = command.stdout(out.try_clone().unwrap()).stderr(out).spawn().unwrap();
    let began = Instant::now();
    let url = format!("http://{edge}/c/{}", seed.link_code);
    let asked = async || tributary::dev::client::send("HEAD", &url, &[], b"").await;
    while asked().await.is_ok_and(|answer| answer.status == 302).eq(&false) {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{}",
            std::fs::read_to_string(&log).unwrap()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    write_everywhere(&format!("http://{edge}"), &seed).await;
    for path in ["/sign-in", "/advertiser/1", "/api/v1/hits?outcome=%1b[31mcanary7f3a"] {
        http(
            "GET",
            &format!("http://{admin}{path}"),
            &[("authorization", "Bearer canary7f3a")],
            b"",
        )
        .await;
    }
    let settled = async || app.rows("select count(*) from hits").await[0].get::<_, i64>(0);
    while settled().await < 7 * WRITTEN.len() as i64 {
        assert!(began.elapsed() < Duration::from_secs(60), "{}", settled().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let text = std::fs::read_to_string(&log).unwrap();
    let _ = (std::fs::remove_file(&log), std::fs::remove_dir_all(&journal));
    assert!(!text.chars().any(acts), "{text}");
    for line in text.lines() {
        let line: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(line["level"].is_string() && line["timestamp"].is_string(), "{line}");
    }
    assert!(text.contains("\"running\""), "{text}");
    let password = |url: &str| url::Url::parse(url).unwrap().password().map(str::to_owned).unwrap();
    let secrets = [
        MARK.to_owned(),
        "203.0.113.77".to_owned(),
        seed.secret.clone(),
        app.admin_key.clone(),
        app.settings.token_keys.clone().unwrap(),
        password(app.settings.redis().unwrap()),
        password(app.settings.database().unwrap()),
        format!("tr_{}", seed.program_id),
        "1.test.".to_owned(),
    ];
    for secret in &secrets {
        assert!(!text.contains(secret.as_str()), "{secret} is in the log:\n{text}");
    }
    let root = rustix::process::geteuid().is_root();
    assert_eq!(
        text.contains("runs as root"),
        root,
        "it says when it has more rights than it needs"
    );
}

#[tokio::test]
async fn a_terminal_obeys_nobody() {
    let app = App::start().await;
    let seed = app.seed().await;
    write_everywhere(&app.edge_url, &seed).await;
    let cookie = click(&app, &seed).await;
    for written in WRITTEN {
        pixel(&app, &seed.code, &format!("amount=100&id=x{}{MARK}", encode(written)), &cookie)
            .await;
    }
    app.settle().await;
    rewrite(&app, "amount=100", "amount=250").await;
    let range = ["replay", "--from=1970-01-01T00:00:00Z", "--to=2100-01-01T00:00:00Z"];
    let odd = ["config", "check", "--redis-stream=\u{1b}[31mx\u{7}"];
    for (arguments, code, word) in [
        (&range[..], 2, MARK),
        (&["audit"], 0, "hit_without_outcome: ok"),
        (&odd, 0, "redis_stream"),
    ] {
        let output = command(&app, arguments).stdin(Stdio::null()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(word), "{said}");
        assert!(!said.chars().any(acts), "{said:?}");
    }
}
