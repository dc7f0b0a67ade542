//! Whose customers buy: read and written beside the conversions of programs whose plans pay for renewals. Nothing is
//! asked for what a batch has none of.

use deadpool_postgres::Transaction;
use tokio_postgres::Row;

use super::page::{Scope, Values};
use super::{During, Error, catalog, rates, settle};
use crate::domain::attribution::{Attribution, By};
use crate::domain::catalog::{Affiliate, Catalog, Program, Rows};
use crate::domain::id::Id;
use crate::domain::intake::SaleKind;
use crate::domain::ledger::Cause;
use crate::domain::lookups::Aid;
use crate::domain::order::Key;
use crate::domain::settlement::{Batch, Conversion, Settlement, Tying};
use crate::domain::ties::{Customer, Tie, Ties};

const HOLD: &str = include_str!("../../sql/ties/hold.sql");
const STANDING: &str = include_str!("../../sql/ties/standing.sql");
const HELD: &str = include_str!("../../sql/ties/held.sql");
const LOCK: &str = include_str!("../../sql/ties/lock.sql");
const FIND: &str = include_str!("../../sql/ties/find.sql");
const WRITE: &str = include_str!("../../sql/ties/write.sql");
const RENEWALS: &str = include_str!("../../sql/ties/renewals.sql");

/// Holds the customers of conversions on which a person is to decide, before anything of them is locked.
pub(super) async fn hold(tx: &Transaction<'_>, scope: Scope, ids: &[Id]) -> Result<(), Error> {
    let statement = tx.prepare_cached(HOLD).await.during("ties.hold")?;
    tx.query(&statement, &[&ids, &scope.advertiser_id]).await.during("ties.hold").map(drop)
}

/// What follows from a person's verdict for renewals that were booked before, when their customer is another's by it.
/// To be asked before the verdict is written. A lost race, when the sale became another customer's, whom somebody else
/// holds, before its row was locked.
pub(super) async fn follow(
    tx: &Transaction<'_>,
    (before, now): (&Conversion, &Conversion),
    program: &Program,
    cause: Cause,
) -> Result<Settlement, Error> {
    let mut batch = Batch::judged(before, now, cause);
    let mut rows = Rows { programs: vec![program.clone()], ..Rows::default() };
    let own: Catalog = rows.clone().into();
    let customers: Vec<Customer> = batch.customers(&own).into_iter().collect();
    if customers.is_empty() {
        return Ok(Settlement::default());
    }
    let held = tx.prepare_cached(HELD).await.during("ties.held")?;
    let held = tx.query_one(&held, &[&texts(&customers)]).await.during("ties.held")?;
    if !held.get::<_, bool>("held") {
        return Err(Error::raced("ties.held"));
    }
    let ties = find(tx, &mut batch, &own, customers).await?;
    if batch.is_empty() {
        return Ok(Settlement::default());
    }
    rows.affiliates = standing(tx, &ties.affiliates()).await?;
    let catalog = Catalog::from(rows);
    let rates = rates::quotes(tx, &batch.rates_asked(&catalog)).await?;
    let aid = Aid { catalog: None, rates: Some(&rates), ties: Some(&ties) };
    Ok(batch.settle(&catalog, aid))
}

/// How affiliates stand, and those above them: all of them, for of one who is missing it would seem that nobody
/// recruited him.
async fn standing(tx: &Transaction<'_>, asked: &[Id]) -> Result<Vec<Affiliate>, Error> {
    let statement = tx.prepare_cached(STANDING).await.during("ties.standing")?;
    let rows = tx.query(&statement, &[&asked]).await.during("ties.standing")?;
    let found: Vec<Affiliate> = rows.iter().map(catalog::affiliate).collect();
    match asked.iter().all(|id| found.iter().any(|affiliate| affiliate.id == *id)) {
        true => Ok(found),
        false => Err(Error::unreadable("ties.standing", "an affiliate who is not there")),
    }
}

/// Whose the customers of a batch are, with what it tells of them. Renewals that were booked before, and that are
/// another's now, join the batch. Holds the customers until the transaction ends.
pub async fn look(
    tx: &Transaction<'_>,
    batch: &mut Batch,
    catalog: &Catalog,
) -> Result<Ties, Error> {
    let customers: Vec<Customer> = batch.customers(catalog).into_iter().collect();
    if customers.is_empty() {
        return Ok(Ties::default());
    }
    let lock = tx.prepare_cached(LOCK).await.during("ties.lock")?;
    tx.query(&lock, &[&texts(&customers)]).await.during("ties.lock")?;
    find(tx, batch, catalog, customers).await
}

