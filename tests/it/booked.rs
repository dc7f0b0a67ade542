//! What plans say, booked in a real database: what the ledger has, what the tables have, and what it costs.

use serde_json::{Value, json};

use crate::harness::{Answer, App, Seed, http};

/// A program with a plan, and its books.
pub struct Shop {
    pub app: App,
    pub seed: Seed,
}

impl Shop {
    pub async fn open(program: Value) -> Shop {
        let app = App::start().await;
        let seed = app.seed_with(program).await;
        Shop { app, seed }
    }

    pub async fn another(&self, name: &str, more: Value) -> String {
        let email = format!("{name}@example.com");
        let mut body = json!({"name": name, "email": email});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.app.create("affiliates", body).await["id"].as_str().unwrap().to_owned()
    }

    pub async fn link(&self, affiliate_id: &str) -> String {
        let body = json!({"program_id": self.seed.program_id, "affiliate_id": affiliate_id});
        let link = self.app.create("links", body).await;
        let code = link["code"].as_str().unwrap().to_owned();
        self.app.wait_for_link(&code).await;
        code
    }

    /// The click token of a click.
    pub async fn click(&self, code: &str) -> String {
        let url = format!("{}/c/{code}", self.app.edge_url);
        let headers = [("sec-fetch-dest", "document"), ("sec-fetch-mode", "navigate")];
        let answer = http("GET", &url, &headers, b"").await;
        let cookie = answer.header("set-cookie").unwrap().to_owned();
        cookie.split_once('=').unwrap().1.split(';').next().unwrap().to_owned()
    }

    pub async fn tell(&self, fields: &str) {
        self.send(fields).await;
        self.app.settle().await;
    }

    /// The same, not settled yet.
    pub async fn send(&self, fields: &str) {
        let url = format!("{}/postback/{}", self.app.edge_url, self.seed.code);
        let bearer = format!("Bearer {}", self.seed.secret);
        let answer = http("POST", &url, &[("authorization", &bearer)], fields.as_bytes()).await;
        assert_eq!(answer.status, 200, "{fields}: {}", answer.text());
    }

    /// The buyer's browser loads the pixel.
    pub async fn load(&self, fields: &str) {
        let url = format!("{}/t/{}.gif?{fields}", self.app.edge_url, self.seed.code);
        assert_eq!(http("GET", &url, &[], b"").await.status, 200, "{fields}");
        self.app.settle().await;
    }

    /// The advertiser approves or rejects an order.
    pub async fn decide(&self, order: &str, verdict: &str) {
        let answer = self.try_to(verdict, order).await;
        assert_eq!(answer.status, 200, "{order} {verdict}: {}", answer.text());
    }

    pub async fn try_to(&self, verdict: &str, order: &str) -> Answer {
        let id = self
            .text(&format!("select id::text from conversions where order_id = '{order}'"))
            .await;
        let reason = if verdict == "reject" { json!({"reason": "fraud"}) } else { Value::Null };
        let path = format!("conversions/{id}/{verdict}");
        self.app.api_as(&self.seed.advertiser_key, "POST", &path, reason).await
    }

    pub async fn text(&self, sql: &str) -> String {
        let rows = self.app.rows(sql).await;
        let texts = rows.iter().map(|row| row.get::<_, Option<String>>(0).unwrap_or_default());
        texts.collect::<Vec<_>>().join("; ")
    }

    /// What stands in the ledger for each affiliate, and that nothing breaks an invariant.
    pub async fn owed(&self) -> String {
        for (invariant, rows) in tributary::roles::audit(&self.app.store).await.unwrap() {
            assert_eq!(rows, 0, "{invariant}");
        }
        self.text(
            "select a.name || ' ' || sum(case when t.credit_owner = a.id then t.amount else -t.amount end) || ' ' || t.currency
             from transfers t
             join affiliates a on a.id in (t.credit_owner, t.debit_owner) and t.credit_owner <> t.debit_owner
             group by a.name, t.currency
             having sum(case when t.credit_owner = a.id then t.amount else -t.amount end) <> 0 order by 1",
        )
        .await
    }

