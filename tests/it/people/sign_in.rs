//! Signing in by e-mail and password.

use std::time::Instant;

use super::{PASSWORD, World, cookie_of, cookies, goes_to, path_of, text};
use crate::harness::http;
use crate::rooms::{FORM, Said};
use serde_json::json;

const SESSION: &str = "__Host-tributary";
const DEVICE: &str = "__Host-tributary-device";

#[tokio::test]
async fn an_invitation_is_good_once_and_its_user_signs_in() {
    let world = World::start().await;
    let wanted = json!({"email": "Ann@Shop.example", "role": "operator"});
    let invitation = world.app.create("invitations", wanted).await;
    let link = text(&invitation, "link");
    assert!(link.starts_with(&format!("{}/invitation/", world.app.admin_url)), "{link}");
    let path = path_of(&link);
    assert!(world.get(&path, "").await.text().contains("Ann@Shop.example"));
    for (form, why) in [
        ("name=Ann&password=short", "at least 12"),
        ("name=Ann&password=passwordpassword", "anybody would try"),
        ("name=Ann&password=ann%40shop.example", "e-mail"),
        ("name=&password=four+words+in+a+row", "Tell your name"),
    ] {
        let answer = world.post(&path, "", form).await;
        assert!(answer.status == 422 && answer.text().contains(why), "{form}: {}", answer.text());
    }
    let form = "name=Ann&password=four+words+in+a+row";
    assert_eq!(goes_to(&world.post(&path, "", form).await), (303, "/sign-in?after=invitation"));
    assert_eq!(world.post(&path, "", form).await.status, 404, "used");
    assert_eq!(world.get(&path, "").await.status, 404);
    let answer = world.attempt("aNN@shop.example", PASSWORD, "").await;
    assert_eq!(goes_to(&answer), (303, "/operator"));
    let page = world.get("/account", &cookies(&answer)).await.text();
    assert!(page.contains("this browser") && page.contains("Ann@Shop.example"));
    let again = json!({"email": "ann@shop.example", "role": "operator"});
    assert_eq!(world.app.api("POST", "invitations", again).await.status, 409);
}

#[tokio::test]
async fn a_link_that_is_old_or_was_taken_back_is_worth_nothing() {
    let world = World::start().await;
    let make = async |email: &str| {
        let wanted = json!({"email": email, "role": "operator"});
        world.app.create("invitations", wanted).await
    };
    let (old, back) = (make("old@x.example").await, make("back@x.example").await);
    world.sql("update invitations set expires_at = now() where email = 'old@x.example'").await;
    let path = format!("invitations/{}", text(&back, "id"));
    assert_eq!(world.app.api("DELETE", &path, json!(null)).await.status, 204);
    for invitation in [old, back] {
        let form = "name=Eve&password=four+words+in+a+row";
        let answer = world.post(&path_of(&text(&invitation, "link")), "", form).await;
        assert_eq!(answer.status, 404, "{invitation}");
    }
    assert_eq!(world.get("/invitation/nonsense", "").await.status, 404);
}

#[tokio::test]
async fn what_is_wrong_is_not_told_apart() {
    let world = World::start().await;
    world.user("ann@x.example", "operator", &["read"]).await;
    world.user("gone@x.example", "operator", &["read"]).await;
    world.sql("update users set disabled_at = now() where email = 'gone@x.example'").await;
    let mut pages = Vec::new();
    for (email, password) in
        [("ann@x.example", "wrong"), ("gone@x.example", PASSWORD), ("nobody@x.example", PASSWORD)]
    {
        let began = Instant::now();
        let answer = world.attempt(email, password, "").await;
        let took = began.elapsed().as_millis();
        assert_eq!((answer.status, answer.said("set-cookie")), (401, ""), "{email}");
        assert!(took >= 5, "{email} took {took} ms: no password was hashed");
        pages.push(answer.text().replace(email, "*"));
    }
    assert!(pages.windows(2).all(|two| two[0] == two[1]));
}

