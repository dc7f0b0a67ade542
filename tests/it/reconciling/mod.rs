//! Shops' lists of orders: what is found by them, whatever they look like and however they come.

mod corrections; // what a list puts right
mod findings; // where a list and the books differ
mod lists; // how lists come, or do not
mod many; // verdicts on many conversions

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Answer, App, Seed, http};

/// A program with sales O-1, O-2, … of 20.00, one an hour from the first of March on, each with its accrual.
struct World {
    app: App,
    seed: Seed,
}

impl World {
    async fn start(sales: i64) -> World {
        let app = App::start().await;
        let seed = app.seed().await;
        let world = World { app, seed };
        world.book(1, sales).await;
        world
    }

    /// Books the sales of these numbers; 1000 and the number is the id of each, and of its hit.
    async fn book(&self, from: i64, to: i64) {
        let Seed { program_id, affiliate_id, link_id, advertiser_id, .. } = &self.seed;
        let told = |value: &str| {
            format!("jsonb_build_object('unverified', false, 'hit', 1000 + i, 'value', {value})")
        };
        let by = format!(
            r#"'{{"by":"cookie","affiliate_id":{affiliate_id},"link_id":{link_id},"click_id":7,"at_ms":0}}'::jsonb"#
        );
        let (speaker, evidence) = (told("1772323200000 + i::bigint * 3600000"), told(&by));
        let money = told(r#"'{"amount":"20.00","currency":"USD"}'::jsonb"#);
        let rest = r#"'{"coupon":null,"customer":null,"new_customer":null,"items":null,"channels":2,"clicks":[],
                       "amount_differs":false,"revived":false,"notes":[]}'::jsonb"#;
        let statement = format!(
            "insert into conversions (id, program_id, kind, order_key, order_id, amount, currency, affiliate_id, link_id,
               click_id, attributed_by, plan_id, commission, commission_currency, status, held, hold_until, verified,
               received_at, reasons, facts)
             select 1000 + i, {program_id}, 'sale', 'id:O-' || i, 'O-' || i, 20, 'USD', {affiliate_id}, {link_id}, 7,
               'cookie', plan.id, 2, 'USD', 'pending', false, now() + interval '30 days', true,
               timestamptz '2026-03-01Z' + i * interval '1 hour', '{{}}',
               {rest} || jsonb_build_object('order_id', 'O-' || i, 'speaker', {speaker}, 'money', {money},
                                            'attribution', {evidence}, 'vouched', {evidence})
             from generate_series({from}, {to}) i, plans plan where plan.program_id = {program_id};
             insert into hits (id, edge_id, seq, received_at, kind, code, program_id, outcome, conversion_id, raw)
             select 1000 + i, 1, i, timestamptz '2026-03-01Z' + i * interval '1 hour', 'postback', 'c', {program_id},
               'converted', 1000 + i, ''
             from generate_series({from}, {to}) i;
             insert into transfers (conversion_id, program_id, code, cause_id, debit_account, debit_owner, credit_account,
               credit_owner, amount, currency, event_at)
             select 1000 + i, {program_id}, 'accrue', 1000 + i, 'advertiser', {advertiser_id}, 'affiliate_pending',
               {affiliate_id}, 2, 'USD', now()
             from generate_series({from}, {to}) i"
        );
        self.app.execute(&statement).await;
    }

    async fn ask(&self, method: &str, path: &str) -> Answer {
        self.app.api_as(&self.seed.advertiser_key, method, path, Value::Null).await
    }

    /// Sends a list at once.
    async fn send(&self, query: &str, list: impl AsRef<[u8]>) -> Answer {
        self.send_as("text/csv", query, list).await
    }

    async fn send_as(&self, kind: &str, query: &str, list: impl AsRef<[u8]>) -> Answer {
        let program = &self.seed.program_id;
        let url =
            format!("{}/api/v1/programs/{program}/reconciliations{query}", self.app.admin_url);
        let bearer = format!("Bearer {}", self.seed.advertiser_key);
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        http("POST", &url, &headers, list.as_ref()).await
    }

    /// What a list finds: kind, line, order, conversion and detail of each, in order.
    async fn found(&self, query: &str, list: impl AsRef<[u8]>) -> Vec<String> {
        let answer = self.send(query, list).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        self.findings(answer.json()["id"].as_str().unwrap()).await
    }

    async fn findings(&self, id: &str) -> Vec<String> {
        let path = format!("reconciliations/{id}/findings?limit=500");
        let list = self.ask("GET", &path).await.json();
        let text = |value: &Value| match value {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let line = |row: &Value| {
            let fields = ["kind", "line", "order_id", "conversion_id", "detail"];
            fields.map(|field| text(&row[field])).join(" ")
        };
        let mut found: Vec<String> = list["data"].as_array().unwrap().iter().map(line).collect();
        found.sort();
        found
    }

    /// How many rows a table has.
    async fn count(&self, table: &str) -> i64 {
        self.app.rows(&format!("select count(*) from {table}")).await[0].get(0)
    }
}

/// A list that is sent piece by piece over a connection of its own.
struct Sending(TcpStream);

impl Sending {
    async fn begin(address: &str, (program, key): (&str, &str)) -> Sending {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST /api/v1/programs/{program}/reconciliations HTTP/1.1\r\nhost: {address}\r\n\
             authorization: Bearer {key}\r\ncontent-type: text/csv\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        Sending(stream)
    }

    async fn piece(&mut self, text: &str) {
        let chunk = format!("{:x}\r\n{text}\r\n", text.len());
        self.0.write_all(chunk.as_bytes()).await.unwrap();
    }

    /// Ends the list; the status and the body of the answer.
    async fn end(mut self) -> (u16, Value) {
        self.0.write_all(b"0\r\n\r\n").await.unwrap();
        let (mut answer, mut piece) = (Vec::new(), [0; 4096]);
        loop {
            let read = self.0.read(&mut piece).await.unwrap();
            answer.extend_from_slice(&piece[..read]);
            let text = String::from_utf8_lossy(&answer).into_owned();
            let body = text.split_once("\r\n\r\n").map(|(_, body)| serde_json::from_str(body));
            if let Some(Ok(body)) = body {
                return (text[9..12].parse().unwrap(), body);
            }
            assert!(read > 0, "{text}");
        }
    }
}
