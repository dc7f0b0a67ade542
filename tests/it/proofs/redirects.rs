//! No stranger chooses where a buyer is sent: every `Location` of more than a thousand hostile clicks and forms
//! names a host that is allowed, as three parsers read it (Rust's, WHATWG's in node, and Python's), and no header
//! comes out that was not meant.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tributary::domain::hit::{Hit, Kind, Method, Part};
use tributary::domain::redirect;
use url::Url;
use url::form_urlencoded::byte_serialize;

use super::line::{Line, Said};
use crate::harness::App;

const EVIL: &str = "evil.example";
const ALLOWED: [&str; 2] = ["shop.example", "blog.example"];

fn encode(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

/// What stands before the evil host, and what may stand behind it. `H` is an allowed host.
const BEFORE: [&str; 62] = [
    "https://",
    "http://",
    "HTTPS://",
    "hTtP://",
    "//",
    "///",
    "////",
    "/\\",
    "\\/",
    "\\\\",
    "\\\\\\",
    "/\t/",
    "/\n/",
    "/\r/",
    "\t//",
    "\r\n//",
    " //",
    "\u{0}//",
    "\u{b}//",
    "https:",
    "https:/",
    "https:///",
    "https:\\\\",
    "https:/\\",
    "https:\t//",
    "h\nttps://",
    "ht\ttp://",
    "https://H@",
    "https://H:443@",
    "https://H:80%40",
    "https://H%40",
    "https://H\\@",
    "https://H/@",
    "https://H#@",
    "https://H?@",
    "https://H;@",
    "https://H\t@",
    "https://H\r\n@",
    "https://H\u{0}@",
    "https://user:pass@",
    "https://H:@",
    "https://@H@",
    "https://H.",
    "https://H-",
    "https://Hx",
    "https://x.H.",
    "https://H%2e",
    "https://H%00.",
    "https://H\u{3002}",
    "https://H\u{ff0e}",
    "https://H%E3%80%82",
    "https://H&",
    "https://H,",
    "https://H|",
    "https://H\u{2215}.",
    "https://H\u{ff0f}.",
    "https://H%2f.",
    "https://H%5c.",
    "https://[::ffff:1.2.3.4]@",
    "ftp://",
    "ws://",
    "file://",
];
const BEHIND: [&str; 12] = [
    "",
    "/",
    "/?H",
    "#H",
    "/https://H/",
    ":443/",
    ":8443",
    "./",
    "\u{3002}",
    "?url=https://H/",
    "\\.H",
    "%00.H",
];
/// Addresses that are evil as they are.
const WHOLE: [&str; 44] = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "java\nscript:alert(1)",
    "\u{1}javascript:alert(1)",
    "javascript://shop.example/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "data://shop.example/text/html,x",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "blob:https://shop.example/x",
    "about:blank",
    "view-source:https://shop.example/",
    "intent://shop.example/#Intent;end",
    "mailto:a@shop.example",
    "https://shop.example:8443/",
    "https://shop.example:22/",
    "http://shop.example/",
    "https://shop.example:0/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[shop.example]/",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://017700000001/",
    "https://127.1/",
    "https://\u{455}hop.example/",
    "https://sh\u{43e}p.example/",
    "https://xn--hop-8cd.example/",
    "https://shop.\u{435}xample/",
    "https://sh\u{200b}op.example.evil.example/",
    "https://shop.example\u{202e}/",
    "https://shop..example/",
    "https://shop.example../",
    "https://.shop.example/",
    "https://shop-example/",
    "https://shopexample/",
    "https://www.shop.example/",
    "https://a.blog.example/",
    "https://blog.example.\u{3002}/",
    "https:shop.example",
    "https://shop.example%23.evil.example/",
    "https://\u{ff45}vil.example/",
];

/// All of them, each way encoded once, twice, and as it stands.
fn hostile() -> Vec<String> {
    let mut texts: Vec<String> = WHOLE.iter().map(|text| (*text).to_owned()).collect();
    for before in BEFORE {
        for behind in BEHIND {
            for host in ALLOWED {
                texts.push(format!("{before}{EVIL}{behind}").replace('H', host));
            }
        }
    }
    texts.push(format!("https://{EVIL}/{}", "a".repeat(3_000)));
    texts.push(format!("https://{}{EVIL}/", "shop.example.".repeat(200)));
    texts.push(format!("https://{}@{EVIL}/", "shop.example:".repeat(200)));
    texts
}

