//! What goes back between the proposal of a payout and its approval: nobody approves what is not owed any more.

use serde_json::{Value, json};

use super::{World, code, refused, text, usd};
use crate::harness::Answer;

fn id_of<'a>(run: &'a Value, affiliate: &str) -> &'a str {
    let payouts = run["payouts"].as_array().unwrap();
    let his = |payout: &&Value| payout["affiliate_id"] == json!(affiliate);
    payouts.iter().find(his).unwrap()["id"].as_str().unwrap()
}

impl World {
    async fn approve(&self, what: &str, id: &str) -> Answer {
        self.post(&format!("{what}/{id}/approve"), Value::Null).await
    }

    async fn adjust(&self, amount: &str) {
        let of = json!({"affiliate_id": self.seed.affiliate_id, "amount": usd(amount), "reason": "by hand"});
        let answer = self.post("adjustments", self.of_program(of)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    }

    /// Refused as outdated, by so much of the seed's affiliate's payout.
    fn is_outdated(&self, answer: &Answer, payout: &str, less: &str) {
        assert_eq!(code(answer), refused(409, "payout_outdated"), "{}", answer.text());
        let affiliate = &self.seed.affiliate_id;
        let detail = format!("affiliate {affiliate}: by now it would be {less} USD less");
        let expected = json!([{"pointer": format!("/payouts/{payout}"), "detail": detail}]);
        assert_eq!(answer.json()["errors"], expected);
    }
}

#[tokio::test]
async fn what_went_back_since_is_not_approved_and_nobody_of_its_run() {
    let w = World::start().await;
    let (ben, cookie) = w.rival("ben").await;
    w.sell("A-1", "100").await;
    w.sell_by(&cookie, "B-1", "50").await;
    let run = w.run().await;
    let (id, payout) = (text(&run, "id"), id_of(&run, &w.seed.affiliate_id));
    let refund = |name: &str, amount: &str| json!({"order_id": "A-1", "refund_id": name, "amount": usd(amount)});
    w.tell("refunds", refund("R-1", "40")).await;
    w.is_outdated(&w.approve("payouts", payout).await, payout, "4.00");
    w.is_outdated(&w.approve("payout-runs", &id).await, payout, "4.00");
    for payout in w.get(&format!("payout-runs/{id}")).await["payouts"].as_array().unwrap() {
        assert_eq!(payout["status"], "proposed", "all of a run, or none");
    }
    w.step(&format!("payouts/{payout}/cancel"), Value::Null).await;
    assert_eq!(w.approve("payout-runs", &id).await.status, 200);
    assert_eq!(w.get(&format!("payouts/{}", id_of(&run, &ben))).await["status"], "approved");
    let again = w.approved().await;
    assert_eq!(again["payouts"][0]["amount"], usd("6.00"));
    // The money may be under way by now.
    w.tell("refunds", refund("R-2", "10")).await;
    w.step(&format!("payout-runs/{}/pay", text(&again, "id")), Value::Null).await;
    assert_eq!(w.balances().await, ["0.00", "-1.00", "6.00"]);
    w.is_sound().await;
}

#[tokio::test]
async fn whatever_takes_money_back_counts() {
    let w = World::start().await;
    for (order, less) in [
        ("refund", "3.00"),
        ("open", "10.00"),
        ("lost", "2.00"),
        ("reject", "10.00"),
        ("adjust", "1.50"),
    ] {
        let sale = w.sell(order, "100").await;
        let run = w.run().await;
        let payout = text(&run["payouts"][0], "id");
        match order {
            "refund" => drop(
                w.tell(
                    "refunds",
                    json!({"order_id": order, "refund_id": "R", "amount": usd("30")}),
                )
                .await,
            ),
            "open" => {
                drop(w.tell("chargebacks", json!({"order_id": order, "chargeback_id": "C"})).await)
            }
            "lost" => {
                let lost = json!({"order_id": order, "chargeback_id": "C", "amount": usd("20"), "status": "lost"});
                w.tell("chargebacks", lost).await;
            }
            "reject" => {
                let path = format!("conversions/{sale}/reject");
                assert_eq!(w.post(&path, json!({"reason": "sent back"})).await.status, 200);
            }
            _ => w.adjust("-1.50").await,
        }
        w.is_outdated(&w.approve("payouts", &payout).await, &payout, less);
        w.step(&format!("payouts/{payout}/cancel"), Value::Null).await;
    }
    assert_eq!(w.paid().await["payouts"][0]["amount"], usd("23.50"));
    assert_eq!(w.balances().await, ["10.00", "0.00", "23.50"]);
    w.is_sound().await;
}

#[tokio::test]
async fn what_its_run_would_propose_again_is_approved() {
    let w = World::start().await;
    w.sell("A-1", "100").await;
    let payout = text(&w.run().await["payouts"][0], "id");
    w.adjust("-4.00").await;
    w.is_outdated(&w.approve("payouts", &payout).await, &payout, "4.00");
    // Earned since: the run would take that, too.
    w.sell("A-2", "50").await;
    assert_eq!(w.approve("payouts", &payout).await.status, 200);
    w.step(&format!("payouts/{payout}/cancel"), Value::Null).await;
    // Of what is earned behind its time it would take nothing.
    let now =
        "select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";
    let until = json!({"program_id": w.seed.program_id, "until": w.told(now).await});
    let run = w.post("payout-runs", until).await.json();
    let payout = text(&run["payouts"][0], "id");
    assert_eq!(run["payouts"][0]["amount"], usd("11.00"));
    w.sell("A-3", "50").await;
    w.adjust("-1.00").await;
    w.is_outdated(&w.approve("payouts", &payout).await, &payout, "1.00");
    w.is_sound().await;
}
