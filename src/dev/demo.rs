//! The demo data: an advertiser with a program and a tracking code, an affiliate with a link and a coupon,
//! and their keys. Made once, through the admin API as anybody would, and kept in a file for later starts.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::client;
use super::servers::write_private;

/// The demo data, as later starts need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Demo {
    pub program_id: String,
    pub click_param: String,
    pub tracking_code_id: String,
    /// The tracking code.
    pub code: String,
    /// The link's.
    pub link_code: String,
    pub coupon: String,
    pub affiliate_key: String,
    pub advertiser_key: String,
    /// Where the shop was when the addresses in the program were written.
    pub shop_url: String,
}

/// The admin API, as the operator.
struct Api<'a> {
    admin_url: &'a str,
    key: &'a str,
}

/// The demo data of a directory: what an earlier start made, with the shop's address brought up to date,
/// or made now. A start that is killed half-way leaves rows that nobody uses.
pub async fn open(
    data_dir: &Path,
    admin_url: &str,
    admin_key: &str,
    shop_url: &str,
) -> Result<Demo, String> {
    let api = Api { admin_url, key: admin_key };
    let file = data_dir.join("demo.json");
    let kept = fs::read(&file).ok().and_then(|bytes| serde_json::from_slice::<Demo>(&bytes).ok());
    let demo = match kept {
        Some(demo) if api.has(&format!("programs/{}", demo.program_id)).await? => {
            move_shop(&api, &demo, shop_url).await?
        }
        _ => create(&api, shop_url).await?,
    };
    let text = serde_json::to_string_pretty(&demo).map_err(|e| e.to_string())?;
    write_private(&file, &text)?;
    Ok(demo)
}

async fn create(api: &Api<'_>, shop_url: &str) -> Result<Demo, String> {
    let advertiser = json!({"name": "Riverstone", "currency": "USD", "timezone": "UTC"});
    let advertiser_id = text(&api.create("advertisers", advertiser).await?, "id")?;
    let affiliate = json!({"name": "Morning Blog", "email": "blog@example.com"});
    let affiliate_id = text(&api.create("affiliates", affiliate).await?, "id")?;
    let program = json!({
        "advertiser_id": advertiser_id, "name": "Riverstone shop", "landing_url": landing(shop_url),
        "hold_days": 30, "plan": {"kind": "percent", "rate": "10"},
    });
    let program_id = text(&api.create("programs", program).await?, "id")?;
    let link = json!({"program_id": program_id, "affiliate_id": affiliate_id});
    let link = api.create("links", link).await?;
    let coupon = "MORNING10";
    let owned = json!({"program_id": program_id, "affiliate_id": affiliate_id, "code": coupon});
    api.create("coupons", owned).await?;
    let code = json!({
        "program_id": program_id, "name": "Thank-you page", "redirect_url": thanks(shop_url),
    });
    let code = api.create("tracking-codes", code).await?;
    let for_affiliate = json!({"role": "affiliate", "affiliate_id": affiliate_id});
    let for_advertiser = json!({"role": "advertiser", "advertiser_id": advertiser_id});
    Ok(Demo {
        program_id,
        click_param: "tclid".to_owned(),
        tracking_code_id: text(&code, "id")?,
        code: text(&code, "code")?,
        link_code: text(&link, "code")?,
        coupon: coupon.to_owned(),
        affiliate_key: text(&api.create("api-keys", for_affiliate).await?, "key")?,
        advertiser_key: text(&api.create("api-keys", for_advertiser).await?, "key")?,
        shop_url: shop_url.to_owned(),
    })
}

fn landing(shop_url: &str) -> String {
    format!("{shop_url}/")
}

fn thanks(shop_url: &str) -> String {
    format!("{shop_url}/thanks/form?id={{id}}&amount={{amount}}")
}

/// Follows the shop to a new address, but leaves alone what somebody has changed.
async fn move_shop(api: &Api<'_>, demo: &Demo, shop_url: &str) -> Result<Demo, String> {
    if demo.shop_url != shop_url {
        let moves = [
            (format!("programs/{}", demo.program_id), "landing_url", landing as fn(&str) -> String),
            (format!("tracking-codes/{}", demo.tracking_code_id), "redirect_url", thanks),
        ];
        for (path, field, address) in moves {
            if api.get(&path).await?[field] == address(&demo.shop_url) {
                api.call("PATCH", &path, &json!({ field: address(shop_url) })).await?;
            }
        }
    }
    Ok(Demo { shop_url: shop_url.to_owned(), ..demo.clone() })
}

impl Api<'_> {
    async fn create(&self, resource: &str, fields: Value) -> Result<Value, String> {
        self.call("POST", resource, &fields).await
    }

    async fn get(&self, path: &str) -> Result<Value, String> {
        self.call("GET", path, &Value::Null).await
    }

    async fn has(&self, path: &str) -> Result<bool, String> {
        Ok(self.send("GET", path, &Value::Null).await?.status == 200)
    }

    async fn call(&self, method: &str, path: &str, fields: &Value) -> Result<Value, String> {
        let answer = self.send(method, path, fields).await?;
        match answer.status {
            200..300 => Ok(answer.json()),
            status => Err(format!("demo data: {method} {path}: {status} {}", answer.text())),
        }
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        fields: &Value,
    ) -> Result<client::Answer, String> {
        let url = format!("{}/api/v1/{path}", self.admin_url);
        let bearer = format!("Bearer {}", self.key);
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        match fields {
            Value::Null => client::send(method, &url, &headers[..1], b"").await,
            fields => client::send(method, &url, &headers, fields.to_string().as_bytes()).await,
        }
    }
}

fn text(answer: &Value, field: &str) -> Result<String, String> {
    let found = answer[field].as_str().map(str::to_owned);
    found.ok_or_else(|| format!("demo data: the admin API sent no {field}"))
}
