//! Files for those who carry payouts out, and the accounts that are in them.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{World, code, refused, text};
use crate::harness::Answer;

const IBAN: &str = "DE89 3704 0044 0532 0130 00";
const NO_METHOD: &str =
    "the affiliate had no `payee_method` when the payout was approved: cancel it, and run again";

impl World {
    async fn pays(&self, affiliate: &str, payee: Value) {
        let answer = self.app.api("PATCH", &format!("affiliates/{affiliate}"), payee).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    async fn file(&self, run: &Value, format: &str) -> Answer {
        let path = format!("payout-runs/{}/file?format={format}", text(run, "id"));
        self.app.api("GET", &path, Value::Null).await
    }

    async fn payer(&self) {
        let payer =
            json!({"payer_name": "Café & Söhne GmbH", "payer_iban": "GB29 NWBK 6016 1331 9268 19"});
        let path = format!("advertisers/{}", self.seed.advertiser_id);
        let answer = self.app.api_as(&self.seed.advertiser_key, "PATCH", &path, payer).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["payer_iban"], "GB29NWBK60161331926819");
    }
}

/// What stands between the tags of an element, each time.
fn elements<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    xml.split(&*open).skip(1).map(|rest| rest.split(&*close).next().unwrap()).collect()
}

#[tokio::test]
async fn a_sepa_file_has_who_is_paid_and_how_much() {
    let w = World::start().await;
    let (ben, cookie) = w.rival("ben").await;
    w.payer().await;
    w.pays(
        &w.seed.affiliate_id,
        json!({"payee_method": "sepa", "payee_iban": IBAN, "payee_bic": "COBADEFFXXX"}),
    )
    .await;
    w.pays(&ben, json!({"payee_method": "sepa", "payee_name": "Łukasz <b>&</b> Ærø", "payee_iban": "FR1420041010050500013M02606"}))
        .await;
    w.sell("A-1", "1000.10&currency=EUR").await;
    w.sell_by(&cookie, "B-1", "50&currency=EUR").await;
    let run = w.approved().await;
    let answer = w.file(&run, "sepa").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/xml")));
    let saved = format!("attachment; filename=\"payouts-{}.xml\"", text(&run, "id"));
    assert_eq!(answer.header("content-disposition"), Some(&*saved));
    let xml = answer.text();
    assert_eq!(elements(&xml, "NbOfTxs"), ["2", "2"]);
    assert_eq!(elements(&xml, "CtrlSum"), ["105.01", "105.01"]);
    assert_eq!(elements(&xml, "BtchBookg"), ["true"]);
    let ids: Vec<String> =
        run["payouts"].as_array().unwrap().iter().rev().map(|p| text(p, "id")).collect();
    assert_eq!(elements(&xml, "EndToEndId"), ids);
    assert_eq!(elements(&xml, "InstdAmt Ccy=\"EUR\"").len(), 2);
    assert!(
        xml.contains("<InstdAmt Ccy=\"EUR\">100.01</InstdAmt>") && xml.contains(">5.00</InstdAmt>")
    );
    let payer = "Cafe + Sohne GmbH";
    assert_eq!(elements(&xml, "Nm"), [payer, payer, "Blog", "Lukasz .b.+./b. AEro"]);
    let accounts =
        ["GB29NWBK60161331926819", "DE89370400440532013000", "FR1420041010050500013M02606"];
    assert_eq!(elements(&xml, "IBAN"), accounts);
    assert_eq!(elements(&xml, "BIC"), ["COBADEFFXXX"]);
    let same = w.file(&run, "sepa").await.text();
    assert_eq!(elements(&same, "MsgId"), elements(&xml, "MsgId"), "the same message");
    // For `make test`, which validates it by the schema of ISO 20022.
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/sepa");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("payouts.xml"), &xml).unwrap();

    w.step(&format!("payouts/{}/pay", ids[0]), Value::Null).await;
    let rest = w.file(&run, "sepa").await.text();
    assert_eq!(elements(&rest, "EndToEndId"), &ids[1..], "what is paid is not paid again");
    assert_ne!(elements(&rest, "MsgId"), elements(&xml, "MsgId"), "another message");
}

