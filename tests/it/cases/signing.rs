//! The image tag of a paid order, with the crates hmac 0.13, sha2 0.11, hex 0.4 and url 2.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

pub fn pixel(code: &str, secret: &str, id: &str, amount: &str, currency: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let ts = now.map_or(0, |since| since.as_secs()).to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("keys of any length");
    mac.update([code, id, amount, currency, &ts].join("\n").as_bytes());
    let sig = hex::encode(mac.finalize().into_bytes());
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("id", id), ("amount", amount), ("currency", currency)])
        .extend_pairs([("ts", &ts), ("sig", &sig)])
        .finish();
    let src = format!("https://track.example/t/{code}.gif?{query}").replace('&', "&amp;");
    format!(r#"<img src="{src}" width="1" height="1" alt="">"#)
}
