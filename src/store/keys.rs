//! Who a bearer is: the role, the rights, and whom the audit log names. Only digests of keys are stored.

use tokio_postgres::Row;

use super::caller::Caller;
use super::{Error, Store};
use crate::domain::id::Id;
use crate::domain::rights::{Right, Rights};

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

    /// Its name, and the owner in the column of each kind.
    pub fn columns(self) -> (&'static str, Option<Id>, Option<Id>) {
        match self {
            Role::Operator => ("operator", None, None),
            Role::Advertiser(id) => ("advertiser", Some(id), None),
            Role::Affiliate(id) => ("affiliate", None, Some(id)),
        }
    }

    /// The rights that there are in this role.
    pub fn rights(self) -> Rights {
        if matches!(self, Role::Affiliate(_)) { Rights::READ } else { Rights::ALL }
    }

    /// Those of something new, where none are named: an advertiser who is to manage people is told to.
    pub fn usual_rights(self) -> Rights {
        match self {
            Role::Operator => Rights::ALL,
            Role::Advertiser(_) => Rights::WITHOUT_PEOPLE,
            Role::Affiliate(_) => Rights::READ,
        }
    }
}

/// Whom the audit log names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// Who has the operator's first key, which is a setting.
    FirstKey,
    /// Who has a key.
    Key(Id),
    /// Who signed in with e-mail and password.
    User(Id),
    /// Who opened the link of an invitation.
    Invitation(Id),
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Actor::FirstKey => f.write_str("first-key"),
            Actor::Key(id) => write!(f, "key:{id}"),
            Actor::User(id) => write!(f, "user:{id}"),
            Actor::Invitation(id) => write!(f, "invitation:{id}"),
        }
    }
}

/// Somebody who was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Principal {
    /// By what.
    pub actor: Actor,
    /// As what.
    pub role: Role,
    /// With which rights.
    pub rights: Rights,
}

impl Principal {
    /// Who has the operator's first key.
    pub const FIRST: Principal =
        Principal { actor: Actor::FirstKey, role: Role::Operator, rights: Rights::ALL };

    /// Whether he may make, change and reset somebody of this role with these rights: himself with the right
    /// for it, within his own tenant, and with no right that he lacks.
    pub fn may_manage(&self, role: Role, rights: Rights) -> bool {
        let in_reach = self.role == Role::Operator || self.role == role;
        in_reach && self.rights.has(Right::People) && self.rights.cover(rights)
    }
}

/// Rights as the database keeps them.
pub(super) fn rights(row: &Row) -> Rights {
    Rights::of(row.get::<_, Vec<&str>>("scopes"))
}

/// Who has the key with this SHA-256, if it is still good.
pub async fn find(store: &Store, hash: &[u8; 32]) -> Result<Option<Principal>, Error> {
    let store = store.on_behalf_of(Caller::doorkeeper());
    let rows = store.rows("keys.find", FIND, &[&&hash[..]]).await?;
    Ok(rows.first().map(|row| Principal {
        actor: Actor::Key(row.get("id")),
        role: Role::of(row.get("advertiser_id"), row.get("affiliate_id")),
        rights: rights(row),
    }))
}
