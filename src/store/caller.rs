//! Who asks. A store is bound to a caller; each of its transactions tells PostgreSQL first who that is, so
//! that row security admits his rows and no others, whatever the statement's own filters do. A store of the
//! API that is bound to nobody sees nothing.

use std::sync::Arc;

use deadpool_postgres::{Object, Transaction};
use tokio_postgres::Row;

use super::keys::{Actor, Principal, Role};
use super::page::Values;
use super::{Cause, During, Error, Store};
use crate::domain::id::Id;

const BEGIN: &str = include_str!("../../sql/caller/begin.sql");
const BIND: &str = include_str!("../../sql/caller/bind.sql");
const COMMIT: &str = include_str!("../../sql/caller/commit.sql");
const WALLS: &str = include_str!("../../sql/caller/walls.sql");

/// PostgreSQL's role of everything that works for all tenants: edge, worker, audit, replay.
pub(super) const WORKER: &str = "tributary_worker";
/// Of the admin API and the portal.
pub(super) const APP: &str = "tributary_app";
/// Of reports and statistics: it only reads.
const REPORT: &str = "tributary_report";

/// Somebody in whose name statements run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// As the policies know it: `operator`, `advertiser`, `affiliate`, `doorkeeper`.
    role: &'static str,
    /// The advertiser or affiliate; absent for those who are neither.
    tenant: Option<Id>,
    /// Who it is, for the audit log: `first-key`, `key:7`, `user:9`.
    actor: String,
}

impl Caller {
    /// Somebody known.
    pub fn new(role: Role, actor: impl Into<String>) -> Self {
        let (role, tenant) = match role {
            Role::Operator => ("operator", None),
            Role::Advertiser(id) => ("advertiser", Some(id)),
            Role::Affiliate(id) => ("affiliate", Some(id)),
        };
        Caller { role, tenant, actor: actor.into() }
    }

    /// Somebody who changes what is only his own: his password, his second step, his sessions.
    pub(super) fn at_the_door(actor: Actor) -> Self {
        Caller { actor: actor.to_string(), ..Caller::doorkeeper() }
    }

    /// Whoever finds out whose a key or session is, before there is anybody to act for.
    pub(super) fn doorkeeper() -> Self {
        Caller { role: "doorkeeper", tenant: None, actor: "doorkeeper".to_owned() }
    }
}

impl From<Principal> for Caller {
    fn from(principal: Principal) -> Self {
        Caller::new(principal.role, principal.actor.to_string())
    }
}

/// A caller, as `caller.bind` is told of him.
#[derive(Debug)]
pub(super) struct Bound {
    caller: Caller,
    tenant: String,
    /// PostgreSQL's role.
    role: &'static str,
}

impl Bound {
    fn new(caller: Caller, role: &'static str) -> Arc<Self> {
        let tenant = caller.tenant.map(|id| id.to_string()).unwrap_or_default();
        Arc::new(Bound { caller, tenant, role })
    }

    /// Says who asks, at the beginning of a transaction.
    pub(super) async fn bind(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        let statement = tx.prepare_cached(BIND).await.during("caller.bind")?;
        let Bound { caller, tenant, role } = self;
        let values: Values<'_> = &[&caller.role, tenant, &caller.actor, role];
        tx.query(&statement, values).await.during("caller.bind").map(drop)
    }

    /// One statement in a transaction of its own, in one round trip: all is sent before anything is answered.
    pub(super) async fn rows(
        &self,
        client: &Object,
        operation: &'static str,
        sql: &'static str,
        values: Values<'_>,
    ) -> Result<Vec<Row>, Error> {
        let bind = client.prepare_cached(BIND).await.during("caller.bind")?;
        let statement = client.prepare_cached(sql).await.during(operation)?;
        let Bound { caller, tenant, role } = self;
        let told: Values<'_> = &[&caller.role, tenant, &caller.actor, role];
        let (begun, bound, rows, committed) = tokio::join!(
            biased;
            client.batch_execute(BEGIN),
            client.query(&bind, told),
            client.query(&statement, values),
            client.batch_execute(COMMIT),
        );
        begun.and(bound.map(drop)).during("caller.bind")?;
        let rows = rows.during(operation)?;
        committed.during(operation)?;
        Ok(rows)
    }
}

impl Store {
    /// The same store, all of whose statements run in somebody's name from now on.
    pub fn on_behalf_of(&self, caller: Caller) -> Store {
        Store { bound: Some(Bound::new(caller, APP)), ..self.clone() }
    }

    /// The same caller with a role that only reads.
    pub(super) fn reporting(&self) -> Store {
        let bound = self.bound.as_ref().map(|bound| Bound::new(bound.caller.clone(), REPORT));
        Store { bound, ..self.clone() }
    }

    /// Refuses a connection that row security does not hold for.
    pub async fn check_walls(&self) -> Result<(), Error> {
        let rows = self.rows("caller.walls", WALLS, &[]).await?;
        let broken: Option<(Option<&str>, &str)> = rows.first().map(|r| (r.get(0), r.get(1)));
        let Some((Some(why), role)) = broken else { return Ok(()) };
        let source = format!("row security would not hold: the role {role} {why}").into();
        Err(Error { operation: "caller.walls", cause: Cause::Fault, source })
    }
}
