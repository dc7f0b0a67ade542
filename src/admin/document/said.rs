//! What the document says of each route beside its method, path and roles: in a sentence what it does, what
//! it takes and what it gives. What is taken is what the resource reads.

use super::operation::{Operation, changes, deletes, judges, lists, makes, reports, shows, tells};
use crate::admin::advertisers::{self, Advertiser};
use crate::admin::affiliates::{self, Affiliate};
use crate::admin::api_keys::{self, ApiKey, ApiKeyWithKey};
use crate::admin::audit_log::{self, AuditEntry};
use crate::admin::call::{asked, asked_of_owners};
use crate::admin::conversions::{self, Conversion};
use crate::admin::corrections::{self, Corrections};
use crate::admin::coupons::{self, Coupon};
use crate::admin::hits::{self, Hit, HitExplained};
use crate::admin::input::{Input, schema_of};
use crate::admin::invitations::{self, Invitation, InvitationWithLink};
use crate::admin::links::{self, Link};
use crate::admin::order_list;
use crate::admin::plans::{self, Plan};
use crate::admin::programs::{self, Program};
use crate::admin::rates::{self, ExchangeRate};
use crate::admin::reconciliations::{self, Finding, Reconciliation};
use crate::admin::report::{self, Report};
use crate::admin::routes::Action;
use crate::admin::seals::Seal;
use crate::admin::shares::{self, ShareOfSale};
use crate::admin::tracking_codes::{self, TrackingCode};
use crate::admin::users::{self, User};
use crate::admin::verdicts::{self, Verdicts};
use crate::domain::id::Id;

