//! The bank's files, once and again: what days without quotes are worth, and that what is there stands.

use jiff::civil::Date;
use tributary::domain::money::Currency;
use tributary::domain::rates::AGE_DAYS_MAX;
use tributary::store::{rates, replay};

use super::{HISTORY, check, daily, import};
use crate::harness::{App, temp_dir};

#[tokio::test]
async fn the_banks_history_is_carried_over_days_without_quotes() {
    let app = App::start().await;
    let (code, said) = import(&app, &["--file", HISTORY], None).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("1270 rates of 2022-02-21 to 2026-04-10: 1270 are new"), "{said}");
    check(
        &app,
        &[
            // Friday, its weekend, Monday.
            ("EUR", "USD", "2022-02-25", Some("1.1216 2022-02-25 ECB")),
            ("EUR", "USD", "2022-02-26", Some("1.1216 2022-02-25 ECB")),
            ("EUR", "USD", "2022-02-27", Some("1.1216 2022-02-25 ECB")),
            ("EUR", "USD", "2022-02-28", Some("1.1199 2022-02-28 ECB")),
            // 1 / 1.1216 and 129.64 / 1.1216.
            ("USD", "EUR", "2022-02-27", Some("0.8915834522 2022-02-25 ECB")),
            ("USD", "JPY", "2022-02-27", Some("115.5848787 2022-02-25 ECB")),
            // The rouble's last quote is good for seven days.
            ("EUR", "RUB", "2022-03-08", Some("117.201 2022-03-01 ECB")),
            ("EUR", "RUB", "2022-03-09", None),
            // Nothing before the first quote, nothing of what the bank does not quote.
            ("EUR", "USD", "2022-02-20", None),
            ("EUR", "KWD", "2022-02-25", None),
        ],
    )
    .await;
    let holidays = "select to_char(on_date, 'MM-DD') from rates where currency = 'USD'
                    and on_date between '2025-12-23' and '2026-01-02' order by on_date";
    let quoted: Vec<String> = app.rows(holidays).await.iter().map(|row| row.get(0)).collect();
    assert_eq!(quoted, ["12-23", "12-24", "12-29", "12-30", "12-31", "01-02"]);
    let on = async |day: &str| {
        let day: Date = day.parse().unwrap();
        let usd = Currency::parse("USD").unwrap();
        let find =
            replay::batch(&app.store, false, async |tx| rates::find(tx, &[(usd, day)]).await);
        let quoted = find.await.unwrap().between(Currency::EUR, usd, day, AGE_DAYS_MAX);
        quoted.map(|quoted| quoted.on.to_string())
    };
    for (day, expected) in [
        ("2025-12-25", Some("2025-12-24")),
        ("2025-12-28", Some("2025-12-24")),
        ("2026-01-01", Some("2025-12-31")),
        // Good Friday to Easter Monday.
        ("2026-04-06", Some("2026-04-02")),
        ("2026-04-17", Some("2026-04-10")),
        ("2026-04-18", None),
    ] {
        assert_eq!(on(day).await.as_deref(), expected, "{day}");
    }
    // The lev ended with the year: 1 / 1.9558 = 0.51129972389….
    check(
        &app,
        &[
            ("BGN", "EUR", "2026-01-07", Some("0.5112997239 2025-12-31 ECB")),
            ("BGN", "EUR", "2026-01-08", None),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_is_there_stands_whatever_is_imported_again() {
    let app = App::start().await;
    let dir = temp_dir("rates");
    std::fs::create_dir_all(&dir).unwrap();
    let file = dir.join("rates.xml");
    let path = file.display().to_string();
    let (code, _) = import(&app, &["--file", HISTORY], None).await;
    assert_eq!(code, Some(0));
    let (code, said) = import(&app, &["--file", HISTORY], None).await;
    assert_eq!((code, said.contains("0 are new, 1270 were known\n")), (Some(0), true), "{said}");
    let told = [("USD", "1.2"), ("JPY", "183.75"), ("TRL", "5"), ("VND", "30500")];
    std::fs::write(&file, daily("2022-02-25", &told)).unwrap();
    let (code, said) = import(&app, &["--file", &path], None).await;
    assert_eq!(code, Some(0), "{said}");
    for words in [
        "3 rates of 2022-02-25 to 2022-02-25: 1 are new, 2 were known",
        "skipped, no currency of today: TRL",
        "USD on 2022-02-25: 1.1216 by ECB stands, though the file says 1.2",
        "JPY on 2022-02-25: 129.64 by ECB stands, though the file says 183.75",
    ] {
        assert!(said.contains(words), "{said}");
    }
    check(&app, &[("EUR", "USD", "2022-02-25", Some("1.1216 2022-02-25 ECB"))]).await;
    // All of a file, or nothing of it.
    std::fs::write(&file, daily("2022-03-20", &[("USD", "1.1"), ("JPY", "0")])).unwrap();
    let (code, said) = import(&app, &["--file", &path], None).await;
    assert_eq!(
        (code, said.contains("JPY on 2022-03-20: `0` is no rate")),
        (Some(1), true),
        "{said}"
    );
    std::fs::write(&file, daily("2222-03-20", &[("USD", "1.1")])).unwrap();
    let (code, said) = import(&app, &["--file", &path], None).await;
    assert_eq!(
        (code, said.contains("nobody can know rates of 2222-03-20")),
        (Some(1), true),
        "{said}"
    );
    let (code, said) = import(&app, &["--file", "/nonexistent"], None).await;
    assert_eq!((code, said.contains("cannot read /nonexistent")), (Some(1), true), "{said}");
    let count: i64 = app.rows("select count(*) from rates").await[0].get(0);
    assert_eq!(count, 1271);
    let logged: i64 =
        app.rows("select count(*) from audit_log where resource = 'rates'").await[0].get(0);
    assert_eq!(logged, 0, "an import is nobody's doing");
    std::fs::remove_dir_all(dir).unwrap();
}

/// Two imports of the same at once: each row once, and neither fails.
#[tokio::test]
async fn imports_at_once_do_not_meet() {
    let app = App::start().await;
    let one = || import(&app, &["--file", HISTORY], None);
    let (a, b, c) = tokio::join!(one(), one(), one());
    assert_eq!([a.0, b.0, c.0], [Some(0); 3], "{} {} {}", a.1, b.1, c.1);
    let count: i64 = app.rows("select count(*) from rates").await[0].get(0);
    assert_eq!(count, 1270);
}
