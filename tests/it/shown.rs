//! What is shown of money: never a sum of two currencies, of a share only what is one's own.

use serde_json::{Value, json};

use crate::rooms::World;

const ANNA: &str = "key-of-anna-advertiser-0000000000";
const BORIS: &str = "key-of-boris-advertiser-000000000";
const XENIA: &str = "key-of-xenia-affiliate-0000000000";
const YURI: &str = "key-of-yuri-affiliate-00000000000";

/// What nobody but Boris and Yuri may read of the sales that `share` makes.
const YURIS: [&str; 4] = ["order-of-yuri", "777.77", "77.78", "50.00 USD"];
/// What nobody but Boris and Xenia may.
const XENIAS: [&str; 3] = ["11.11 EUR", "1.20 USD", "0.40 USD"];

/// Two sales of Yuri's, for Boris, whose currency is USD. Of the one, in EUR, Xenia has a touch in EUR and, as his
/// recruiter, something in USD; of the other, a fifth of hers was taken back.
async fn share(world: &World) {
    let (first, second) = (world.base + 5_001, world.base + 5_002);
    let rows = format!(
        "insert into conversions (id, program_id, kind, order_key, order_id, amount, currency, affiliate_id, link_id,
           click_id, attributed_by, plan_id, commission, commission_currency, status, held, hold_until, verified,
           received_at, reversed, facts) values
           ({first}, 102, 'sale', 'id:order-of-yuri-1', 'order-of-yuri-1', 777.77, 'EUR', 12, 172, 904, 'cookie', 152, 77.78, 'EUR',
            'pending', false, now() + interval '30 days', true, now(), 0, '{{}}'),
           ({second}, 102, 'sale', 'id:order-of-yuri-2', 'order-of-yuri-2', 50.00, 'USD', 12, 172, 904, 'cookie', 152, 5.00, 'USD',
            'payable', false, now() - interval '1 day', true, now(), 1.00, '{{}}');
         insert into shares (conversion_id, part, program_id, affiliate_id, kind, level, commission, reversed, currency,
           status) values
           ({first}, 1, 102, 11, 'touch', null, 11.11, 0, 'EUR', 'pending'),
           ({first}, 2, 102, 11, 'level', 1, 1.20, 0, 'USD', 'pending'),
           ({second}, 1, 102, 11, 'level', 2, 0.50, 0.10, 'USD', 'payable');
         insert into transfers (conversion_id, code, cause_id, part, debit_account, debit_owner, credit_account,
           credit_owner, amount, currency, event_at) values
           ({first}, 'accrue', {first}, 1, 'advertiser', 2, 'affiliate_pending', 11, 11.11, 'EUR', now()),
           ({first}, 'accrue', {first}, 2, 'advertiser', 2, 'affiliate_pending', 11, 1.20, 'USD', now());"
    );
    world.db.batch_execute(&rows).await.unwrap();
}

async fn report(world: &World, key: &str, query: &str) -> String {
    let path = format!("reports/commissions?group_by=program&{query}");
    let answer = world.app.api_as(key, "GET", &path, Value::Null).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    answer.text().replace('"', "")
}

#[tokio::test]
async fn no_row_of_a_report_is_of_two_currencies() {
    let world = World::new().await;
    share(&world).await;
    let head = "program,currency,commission_currency,clicks,conversions,sales,\
                commission_pending,commission_payable,commission_paid,commission_reversed\r\n";
    let check = async |key: &str, query: &str, rows: &str| {
        let csv = report(&world, key, &format!("{query}format=csv")).await;
        assert_eq!(csv, head.to_owned() + &rows.replace('\n', "\r\n"), "{key} {query}");
    };
    let yuris =
        "102,EUR,EUR,0,1,777.77,77.78,0.00,0.00,0.00\n102,USD,USD,1,2,55.00,5.00,4.00,0.00,1.00\n";
    let shared =
        "102,EUR,EUR,0,0,0.00,11.11,0.00,0.00,0.00\n102,USD,USD,0,0,0.00,1.20,0.40,0.00,0.10\n";
    // What a recruiter gets in USD of a sale in EUR is a commission on a sale in EUR, to the advertiser.
    let all = "102,EUR,EUR,0,1,777.77,88.89,0.00,0.00,0.00\n102,EUR,USD,0,0,0.00,1.20,0.00,0.00,0.00\n\
               102,USD,USD,1,2,55.00,5.00,4.40,0.00,1.10\n";
    check(BORIS, "", all).await;
    check(YURI, "", yuris).await;
    for key in [BORIS, &world.app.admin_key] {
        check(key, "affiliate_id=12&", yuris).await;
        check(key, "affiliate_id=11&program_id=102&", shared).await;
    }
    check(XENIA, "program_id=102&", shared).await;
    check(ANNA, "program_id=102&", "").await;

    let json: Value = serde_json::from_str(
        &world
            .app
            .api_as(BORIS, "GET", "reports/commissions?group_by=day", Value::Null)
            .await
            .text(),
    )
    .unwrap();
    let money = |amount: &str, currency: &str| json!({"amount": amount, "currency": currency});
    let total = |n: usize| {
        let total = &json["totals"][n];
        (total["sales"].clone(), total["commission"]["pending"].clone())
    };
    assert_eq!(json["totals"].as_array().unwrap().len(), 3, "{json}");
    assert_eq!(total(0), (money("777.77", "EUR"), money("88.89", "EUR")));
    assert_eq!(total(1), (money("0.00", "EUR"), money("1.20", "USD")));
    assert_eq!(total(2), (money("55.00", "USD"), money("5.00", "USD")));
}

