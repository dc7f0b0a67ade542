//! Refunds and chargebacks on their whole way: from a postback, or from a person, into the books.

use std::time::Duration;

use rust_decimal::Decimal;
use serde_json::{Value, json};
use tributary::domain::money::{Currency, Money};
use tributary::domain::settlement::{Action, Refused};
use tributary::domain::takeback::{Chargeback, Dispute, Refund, Stage, Takeback};
use tributary::queue::Queue;
use tributary::store::books::{self, Acted, Which};
use tributary::store::caller::Caller;
use tributary::store::keys::Role;
use tributary::store::{Error, Store, Transaction, idempotency, ledger};
use tributary::worker::Worker;

use crate::harness::{App, Seed};
use crate::replay::{click, postback, sound};

struct Shop {
    app: App,
    seed: Seed,
    token: String,
}

impl Shop {
    async fn open() -> Shop {
        let app = App::start().await;
        let seed = app.seed().await;
        let token = click(&app, &seed).await.split_once('=').unwrap().1.to_owned();
        Shop { app, seed, token }
    }

    /// Sends a postback and settles it.
    async fn told(&self, query: &str) {
        postback(&self.app, &self.seed, query).await;
        self.app.settle().await;
    }

    async fn sale(&self, id: &str) {
        self.told(&format!("amount=100&id={id}&tclid={}", self.token)).await;
    }

    /// `status commission reversed refunded held` of an order, and the books are sound.
    async fn state(&self, id: &str) -> String {
        sound(&self.app).await;
        let sql = format!(
            "select status || ' ' || round(commission, 2) || ' ' || round(reversed, 2) || ' ' || round(refunded, 2) || case when held then ' held' else '' end
             from conversions where order_key = 'id:{id}'"
        );
        self.app.rows(&sql).await[0].get(0)
    }

    /// What the affiliate has in an account.
    async fn balance(&self, account: &str) -> Decimal {
        let sql = format!(
            "select coalesce(sum(case when credit_account = '{account}' then amount else 0 end)
                           - sum(case when debit_account = '{account}' then amount else 0 end), 0) from transfers"
        );
        self.app.rows(&sql).await[0].get(0)
    }

    async fn codes(&self) -> Vec<String> {
        let sql = "select code || ' ' || debit_account || ' ' || amount from transfers order by created_at, id";
        self.app.rows(sql).await.iter().map(|row| row.get(0)).collect()
    }

    async fn verdict(&self, id: &str, verdict: &str, body: Value) -> (u16, Value) {
        let sql = format!("select id::text from conversions where order_key = 'id:{id}'");
        let conversion: String = self.app.rows(&sql).await[0].get(0);
        let path = format!("conversions/{conversion}/{verdict}");
        let answer = self.app.api("POST", &path, body).await;
        (answer.status, answer.json())
    }

    /// What a person does, in his own name.
    async fn act(&self, role: Role, which: &Which, action: &Action) -> Acted {
        let store = Store::for_api(&self.app.database_url, 1).unwrap();
        let store = store.on_behalf_of(Caller::new(role, "key:7"));
        let scope = store.scope(role);
        let act =
            async |tx: &Transaction<'_>| books::act(tx, scope, which, action, Some("a note")).await;
        idempotency::within::<_, Error>(&store, act).await.unwrap()
    }
}

fn refund(id: &str, amount: Option<&str>) -> Action {
    let usd = Currency::parse("USD").unwrap();
    let money = amount.map(|amount| Money::rounded(amount.parse().unwrap(), usd));
    Action::Takeback(Takeback::Refund(Refund { id: id.to_owned(), money }))
}

fn chargeback(stage: Stage) -> Action {
    Action::Takeback(Takeback::Chargeback(Chargeback {
        id: "C".to_owned(),
        money: None,
        stage,
        reason: Dispute::Fraud,
        requested_ms: 1_790_000_000_000,
        closed_ms: stage.is_closed().then_some(1_790_000_100_000),
    }))
}