#[tokio::test]
async fn a_run_is_approved_filed_and_paid_by_method() {
    let w = World::start().await;
    let (ben, of_ben) = w.rival("ben").await;
    let (_, of_carl) = w.rival("carl").await;
    w.payer().await;
    w.pays(&w.seed.affiliate_id, json!({"payee_method": "sepa", "payee_iban": IBAN})).await;
    w.pays(&ben, json!({"payee_method": "paypal", "payee_email": "ben@mail.example"})).await;
    w.sell("A-1", "10&currency=EUR").await;
    w.sell_by(&of_ben, "B-1", "20").await;
    w.sell_by(&of_carl, "C-1", "30").await;
    let run = w.run().await;
    let step = async |step: &str, body: Value| {
        let path = format!("payout-runs/{}/{step}", text(&run, "id"));
        let stands = w.step(&path, body).await["payouts"].clone();
        let one = |p: &Value| format!("{} {}", text(&p["amount"], "amount"), text(p, "status"));
        let mut all: Vec<String> = stands.as_array().unwrap().iter().map(one).collect();
        all.sort();
        all.join(", ")
    };
    let by = |method: &str| json!({"method": method});
    let stands = step("approve", by("paypal")).await;
    assert_eq!(stands, "1.00 proposed, 2.00 approved, 3.00 proposed");
    let stands = step("approve", Value::Null).await;
    assert_eq!(stands, "1.00 approved, 2.00 approved, 3.00 approved");
    // Who has no method is missing from a file for all, and not from one of a method.
    assert_eq!(code(&w.file(&run, "paypal").await), refused(409, "payees_incomplete"));
    let mine = w.file(&run, "paypal&method=paypal").await.text();
    assert!(mine.starts_with("\"ben@mail.example\",2.00,") && mine.lines().count() == 1, "{mine}");
    let sepa = w.file(&run, "sepa&method=sepa").await.text();
    assert_eq!(elements(&sepa, "CtrlSum"), ["1.00", "1.00"]);
    assert_eq!(code(&w.file(&run, "sepa&method=paypal").await), refused(409, "nothing_to_pay"));
    assert_eq!(w.file(&run, "csv&method=other").await.text().lines().count(), 1, "the header");
    assert_eq!(w.file(&run, "csv&method=sepa").await.text().lines().count(), 2);
    assert_eq!(w.file(&run, "csv").await.text().lines().count(), 4);
    assert_eq!(code(&w.file(&run, "csv&method=cash").await), refused(422, "invalid_fields"));

    let told = json!({"method": "paypal", "reference": "batch 7"});
    assert_eq!(step("pay", told).await, "1.00 approved, 2.00 paid, 3.00 approved");
    let paid = w.get(&format!("payouts?affiliate_id={ben}")).await;
    assert_eq!(paid["data"][0]["reference"], "batch 7");
    let again = step("pay", by("paypal")).await;
    assert_eq!(again, "1.00 approved, 2.00 paid, 3.00 approved", "nothing was to be done");
    assert_eq!(step("pay", by("sepa")).await, "1.00 paid, 2.00 paid, 3.00 approved");
    assert_eq!(step("pay", json!({})).await, "1.00 paid, 2.00 paid, 3.00 paid");
    let path = format!("payout-runs/{}/approve", text(&run, "id"));
    for wrong in [by("cash"), json!({"reference": "x"})] {
        assert_eq!(code(&w.post(&path, wrong).await), refused(422, "invalid_fields"));
    }
    w.is_sound().await;
}