/// Headers that some servers build addresses from.
const HEADERS: [&str; 5] = [
    "",
    "X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: javascript\r\n",
    "Forwarded: host=evil.example;proto=http\r\nX-Host: evil.example\r\n",
    "X-Original-URL: https://evil.example/\r\nX-Rewrite-URL: //evil.example/\r\n",
    "Referer: https://evil.example/\r\nOrigin: https://evil.example\r\n",
];

/// The one `Location` of an answer, with nothing else that a stranger wrote among its headers.
fn location(said: &Said, status: u16, sent: &str) -> String {
    assert_eq!(said.status, status, "{sent}");
    let found = said.all("location");
    assert_eq!(found.len(), 1, "{sent}");
    for (name, value) in &said.headers {
        let name = name.to_ascii_lowercase();
        assert!(
            !name.starts_with("x-evil") && !value.contains("evil=1"),
            "{sent}: {name}: {value}"
        );
    }
    let cookies = said.all("set-cookie");
    assert!(cookies.iter().all(|cookie| cookie.starts_with("tr_")), "{sent}: {cookies:?}");
    assert!(found[0].bytes().all(|b| (0x21..0x7f).contains(&b)), "{sent}: {}", found[0]);
    found[0].to_owned()
}

/// The hosts of addresses as another language reads them.
fn hosts(program: &str, flag: &str, script: &str, locations: &[String]) -> Vec<String> {
    let mut command = Command::new(program);
    command.args([flag, script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{program}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let text = json!(locations).to_string();
    let writing = std::thread::spawn(move || stdin.write_all(text.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Whether all parsers agree that each address is on an allowed host.
fn all_allowed(locations: &[String], sent: &[String]) {
    let node = "const all = JSON.parse(require('fs').readFileSync(0));
        console.log(JSON.stringify(all.map((one) => {
          const url = new URL(one, 'https://edge.invalid/');
          return url.protocol + '//' + url.username + url.password + url.hostname + url.port;
        })));";
    let python = "import json, sys\nfrom urllib.parse import urlsplit\n\
        def read(one):\n    p = urlsplit(one)\n    return f'{p.scheme}://{p.netloc}'\n\
        print(json.dumps([read(one) for one in json.load(sys.stdin)]))";
    let rust = |text: &String| {
        let url = Url::parse(text).unwrap();
        format!("{}://{}{}", url.scheme(), url.username(), url.host_str().unwrap())
    };
    let mut readings = vec![("rust", locations.iter().map(rust).collect())];
    readings.push(("node", hosts("node", "-e", node, locations)));
    readings.push(("python", hosts("python3", "-c", python, locations)));
    for (parser, hosts) in readings {
        assert_eq!(hosts.len(), sent.len());
        for ((host, location), sent) in hosts.iter().zip(locations).zip(sent) {
            let plain = host.strip_prefix("https://").or_else(|| host.strip_prefix("http://"));
            let good = plain.is_some_and(|host| ALLOWED.contains(&host));
            assert!(good, "{parser} reads {host} in {location} for {sent:?}");
        }
    }
}

#[tokio::test]
async fn no_click_leads_where_it_must_not() {
    let app = App::start().await;
    let seed = app.seed_with(json!({"allowed_hosts": ["blog.example"]})).await;
    let mut line = Line::to_edge(&app).await;
    let (mut sent, mut locations) = (Vec::new(), Vec::new());
    for (at, text) in hostile().iter().enumerate() {
        let (once, twice) = (encode(text), encode(&encode(text)));
        let polluted = format!("url={once}&url=https%3A%2F%2Fblog.example%2F");
        let as_it_stands: String =
            text.chars().filter(|c| c.is_ascii_graphic() && !"&#".contains(*c)).collect();
        let forms = [
            format!("url={once}"),
            format!("url={twice}"),
            polluted,
            format!("url={as_it_stands}"),
        ];
        let query = &forms[at % forms.len()];
        let extra = if query.len() < 4_000 { HEADERS[at % HEADERS.len()] } else { "" };
        let target = format!("/c/{}?{query}", seed.link_code);
        locations.push(location(&line.get(&target, extra).await, 302, &target));
        sent.push(target);
        if at % forms.len() != 0 {
            let target = format!("/c/{}?url={once}", seed.link_code);
            locations.push(location(&line.get(&target, "").await, 302, &target));
            sent.push(target);
        }
    }
    let good = format!("/c/{}?url={}", seed.link_code, encode("https://blog.example/p?x=1"));
    let landed = location(&line.get(&good, HEADERS[1]).await, 302, &good);
    assert!(landed.starts_with("https://blog.example/p?x=1&tclid="), "deep links do work");
    assert!(sent.len() >= 1_000);
    all_allowed(&locations, &sent);
    println!("open redirect: {} clicks, no host but ours, by 3 parsers", sent.len());
}

/// What a buyer's browser might send as an order id, an amount or a currency.
fn values() -> Vec<String> {
    let mut values: Vec<String> = WHOLE.iter().map(|text| (*text).to_owned()).collect();
    for before in BEFORE {
        values.push(format!("{before}{EVIL}").replace('H', "shop.example"));
        values.push(format!("@{EVIL}{before}"));
    }
    for text in [
        "\r\nX-Evil: evil=1",
        "\nX-Evil: evil=1",
        "\rSet-Cookie: evil=1",
        "%0d%0aX-Evil: evil=1",
        "\u{560a}\u{560d}X-Evil: evil=1",
        "\r\n\r\n<script>evil=1",
        "\u{2028}X-Evil: evil=1",
        "\u{85}X-Evil: evil=1",
        "..",
        "../..",
        "../../",
        "..\\..",
        ".",
        "./",
        "..%2f..%2f",
        "%2e%2e/",
        "\u{ff0e}\u{ff0e}/",
        "{id}",
        "{amount}",
        "{currency}",
        "{{id}}",
        "/../..//evil.example",
        "?",
        "#",
        "#@evil.example",
        ":80@evil.example",
        "\0",
    ] {
        values.push(text.to_owned());
    }
    values
}

#[tokio::test]
async fn no_form_leads_where_it_must_not() {
    let app = App::start().await;
    let seed = app.seed().await;
    let mut codes = vec![seed.code.clone()];
    for template in [
        "https://shop.example/{id}/{amount}/{currency}",
        "https://shop.example/{id}{amount}",
        "http://blog.example?{id}#{amount}",
        "https://shop.example#{id}",
        "https://shop.example/a/{currency}/../{id}?to={id}",
    ] {
        let code = json!({"program_id": seed.program_id, "name": "Form", "redirect_url": template});
        codes.push(app.create("tracking-codes", code).await["code"].as_str().unwrap().to_owned());
    }
    // The link last: an edge that knows it knows the rest.
    let link = json!({"program_id": seed.program_id, "affiliate_id": seed.affiliate_id});
    let link: Value = app.create("links", link).await;
    app.wait_for_link(link["code"].as_str().unwrap()).await;
    let mut line = Line::to_edge(&app).await;
    let (mut sent, mut locations) = (Vec::new(), Vec::new());
    for (at, value) in values().iter().enumerate() {
        let value = encode(value);
        for (which, code) in codes.iter().enumerate() {
            let fields = format!("id={value}&amount={value}&currency={value}");
            let (query, body) = if (at + which) % 2 == 0 { ("", &*fields) } else { (&*fields, "") };
            let target = format!("/t/{code}?{query}");
            let said = line.post(&target, HEADERS[at % HEADERS.len()], body).await;
            sent.push(format!("{target} {body}"));
            locations.push(location(&said, 303, &sent[sent.len() - 1]));
        }
    }
    assert!(sent.len() >= 1_000);
    all_allowed(&locations, &sent);
    println!("open redirect: {} forms, no host but ours, by 3 parsers", sent.len());
}

#[test]
fn no_redirect_url_is_taken_whose_host_a_stranger_could_choose() {
    let mut taken = 0;
    let mut hit = Hit::new(1, 1, Kind::Form, Method::Post);
    hit.set(Part::Body, b"id=.evil.example&amount=%40evil.example&currency=%2Fevil.example");
    let places = [
        "{id}",
        "{amount}",
        "{currency}",
        "%7Bid%7D",
        "{id}.",
        "@{id}",
        ":{amount}",
        "\t{id}",
        "{x}",
    ];
    for before in BEFORE {
        for place in places {
            for behind in BEHIND {
                let template =
                    format!("{before}shop.example{place}{behind}").replace('H', "blog.example");
                if redirect::fault(&template).is_some() {
                    continue;
                }
                taken += 1;
                let plain = template.replace(['{', '}'], "");
                let expected = Url::parse(&plain).unwrap();
                let filled =
                    redirect::fill(&template, &hit).unwrap_or_else(|| panic!("{template}"));
                assert_eq!(filled.origin(), expected.origin(), "{template}");
                assert!(filled.username().is_empty() && filled.password().is_none(), "{template}");
            }
        }
    }
    assert!(taken > 0, "some of them are harmless");
}
