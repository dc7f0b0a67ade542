//! Months that are closed, against a real database; what is due is reckoned by hand.

mod again; // closed again: what came late, went back, or was told in another order
mod once; // two at once, killed in the middle, shown
mod reckoned; // tiers, bonuses, caps; plans, currencies, time zones

use serde_json::{Value, json};
use tributary::store::{Error, months};

use crate::harness::{App, Seed, http};
use crate::replay::{click, postback, sound};

/// 10 %, from 1000.00 on 12 %, from 2000.00 on 15 %.
fn tiers(on: &str) -> Value {
    json!({"kind": "percent", "rate": "10", "tiers": {"by": "volume", "on": on,
        "steps": [{"from": "1000.00", "rate": "12"}, {"from": "2000.00", "rate": "15"}]}})
}

/// The first moment at which January 2026 closes in UTC with a hold period of 30 days.
const CLOSES: &str = "2026-03-03T01:00:00Z";

struct World {
    app: App,
    seed: Seed,
    cookie: String,
}

impl World {
    async fn start(plan: Value) -> World {
        World::with(json!({"plan": plan})).await
    }

    async fn with(program: Value) -> World {
        let app = App::start().await;
        let seed = app.seed_with(program).await;
        let cookie = click(&app, &seed).await;
        World { app, seed, cookie }
    }

    /// Another program of another advertiser, on the same servers.
    async fn another(self, plan: Value) -> World {
        let seed = self.app.seed_with(json!({"plan": plan})).await;
        let cookie = click(&self.app, &seed).await;
        World { app: self.app, seed, cookie }
    }

    /// A sale that came at some time; `amount` may have more of the query behind it.
    async fn sell(&self, order: &str, amount: &str, at: &str) {
        self.sell_by(&self.cookie, order, amount).await;
        self.came(order, at).await;
    }

    async fn sell_by(&self, cookie: &str, order: &str, amount: &str) {
        let url =
            format!("{}/t/{}.gif?id={order}&amount={amount}", self.app.edge_url, self.seed.code);
        assert_eq!(http("GET", &url, &[("cookie", cookie)], b"").await.status, 200);
        self.app.settle().await;
    }

    /// Puts a sale into another time, as if its hit had come then.
    async fn came(&self, order: &str, at: &str) {
        let moved = format!(
            "update conversions set received_at = '{at}',
               facts = jsonb_set(facts, '{{speaker,value}}', to_jsonb((extract(epoch from timestamptz '{at}') * 1000)::bigint))
             where order_key = 'id:{order}' and program_id = {}",
            self.seed.program_id
        );
        self.app.execute(&moved).await;
    }

    async fn refund(&self, query: &str) {
        postback(&self.app, &self.seed, &format!("type=refund&{query}")).await;
        self.app.settle().await;
    }

    /// Closes what is due; how many months that were.
    async fn close(&self, now: &str) -> usize {
        self.try_close(now).await.unwrap()
    }

    async fn try_close(&self, now: &str) -> Result<usize, Error> {
        let now: jiff::Timestamp = now.parse().unwrap();
        months::close_due(&self.app.store, now.as_millisecond(), 100).await
    }

    /// Each closing of the program as `month currency booked before -> due`, in order; and the books are sound.
    async fn closings(&self) -> Vec<String> {
        sound(&self.app).await;
        let sql = format!(
            "select to_char(month, 'YYYY-MM') || ' ' || currency || ' ' || booked_before || ' -> ' || due
             from month_closes where program_id = {} order by month, id",
            self.seed.program_id
        );
        self.app.rows(&sql).await.iter().map(|row| row.get(0)).collect()
    }

    async fn lines(&self) -> Vec<String> {
        let sql = "select unnest(lines) from month_closes order by month, id";
        self.app.rows(sql).await.iter().map(|row| row.get(0)).collect()
    }

    /// What the seed's affiliate has payable in the program.
    async fn payable(&self) -> String {
        let sql = format!(
            "select coalesce(sum(case when credit_account = 'affiliate_payable' then amount else 0 end
                               - case when debit_account = 'affiliate_payable' then amount else 0 end), 0)::text
             from transfers where {} in (credit_owner, debit_owner) and program_id = {} and currency = 'USD'",
            self.seed.affiliate_id, self.seed.program_id
        );
        self.told(&sql).await
    }

    async fn told(&self, sql: &str) -> String {
        self.app.rows(sql).await[0].get(0)
    }

    async fn zone(&self, zone: &str) {
        let id = &self.seed.advertiser_id;
        let sql = format!("update advertisers set timezone = '{zone}' where id = {id}");
        self.app.execute(&sql).await;
    }
}
