//! Conversions read and written, with the shares of others and with what was paid back. Most have neither, and
//! pay for neither: no statement is run for what a batch has none of.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use rust_decimal::Decimal;
use serde::Deserialize;
use tokio_postgres::Row;
use tokio_postgres::types::{Json, ToSql, Type};

use super::run;
use crate::domain::attribution::{Attribution, By};
use crate::domain::id::{self, Id};
use crate::domain::intake::SaleKind;
use crate::domain::ledger::{Commission, Share, ShareKind, Status};
use crate::domain::money::{Currency, Money};
use crate::domain::order::{Disputed, Key, Order, Told};
use crate::domain::settlement::Conversion;
use crate::domain::takeback::Refund;
use crate::store::{During, Error};

const FIND_CONVERSIONS: &str = include_str!("../../../sql/settle/find_conversions.sql");
const INSERT_CONVERSIONS: &str = include_str!("../../../sql/settle/insert_conversions.sql");
const MARK_CONVERSIONS: &str = include_str!("../../../sql/settle/mark_conversions.sql");
const UPDATE_CONVERSIONS: &str = include_str!("../../../sql/settle/update_conversions.sql");
const WRITE_SHARES: &str = include_str!("../../../sql/settle/write_shares.sql");
const WRITE_REFUNDS: &str = include_str!("../../../sql/settle/write_refunds.sql");
const WRITE_CHARGEBACKS: &str = include_str!("../../../sql/settle/write_chargebacks.sql");

/// What is known of these orders. Planned each time: a plan that was kept from when there were few conversions
/// goes through all of a program's for each order, however many there are by now.
pub async fn find(tx: &Transaction<'_>, keys: &[Key]) -> Result<HashMap<Key, Conversion>, Error> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let programs: Vec<Id> = keys.iter().map(|key| key.program_id).collect();
    let kinds: Vec<&str> = keys.iter().map(|key| key.kind.code()).collect();
    let texts: Vec<&str> = keys.iter().map(|key| &*key.text).collect();
    let rows = tx
        .query_typed(
            FIND_CONVERSIONS,
            &[
                (&programs, Type::INT8_ARRAY),
                (&kinds, Type::TEXT_ARRAY),
                (&texts, Type::TEXT_ARRAY),
            ],
        )
        .await
        .during("settle.find_conversions")?;
    rows.iter().map(|row| conversion(row).map(|found| (found.key.clone(), found))).collect()
}

/// A share, as the statements that read conversions bring it along.
#[derive(Deserialize)]
struct ShareRow {
    part: i16,
    affiliate_id: Id,
    kind: String,
    level: Option<i16>,
    commission: Decimal,
    reversed: Decimal,
    currency: String,
    status: String,
}

impl ShareRow {
    fn read(self) -> Option<Share> {
        let currency = Currency::parse(&self.currency)?;
        Some(Share {
            part: self.part,
            affiliate_id: self.affiliate_id,
            kind: ShareKind::parse(&self.kind, self.level)?,
            commission: Money { amount: self.commission, currency },
            reversed: self.reversed,
            status: Status::parse(&self.status)?,
        })
    }
}

/// Reads a conversion with its shares.
pub(in crate::store) fn conversion(row: &Row) -> Result<Conversion, Error> {
    let unreadable = |what| move || Error::unreadable("settle.find_conversions", what);
    let Json(order): Json<Order> = row.try_get(5).during("settle.find_conversions")?;
    let currency = Currency::parse(row.get(9)).ok_or_else(unreadable("a currency"))?;
    let kind = SaleKind::parse(row.get(2)).ok_or_else(unreadable("a kind"))?;
    let key = Key { program_id: row.get(1), kind, text: row.get(3) };
    Ok(Conversion {
        id: row.get(0),
        key,
        revision: row.get(4),
        order,
        booked: Commission {
            conversion_id: row.get(0),
            advertiser_id: row.get(6),
            affiliate_id: row.get(7),
            amount: Money { amount: row.get(8), currency },
            status: Status::parse(row.get(10)).ok_or_else(unreadable("a status"))?,
        },
        reversed: row.get("reversed"),
        refunded: row.get("refunded"),
        shares: shares(row)?,
        renews: row.get("renews"),
        rated: None,
        plan_id: row.get(11),
        held: row.get(12),
        hold_until_ms: row.get(13),
        reasons: row.get(14),
        paid_out: row.get("paid_out"),
    })
}