#[tokio::test]
async fn what_a_sale_costs_is_told_by_currency() {
    let world = World::new().await;
    share(&world).await;
    let boris = world.cookie(BORIS).await;
    let list = world.get("/advertiser/sales", &boris).await.text();
    for told in ["88.89 EUR + 1.20 USD", "4.40 USD", "5.00 USD"] {
        assert!(list.contains(told), "{told}: {list}");
    }
    let page = world.get(&format!("/advertiser/sales/{}", world.base + 5_001), &boris).await.text();
    for (name, left) in
        [("Commission left", "77.78 EUR"), ("Left with what others get", "88.89 EUR + 1.20 USD")]
    {
        assert!(page.contains(&format!("<dt>{name}</dt><dd>{left}</dd>")), "{name}: {page}");
    }
    let rejected =
        "update conversions set status = 'rejected' where order_key = 'id:order-of-yuri-1'";
    world.db.execute(rejected, &[]).await.unwrap();
    let list = world.get("/advertiser/sales?order=order-of-yuri-1", &boris).await.text();
    assert!(list.contains("0.00 EUR<") && !list.contains("1.20 USD"), "{list}");
}

#[tokio::test]
async fn an_affiliate_sees_his_shares_and_nothing_else_of_the_sale() {
    let world = World::new().await;
    share(&world).await;
    let operator = world.app.admin_key.clone();
    for (key, path) in [(XENIA, "/affiliate"), (&*operator, "/affiliate/11")] {
        let cookie = world.cookie(key).await;
        let page = world.get(path, &cookie).await.text();
        for told in XENIAS.iter().chain(&[
            "boris books",
            "one of several clicks",
            "recruiting, level 1",
            "recruiting, level 2",
            "0.10 USD taken back",
            "13.11 EUR",
            "another's sale",
        ]) {
            assert!(page.contains(told), "{path} {told}: {page}");
        }
        for hidden in YURIS {
            assert!(!page.contains(hidden), "{path} {hidden}: {page}");
        }
        let days = page.split("id=\"days\"").nth(1).unwrap().split("id=\"sales\"").next().unwrap();
        assert!(!days.contains("0.00 USD"), "a share is no sale of 0.00 USD: {days}");
    }
    for (key, path) in [(YURI, "/affiliate"), (ANNA, "/advertiser/sales")] {
        let cookie = world.cookie(key).await;
        let page = world.get(path, &cookie).await.text();
        for hidden in XENIAS {
            assert!(!page.contains(hidden), "{path} {hidden}: {page}");
        }
    }
}

#[tokio::test]
async fn shares_are_listed_for_whose_they_are_and_who_pays_them() {
    let world = World::new().await;
    share(&world).await;
    let get = async |key: &str, query: &str| {
        let answer = world.app.api_as(key, "GET", &format!("shares?{query}"), Value::Null).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        answer.json()
    };
    let [first, second] = [5_001, 5_002].map(|n| (world.base + n).to_string());
    let places = |list: &Value| -> Vec<(String, String)> {
        let rows = list["data"].as_array().unwrap().iter();
        let place = |row: &Value| {
            let id = row["conversion_id"].as_str().unwrap().to_owned();
            (id, row["commission_net"]["amount"].as_str().unwrap().to_owned())
        };
        rows.map(place).collect()
    };
    let all = [(&second, "0.40"), (&first, "1.20"), (&first, "11.11")];
    let all: Vec<_> = all.map(|(id, net)| (id.clone(), net.to_owned())).into();
    let operator = world.app.admin_key.clone();
    for key in [XENIA, BORIS, &operator] {
        assert_eq!(places(&get(key, "").await), all, "{key}");
        assert_eq!(places(&get(key, "affiliate_id=11&program_id=102").await), all, "{key}");
        assert_eq!(places(&get(key, "status=payable").await), all[..1], "{key}");
        assert_eq!(places(&get(key, "program_id=101").await), [], "{key}");
        assert_eq!(places(&get(key, "affiliate_id=12").await), [], "{key}");
        // Each page goes on within a sale, too.
        let (mut found, mut query) = (Vec::new(), "limit=1".to_owned());
        loop {
            let page = get(key, &query).await;
            found.extend(places(&page));
            let Some(next) = page["next_cursor"].as_str() else { break };
            query = format!("limit=1&cursor={next}");
        }
        assert_eq!(found, all, "{key}");
    }
    for key in [YURI, ANNA] {
        assert_eq!(get(key, "").await, json!({"data": [], "next_cursor": null}), "{key}");
    }
    let mut told = get(XENIA, "limit=1").await["data"][0].take();
    assert!(told.as_object_mut().unwrap().remove("created_at").is_some());
    let money = |amount: &str| json!({"amount": amount, "currency": "USD"});
    let expected = json!({
        "conversion_id": second, "program_id": "102", "affiliate_id": "11", "kind": "level", "level": 2,
        "commission": money("0.50"), "commission_net": money("0.40"), "status": "payable",
    });
    assert_eq!(told, expected, "nothing of order, amount or whose else it is");
    let bad = world.app.api_as(XENIA, "GET", "shares?cursor=000000000000000f", Value::Null).await;
    assert_eq!(bad.status, 422, "{}", bad.text());
}

