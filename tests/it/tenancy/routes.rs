//! How each route of the API and the portal is asked: a route that is neither here nor in `pages` fails the matrix.

use super::pages;

/// Method, template, and requests: a path, and after a space a body. `{03}` is a tenant's row of this number
/// (`cases/tenants.sql`), `{n}` his number, `{unique}` a number used once, `{key}` the caller's key.
pub const REQUESTS: &[(&str, &str, &[&str])] = &[
    ("GET", "/api/v1/advertisers", &["/api/v1/advertisers", "/api/v1/advertisers?limit=500"]),
    (
        "POST",
        "/api/v1/advertisers",
        &[r#"/api/v1/advertisers {"name":"canary-{n} new","currency":"USD","timezone":"UTC"}"#],
    ),
    ("GET", "/api/v1/advertisers/{id}", &["/api/v1/advertisers/{01}"]),
    ("GET", "/api/v1/advertisers/{id}/seals", &["/api/v1/advertisers/{01}/seals"]),
    (
        "PATCH",
        "/api/v1/advertisers/{id}",
        &[r#"/api/v1/advertisers/{01} {"payer_name":"payer-canary-{n} {unique}"}"#],
    ),
    ("GET", "/api/v1/affiliates", &["/api/v1/affiliates", "/api/v1/affiliates?limit=500"]),
    (
        "POST",
        "/api/v1/affiliates",
        &[r#"/api/v1/affiliates {"name":"canary-{n} new","email":"new@mail.example"}"#],
    ),
    ("GET", "/api/v1/affiliates/{id}", &["/api/v1/affiliates/{02}"]),
    (
        "PATCH",
        "/api/v1/affiliates/{id}",
        &[r#"/api/v1/affiliates/{02} {"name":"canary-{n} blog {unique}"}"#],
    ),
    ("GET", "/api/v1/programs", &["/api/v1/programs", "/api/v1/programs?advertiser_id={01}"]),
    (
        "POST",
        "/api/v1/programs",
        &[
            r#"/api/v1/programs {"advertiser_id":"{01}","name":"canary-{n} new","landing_url":"https://canary-{n}.example/","plan":{"kind":"flat","amount":"1"}}"#,
        ],
    ),
    ("GET", "/api/v1/programs/{id}", &["/api/v1/programs/{03}"]),
    (
        "PATCH",
        "/api/v1/programs/{id}",
        &[r#"/api/v1/programs/{03} {"name":"canary-{n} program {unique}"}"#],
    ),
    ("GET", "/api/v1/programs/{id}/plans", &["/api/v1/programs/{03}/plans"]),
    (
        "POST",
        "/api/v1/programs/{id}/plans",
        &[r#"/api/v1/programs/{03}/plans {"kind":"percent","rate":"11"}"#],
    ),
    ("GET", "/api/v1/programs/{id}/plans/{version}", &["/api/v1/programs/{03}/plans/1"]),
    (
        "GET",
        "/api/v1/links",
        &["/api/v1/links", "/api/v1/links?program_id={03}", "/api/v1/links?affiliate_id={02}"],
    ),
    ("POST", "/api/v1/links", &[r#"/api/v1/links {"program_id":"{03}","affiliate_id":"{02}"}"#]),
    ("GET", "/api/v1/links/{id}", &["/api/v1/links/{05}"]),
    (
        "PATCH",
        "/api/v1/links/{id}",
        &[r#"/api/v1/links/{05} {"destination":"https://canary-{n}.example/{unique}"}"#],
    ),
    (
        "GET",
        "/api/v1/tracking-codes",
        &["/api/v1/tracking-codes", "/api/v1/tracking-codes?program_id={03}"],
    ),
    (
        "POST",
        "/api/v1/tracking-codes",
        &[r#"/api/v1/tracking-codes {"program_id":"{03}","name":"canary-{n} new"}"#],
    ),
    ("GET", "/api/v1/tracking-codes/{id}", &["/api/v1/tracking-codes/{06}"]),
    (
        "PATCH",
        "/api/v1/tracking-codes/{id}",
        &[r#"/api/v1/tracking-codes/{06} {"name":"canary-{n} thanks {unique}"}"#],
    ),
    (
        "GET",
        "/api/v1/coupons",
        &[
            "/api/v1/coupons",
            "/api/v1/coupons?program_id={03}",
            "/api/v1/coupons?affiliate_id={02}",
        ],
    ),
    (
        "POST",
        "/api/v1/coupons",
        &[r#"/api/v1/coupons {"program_id":"{03}","affiliate_id":"{02}","code":"NEW{unique}"}"#],
    ),
    ("GET", "/api/v1/coupons/{id}", &["/api/v1/coupons/{07}"]),
    (
        "PATCH",
        "/api/v1/coupons/{id}",
        &[r#"/api/v1/coupons/{07} {"valid_to":"2030-01-01T00:00:{seconds}Z"}"#],
    ),
    ("GET", "/api/v1/api-keys", &["/api/v1/api-keys", "/api/v1/api-keys?limit=500"]),
    (
        "POST",
        "/api/v1/api-keys",
        &[
            r#"/api/v1/api-keys {"role":"advertiser","advertiser_id":"{01}"}"#,
            r#"/api/v1/api-keys {"role":"affiliate","affiliate_id":"{02}"}"#,
            r#"/api/v1/api-keys {"role":"operator"}"#,
        ],
    ),
    ("GET", "/api/v1/api-keys/{id}", &["/api/v1/api-keys/{08}"]),
    ("POST", "/api/v1/api-keys/{id}/rotate", &["/api/v1/api-keys/{10}/rotate"]),
    ("DELETE", "/api/v1/api-keys/{id}", &["/api/v1/api-keys/{10}"]),
    ("GET", "/api/v1/users", &["/api/v1/users", "/api/v1/users?limit=500"]),
    ("GET", "/api/v1/users/{id}", &["/api/v1/users/{13}"]),
    ("PATCH", "/api/v1/users/{id}", &[r#"/api/v1/users/{13} {"scopes":["read","catalog"]}"#]),
    ("GET", "/api/v1/invitations", &["/api/v1/invitations", "/api/v1/invitations?limit=500"]),
    (
        "POST",
        "/api/v1/invitations",
        &[
            r#"/api/v1/invitations {"email":"canary-{n}-{unique}@mail.example","role":"advertiser","advertiser_id":"{01}"}"#,
            r#"/api/v1/invitations {"user_id":"{13}"}"#,
        ],
    ),
    ("GET", "/api/v1/invitations/{id}", &["/api/v1/invitations/{15}"]),
    ("DELETE", "/api/v1/invitations/{id}", &["/api/v1/invitations/{15}"]),
    (
        "GET",
        "/api/v1/audit-log",
        &[
            "/api/v1/audit-log?limit=500",
            "/api/v1/audit-log?id={03}",
            "/api/v1/audit-log?actor=key:{08}",
        ],
    ),
    (
        "GET",
        "/api/v1/conversions",
        &[
            "/api/v1/conversions",
            "/api/v1/conversions?program_id={03}",
            "/api/v1/conversions?affiliate_id={02}",
            "/api/v1/conversions?order_id=order-canary-1-21",
            "/api/v1/conversions?order_id=order-canary-2-21",
        ],
    ),
    ("GET", "/api/v1/conversions/{id}", &["/api/v1/conversions/{21}", "/api/v1/conversions/{23}"]),
    ("POST", "/api/v1/conversions/{id}/approve", &["/api/v1/conversions/{21}/approve"]),
    (
        "POST",
        "/api/v1/conversions/{id}/reject",
        &[r#"/api/v1/conversions/{22}/reject {"reason":"canary-{n}"}"#],
    ),
    (
        "POST",
        "/api/v1/conversions/approve",
        &[
            r#"/api/v1/conversions/approve {"filter":{"program_id":"{03}","status":"pending","order_ids":["order-canary-{n}-21"]}}"#,
        ],
    ),
    (
        "POST",
        "/api/v1/conversions/reject",
        &[
            r#"/api/v1/conversions/reject {"filter":{"program_id":"{03}","status":"pending","order_ids":["order-canary-{n}-22"]},"reason":"canary-{n}"}"#,
        ],
    ),
    ("GET", "/api/v1/programs/{id}/reconciliations", &["/api/v1/programs/{03}/reconciliations"]),
    (
        "POST",
        "/api/v1/programs/{id}/reconciliations",
        &["/api/v1/programs/{03}/reconciliations id\norder-canary-{n}-21\nlist-canary-{n}\n"],
    ),
    ("GET", "/api/v1/reconciliations/{id}", &["/api/v1/reconciliations/{40}"]),
    (
        "GET",
        "/api/v1/reconciliations/{id}/findings",
        &[
            "/api/v1/reconciliations/{40}/findings",
            "/api/v1/reconciliations/{40}/findings?kind=missing&format=csv",
        ],
    ),
    (
        "POST",
        "/api/v1/reconciliations/{id}/corrections",
        &[r#"/api/v1/reconciliations/{40}/corrections {"kinds":["extra","confirmed"]}"#],
    ),
    (
        "GET",
        "/api/v1/shares",
        &["/api/v1/shares", "/api/v1/shares?program_id={03}&affiliate_id={02}"],
    ),
    (
        "GET",
        "/api/v1/refunds",
        &[
            "/api/v1/refunds",
            "/api/v1/refunds?program_id={03}",
            "/api/v1/refunds?affiliate_id={02}",
            "/api/v1/refunds?conversion_id={23}",
        ],
    ),
    (
        "POST",
        "/api/v1/refunds",
        &[
            r#"/api/v1/refunds {"program_id":"{03}","order_id":"order-canary-{n}-{unique}","refund_id":"canary-{n}","note":"canary-{n}"}"#,
            r#"/api/v1/refunds {"program_id":"{03}","conversion_id":"{23}","refund_id":"canary-{n}-{unique}"}"#,
        ],
    ),
    ("GET", "/api/v1/refunds/{id}", &["/api/v1/refunds/{60}"]),
    (
        "GET",
        "/api/v1/chargebacks",
        &[
            "/api/v1/chargebacks",
            "/api/v1/chargebacks?program_id={03}",
            "/api/v1/chargebacks?affiliate_id={02}&potential=false",
            "/api/v1/chargebacks?conversion_id={23}&reason=FRAUD",
        ],
    ),
    (
        "POST",
        "/api/v1/chargebacks",
        &[
            r#"/api/v1/chargebacks {"program_id":"{03}","order_id":"order-canary-{n}-{unique}","chargeback_id":"canary-{n}","note":"canary-{n}"}"#,
            r#"/api/v1/chargebacks {"program_id":"{03}","conversion_id":"{23}","chargeback_id":"canary-{n}-{unique}"}"#,
        ],
    ),
    ("GET", "/api/v1/chargebacks/{id}", &["/api/v1/chargebacks/{61}"]),
    (
        "PATCH",
        "/api/v1/chargebacks/{id}",
        &[
            r#"/api/v1/chargebacks/{61} {"note":"canary-{n} {unique}"}"#,
            r#"/api/v1/chargebacks/{61} {"status":"lost"}"#,
        ],
    ),
    (
        "GET",
        "/api/v1/hits",
        &[
            "/api/v1/hits?limit=500",
            "/api/v1/hits?outcome=dead",
            "/api/v1/hits?outcome=rejected",
            "/api/v1/hits?code=code-canary-1",
            "/api/v1/hits?code=code-canary-2",
        ],
    ),
    ("GET", "/api/v1/hits/{id}", &["/api/v1/hits/{21}", "/api/v1/hits/{24}", "/api/v1/hits/{25}"]),
    ("GET", "/api/v1/rates", &["/api/v1/rates", "/api/v1/rates?currency=KWD&from=2026-01-01"]),
    (
        "POST",
        "/api/v1/rates",
        &[r#"/api/v1/rates {"currency":"KWD","on_date":"2026-01-02","per_euro":"0.3601"}"#],
    ),
    ("GET", "/api/v1/rates/{id}", &["/api/v1/rates/173362328"]),
    ("GET", "/api/v1/adjustments", &["/api/v1/adjustments", "/api/v1/adjustments?program_id={03}"]),
    (
        "POST",
        "/api/v1/adjustments",
        &[
            r#"/api/v1/adjustments {"program_id":"{03}","affiliate_id":"{02}","amount":{"amount":"5","currency":"USD"},"reason":"canary-{n}"}"#,
        ],
    ),
    ("GET", "/api/v1/adjustments/{id}", &["/api/v1/adjustments/{31}"]),
    ("GET", "/api/v1/payout-runs", &["/api/v1/payout-runs", "/api/v1/payout-runs?program_id={03}"]),
    ("POST", "/api/v1/payout-runs", &[r#"/api/v1/payout-runs {"program_id":"{03}"}"#]),
    ("GET", "/api/v1/payout-runs/{id}", &["/api/v1/payout-runs/{32}"]),
    ("POST", "/api/v1/payout-runs/{id}/approve", &["/api/v1/payout-runs/{33}/approve"]),
    (
        "POST",
        "/api/v1/payout-runs/{id}/pay",
        &[r#"/api/v1/payout-runs/{33}/pay {"reference":"canary-{n}"}"#],
    ),
    ("GET", "/api/v1/payout-runs/{id}/file", &["/api/v1/payout-runs/{34}/file?format=csv"]),
    (
        "GET",
        "/api/v1/payouts",
        &[
            "/api/v1/payouts",
            "/api/v1/payouts?program_id={03}",
            "/api/v1/payouts?affiliate_id={02}",
            "/api/v1/payouts?run_id={32}",
        ],
    ),
    ("GET", "/api/v1/payouts/{id}", &["/api/v1/payouts/{35}"]),
    ("GET", "/api/v1/payouts/{id}/items", &["/api/v1/payouts/{35}/items"]),
    ("POST", "/api/v1/payouts/{id}/approve", &["/api/v1/payouts/{35}/approve"]),
    (
        "POST",
        "/api/v1/payouts/{id}/pay",
        &[r#"/api/v1/payouts/{36}/pay {"reference":"canary-{n}"}"#],
    ),
    (
        "POST",
        "/api/v1/payouts/{id}/fail",
        &[r#"/api/v1/payouts/{37}/fail {"reason":"canary-{n}"}"#],
    ),
    ("POST", "/api/v1/payouts/{id}/cancel", &["/api/v1/payouts/{38}/cancel"]),
    ("GET", "/api/v1/exchanges", &["/api/v1/exchanges", "/api/v1/exchanges?affiliate_id={02}"]),
    (
        "POST",
        "/api/v1/exchanges",
        &[
            r#"/api/v1/exchanges {"program_id":"{03}","affiliate_id":"{02}","from":{"amount":"0.10","currency":"USD"},"to":"EUR","rate":{"rate":"0.9","on_date":"2026-03-02","source":"canary-{n}"}}"#,
        ],
    ),
    ("GET", "/api/v1/exchanges/{id}", &["/api/v1/exchanges/{40}"]),
    (
        "GET",
        "/api/v1/months",
        &["/api/v1/months", "/api/v1/months?program_id={03}", "/api/v1/months?affiliate_id={02}"],
    ),
    (
        "GET",
        "/api/v1/statements",
        &[
            "/api/v1/statements?month=2026-11&affiliate_id={02}",
            "/api/v1/statements?month=2026-11&affiliate_id={02}&program_id={03}&format=csv",
        ],
    ),
    (
        "GET",
        "/api/v1/reports/commissions",
        &[
            "/api/v1/reports/commissions",
            "/api/v1/reports/commissions?group_by=program",
            "/api/v1/reports/commissions?group_by=link&format=csv",
            "/api/v1/reports/commissions?group_by=s1",
            "/api/v1/reports/commissions?group_by=program&program_id={03}",
            "/api/v1/reports/commissions?group_by=link&affiliate_id={02}",
        ],
    ),
    ("GET", "/assets/{name}", &["/assets/{asset}"]),
    ("GET", "/sign-in", &["/sign-in"]),
    ("POST", "/sign-in", &["/sign-in key={key}"]),
    ("GET", "/sign-in/code", &["/sign-in/code"]),
    ("POST", "/sign-in/code", &["/sign-in/code code=000000"]),
    ("POST", "/sign-out", &["/sign-out x=1"]),
    ("GET", "/invitation/{secret}", &["/invitation/unknown"]),
    (
        "POST",
        "/invitation/{secret}",
        &["/invitation/unknown name=canary-{n}&password=four+words+in+a+row"],
    ),
    ("POST", "/csp-report", &["/csp-report x=1"]),
    ("GET", "/account", &["/account"]),
    ("GET", "/account/totp", &["/account/totp"]),
    ("POST", "/account/password", &["/account/password password=x&new=four+words+in+a+row"]),
    ("POST", "/account/totp", &["/account/totp secret=00&code=000000&password=x"]),
    ("POST", "/account/totp-off", &["/account/totp-off password=x"]),
    ("POST", "/account/sign-out-everywhere", &["/account/sign-out-everywhere x=1"]),
    ("GET", "/people", &["/people"]),
    (
        "POST",
        "/people/invitations",
        &[
            "/people/invitations email=new-canary-{n}-{unique}@mail.example&owner=advertiser:{01}&scopes=read",
        ],
    ),
    (
        "POST",
        "/people/invitations/{invitation_id}/delete",
        &["/people/invitations/{16}/delete x=1"],
    ),
    ("POST", "/people/users/{user_id}/scopes", &["/people/users/{14}/scopes scopes=money"]),
    ("POST", "/people/users/{user_id}/disable", &["/people/users/{14}/disable x=1"]),
    ("POST", "/people/users/{user_id}/enable", &["/people/users/{14}/enable x=1"]),
    ("POST", "/people/users/{user_id}/reset", &["/people/users/{14}/reset x=1"]),
    ("POST", "/people/users/{user_id}/totp-off", &["/people/users/{14}/totp-off x=1"]),
    ("GET", "/keys", &["/keys"]),
    ("POST", "/keys", &["/keys name=keyname-canary-{n}&owner=advertiser:{01}&scopes=read"]),
    ("POST", "/keys/{key_id}/rotate", &["/keys/{11}/rotate x=1"]),
    ("POST", "/keys/{key_id}/revoke", &["/keys/{11}/revoke x=1"]),
    ("GET", "/audit-log", &["/audit-log"]),
    ("GET", "/", &["/"]),
    ("GET", "/operator", &["/operator"]),
    ("GET", "/affiliate", &["/affiliate", "/affiliate?before=9000000000000000000"]),
    ("GET", "/affiliate/{id}", &["/affiliate/{02}"]),
    (
        "GET",
        "/advertiser/hits/{hit_id}",
        &["/advertiser/hits/{21}", "/advertiser/hits/{24}", "/advertiser/hits/{25}"],
    ),
    ("GET", "/advertiser/{id}/hits/{hit_id}", &["/advertiser/{01}/hits/{21}"]),
];

/// The requests of one route; nothing when nobody said how it is asked.
pub fn requests(method: &str, template: &str) -> Option<&'static [&'static str]> {
    let mut all = REQUESTS.iter().chain(pages::REQUESTS);
    let found = all.find(|entry| (entry.0, entry.1) == (method, template));
    found.map(|entry| entry.2)
}
