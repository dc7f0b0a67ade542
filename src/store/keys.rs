//! API keys and portal sessions: who a bearer is. Only digests are stored.

use super::caller::Caller;
use super::{Error, Store};
use crate::domain::id::Id;

const FIND: &str = include_str!("../../sql/keys/find.sql");

/// What somebody may see and do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Operator,
    /// His own programs.
    Advertiser(Id),
    /// His own links and money, read only.
    Affiliate(Id),
}

impl Role {
    /// The role of a key by its owner; a key has at most one.
    pub(super) fn of(advertiser: Option<Id>, affiliate: Option<Id>) -> Self {
        match (advertiser, affiliate) {
            (Some(id), _) => Role::Advertiser(id),
            (_, Some(id)) => Role::Affiliate(id),
            _ => Role::Operator,
        }
    }
}

/// Somebody who presented a good key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Principal {
    /// The key; absent for the operator's first key, which is a setting.
    pub key_id: Option<Id>,
    /// What it lets him do.
    pub role: Role,
}

/// Who has the key with this SHA-256, if it is not revoked.
pub async fn find(store: &Store, hash: &[u8; 32]) -> Result<Option<Principal>, Error> {
    let store = store.on_behalf_of(Caller::doorkeeper());
    let rows = store.rows("keys.find", FIND, &[&&hash[..]]).await?;
    Ok(rows
        .first()
        .map(|row| Principal { key_id: Some(row.get(0)), role: Role::of(row.get(1), row.get(2)) }))
}
