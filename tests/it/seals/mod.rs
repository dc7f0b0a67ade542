//! Transfers that have come to rest are sealed, whatever else goes on, and an outsider computes the same.

mod audits;
mod sealing;

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio_postgres::{Client, NoTls};
use tributary::store::seals::{self, Sealer};

use crate::harness::App;

const SEED: &str = include_str!("../cases/seed.sql");
/// For what takes a moment; far more than it ever should.
const PATIENCE: Duration = Duration::from_secs(20);
/// Another advertiser with a program.
const ANOTHER: &str = "insert into advertisers (id, name, currency, timezone) values (11, 'Other', 'EUR', 'UTC');
     insert into programs (id, advertiser_id, name, landing_url) values (13, 11, 'Program', 'https://other.example/');
     insert into plans (program_id, version, terms) values (13, 1, '{\"kind\":\"percent\",\"rate\":\"10\"}')";

/// Two advertisers, 1 with the program 3 and 11 with 13, and nothing in the books.
async fn world() -> App {
    let app = App::start().await;
    app.execute(SEED).await;
    app.execute(ANOTHER).await;
    app
}

/// The statement that posts transfers as of some seconds ago, two of three to the first advertiser, each with an
/// amount of its own, and room for further ids between them.
fn posted(count: i64, seconds_ago: i64) -> String {
    format!(
        "insert into transfers (id, code, cause_id, program_id, debit_account, debit_owner, credit_account, credit_owner,
                                amount, currency, event_at, rate, rate_on, rate_source)
         select (((extract(epoch from now()) * 1000)::bigint - {seconds_ago}000) << 22) + 2 * i, 'adjust',
                {seconds_ago}00000000 + i, case i % 3 when 0 then 13 else 3 end, 'advertiser',
                case i % 3 when 0 then 11 else 1 end, 'affiliate_payable', 2, {seconds_ago}000 + i + 0.50, 'USD', now(),
                case i % 5 when 0 then 1.10 end, case i % 5 when 0 then date '2026-11-22' end,
                case i % 5 when 0 then case i % 2 when 0 then '' else E'a bank; \\u5186\\t\\n-1:' end end
         from generate_series(1, {count}) i"
    )
}

