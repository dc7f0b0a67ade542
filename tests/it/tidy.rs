//! House rules, checked: what is not checked is not a rule. Each failure names the file and the rule.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tributary::domain::reason::{Outcome, Reason};
use tributary::telemetry::METRICS;

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;
const PARAMETERS_MAX: usize = 5;

/// Which modules of ours each may import. Everything may be wired by `main` and `roles`.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &["domain"]),
    ("config", &["domain"]),
    ("telemetry", &["domain"]),
    ("http", &["pulse", "telemetry"]),
    ("journal", &["journal", "dir_lock", "domain", "failpoint", "pulse"]),
    ("dir_lock", &[]),
    ("pulse", &[]),
    ("queue", &[]),
    ("store", &["store", "domain", "failpoint", "telemetry"]),
    ("edge", &["edge", "domain", "failpoint", "http", "journal", "telemetry"]),
    ("forwarder", &["failpoint", "journal", "pulse", "queue", "store", "telemetry"]),
    ("worker", &["domain", "failpoint", "queue", "store", "telemetry"]),
    ("replay", &["replay", "domain", "store"]),
    ("random", &["domain"]),
    ("admin", &["admin", "domain", "http", "random", "store"]),
    ("portal", &["portal", "domain", "http", "random", "store", "telemetry"]),
    ("dev", &["dev", "config", "dir_lock", "domain", "http"]),
];

/// What is named in one place only.
const ONE_HOME: &[(&str, &[&str])] = &[
    ("redis::", &["src/queue.rs"]),
    ("tokio_postgres", &["src/store/"]),
    ("deadpool_postgres", &["src/store/"]),
    ("std::env", &["src/config.rs"]),
    ("SystemTime::now", &["src/edge/visit.rs", "src/roles/mod.rs"]),
    ("Timestamp::now", &[]),
    ("metrics::", &["src/telemetry.rs"]),
    ("fail::", &["src/failpoint.rs"]),
    ("rustls::", &["src/http/tls.rs", "src/http/tls/"]),
    ("rustls_native_certs::", &["src/http/tls/"]),
    ("quick_xml::", &["src/domain/ecb.rs"]),
    ("governor::", &["src/http/budget.rs"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files below a folder with one of the endings, with their text.
fn files(folder: &str, endings: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path: PathBuf = entry.path();
            if path.is_dir() && !path.ends_with("node_modules") {
                folders.push(path);
            } else if endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)) {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn rust() -> Vec<(String, String)> {
    [files("src", &[".rs"]), files("tests", &[".rs"]), files("benches", &[".rs"])].concat()
}

/// The text before its unit tests.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap()
}

/// The code of a line, without what is said about it.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap()
}

fn module_of(file: &str) -> &str {
    let path = file.strip_prefix("src/").unwrap_or(file);
    path.split(['/', '.']).next().unwrap()
}

fn report(rule: &str, broken: Vec<String>) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

#[test]
fn modules_import_only_what_they_may() {
    let mut broken = Vec::new();
    for (file, text) in files("src", &[".rs"]) {
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(module, _)| *module == module_of(&file))
        else {
            continue;
        };
        for line in without_tests(&text).lines().map(code) {
            for (at, _) in line.match_indices("crate::") {
                let rest = &line[at + 7..];
                let names: Vec<&str> = match rest.strip_prefix('{') {
                    Some(list) => list.split(',').collect(),
                    None => vec![rest],
                };
                for name in names {
                    let name = name.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next();
                    if let Some(name) = name.filter(|n| !n.is_empty() && !allowed.contains(n)) {
                        broken.push(format!("{file} imports {name}"));
                    }
                }
            }
        }
    }
    report("a module imports what it must not know", broken);
}

#[test]
fn every_technology_has_one_home() {
    let mut broken = Vec::new();
    for (file, text) in files("src", &[".rs"]) {
        for (name, homes) in ONE_HOME {
            let at_home = homes.iter().any(|home| file.starts_with(home));
            let named = without_tests(&text).lines().any(|line| code(line).contains(name));
            if named && !at_home {
                broken.push(format!("{file} names {name}"));
            }
        }
        if file.starts_with("src/domain/") && text.contains("async fn") {
            broken.push(format!("{file} waits"));
        }
    }
    report("a technology is named outside its home", broken);
}

