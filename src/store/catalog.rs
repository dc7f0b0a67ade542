//! The catalog, out of the database: read whole, and followed as it changes. Told of a change by
//! notification; asks each second besides, for a notification may be lost with its connection.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::sync::{mpsc, watch};
use tokio_postgres::types::Json;
use tokio_postgres::{AsyncMessage, NoTls, Row};

use super::{During, Error, Store, Transaction};
use crate::domain::catalog::{
    Affiliate, Coupon, Link, Model, Plan, Program, Rows, TrackingCode, Unsigned,
};
use crate::domain::id::Id;
use crate::domain::landing::Parsed;
use crate::domain::money::Currency;
use crate::telemetry;

const VERSION: &str = include_str!("../../sql/catalog/version.sql");
const PROGRAMS: &str = include_str!("../../sql/catalog/programs.sql");
const PLANS: &str = include_str!("../../sql/catalog/plans.sql");
const LINKS: &str = include_str!("../../sql/catalog/links.sql");
const TRACKING_CODES: &str = include_str!("../../sql/catalog/tracking_codes.sql");
const AFFILIATES: &str = include_str!("../../sql/catalog/affiliates.sql");
const COUPONS: &str = include_str!("../../sql/catalog/coupons.sql");
const LISTEN: &str = include_str!("../../sql/catalog/listen.sql");

/// How often the version is asked for, notified or not.
const POLL: Duration = Duration::from_secs(1);

/// The version of the catalog.
pub async fn version(store: &Store) -> Result<i64, Error> {
    let client = store.client("catalog.version").await?;
    let statement = client.prepare_cached(VERSION).await.during("catalog.version")?;
    Ok(client.query_one(&statement, &[]).await.during("catalog.version")?.get(0))
}

/// The whole catalog, as of one moment.
pub async fn load(store: &Store) -> Result<Rows, Error> {
    let mut client = store.client("catalog.load").await?;
    let begin = client.build_transaction().read_only(true);
    let level = tokio_postgres::IsolationLevel::RepeatableRead;
    let tx = begin.isolation_level(level).start().await.during("catalog.load")?;
    let query = async |sql| tx.query(sql, &[]).await.during("catalog.load");
    let every: Option<Id> = None;
    let of_programs = async |sql| tx.query(sql, &[&every]).await.during("catalog.load");
    let mut rows = Rows {
        version: tx.query_one(VERSION, &[]).await.during("catalog.load")?.get(0),
        programs: of_programs(PROGRAMS).await?.iter().map(program).collect::<Result<_, _>>()?,
        links: query(LINKS).await?.iter().map(link).collect(),
        tracking_codes: query(TRACKING_CODES).await?.iter().map(tracking_code).collect(),
        affiliates: query(AFFILIATES).await?.iter().map(affiliate).collect(),
        coupons: query(COUPONS).await?.iter().map(coupon).collect(),
    };
    rows.programs.sort_by_key(|program| program.id);
    for row in of_programs(PLANS).await? {
        let plan = plan(&row)?;
        if let Ok(at) = rows.programs.binary_search_by_key(&row.get(0), |program| program.id) {
            rows.programs[at].plans.push(plan);
        }
    }
    Ok(rows)
}

/// One program with its plans, as of this transaction: what a person's action on a conversion is decided by.
pub(super) async fn program_of(tx: &Transaction<'_>, id: Id) -> Result<Option<Program>, Error> {
    let statement = tx.prepare_cached(PROGRAMS).await.during("catalog.programs")?;
    let rows = tx.query(&statement, &[&Some(id)]).await.during("catalog.programs")?;
    let Some(mut found) = rows.first().map(program).transpose()? else { return Ok(None) };
    let statement = tx.prepare_cached(PLANS).await.during("catalog.plans")?;
    let rows = tx.query(&statement, &[&Some(id)]).await.during("catalog.plans")?;
    found.plans = rows.iter().map(plan).collect::<Result<_, _>>()?;
    Ok(Some(found))
}