#[tokio::test]
async fn who_is_in_no_file_is_not_marked_as_paid_by_it() {
    let w = World::start().await;
    let (ben, of_ben) = w.rival("ben").await;
    let (carl, of_carl) = w.rival("carl").await;
    w.payer().await;
    let sepa = json!({"payee_method": "sepa", "payee_iban": IBAN});
    w.pays(&w.seed.affiliate_id, sepa.clone()).await;
    w.pays(&ben, json!({"payee_method": "other"})).await;
    w.sell("A-1", "10&currency=EUR").await;
    w.sell_by(&of_ben, "B-1", "20&currency=EUR").await;
    w.sell_by(&of_carl, "C-1", "30&currency=EUR").await;
    let run = w.approved().await;
    let filed = async || w.file(&run, "sepa&method=sepa").await.text();
    let stands = async || {
        let one = "select string_agg(amount || ' ' || status, ', ' order by amount) from payouts";
        w.told(one).await
    };
    assert_eq!(elements(&filed().await, "CtrlSum"), ["1.00", "1.00"]);
    // Between the file and the payment all three change how they are paid.
    w.pays(&w.seed.affiliate_id, json!({"payee_method": "paypal"})).await;
    w.pays(&ben, sepa.clone()).await;
    w.pays(&carl, sepa).await;
    assert_eq!(elements(&filed().await, "CtrlSum"), ["1.00", "1.00"], "the same file");
    let pay = format!("payout-runs/{}/pay", text(&run, "id"));
    w.step(&pay, json!({"method": "paypal"})).await;
    assert_eq!(stands().await, "1.00 approved, 2.00 approved, 3.00 approved");
    w.step(&pay, json!({"method": "sepa"})).await;
    assert_eq!(stands().await, "1.00 paid, 2.00 approved, 3.00 approved");
    let answer = w.file(&run, "sepa").await;
    assert_eq!(code(&answer), refused(409, "payees_incomplete"));
    let error = &answer.json()["errors"][0];
    assert_eq!(text(error, "detail"), format!("affiliate {carl}: {NO_METHOD}"));
    // What the version before approved says no method: there the affiliate's counts.
    w.told("with o as (update payouts set method = null returning 1) select count(*)::text from o")
        .await;
    assert_eq!(elements(&filed().await, "CtrlSum"), ["5.00", "5.00"]);
    w.step(&pay, json!({"method": "sepa"})).await;
    assert_eq!(stands().await, "1.00 paid, 2.00 paid, 3.00 paid");
    w.is_sound().await;
}

#[tokio::test]
async fn a_file_is_not_written_while_somebody_is_missing_from_it() {
    let w = World::start().await;
    w.sell("A-1", "10").await;
    let mut run = w.approved().await;
    for (payee, format, why) in [
        (json!({}), "sepa", NO_METHOD),
        (json!({"payee_method": "sepa"}), "sepa", "the affiliate has no `payee_iban`"),
        (json!({"payee_iban": IBAN}), "sepa", "a SEPA credit transfer is in EUR"),
        (json!({"payee_method": "paypal"}), "paypal", "the affiliate has no `payee_email`"),
        (
            json!({"payee_email": "=1+1@mail.example"}),
            "paypal",
            "`payee_email` begins as a formula does",
        ),
    ] {
        let payout = text(&run["payouts"][0], "id");
        let anew = payee.get("payee_method").is_some();
        if payee != json!({}) {
            w.pays(&w.seed.affiliate_id, payee).await;
        }
        if anew {
            // How it is paid was settled when it was approved.
            w.step(&format!("payouts/{payout}/cancel"), Value::Null).await;
            run = w.approved().await;
        }
        let payout = text(&run["payouts"][0], "id");
        let answer = w.file(&run, format).await;
        assert_eq!(code(&answer), refused(409, "payees_incomplete"), "{why}");
        let error = &answer.json()["errors"][0];
        assert_eq!(text(error, "pointer"), format!("/payouts/{payout}"));
        assert_eq!(text(error, "detail"), format!("affiliate {}: {why}", w.seed.affiliate_id));
    }
    assert_eq!(code(&w.file(&run, "sepa").await), refused(409, "nothing_to_pay"));
    w.pays(&w.seed.affiliate_id, json!({"payee_email": "ann@mail.example"})).await;
    let payout = text(&run["payouts"][0], "id");
    let csv = w.file(&run, "paypal").await;
    let expected =
        format!("\"ann@mail.example\",1.00,\"USD\",\"{payout}\",\"Commission from Shop\"\r\n");
    assert_eq!(
        (csv.text(), csv.header("content-type")),
        (expected, Some("text/csv; charset=utf-8"))
    );
}

#[tokio::test]
async fn a_payer_without_an_account_has_no_sepa_file() {
    let w = World::start().await;
    w.pays(&w.seed.affiliate_id, json!({"payee_method": "sepa", "payee_iban": IBAN})).await;
    w.sell("A-1", "10&currency=EUR").await;
    let run = w.approved().await;
    assert_eq!(code(&w.file(&run, "sepa").await), refused(409, "payer_incomplete"));
    w.payer().await;
    let xml = w.file(&run, "sepa").await.text();
    assert!(xml.contains("<Othr><Id>NOTPROVIDED</Id></Othr>"), "{xml}");
}

