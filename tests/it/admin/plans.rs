//! Plans with all their options: what is taken is what is shown, and each fault is told at its place.

use serde_json::{Value, json};

use super::{World, call, get, header, make, pointers, text};

/// A plan that says all there is to say.
pub(super) fn full(affiliate_id: &str) -> Value {
    json!({
        "kind": "percent", "rate": "10", "minimum": "1.00", "maximum": "50.00",
        "less": ["tax", "shipping", "discount"], "currency": "program",
        "rules": [
            {"when": {"sku": ["BOOK-*"], "category": ["books"], "country": ["DE", "AT"]}, "kind": "percent", "rate": "5"},
            {"when": {"customer": "returning", "coupon": ["ANN10"], "type": "lead"}, "kind": "flat", "amount": "2.00", "per": "item", "maximum": "9"},
            {"when": {"origin": ["auto_renewal"], "affiliate_ids": [affiliate_id], "groups": ["partners"]}, "kind": "percent", "rate": "2.5"},
        ],
        "tiers": {"by": "volume", "on": "margin", "steps": [{"from": "1000.00", "rate": "12"}, {"from": "2000", "rate": "15"}]},
        "bonuses": [{"by": "count", "from": "100", "amount": "100.00"}],
        "cap": "1000.00",
        "recurring": {"months": 12},
        "levels": [{"rate": "10", "of": "commission"}, {"rate": "0.5", "of": "sale"}],
    })
}

#[tokio::test]
async fn what_is_said_is_what_is_shown() {
    let world = World::start().await;
    let (app, w) = (&world.app, &world);
    let plans = format!("programs/{}/plans", w.acme.program);
    let for_life = json!({"kind": "flat", "amount": "5.00", "recurring": {"months": null}});
    for terms in [full(&w.ann.id), for_life] {
        let made = make(app, &w.acme.key, &plans, terms.clone()).await;
        for (name, value) in terms.as_object().unwrap() {
            assert_eq!(made[name], *value, "{name}");
        }
        let shown = get(app, &w.acme.key, &format!("programs/{}", w.acme.program)).await;
        assert_eq!(shown["plan"], made);
    }
    // What is usual, empty or null is left out; countries are in capitals.
    let terms = json!({"kind": "flat", "amount": "5", "per": "sale", "currency": "sale", "less": [], "rules": [
        {"when": {"country": ["de"], "sku": null}, "kind": "percent", "rate": "1", "minimum": null},
    ], "cap": null, "levels": null});
    let made = make(app, &w.acme.key, &plans, terms).await;
    let mut fields: Vec<&str> = made.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["amount", "created_at", "id", "kind", "program_id", "rules", "version"]);
    let rules = json!([{"when": {"country": ["DE"]}, "kind": "percent", "rate": "1"}]);
    assert_eq!(made["rules"], rules);
    // A program's first plan may say as much.
    let program = json!({
        "advertiser_id": w.acme.id, "name": "x", "landing_url": "https://x.example/", "plan": full(&w.ann.id),
    });
    let made = make(app, &w.operator, "programs", program).await;
    assert_eq!(made["plan"]["tiers"], full(&w.ann.id)["tiers"]);
}

/// Terms of ten percent and what else is said.
fn with(name: &str, value: Value) -> Value {
    let mut terms = json!({"kind": "percent", "rate": "10"});
    terms[name] = value;
    terms
}

fn rule(when: Value) -> Value {
    with("rules", json!([{"when": when, "kind": "percent", "rate": "1"}]))
}

fn steps(steps: Value) -> Value {
    with("tiers", json!({"by": "volume", "on": "whole", "steps": steps}))
}