    pub async fn name(&self, affiliate_id: &str, name: &str) {
        self.app
            .execute(&format!("update affiliates set name = '{name}' where id = {affiliate_id}"))
            .await;
    }
}

#[tokio::test]
async fn rules_groups_levels_and_touches_are_booked() {
    let plan = json!({"kind": "percent", "rate": "10",
        "rules": [{"when": {"sku": ["B1"]}, "kind": "percent", "rate": "5"},
                  {"when": {"groups": ["gold"]}, "kind": "percent", "rate": "20"}],
        "levels": [{"rate": "10", "of": "commission"}, {"rate": "5", "of": "commission"},
                   {"rate": "1", "of": "sale"}]});
    let shop = Shop::open(json!({"attribution": "linear", "plan": plan})).await;
    let ann = shop.seed.affiliate_id.clone();
    let eve = shop.another("eve", json!({})).await;
    let dan = shop.another("dan", json!({"recruited_by": eve})).await;
    let cat = shop.another("cat", json!({"recruited_by": dan})).await;
    let ben = shop.another("ben", json!({})).await;
    let path = format!("affiliates/{ann}");
    let change = json!({"recruited_by": cat, "group": "gold"});
    assert_eq!(shop.app.api("PATCH", &path, change).await.status, 200);
    shop.name(&ann, "ann").await;
    let bens = shop.link(&ben).await;
    let (first, last) = (shop.click(&bens).await, shop.click(&shop.seed.link_code).await);
    // 5 % of 30 and 20 % of 70 are 15.50; half each; recruiters 1.55, 0.78 (0.775, to even) and 1 % of 100.
    shop.tell(&format!("amount=100&id=1&items=B1:1:30,A1:1:70&tclid={first}~{last}")).await;
    let expected = "ann 7.75 USD; ben 7.75 USD; cat 1.55 USD; dan 0.78 USD; eve 1.00 USD";
    assert_eq!(shop.owed().await, expected);
    let shares = "select part || kind || coalesce(level::text, '') || ' ' || commission from shares order by part";
    assert_eq!(shop.text(shares).await, "1touch 7.75; 2level1 1.55; 3level2 0.78; 4level3 1.00");
    let told = shop.app.api("GET", "conversions", Value::Null).await.json()["data"][0].clone();
    let share = |n: usize| {
        let share = &told["shares"][n];
        (
            share["affiliate_id"].clone(),
            share["kind"].clone(),
            share["level"].clone(),
            share["commission"]["amount"].clone(),
        )
    };
    assert_eq!(share(0), (json!(ben), json!("touch"), Value::Null, json!("7.75")));
    assert_eq!(share(3), (json!(eve), json!("level"), json!(3), json!("1.00")));
    let his =
        shop.app.api_as(&shop.seed.affiliate_key, "GET", "conversions", Value::Null).await.json();
    assert_eq!(his["data"][0]["shares"], json!([]), "{his}");
    let hit = format!("hits/{}", told["hit_ids"][0].as_str().unwrap());
    let why = shop.app.api("GET", &hit, Value::Null).await.json()["why"].clone();
    let expected_why =
        "rule 1: 5 % of 30.00 USD = 1.5; rule 2: 20 % of 70.00 USD = 14; together 15.50 USD";
    assert_eq!(why["arithmetic"], expected_why);
    assert_eq!(why["parts"][4], format!("affiliate {eve} (level 3): 1.00 USD"));
    // Whom he owes a share, the advertiser knows by name.
    let known = format!("affiliates/{eve}");
    let known = shop.app.api_as(&shop.seed.advertiser_key, "GET", &known, Value::Null).await;
    assert_eq!(known.json()["name"], "eve");
    let link = json!({"program_id": shop.seed.program_id, "affiliate_id": eve});
    let made = shop.app.api_as(&shop.seed.advertiser_key, "POST", "links", link).await;
    assert_eq!(made.status, 201, "{}", made.text());
    // What changes afterwards moves nothing.
    let change = json!({"recruited_by": null, "group": null});
    assert_eq!(shop.app.api("PATCH", &path, change).await.status, 200);
    shop.app
        .create(
            &format!("programs/{}/plans", shop.seed.program_id),
            json!({"kind": "flat", "amount": "1.00"}),
        )
        .await;
    shop.tell(&format!("amount=100&id=1&items=B1:1:30,A1:1:70&new=1&tclid={first}~{last}")).await;
    assert_eq!(shop.owed().await, expected);
    shop.tell("type=refund&id=1").await;
    assert_eq!(shop.owed().await, "");
}

