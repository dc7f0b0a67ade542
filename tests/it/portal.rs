//! The portal: who gets in, what each sees, and that nobody sees another's.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tributary::http::budget::Budget;
use tributary::http::{Limits, serve};
use tributary::portal::Portal;
use tributary::store::Store;

use crate::harness::http;
use crate::rooms::{EVIL, FORM, Said, World};

#[tokio::test]
async fn a_key_opens_its_room_until_sign_out() {
    let world = World::new().await;
    let form = world.get("/sign-in", "").await;
    assert_eq!(form.status, 200);
    assert!(form.text().contains("name=\"key\""));
    for path in ["/", "/affiliate", "/advertiser", "/advertiser/hits/1", "/operator"] {
        let answer = world.get(path, "").await;
        assert_eq!((answer.status, answer.said("location")), (303, "/sign-in"), "{path}");
    }
    let answer = world.post("/sign-in", "", "key=key-of-xenia-affiliate-0000000000").await;
    assert_eq!((answer.status, answer.said("location")), (303, "/affiliate"));
    let set = answer.said("set-cookie");
    assert!(set.starts_with("__Host-tributary="), "{set}");
    assert!(set.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{set}");
    let cookie = set.split(';').next().unwrap();
    assert_eq!(world.get("/", cookie).await.said("location"), "/affiliate");
    assert_eq!(world.get("/affiliate", cookie).await.status, 200);
    let out = world.post("/sign-out", cookie, "").await;
    assert_eq!((out.status, out.said("location")), (303, "/sign-in"));
    assert!(out.said("set-cookie").contains("Max-Age=0"));
    assert_eq!(world.get("/affiliate", cookie).await.status, 303);
}

#[tokio::test]
async fn a_wrong_key_is_told_so_plainly() {
    let world = World::new().await;
    for form in ["key=wrong", "key=", ""] {
        let answer = world.post("/sign-in", "", form).await;
        assert_eq!((answer.status, answer.said("set-cookie")), (401, ""), "{form}");
        assert!(answer.text().contains("This key is not known"));
    }
    let answer = world.get("/affiliate", "__Host-tributary=AAAA").await;
    assert_eq!(answer.said("location"), "/sign-in");
}

#[tokio::test]
async fn a_session_ends_with_its_key_and_with_its_time() {
    let world = World::new().await;
    let xenia = world.cookie("key-of-xenia-affiliate-0000000000").await;
    let yuri = world.cookie("key-of-yuri-affiliate-00000000000").await;
    let revoke = "update api_keys set revoked_at = now() where affiliate_id = 11";
    world.db.execute(revoke, &[]).await.unwrap();
    assert_eq!(world.get("/affiliate", &xenia).await.status, 303);
    assert_eq!(world.get("/affiliate", &yuri).await.status, 200);
    world.db.execute("update sessions set expires_at = now()", &[]).await.unwrap();
    assert_eq!(world.get("/affiliate", &yuri).await.status, 303);
}

#[tokio::test]
async fn the_operators_first_key_opens_every_room() {
    let world = World::new().await;
    let cookie = world.cookie(&world.app.admin_key).await;
    let lobby = world.get("/operator", &cookie).await.text();
    for link in ["/advertiser/1\"", "/advertiser/2\"", "/affiliate/11\"", "/affiliate/12\""] {
        assert!(lobby.contains(link), "{link}");
    }
    for path in ["/affiliate/11", "/advertiser/1", &world.hit("/advertiser/1", 1001)] {
        assert_eq!(world.get(path, &cookie).await.status, 200, "{path}");
    }
    for path in [
        "/affiliate",
        "/affiliate/1",
        "/affiliate/x",
        "/advertiser",
        &world.hit("/advertiser/1", 1003),
    ] {
        assert_eq!(world.get(path, &cookie).await.status, 404, "{path}");
    }
    let edit = "redirect_url=https://a.example/&return_method=link";
    let answer = world.post("/advertiser/1/tracking-codes/201", &cookie, edit).await;
    assert_eq!(answer.said("location"), "/advertiser/1?saved=201#code-201");
    let stale = "update sessions set operator_key = sha256('another')";
    world.db.execute(stale, &[]).await.unwrap();
    assert_eq!(world.get("/operator", &cookie).await.status, 303, "the setting was changed");
}

#[tokio::test]
async fn another_site_cannot_make_a_browser_change_anything() {
    let world = World::new().await;
    let cookie = world.cookie("key-of-anna-advertiser-0000000000").await;
    let url = format!("{}/advertiser/tracking-codes/201", world.app.admin_url);
    let form = b"redirect_url=https://evil.example/&return_method=redirect";
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let headers = [("cookie", cookie.as_str()), FORM, (name, value)];
        let answer = http("POST", &url, &headers, form).await;
        assert_eq!(answer.status, 403, "{name}: {value}");
    }
    assert_eq!(world.redirect_url(201).await, None);
    let headers = [("cookie", cookie.as_str()), FORM, ("origin", world.app.admin_url.as_str())];
    assert_eq!(http("POST", &url, &headers, form).await.status, 303);
    let answer = http("DELETE", &url, &[], b"").await;
    assert_eq!((answer.status, answer.said("allow")), (405, "GET, HEAD, POST"));
}