/// The same of customers who are held.
async fn find(
    tx: &Transaction<'_>,
    batch: &mut Batch,
    catalog: &Catalog,
    customers: Vec<Customer>,
) -> Result<Ties, Error> {
    let (programs, names) = columns(&customers);
    let find = tx.prepare_cached(FIND).await.during("ties.find")?;
    let params: Values<'_> = &[&programs, &names, &batch.tying_conversions(catalog)];
    let rows = tx.query(&find, params).await.during("ties.find")?;
    let (mut standing, mut others) = (Ties::default(), Ties::default());
    for customer in customers {
        standing.tell(customer.clone(), None);
        others.tell(customer, None);
    }
    for row in &rows {
        let ties = if row.get("only_others") { &mut others } else { &mut standing };
        ties.tell(customer(row), Some(tie(row)));
    }
    let moved = batch.tie(&standing, &mut others, catalog);
    if !moved.is_empty() {
        let keys = renewals(tx, &moved).await?;
        let keys: Vec<Key> = keys.into_iter().filter(|key| !batch.has(key)).collect();
        batch.renew(settle::find(tx, &keys).await?, catalog);
    }
    Ok(others)
}

async fn renewals(tx: &Transaction<'_>, customers: &[Customer]) -> Result<Vec<Key>, Error> {
    let (programs, names) = columns(customers);
    let statement = tx.prepare_cached(RENEWALS).await.during("ties.renewals")?;
    let rows = tx.query(&statement, &[&programs, &names]).await.during("ties.renewals")?;
    let key = |row: &Row| {
        let kind = SaleKind::parse(row.get("kind"));
        let kind = kind.ok_or_else(|| Error::unreadable("ties.renewals", "a kind"))?;
        Ok(Key { program_id: row.get("program_id"), kind, text: row.get("order_key") })
    };
    rows.iter().map(key).collect()
}

/// By what they are locked.
fn texts(customers: &[Customer]) -> Vec<String> {
    let text = |c: &Customer| format!("tributary.customer {} {}", c.program_id, c.name);
    customers.iter().map(text).collect()
}

fn columns(customers: &[Customer]) -> (Vec<Id>, Vec<&str>) {
    customers.iter().map(|customer| (customer.program_id, &*customer.name)).unzip()
}

fn customer(row: &Row) -> Customer {
    Customer { program_id: row.get("program_id"), name: row.get("customer") }
}

fn tie(row: &Row) -> Tie {
    let at_ms = row.get("tied_ms");
    Tie {
        unverified: row.get("unverified"),
        hit: row.get("hit_id"),
        at_ms,
        attribution: Attribution {
            by: By::Customer,
            affiliate_id: row.get("affiliate_id"),
            link_id: row.get("link_id"),
            click_id: row.get("click_id"),
            at_ms,
            touches: Vec::new(),
            shared_by: None,
        },
    }
}

/// Writes which sales tie their customers. Their conversions are written already.
pub async fn write(tx: &Transaction<'_>, t: &[Tying]) -> Result<(), Error> {
    if t.is_empty() {
        return Ok(());
    }
    let credit = |tying: &Tying| tying.credits.then_some(tying.tie.attribution.affiliate_id);
    let params: Values<'_> = &[
        &t.iter().map(|t| t.customer.program_id).collect::<Vec<_>>(),
        &t.iter().map(|t| &*t.customer.name).collect::<Vec<_>>(),
        &t.iter().map(|t| t.conversion_id).collect::<Vec<_>>(),
        &t.iter().map(|t| t.tie.hit).collect::<Vec<_>>(),
        &t.iter().map(|t| t.tie.unverified).collect::<Vec<_>>(),
        &t.iter().map(credit).collect::<Vec<_>>(),
        &t.iter().map(|t| t.tie.attribution.link_id).collect::<Vec<_>>(),
        &t.iter().map(|t| t.tie.attribution.click_id).collect::<Vec<_>>(),
        &t.iter().map(|t| t.tie.at_ms).collect::<Vec<_>>(),
    ];
    let statement = tx.prepare_cached(WRITE).await.during("ties.write")?;
    tx.execute(&statement, params).await.during("ties.write").map(drop)
}
