//! The right that each action needs, beside the role that its route is for. A new action does not compile
//! before it is here.

use super::routes::Action;
use crate::domain::rights::Right;

impl Action {
    /// The right that it needs.
    #[rustfmt::skip]
    pub fn needs(self) -> Right {
        match self {
            Action::AdvertisersIndex | Action::AdvertisersShow | Action::SealsIndex
            | Action::AffiliatesIndex | Action::AffiliatesShow
            | Action::ProgramsIndex | Action::ProgramsShow
            | Action::PlansIndex | Action::PlansShow
            | Action::LinksIndex | Action::LinksShow
            | Action::TrackingCodesIndex | Action::TrackingCodesShow
            | Action::CouponsIndex | Action::CouponsShow
            | Action::ConversionsIndex | Action::ConversionsShow | Action::SharesIndex
            | Action::ReconciliationsIndex | Action::ReconciliationsShow | Action::ReconciliationsFindings
            | Action::HitsIndex | Action::HitsShow
            | Action::RatesIndex | Action::RatesShow
            | Action::ReportCommissions => Right::Read,
            Action::AdvertisersCreate
            | Action::AffiliatesCreate | Action::AffiliatesUpdate
            | Action::ProgramsCreate | Action::ProgramsUpdate
            | Action::PlansCreate
            | Action::LinksCreate | Action::LinksUpdate
            | Action::TrackingCodesCreate | Action::TrackingCodesUpdate
            | Action::CouponsCreate | Action::CouponsUpdate => Right::Catalog,
            Action::ConversionsApprove | Action::ConversionsReject
            | Action::ConversionsApproveMany | Action::ConversionsRejectMany
            | Action::ReconciliationsCreate | Action::ReconciliationsCorrect
            | Action::AdvertisersUpdate | Action::RatesCreate => Right::Money,
            Action::Paying(paying) => paying.needs(),
            Action::Takebacks(takebacks) => takebacks.needs(),
            Action::ApiKeysIndex | Action::ApiKeysCreate | Action::ApiKeysShow
            | Action::ApiKeysRotate | Action::ApiKeysRevoke
            | Action::UsersIndex | Action::UsersShow | Action::UsersUpdate
            | Action::InvitationsIndex | Action::InvitationsCreate
            | Action::InvitationsShow | Action::InvitationsDelete
            | Action::AuditLogIndex => Right::People,
        }
    }
}