/// Of one route.
#[rustfmt::skip]
pub(super) fn operation(action: Action) -> Operation {
    match action {
        Action::AdvertisersIndex => lists::<Advertiser, _>("Advertisers, newest first.", asked),
        Action::AdvertisersCreate => makes::<Advertiser>("Make an advertiser.").takes("NewAdvertiser", schema_of(&[], advertisers::new)),
        Action::AdvertisersShow => shows::<Advertiser>("One advertiser."),
        Action::AdvertisersUpdate => changes::<Advertiser>("Say which account an advertiser pays from.").takes("AdvertiserChange", schema_of(&[], advertisers::change)),
        Action::SealsIndex => lists::<Seal, _>("The seals of an advertiser's transfers, newest first. Keep the newest hash elsewhere: it proves all transfers before it.", asked),
        Action::AffiliatesIndex => lists::<Affiliate, _>("Affiliates, newest first. An advertiser sees those who link to his programs.", asked),
        Action::AffiliatesCreate => makes::<Affiliate>("Make an affiliate.").takes("NewAffiliate", schema_of(&[], affiliates::new)),
        Action::AffiliatesShow => shows::<Affiliate>("One affiliate."),
        Action::AffiliatesUpdate => judges::<Affiliate>("Change an affiliate, or pause him; with the scope `money`, too, say where his money goes.").takes("AffiliateChange", schema_of(&[], affiliates::change)),
        Action::ProgramsIndex => lists::<Program, _>("Programs, newest first, each with its newest plan.", programs::asked),
        Action::ProgramsCreate => makes::<Program>("Make a program, with the first version of its plan.").takes("NewProgram", schema_of(&[], programs::new)),
        Action::ProgramsShow => shows::<Program>("One program."),
        Action::ProgramsUpdate => changes::<Program>("Change a program, or pause it. Its terms are changed by a new plan.").takes("ProgramChange", schema_of(&[], programs::change)),
        Action::PlansIndex => lists::<Plan, _>("The versions of a program's plan, newest first.", asked),
        Action::PlansCreate => makes::<Plan>("Make the next version of a program's plan; in force from now on.").takes("NewPlan", plan()),
        Action::PlansShow => shows::<Plan>("One version of a program's plan."),
        Action::LinksIndex => lists::<Link, _>("Links, newest first.", asked_of_owners),
        Action::LinksCreate => makes::<Link>("Make an affiliate's link into a program.").takes("NewLink", schema_of(&[], links::new)).conflicts(),
        Action::LinksShow => shows::<Link>("One link."),
        Action::LinksUpdate => changes::<Link>("Change where a link leads, or pause it.").takes("LinkChange", schema_of(&[], links::change)),
        Action::TrackingCodesIndex => lists::<TrackingCode, _>("Tracking codes, newest first.", tracking_codes::asked),
        Action::TrackingCodesCreate => makes::<TrackingCode>("Make a tracking code, with what a shop needs to copy.").takes("NewTrackingCode", schema_of(&[], tracking_codes::new)),
        Action::TrackingCodesShow => shows::<TrackingCode>("One tracking code."),
        Action::TrackingCodesUpdate => changes::<TrackingCode>("Change a tracking code's name, or where a buyer goes after a form.").takes("TrackingCodeChange", schema_of(&[], tracking_codes::change)),
        Action::CouponsIndex => lists::<Coupon, _>("Coupons, newest first.", asked_of_owners),
        Action::CouponsCreate => makes::<Coupon>("Make a coupon.").takes("NewCoupon", schema_of(&[], coupons::new)).conflicts(),
        Action::CouponsShow => shows::<Coupon>("One coupon."),
        Action::CouponsUpdate => changes::<Coupon>("Change when a coupon is valid.").takes("CouponChange", schema_of(&[], coupons::change)),
        Action::ApiKeysIndex => lists::<ApiKey, _>("Keys, newest first, the revoked too. An advertiser sees his own.", asked),
        Action::ApiKeysCreate => makes::<ApiKeyWithKey>("Make a key. It is shown in this answer and never again.").takes("NewApiKey", of_each_role(api_keys::new)),
        Action::ApiKeysShow => shows::<ApiKey>("One key."),
        Action::ApiKeysRotate => makes::<ApiKeyWithKey>("Make a key in the place of another, which goes on for a while. It is shown in this answer and never again.").may_take("Rotation", schema_of(&[], api_keys::overlap)).conflicts(),
        Action::ApiKeysRevoke => deletes("Revoke a key, for good. Again is the same."),
        Action::UsersIndex => lists::<User, _>("Users, newest first, the disabled too. An advertiser sees his own.", asked),
        Action::UsersShow => shows::<User>("One user."),
        Action::UsersUpdate => judges::<User>("Change what a user may do, disable him, or take his second step off; as an operator his e-mail, too. Not of oneself.").takes("UserChange", schema_of(&[], users::change)),
        Action::InvitationsIndex => lists::<Invitation, _>("Invitations, newest first, the used ones too.", asked),
        Action::InvitationsCreate => makes::<InvitationWithLink>("Make a link by which somebody new, or a user who forgot his, chooses a password. It is shown in this answer and never again.").takes("NewInvitation", invitation()).conflicts(),
        Action::InvitationsShow => shows::<Invitation>("One invitation."),
        Action::InvitationsDelete => deletes("Take an invitation back that nobody used.").conflicts(),
        Action::AuditLogIndex => lists::<AuditEntry, _>("Who changed what, newest first. An advertiser sees what was done in his affairs.", audit_log::asked),
        Action::ConversionsIndex => lists::<Conversion, _>("Conversions, newest first.", conversions::asked),
        Action::ConversionsShow => shows::<Conversion>("One conversion."),
        Action::ConversionsApprove => judges::<Conversion>("Make a pending conversion payable now. Again is the same.").may_take("Approval", nothing()).may_be_once(),
        Action::ConversionsReject => judges::<Conversion>("Reject a conversion that is pending or payable. Again is the same.").takes("Rejection", schema_of(&[], conversions::reason)).may_be_once(),
        Action::ConversionsApproveMany => tells::<Verdicts>("Make many pending conversions payable now, at most 500 in one call. Again is the same.").takes("Approvals", many(false)).naming("PendingFilter", pending_filter()).once(),
        Action::ConversionsRejectMany => tells::<Verdicts>("Reject many conversions, at most 500 in one call. Again is the same.").takes("Rejections", many(true)).naming("PendingFilter", pending_filter()).once(),
        Action::SharesIndex => lists::<ShareOfSale, _>("What affiliates have of others' sales, newest first. An affiliate sees his own, an advertiser those of his programs.", shares::asked),
        Action::ReconciliationsIndex => lists::<Reconciliation, _>("A program's lists of orders, newest first.", asked),
        Action::ReconciliationsCreate => makes::<Reconciliation>("Send a shop's list of orders, and hold it against the books. Nothing is changed by it.").takes_csv(order_list::asked).conflicts(),
        Action::ReconciliationsShow => shows::<Reconciliation>("One list of orders, and how many findings of each kind there are."),
        Action::ReconciliationsFindings => lists::<Finding, _>("Where a list of orders and the books differ, newest first.", reconciliations::asked).or_csv(),
        Action::ReconciliationsCorrect => tells::<Corrections>("Correct the books by a list of orders, at most 500 findings in one call. Each is corrected once; calling again goes on.").takes("Correction", schema_of(&[], corrections::kinds)).conflicts().once(),
        Action::HitsIndex => lists::<Hit, _>("Hits, newest first.", hits::asked),
        Action::HitsShow => shows::<HitExplained>("One hit: what came, what became of it and why."),
        Action::RatesIndex => lists::<ExchangeRate, _>("Rates of currencies, the newest day first. Both days are included.", rates::asked),
        Action::RatesCreate => makes::<ExchangeRate>("Set the rate of a currency and day for which there is none. It is never changed.").takes("NewExchangeRate", schema_of(&[], rates::new)).conflicts(),
        Action::RatesShow => shows::<ExchangeRate>("One rate."),
        Action::Paying(paying) => super::paying::operation(paying),
        Action::Takebacks(takebacks) => super::takebacks::operation(takebacks),
        Action::ReportCommissions => reports::<Report, _>("Clicks, sales and commissions, by day, program, link or sub id; at most 10,000 rows.", report::asked),
    }
}

