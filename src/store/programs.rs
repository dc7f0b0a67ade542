//! What advertisers offer, each with its newest plan. A program is never without one: its first is
//! written with it.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;
use tokio_postgres::Row;

use super::page::{Page, Revision, Scope};
use super::plans::{self, Plan};
use super::{During, Error, Store};
use crate::domain::id::Id;

const CREATE: &str = include_str!("../../sql/programs/create.sql");
const SELECT: &str = include_str!("../../sql/programs/select.sql");
const UPDATE: &str = include_str!("../../sql/programs/update.sql");

/// A program.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Program {
    pub id: Id,
    /// The advertiser's currency, ISO 4217.
    pub home: String,
    pub of: Offer,
    pub paused_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub revision: Revision,
    /// The newest version.
    pub plan: Option<Plan>,
}

/// What can be said of a program when it is made.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Offer {
    pub advertiser_id: Id,
    pub name: String,
    pub landing_url: String,
    pub allowed_hosts: Vec<String>,
    pub click_param: String,
    /// `last_click`, `first_click`, `linear` or `position_based`.
    pub attribution: String,
    pub window_days: i32,
    pub hold_days: i32,
    /// `accept` or `hold`.
    pub unsigned: String,
    pub coupons: bool,
    pub consent: bool,
    /// Less than this is not paid out; in the advertiser's currency.
    pub payout_minimum: Decimal,
}

/// Makes a program and the first version of its plan; returns its id.
pub async fn create(store: &Store, offer: &Offer, terms: &Value) -> Result<Id, Error> {
    let o = offer;
    let values: super::page::Values<'_> = &[
        &o.advertiser_id,
        &o.name,
        &o.landing_url,
        &o.allowed_hosts,
        &o.click_param,
        &o.attribution,
        &o.window_days,
        &o.hold_days,
        &o.unsigned,
        &o.coupons,
        &o.consent,
        &o.payout_minimum,
    ];
    let written = store.transaction("programs.create", async |tx| {
        let statement = tx.prepare_cached(CREATE).await.during("programs.create")?;
        let row = tx.query_one(&statement, values).await.during("programs.create")?;
        let id = row.get(0);
        plans::insert(tx, id, terms).await?;
        Ok(id)
    });
    written.await
}

/// One or a page, of all advertisers or one.
pub async fn select(
    store: &Store,
    scope: Scope,
    page: Page,
    only_advertiser_id: Option<Id>,
) -> Result<Vec<Program>, Error> {
    let Scope { advertiser_id, affiliate_id } = scope;
    let Page { id, before, limit } = page;
    let rows = store
        .rows(
            "programs.select",
            SELECT,
            &[&advertiser_id, &affiliate_id, &id, &before, &limit, &only_advertiser_id],
        )
        .await?;
    Ok(rows.iter().map(program).collect())
}

fn program(row: &Row) -> Program {
    let id = row.get("id");
    Program {
        id,
        home: row.get("home"),
        of: Offer {
            advertiser_id: row.get("advertiser_id"),
            name: row.get("name"),
            landing_url: row.get("landing_url"),
            allowed_hosts: row.get("allowed_hosts"),
            click_param: row.get("click_param"),
            attribution: row.get("attribution"),
            window_days: row.get("window_days"),
            hold_days: row.get("hold_days"),
            unsigned: row.get("unsigned"),
            coupons: row.get("coupons"),
            consent: row.get("consent"),
            payout_minimum: row.get("payout_minimum"),
        },
        paused_at: row.get("paused_at"),
        created_at: row.get("created_at"),
        revision: row.get("revision"),
        plan: plans::joined(row, id),
    }
}

/// What is to change; absent stays.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Change {
    pub name: Option<String>,
    pub landing_url: Option<String>,
    pub allowed_hosts: Option<Vec<String>>,
    pub click_param: Option<String>,
    pub attribution: Option<String>,
    pub window_days: Option<i32>,
    pub hold_days: Option<i32>,
    pub unsigned: Option<String>,
    pub coupons: Option<bool>,
    pub consent: Option<bool>,
    pub payout_minimum: Option<Decimal>,
    pub paused: Option<bool>,
    /// Only if it still stands so.
    pub only_at: Option<Revision>,
}

/// Changes one; false when there is none, it is another's, or it stands otherwise.
pub async fn update(store: &Store, scope: Scope, id: Id, change: &Change) -> Result<bool, Error> {
    let c = change;
    let changed: Option<Id> = store
        .value(
            "programs.update",
            UPDATE,
            &[
                &id,
                &scope.advertiser_id,
                &c.name,
                &c.landing_url,
                &c.allowed_hosts,
                &c.click_param,
                &c.attribution,
                &c.window_days,
                &c.hold_days,
                &c.unsigned,
                &c.coupons,
                &c.consent,
                &c.paused,
                &c.only_at,
                &c.payout_minimum,
            ],
        )
        .await?;
    Ok(changed.is_some())
}