#[tokio::test]
async fn a_sale_waits_for_its_rate() {
    let plan = json!({"kind": "percent", "rate": "10", "currency": "program"});
    let shop = Shop::open(json!({"plan": plan})).await;
    shop.name(&shop.seed.affiliate_id, "ann").await;
    let token = shop.click(&shop.seed.link_code).await;
    shop.tell(&format!("amount=2000&currency=JPY&id=1&tclid={token}")).await;
    let state = "select status || ' ' || held || ' ' || commission || commission_currency || ' ' || array_to_string(reasons, ' ')
                 from conversions";
    assert_eq!(shop.text(state).await, "pending true 0USD rate_missing");
    assert_eq!(shop.text("select outcome || ' ' || array_to_string(reasons, ' ') from hits where outcome = 'held'").await, "held rate_missing");
    let store = &shop.app.store;
    assert_eq!(tributary::store::books::reprice(store, 9).await.unwrap(), 0);
    let quote = |code: &str, per_euro: &str| {
        format!(
            "insert into rates (currency, on_date, per_euro, source)
                 values ('{code}', (now() at time zone 'UTC')::date - 2, {per_euro}, 'ECB')"
        )
    };
    shop.app.execute(&quote("JPY", "200")).await;
    assert_eq!(tributary::store::books::reprice(store, 9).await.unwrap(), 0);
    shop.app.execute(&quote("USD", "1")).await;
    // Somebody who approves it meanwhile does not take its commission away.
    let id = shop.text("select id::text from conversions").await;
    shop.app.api("POST", &format!("conversions/{id}/approve"), json!({})).await;
    assert_eq!(tributary::store::books::reprice(store, 9).await.unwrap(), 1);
    assert_eq!(shop.text(state).await, "payable false 1.00USD approved_by_hand");
    assert_eq!(shop.owed().await, "ann 1.00 USD");
    assert_eq!(
        shop.text("select rate || ' ' || rate_source from transfers where code = 'accrue'").await,
        "0.005 ECB"
    );
    assert_eq!(tributary::store::books::reprice(store, 9).await.unwrap(), 0);
    let told = shop.app.api("GET", "conversions", Value::Null).await.json()["data"][0].clone();
    assert_eq!(
        (&told["exchange"]["rate"], &told["exchange"]["source"]),
        (&json!("0.005"), &json!("ECB"))
    );
    let hit = format!("hits/{}", told["hit_ids"][0].as_str().unwrap());
    let why = shop.app.api("GET", &hit, Value::Null).await.json()["why"]["arithmetic"].clone();
    let why = why.as_str().unwrap();
    assert!(
        why.starts_with("10 % of 2000 JPY × 0.005 = 1.00 USD (the rate of 2")
            && why.ends_with(", ECB)"),
        "{why}"
    );
    // The next one needs not wait, and has the same rate.
    shop.tell(&format!("amount=4000&currency=JPY&id=2&tclid={token}")).await;
    assert_eq!(shop.owed().await, "ann 3.00 USD");
}