/// Reads the shares that a statement brings along.
pub(in crate::store) fn shares(row: &Row) -> Result<Vec<Share>, Error> {
    let operation = "settle.find_conversions";
    let shares: Option<Json<Vec<ShareRow>>> = row.try_get("shares").during(operation)?;
    let shares = shares.into_iter().flat_map(|Json(shares)| shares).map(ShareRow::read);
    shares.collect::<Option<Vec<_>>>().ok_or_else(|| Error::unreadable(operation, "a share"))
}

/// Writes conversions, new ones and changed ones. Fails as a lost race when another writer was first.
pub async fn write_conversions(tx: &Transaction<'_>, all: &[Conversion]) -> Result<(), Error> {
    write_noted(tx, all, Noted::default()).await
}

/// The same, with what a person wrote.
pub(in crate::store) async fn write_noted(
    tx: &Transaction<'_>,
    all: &[Conversion],
    noted: Noted<'_>,
) -> Result<(), Error> {
    let mut sorted: Vec<&Conversion> = all.iter().collect();
    sorted.sort_by(|one, other| one.key.cmp(&other.key));
    let (made, changed): (Vec<&Conversion>, Vec<&Conversion>) =
        sorted.iter().copied().partition(|conversion| conversion.revision == 0);
    if !made.is_empty() {
        let operation = "settle.insert_conversions";
        let values = Columns::of(&made);
        if run(tx, operation, INSERT_CONVERSIONS, &values.params()).await? != made.len() as u64 {
            return Err(Error::raced(operation));
        }
        mark(tx, &made).await?;
    }
    if !changed.is_empty() {
        write_changed(tx, ("settle.update_conversions", UPDATE_CONVERSIONS), &changed, &[]).await?;
    }
    write_parts(tx, &sorted, noted).await
}

/// What few new conversions have, which the statement for all leaves out.
async fn mark(tx: &Transaction<'_>, made: &[&Conversion]) -> Result<(), Error> {
    let has =
        |c: &&&Conversion| !c.reversed.is_zero() || !c.refunded.is_zero() || c.renews.is_some();
    let c: Vec<&Conversion> = made.iter().filter(has).copied().collect();
    if c.is_empty() {
        return Ok(());
    }
    let params: [&(dyn ToSql + Sync); 4] = [
        &column(&c, |c| c.id),
        &column(&c, |c| c.reversed),
        &column(&c, |c| c.refunded),
        &column(&c, |c| c.renews.as_deref()),
    ];
    run(tx, "settle.mark_conversions", MARK_CONVERSIONS, &params).await.map(drop)
}

/// Writes conversions that were there, by a statement of this shape with `more` behind its parameters.
pub(in crate::store) async fn write_changed(
    tx: &Transaction<'_>,
    (operation, sql): (&'static str, &'static str),
    changed: &[&Conversion],
    more: &[&(dyn ToSql + Sync)],
) -> Result<(), Error> {
    let values = Columns::of(changed);
    let revisions = column(changed, |c| c.revision);
    let reversed = column(changed, |c| c.reversed);
    let refunded = column(changed, |c| c.refunded);
    let renews = column(changed, |c| c.renews.as_deref());
    let mut params = values.params();
    params.extend([&revisions as &(dyn ToSql + Sync), &reversed, &refunded, &renews]);
    params.extend_from_slice(more);
    match run(tx, operation, sql, &params).await? == changed.len() as u64 {
        true => Ok(()),
        false => Err(Error::raced(operation)),
    }
}

fn column<'a, T>(all: &[&'a Conversion], field: impl Fn(&'a Conversion) -> T) -> Vec<T> {
    all.iter().map(|conversion| field(conversion)).collect()
}