#[tokio::test]
async fn a_refund_that_comes_before_its_sale_waits_for_it() {
    let shop = Shop::open().await;
    shop.told("type=refund&id=1&refund_id=a&amount=30").await;
    assert_eq!(shop.state("1").await, "reversed 0.00 0.00 0.00");
    assert!(shop.codes().await.is_empty());
    let hits = shop.app.rows("select outcome, reasons from hits where kind = 'postback'").await;
    let fate: (&str, Vec<&str>) = (hits[0].get(0), hits[0].get(1));
    assert_eq!(fate, ("held", vec!["sale_awaited"]));
    shop.sale("1").await;
    assert_eq!(shop.state("1").await, "pending 10.00 3.00 30.00");
    assert_eq!(shop.codes().await, ["accrue advertiser 10.00", "reverse affiliate_pending 3.00"]);
    // Both in one batch, and a sale that was never told of.
    postback(&shop.app, &shop.seed, "type=refund&id=2").await;
    shop.sale("2").await;
    assert_eq!(shop.state("2").await, "reversed 10.00 10.00 100.00");
    let api = shop.app.api("GET", "conversions?order_id=1", Value::Null).await.json();
    assert_eq!(api["data"][0]["commission_net"]["amount"], "7.00");
    let report = shop.app.api("GET", "reports/commissions?group_by=program", Value::Null).await;
    let commission = &report.json()["data"][0]["commission"];
    assert_eq!(
        (&commission["pending"], &commission["reversed"]),
        (
            &json!({"amount": "7.00", "currency": "USD"}),
            &json!({"amount": "13.00", "currency": "USD"})
        )
    );
    let refunds = "select refund_id || ' ' || coalesce(amount::text, 'all') || ' ' || (hit_id = id) from refunds order by id";
    let refunds: Vec<String> = shop.app.rows(refunds).await.iter().map(|row| row.get(0)).collect();
    assert_eq!(refunds, ["a 30.00 true", "all all true"]);
}

#[tokio::test]
async fn refunds_add_up_and_end_at_the_sale() {
    let shop = Shop::open().await;
    shop.sale("1").await;
    for (query, state) in [
        ("refund_id=a&amount=33.33", "pending 10.00 3.33 33.33"),
        ("refund_id=a&amount=33.33", "pending 10.00 3.33 33.33"),
        ("refund_id=b&amount=33.33", "pending 10.00 6.67 66.66"),
        ("refund_id=x&amount=10&currency=EUR", "pending 10.00 6.67 66.66"),
        ("refund_id=c&amount=40", "reversed 10.00 10.00 100.00"),
    ] {
        shop.told(&format!("type=refund&id=1&{query}")).await;
        assert_eq!(shop.state("1").await, state, "{query}");
    }
    let reasons = shop.app.rows("select reasons from conversions").await;
    assert_eq!(reasons[0].get::<_, Vec<&str>>(0), ["over_refunded", "refund_currency_differs"]);
    assert_eq!(shop.verdict("1", "approve", Value::Null).await.0, 409);
}

#[tokio::test]
async fn what_was_approved_or_paid_is_taken_back_from_what_is_payable() {
    let shop = Shop::open().await;
    shop.sale("1").await;
    assert_eq!(shop.verdict("1", "approve", Value::Null).await.0, 200);
    shop.told("type=refund&id=1&refund_id=a&amount=50").await;
    assert_eq!(shop.state("1").await, "payable 10.00 5.00 50.00");
    assert_eq!(shop.balance("affiliate_payable").await, Decimal::from(5));
    let asked = json!({"program_id": shop.seed.program_id});
    let run = shop.app.create("payout-runs", asked).await["id"].as_str().unwrap().to_owned();
    for step in ["approve", "pay"] {
        let path = format!("payout-runs/{run}/{step}");
        assert_eq!(shop.app.api("POST", &path, Value::Null).await.status, 200, "{step}");
    }
    assert_eq!(shop.state("1").await, "paid 10.00 5.00 50.00");
    shop.told("type=refund&id=1&refund_id=b&amount=50").await;
    assert_eq!(shop.state("1").await, "reversed 10.00 10.00 100.00");
    assert_eq!(shop.balance("affiliate_payable").await, Decimal::from(-5), "a debt");
    let totals = tributary::store::earnings::totals(
        &shop.app.store,
        shop.seed.affiliate_id.parse().unwrap(),
    )
    .await;
    let total = &totals.unwrap()[0];
    assert_eq!((total.payable, total.paid), (Decimal::from(-5), Decimal::from(5)));
}