#[tokio::test]
async fn a_rate_that_comes_undoes_no_approval() {
    let plan = json!({"kind": "percent", "rate": "10", "currency": "program"});
    let shop = Shop::open(json!({"plan": plan, "unsigned": "hold"})).await;
    let token = shop.click(&shop.seed.link_code).await;
    for order in ["1", "2"] {
        shop.load(&format!("amount=2000&currency=JPY&id={order}&tclid={token}")).await;
        shop.decide(order, "approve").await;
    }
    // Nobody approved a hundred times as much.
    shop.tell(&format!("amount=200000&currency=JPY&id=2&tclid={token}")).await;
    shop.app
        .execute(
            "insert into rates (currency, on_date, per_euro, source)
             select code, (now() at time zone 'UTC')::date - 1, per_euro, 'ECB'
             from (values ('JPY', 200), ('USD', 1)) quote (code, per_euro)",
        )
        .await;
    assert_eq!(tributary::store::books::reprice(&shop.app.store, 9).await.unwrap(), 2);
    let state =
        "select status || ' ' || held || ' ' || commission from conversions order by order_id";
    assert_eq!(shop.text(state).await, "payable false 1.00; pending false 100.00");
    let moved = "select string_agg(t.code || ' ' || t.amount, ', ' order by t.id)
                 from transfers t join conversions c on c.id = t.conversion_id and c.order_id = '1'";
    assert_eq!(shop.text(moved).await, "accrue 1.00, approve 1.00");
}

#[tokio::test]
async fn renewals_follow_the_customers_first_sale() {
    let plan = json!({"kind": "percent", "rate": "10", "recurring": {"months": 2}});
    let shop = Shop::open(json!({"plan": plan})).await;
    shop.name(&shop.seed.affiliate_id, "ann").await;
    let token = shop.click(&shop.seed.link_code).await;
    shop.tell("amount=50&id=r1&customer=C1&type=renewal").await;
    assert_eq!(shop.owed().await, "");
    shop.tell(&format!("amount=100&id=1&customer=C1&tclid={token}")).await;
    assert_eq!(shop.owed().await, "ann 15.00 USD");
    let by = "select order_id || ' ' || attributed_by || ' ' || coalesce(renews, '-') from conversions order by order_id";
    assert_eq!(shop.text(by).await, "1 click_token -; r1 customer C1");
    shop.tell("amount=50&id=r2&customer=C1&type=renewal").await;
    shop.tell("amount=50&id=r3&customer=C2&type=renewal").await;
    assert_eq!(shop.owed().await, "ann 20.00 USD");
    // The third month is not paid.
    shop.app.execute("update customers set tied_at = now() - interval '3 months'").await;
    shop.tell("amount=50&id=r4&customer=C1&type=renewal").await;
    assert_eq!(shop.owed().await, "ann 20.00 USD");
}

#[tokio::test]
async fn a_recruiters_shares_in_two_currencies_stay_two_sums() {
    let plan = json!({"kind": "percent", "rate": "10", "levels": [{"rate": "10", "of": "commission"}],
        "rules": [{"when": {"coupon": ["FLAT"]}, "kind": "flat", "amount": "5.00"}]});
    let shop = Shop::open(json!({"plan": plan})).await;
    let ann = shop.seed.affiliate_id.clone();
    let cat = shop.another("cat", json!({})).await;
    let path = format!("affiliates/{ann}");
    let change = json!({"recruited_by": cat});
    assert_eq!(shop.app.api("PATCH", &path, change).await.status, 200);
    shop.name(&ann, "ann").await;
    let token = shop.click(&shop.seed.link_code).await;
    // Home is USD: the commission on a sale in EUR is in EUR, but a flat one, and the recruiter's with it.
    shop.tell(&format!("amount=100&currency=EUR&id=1&tclid={token}")).await;
    shop.tell(&format!("amount=100&currency=EUR&id=2&coupon=FLAT&tclid={token}")).await;
    assert_eq!(shop.owed().await, "ann 10.00 EUR; ann 5.00 USD; cat 0.50 USD; cat 1.00 EUR");
    let report = async |query: &str| {
        let path = format!("reports/commissions?group_by=program&{query}");
        let report = shop.app.api("GET", &path, Value::Null).await.json();
        let rows = report["data"].as_array().unwrap().clone();
        let row = |row: &Value| {
            let (sales, pending) = (&row["sales"], &row["commission"]["pending"]);
            let text = |money: &Value, name: &str| money[name].as_str().unwrap().to_owned();
            format!(
                "{} {}: {} {}",
                text(sales, "amount"),
                text(sales, "currency"),
                text(pending, "amount"),
                text(pending, "currency")
            )
        };
        rows.iter().map(row).collect::<Vec<_>>().join("; ")
    };
    let clicked = "0.00 USD: 0.00 USD";
    let expected = format!("100.00 EUR: 11.00 EUR; 100.00 EUR: 5.50 USD; {clicked}");
    assert_eq!(report("").await, expected);
    let own = format!("100.00 EUR: 10.00 EUR; 100.00 EUR: 5.00 USD; {clicked}");
    assert_eq!(report(&format!("affiliate_id={ann}")).await, own);
    let shared = "0.00 EUR: 1.00 EUR; 0.00 USD: 0.50 USD";
    assert_eq!(report(&format!("affiliate_id={cat}")).await, shared);
}