/// Conversions as the columns of a statement.
struct Columns<'a>(Vec<Box<dyn ToSql + Sync + Send + 'a>>);

impl<'a> Columns<'a> {
    fn of(c: &[&'a Conversion]) -> Self {
        fn credit<T>(c: &Conversion, field: impl Fn(&Attribution) -> T) -> Option<T> {
            c.order.credit().filter(|_| c.booked.affiliate_id.is_some()).map(field)
        }
        Columns(vec![
            Box::new(column(c, |c| c.id)),
            Box::new(column(c, |c| c.key.program_id)),
            Box::new(column(c, |c| c.key.kind.code())),
            Box::new(column(c, |c| &*c.key.text)),
            Box::new(column(c, |c| c.order.order_id.as_deref())),
            Box::new(column(c, |c| c.order.sale().amount)),
            Box::new(column(c, |c| c.order.sale().currency.code())),
            Box::new(column(c, |c| c.booked.affiliate_id)),
            Box::new(column(c, |c| credit(c, |a| a.link_id).flatten())),
            Box::new(column(c, |c| credit(c, |a| a.click_id).flatten())),
            Box::new(column(c, attributed_by)),
            Box::new(column(c, |c| c.plan_id)),
            Box::new(column(c, |c| c.booked.amount.amount)),
            Box::new(column(c, |c| c.booked.amount.currency.code())),
            Box::new(column(c, |c| c.booked.status.code())),
            Box::new(column(c, |c| c.held)),
            Box::new(column(c, |c| c.hold_until_ms)),
            Box::new(column(c, |c| !c.order.speaker.unverified)),
            Box::new(column(c, |c| c.order.speaker.value)),
            Box::new(column(c, |c| c.reasons.join(" "))),
            Box::new(column(c, |c| Json(&c.order))),
        ])
    }

    fn params(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.0.iter().map(|column| &**column as &(dyn ToSql + Sync)).collect()
    }
}

/// By what its affiliate is credited. Where that is not known any more, of one that was paid or rejected since, it was
/// by a tie: nothing else is ever taken back.
fn attributed_by(c: &Conversion) -> Option<&'static str> {
    let by = c.order.credit().map_or(By::Customer, |credit| credit.by);
    c.booked.affiliate_id.map(|_| by.code())
}

/// What a person wrote about the refund or chargeback that he told under this id.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::store) struct Noted<'a> {
    pub id: Id,
    pub note: Option<&'a str>,
}

impl<'a> Noted<'a> {
    fn of(self, id: Id) -> Option<&'a str> {
        self.note.filter(|_| self.id == id)
    }
}

/// Writes the shares of conversions, and the refunds and chargebacks as their orders tell them.
pub(in crate::store) async fn write_parts(
    tx: &Transaction<'_>,
    all: &[&Conversion],
    noted: Noted<'_>,
) -> Result<(), Error> {
    let shares = of_each(all, |c| c.shares.iter());
    if !shares.is_empty() {
        write_shares(tx, &shares).await?;
    }
    let refunds = of_each(all, |c| c.order.refunds.values());
    if !refunds.is_empty() {
        write_refunds(tx, &refunds, noted).await?;
    }
    let chargebacks = of_each(all, |c| c.order.chargebacks.values());
    if !chargebacks.is_empty() {
        write_chargebacks(tx, &chargebacks, noted).await?;
    }
    Ok(())
}

type Part<'a, T> = (&'a Conversion, &'a T);

fn of_each<'a, T: 'a, I: Iterator<Item = &'a T>>(
    all: &[&'a Conversion],
    parts: impl Fn(&'a Conversion) -> I,
) -> Vec<Part<'a, T>> {
    all.iter().flat_map(|c| parts(c).map(|part| (*c, part))).collect()
}

