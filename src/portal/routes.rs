//! The table of the portal: method, path, the right that it needs, and what answers. Every path is here once.

use std::sync::LazyLock;

use hyper::Method;
use matchit::{Params, Router};

use super::books::Books;
use crate::domain::rights::Right;

/// What answers a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[rustfmt::skip]
pub enum Action {
    Asset, SignInForm, SignIn, CodeForm, Code, SignOut, InvitationForm, Accept, PolicyReport,
    Home, Lobby, Affiliate, Statement, Advertiser, Hit, EditTrackingCode,
    /// Of an advertiser's money.
    Books(Books),
    Account, TotpForm, Password, TotpOn, TotpOff, SignOutEverywhere,
    People, Invite, TakeBack, Scopes, Disable, Enable, Reset, UserTotpOff,
    Keys, MakeKey, RotateKey, RevokeKey,
    AuditLog,
}

type Entry = (&'static str, &'static str, Option<Right>, Action);

const LOOK: Option<Right> = Some(Right::Read);
const EDIT: Option<Right> = Some(Right::Catalog);
/// Moves money, or tells of accounts.
const CASH: Option<Right> = Some(Right::Money);
const TEND: Option<Right> = Some(Right::People);

/// A room is its owner's own, or by its id one that the operator looks into. Without a right: what is anybody's.
#[rustfmt::skip]
const TABLE: [Entry; 74] = [
    ("GET",  "/assets/{name}",                                    None, Action::Asset),
    ("GET",  "/sign-in",                                          None, Action::SignInForm),
    ("POST", "/sign-in",                                          None, Action::SignIn),
    ("GET",  "/sign-in/code",                                     None, Action::CodeForm),
    ("POST", "/sign-in/code",                                     None, Action::Code),
    ("POST", "/sign-out",                                         None, Action::SignOut),
    ("GET",  "/invitation/{secret}",                              None, Action::InvitationForm),
    ("POST", "/invitation/{secret}",                              None, Action::Accept),
    ("POST", "/csp-report",                                       None, Action::PolicyReport),
    ("GET",  "/",                                                 LOOK, Action::Home),
    ("GET",  "/operator",                                         LOOK, Action::Lobby),
    ("GET",  "/affiliate",                                        LOOK, Action::Affiliate),
    ("GET",  "/affiliate/{id}",                                   LOOK, Action::Affiliate),
    ("GET",  "/advertiser",                                       LOOK, Action::Advertiser),
    ("GET",  "/advertiser/{id}",                                  LOOK, Action::Advertiser),
    ("GET",  "/advertiser/hits/{hit_id}",                         LOOK, Action::Hit),
    ("GET",  "/advertiser/{id}/hits/{hit_id}",                    LOOK, Action::Hit),
    ("POST", "/advertiser/tracking-codes/{code_id}",              EDIT, Action::EditTrackingCode),
    ("POST", "/advertiser/{id}/tracking-codes/{code_id}",         EDIT, Action::EditTrackingCode),
    ("GET",  "/advertiser/sales",                                 LOOK, Action::Books(Books::Sales)),
    ("GET",  "/advertiser/{id}/sales",                            LOOK, Action::Books(Books::Sales)),
    ("POST", "/advertiser/sales/verdicts",                        CASH, Action::Books(Books::JudgeMany)),
    ("POST", "/advertiser/{id}/sales/verdicts",                   CASH, Action::Books(Books::JudgeMany)),
    ("GET",  "/advertiser/sales/{sale_id}",                       LOOK, Action::Books(Books::Sale)),
    ("GET",  "/advertiser/{id}/sales/{sale_id}",                  LOOK, Action::Books(Books::Sale)),
    ("POST", "/advertiser/sales/{sale_id}/verdict",               CASH, Action::Books(Books::Judge)),
    ("POST", "/advertiser/{id}/sales/{sale_id}/verdict",          CASH, Action::Books(Books::Judge)),
    ("POST", "/advertiser/sales/{sale_id}/refund",                CASH, Action::Books(Books::Refund)),
    ("POST", "/advertiser/{id}/sales/{sale_id}/refund",           CASH, Action::Books(Books::Refund)),
    ("POST", "/advertiser/sales/{sale_id}/chargeback",            CASH, Action::Books(Books::Dispute)),
    ("POST", "/advertiser/{id}/sales/{sale_id}/chargeback",       CASH, Action::Books(Books::Dispute)),
    ("GET",  "/advertiser/payouts",                               LOOK, Action::Books(Books::Payouts)),
    ("GET",  "/advertiser/{id}/payouts",                          LOOK, Action::Books(Books::Payouts)),
    ("POST", "/advertiser/payouts",                               CASH, Action::Books(Books::Propose)),
    ("POST", "/advertiser/{id}/payouts",                          CASH, Action::Books(Books::Propose)),
    ("GET",  "/advertiser/payouts/{payout_id}",                   LOOK, Action::Books(Books::Payout)),
    ("GET",  "/advertiser/{id}/payouts/{payout_id}",              LOOK, Action::Books(Books::Payout)),
    ("POST", "/advertiser/payouts/{payout_id}",                   CASH, Action::Books(Books::Step)),
    ("POST", "/advertiser/{id}/payouts/{payout_id}",              CASH, Action::Books(Books::Step)),
    ("GET",  "/advertiser/payout-runs/{run_id}",                  LOOK, Action::Books(Books::Run)),
    ("GET",  "/advertiser/{id}/payout-runs/{run_id}",             LOOK, Action::Books(Books::Run)),
    ("POST", "/advertiser/payout-runs/{run_id}",                  CASH, Action::Books(Books::StepRun)),
    ("POST", "/advertiser/{id}/payout-runs/{run_id}",             CASH, Action::Books(Books::StepRun)),
    ("GET",  "/advertiser/payout-runs/{run_id}/file",             CASH, Action::Books(Books::RunFile)),
    ("GET",  "/advertiser/{id}/payout-runs/{run_id}/file",        CASH, Action::Books(Books::RunFile)),
    ("GET",  "/advertiser/adjustments",                           LOOK, Action::Books(Books::Adjustments)),
    ("GET",  "/advertiser/{id}/adjustments",                      LOOK, Action::Books(Books::Adjustments)),
    ("POST", "/advertiser/adjustments",                           CASH, Action::Books(Books::Adjust)),
    ("POST", "/advertiser/{id}/adjustments",                      CASH, Action::Books(Books::Adjust)),
    ("GET",  "/advertiser/statements",                            LOOK, Action::Books(Books::Statements)),
    ("GET",  "/advertiser/{id}/statements",                       LOOK, Action::Books(Books::Statements)),
    ("GET",  "/advertiser/statements/{affiliate_id}",             LOOK, Action::Books(Books::Statement)),
    ("GET",  "/advertiser/{id}/statements/{affiliate_id}",        LOOK, Action::Books(Books::Statement)),
    ("GET",  "/affiliate/statement",                              LOOK, Action::Statement),
    ("GET",  "/affiliate/{id}/statement",                         LOOK, Action::Statement),
    ("GET",  "/account",                                          LOOK, Action::Account),
    ("GET",  "/account/totp",                                     LOOK, Action::TotpForm),
    ("POST", "/account/password",                                 LOOK, Action::Password),
    ("POST", "/account/totp",                                     LOOK, Action::TotpOn),
    ("POST", "/account/totp-off",                                 LOOK, Action::TotpOff),
    ("POST", "/account/sign-out-everywhere",                      LOOK, Action::SignOutEverywhere),
    ("GET",  "/people",                                           TEND, Action::People),
    ("POST", "/people/invitations",                               TEND, Action::Invite),
    ("POST", "/people/invitations/{invitation_id}/delete",        TEND, Action::TakeBack),
    ("POST", "/people/users/{user_id}/scopes",                    TEND, Action::Scopes),
    ("POST", "/people/users/{user_id}/disable",                   TEND, Action::Disable),
    ("POST", "/people/users/{user_id}/enable",                    TEND, Action::Enable),
    ("POST", "/people/users/{user_id}/reset",                     TEND, Action::Reset),
    ("POST", "/people/users/{user_id}/totp-off",                  TEND, Action::UserTotpOff),
    ("GET",  "/keys",                                             TEND, Action::Keys),
    ("POST", "/keys",                                             TEND, Action::MakeKey),
    ("POST", "/keys/{key_id}/rotate",                             TEND, Action::RotateKey),
    ("POST", "/keys/{key_id}/revoke",                             TEND, Action::RevokeKey),
    ("GET",  "/audit-log",                                        TEND, Action::AuditLog),
];

static ROUTER: LazyLock<Router<&'static str>> = LazyLock::new(|| {
    let mut router = Router::new();
    for (_, template, _, _) in TABLE {
        // The same template comes once for each method; the first stays.
        let _ = router.insert(template, template);
    }
    router
});

/// Every method and template of the portal.
pub fn routes() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.into_iter().map(|(method, template, _, _)| (method, template))
}

/// Where a path leads, if anywhere: the right that it needs, the action, and what stands in the path.
pub fn lead<'p>(
    method: &Method,
    path: &'p str,
) -> Option<(Option<Right>, Action, Params<'static, 'p>)> {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    let matched = ROUTER.at(path).ok()?;
    let mut entries = TABLE.into_iter();
    let entry = entries.find(|entry| (entry.0, entry.1) == (method, *matched.value))?;
    Some((entry.2, entry.3, matched.params))
}