/// The advertiser decides; he knows neither recruiter by name before he owes them anything.
#[tokio::test]
async fn renewals_follow_what_a_person_decides_of_the_first_sale() {
    let plan = json!({"kind": "percent", "rate": "10", "recurring": {"months": null}});
    let shop = Shop::open(json!({"plan": plan, "unsigned": "hold"})).await;
    shop.name(&shop.seed.affiliate_id, "ann").await;
    let (ben, ruth, tom) = (
        shop.another("ben", json!({})).await,
        shop.another("ruth", json!({})).await,
        shop.another("tom", json!({})).await,
    );
    let recruited = [(&shop.seed.affiliate_id, &ruth), (&ben, &tom), (&tom, &ruth)];
    for (affiliate, recruiter) in recruited {
        let sql =
            format!("update affiliates set recruited_by = {recruiter} where id = {affiliate}");
        shop.app.execute(&sql).await;
    }
    let ben = shop.link(&ben).await;
    let of_ann =
        format!("amount=100&id=1&customer=C1&tclid={}", shop.click(&shop.seed.link_code).await);
    let of_ben = format!("amount=200&id=2&customer=C1&tclid={}", shop.click(&ben).await);
    shop.load(&of_ann).await;
    shop.load(&of_ben).await;
    // The renewals come under a plan by which recruiters have a part.
    let levels = json!([{"rate": "10", "of": "commission"}, {"rate": "5", "of": "commission"}]);
    let plan =
        json!({"kind": "percent", "rate": "10", "recurring": {"months": null}, "levels": levels});
    shop.app.create(&format!("programs/{}/plans", shop.seed.program_id), plan).await;
    shop.tell("amount=50&id=r1&customer=C1&type=renewal").await;
    shop.tell("amount=70&id=r2&customer=C1&type=renewal").await;
    assert_eq!(shop.owed().await, "ann 10.00 USD; ben 20.00 USD", "held sales tie nobody");

    shop.decide("2", "approve").await;
    assert_eq!(shop.owed().await, "ann 10.00 USD; ben 32.00 USD; ruth 0.60 USD; tom 1.20 USD");
    // One that a person approves ties by its hit, whenever that is.
    shop.decide("1", "approve").await;
    let owed = "ann 22.00 USD; ben 20.00 USD; ruth 1.20 USD";
    assert_eq!(shop.owed().await, owed);
    // What is told again finds nothing else.
    for again in [
        "amount=50&id=r1&customer=C1&type=renewal",
        "amount=70&id=r2&customer=C1&type=renewal&new=0",
    ] {
        shop.tell(again).await;
        assert_eq!(shop.owed().await, owed, "{again}");
    }
    // A renewal that a person approved waits anew when it is another's.
    shop.decide("r1", "approve").await;
    shop.decide("1", "reject").await;
    assert_eq!(shop.owed().await, "ben 32.00 USD; ruth 0.60 USD; tom 1.20 USD");
    let stand = "select order_id || ' ' || status from conversions order by order_id";
    assert_eq!(shop.text(stand).await, "1 rejected; 2 payable; r1 pending; r2 pending");
    shop.decide("2", "reject").await;
    assert_eq!(shop.owed().await, "");
    shop.tell("amount=30&id=r3&customer=C1&type=renewal").await;
    assert_eq!(shop.owed().await, "");
}