#[tokio::test]
async fn an_open_chargeback_holds_and_its_end_releases_or_reverses() {
    let shop = Shop::open().await;
    shop.sale("1").await;
    let later = "update conversions set hold_until = now() - interval '1 day'";
    shop.app.execute(later).await;
    let release = async || {
        let now_ms = jiff::Timestamp::now().as_millisecond();
        ledger::release_due(&shop.app.store, now_ms, 10).await.unwrap()
    };
    assert_eq!(release().await, 1);
    shop.told("type=chargeback&id=1&chargeback_id=C&status=open&reason=FRAUD").await;
    assert_eq!(shop.state("1").await, "pending 10.00 0.00 0.00 held");
    assert_eq!(shop.balance("affiliate_pending").await, Decimal::from(10));
    assert_eq!(release().await, 0, "held is held");
    let (status, answer) = shop.verdict("1", "approve", Value::Null).await;
    assert_eq!((status, &answer["code"]), (409, &json!("chargeback_open")));
    shop.told("type=chargeback&id=1&chargeback_id=C&status=won").await;
    assert_eq!(shop.state("1").await, "pending 10.00 0.00 0.00");
    shop.app.execute(later).await;
    assert_eq!(release().await, 1);
    assert_eq!(shop.state("1").await, "payable 10.00 0.00 0.00");
    shop.told("type=chargeback&id=1&chargeback_id=D&status=lost&amount=20").await;
    assert_eq!(shop.state("1").await, "payable 10.00 2.00 20.00");
    shop.told("type=chargeback&id=1&chargeback_id=E&status=accepted&amount=80").await;
    assert_eq!(shop.state("1").await, "reversed 10.00 10.00 100.00");
    let rows = "select chargeback_id || ' ' || status || ' ' || reason || ' ' || (closed_at is not null) from chargebacks order by 1";
    let rows: Vec<String> = shop.app.rows(rows).await.iter().map(|row| row.get(0)).collect();
    assert_eq!(rows, ["C won FRAUD true", "D lost UNKNOWN true", "E accepted UNKNOWN true"]);
}

#[tokio::test]
async fn a_refund_of_what_was_rejected_moves_no_money() {
    let shop = Shop::open().await;
    shop.sale("1").await;
    shop.told("type=refund&id=1&refund_id=a&amount=30").await;
    assert_eq!(shop.verdict("1", "reject", json!({"reason": "fraud"})).await.0, 200);
    let moved = shop.codes().await;
    assert_eq!(moved[2..], ["restore advertiser 3.00", "reject affiliate_pending 10.00"]);
    shop.told("type=refund&id=1&refund_id=b&amount=70").await;
    assert_eq!(shop.state("1").await, "rejected 10.00 10.00 100.00");
    assert_eq!(shop.codes().await, moved);
}

#[tokio::test]
async fn a_person_can_tell_of_what_went_back() {
    let shop = Shop::open().await;
    let (program, advertiser): (i64, i64) =
        (shop.seed.program_id.parse().unwrap(), shop.seed.advertiser_id.parse().unwrap());
    let own = Role::Advertiser(advertiser);
    let (one, two) = (Which::sale(program, "1"), Which::sale(program, "2"));
    shop.sale("1").await;
    for stranger in [Role::Advertiser(advertiser + 1), Role::Affiliate(1)] {
        for which in [&one, &two] {
            let acted = shop.act(stranger, which, &refund("a", None)).await;
            assert!(matches!(acted, Acted::NotFound), "{acted:?}");
        }
    }
    assert!(matches!(shop.act(own, &two, &Action::Approve).await, Acted::NotFound));
    let done = |acted: Acted| assert!(matches!(acted, Acted::Done(..)), "{acted:?}");
    done(shop.act(own, &one, &refund("a", Some("30"))).await);
    assert_eq!(shop.state("1").await, "pending 10.00 3.00 30.00");
    let same = shop.act(own, &one, &refund("a", Some("30"))).await;
    assert!(matches!(same, Acted::Refused(Refused::Same, _)), "{same:?}");
    done(shop.act(own, &one, &chargeback(Stage::Open)).await);
    assert_eq!(shop.state("1").await, "pending 10.00 3.00 30.00 held");
    done(shop.act(own, &one, &chargeback(Stage::Won)).await);
    let usd = Currency::parse("USD").unwrap();
    let correct = Action::Correct(Money::rounded(Decimal::from(60), usd));
    done(shop.act(Role::Operator, &one, &correct).await);
    assert_eq!(shop.state("1").await, "pending 6.00 3.00 30.00");
    // Before anything told of the sale.
    done(shop.act(own, &two, &refund("a", Some("50"))).await);
    assert_eq!(shop.state("2").await, "reversed 0.00 0.00 0.00");
    shop.sale("2").await;
    assert_eq!(shop.state("2").await, "pending 10.00 5.00 50.00");
    let rows = "select note || ' ' || (hit_id is null) || ' ' || refund_id from refunds union all
                select note || ' ' || (hit_id is null) || ' ' || status from chargebacks order by 1";
    let rows: Vec<String> = shop.app.rows(rows).await.iter().map(|row| row.get(0)).collect();
    assert_eq!(rows, ["a note true a", "a note true a", "a note true won"]);
    let told = "select count(*) from audit_log where actor = 'key:7' and resource in ('refunds', 'chargebacks')";
    assert_eq!(shop.app.rows(told).await[0].get::<_, i64>(0), 4);
    // A replay leaves all of it alone.
    let report = crate::replay::replay(&shop.app).await;
    assert!(!report.differs(), "{report}");
}

