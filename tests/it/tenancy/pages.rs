//! How the pages of an advertiser, his money, and statements are asked, as `routes` has it.

/// Method, template, and requests.
pub const REQUESTS: &[(&str, &str, &[&str])] = &[
    ("GET", "/advertiser", &["/advertiser", "/advertiser?before=9000000000000000000"]),
    ("GET", "/advertiser/{id}", &["/advertiser/{01}"]),
    (
        "POST",
        "/advertiser/tracking-codes/{code_id}",
        &[
            "/advertiser/tracking-codes/{06} redirect_url=https://canary-{n}.example/{unique}&return_method=redirect",
        ],
    ),
    (
        "POST",
        "/advertiser/{id}/tracking-codes/{code_id}",
        &[
            "/advertiser/{01}/tracking-codes/{06} redirect_url=https://canary-{n}.example/{unique}&return_method=link",
        ],
    ),
    (
        "GET",
        "/advertiser/sales",
        &[
            "/advertiser/sales",
            "/advertiser/sales?status=pending&program={03}",
            "/advertiser/sales?order=order-canary-{n}-21",
        ],
    ),
    ("GET", "/advertiser/{id}/sales", &["/advertiser/{01}/sales"]),
    (
        "POST",
        "/advertiser/sales/verdicts",
        &[
            "/advertiser/sales/verdicts verdict=approve&ids={21}&ids={22}&once=a-form-of-its-own-{unique}",
        ],
    ),
    (
        "POST",
        "/advertiser/{id}/sales/verdicts",
        &[
            "/advertiser/{01}/sales/verdicts verdict=reject&reason=canary-{n}&ids={21}&once=a-form-of-its-own-{unique}",
        ],
    ),
    ("GET", "/advertiser/sales/{sale_id}", &["/advertiser/sales/{21}", "/advertiser/sales/{23}"]),
    ("GET", "/advertiser/{id}/sales/{sale_id}", &["/advertiser/{01}/sales/{21}"]),
    (
        "POST",
        "/advertiser/sales/{sale_id}/verdict",
        &["/advertiser/sales/{21}/verdict verdict=approve&once=a-form-of-its-own-{unique}"],
    ),
    (
        "POST",
        "/advertiser/{id}/sales/{sale_id}/verdict",
        &[
            "/advertiser/{01}/sales/{22}/verdict verdict=reject&reason=canary-{n}&once=a-form-of-its-own-{unique}",
        ],
    ),
    (
        "POST",
        "/advertiser/sales/{sale_id}/refund",
        &[
            "/advertiser/sales/{21}/refund amount=0.01&note=rejection-canary-{n}&once=a-form-of-its-own-{unique}",
        ],
    ),
    (
        "POST",
        "/advertiser/{id}/sales/{sale_id}/refund",
        &[
            "/advertiser/{01}/sales/{21}/refund amount=0.01&refund_id=refund-{unique}&once=a-form-of-its-own-{unique}",
        ],
    ),
    (
        "POST",
        "/advertiser/sales/{sale_id}/chargeback",
        &[
            "/advertiser/sales/{21}/chargeback stage=won&amount=0.01&reason=FRAUD&note=rejection-canary-{n}&once=a-form-of-its-own-{unique}",
        ],
    ),
    (
        "POST",
        "/advertiser/{id}/sales/{sale_id}/chargeback",
        &[
            "/advertiser/{01}/sales/{21}/chargeback stage=potential&chargeback_id=dispute-{unique}&once=a-form-of-its-own-{unique}",
        ],
    ),
    (
        "GET",
        "/advertiser/payouts",
        &["/advertiser/payouts", "/advertiser/payouts?program={03}&status=paid"],
    ),
    ("GET", "/advertiser/{id}/payouts", &["/advertiser/{01}/payouts"]),
    (
        "POST",
        "/advertiser/payouts",
        &["/advertiser/payouts program={03}&once=a-form-of-its-own-{unique}"],
    ),
    (
        "POST",
        "/advertiser/{id}/payouts",
        &["/advertiser/{01}/payouts program={03}&once=a-form-of-its-own-{unique}"],
    ),
    ("GET", "/advertiser/payouts/{payout_id}", &["/advertiser/payouts/{35}"]),
    ("GET", "/advertiser/{id}/payouts/{payout_id}", &["/advertiser/{01}/payouts/{35}"]),
    (
        "POST",
        "/advertiser/payouts/{payout_id}",
        &["/advertiser/payouts/{36} step=fail&reason=canary-{n}&once=a-form-of-its-own-{unique}"],
    ),
    (
        "POST",
        "/advertiser/{id}/payouts/{payout_id}",
        &["/advertiser/{01}/payouts/{42} step=cancel&once=a-form-of-its-own-{unique}"],
    ),
    ("GET", "/advertiser/payout-runs/{run_id}", &["/advertiser/payout-runs/{32}"]),
    ("GET", "/advertiser/{id}/payout-runs/{run_id}", &["/advertiser/{01}/payout-runs/{32}"]),
    (
        "POST",
        "/advertiser/payout-runs/{run_id}",
        &["/advertiser/payout-runs/{33} step=approve&once=a-form-of-its-own-{unique}"],
    ),
    (
        "POST",
        "/advertiser/{id}/payout-runs/{run_id}",
        &[
            "/advertiser/{01}/payout-runs/{33} step=pay&reference=canary-{n}&once=a-form-of-its-own-{unique}",
        ],
    ),
    (
        "GET",
        "/advertiser/payout-runs/{run_id}/file",
        &["/advertiser/payout-runs/{34}/file?format=csv"],
    ),
    (
        "GET",
        "/advertiser/{id}/payout-runs/{run_id}/file",
        &["/advertiser/{01}/payout-runs/{34}/file?format=csv"],
    ),
    ("GET", "/advertiser/adjustments", &["/advertiser/adjustments"]),
    ("GET", "/advertiser/{id}/adjustments", &["/advertiser/{01}/adjustments"]),
    (
        "POST",
        "/advertiser/adjustments",
        &[
            "/advertiser/adjustments program={03}&affiliate={02}&amount=5&currency=USD&reason=canary-{n}&once=a-form-of-its-own-{unique}",
        ],
    ),
    (
        "POST",
        "/advertiser/{id}/adjustments",
        &[
            "/advertiser/{01}/adjustments program={03}&affiliate={02}&amount=5&currency=USD&reason=canary-{n}&once=a-form-of-its-own-{unique}",
        ],
    ),
    ("GET", "/advertiser/statements", &["/advertiser/statements"]),
    ("GET", "/advertiser/{id}/statements", &["/advertiser/{01}/statements"]),
    (
        "GET",
        "/advertiser/statements/{affiliate_id}",
        &["/advertiser/statements/{02}", "/advertiser/statements/{02}?month=2026-11&format=csv"],
    ),
    ("GET", "/advertiser/{id}/statements/{affiliate_id}", &["/advertiser/{01}/statements/{02}"]),
    (
        "GET",
        "/affiliate/statement",
        &["/affiliate/statement", "/affiliate/statement?month=2026-11&format=csv"],
    ),
    ("GET", "/affiliate/{id}/statement", &["/affiliate/{02}/statement"]),
];
