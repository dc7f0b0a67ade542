//! Bytes to name-value pairs: query strings, urlencoded, multipart, plain-text and JSON bodies. Names in
//! lower case, without the `amp;` that a twice-escaped `&` leaves behind. Takes a hit, hands on pairs.

use std::borrow::Cow;

use futures_util::FutureExt;
use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use url::form_urlencoded;

use super::hit::{Hit, Part};

/// Pairs that one hit may have; what is beyond is not read.
const PAIRS_MAX: usize = 200;

/// Pairs that a hit has, as a rule.
const PAIRS_USUAL: usize = 8;

/// In place of a value that is no text: what bytes become that are not UTF-8, too.
const UNREADABLE: &str = "\u{fffd}";

/// Fields that are `1` or `0`, and in JSON may be true or false.
const FLAGS: [&str; 3] = ["new", "test", "potential"];

/// A name and its value; borrowed from the request where nothing had to be decoded.
pub type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The pairs of a hit, query before body. `None` when the body is not what its content type says.
pub fn pairs<'a>(hit: &Hit<'a>) -> Option<Vec<Pair<'a>>> {
    let mut pairs = query_pairs(hit.get(Part::Query));
    let body = hit.get(Part::Body);
    if !body.is_empty() {
        let content_type = hit.text(Part::ContentType);
        let mime = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        pairs.extend(match mime.as_str() {
            "application/json" => json(body)?,
            "multipart/form-data" => multipart(body, content_type)?,
            _ => urlencoded(body)?,
        });
    }
    pairs.truncate(PAIRS_MAX);
    for (name, _) in &mut pairs {
        if name.contains(|c: char| c.is_ascii_uppercase() || c == ';' || c.is_whitespace()) {
            let mut plain = &*name.trim().to_ascii_lowercase();
            while let Some(rest) = plain.strip_prefix("amp;") {
                plain = rest;
            }
            *name = Cow::Owned(plain.to_owned());
        }
    }
    Some(pairs)
}

fn query_pairs(query: &[u8]) -> Vec<Pair<'_>> {
    let as_sent = !query.iter().any(|byte| matches!(byte, b'%' | b'+'));
    let Some(mut rest) = std::str::from_utf8(query).ok().filter(|_| as_sent) else {
        return form_urlencoded::parse(query).collect();
    };
    // Nothing to decode, as a rule.
    let mut pairs = Vec::with_capacity(PAIRS_USUAL);
    while !rest.is_empty() {
        let (pair, others) = cut(rest, b'&');
        if !pair.is_empty() {
            let (name, value) = cut(pair, b'=');
            pairs.push((name.into(), value.into()));
        }
        rest = others;
    }
    pairs
}

/// What is before the first `mark` and what behind it. For the short texts of a query this takes half the
/// steps of `str::split`.
fn cut(text: &str, mark: u8) -> (&str, &str) {
    match text.bytes().position(|byte| byte == mark) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, ""),
    }
}

/// The value of a query parameter, as sent.
pub fn query_value(query: &[u8], name: &str) -> Option<String> {
    // Hardly any request has it; looking is cheaper than decoding.
    let as_sent = !query.iter().any(|byte| matches!(byte, b'%' | b'+'));
    if as_sent && !query.windows(name.len()).any(|part| part == name.as_bytes()) {
        return None;
    }
    form_urlencoded::parse(query).find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

fn urlencoded(body: &[u8]) -> Option<Vec<Pair<'static>>> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(body).ok()?;
    Some(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
}

/// A JSON object's members as they were written: numbers keep their digits, of a name that comes twice both
/// are there. What no field of ours can be (an object, a list but for `items`) is not taken for text.
fn json(body: &[u8]) -> Option<Vec<Pair<'static>>> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, Box<RawValue>)>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let members = reader.deserialize_map(Members).ok()?;
    reader.end().ok()?;
    let pair = |(name, value): (String, Box<RawValue>)| {
        let text = json_text(&name.to_ascii_lowercase(), value.get());
        (Cow::Owned(name), Cow::Owned(text))
    };
    Some(members.into_iter().map(pair).collect())
}

fn json_text(name: &str, raw: &str) -> String {
    match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw).unwrap_or_else(|_| UNREADABLE.to_owned()),
        Some(b'n') => String::new(),
        Some(b't') if FLAGS.contains(&name) => "1".to_owned(),
        Some(b'f') if FLAGS.contains(&name) => "0".to_owned(),
        Some(b'0'..=b'9' | b'-') => raw.to_owned(),
        _ if name == "items" => raw.to_owned(),
        _ => UNREADABLE.to_owned(),
    }
}

