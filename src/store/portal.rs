//! What an advertiser's room shows, and the operator's list of rooms. Every other statement takes the
//! advertiser's id and finds nothing that is another's. Rows come out as they are in the tables; wording is
//! the portal's affair.

use jiff::Timestamp;
use rust_decimal::Decimal;
use tokio_postgres::Row;

use super::page::Values;
use super::{Error, Store};
use crate::domain::commission::Terms;
use crate::domain::id::Id;
use crate::domain::order::Order;

const TENANTS: &str = include_str!("../../sql/portal/tenants.sql");
const ADVERTISER: &str = include_str!("../../sql/portal/advertiser.sql");
const PROGRAMS: &str = include_str!("../../sql/portal/programs.sql");
const TRACKING_CODES: &str = include_str!("../../sql/portal/tracking_codes.sql");
const EDIT_TRACKING_CODE: &str = include_str!("../../sql/portal/edit_tracking_code.sql");
const HITS: &str = include_str!("../../sql/portal/hits.sql");
const HIT: &str = include_str!("../../sql/portal/hit.sql");
const CONVERSION: &str = include_str!("../../sql/portal/conversion.sql");
const CONVERSION_HITS: &str = include_str!("../../sql/portal/conversion_hits.sql");
const TRANSFERS: &str = include_str!("../../sql/portal/transfers.sql");

/// Rows of a page; statements fetch one more, to know whether there is another page.
pub const PAGE_ROWS: usize = 50;

/// Somebody who has a room: an advertiser if he `sells`, else an affiliate.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Tenant {
    pub sells: bool,
    pub id: Id,
    pub name: String,
}

/// Whose room an advertiser's is.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Advertiser {
    pub name: String,
    pub currency: String,
    pub timezone: String,
    /// When it was asked.
    pub now: Timestamp,
}

/// A program with the signs of its health.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Program {
    pub id: Id,
    pub name: String,
    pub landing_url: String,
    pub click_param: String,
    pub attribution: String,
    pub coupons: bool,
    pub consent: bool,
    pub window_days: i32,
    pub hold_days: i32,
    pub unsigned: String,
    pub paused: bool,
    /// Of the plan now in force; absent when there is none, or when it is of another version.
    pub terms: Option<Terms>,
    /// Whether the shop ever sent anything.
    pub heard_of: bool,
    pub health: Health,
}

/// Hits of a program: the last day's, and those with a reason to look at in the last week.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub struct Health {
    pub day_hits: i64,
    pub day_rejected: i64,
    pub order_id_missing: i64,
    pub order_id_shared: i64,
    pub amount_ambiguous: i64,
}

/// A tracking code with its secret.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct TrackingCode {
    pub id: Id,
    pub program_id: Id,
    pub code: String,
    pub name: String,
    pub secret: String,
    pub redirect_url: Option<String>,
    pub return_method: String,
}

/// A hit with its fate. `raw` is the hit as journalled.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Hit {
    pub id: Id,
    pub received_at: Timestamp,
    pub program: String,
    pub kind: String,
    pub code: String,
    pub outcome: String,
    pub reasons: Vec<String>,
    pub conversion_id: Option<Id>,
    pub raw: Vec<u8>,
}

/// A conversion as its advertiser sees it.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Conversion {
    pub order_id: Option<String>,
    pub kind: String,
    pub amount: Decimal,
    pub currency: String,
    pub affiliate: Option<String>,
    pub attributed_by: Option<String>,
    pub commission: Decimal,
    pub commission_currency: String,
    pub status: String,
    pub held: bool,
    pub hold_until: Timestamp,
    pub verified: bool,
    pub reasons: Vec<String>,
    pub plan_version: Option<i32>,
    pub terms: Option<Terms>,
    /// What is known of it.
    pub order: Option<Order>,
    /// The advertiser's currency.
    pub home: String,
    /// What others have of it, in words.
    pub shares: Option<String>,
    /// What other touches have of it, in its currency.
    pub touches: Decimal,
}

/// A ledger row.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Transfer {
    pub code: String,
    pub debit: String,
    pub credit: String,
    pub amount: Decimal,
    pub currency: String,
    pub event_at: Timestamp,
}

/// Everybody who has a room.
pub async fn tenants(store: &Store) -> Result<Vec<Tenant>, Error> {
    let rows = store.rows("portal.tenants", TENANTS, &[]).await?;
    let read = |row: &Row| Tenant { sells: row.get(0), id: row.get(1), name: row.get(2) };
    Ok(rows.iter().map(read).collect())
}

/// An advertiser.
pub async fn advertiser(store: &Store, id: Id) -> Result<Option<Advertiser>, Error> {
    let rows = store.rows("portal.advertiser", ADVERTISER, &[&id]).await?;
    let read = |row: &Row| Advertiser {
        name: row.get(0),
        currency: row.get(1),
        timezone: row.get(2),
        now: row.get(3),
    };
    Ok(rows.first().map(read))
}