/// Publishes the catalog now and after each change, until `stop`; in between, about each second, that it is
/// the one at hand. Goes on through outages of the database, and says nothing meanwhile.
pub async fn follow(store: Store, publish: impl Fn(Option<Rows>), mut stop: watch::Receiver<bool>) {
    let mut known = None;
    let mut changes = None;
    loop {
        if changes.is_none() {
            changes = listen(&store).await.ok();
        }
        match refresh(&store, known).await {
            Ok(Some(rows)) => {
                known = Some(rows.version);
                telemetry::catalog_version(rows.version);
                publish(Some(rows));
            }
            Ok(None) => publish(None),
            Err(error) => {
                telemetry::catalog_error();
                tracing::warn!(%error, "cannot read the catalog; the one at hand is used");
            }
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(POLL) => {}
            change = next_change(&mut changes) => if change.is_none() { changes = None },
        }
    }
}

async fn refresh(store: &Store, known: Option<i64>) -> Result<Option<Rows>, Error> {
    if known == Some(version(store).await?) {
        return Ok(None);
    }
    load(store).await.map(Some)
}

/// Changes as they are notified; the connection lives as long as its client.
struct Changes {
    heard: mpsc::Receiver<()>,
    _client: tokio_postgres::Client,
}

async fn next_change(changes: &mut Option<Changes>) -> Option<()> {
    match changes {
        Some(changes) => changes.heard.recv().await,
        None => std::future::pending().await,
    }
}

/// A connection of its own that hears notifications; the channel ends with it, and it with the channel.
async fn listen(store: &Store) -> Result<Changes, Error> {
    let (client, mut connection) = store.config.connect(NoTls).await.during("catalog.listen")?;
    let (tell, heard) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notification(_) = message {
                // A full channel holds a change already; a closed one has no listener.
                let _ = tell.try_send(());
            }
        }
    });
    client.batch_execute(LISTEN).await.during("catalog.listen")?;
    Ok(Changes { heard, _client: client })
}

fn program(row: &Row) -> Result<Program, Error> {
    let (model, unsigned): (&str, &str) = (row.get(6), row.get(11));
    let unreadable = || Error::unreadable("catalog.programs", "an unknown currency");
    Ok(Program {
        id: row.get(0),
        advertiser_id: row.get(1),
        currency: Currency::parse(row.get(2)).ok_or_else(unreadable)?,
        landing_url: row.get(3),
        allowed_hosts: row.get(4),
        click_param: row.get(5),
        attribution: Model::parse(model).unwrap_or(Model::LastClick),
        coupons: row.get(7),
        consent: row.get(8),
        window_days: row.get(9),
        hold_days: row.get(10),
        unsigned: if unsigned == "hold" { Unsigned::Hold } else { Unsigned::Accept },
        paused_ms: row.get(12),
        plans: Vec::new(),
        landing: Parsed::default(),
        timezone: row.get("timezone"),
    })
}

fn plan(row: &Row) -> Result<Plan, Error> {
    let Json(terms) = row.try_get(3).during("catalog.plans")?;
    Ok(Plan { id: row.get(1), from_ms: row.get(2), terms })
}

fn link(row: &Row) -> Link {
    Link {
        id: row.get(0),
        program_id: row.get(1),
        affiliate_id: row.get(2),
        code: row.get(3),
        destination: row.get(4),
        paused_ms: row.get(5),
        landing: Parsed::default(),
    }
}

fn tracking_code(row: &Row) -> TrackingCode {
    TrackingCode {
        id: row.get(0),
        program_id: row.get(1),
        code: row.get(2),
        secret: row.get(3),
        redirect_url: row.get(4),
        return_link: row.get(5),
    }
}

pub(super) fn affiliate(row: &Row) -> Affiliate {
    Affiliate { id: row.get(0), paused_ms: row.get(1), recruited_by: row.get(2), group: row.get(3) }
}

fn coupon(row: &Row) -> Coupon {
    Coupon {
        program_id: row.get(0),
        affiliate_id: row.get(1),
        code: row.get(2),
        from_ms: row.get(3),
        to_ms: row.get(4),
    }
}
