//! PostgreSQL: the only home of `tokio_postgres`. One file a use, one function a statement, one file of
//! SQL a statement. Hands on rows as domain values.

pub use deadpool_postgres::Transaction;
use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
};
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

pub mod adjustments;
pub mod advertisers;
pub mod affiliates;
pub mod api_keys;
pub mod audit;
pub mod audit_log;
pub mod books;
pub mod caller;
pub mod catalog;
pub mod conversions;
pub mod corrections;
pub mod coupons;
pub mod earnings;
pub mod exchanges;
pub mod hits;
pub mod idempotency;
pub mod invitations;
pub mod keys;
pub mod ledger;
pub mod links;
pub mod migrate;
pub mod months;
pub mod page;
pub mod payouts;
pub mod plans;
pub mod portal;
pub mod programs;
pub mod rates;
pub mod reconciliations;
pub mod replay;
pub mod report;
pub mod sales;
pub mod seals;
pub mod second_step;
pub mod sessions;
pub mod settle;
pub mod shares;
pub mod sign_ins;
pub mod statements;
pub mod takebacks;
pub mod ties;
pub mod tracking_codes;
pub mod users;
pub mod verdicts;

const BEGIN_ATTEMPT: &str = include_str!("../../sql/attempt/begin.sql");
const UNDO_ATTEMPT: &str = include_str!("../../sql/attempt/undo.sql");

/// A handle to the database; cheap to clone.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    config: tokio_postgres::Config,
    /// In whose name statements run.
    bound: Option<Arc<caller::Bound>>,
    /// Only in builds for tests; see `without_filters`.
    #[cfg(feature = "failpoints")]
    unfiltered: Option<Arc<std::collections::HashMap<i64, i64>>>,
}

/// What a caller can do about a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Lost a race against another writer: try again at once.
    Race,
    /// Not reachable, overloaded, restarted: try again later.
    Retry,
    /// A named constraint refused the row.
    Constraint(String),
    /// The data are wrong; trying again will not help.
    Fault,
}

/// A failed database operation.
#[derive(Debug)]
pub struct Error {
    /// What was being done.
    pub operation: &'static str,
    /// What can be done about it.
    pub cause: Cause,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.operation, self.source)?;
        let mut deeper = self.source.source();
        while let Some(source) = deeper {
            write!(f, ": {source}")?;
            deeper = source.source();
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}

impl Error {
    /// A lost race: the whole transaction is done again.
    pub fn raced(operation: &'static str) -> Self {
        Error { operation, cause: Cause::Race, source: "another writer was first".into() }
    }

    /// Whether trying again is right, at once or later.
    pub fn is_passing(&self) -> bool {
        matches!(self.cause, Cause::Race | Cause::Retry)
    }

    /// A stored value that this version cannot read.
    pub fn unreadable(operation: &'static str, what: &str) -> Self {
        Error { operation, cause: Cause::Fault, source: what.into() }
    }
}

