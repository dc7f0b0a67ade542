//! What advertisers put on their thank-you pages. The secret is readable: the shop's server signs with it.

use jiff::Timestamp;

use super::page::{Page, Revision, Scope};
use super::{Error, Store};
use crate::domain::catalog::Model;
use crate::domain::id::Id;
use crate::domain::snippet::TagTerms;

const CREATE: &str = include_str!("../../sql/tracking_codes/create.sql");
const SELECT: &str = include_str!("../../sql/tracking_codes/select.sql");
const UPDATE: &str = include_str!("../../sql/tracking_codes/update.sql");

/// A tracking code, with what its snippets need of its program.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct TrackingCode {
    pub id: Id,
    pub of: New,
    pub created_at: Timestamp,
    pub revision: Revision,
    pub tag: TagTerms,
}

/// A tracking code to be made.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct New {
    pub program_id: Id,
    pub name: String,
    pub code: String,
    /// At least 32 characters.
    pub secret: String,
    pub redirect_url: Option<String>,
    /// `redirect` or `link`.
    pub return_method: String,
}

/// Makes one; returns its id, nothing when there is no such program in this scope.
pub async fn create(store: &Store, scope: Scope, new: &New) -> Result<Option<Id>, Error> {
    let New { program_id, name, code, secret, redirect_url, return_method } = new;
    let values: super::page::Values<'_> =
        &[&scope.advertiser_id, program_id, name, code, secret, redirect_url, return_method];
    store.value("tracking_codes.create", CREATE, values).await
}

/// One or a page, of all programs or one.
pub async fn select(
    store: &Store,
    scope: Scope,
    page: Page,
    only_program_id: Option<Id>,
) -> Result<Vec<TrackingCode>, Error> {
    let Scope { advertiser_id, affiliate_id } = scope;
    let Page { id, before, limit } = page;
    let values: super::page::Values<'_> =
        &[&advertiser_id, &affiliate_id, &id, &before, &limit, &only_program_id];
    let rows = store.rows("tracking_codes.select", SELECT, values).await?;
    let tracking_code = |row: &tokio_postgres::Row| TrackingCode {
        id: row.get("id"),
        of: New {
            program_id: row.get("program_id"),
            name: row.get("name"),
            code: row.get("code"),
            secret: row.get("secret"),
            redirect_url: row.get("redirect_url"),
            return_method: row.get("return_method"),
        },
        created_at: row.get("created_at"),
        revision: row.get("revision"),
        tag: TagTerms {
            click_param: row.get("click_param"),
            consent: row.get("consent"),
            model: Model::parse(row.get("attribution")).unwrap_or(Model::LastClick),
            window_days: row.get("window_days"),
        },
    };
    Ok(rows.iter().map(tracking_code).collect())
}

/// What is to change; absent stays, an inner `None` clears.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Change {
    pub name: Option<String>,
    pub redirect_url: Option<Option<String>>,
    pub return_method: Option<String>,
    /// Only if it still stands so.
    pub only_at: Option<Revision>,
}

/// Changes one; false when there is none, it is another's, or it stands otherwise.
pub async fn update(store: &Store, scope: Scope, id: Id, change: &Change) -> Result<bool, Error> {
    let Change { name, redirect_url, return_method, only_at } = change;
    let (given, redirect_url) = (redirect_url.is_some(), redirect_url.clone().flatten());
    let values: super::page::Values<'_> =
        &[&id, &scope.advertiser_id, name, &given, &redirect_url, return_method, only_at];
    let changed: Option<Id> = store.value("tracking_codes.update", UPDATE, values).await?;
    Ok(changed.is_some())
}