#[test]
fn files_and_functions_stay_small() {
    let mut broken = Vec::new();
    for (file, text) in [rust(), files("sql", &[".sql"])].concat() {
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            broken.push(format!("{file} has {lines} lines"));
        }
    }
    for (file, text) in rust() {
        for function in functions(&text) {
            if function.lines > FUNCTION_LINES_MAX && !file.starts_with("tests/") {
                broken.push(format!("{file}: {} has {} lines", function.name, function.lines));
            }
            if function.parameters > PARAMETERS_MAX {
                broken.push(format!(
                    "{file}: {} has {} parameters",
                    function.name, function.parameters
                ));
            }
        }
    }
    report("too large", broken);
}

struct Function {
    name: String,
    lines: usize,
    parameters: usize,
}

/// Functions as rustfmt lays them out: from the line with `fn` to the brace at the same indent.
fn functions(text: &str) -> Vec<Function> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(fn_at) = code(line).find("fn ").filter(|at| {
            line[..*at].trim_end().is_empty()
                || line[..*at].trim_start().starts_with("pub")
                || line[..*at].trim_start().starts_with("async")
                || line[..*at].trim_start().starts_with("const")
        }) else {
            continue;
        };
        let indent = &line[..line.len() - line.trim_start().len()];
        let end = lines[at..].iter().position(|l| *l == format!("{indent}}}"));
        let Some(end) = end else { continue };
        let name = line[fn_at + 3..].split(['(', '<']).next().unwrap().to_owned();
        found.push(Function {
            name,
            lines: end + 1,
            parameters: parameters(&lines[at..].join("\n")),
        });
    }
    found
}

