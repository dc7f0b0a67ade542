//! Who asks and for which rows: the parameters that every `select` of the catalog and the books begins
//! with, so that what is another's is never read in the first place. And the two ways to run a statement
//! by itself.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::keys::Role;
use super::{During, Error, Store, Transaction};
use crate::domain::id::Id;

/// The values of a statement, in order.
pub(crate) type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Whose rows may be seen: all, an advertiser's, or an affiliate's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scope {
    /// Only what is this advertiser's.
    pub advertiser_id: Option<Id>,
    /// Only what is this affiliate's.
    pub affiliate_id: Option<Id>,
}

impl From<Role> for Scope {
    fn from(role: Role) -> Self {
        match role {
            Role::Operator => Scope { advertiser_id: None, affiliate_id: None },
            Role::Advertiser(id) => Scope { advertiser_id: Some(id), affiliate_id: None },
            Role::Affiliate(id) => Scope { advertiser_id: None, affiliate_id: Some(id) },
        }
    }
}

/// How a row stood when it was read; any change moves it. No order is meant.
pub type Revision = i64;

/// Which rows, newest first by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Only this one.
    pub id: Option<Id>,
    /// Only those older than this one: the last of the page before.
    pub before: Option<Id>,
    /// Rows at most.
    pub limit: i64,
}

impl Page {
    /// One row by its id.
    pub fn one(id: Id) -> Self {
        Page { id: Some(id), before: None, limit: 1 }
    }
}

/// Where a statement runs: by itself, or within a transaction, whose own changes it sees.
#[derive(Clone, Copy)]
pub enum At<'a> {
    /// In a transaction of its own.
    Alone(&'a Store),
    /// In this one.
    Within(&'a Transaction<'a>),
}

impl<'a> From<&'a Store> for At<'a> {
    fn from(store: &'a Store) -> Self {
        At::Alone(store)
    }
}

impl<'a> From<&'a Transaction<'_>> for At<'a> {
    fn from(tx: &'a Transaction<'_>) -> Self {
        At::Within(tx)
    }
}

impl At<'_> {
    /// One row or a page of what is in scope. The statement's `$1` and `$2` are who asks, `$3` to `$5` which rows; its own
    /// filters come behind.
    pub(crate) async fn list<T>(
        self,
        (operation, sql): (&'static str, &'static str),
        (scope, page): (Scope, Page),
        filters: Values<'_>,
        read: impl Fn(&Row) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let asked: Values<'_> =
            &[&scope.advertiser_id, &scope.affiliate_id, &page.id, &page.before, &page.limit];
        let rows = self.rows(operation, sql, &[asked, filters].concat()).await?;
        rows.iter().map(read).collect()
    }

    /// All rows of one statement.
    pub(crate) async fn rows(
        self,
        operation: &'static str,
        sql: &'static str,
        values: Values<'_>,
    ) -> Result<Vec<Row>, Error> {
        match self {
            At::Alone(store) => store.rows(operation, sql, values).await,
            At::Within(tx) => {
                let statement = tx.prepare_cached(sql).await.during(operation)?;
                tx.query(&statement, values).await.during(operation)
            }
        }
    }
}

impl Store {
    /// The filter of what a role may see.
    pub fn scope(&self, role: Role) -> Scope {
        #[cfg(feature = "failpoints")]
        if self.unfiltered.is_some() {
            return Role::Operator.into();
        }
        role.into()
    }

    /// The filter of an advertiser's or affiliate's room: his id.
    pub fn filter(&self, id: Id) -> Id {
        #[cfg(feature = "failpoints")]
        if let Some(strangers) = &self.unfiltered {
            return strangers.get(&id).copied().unwrap_or(id);
        }
        id
    }

    /// For tests that show that row security alone holds: the statements' filters let everything through,
    /// and those of a room, which always name somebody, name the stranger that is given for its owner.
    #[cfg(feature = "failpoints")]
    pub fn without_filters(self, strangers: std::collections::HashMap<Id, Id>) -> Store {
        Store { unfiltered: Some(std::sync::Arc::new(strangers)), ..self }
    }

    /// All rows of one statement.
    pub(crate) async fn rows(
        &self,
        operation: &'static str,
        sql: &'static str,
        values: Values<'_>,
    ) -> Result<Vec<Row>, Error> {
        let client = self.client(operation).await?;
        if let Some(bound) = &self.bound {
            return bound.rows(&client, operation, sql, values).await;
        }
        let statement = client.prepare_cached(sql).await.during(operation)?;
        client.query(&statement, values).await.during(operation)
    }

    /// The first value of the first row of one statement, if it has any.
    pub(crate) async fn value<T: for<'a> tokio_postgres::types::FromSql<'a>>(
        &self,
        operation: &'static str,
        sql: &'static str,
        values: Values<'_>,
    ) -> Result<Option<T>, Error> {
        Ok(self.rows(operation, sql, values).await?.first().map(|row| row.get(0)))
    }
}

/// The row that an `insert … returning` must have.
pub(crate) fn made<T>(operation: &'static str, value: Option<T>) -> Result<T, Error> {
    value.ok_or_else(|| Error::unreadable(operation, "the statement returned no row"))
}