/// No field at all.
pub(super) fn nothing() -> serde_json::Value {
    schema_of(&[], |_: &mut Input| ())
}

/// A verdict on many: by their ids or by a filter.
fn many(is_rejection: bool) -> serde_json::Value {
    let reason = |body: &mut Input| is_rejection.then(|| conversions::reason(body));
    let by_ids = schema_of(&[], |body| (verdicts::by_ids(body), reason(body)));
    let by_filter = schema_of(&[], |body| (verdicts::by_filter(body), reason(body)));
    serde_json::json!({"oneOf": [by_ids, by_filter]})
}

/// An object that others name, so it is shown by itself.
fn pending_filter() -> serde_json::Value {
    let schema = schema_of(&[], verdicts::filter);
    serde_json::json!({"description": "Pending conversions of a program.", "oneOf": [schema]})
}

/// The terms of each kind.
fn plan() -> serde_json::Value {
    let kinds = plans::KINDS.iter();
    let variants = kinds.map(|kind| schema_of(&[("kind", kind)], |body| plans::terms(body, None)));
    serde_json::json!({"oneOf": variants.collect::<Vec<_>>()})
}

/// Something of each role, as an operator has to say it: he names the advertiser.
fn of_each_role<R>(read: impl Fn(&mut Input, Option<Id>) -> R) -> serde_json::Value {
    let roles = ["operator", "advertiser", "affiliate"].iter();
    let variants = roles.map(|role| schema_of(&[("role", role)], |body| read(body, None)));
    serde_json::json!({"oneOf": variants.collect::<Vec<_>>()})
}

/// For somebody new of each role, or for a user.
fn invitation() -> serde_json::Value {
    let mut schema = of_each_role(invitations::new);
    if let Some(variants) = schema["oneOf"].as_array_mut() {
        variants.push(schema_of(&[], invitations::user));
    }
    schema
}

/// What the resources are, in the order in which the document has them.
pub(super) const TAGS: [(&str, &str); 24] = [
    ("advertisers", "Merchants, made by the operator."),
    ("affiliates", "Publishers, made by the operator."),
    ("programs", "What an advertiser offers, and the versions of its terms."),
    ("links", "An affiliate's ways into programs."),
    ("tracking-codes", "What an advertiser puts on his thank-you page, ready to paste."),
    ("coupons", "Codes that attribute a sale to an affiliate."),
    ("api-keys", "Who may ask for what. A key is shown once, when it is made."),
    ("users", "Who signs in by e-mail and password; made by invitations."),
    ("invitations", "Links by which one person chooses a password, good once within seven days."),
    ("audit-log", "Who changed what, and who signed in."),
    ("conversions", "Sales and leads, and the verdicts of people on them."),
    ("shares", "What affiliates have of others' sales, as other touches or as recruiters."),
    ("refunds", "Money that a shop paid back, and what that took back of the commission."),
    ("chargebacks", "Disputes at buyers' banks, how far each is, and what it holds or took back."),
    ("reconciliations", "Shops' lists of orders, held against the books."),
    ("hits", "What came from shops and browsers, what became of it, and why."),
    (
        "rates",
        "What one euro was in other currencies, by the European Central Bank or as the operator set it.",
    ),
    ("adjustments", "Money given or taken by hand, for a reason, or when a month was closed."),
    (
        "payout-runs",
        "What is owed in a program, proposed to be paid; and files for those who carry it out.",
    ),
    ("payouts", "What an affiliate is paid at once: each ledger row in one of them at most."),
    ("exchanges", "Payable money of one currency, put into another."),
    ("months", "What tiers, bonuses and caps gave when a month was closed."),
    ("statements", "What was payable in a month, and what moved it."),
    ("reports", "Clicks, sales and commissions."),
];