#[tokio::test]
async fn a_replay_counts_what_was_refused_for_want_of_the_secret() {
    let shop = Shop::open().await;
    shop.sale("1").await;
    let secret = async |secret: &str| {
        shop.app.execute(&format!("update tracking_codes set secret = '{secret}'")).await;
    };
    postback(&shop.app, &shop.seed, "type=refund&id=1&refund_id=a&amount=50").await;
    postback(&shop.app, &shop.seed, "type=refund&id=2").await;
    secret("another-secret-of-more-than-32-characters").await;
    shop.app.settle().await;
    assert_eq!(shop.state("1").await, "pending 10.00 0.00 0.00");
    secret(&shop.seed.secret).await;
    let report = crate::replay::replay(&shop.app).await;
    assert_eq!(report.outcomes[&("rejected", "refunded")], 1);
    assert_eq!(report.outcomes[&("rejected", "held")], 1);
    assert_eq!(shop.state("1").await, "pending 10.00 5.00 50.00");
    assert_eq!(shop.state("2").await, "reversed 0.00 0.00 0.00");
}

#[tokio::test]
async fn shares_go_where_their_conversion_goes() {
    let shop = Shop::open().await;
    shop.sale("1").await;
    let ben = json!({"name": "Ben", "email": "ben@example.com"});
    let ben = shop.app.create("affiliates", ben).await["id"].as_str().unwrap().to_owned();
    // As a plan with levels books it.
    let share = format!(
        "insert into shares (conversion_id, part, program_id, affiliate_id, kind, level, commission, currency, status)
         select id, 1, program_id, {ben}, 'level', 1, 1.00, 'USD', 'pending' from conversions;
         insert into transfers (conversion_id, part, code, cause_id, debit_account, debit_owner, credit_account,
                                credit_owner, amount, currency, event_at)
         select conversion_id, 1, code, cause_id, debit_account, debit_owner, credit_account, {ben}, 1.00, currency,
                event_at from transfers;
         update conversions set hold_until = now() - interval '1 day'"
    );
    shop.app.execute(&share).await;
    sound(&shop.app).await;
    let now_ms = jiff::Timestamp::now().as_millisecond();
    assert_eq!(ledger::release_due(&shop.app.store, now_ms, 10).await.unwrap(), 1);
    assert_eq!(shop.state("1").await, "payable 10.00 0.00 0.00");
    assert_eq!(shop.balance("affiliate_payable").await, Decimal::from(11));
    let totals = tributary::store::earnings::totals(&shop.app.store, ben.parse().unwrap()).await;
    assert_eq!(totals.unwrap()[0].payable, Decimal::ONE);
    let path = format!("reports/commissions?group_by=program&affiliate_id={ben}");
    let report = shop.app.api("GET", &path, Value::Null).await.json();
    let row = &report["data"][0];
    assert_eq!(
        (&row["conversions"], &row["commission"]["payable"]["amount"]),
        (&json!(0), &json!("1.00"))
    );
    let (status, _) = shop.verdict("1", "reject", json!({"reason": "fraud"})).await;
    assert_eq!((status, shop.balance("affiliate_payable").await), (200, Decimal::ZERO));
    sound(&shop.app).await;
}

#[tokio::test]
async fn two_workers_settle_one_order_once() {
    let shop = Shop::open().await;
    let app = &shop.app;
    for id in 0..30 {
        let token = &shop.token;
        postback(app, &shop.seed, &format!("type=refund&id=o{id}&refund_id=a&amount=30")).await;
        postback(app, &shop.seed, &format!("amount=100&id=o{id}&tclid={token}")).await;
        postback(app, &shop.seed, &format!("type=chargeback&id=o{id}&status=lost&amount=20")).await;
        postback(app, &shop.seed, &format!("type=refund&id=o{id}&refund_id=a&amount=30")).await;
    }
    let worker = |name: &str| {
        let queue = Queue::new(app.settings.redis().unwrap(), &app.settings.redis_stream, name);
        Worker::new(app.store.clone(), queue.unwrap(), app.token_keys.clone(), 3)
    };
    let (mut one, mut two) = (worker("one"), worker("two"));
    let wait = Duration::from_millis(5);
    let settled = "select count(*) from hits where kind = 'postback'";
    while app.rows(settled).await[0].get::<_, i64>(0) < 120 {
        let (a, b) = tokio::join!(one.turn(wait), two.turn(wait));
        a.unwrap();
        b.unwrap();
    }
    for id in 0..30 {
        let sql = format!("select reversed::text from conversions where order_key = 'id:o{id}'");
        assert_eq!(app.rows(&sql).await[0].get::<_, &str>(0), "5.00", "o{id}");
    }
    sound(app).await;
    assert_eq!(shop.balance("affiliate_pending").await, Decimal::from(150));
}
