//! The table of the API: method, path, who may, and what answers. One table gives 404, 405 with `Allow`,
//! 403 and the name of a route in metrics.

use std::sync::LazyLock;

use matchit::Router;

use super::call::{Answered, Call};
use super::paying::Paying;
use super::takebacks::Takebacks;
use super::{
    advertisers, affiliates, api_keys, audit_log, conversions, corrections, coupons, hits,
    invitations, links, order_list, plans, programs, rates, reconciliations, report, seals, shares,
    tracking_codes, users, verdicts,
};
use crate::domain::rights::Right;
use crate::store::keys::{Principal, Role};

/// Which roles a route is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    Operator,
    /// Operators and advertisers.
    Sellers,
    Everybody,
}
use For::{Everybody, Operator, Sellers};

impl For {
    /// To a person.
    pub fn text(self) -> &'static str {
        match self {
            Operator => "For operators.",
            Sellers => "For operators and advertisers.",
            Everybody => "For operators, advertisers and affiliates.",
        }
    }
}

/// What answers a route.
#[derive(Debug, Clone, Copy)]
#[rustfmt::skip]
pub(super) enum Action {
    AdvertisersIndex, AdvertisersCreate, AdvertisersShow, AdvertisersUpdate, SealsIndex,
    AffiliatesIndex, AffiliatesCreate, AffiliatesShow, AffiliatesUpdate,
    ProgramsIndex, ProgramsCreate, ProgramsShow, ProgramsUpdate,
    PlansIndex, PlansCreate, PlansShow,
    LinksIndex, LinksCreate, LinksShow, LinksUpdate,
    TrackingCodesIndex, TrackingCodesCreate, TrackingCodesShow, TrackingCodesUpdate,
    CouponsIndex, CouponsCreate, CouponsShow, CouponsUpdate,
    ApiKeysIndex, ApiKeysCreate, ApiKeysShow, ApiKeysRotate, ApiKeysRevoke,
    UsersIndex, UsersShow, UsersUpdate,
    InvitationsIndex, InvitationsCreate, InvitationsShow, InvitationsDelete,
    AuditLogIndex,
    ConversionsIndex, ConversionsShow, ConversionsApprove, ConversionsReject,
    ConversionsApproveMany, ConversionsRejectMany, SharesIndex,
    ReconciliationsIndex, ReconciliationsCreate, ReconciliationsShow, ReconciliationsFindings,
    ReconciliationsCorrect,
    HitsIndex, HitsShow,
    RatesIndex, RatesCreate, RatesShow,
    /// Of what is payable.
    Paying(Paying),
    /// Of what went back.
    Takebacks(Takebacks),
    ReportCommissions,
}

pub(super) type Entry = (&'static str, &'static str, For, Action);