#[tokio::test]
async fn a_session_is_another_one_after_each_step() {
    let world = World::start().await;
    world.user("ann@x.example", "operator", &["read", "people"]).await;
    let planted = format!("{SESSION}=planted-by-somebody");
    let answer = world.attempt("ann@x.example", PASSWORD, &planted).await;
    let first = cookies(&answer);
    assert!(!first.contains("planted") && cookie_of(&first, SESSION).len() > 40, "{first}");
    let set = answer.said("set-cookie");
    assert!(set.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{set}");
    assert_eq!(world.get("/account", &planted).await.status, 303);
    // Signing in again from the same browser ends the former session.
    let second = cookies(&world.attempt("ann@x.example", PASSWORD, &first).await);
    assert_ne!(cookie_of(&first, SESSION), cookie_of(&second, SESSION));
    assert_eq!(cookie_of(&first, DEVICE), cookie_of(&second, DEVICE));
    assert_eq!(world.get("/account", cookie_of(&first, SESSION)).await.status, 303);
    assert_eq!(world.get("/account", &second).await.status, 200);
    let (secret, _) = world.second_step(&second).await;
    let half = world.attempt("ann@x.example", PASSWORD, "").await;
    assert_eq!(goes_to(&half), (303, "/sign-in/code"));
    let half = cookies(&half);
    assert_eq!(world.get("/account", &half).await.said("location"), "/sign-in", "half is nothing");
    let code = format!("code={}", world.code(&secret, 1).await);
    let whole = world.post("/sign-in/code", &half, &code).await;
    assert_eq!(goes_to(&whole), (303, "/operator"));
    let whole = cookies(&whole);
    assert_ne!(cookie_of(&half, SESSION), cookie_of(&whole, SESSION));
    assert_eq!(world.get("/sign-in/code", cookie_of(&half, SESSION)).await.status, 303);
    assert_eq!(world.get("/account", cookie_of(&half, SESSION)).await.status, 303);
    assert_eq!(world.get("/account", &whole).await.status, 200);
}

#[tokio::test]
async fn a_code_opens_once_and_so_does_a_recovery_code() {
    let world = World::start().await;
    let id = world.user("ann@x.example", "operator", &["read"]).await;
    let (secret, recovery) = world.second_step(&world.sign_in("ann@x.example").await).await;
    assert_eq!(recovery.len(), 10);
    let half = async || cookies(&world.attempt("ann@x.example", PASSWORD, "").await);
    let enter = async |code: &str| {
        let half = half().await;
        world.post("/sign-in/code", &half, &format!("code={code}")).await.status
    };
    let next = world.code(&secret, 1).await;
    assert_eq!(enter("000000").await, 401);
    assert_eq!(enter(&next).await, 303);
    assert_eq!(enter(&next).await, 401, "it was used");
    assert_eq!(enter(&world.code(&secret, 0).await).await, 401, "older than one that was used");
    let typed = recovery[3].to_uppercase().replace('-', "+");
    assert_eq!(enter(&typed).await, 303);
    assert_eq!(enter(&recovery[3]).await, 401, "it was used");
    // Five failed by now: the next has to wait.
    assert_eq!(enter("000000").await, 401);
    assert_eq!(enter("000000").await, 401);
    let answer = world.post("/sign-in/code", &half().await, "code=000000").await;
    assert_eq!(answer.status, 429, "{}", answer.text());
    // Whoever manages people takes it off for who lost all.
    let path = format!("users/{id}");
    let answer = world.app.api("PATCH", &path, json!({"totp": false})).await;
    assert_eq!(answer.json()["totp"], json!(false), "{}", answer.text());
    assert_eq!(goes_to(&world.attempt("ann@x.example", PASSWORD, "").await), (303, "/operator"));
    let key = format!("key={}", world.app.admin_key);
    assert_eq!(world.post("/sign-in", "", &key).await.status, 303);
    let steps = "select after ->> 'step' from audit_log where action = 'sign_in' order by id";
    let steps = world.db.query(steps, &[]).await.unwrap();
    let steps: Vec<&str> = steps.iter().map(|row| row.get(0)).collect();
    assert_eq!(steps, ["password", "totp", "recovery_code", "password", "key"]);
}

#[tokio::test]
async fn whoever_hammers_at_an_email_does_not_lock_its_owner_out() {
    let world = World::start().await;
    world.user("ann@x.example", "operator", &["read"]).await;
    let known = world.sign_in("ann@x.example").await;
    let device = cookie_of(&known, DEVICE);
    let attempts = (0..40).map(|n| {
        let guess = format!("guess number {n}");
        async {
            let guess = guess;
            world.attempt("ANN@x.example", &guess, "").await
        }
    });
    let answers = futures_util::future::join_all(attempts).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    let heard = statuses.iter().filter(|status| **status == 401).count();
    assert!((5..=7).contains(&heard), "{heard} of 40 at once were heard: {statuses:?}");
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert!(refused.said("retry-after").parse::<i64>().unwrap() >= 1);
    // He goes on hammering.
    let longer = "update sign_in_budgets set until = now() + interval '1 minute' where bucket like";
    world.sql(&format!("{longer} 'email:%'")).await;
    let stranger = world.attempt("ann@x.example", PASSWORD, "").await;
    assert_eq!(stranger.status, 429, "even the right password, from a browser nobody knows");
    let owner = world.attempt("ann@x.example", PASSWORD, device).await;
    assert_eq!(goes_to(&owner), (303, "/operator"));
    // Another's known browser is a stranger to her.
    world.user("eve@x.example", "operator", &["read"]).await;
    world.sql("delete from sign_in_budgets where bucket like 'address:%'").await;
    let eve = world.sign_in("eve@x.example").await;
    let answer = world.attempt("ann@x.example", PASSWORD, cookie_of(&eve, DEVICE)).await;
    assert_eq!(answer.status, 429);
    // A known browser has a budget, too.
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(world.attempt("ann@x.example", "wrong", device).await.status);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    world
        .sql("update sign_in_budgets set until = now(), seen_at = now() - interval '25 hours'")
        .await;
    assert_eq!(world.attempt("ann@x.example", PASSWORD, "").await.status, 303, "forgotten");
}

#[tokio::test]
async fn a_user_is_one_budget_however_his_email_is_spelled() {
    let world = World::start().await;
    world.user("ann@x.example", "operator", &["read"]).await;
    for email in ["ann@x.example", "a%00nn@x.example", "ANN@x.example%00", "%00%20ann@x.example"] {
        assert_eq!(world.attempt(email, "wrong", "").await.status, 401, "{email:?}");
    }
    let budgets = "select bucket, failures from sign_in_budgets where bucket like 'email:%'";
    let budgets = world.db.query(budgets, &[]).await.unwrap();
    assert_eq!(budgets.len(), 1);
    assert_eq!(budgets[0].get::<_, i32>(1), 4);
    world.sql("update sign_in_budgets set until = now() + interval '1 minute' where bucket like 'email:%'").await;
    let answer = world.attempt("an%00n@x.example", PASSWORD, "").await;
    assert_eq!(answer.status, 429, "even the right one");
}

#[tokio::test]
async fn an_address_that_tries_many_emails_has_to_wait() {
    let world = World::start().await;
    let mut statuses = Vec::new();
    for n in 0..24 {
        statuses.push(world.attempt(&format!("n{n}@x.example"), "wrong", "").await.status);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    assert!(statuses[..20].iter().all(|status| *status == 401), "{statuses:?}");
    let heard = statuses.iter().filter(|status| **status == 401).count() as i64;
    let rows = "select count(*) from sign_in_budgets where bucket like 'email:%'";
    let rows: i64 = world.db.query_one(rows, &[]).await.unwrap().get(0);
    assert_eq!(rows, heard, "who is not heard leaves nothing behind");
    let key = format!("key={}", world.app.admin_key);
    assert_eq!(world.post("/sign-in", "", &key).await.status, 303, "a good key always opens");
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let world = World::start().await;
    world.user("ann@x.example", "operator", &["read"]).await;
    // What is idle stays in the table to its end: the version before writes no `seen_at`.
    for (end, stay) in [("expires_at = now()", 0), ("seen_at = now() - interval '31 minutes'", 1)] {
        let cookie = world.sign_in("ann@x.example").await;
        world.sql("update sessions set seen_at = now() - interval '29 minutes'").await;
        assert_eq!(world.get("/account", &cookie).await.status, 200);
        let seen = "select bool_and(seen_at > now() - interval '1 minute') from sessions";
        assert!(world.db.query_one(seen, &[]).await.unwrap().get::<_, bool>(0), "use is noted");
        world.sql(&format!("update sessions set {end}")).await;
        assert_eq!(world.get("/account", &cookie).await.status, 303, "{end}");
        tributary::store::sign_ins::sweep(&world.app.store).await.unwrap();
        let left = world.db.query_one("select count(*) from sessions", &[]).await.unwrap();
        assert_eq!(left.get::<_, i64>(0), stay, "{end}");
    }
    world.sql("delete from sessions").await;
    let cookie = world.sign_in("ann@x.example").await;
    let last = "select expires_at <= now() + interval '12 hours' from sessions";
    assert!(world.db.query_one(last, &[]).await.unwrap().get::<_, bool>(0));
    world.sql("update users set disabled_at = now()").await;
    assert_eq!(world.get("/account", &cookie).await.status, 303, "disabled");
}

#[tokio::test]
async fn another_password_ends_other_sessions_and_everywhere_is_everywhere() {
    let world = World::start().await;
    let id = world.user("ann@x.example", "operator", &["read"]).await;
    let (here, there) =
        (world.sign_in("ann@x.example").await, world.sign_in("ann@x.example").await);
    let reset = async || {
        let link = text(&world.app.create("invitations", json!({"user_id": id})).await, "link");
        assert_eq!(world.get(&path_of(&link), "").await.status, 200);
        path_of(&link)
    };
    let link = reset().await;
    let change = |from: &str, to: &str| format!("password={from}&new={to}").replace(' ', "+");
    let wrong = world.post("/account/password", &here, &change("wrong", "quite another one")).await;
    assert_eq!(wrong.status, 422);
    assert_eq!(world.get("/account", &there).await.status, 200);
    let good = change(PASSWORD, "quite another one");
    assert_eq!(world.post("/account/password", &here, &good).await.status, 200);
    assert_eq!(world.get("/account", &here).await.status, 200);
    assert_eq!(world.get("/account", &there).await.status, 303);
    assert_eq!(world.get(&link, "").await.status, 404, "a link for a new password");
    assert_eq!(world.attempt("ann@x.example", PASSWORD, "").await.status, 401);
    let link = reset().await;
    let other = cookies(&world.attempt("ann@x.example", "quite another one", "").await);
    let out = world.post("/account/sign-out-everywhere", &here, "").await;
    assert_eq!(goes_to(&out), (303, "/sign-in?after=everywhere"));
    for cookie in [&here, &other] {
        assert_eq!(world.get("/account", cookie).await.status, 303);
    }
    assert_eq!(world.get(&link, "").await.status, 404);
}

#[tokio::test]
async fn whoever_got_hold_of_a_session_makes_its_owner_not_wait() {
    let world = World::start().await;
    world.user("ann@x.example", "operator", &["read"]).await;
    let (thief, owner) =
        (world.sign_in("ann@x.example").await, world.sign_in("ann@x.example").await);
    for _ in 0..7 {
        let guess = "password=a+guess&new=quite+another+one";
        assert_eq!(world.post("/account/password", &thief, guess).await.status, 422);
    }
    world
        .sql("update sign_in_budgets set until = now() + interval '1 minute' where failures > 5")
        .await;
    let change = format!("password={}&new=quite+another+one", PASSWORD.replace(' ', "+"));
    let answer = world.post("/account/password", &thief, &change).await;
    assert!(answer.status == 422 && answer.text().contains("Too many attempts"));
    assert_eq!(world.post("/account/password", &owner, &change).await.status, 200);
    assert_eq!(world.get("/account", &thief).await.status, 303);
}

#[tokio::test]
async fn a_new_password_by_link_ends_all_sessions() {
    let world = World::start().await;
    let id = world.user("ann@x.example", "advertiser", &["read"]).await;
    let former = world.sign_in("ann@x.example").await;
    let link = text(&world.app.create("invitations", json!({"user_id": id})).await, "link");
    let form = "password=quite+another+one";
    assert_eq!(world.post(&path_of(&link), "", form).await.status, 303);
    assert_eq!(world.get("/advertiser", &former).await.status, 303);
    assert_eq!(world.attempt("ann@x.example", PASSWORD, "").await.status, 401);
    let answer = world.attempt("ann@x.example", "quite another one", "").await;
    assert_eq!(goes_to(&answer), (303, "/advertiser"));
}

#[tokio::test]
async fn no_other_site_sends_a_form_and_no_stranger_one_of_the_signed_in() {
    let world = World::start().await;
    let public = ["/sign-in", "/sign-in/code", "/sign-out", "/invitation/{secret}"];
    let mut count = 0;
    let forms = tributary::portal::routes().filter(|(method, _)| *method == "POST");
    for (_, template) in forms.filter(|(_, template)| *template != "/csp-report") {
        let path: String = template
            .split(['{', '}'])
            .enumerate()
            .map(|(n, s)| if n % 2 == 1 { "7" } else { s })
            .collect();
        let url = format!("{}{path}", world.app.admin_url);
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
        ] {
            let answer = http("POST", &url, &[FORM, (name, value)], b"").await;
            assert_eq!(answer.status, 403, "{template} {name}: {value}");
            count += 1;
        }
        if !public.contains(&template) {
            assert_eq!(goes_to(&world.post(&path, "", "").await), (303, "/sign-in"), "{template}");
        }
    }
    assert_eq!(count, 144);
}

#[tokio::test]
async fn a_report_of_the_policy_is_counted_and_no_more() {
    let world = World::start().await;
    let url = format!("{}/csp-report", world.app.admin_url);
    let report =
        json!({"csp-report": {"effective-directive": "script-src-elem", "blocked-uri": "inline"}});
    let headers = [("content-type", "application/csp-report")];
    for body in [report.to_string(), "nonsense".to_owned(), "x".repeat(100_000)] {
        assert_eq!(http("POST", &url, &headers, body.as_bytes()).await.status, 204);
    }
    let page = world.get("/sign-in", "").await;
    assert!(page.said("content-security-policy").ends_with("report-uri /csp-report"));
    assert_eq!(page.said("cross-origin-resource-policy"), "same-origin");
    assert!(page.said("permissions-policy").contains("camera=()"));
    assert_eq!(page.said("strict-transport-security"), "", "this one is plain http");
    let metrics = http("GET", &format!("{}/metrics", world.app.ops_url), &[], b"").await.text();
    let counted = metrics.lines().find(|line| line.starts_with("tributary_csp_reports_total"));
    let counted: f64 = counted.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(counted >= 3.0);
}