/// The whole body is here, so the parser never waits: it is polled once.
fn multipart(body: &[u8], content_type: &str) -> Option<Vec<Pair<'static>>> {
    let boundary = multer::parse_boundary(content_type).ok()?;
    let body = bytes::Bytes::copy_from_slice(body);
    let stream = futures_util::stream::iter([Ok::<_, std::convert::Infallible>(body)]);
    let mut parts = multer::Multipart::new(stream, boundary);
    let read = async {
        let mut pairs = Vec::new();
        while let Some(field) = parts.next_field().await.ok()? {
            let name = field.name().unwrap_or("").to_owned();
            let value = field.bytes().await.ok()?;
            pairs.push((name.into(), String::from_utf8_lossy(&value).into_owned().into()));
        }
        Some(pairs)
    };
    read.now_or_never()?
}

#[cfg(test)]
mod tests {
    use super::super::hit::{Kind, Method};
    use super::*;
    use proptest::prelude::*;

    fn read(query: &str, content_type: &str, body: &str) -> Option<Vec<(String, String)>> {
        let mut hit = Hit::new(1, 1, Kind::Form, Method::Post);
        hit.set(Part::Query, query.as_bytes());
        hit.set(Part::ContentType, content_type.as_bytes());
        hit.set(Part::Body, body.as_bytes());
        let owned = |(name, value): Pair<'_>| (name.into_owned(), value.into_owned());
        Some(pairs(&hit)?.into_iter().map(owned).collect())
    }

    #[test]
    fn every_way_to_send_the_same() {
        let expected = Some(vec![
            ("amount".to_owned(), "19.95".to_owned()),
            ("id".to_owned(), "A 1".to_owned()),
        ]);
        let multipart = "--X\r\nContent-Disposition: form-data; name=\"Amount\"\r\n\r\n19.95\r\n\
                         --X\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\nA 1\r\n--X--\r\n";
        for (query, content_type, body) in [
            ("amount=19.95&id=A+1", "", ""),
            ("Amount=19.95&amp;ID=A%201", "", ""),
            ("amount=19.95", "application/x-www-form-urlencoded", "id=A+1"),
            ("", "text/plain;charset=UTF-8", "amount=19.95&id=A+1"),
            ("", "application/json", r#"{"amount":19.95,"id":"A 1"}"#),
            ("", "multipart/form-data; boundary=X", multipart),
        ] {
            assert_eq!(read(query, content_type, body), expected, "{query} {content_type}");
        }
    }

    #[test]
    fn json_numbers_keep_their_digits() {
        let body = r#"{"id":99999999999999999999991,"amount":7.10,"amount":8,"new":true,"x":[1],"items":[1, 2]}"#;
        let pairs = read("", "application/json", body).unwrap();
        let values: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (&**n, &**v)).collect();
        assert_eq!(
            values,
            [
                ("id", "99999999999999999999991"),
                ("amount", "7.10"),
                ("amount", "8"),
                ("new", "1"),
                ("x", UNREADABLE),
                ("items", "[1, 2]"),
            ]
        );
    }

    #[test]
    fn bodies_that_are_not_what_they_say() {
        assert_eq!(read("", "application/json", "[1]"), None);
        assert_eq!(read("", "application/json", "{"), None);
        assert_eq!(read("", "multipart/form-data", "x"), None);
        assert_eq!(read("", "multipart/form-data; boundary=X", "--X\r\nContent"), None);
    }

    proptest! {
        #[test]
        fn a_query_is_read_the_same_whether_it_needs_decoding(query in "[a&=%+2é]{0,12}") {
            let decoded: Vec<Pair<'_>> = form_urlencoded::parse(query.as_bytes()).collect();
            prop_assert_eq!(query_pairs(query.as_bytes()), decoded);
        }

        #[test]
        fn any_body_is_read_or_refused(query: Vec<u8>, body: Vec<u8>, which in 0usize..3) {
            let types = ["", "application/json", "multipart/form-data; boundary=X"];
            let mut hit = Hit::new(1, 1, Kind::Form, Method::Post);
            hit.set(Part::Query, &query);
            hit.set(Part::ContentType, types[which].as_bytes());
            hit.set(Part::Body, &body);
            if let Some(pairs) = pairs(&hit) {
                prop_assert!(pairs.len() <= PAIRS_MAX);
            }
        }
    }
}