#[rustfmt::skip]
const TABLE: [Entry; 87] = [
    ("GET",    "/api/v1/advertisers",                   Sellers,   Action::AdvertisersIndex),
    ("POST",   "/api/v1/advertisers",                   Operator,  Action::AdvertisersCreate),
    ("GET",    "/api/v1/advertisers/{id}",              Sellers,   Action::AdvertisersShow),
    ("PATCH",  "/api/v1/advertisers/{id}",              Sellers,   Action::AdvertisersUpdate),
    ("GET",    "/api/v1/advertisers/{id}/seals",        Sellers,   Action::SealsIndex),
    ("GET",    "/api/v1/affiliates",                    Everybody, Action::AffiliatesIndex),
    ("POST",   "/api/v1/affiliates",                    Operator,  Action::AffiliatesCreate),
    ("GET",    "/api/v1/affiliates/{id}",               Everybody, Action::AffiliatesShow),
    ("PATCH",  "/api/v1/affiliates/{id}",               Operator,  Action::AffiliatesUpdate),
    ("GET",    "/api/v1/programs",                      Sellers,   Action::ProgramsIndex),
    ("POST",   "/api/v1/programs",                      Operator,  Action::ProgramsCreate),
    ("GET",    "/api/v1/programs/{id}",                 Sellers,   Action::ProgramsShow),
    ("PATCH",  "/api/v1/programs/{id}",                 Sellers,   Action::ProgramsUpdate),
    ("GET",    "/api/v1/programs/{id}/plans",           Sellers,   Action::PlansIndex),
    ("POST",   "/api/v1/programs/{id}/plans",           Sellers,   Action::PlansCreate),
    ("GET",    "/api/v1/programs/{id}/plans/{version}", Sellers,   Action::PlansShow),
    ("GET",    "/api/v1/links",                         Everybody, Action::LinksIndex),
    ("POST",   "/api/v1/links",                         Sellers,   Action::LinksCreate),
    ("GET",    "/api/v1/links/{id}",                    Everybody, Action::LinksShow),
    ("PATCH",  "/api/v1/links/{id}",                    Sellers,   Action::LinksUpdate),
    ("GET",    "/api/v1/tracking-codes",                Sellers,   Action::TrackingCodesIndex),
    ("POST",   "/api/v1/tracking-codes",                Sellers,   Action::TrackingCodesCreate),
    ("GET",    "/api/v1/tracking-codes/{id}",           Sellers,   Action::TrackingCodesShow),
    ("PATCH",  "/api/v1/tracking-codes/{id}",           Sellers,   Action::TrackingCodesUpdate),
    ("GET",    "/api/v1/coupons",                       Everybody, Action::CouponsIndex),
    ("POST",   "/api/v1/coupons",                       Sellers,   Action::CouponsCreate),
    ("GET",    "/api/v1/coupons/{id}",                  Everybody, Action::CouponsShow),
    ("PATCH",  "/api/v1/coupons/{id}",                  Sellers,   Action::CouponsUpdate),
    ("GET",    "/api/v1/api-keys",                      Sellers,   Action::ApiKeysIndex),
    ("POST",   "/api/v1/api-keys",                      Sellers,   Action::ApiKeysCreate),
    ("GET",    "/api/v1/api-keys/{id}",                 Sellers,   Action::ApiKeysShow),
    ("POST",   "/api/v1/api-keys/{id}/rotate",          Sellers,   Action::ApiKeysRotate),
    ("DELETE", "/api/v1/api-keys/{id}",                 Sellers,   Action::ApiKeysRevoke),
    ("GET",    "/api/v1/users",                         Sellers,   Action::UsersIndex),
    ("GET",    "/api/v1/users/{id}",                    Sellers,   Action::UsersShow),
    ("PATCH",  "/api/v1/users/{id}",                    Sellers,   Action::UsersUpdate),
    ("GET",    "/api/v1/invitations",                   Sellers,   Action::InvitationsIndex),
    ("POST",   "/api/v1/invitations",                   Sellers,   Action::InvitationsCreate),
    ("GET",    "/api/v1/invitations/{id}",              Sellers,   Action::InvitationsShow),
    ("DELETE", "/api/v1/invitations/{id}",              Sellers,   Action::InvitationsDelete),
    ("GET",    "/api/v1/audit-log",                     Sellers,   Action::AuditLogIndex),
    ("GET",    "/api/v1/conversions",                   Everybody, Action::ConversionsIndex),
    ("GET",    "/api/v1/conversions/{id}",              Everybody, Action::ConversionsShow),
    ("POST",   "/api/v1/conversions/{id}/approve",      Sellers,   Action::ConversionsApprove),
    ("POST",   "/api/v1/conversions/{id}/reject",       Sellers,   Action::ConversionsReject),
    ("GET",    "/api/v1/shares",                        Everybody, Action::SharesIndex),
    ("GET",    "/api/v1/refunds",                       Everybody, Action::Takebacks(Takebacks::RefundsIndex)),
    ("POST",   "/api/v1/refunds",                       Sellers,   Action::Takebacks(Takebacks::RefundsCreate)),
    ("GET",    "/api/v1/refunds/{id}",                  Everybody, Action::Takebacks(Takebacks::RefundsShow)),
    ("GET",    "/api/v1/chargebacks",                   Everybody, Action::Takebacks(Takebacks::ChargebacksIndex)),
    ("POST",   "/api/v1/chargebacks",                   Sellers,   Action::Takebacks(Takebacks::ChargebacksCreate)),
    ("GET",    "/api/v1/chargebacks/{id}",              Everybody, Action::Takebacks(Takebacks::ChargebacksShow)),
    ("PATCH",  "/api/v1/chargebacks/{id}",              Sellers,   Action::Takebacks(Takebacks::ChargebacksUpdate)),
    ("POST",   "/api/v1/conversions/approve",           Sellers,   Action::ConversionsApproveMany),
    ("POST",   "/api/v1/conversions/reject",            Sellers,   Action::ConversionsRejectMany),
    ("GET",    "/api/v1/programs/{id}/reconciliations", Sellers,   Action::ReconciliationsIndex),
    ("POST",   "/api/v1/programs/{id}/reconciliations", Sellers,   Action::ReconciliationsCreate),
    ("GET",    "/api/v1/reconciliations/{id}",          Sellers,   Action::ReconciliationsShow),
    ("GET",    "/api/v1/reconciliations/{id}/findings", Sellers,   Action::ReconciliationsFindings),
    ("POST",   "/api/v1/reconciliations/{id}/corrections", Sellers, Action::ReconciliationsCorrect),
    ("GET",    "/api/v1/hits",                          Sellers,   Action::HitsIndex),
    ("GET",    "/api/v1/hits/{id}",                     Sellers,   Action::HitsShow),
    ("GET",    "/api/v1/rates",                         Everybody, Action::RatesIndex),
    ("POST",   "/api/v1/rates",                         Operator,  Action::RatesCreate),
    ("GET",    "/api/v1/rates/{id}",                    Everybody, Action::RatesShow),
    ("GET",    "/api/v1/adjustments",                   Everybody, Action::Paying(Paying::AdjustmentsIndex)),
    ("POST",   "/api/v1/adjustments",                   Sellers,   Action::Paying(Paying::AdjustmentsCreate)),
    ("GET",    "/api/v1/adjustments/{id}",              Everybody, Action::Paying(Paying::AdjustmentsShow)),
    ("GET",    "/api/v1/payout-runs",                   Sellers,   Action::Paying(Paying::PayoutRunsIndex)),
    ("POST",   "/api/v1/payout-runs",                   Sellers,   Action::Paying(Paying::PayoutRunsCreate)),
    ("GET",    "/api/v1/payout-runs/{id}",              Sellers,   Action::Paying(Paying::PayoutRunsShow)),
    ("POST",   "/api/v1/payout-runs/{id}/approve",      Sellers,   Action::Paying(Paying::PayoutRunsApprove)),
    ("POST",   "/api/v1/payout-runs/{id}/pay",          Sellers,   Action::Paying(Paying::PayoutRunsPay)),
    ("GET",    "/api/v1/payout-runs/{id}/file",         Sellers,   Action::Paying(Paying::PayoutRunsFile)),
    ("GET",    "/api/v1/payouts",                       Everybody, Action::Paying(Paying::PayoutsIndex)),
    ("GET",    "/api/v1/payouts/{id}",                  Everybody, Action::Paying(Paying::PayoutsShow)),
    ("GET",    "/api/v1/payouts/{id}/items",            Everybody, Action::Paying(Paying::PayoutsItems)),
    ("POST",   "/api/v1/payouts/{id}/approve",          Sellers,   Action::Paying(Paying::PayoutsApprove)),
    ("POST",   "/api/v1/payouts/{id}/pay",              Sellers,   Action::Paying(Paying::PayoutsPay)),
    ("POST",   "/api/v1/payouts/{id}/fail",             Sellers,   Action::Paying(Paying::PayoutsFail)),
    ("POST",   "/api/v1/payouts/{id}/cancel",           Sellers,   Action::Paying(Paying::PayoutsCancel)),
    ("GET",    "/api/v1/exchanges",                     Everybody, Action::Paying(Paying::ExchangesIndex)),
    ("POST",   "/api/v1/exchanges",                     Sellers,   Action::Paying(Paying::ExchangesCreate)),
    ("GET",    "/api/v1/exchanges/{id}",                Everybody, Action::Paying(Paying::ExchangesShow)),
    ("GET",    "/api/v1/months",                        Everybody, Action::Paying(Paying::MonthsIndex)),
    ("GET",    "/api/v1/statements",                    Everybody, Action::Paying(Paying::StatementsShow)),
    ("GET",    "/api/v1/reports/commissions",           Everybody, Action::ReportCommissions),
];