#[tokio::test]
async fn each_fault_is_told_at_its_place() {
    let world = World::start().await;
    let (app, w) = (&world.app, &world);
    let plans = format!("programs/{}/plans", w.acme.program);
    let many = |n: usize, value: Value| Value::Array(vec![value; n]);
    let a_rule = json!({"when": {"sku": ["A"]}, "kind": "flat", "amount": "1"});
    let flat = |name: &str, value: Value| {
        let mut terms = json!({"kind": "flat", "amount": "1"});
        terms[name] = value;
        terms
    };
    for (terms, expected) in [
        (json!({"kind": "percent", "rate": "101"}), vec!["/rate"]),
        (json!({"kind": "percent", "rate": "-1"}), vec!["/rate"]),
        (json!({"kind": "percent", "rate": "1.23456"}), vec!["/rate"]),
        (json!({"kind": "flat", "amount": "-5"}), vec!["/amount"]),
        (json!({"kind": "flat", "amount": "1", "rate": "1"}), vec!["/rate"]),
        (with("colour", json!("red")), vec!["/colour"]),
        (with("per", json!("item")), vec!["/per"]),
        (flat("per", json!("pair")), vec!["/per"]),
        (flat("tiers", json!({"by": "count", "on": "whole", "steps": []})), vec!["/tiers"]),
        (with("less", json!(["tax", "tip"])), vec!["/less/1"]),
        (with("less", json!(["tax", "tax"])), vec!["/less/1"]),
        (with("less", json!("tax")), vec!["/less"]),
        (with("minimum", json!(1)), vec!["/minimum"]),
        (with("maximum", json!("1.001")), vec!["/maximum"]),
        (json!({"kind": "percent", "rate": "1", "minimum": "2", "maximum": "1"}), vec!["/maximum"]),
        (with("currency", json!("EUR")), vec!["/currency"]),
        (with("rules", json!({})), vec!["/rules"]),
        (with("rules", json!([7])), vec!["/rules/0"]),
        (with("rules", many(51, a_rule.clone())), vec!["/rules"]),
        (with("rules", json!([a_rule, {"kind": "flat", "amount": "1"}])), vec!["/rules/1/when"]),
        (rule(json!({})), vec!["/rules/0/when"]),
        (rule(json!({"sku": []})), vec!["/rules/0/when"]),
        (rule(json!({"country": ["DE", "Germany"]})), vec!["/rules/0/when/country/1"]),
        (rule(json!({"sku": ["A", ""]})), vec!["/rules/0/when/sku/1"]),
        (rule(json!({"sku": many(501, json!("A"))})), vec!["/rules/0/when/sku"]),
        (rule(json!({"affiliate_ids": [7]})), vec!["/rules/0/when/affiliate_ids/0"]),
        (rule(json!({"customer": "old"})), vec!["/rules/0/when/customer"]),
        (rule(json!({"origin": ["new", "old"]})), vec!["/rules/0/when/origin/1"]),
        (
            rule(json!({"type": "refund", "size/x~": 1})),
            vec!["/rules/0/when/type", "/rules/0/when/size~1x~0"],
        ),
        (
            with(
                "rules",
                json!([{"when": {"sku": ["A"]}, "kind": "percent", "rate": "200", "x": 1}]),
            ),
            vec!["/rules/0/rate", "/rules/0/x"],
        ),
        (
            with("rules", json!([{"when": {"sku": ["A"]}, "kind": "percent", "rate": "200"}])),
            vec!["/rules/0/rate"],
        ),
        (with("rules", json!([{"when": {"sku": ["A"]}, "kind": "gift"}])), vec!["/rules/0/kind"]),
        (steps(json!([])), vec!["/tiers/steps"]),
        (steps(many(21, json!({"from": "1", "rate": "1"}))), vec!["/tiers/steps"]),
        (with("tiers", json!({"by": "weight", "on": "whole"})), vec!["/tiers/by", "/tiers/steps"]),
        (steps(json!([{"from": "0", "rate": "12"}])), vec!["/tiers/steps/0/from"]),
        (steps(json!([{"from": "1.001", "rate": "12"}])), vec!["/tiers/steps/0/from"]),
        (
            steps(json!([{"from": "20", "rate": "12"}, {"from": "20", "rate": "13"}])),
            vec!["/tiers/steps/1/from"],
        ),
        (steps(json!([{"from": "20", "rate": "9"}])), vec!["/tiers/steps/0/rate"]),
        (
            with(
                "tiers",
                json!({"by": "count", "on": "margin", "steps": [{"from": "1.5", "rate": "11"}]}),
            ),
            vec!["/tiers/steps/0/from"],
        ),
        (
            with("bonuses", json!([{"by": "volume", "from": "1", "amount": "0"}])),
            vec!["/bonuses/0/amount"],
        ),
        (with("bonuses", many(21, json!({}))), vec!["/bonuses"]),
        (with("cap", json!("0")), vec!["/cap"]),
        (with("recurring", json!({})), vec!["/recurring/months"]),
        (with("recurring", json!({"months": 0})), vec!["/recurring/months"]),
        (with("recurring", json!({"months": 1.5})), vec!["/recurring/months"]),
        (with("recurring", json!(true)), vec!["/recurring"]),
        (with("levels", many(11, json!({"rate": "1", "of": "sale"}))), vec!["/levels"]),
        (with("levels", many(6, json!({"rate": "20", "of": "commission"}))), vec!["/levels"]),
        (with("levels", json!([{"rate": "1", "of": "profit"}])), vec!["/levels/0/of"]),
    ] {
        let answer = call(app, &w.acme.key, "POST", &plans, terms.clone()).await;
        assert_eq!(answer.status, 422, "{terms}: {}", answer.text());
        assert_eq!(pointers(&answer), expected, "{terms}");
        // Where it is a program's first plan, the same a step deeper.
        let program = json!({
            "advertiser_id": w.acme.id, "name": "x", "landing_url": "https://x.example/", "plan": terms,
        });
        let answer = call(app, &w.operator, "POST", "programs", program).await;
        let deeper: Vec<String> =
            expected.iter().map(|pointer| format!("/plan{pointer}")).collect();
        assert_eq!((answer.status, pointers(&answer)), (422, deeper), "{terms}");
    }
}