/// An advertiser's programs, at most 200.
pub async fn programs(store: &Store, advertiser: Id) -> Result<Vec<Program>, Error> {
    let rows = store.rows("portal.programs", PROGRAMS, &[&advertiser]).await?;
    let read = |row: &Row| Program {
        id: row.get(0),
        name: row.get(1),
        landing_url: row.get(2),
        click_param: row.get(3),
        attribution: row.get(4),
        coupons: row.get(5),
        consent: row.get(6),
        window_days: row.get(7),
        hold_days: row.get(8),
        unsigned: row.get(9),
        paused: row.get(10),
        terms: terms(row.get(11)),
        heard_of: row.get(12),
        health: Health {
            day_hits: row.get(13),
            day_rejected: row.get(14),
            order_id_missing: row.get(15),
            order_id_shared: row.get(16),
            amount_ambiguous: row.get(17),
        },
    };
    Ok(rows.iter().map(read).collect())
}

/// An advertiser's tracking codes, so many at most.
pub async fn tracking_codes(
    store: &Store,
    advertiser: Id,
    limit: i64,
) -> Result<Vec<TrackingCode>, Error> {
    let rows = store.rows("portal.tracking_codes", TRACKING_CODES, &[&advertiser, &limit]).await?;
    let read = |row: &Row| TrackingCode {
        id: row.get(0),
        program_id: row.get(1),
        code: row.get(2),
        name: row.get(3),
        secret: row.get(4),
        redirect_url: row.get(5),
        return_method: row.get(6),
    };
    Ok(rows.iter().map(read).collect())
}

/// Sets where a buyer goes after the form, and how; false when the code is not this advertiser's.
pub async fn edit_tracking_code(
    store: &Store,
    advertiser: Id,
    id: Id,
    redirect_url: Option<&str>,
    return_method: &str,
) -> Result<bool, Error> {
    let operation = "portal.edit_tracking_code";
    let params: Values<'_> = &[&advertiser, &id, &redirect_url, &return_method];
    let edited: Option<Id> = store.value(operation, EDIT_TRACKING_CODE, params).await?;
    Ok(edited.is_some())
}

/// What an advertiser's shops sent before an id, newest first.
pub async fn hits(store: &Store, advertiser: Id, before: Id) -> Result<Vec<Hit>, Error> {
    let rows = store.rows("portal.hits", HITS, &[&advertiser, &before]).await?;
    Ok(rows.iter().map(Hit::read).collect())
}

/// One hit, if it is of this advertiser's program.
pub async fn hit(store: &Store, advertiser: Id, id: Id) -> Result<Option<Hit>, Error> {
    let rows = store.rows("portal.hit", HIT, &[&advertiser, &id]).await?;
    Ok(rows.first().map(Hit::read))
}

/// All hits of a conversion, at most 50.
pub async fn conversion_hits(
    store: &Store,
    advertiser: Id,
    conversion: Id,
) -> Result<Vec<Hit>, Error> {
    let params: Values<'_> = &[&advertiser, &conversion];
    let rows = store.rows("portal.conversion_hits", CONVERSION_HITS, params).await?;
    Ok(rows.iter().map(Hit::read).collect())
}

/// One conversion, if it is of this advertiser's program.
pub async fn conversion(
    store: &Store,
    advertiser: Id,
    id: Id,
) -> Result<Option<Conversion>, Error> {
    let rows = store.rows("portal.conversion", CONVERSION, &[&advertiser, &id]).await?;
    let read = |row: &Row| Conversion {
        order_id: row.get(0),
        kind: row.get(1),
        amount: row.get(2),
        currency: row.get(3),
        affiliate: row.get(4),
        attributed_by: row.get(5),
        commission: row.get(6),
        commission_currency: row.get(7),
        status: row.get(8),
        held: row.get(9),
        hold_until: row.get(10),
        verified: row.get(11),
        reasons: row.get(12),
        plan_version: row.get(13),
        terms: terms(row.get(14)),
        order: serde_json::from_value(row.get("facts")).ok(),
        home: row.get("home"),
        shares: row.get("shares"),
        touches: row.get("touches"),
    };
    Ok(rows.first().map(read))
}

/// The ledger rows of a conversion, at most 100.
pub async fn transfers(store: &Store, advertiser: Id, id: Id) -> Result<Vec<Transfer>, Error> {
    let rows = store.rows("portal.transfers", TRANSFERS, &[&advertiser, &id]).await?;
    let read = |row: &Row| Transfer {
        code: row.get(0),
        debit: row.get(1),
        credit: row.get(2),
        amount: row.get(3),
        currency: row.get(4),
        event_at: row.get(5),
    };
    Ok(rows.iter().map(read).collect())
}

impl Hit {
    fn read(row: &Row) -> Self {
        Hit {
            id: row.get(0),
            received_at: row.get(1),
            program: row.get(2),
            kind: row.get(3),
            code: row.get(4),
            outcome: row.get(5),
            reasons: row.get(6),
            conversion_id: row.get(7),
            raw: row.get(8),
        }
    }
}

/// Terms as they are stored; nothing, where they are of another version.
pub(super) fn terms(stored: Option<serde_json::Value>) -> Option<Terms> {
    stored.and_then(|terms| serde_json::from_value(terms).ok())
}
