//! A stored request without its secrets, for whoever may see the rest: what proves who sends is never shown.

use serde_json::{Map, Value, json};
use url::form_urlencoded;

/// In place of a secret.
pub const MASK: &str = "********";
/// The fields that prove who sends: the secret itself, and a signature made with it.
const SECRETS: [&str; 2] = ["key", "sig"];

/// Whether a field's name, as the form reader knows it, is that of a secret.
pub fn is_secret(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    let mut plain = name.as_str();
    while let Some(rest) = plain.strip_prefix("amp;") {
        plain = rest.trim_start();
    }
    SECRETS.contains(&plain)
}

/// An urlencoded text as it came, but for the values of secrets.
pub fn pairs(text: &str) -> String {
    let masked = |pair: &str| {
        let secret = form_urlencoded::parse(pair.as_bytes()).any(|(name, _)| is_secret(&name));
        match pair.split_once('=') {
            Some((name, _)) if secret => format!("{name}={MASK}"),
            _ => pair.to_owned(),
        }
    };
    text.split('&').map(masked).collect::<Vec<_>>().join("&")
}

/// A body as it came, but for the values of secrets; hidden whole where they cannot be cut out.
pub fn body(content_type: &str, text: &str) -> String {
    let mime = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let lower = text.to_ascii_lowercase();
    let named = |quote: &str| {
        SECRETS.iter().any(|secret| lower.contains(&format!("{quote}{secret}{quote}")))
    };
    match mime.as_str() {
        "application/json" => match serde_json::from_str::<Map<String, Value>>(text) {
            Ok(fields) if fields.keys().any(|name| is_secret(name)) => masked_json(fields),
            Ok(_) => text.to_owned(),
            // Not to be read, so not to be cut either.
            Err(_) if SECRETS.iter().any(|secret| lower.contains(secret)) => MASK.to_owned(),
            Err(_) => text.to_owned(),
        },
        "multipart/form-data" if named("\"") || lower.contains("name=") && named("") => {
            MASK.to_owned()
        }
        "multipart/form-data" => text.to_owned(),
        _ => pairs(text),
    }
}

fn masked_json(fields: Map<String, Value>) -> String {
    let masked = fields.into_iter().map(|(name, value)| {
        let value = if is_secret(&name) { json!(MASK) } else { value };
        (name, value)
    });
    Value::Object(masked.collect()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        for (content_type, body, shown) in [
            ("", "amount=1&key=s3cret&id=7", "amount=1&key=********&id=7"),
            ("", "amount=1&amp;KEY=s3cret", "amount=1&amp;KEY=********"),
            ("", "k%65y=s3cret&sig=s3cret", "k%65y=********&sig=********"),
            ("", "+amp;+key=s3cret", "+amp;+key=********"),
            ("", "monkey=s&signed", "monkey=s&signed"),
            ("application/json", r#"{"a":1,"Key":"s3cret"}"#, r#"{"Key":"********","a":1}"#),
            ("application/json", r#"{"a": 1}"#, r#"{"a": 1}"#),
            ("application/json", r#"{"key":"s3cret""#, MASK),
            ("multipart/form-data; boundary=X", "--X\r\n…; name=\"key\"\r\n\r\ns3cret", MASK),
            ("multipart/form-data; boundary=X", "--X\r\n…; name=key\r\n\r\ns3cret", MASK),
        ] {
            assert_eq!(super::body(content_type, body), shown, "{body}");
        }
    }
}