/// Names the operation of a driver's error, once.
pub trait During<T> {
    /// The error, told with what was being done.
    fn during(self, operation: &'static str) -> Result<T, Error>;
}

impl<T> During<T> for Result<T, tokio_postgres::Error> {
    fn during(self, operation: &'static str) -> Result<T, Error> {
        self.map_err(|e| Error { operation, cause: cause_of(&e), source: Box::new(e) })
    }
}

fn cause_of(error: &tokio_postgres::Error) -> Cause {
    let Some(db) = error.as_db_error() else {
        // Not from the server: the connection broke, unless our own values did not fit the statement.
        return if error.is_closed() || !error.to_string().contains("serializing") {
            Cause::Retry
        } else {
            Cause::Fault
        };
    };
    let races = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
    match (db.constraint(), db.code()) {
        (Some(name), _) => Cause::Constraint(name.to_owned()),
        (_, code) if races.contains(code) => Cause::Race,
        // Data exceptions and violated constraints are the row's own fault. All else is the installation's:
        // a missing right or table, a full disk, a restart.
        (_, code) if ["22", "23"].contains(&&code.code()[..2]) => Cause::Fault,
        _ => Cause::Retry,
    }
}

/// Whether a connection was refused because the role that it was to act as is not there, or not its login's.
fn lacks_role(error: &tokio_postgres::Error) -> bool {
    let codes = [SqlState::INVALID_PARAMETER_VALUE, SqlState::INSUFFICIENT_PRIVILEGE];
    error.code().is_some_and(|code| codes.contains(code))
}

/// Runs `work` in a part of a transaction that is undone alone when it fails.
pub(crate) async fn attempt<T>(
    tx: &Transaction<'_>,
    work: impl AsyncFnOnce(&Transaction<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    tx.batch_execute(BEGIN_ATTEMPT).await.during("attempt.begin")?;
    let done = work(tx).await;
    if done.is_err() {
        tx.batch_execute(UNDO_ATTEMPT).await.during("attempt.undo")?;
    }
    done
}

impl Store {
    /// The password in an address, in any spelling that PostgreSQL's own programs take.
    pub fn password(url: &str) -> Option<Vec<u8>> {
        let config = url.parse::<tokio_postgres::Config>().ok()?;
        config.get_password().map(<[u8]>::to_vec)
    }

    /// A pool of connections; connects when first used. `url` was checked by PostgreSQL's own rules. Acts as
    /// the login itself: for migrations.
    pub fn new(url: &str, connections_max: usize) -> Result<Self, String> {
        Store::with(url, connections_max, "")
    }

    /// The same for what works for all tenants: edge, worker, audit, replay.
    pub fn for_worker(url: &str, connections_max: usize) -> Result<Self, String> {
        Store::with(url, connections_max, &format!(" -c role={}", caller::WORKER))
    }

    /// The same for settling, whose statements all look rows up by their keys. A plan that was made while a
    /// table was empty would read the whole of it, and is kept until somebody analyzes the table: a batch
    /// then takes longer than any statement may.
    pub fn for_settling(url: &str, connections_max: usize) -> Result<Self, String> {
        let more = format!(" -c role={} -c enable_seqscan=off", caller::WORKER);
        Store::with(url, connections_max, &more)
    }

    /// The same for the admin API and the portal; it sees nothing until it is bound to a caller.
    pub fn for_api(url: &str, connections_max: usize) -> Result<Self, String> {
        Store::with(url, connections_max, &format!(" -c role={}", caller::APP))
    }

    fn with(url: &str, connections_max: usize, more: &str) -> Result<Self, String> {
        let mut config: tokio_postgres::Config = url.parse().map_err(|e| format!("{e}"))?;
        config.application_name("tributary").connect_timeout(Duration::from_secs(5));
        // A host that vanished says nothing: find out.
        config.keepalives_idle(Duration::from_secs(30)).tcp_user_timeout(Duration::from_secs(30));
        // Compiling a statement costs more than any of ours, and is done for each that seems dear.
        let options =
            "-c statement_timeout=30s -c synchronous_commit=on -c timezone=UTC -c jit=off";
        config.options(format!("{options}{more}"));
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool = Pool::builder(Manager::from_config(config.clone(), NoTls, recycling))
            .max_size(connections_max)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(Duration::from_secs(5)))
            .create_timeout(Some(Duration::from_secs(5)))
            .build()
            .map_err(|e| e.to_string())?;
        Ok(Store {
            pool,
            config,
            bound: None,
            #[cfg(feature = "failpoints")]
            unfiltered: None,
        })
    }

    /// A connection from the pool, in nobody's name.
    pub(crate) async fn client(&self, operation: &'static str) -> Result<Object, Error> {
        self.pool.get().await.map_err(|e| {
            let source = match &e {
                PoolError::Backend(e) if lacks_role(e) => format!(
                    "{}: run `tributary migrate`, or grant the role to this login",
                    e.as_db_error().map_or("no role", |e| e.message())
                )
                .into(),
                _ => e.into(),
            };
            Error { operation, cause: Cause::Retry, source }
        })
    }

    /// Runs `work` in one transaction of this name: committed when it succeeds, else rolled back.
    pub(crate) async fn transaction<T>(
        &self,
        name: &'static str,
        work: impl AsyncFnOnce(&Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut client = self.client(name).await?;
        let tx = client.transaction().await.during(name)?;
        if let Some(bound) = &self.bound {
            bound.bind(&tx).await?;
        }
        let done = work(&tx).await?;
        tx.commit().await.during(name)?;
        Ok(done)
    }
}
