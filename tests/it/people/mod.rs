//! People and keys: who is let in, by what, with which scopes, for how long; and that every change leaves an
//! entry with who made it.

mod auditing; // every change leaves an entry
mod invitations; // what links are worth, and what they tell
mod keys; // rotation, expiry, revocation
mod scopes; // who may what
mod sign_in; // by password, second step, throttling, sessions

use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};

use crate::harness::{Answer, App, http};
use crate::rooms::{FORM, Said};

const PASSWORD: &str = "four words in a row";

/// The product with an advertiser, an affiliate and a program, and a connection to its database.
struct World {
    app: App,
    db: Client,
    advertiser: String,
    affiliate: String,
}

impl World {
    async fn start() -> World {
        let app = App::start().await;
        let (db, connection) = tokio_postgres::connect(&app.database_url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let shop = json!({"name": "Shop", "currency": "USD", "timezone": "UTC"});
        let advertiser = text(&app.create("advertisers", shop).await, "id");
        let blog = json!({"name": "Blog", "email": "blog@mail.example"});
        let affiliate = text(&app.create("affiliates", blog).await, "id");
        World { app, db, advertiser, affiliate }
    }

    /// A user of the advertiser's, or the operator's; gives his id.
    async fn user(&self, email: &str, role: &str, scopes: &[&str]) -> String {
        let mut invitation = json!({"email": email, "role": role, "scopes": scopes});
        match role {
            "advertiser" => invitation["advertiser_id"] = json!(self.advertiser),
            "affiliate" => invitation["affiliate_id"] = json!(self.affiliate),
            _ => {}
        }
        let link = text(&self.app.create("invitations", invitation).await, "link");
        let form = format!("name=Somebody&password={}", PASSWORD.replace(' ', "+"));
        let accepted = self.post(&path_of(&link), "", &form).await;
        assert_eq!(accepted.status, 303, "{}", accepted.text());
        let sql = "select id from users where email = $1";
        let id: i64 = self.db.query_one(sql, &[&email]).await.unwrap().get(0);
        id.to_string()
    }

    /// Signs in from a browser that was never here; the cookies as a browser sends them back.
    async fn sign_in(&self, email: &str) -> String {
        let answer = self.attempt(email, PASSWORD, "").await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        cookies(&answer)
    }

    async fn attempt(&self, email: &str, password: &str, cookie: &str) -> Answer {
        let email = email.replace('+', "%2B");
        let form = format!("email={email}&password={}", password.replace(' ', "+"));
        self.post("/sign-in", cookie, &form).await
    }

    async fn get(&self, path: &str, cookie: &str) -> Answer {
        http("GET", &format!("{}{path}", self.app.admin_url), &[("cookie", cookie)], b"").await
    }

    async fn post(&self, path: &str, cookie: &str, form: &str) -> Answer {
        let url = format!("{}{path}", self.app.admin_url);
        http("POST", &url, &[("cookie", cookie), FORM], form.as_bytes()).await
    }

    async fn sql(&self, statement: &str) {
        self.db.batch_execute(statement).await.unwrap();
    }

    /// Turns the second step on; gives its secret and the recovery codes.
    async fn second_step(&self, cookie: &str) -> (Vec<u8>, Vec<String>) {
        let page = self.get("/account/totp", cookie).await.text();
        let at = page.find("name=\"secret\" value=\"").unwrap() + 21;
        let secret = hex::decode(&page[at..at + 40]).unwrap();
        let code = self.code(&secret, 0).await;
        let password = PASSWORD.replace(' ', "+");
        let form = format!("secret={}&code={code}&password={password}", &page[at..at + 40]);
        let answer = self.post("/account/totp", cookie, &form).await;
        let shown = answer.text();
        assert_eq!(answer.status, 200, "{shown}");
        let codes = shown.split("<pre id=\"codes\" tabindex=\"0\">").nth(1).unwrap();
        let codes = codes.split("</pre>").next().unwrap().split_whitespace();
        (secret, codes.map(str::to_owned).collect())
    }

    /// The code of now, or of some steps later, by the database's clock.
    async fn code(&self, secret: &[u8], later: i64) -> String {
        let now = "select floor(extract(epoch from now()) / 30)::bigint";
        let step: i64 = self.db.query_one(now, &[]).await.unwrap().get(0);
        let code = (0..1_000_000).map(|n| format!("{n:06}")).find(|code| {
            tributary::domain::totp::matches(secret, code, step + later, step + later - 1)
                == Some(step + later)
        });
        code.unwrap()
    }
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}")).to_owned()
}

/// Where a link leads on the portal of the test.
fn path_of(link: &str) -> String {
    format!("/invitation/{}", link.rsplit('/').next().unwrap())
}

/// All cookies of an answer, as a browser sends them back.
fn cookies(answer: &Answer) -> String {
    let set = answer.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    let pairs = set.map(|(_, value)| value.split(';').next().unwrap());
    pairs.filter(|pair| !pair.ends_with('=')).collect::<Vec<_>>().join("; ")
}

/// One of some cookies.
fn cookie_of<'a>(cookies: &'a str, name: &str) -> &'a str {
    cookies.split("; ").find(|pair| pair.starts_with(&format!("{name}="))).unwrap_or("")
}

fn goes_to(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.said("location"))
}