async fn write_shares(tx: &Transaction<'_>, s: &[Part<'_, Share>]) -> Result<(), Error> {
    let params: [&(dyn ToSql + Sync); 10] = [
        &s.iter().map(|(c, _)| c.id).collect::<Vec<_>>(),
        &s.iter().map(|(_, s)| s.part).collect::<Vec<_>>(),
        &s.iter().map(|(c, _)| c.key.program_id).collect::<Vec<_>>(),
        &s.iter().map(|(_, s)| s.affiliate_id).collect::<Vec<_>>(),
        &s.iter().map(|(_, s)| s.kind.code().0).collect::<Vec<_>>(),
        &s.iter().map(|(_, s)| s.kind.code().1).collect::<Vec<_>>(),
        &s.iter().map(|(_, s)| s.commission.amount).collect::<Vec<_>>(),
        &s.iter().map(|(_, s)| s.reversed).collect::<Vec<_>>(),
        &s.iter().map(|(_, s)| s.commission.currency.code()).collect::<Vec<_>>(),
        &s.iter().map(|(_, s)| s.status.code()).collect::<Vec<_>>(),
    ];
    run(tx, "settle.write_shares", WRITE_SHARES, &params).await.map(drop)
}

/// The hit that told it; a person's own telling has an id of the database's, and no hit.
fn hit_of(id: Id) -> Option<Id> {
    (id::node(id) <= id::NODE_MAX).then_some(id)
}

async fn write_refunds(
    tx: &Transaction<'_>,
    r: &[Part<'_, Told<Refund>>],
    noted: Noted<'_>,
) -> Result<(), Error> {
    let money = |told: &Told<Refund>| told.value.money;
    let params: [&(dyn ToSql + Sync); 8] = [
        &r.iter().map(|(_, r)| r.hit).collect::<Vec<_>>(),
        &r.iter().map(|(c, _)| c.key.program_id).collect::<Vec<_>>(),
        &r.iter().map(|(c, _)| c.id).collect::<Vec<_>>(),
        &r.iter().map(|(_, r)| &*r.value.id).collect::<Vec<_>>(),
        &r.iter().map(|(_, r)| money(r).map(|m| m.amount)).collect::<Vec<_>>(),
        &r.iter().map(|(_, r)| money(r).map(|m| m.currency.code())).collect::<Vec<_>>(),
        &r.iter().map(|(_, r)| hit_of(r.hit)).collect::<Vec<_>>(),
        &r.iter().map(|(_, r)| noted.of(r.hit)).collect::<Vec<_>>(),
    ];
    run(tx, "settle.write_refunds", WRITE_REFUNDS, &params).await.map(drop)
}

async fn write_chargebacks(
    tx: &Transaction<'_>,
    d: &[Part<'_, Disputed>],
    noted: Noted<'_>,
) -> Result<(), Error> {
    let first = |d: &Disputed| d.first.value.money;
    let params: [&(dyn ToSql + Sync); 12] = [
        &d.iter().map(|(_, d)| d.first.hit).collect::<Vec<_>>(),
        &d.iter().map(|(c, _)| c.key.program_id).collect::<Vec<_>>(),
        &d.iter().map(|(c, _)| c.id).collect::<Vec<_>>(),
        &d.iter().map(|(_, d)| &*d.first.value.id).collect::<Vec<_>>(),
        &d.iter().map(|(_, d)| first(d).map(|m| m.amount)).collect::<Vec<_>>(),
        &d.iter().map(|(_, d)| first(d).map(|m| m.currency.code())).collect::<Vec<_>>(),
        &d.iter().map(|(_, d)| d.last.value.stage.code()).collect::<Vec<_>>(),
        &d.iter().map(|(_, d)| d.first.value.reason.code()).collect::<Vec<_>>(),
        &d.iter().map(|(_, d)| d.first.value.requested_ms).collect::<Vec<_>>(),
        &d.iter().map(|(_, d)| d.closed_ms()).collect::<Vec<_>>(),
        &d.iter().map(|(_, d)| hit_of(d.last.hit)).collect::<Vec<_>>(),
        &d.iter().map(|(_, d)| noted.of(d.last.hit)).collect::<Vec<_>>(),
    ];
    run(tx, "settle.write_chargebacks", WRITE_CHARGEBACKS, &params).await.map(drop)
}