#[tokio::test]
async fn an_affiliate_reads_the_rules_that_may_concern_him() {
    let world = World::new().await;
    let plan = r#"{"kind":"percent","rate":"10","rules":[
        {"when":{"affiliate_ids":["12"]},"kind":"percent","rate":"33"},
        {"when":{"groups":["platinum"]},"kind":"percent","rate":"31"},
        {"when":{"groups":["gold"],"customer":"new"},"kind":"percent","rate":"17"},
        {"when":{"coupon":["XENIA5","YURI5"]},"kind":"percent","rate":"4"},
        {"when":{"category":["<b>shoes*"],"country":["DE"]},"kind":"flat","amount":"3.00"}],
        "levels":[{"rate":"5","of":"sale"}]}"#;
    let rows = format!(
        "insert into plans (id, program_id, version, terms) values (153, 101, 2, '{plan}');
         insert into coupons (program_id, affiliate_id, code) values (101, 11, 'XENIA5'), (101, 12, 'YURI5');
         insert into links (id, program_id, affiliate_id, code) values (173, 101, 12, 'linkz');
         update affiliates set group_name = 'Gold' where id = 11"
    );
    world.db.batch_execute(&rows).await.unwrap();
    let terms = async |key: &str, path: &str| {
        let page = world.get(path, &world.cookie(key).await).await.text();
        let section =
            page.split("id=\"plans\"").nth(1).unwrap().split("</section>").next().unwrap();
        section.replace("&#60;", "<").to_owned()
    };
    let shoes = "category <b&#62;shoes…, buyers in DE: 3.00 EUR a sale or lead";
    let xenias = [
        "for your group, new customers: 17 %",
        "your coupon XENIA5 or certain others: 4 %",
        shoes,
        "anything else: 10 %",
        "recruiting, level 1: 5 % of the amount",
    ];
    for (key, path) in [(XENIA, "/affiliate"), (&*world.app.admin_key, "/affiliate/11")] {
        let told = terms(key, path).await;
        let lines: Vec<&str> =
            told.split("<li>").skip(1).map(|line| line.split("</li>").next().unwrap()).collect();
        assert_eq!(lines, xenias, "{path}");
    }
    let told = terms(YURI, "/affiliate").await;
    assert!(told.contains("<h3>Shoes</h3>") && told.contains("for you: 33 %"), "{told}");
    assert!(told.contains("boris books") && told.contains("5.00 USD a sale or lead"), "{told}");
    for hidden in ["XENIA5", "group", "gold", "platinum", "17 %", "31 %", "anything else"] {
        assert!(!told.contains(hidden), "{hidden}: {told}");
    }
    let anna = world.get("/advertiser", &world.cookie(ANNA).await).await.text();
    assert!(
        anna.contains("affiliates 12: 33 %") && anna.contains("group platinum: 31 %"),
        "{anna}"
    );
}

#[tokio::test]
async fn sales_and_shares_are_one_list_in_pages() {
    let world = World::new().await;
    let many = format!(
        "insert into conversions (id, program_id, kind, order_key, order_id, amount, currency, affiliate_id, attributed_by,
           commission, commission_currency, status, held, hold_until, verified, received_at, facts)
         select {base} + 6000 + n, 102, 'sale', 'id:m' || n, 'm' || n, 10, 'USD', case when n % 2 = 0 then 11 else 12 end,
                'cookie', 1, 'USD', 'pending', false, now(), true, now(), '{{}}'
         from generate_series(1, 130) n;
         insert into shares (conversion_id, part, program_id, affiliate_id, kind, level, commission, currency, status)
         select {base} + 6000 + n, part, 102, 11, 'level', part, part + n / 1000.0, 'USD', 'pending'
         from generate_series(1, 130) n, generate_series(1, 2) part
         where n % 2 = 1",
        base = world.base
    );
    world.db.batch_execute(&many).await.unwrap();
    let xenia = world.cookie(XENIA).await;
    let (mut path, mut own, mut shares) = ("/affiliate".to_owned(), 0, 0);
    for pages in 1.. {
        let page = world.get(&path, &xenia).await.text();
        own += page.matches("data-label=\"Order\" class=\"id\">m").count();
        shares += page.matches("another's sale</span>").count();
        let Some(next) =
            page.split("rel=\"next\"").next().filter(|_| page.contains("rel=\"next\""))
        else {
            assert_eq!((own, shares, pages), (65, 130, 4));
            return;
        };
        path = next.rsplit("href=\"").next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
        path = path.split('#').next().unwrap().to_owned();
    }
}