static ROUTER: LazyLock<Router<&'static str>> = LazyLock::new(|| {
    let mut router = Router::new();
    for (_, template, _, _) in TABLE {
        // The same template comes once for each method; the first stays.
        let _ = router.insert(template, template);
    }
    router
});

/// The table, for the document.
pub(super) fn entries() -> impl Iterator<Item = Entry> {
    TABLE.into_iter()
}

/// Every method and template of the API.
pub fn routes() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.into_iter().map(|(method, template, _, _)| (method, template))
}

/// The template that a path belongs to, for metrics; there are few, whatever is asked for.
pub fn template_of(path: &str) -> Option<&'static str> {
    ROUTER.at(path).ok().map(|matched| *matched.value)
}

/// Where a path leads.
pub(super) enum Led {
    /// Nowhere.
    Nowhere,
    /// To something that knows only these methods.
    Otherwise(Vec<&'static str>),
    /// To something that this role may not have.
    Forbidden,
    /// To something that needs a right which he lacks.
    Lacking(Right),
    /// To an action, with `{id}` and `{version}` of the path.
    To(Action, String, String),
}

/// Follows a path. `HEAD` is answered as `GET`; hyper leaves the body out.
pub(super) fn lead(method: &str, path: &str, who: &Principal) -> Led {
    let Ok(matched) = ROUTER.at(path) else { return Led::Nowhere };
    let entries = || TABLE.into_iter().filter(|entry| entry.1 == *matched.value);
    let method = if method == "HEAD" { "GET" } else { method };
    let Some((_, _, whom, action)) = entries().find(|entry| entry.0 == method) else {
        return Led::Otherwise(entries().map(|entry| entry.0).collect());
    };
    let allowed = match who.role {
        Role::Operator => true,
        Role::Advertiser(_) => whom != Operator,
        Role::Affiliate(_) => whom == Everybody,
    };
    let param = |name| matched.params.get(name).unwrap_or("").to_owned();
    match action.needs() {
        _ if !allowed => Led::Forbidden,
        right if !who.rights.has(right) => Led::Lacking(right),
        _ => Led::To(action, param("id"), param("version")),
    }
}

/// Whether a request brings what is read as it comes.
pub(super) fn takes_upload(method: &str, path: &str) -> bool {
    let template = template_of(path);
    let mut entries = TABLE.into_iter().filter(|entry| entry.0 == method);
    entries.any(|entry| Some(entry.1) == template && entry.3.takes_upload())
}

impl Action {
    /// Whether its body is read as it comes, not beforehand.
    pub fn takes_upload(self) -> bool {
        matches!(self, Action::ReconciliationsCreate)
    }

