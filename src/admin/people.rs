//! What users, invitations and keys have in common: whose they are, with which scopes, and whether the one
//! who asks may give them.

use serde::Serialize;
use utoipa::ToSchema;

use super::call::Call;
use super::input::Input;
use super::refusal::Refusal;
use super::rules;
use super::shown::{self, IdText};
use crate::domain::id::Id;
use crate::domain::rights::Rights;
use crate::store::keys::Role;

/// In whose affairs somebody is, and what he may do there.
#[derive(Serialize, ToSchema)]
pub(super) struct Standing {
    /// Whose rows may be seen.
    #[schema(schema_with = shown::role)]
    role: &'static str,
    /// Whose it is, if it is an advertiser's. An advertiser need not name himself.
    advertiser_id: Option<IdText>,
    /// Whose it is, if it is an affiliate's.
    affiliate_id: Option<IdText>,
    /// What may be done within the role. Of something new, where none are named: all
    /// that its maker has, but of an advertiser without `people`.
    #[schema(schema_with = shown::scopes)]
    scopes: Vec<&'static str>,
}

/// As all three show it.
pub(super) fn standing(role: Role, rights: Rights) -> Standing {
    let (name, advertiser_id, affiliate_id) = role.columns();
    Standing {
        role: name,
        advertiser_id: advertiser_id.map(IdText),
        affiliate_id: affiliate_id.map(IdText),
        scopes: rights.codes(),
    }
}

/// The standing of something new: exactly the owner that its role names, and scopes, if any are named. `own`
/// is the advertiser who asks; he need not name himself.
pub(super) fn wanted(body: &mut Input, own: Option<Id>) -> (Role, Option<Rights>) {
    let role = body.required("role", rules::ROLE);
    let stranger = "does not belong to this role";
    let advertiser_id = match (&*role, own) {
        ("advertiser", Some(own)) => Some(body.optional("advertiser_id", rules::ID).unwrap_or(own)),
        ("advertiser", None) => Some(body.required("advertiser_id", rules::ID)),
        _ => {
            body.absent("advertiser_id", stranger);
            None
        }
    };
    if role == "affiliate" {
        let id = body.required("affiliate_id", rules::ID);
        return (Role::Affiliate(id), body.optional("scopes", rules::SCOPES_OF_AFFILIATE));
    }
    body.absent("affiliate_id", stranger);
    let role = advertiser_id.map_or(Role::Operator, Role::Advertiser);
    (role, body.optional("scopes", rules::SCOPES))
}

/// The advertiser who asks.
pub(super) fn own(call: &Call<'_>) -> Option<Id> {
    match call.role {
        Role::Advertiser(id) => Some(id),
        _ => None,
    }
}

/// The scopes of something new; where none are named, the usual ones of the role that the giver has.
pub(super) fn given(call: &Call<'_>, role: Role, scopes: Option<Rights>) -> Rights {
    scopes.unwrap_or(call.who.rights.common(role.usual_rights()))
}

/// Refuses what the one who asks may not give, or may not touch.
pub(super) fn manages(call: &Call<'_>, role: Role, rights: Rights) -> Result<(), Refusal> {
    match (call.role, role) {
        _ if call.who.may_manage(role, rights) => Ok(()),
        // Whoever is not his own advertiser is nobody to him.
        (Role::Advertiser(_), Role::Advertiser(other)) if Role::Advertiser(other) != call.role => {
            Err(Refusal::Missing("/advertiser_id"))
        }
        _ => Err(Refusal::Forbidden),
    }
}
