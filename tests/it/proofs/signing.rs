//! The examples of signed pixels in docs/INTEGRATION.md, as they stand there, each run by its own language: what
//! they print is sent to the edge, which must believe it, and must not believe it once a field is changed.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::line::Line;
use crate::harness::{App, Seed};

// The document's Rust, compiled; that it is the document's is tested below.
#[path = "../cases/signing.rs"]
mod example;

const DOCUMENT: &str = include_str!("../../../docs/INTEGRATION.md");

/// Interpreters with what has to follow an example: it takes a list of argument lists, and prints a list of
/// results.
const LANGUAGES: [(&str, &str, &[&str], &str); 4] = [
    (
        "php",
        "php",
        &["-n"],
        "echo json_encode(array_map(fn($a) => pixel(...$a), json_decode(stream_get_contents(STDIN))));",
    ),
    (
        "python",
        "python3",
        &[],
        "import json, sys\nprint(json.dumps([pixel(*a) for a in json.load(sys.stdin)]))",
    ),
    (
        "js",
        "node",
        &[],
        "console.log(JSON.stringify(JSON.parse(require('fs').readFileSync(0)).map((a) => pixel(...a))));",
    ),
    (
        "ruby",
        "ruby",
        &[],
        "require 'json'\nputs JSON.parse($stdin.read).map { |a| pixel(*a) }.to_json",
    ),
];

/// Order ids, amounts and currencies as shops have them.
const SALES: [(&str, &str, &str); 12] = [
    ("11001", "19.95", "USD"),
    ("R 2026/11 & more", "19.95", "EUR"),
    ("a\"b'c<d>e", "1.00", "USD"),
    ("50%+1", "1,234.50", "USD"),
    ("Bestellung-äöü-注文-🛒", "12,34", "EUR"),
    ("e\u{301}", "3", "USD"),
    ("two\nlines", "3.50", "USD"),
    (" spaces ", "3.50", ""),
    ("a=b;c#d?e", "7.", "GBP"),
    ("%41&amp;", "+19.95", "USD"),
    ("円", "1980", "JPY"),
    ("no amount", "", "USD"),
];

/// The example of a language, as the document has it.
fn block(language: &str) -> &'static str {
    let section = DOCUMENT.split("\n## Signing\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let fence = format!("```{language}\n");
    let block = section.split(&fence).nth(1).unwrap_or_else(|| panic!("no example in {language}"));
    block.split("```").next().unwrap()
}

/// What an example makes of argument lists; nothing where its interpreter is not there.
fn run(language: usize, arguments: &[[String; 5]]) -> Option<Vec<String>> {
    let (name, program, flags, rest) = LANGUAGES[language];
    let path = crate::harness::temp_dir(name);
    std::fs::write(&path, format!("{}\n{rest}", block(name))).unwrap();
    let mut command = Command::new(program);
    command.args(flags).arg(&path).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = command.spawn() else { return None };
    child.stdin.take().unwrap().write_all(json!(arguments).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let _ = std::fs::remove_file(&path);
    assert!(output.status.success(), "{name} failed");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// What a browser makes of the tag: the address in it.
fn address(tag: &str) -> String {
    let src = tag.split("src=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(!src.contains(['<', '>', '\n', ' ']), "{src}");
    let mut address = src.to_owned();
    for (entity, character) in [("&quot;", "\""), ("&#039;", "'"), ("&#39;", "'"), ("&amp;", "&")] {
        address = address.replace(entity, character);
    }
    let target = address.strip_prefix("https://track.example").unwrap_or_else(|| panic!("{tag}"));
    target.to_owned()
}

/// Sends what an example made of the sales, and the same with one field changed.
async fn believed(app: &App, seed: &Seed, name: &str, tags: &[String]) {
    let mut line = Line::to_edge(app).await;
    for ((id, amount, _), tag) in SALES.iter().zip(tags) {
        let target = address(tag);
        let expected =
            if amount.is_empty() { "rejected; reason=amount_missing" } else { "accepted" };
        let said = line.get(&target, "").await;
        assert_eq!(said.all("tributary-outcome"), [expected], "{name} {id:?}: {target}");
        for (field, other) in [("amount=", "amount=9"), ("id=", "id=x"), ("ts=1", "ts=2")] {
            let changed = target.replacen(field, other, 1);
            let said = line.get(&changed, "").await;
            let refused = said.all("tributary-outcome")[0].to_owned();
            assert_eq!(refused, "rejected; reason=signature_invalid", "{name} {id:?}: {changed}");
        }
    }
    app.settle().await;
    let sql = "select order_id from conversions where verified order by order_id";
    let kept: Vec<String> = app.rows(sql).await.iter().map(|row| row.get(0)).collect();
    let paid = SALES.iter().filter(|(_, amount, _)| !amount.is_empty());
    let mut sent: Vec<String> = paid.map(|(id, ..)| prefixed(name, id)).collect();
    for id in &mut sent {
        *id = tributary::domain::intake::normal_order_id(id.trim()).unwrap();
        assert!(kept.contains(id), "{name}: {id:?} is not verified");
    }
    let claims = app.rows("select 1 from conversions where not verified").await;
    assert_eq!(claims.len(), 0, "{}", seed.code);
}

fn prefixed(name: &str, id: &str) -> String {
    format!("{name} {id}")
}

fn arguments(seed: &Seed, name: &str) -> Vec<[String; 5]> {
    let arguments = SALES.iter().map(|(id, amount, currency)| {
        [&seed.code, &seed.secret, &prefixed(name, id), *amount, *currency].map(str::to_owned)
    });
    arguments.collect()
}

#[tokio::test]
async fn the_documented_examples_are_believed() {
    let app = App::start().await;
    let seed = app.seed().await;
    let mut ran = Vec::new();
    for (at, (name, ..)) in LANGUAGES.iter().enumerate() {
        if let Some(tags) = run(at, &arguments(&seed, name)) {
            assert_eq!(tags.len(), SALES.len());
            believed(&app, &seed, name, &tags).await;
            ran.push(*name);
        }
    }
    let tags: Vec<String> = arguments(&seed, "rust")
        .iter()
        .map(|[code, secret, id, amount, currency]| {
            example::pixel(code, secret, id, amount, currency)
        })
        .collect();
    believed(&app, &seed, "rust", &tags).await;
    assert!(ran.contains(&"js"), "node is there wherever these tests run");
    println!("signed pixels: rust, {} with {} sales each, believed", ran.join(", "), SALES.len());
    let counted = app.api("GET", "hits?outcome=converted&limit=500", Value::Null).await.json();
    let paid = SALES.iter().filter(|(_, amount, _)| !amount.is_empty()).count();
    assert_eq!(counted["data"].as_array().unwrap().len(), paid * (ran.len() + 1));
}

#[test]
fn the_compiled_example_is_that_of_the_document() {
    assert_eq!(block("rust"), include_str!("../cases/signing.rs"));
}