    /// Does it.
    #[rustfmt::skip]
    pub async fn answer(self, call: &Call<'_>) -> Answered {
        match self {
            Action::AdvertisersIndex => advertisers::index(call).await,
            Action::AdvertisersCreate => advertisers::create(call).await,
            Action::AdvertisersShow => advertisers::show(call).await,
            Action::SealsIndex => seals::index(call).await,
            Action::AffiliatesIndex => affiliates::index(call).await,
            Action::AffiliatesCreate => affiliates::create(call).await,
            Action::AffiliatesShow => affiliates::show(call).await,
            Action::AffiliatesUpdate => affiliates::update(call).await,
            Action::ProgramsIndex => programs::index(call).await,
            Action::ProgramsCreate => programs::create(call).await,
            Action::ProgramsShow => programs::show(call).await,
            Action::ProgramsUpdate => programs::update(call).await,
            Action::PlansIndex => plans::index(call).await,
            Action::PlansCreate => plans::create(call).await,
            Action::PlansShow => plans::show(call).await,
            Action::LinksIndex => links::index(call).await,
            Action::LinksCreate => links::create(call).await,
            Action::LinksShow => links::show(call).await,
            Action::LinksUpdate => links::update(call).await,
            Action::TrackingCodesIndex => tracking_codes::index(call).await,
            Action::TrackingCodesCreate => tracking_codes::create(call).await,
            Action::TrackingCodesShow => tracking_codes::show(call).await,
            Action::TrackingCodesUpdate => tracking_codes::update(call).await,
            Action::CouponsIndex => coupons::index(call).await,
            Action::CouponsCreate => coupons::create(call).await,
            Action::CouponsShow => coupons::show(call).await,
            Action::CouponsUpdate => coupons::update(call).await,
            Action::ApiKeysIndex => api_keys::index(call).await,
            Action::ApiKeysCreate => api_keys::create(call).await,
            Action::ApiKeysShow => api_keys::show(call).await,
            Action::ApiKeysRotate => api_keys::rotate(call).await,
            Action::ApiKeysRevoke => api_keys::revoke(call).await,
            Action::UsersIndex => users::index(call).await,
            Action::UsersShow => users::show(call).await,
            Action::UsersUpdate => users::update(call).await,
            Action::InvitationsIndex => invitations::index(call).await,
            Action::InvitationsCreate => invitations::create(call).await,
            Action::InvitationsShow => invitations::show(call).await,
            Action::InvitationsDelete => invitations::delete(call).await,
            Action::AuditLogIndex => audit_log::index(call).await,
            Action::ConversionsIndex => conversions::index(call).await,
            Action::ConversionsShow => conversions::show(call).await,
            Action::ConversionsApprove => conversions::approve(call).await,
            Action::ConversionsReject => conversions::reject(call).await,
            Action::ConversionsApproveMany => verdicts::approve(call).await,
            Action::ConversionsRejectMany => verdicts::reject(call).await,
            Action::SharesIndex => shares::index(call).await,
            Action::ReconciliationsIndex => reconciliations::index(call).await,
            Action::ReconciliationsCreate => order_list::create(call).await,
            Action::ReconciliationsShow => reconciliations::show(call).await,
            Action::ReconciliationsFindings => reconciliations::findings(call).await,
            Action::ReconciliationsCorrect => corrections::create(call).await,
            Action::HitsIndex => hits::index(call).await,
            Action::HitsShow => hits::show(call).await,
            Action::RatesIndex => rates::index(call).await,
            Action::RatesCreate => rates::create(call).await,
            Action::RatesShow => rates::show(call).await,
            Action::AdvertisersUpdate => advertisers::update(call).await,
            Action::Paying(paying) => paying.answer(call).await,
            Action::Takebacks(takebacks) => takebacks.answer(call).await,
            Action::ReportCommissions => report::commissions(call).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rights::Rights;

    #[test]
    fn every_route_leads_to_itself() {
        for (method, template) in routes() {
            let path = template.replace("{id}", "7").replace("{version}", "1");
            assert_eq!(template_of(&path), Some(template));
            assert!(
                matches!(lead(method, &path, &Principal::FIRST), Led::To(..)),
                "{method} {path}"
            );
        }
        assert!(matches!(lead("GET", "/api/v1/nothing", &Principal::FIRST), Led::Nowhere));
        let Led::Otherwise(methods) = lead("PUT", "/api/v1/links", &Principal::FIRST) else {
            panic!()
        };
        assert_eq!(methods, ["GET", "POST"]);
    }

    #[test]
    fn affiliates_only_read() {
        for (method, template) in routes().filter(|(method, _)| *method != "GET") {
            let path = template.replace("{id}", "7");
            let affiliate = Principal { role: Role::Affiliate(1), ..Principal::FIRST };
            assert!(matches!(lead(method, &path, &affiliate), Led::Forbidden), "{path}");
        }
    }
    #[test]
    fn who_may_read_only_reads() {
        let reader = Principal { rights: Rights::READ, ..Principal::FIRST };
        for (method, template) in routes() {
            let path = template.replace("{id}", "7").replace("{version}", "1");
            let led = lead(method, &path, &reader);
            let of_people = ["users", "invitations", "api-keys", "audit-log"];
            // A file of payouts has the accounts of people.
            let of_money = path.ends_with("/file");
            let of_people = of_people.iter().any(|part| path.contains(part));
            let open = method == "GET" && !of_people && !of_money;
            assert_eq!(matches!(led, Led::To(..)), open, "{method} {path}");
            assert_eq!(matches!(led, Led::Lacking(_)), !open, "{method} {path}");
        }
    }
}
