//! Rates of currencies: imported from files and the web, found for days, set by the operator, never changed.

mod fetching; // from the web
mod importing; // from files
mod setting; // by the operator

use std::path::Path;
use std::process::Output;

use jiff::civil::Date;
use tributary::domain::money::Currency;
use tributary::domain::rates::AGE_DAYS_MAX;
use tributary::store::{rates, replay};

use crate::harness::App;

const HISTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/cases/ecb_history.csv");

/// `tributary rates import`, as a process; what it trusts, if that is not what the host does.
async fn import(app: &App, arguments: &[&str], trusts: Option<&Path>) -> (Option<i32>, String) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_tributary"));
    command.args(["rates", "import"]).args(arguments).env_clear();
    command.env("TRIBUTARY_DATABASE_URL", app.settings.database().unwrap());
    if let Some(path) = trusts {
        command.env("SSL_CERT_FILE", path);
    }
    let Output { status, stdout, stderr } = command.output().await.unwrap();
    let said = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (status.code(), said)
}

/// The bank's daily file.
fn daily(day: &str, cubes: &[(&str, &str)]) -> String {
    let cube =
        |(currency, rate): &(&str, &str)| format!("<Cube currency='{currency}' rate='{rate}'/>");
    let cubes: String = cubes.iter().map(cube).collect();
    format!(
        "<?xml version=\"1.0\"?><Envelope><Cube><Cube time='{day}'>{cubes}</Cube></Cube></Envelope>"
    )
}

/// What the books say of rates: from, to, day, and expected the rate with its day and source.
async fn check(app: &App, cases: &[(&str, &str, &str, Option<&str>)]) {
    let currency = |code: &str| Currency::parse(code).unwrap();
    let day = |text: &str| text.parse::<Date>().unwrap();
    let asked: Vec<(Currency, Date)> = cases
        .iter()
        .flat_map(|(from, to, on, _)| [(currency(from), day(on)), (currency(to), day(on))])
        .collect();
    let found = replay::batch(&app.store, false, async |tx| rates::find(tx, &asked).await);
    let found = found.await.unwrap();
    for (from, to, on, expected) in cases {
        let got = found.between(currency(from), currency(to), day(on), AGE_DAYS_MAX);
        let got = got.map(|quoted| format!("{} {} {}", quoted.rate, quoted.on, quoted.source));
        assert_eq!(got.as_deref(), *expected, "{from} {to} {on}");
    }
}