async fn connect(app: &App) -> Client {
    let (client, connection) = tokio_postgres::connect(&app.database_url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Seals until so many transfers are. Tests that run beside this one have their transactions in the same server, and
/// sealing is behind those too.
async fn seal(app: &App, count: i64) {
    seal_by(&mut Sealer::default(), app, count).await;
}

async fn seal_by(sealer: &mut Sealer, app: &App, count: i64) {
    let (began, mut sealed) = (Instant::now(), 0);
    while sealed < count {
        assert!(began.elapsed() < PATIENCE, "{sealed} of {count} are sealed");
        match sealer.turn(&app.store).await.unwrap() {
            0 => tokio::time::sleep(Duration::from_millis(5)).await,
            more => sealed += more,
        }
    }
    assert_eq!(sealed, count);
}

async fn texts(app: &App, sql: &str) -> Vec<String> {
    app.rows(sql).await.iter().map(|row| row.get(0)).collect()
}

/// Each seal as advertiser, number and transfers.
async fn seals(app: &App) -> Vec<String> {
    let sql = "select concat_ws(' ', advertiser_id, number, transfers) from seals order by advertiser_id, number";
    texts(app, sql).await
}

/// Those audits of seals that find something.
async fn broken(app: &App) -> Vec<&'static str> {
    let found = tributary::roles::audit(&app.store).await.unwrap();
    let of_seals = found.into_iter().filter(|(name, rows)| name.starts_with("seal_") && *rows > 0);
    of_seals.map(|(name, _)| name).collect()
}

#[tokio::test]
async fn what_came_to_rest_is_sealed_in_a_chain_for_each_advertiser() {
    let app = world().await;
    app.execute(&posted(15_000, 60)).await;
    app.execute(&posted(9_000, 40)).await;
    app.execute(&posted(3, 0)).await;
    let (mut one, mut two, mut sealed) = (Sealer::default(), Sealer::default(), 0);
    let began = Instant::now();
    while sealed < 24_000 {
        assert!(began.elapsed() < PATIENCE, "{sealed} are sealed");
        let (one, two) = tokio::join!(one.turn(&app.store), two.turn(&app.store));
        sealed += one.unwrap() + two.unwrap();
    }
    assert_eq!(
        seals(&app).await,
        ["1 1 6667", "1 2 6667", "1 3 2666", "11 1 3333", "11 2 3333", "11 3 1334"]
    );
    assert!(broken(&app).await.is_empty());
    let oldest = seals::oldest_open(&app.store).await.unwrap();
    let fresh = app.rows("select id from transfers order by id desc offset 2 limit 1").await;
    assert_eq!(oldest, Some(fresh[0].get(0)), "what is new is not sealed yet");
}

#[tokio::test]
async fn every_column_of_a_transfer_is_sealed() {
    let app = world().await;
    app.execute(&posted(1, 60)).await;
    let columns = "select string_agg(column_name, ' ' order by ordinal_position) from information_schema.columns
                   where table_name = 'transfers'";
    assert_eq!(
        texts(&app, columns).await,
        [
            "id conversion_id code cause_id debit_account debit_owner credit_account credit_owner amount currency \
          event_at created_at program_id part rate rate_on rate_source"
        ],
        "a further column needs a format of its own"
    );
    app.execute(
        "alter table transfers disable trigger user;
         update transfers set id = 7, cause_id = 8, event_at = 'epoch', created_at = '2026-11-22 01:02:03.000405+02',
                              amount = 1.50, rate = 0.90, rate_on = '2026-01-02', rate_source = ''",
    )
    .await;
    assert_eq!(
        texts(&app, "select transfer_line(t) from transfers t").await,
        [
            "1:7-6:adjust1:810:advertiser1:117:affiliate_payable1:24:1.503:USD1:016:17953021230004051:31:04:0.9010:2026-01-020:\n"
        ]
    );
}

#[tokio::test]
async fn seals_are_read_by_the_operator_and_whose_they_are() {
    let app = world().await;
    let make = async |role: Value| {
        let made = app.create("api-keys", role).await;
        made["key"].as_str().unwrap().to_owned()
    };
    let own = make(serde_json::json!({"role": "advertiser", "advertiser_id": "1"})).await;
    let others = make(serde_json::json!({"role": "advertiser", "advertiser_id": "11"})).await;
    let affiliate = make(serde_json::json!({"role": "affiliate", "affiliate_id": "2"})).await;
    for seconds_ago in [60, 50, 40] {
        app.execute(&posted(6, seconds_ago)).await;
        seal(&app, 6).await;
    }
    let status =
        async |key: &str, path: &str| app.api_as(key, "GET", path, Value::Null).await.status;
    assert_eq!(status(&others, "advertisers/1/seals").await, 404);
    assert_eq!(status(&affiliate, "advertisers/1/seals").await, 403);
    assert_eq!(status(&app.admin_key, "advertisers/12/seals").await, 404);
    assert_eq!(status(&app.admin_key, "advertisers/11/seals").await, 200);
    let page = app.api_as(&own, "GET", "advertisers/1/seals?limit=2", Value::Null).await.json();
    let numbers = |page: &Value| {
        let seals = page["data"].as_array().unwrap().iter();
        seals.map(|seal| seal["number"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&page), [3, 2]);
    let newest = &page["data"][0];
    let stored = app
        .rows(
            "select first_id::text, last_id::text, encode(hash, 'hex') from seals
             where advertiser_id = 1 and number = 3",
        )
        .await;
    for (at, field) in ["first_id", "last_id", "hash"].into_iter().enumerate() {
        assert_eq!(newest[field], stored[0].get::<_, &str>(at), "{field}");
    }
    assert_eq!(newest["transfers"], 4);
    assert!(newest["sealed_at"].is_string());
    let path = format!("advertisers/1/seals?cursor={}", page["next_cursor"].as_str().unwrap());
    assert_eq!(numbers(&app.api_as(&own, "GET", &path, Value::Null).await.json()), [1]);
}

#[tokio::test]
async fn the_roles_read_and_add_seals_and_nothing_else() {
    let app = world().await;
    app.execute(&posted(3, 60)).await;
    seal(&app, 3).await;
    let client = connect(&app).await;
    let refused = async |sql: &str| client.batch_execute(sql).await.unwrap_err().code().cloned();
    let change = "update seals set hash = sha256('')";
    for sql in [change, "delete from seals", "truncate seals"] {
        assert_eq!(refused(sql).await.unwrap().code(), "P0001", "{sql}, by the owner");
        for role in ["tributary_worker", "tributary_app", "tributary_report"] {
            client.batch_execute(&format!("set role {role}")).await.unwrap();
            assert_eq!(refused(sql).await.unwrap().code(), "42501", "{role}: {sql}");
            client.batch_execute("reset role").await.unwrap();
        }
    }
    client.batch_execute("set role tributary_app; set tributary.role = 'operator'").await.unwrap();
    let add = "insert into seals select advertiser_id, 2, 1, 8, 9, 1, hash, now() from seals where advertiser_id = 1";
    assert_eq!(refused(add).await.unwrap().code(), "42501");
}