#[tokio::test]
async fn a_plain_file_has_all_and_no_formula() {
    let w = World::start().await;
    let (ben, cookie) = w.rival("=cmd|' /C calc'!A0").await;
    w.pays(&ben, json!({"payee_method": "other", "payee_name": "+Ben"})).await;
    w.sell("A-1", "10").await;
    w.sell_by(&cookie, "B-1", "30").await;
    let csv = w.file(&w.approved().await, "csv").await.text();
    let lines: Vec<&str> = csv.trim_end().split("\r\n").collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("\"payout_id\",\"affiliate_id\",\"affiliate\",\"method\","));
    assert!(lines[1].contains("\"Blog\",\"\",\"\",\"\",\"\",\"\",1.00,\"USD\""), "{csv}");
    assert!(
        lines[2].contains("\"'=cmd|' /C calc'!A0\",\"other\",\"'+Ben\",\"\",\"\",\"\",3.00"),
        "{csv}"
    );
}

#[tokio::test]
async fn accounts_are_checked_told_to_few_and_masked_in_the_log() {
    let w = World::start().await;
    let path = format!("affiliates/{}", w.seed.affiliate_id);
    let bad = json!({"payee_iban": "DE88370400440532013000", "payee_bic": "X", "payee_method": "gold", "payee_email": "x"});
    let answer = w.app.api("PATCH", &path, bad).await;
    assert_eq!((answer.status, answer.json()["errors"].as_array().unwrap().len()), (422, 4));
    w.pays(
        &w.seed.affiliate_id,
        json!({"payee_method": "sepa", "payee_iban": IBAN, "payee_email": "ann@mail.example"}),
    )
    .await;
    let shown =
        async |key: &str, path: &str| w.app.api_as(key, "GET", path, Value::Null).await.json();
    let key = async |scopes: Value, owner: (&str, &str)| {
        let mut body = json!({"role": owner.0, "scopes": scopes});
        if !owner.1.is_empty() {
            body["advertiser_id"] = json!(owner.1);
        }
        text(&w.app.create("api-keys", body).await, "key")
    };
    let reader = key(json!(["read"]), ("advertiser", &w.seed.advertiser_id)).await;
    let catalog = key(json!(["read", "catalog"]), ("operator", "")).await;
    for (who, knows) in [
        (&w.app.admin_key, true),
        (&w.seed.advertiser_key, true),
        (&w.seed.affiliate_key, true),
        (&reader, false),
        (&catalog, false),
    ] {
        let affiliate = shown(who, &path).await;
        assert_eq!(affiliate.get("payee_iban"), knows.then_some(&json!("DE89370400440532013000")));
        let listed = shown(who, "affiliates").await;
        assert_eq!(listed["data"][0].get("payee_iban").is_some(), knows);
    }
    let answer = w.app.api_as(&catalog, "PATCH", &path, json!({"payee_iban": null})).await;
    assert_eq!(code(&answer), refused(403, "scope_missing"), "who says where money goes, moves it");
    let named = w.app.api_as(&catalog, "PATCH", &path, json!({"name": "Blog"})).await;
    assert_eq!(named.status, 200);
    w.payer().await;
    assert_eq!(shown(&reader, "advertisers").await["data"][0].get("payer_iban"), None);
    let log =
        w.told("select string_agg(after::text, ' ') from audit_log where action = 'update'").await;
    assert!(
        log.contains("********3000")
            && log.contains("********mple")
            && log.contains("********6819"),
        "{log}"
    );
    assert!(!log.contains("DE89") && !log.contains("GB29") && !log.contains("ann@"), "{log}");
    let cleared = w.app.api("PATCH", &path, json!({"payee_iban": null})).await;
    assert_eq!(cleared.json()["payee_iban"], Value::Null);
    let other = w.app.seed().await;
    let stranger = format!("advertisers/{}", w.seed.advertiser_id);
    let answer =
        w.app.api_as(&other.advertiser_key, "PATCH", &stranger, json!({"payer_bic": null})).await;
    assert_eq!(code(&answer), refused(404, "not_found"));
}