#[tokio::test]
async fn amounts_have_the_decimals_of_the_advertisers_currency() {
    let world = World::start().await;
    let (app, key) = (&world.app, &world.operator);
    for (currency, amount, fine) in [
        ("JPY", "5", true),
        ("JPY", "5.5", false),
        ("KWD", "5.125", true),
        ("KWD", "5.1255", false),
        ("CLF", "5.1255", true),
    ] {
        let advertiser = json!({"name": "x", "currency": currency, "timezone": "Asia/Tokyo"});
        let id = text(&make(app, key, "advertisers", advertiser).await["id"]);
        let plan = json!({"kind": "percent", "rate": "1", "cap": amount});
        let program = json!({
            "advertiser_id": id, "name": "x", "landing_url": "https://x.example/", "plan": plan,
        });
        let answer = call(app, key, "POST", "programs", program).await;
        assert_eq!(answer.status, if fine { 201 } else { 422 }, "{currency} {amount}");
    }
}

#[tokio::test]
async fn recruiters_and_groups() {
    let world = World::start().await;
    let (app, w, op) = (&world.app, &world, &world.operator);
    let path = |id: &str| format!("affiliates/{id}");
    let change = async |id: &str, body: Value| call(app, op, "PATCH", &path(id), body).await;
    let recruit = json!({"name": "cas", "email": "c@mail.example", "recruited_by": w.ann.id, "group": " partners "});
    let made = make(app, op, "affiliates", recruit).await;
    let cas = text(&made["id"]);
    assert_eq!((&made["recruited_by"], &made["group"]), (&json!(w.ann.id), &json!("partners")));
    // Ann recruited Cas and Bob recruited Ann; so neither of those is below the other.
    assert_eq!(change(&w.ann.id, json!({"recruited_by": w.bob.id})).await.status, 200);
    for (id, above) in [(&w.bob.id, &cas), (&w.bob.id, &w.ann.id), (&cas, &cas)] {
        let answer = change(id, json!({"recruited_by": above})).await;
        let code = answer.json()["code"].clone();
        assert_eq!((answer.status, code), (409, json!("recruiter_cycle")), "{id} by {above}");
        assert_eq!(pointers(&answer), ["/recruited_by"]);
    }
    let answer = change(&cas, json!({"recruited_by": "7"})).await;
    assert_eq!((answer.status, pointers(&answer)), (404, vec!["/recruited_by".to_owned()]));
    let answer = change(&cas, json!({"group": "x".repeat(65)})).await;
    assert_eq!((answer.status, pointers(&answer)), (422, vec!["/group".to_owned()]));
    // Who sees what: the advertiser the group, the affiliate his recruiter.
    assert_eq!(change(&w.ann.id, json!({"group": "blogs"})).await.status, 200);
    for (key, recruiter, group) in [
        (op, json!(w.bob.id), json!("blogs")),
        (&w.acme.key, Value::Null, json!("blogs")),
        (&w.ann.key, json!(w.bob.id), Value::Null),
    ] {
        let shown = get(app, key, &path(&w.ann.id)).await;
        assert_eq!((&shown["recruited_by"], &shown["group"]), (&recruiter, &group));
    }
    let answer = call(app, &w.acme.key, "PATCH", &path(&w.ann.id), json!({"group": "x"})).await;
    assert_eq!(answer.status, 403);
    // The catalog has them, for pricing.
    let store = tributary::store::Store::for_worker(&app.database_url, 1).unwrap();
    let catalog = async || {
        let rows = tributary::store::catalog::load(&store).await.unwrap();
        tributary::domain::catalog::Catalog::from(rows)
    };
    let id = |text: &str| text.parse::<i64>().unwrap();
    let known = catalog().await;
    assert_eq!(known.recruiters(id(&cas)), [id(&w.ann.id), id(&w.bob.id)]);
    assert_eq!(known.affiliate(id(&cas)).unwrap().group.as_deref(), Some("partners"));
    // Null clears, what is not named stays; the tag moves with either.
    let tag = |answer: &crate::harness::Answer| header(answer, "etag").map(str::to_owned);
    let before = tag(&call(app, op, "GET", &path(&cas), Value::Null).await);
    let cleared = change(&cas, json!({"recruited_by": null})).await;
    assert_eq!(
        (cleared.json().get("recruited_by"), &cleared.json()["group"]),
        (None, &json!("partners"))
    );
    assert_ne!(tag(&call(app, op, "GET", &path(&cas), Value::Null).await), before);
    assert_eq!(catalog().await.recruiters(id(&cas)), Vec::<i64>::new());
}

#[tokio::test]
async fn two_who_recruit_each_other_at_once() {
    let world = World::start().await;
    let (app, op) = (&world.app, &world.operator);
    let (ann, bob) = (&world.ann.id, &world.bob.id);
    for _ in 0..5 {
        for id in [ann, bob] {
            let path = format!("affiliates/{id}");
            let free = json!({"recruited_by": null});
            assert_eq!(call(app, op, "PATCH", &path, free).await.status, 200);
        }
        let recruit = async |id: &str, above: &str| {
            let path = format!("affiliates/{id}");
            call(app, op, "PATCH", &path, json!({"recruited_by": above})).await.status
        };
        let (one, other) = tokio::join!(recruit(ann, bob), recruit(bob, ann));
        let mut statuses = [one, other];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    }
}
