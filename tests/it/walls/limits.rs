//! What an HTTP/1 server owes its callers: that he closes is said, and that he cannot answer.

use serde_json::Value;

use super::*;

#[tokio::test]
async fn who_is_answered_before_he_has_said_all_is_told_that_it_ends_there() {
    let app = App::start().await;
    let seed = app.seed().await;
    let (edge, admin) =
        (app.edge_url.trim_start_matches("http://"), app.admin_url.trim_start_matches("http://"));
    let code = &seed.code;
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    for (address, head, body, status, closes) in [
        (edge, format!("PUT /t/{code}"), (1_000, "amount=1"), "405", true),
        (edge, format!("POST /t/{code}"), (70_000, "amount=1"), "413", true),
        (edge, "POST /nothing".to_owned(), (1_000, ""), "404", true),
        (edge, "POST /t/nobody".to_owned(), (8, "amount=1"), "404", false),
        (edge, format!("POST /t/{code}"), (8, "amount=1"), "303", false),
        (edge, format!("PUT /t/{code}"), (0, ""), "405", false),
        (admin, "POST /api/v1/links".to_owned(), (1_000, "{"), "401", true),
        (admin, "GET /api/v1/links".to_owned(), (0, ""), "401", false),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let (length, said) = body;
        let asked =
            format!("{head} HTTP/1.1\r\nHost: x\r\n{form}Content-Length: {length}\r\n\r\n{said}");
        let answer = say(&mut stream, asked.as_bytes(), "\r\n\r\n").await.to_ascii_lowercase();
        assert!(answer.starts_with(&format!("http/1.1 {status}")), "{head}: {answer}");
        assert_eq!(answer.contains("connection: close\r\n"), closes, "{head} {length}: {answer}");
    }
}

#[tokio::test]
async fn the_api_does_not_wait_for_ever() {
    let app = App::start().await;
    let (address, _stop) = app.another_admin(|settings| settings.request_timeout_seconds = 1).await;
    let (client, connection) =
        tokio_postgres::connect(&app.database_url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let url = format!("http://{address}");
    let bearer = format!("Bearer {}", app.admin_key);
    let headers = [("authorization", &*bearer)];
    let programs = format!("{url}/api/v1/programs");
    assert_eq!(http("GET", &programs, &headers, b"").await.status, 200);
    client
        .batch_execute("begin; lock table programs, sessions in access exclusive mode")
        .await
        .unwrap();
    let began = Instant::now();
    let answer = http("GET", &programs, &headers, b"").await;
    assert_eq!((answer.status, &answer.json()["code"]), (503, &Value::from("unavailable")));
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert!(answer.header("retry-after").is_some());
    let cookie = [("cookie", "__Host-tributary=x")];
    let page = http("GET", &format!("{url}/affiliate"), &cookie, b"").await;
    assert_eq!(page.status, 503);
    assert!(page.text().contains("<h1>Service Unavailable</h1>"), "{}", page.text());
    assert!(page.text().contains("took too long"), "{}", page.text());
    assert_eq!(page.header("retry-after"), Some("5"));
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    client.batch_execute("rollback").await.unwrap();
    assert_eq!(http("GET", &programs, &headers, b"").await.status, 200);
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused_in_the_way_of_each_room() {
    let app = App::start().await;
    let long = "x".repeat(9_000);
    let problem = http("GET", &format!("{}/api/v1/links?x={long}", app.admin_url), &[], b"").await;
    assert_eq!((problem.status, &problem.json()["code"]), (414, &Value::from("head_too_large")));
    let page = http("GET", &format!("{}/sign-in?x={long}", app.admin_url), &[], b"").await;
    assert_eq!((page.status, page.header("content-type")), (414, Some("text/html; charset=utf-8")));
    assert!(page.header("content-security-policy").is_some());
    assert!(page.text().contains("larger than it may be"), "{}", page.text());
}