/// Parameters of the function at the start of `text`, `self` not counted: single colons at the first level.
fn parameters(text: &str) -> usize {
    let (mut depth, mut names) = (0, 0);
    for c in text[text.find('(').unwrap_or(0)..].replace("::", "").replace("->", "").chars() {
        match c {
            '(' | '<' | '[' => depth += 1,
            ')' | '>' | ']' => depth -= 1,
            ':' if depth == 1 => names += 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

#[test]
fn nothing_panics_by_hand_outside_tests() {
    let words = [".unwrap()", ".expect(", "todo!", "unimplemented!", "dbg!", "panic!", "println!"];
    let mut broken = Vec::new();
    for (file, text) in files("src", &[".rs"]) {
        for (number, line) in without_tests(&text).lines().enumerate() {
            let prints = file == "src/main.rs" || file.starts_with("src/dev");
            for word in words.iter().filter(|word| !(prints && **word == "println!")) {
                if code(line).contains(word) {
                    broken.push(format!("{file}:{}: {word}", number + 1));
                }
            }
        }
    }
    report("not outside tests", broken);
}

/// What a secret is called.
const SECRET_NAMES: [&str; 9] =
    ["secret", "digest", "hash", "sig", "signature", "bearer", "password", "mac", "tag"];

#[test]
fn secrets_are_compared_in_constant_time() {
    let names_secret = |text: &str, last: bool| {
        if text.trim_start().starts_with('"') {
            return false; // A text is no secret.
        }
        let mut words =
            text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty());
        let word = if last { words.next_back() } else { words.next() };
        let is =
            |word: &str| SECRET_NAMES.iter().any(|name| word.split('_').next_back() == Some(name));
        word.is_some_and(is)
    };
    let mut broken = Vec::new();
    for (file, text) in files("src", &[".rs"]) {
        for (number, line) in without_tests(&text).lines().enumerate() {
            let line = code(line);
            for (at, _) in line.match_indices("==").chain(line.match_indices("!=")) {
                let (left, right) = (line[..at].trim_end(), &line[at + 2..]);
                // `verify_slice`, `verify_truncated_left` and `ct_eq` do not stop at the first difference.
                if names_secret(left, true) || names_secret(right, false) {
                    broken.push(format!("{file}:{}: {}", number + 1, line.trim()));
                }
            }
        }
    }
    report("a secret is compared by a comparison that ends early", broken);
}

#[test]
fn every_statement_is_one_file_used_once_and_named() {
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    for (_, text) in files("src", &[".rs"]) {
        for part in text.split("include_str!(\"").skip(1) {
            let path = part.split('"').next().unwrap();
            if let Some(at) = path.find("sql/") {
                *uses.entry(path[at..].to_owned()).or_default() += 1;
            }
        }
    }
    let mut broken = Vec::new();
    for (file, text) in files("sql", &[".sql"]) {
        let name = file.trim_start_matches("sql/").trim_end_matches(".sql").replace('/', ".");
        if file.starts_with("sql/migrations/") {
            continue;
        }
        if uses.remove(&file) != Some(1) {
            broken.push(format!("{file} is not used exactly once"));
        }
        if !text.starts_with(&format!("-- {name}: ")) {
            broken.push(format!("{file} does not begin with `-- {name}: why`"));
        }
    }
    broken.extend(uses.keys().map(|file| format!("{file} does not exist")));
    report("sql", broken);
}

#[test]
fn what_outsiders_rely_on_is_documented() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap_or_default();
    let operating = read("docs/OPERATING.md");
    let integration = read("docs/INTEGRATION.md");
    let example = read("deploy/tributary.env.example");
    let mut broken = Vec::new();
    for (metric, _) in METRICS {
        if !operating.contains(&format!("`{metric}")) {
            broken.push(format!("docs/OPERATING.md lacks {metric}"));
        }
    }
    let config = files("src/config", &[".rs"]).into_iter().map(|(_, text)| text);
    let config: String = config.chain([read("src/config.rs")]).collect();
    for part in config.split("env = \"").skip(1) {
        let variable = part.split('"').next().unwrap();
        if !example.contains(variable) || !operating.contains(variable) {
            broken.push(format!("{variable} is not in the example and in docs/OPERATING.md"));
        }
    }
    let reasons = Reason::ALL.iter().map(|reason| reason.code());
    for code in reasons.chain(Outcome::ALL.iter().map(|outcome| outcome.code())) {
        if !integration.contains(&format!("`{code}`")) {
            broken.push(format!("docs/INTEGRATION.md lacks {code}"));
        }
    }
    report("not documented", broken);
}

/// Of two types of one name in the description of the API the later would stand for both.
#[test]
fn schemas_have_names_of_their_own() {
    let mut seen = BTreeMap::new();
    let mut broken = Vec::new();
    for (file, text) in rust() {
        for derived in text.split("#[derive(").skip(1) {
            let (derives, rest) = derived.split_once(")]").unwrap();
            if !derives.contains("ToSchema") {
                continue;
            }
            let mut words = rest.split_whitespace();
            words.find(|word| ["struct", "enum"].contains(word)).unwrap();
            let name = words.next().unwrap().split('<').next().unwrap().to_owned();
            if let Some(other) = seen.insert(name.clone(), file.clone()) {
                broken.push(format!("{name} is in {other} and in {file}"));
            }
        }
    }
    assert!(seen.len() > 40, "{}", seen.len());
    report("one name for two schemas", broken);
}

#[test]
fn every_metric_that_is_recorded_is_listed() {
    let text = fs::read_to_string(root().join("src/telemetry.rs")).unwrap();
    let listed = |name: &str| METRICS.iter().any(|(metric, _)| *metric == name);
    let named = text.split('"').filter(|part| part.starts_with("tributary_"));
    let unlisted: Vec<String> = named.filter(|n| !listed(n)).map(str::to_owned).collect();
    report("recorded but not in METRICS", unlisted);
}

#[test]
fn documents_have_one_title_and_modules_a_meaning() {
    let mut broken = Vec::new();
    for (file, text) in [files("docs", &[".md"]), files(".", &["README.md"])].concat() {
        let (mut titles, mut in_code) = (0, false);
        for line in text.lines() {
            in_code ^= line.starts_with("```");
            titles += usize::from(!in_code && line.starts_with("# "));
        }
        if titles != 1 && !file.contains("target/") {
            broken.push(format!("{file} has {titles} titles"));
        }
    }
    for (file, text) in rust() {
        let name = Path::new(&file).file_stem().unwrap().to_string_lossy().into_owned();
        if ["util", "utils", "common", "helpers", "misc"].contains(&name.as_str()) {
            broken.push(format!("{file} says nothing by its name"));
        }
        if !text.starts_with("//!") {
            broken.push(format!("{file} does not say what it is"));
        }
    }
    report("meaning", broken);
}
