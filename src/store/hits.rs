//! Hits as they came and what became of them, to be looked at. Written by the worker, never here.

use jiff::Timestamp;

use super::page::{Page, Scope};
use super::{Error, Store};
use crate::domain::catalog::{Model, Program, Rows, TrackingCode, Unsigned};
use crate::domain::id::Id;
use crate::domain::money::Currency;

const SELECT: &str = include_str!("../../sql/hits/select.sql");
const RAW: &str = include_str!("../../sql/hits/raw.sql");
const FORMERLY: &str = include_str!("../../sql/hits/formerly.sql");
const READER: &str = include_str!("../../sql/hits/reader.sql");

/// A hit and its fate.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Hit {
    pub id: Id,
    /// `click`, `pixel`, `form`, `postback`, `download`.
    pub kind: String,
    /// The link's or tracking code's code, as it came.
    pub code: String,
    pub received_at: Timestamp,
    /// Absent when the code is unknown.
    pub program_id: Option<Id>,
    pub affiliate_id: Option<Id>,
    pub outcome: String,
    /// Codes; the first is the reason of the outcome.
    pub reasons: Vec<String>,
    pub conversion_id: Option<Id>,
    /// Of a dead letter: why it could not be settled.
    pub error: Option<String>,
}

/// Which hits; absent is any. Ids tell the time of arrival, half-open.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Filter {
    pub outcome: Option<String>,
    pub code: Option<String>,
    pub from_id: Option<Id>,
    pub to_id: Option<Id>,
}

/// One or a page.
pub async fn select(
    store: &Store,
    scope: Scope,
    page: Page,
    filter: &Filter,
) -> Result<Vec<Hit>, Error> {
    let Page { id, before, limit } = page;
    let Filter { outcome, code, from_id, to_id } = filter;
    let values: super::page::Values<'_> =
        &[&scope.advertiser_id, &id, &before, &limit, outcome, code, from_id, to_id];
    let rows = store.rows("hits.select", SELECT, values).await?;
    let hit = |row: &tokio_postgres::Row| Hit {
        id: row.get("id"),
        kind: row.get("kind"),
        code: row.get("code"),
        received_at: row.get("received_at"),
        program_id: row.get("program_id"),
        affiliate_id: row.get("affiliate_id"),
        outcome: row.get("outcome"),
        reasons: row.get("reasons"),
        conversion_id: row.get("conversion_id"),
        error: row.get("error"),
    };
    Ok(rows.iter().map(hit).collect())
}

/// The request as journalled. The caller was shown the hit itself before, within his scope.
pub async fn raw(store: &Store, id: Id) -> Result<Vec<u8>, Error> {
    Ok(store.value("hits.raw", RAW, &[&id]).await?.unwrap_or_default())
}

/// An outcome that a replay changed.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Former {
    pub until: Timestamp,
    pub outcome: String,
    pub reasons: Vec<String>,
}

/// What a hit was before, oldest first. The caller was shown the hit itself before, within his scope.
pub async fn formerly(store: &Store, id: Id) -> Result<Vec<Former>, Error> {
    let rows = store.rows("hits.formerly", FORMERLY, &[&id]).await?;
    let former = |row: &tokio_postgres::Row| Former {
        until: row.get("applied_at"),
        outcome: row.get("outcome"),
        reasons: row.get("reasons"),
    };
    Ok(rows.iter().map(former).collect())
}

/// A catalog of one tracking code and its program, as they are now; empty when the code is unknown.
pub async fn reader(store: &Store, code: &str) -> Result<Rows, Error> {
    let rows = store.rows("hits.reader", READER, &[&code]).await?;
    let Some(row) = rows.first() else { return Ok(Rows::default()) };
    let currency = Currency::parse(row.get("currency"))
        .ok_or_else(|| Error::unreadable("hits.reader", "a currency that ISO 4217 lacks"))?;
    let program = Program {
        id: row.get("program_id"),
        advertiser_id: row.get("advertiser_id"),
        currency,
        timezone: String::new(),
        landing_url: row.get("landing_url"),
        allowed_hosts: Vec::new(),
        click_param: row.get("click_param"),
        attribution: Model::LastClick,
        coupons: row.get("coupons"),
        consent: row.get("consent"),
        window_days: row.get("window_days"),
        hold_days: row.get("hold_days"),
        unsigned: Unsigned::Accept,
        paused_ms: None,
        plans: Vec::new(),
        landing: Default::default(),
    };
    let tracking_code = TrackingCode {
        id: row.get("id"),
        program_id: program.id,
        code: code.to_owned(),
        secret: row.get("secret"),
        redirect_url: None,
        return_link: false,
    };
    Ok(Rows { programs: vec![program], tracking_codes: vec![tracking_code], ..Rows::default() })
}