#[tokio::test]
async fn every_page_keeps_foreign_scripts_frames_and_caches_out() {
    let world = World::new().await;
    let cookie = world.cookie("key-of-anna-advertiser-0000000000").await;
    for path in ["/sign-in", "/", "/advertiser", &world.hit("/advertiser", 1001), "/nowhere"] {
        let page = world.get(path, &cookie).await;
        let csp = page.said("content-security-policy");
        assert!(csp.contains("default-src 'none'") && !csp.contains("unsafe"), "{path}: {csp}");
        assert!(csp.contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(page.said("cache-control"), "no-store", "{path}");
        assert_eq!(page.said("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(page.said("referrer-policy"), "same-origin", "{path}");
        assert_eq!(page.said("cross-origin-opener-policy"), "same-origin", "{path}");
        let text = page.text();
        assert!(
            !text.contains("<style") && !text.contains(" style=") && !text.contains(" onclick")
        );
        assert_eq!(text.matches("<h1>").count(), usize::from(path != "/"), "{path}");
    }
    let page = world.get("/sign-in", "").await.text();
    for end in [".css", ".js"] {
        let at = page.find(&format!("/assets/portal{end}")).unwrap();
        let url = page[at..].split('"').next().unwrap();
        let asset = world.get(url, "").await;
        assert_eq!(asset.status, 200, "{url}");
        assert!(asset.said("cache-control").contains("immutable"));
    }
}

#[tokio::test]
async fn an_affiliate_sees_his_own_and_nobody_elses() {
    let world = World::new().await;
    let xenia = world.cookie("key-of-xenia-affiliate-0000000000").await;
    let page = world.get("/affiliate", &xenia).await.text();
    for own in [
        &format!("{}/c/linkx", world.app.edge_url),
        "2.00 EUR",
        "19.95 EUR",
        "1000 JPY",
        "waits for approval",
        "unverified",
        "click token",
    ] {
        assert!(page.contains(own), "{own} in {page}");
    }
    for foreign in ["linky", "boris-order", "unsigned_held", "Nothing signed", "/t/code"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    let yuri = world.cookie("key-of-yuri-affiliate-00000000000").await;
    let page = world.get("/affiliate?days=7", &yuri).await.text();
    assert!(page.contains("linky") && page.contains("boris-order"));
    assert!(!page.contains("linkx") && !page.contains("19.95"));
    for path in ["/affiliate/11", "/affiliate/12", "/advertiser", "/advertiser/1", "/operator"] {
        assert_eq!(world.get(path, &yuri).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn an_advertiser_sees_his_hits_and_why_each_became_what_it_is() {
    let world = World::new().await;
    let anna = world.cookie("key-of-anna-advertiser-0000000000").await;
    let page = world.get("/advertiser", &anna).await.text();
    for own in [
        &format!("{}/t/code101.gif", world.app.edge_url),
        "&#60;img src=",
        "There is no `amount`.",
        "19.95 EUR",
        &world.hit("/advertiser", 1001),
        "1 of 2 hits were rejected (50 %)",
        "10 % of each sale",
    ] {
        assert!(page.contains(own), "{own} in {page}");
    }
    for foreign in ["boris", "code102", "hush-hush"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    let page = world.get(&world.hit("/advertiser", 1001), &anna).await.text();
    for own in ["key=********", "10 % of 19.95 EUR = 2.00 EUR", "affiliate pending", "Xenia"] {
        assert!(page.contains(own), "{own} in {page}");
    }
    for secret in ["hush-hush", "digest-of-the-bearer"] {
        assert!(!page.contains(secret), "{secret}");
    }
    for path in
        [&world.hit("/advertiser", 1003), "/advertiser/hits/9", "/advertiser/hits/x", "/affiliate"]
    {
        assert_eq!(world.get(path, &anna).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn an_advertiser_edits_where_his_buyers_go() {
    let world = World::new().await;
    let anna = world.cookie("key-of-anna-advertiser-0000000000").await;
    let good = "redirect_url=https%3A%2F%2Fshop.example%2Fthanks%3Fo%3D%7Bid%7D&return_method=link";
    let answer = world.post("/advertiser/tracking-codes/201", &anna, good).await;
    assert_eq!((answer.status, answer.said("location")), (303, "/advertiser?saved=201#code-201"));
    let stored = Some("https://shop.example/thanks?o={id}".to_owned());
    assert_eq!(world.redirect_url(201).await, stored);
    assert!(world.get("/advertiser?saved=201", &anna).await.text().contains("role=\"status\""));
    for bad in ["javascript%3Aalert(1)", "%22%3E%3Cscript%3E", "https%3A%2F%2Fu%3Ap%40shop.example"]
    {
        let form = format!("redirect_url={bad}&return_method=redirect");
        let answer = world.post("/advertiser/tracking-codes/201", &anna, &form).await;
        assert_eq!(answer.status, 422, "{bad}");
        let text = answer.text();
        assert!(text.contains("role=\"alert\"") && !text.contains("\"><script>"), "{bad}");
        assert_eq!(world.redirect_url(201).await, stored, "{bad}");
    }
    let empty = "redirect_url=&return_method=redirect";
    assert_eq!(world.post("/advertiser/tracking-codes/201", &anna, empty).await.status, 303);
    assert_eq!(world.redirect_url(201).await, None);
    for (id, form) in [(202, good), (202, "redirect_url=x&return_method=link"), (9, good)] {
        let path = format!("/advertiser/tracking-codes/{id}");
        assert_eq!(world.post(&path, &anna, form).await.status, 404, "{path} {form}");
    }
    assert_eq!(world.redirect_url(202).await, None, "another's stays as it is");
    let large = format!("redirect_url={}", "a".repeat(70_000));
    assert_eq!(world.post("/advertiser/tracking-codes/201", &anna, &large).await.status, 413);
}

#[tokio::test]
async fn what_strangers_send_is_text_and_pages_need_no_script() {
    let world = World::new().await;
    let anna = world.cookie("key-of-anna-advertiser-0000000000").await;
    let xenia = world.cookie("key-of-xenia-affiliate-0000000000").await;
    let admin = world.cookie(&world.app.admin_key).await;
    for (path, cookie) in [
        ("/affiliate", &xenia),
        ("/advertiser", &anna),
        (&world.hit("/advertiser", 1001), &anna),
        ("/operator", &admin),
        ("/affiliate/11", &admin),
    ] {
        let page = world.get(path, cookie).await.text();
        assert!(!page.contains(EVIL), "{path}");
        assert!(page.contains("&#60;script&#62;alert(1)"), "{path}");
        assert_eq!(page.matches("<script").count(), 1, "{path}: only the copy buttons' script");
        let buttons = page.matches("data-copy=").count();
        assert_eq!(page.matches(" hidden>Copy</button>").count(), buttons, "{path}");
    }
}

#[tokio::test]
async fn lists_go_on_by_pages() {
    let world = World::new().await;
    world.db.batch_execute(include_str!("cases/portal_many.sql")).await.unwrap();
    let xenia = world.cookie("key-of-xenia-affiliate-0000000000").await;
    let first = world.get("/affiliate", &xenia).await.text();
    assert!(
        first.contains("many-60<") && first.contains("many-11<") && !first.contains("many-10<")
    );
    let at = first.find("before=").unwrap() + 7;
    let before: String = first[at..].chars().take_while(char::is_ascii_digit).collect();
    let second = world.get(&format!("/affiliate?before={before}"), &xenia).await.text();
    assert!(second.contains("many-10<") && !second.contains("many-11<"));
    assert!(second.contains("Newest sales") && !second.contains("Older sales"));
}

#[tokio::test]
async fn what_is_not_shown_is_told_of() {
    let world = World::new().await;
    let xenia = world.cookie("key-of-xenia-affiliate-0000000000").await;
    let shown = async || {
        let page = world.get("/affiliate", &xenia).await.text();
        let terms = page.split("What you earn").nth(1).unwrap().split("</section>").next().unwrap();
        (terms.matches("<h3>").count(), terms.contains("There are more programs"))
    };
    let more = |n: i32| {
        format!(
            "insert into programs (advertiser_id, name, landing_url)
             select 2, 'more', 'https://boris.example/' from generate_series(1, {n});
             insert into links (program_id, affiliate_id, code)
             select id, 11, 'more-' || id from programs p
             where name = 'more' and not exists (select from links where program_id = p.id)"
        )
    };
    world.db.batch_execute(&more(199)).await.unwrap();
    assert_eq!(shown().await, (200, false));
    world.db.batch_execute(&more(1)).await.unwrap();
    assert_eq!(shown().await, (200, true));
    let links = async || {
        let page = world.get("/affiliate", &xenia).await.text();
        (page.matches("class=\"copyline\"").count(), page.contains("There are more links"))
    };
    let boris = world.cookie("key-of-boris-advertiser-000000000").await;
    let codes = async || {
        let page = world.get("/advertiser", &boris).await.text();
        (page.matches("<article").count(), page.contains("There are more tracking codes"))
    };
    let (some_links, some_codes) = (links().await.0, codes().await.0);
    let more = |links: usize, codes: usize| {
        format!(
            "insert into links (program_id, affiliate_id, code)
             select (select min(id) from programs), 11, 'link-{links}-' || n from generate_series(1, {links}) n;
             insert into tracking_codes (program_id, name, code, secret)
             select (select min(id) from programs where advertiser_id = 2), 'more', 'code-{codes}-' || n,
                    repeat('s', 32)
             from generate_series(1, {codes}) n"
        )
    };
    world.db.batch_execute(&more(500 - some_links, 500 - some_codes)).await.unwrap();
    assert_eq!([links().await, codes().await], [(500, false); 2]);
    world.db.batch_execute(&more(1, 1)).await.unwrap();
    assert_eq!([links().await, codes().await], [(500, true); 2]);
}

#[tokio::test]
async fn without_the_books_there_is_a_plain_page() {
    let portal = Arc::new(Portal {
        store: Store::new("postgres://nobody@127.0.0.1:1/none", 1).unwrap(),
        public_base: String::new(),
        admin_base: String::new(),
        operator_key_hash: None,
        body_timeout: Duration::from_secs(5),
        junk_address: Arc::new(Budget::new("junk_address", 0)),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (_stop, stopped) = watch::channel(false);
    let second = Duration::from_secs(1);
    let limits = Limits { connections_max: 8, header_timeout: second, drain: second };
    tokio::spawn(serve(listener, limits, stopped, move |request, _| {
        let portal = portal.clone();
        async move { tributary::portal::answer(&portal, request).await }
    }));
    let cookie = [("cookie", "__Host-tributary=x")];
    let answer = http("GET", &format!("{url}/affiliate"), &cookie, b"").await;
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("<h1>Service Unavailable</h1>"));
    assert_eq!(http("GET", &format!("{url}/sign-in"), &[], b"").await.status, 200);
}
