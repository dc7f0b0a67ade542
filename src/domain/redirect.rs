//! Where a buyer goes after the form: a tracking code's redirect URL, checked when it is set and filled in
//! when it is used.

use url::Url;

use super::address::{self, Fault};
use super::form;
use super::hit::Hit;

/// Bytes of a redirect URL, at most.
const URL_BYTES_MAX: usize = 2_048;
/// What is replaced by the order's values, URL-encoded.
const PLACEHOLDERS: [&str; 3] = ["{id}", "{amount}", "{currency}"];

/// What is wrong with a redirect URL, if anything. A placeholder may not decide which host it names.
pub fn fault(text: &str) -> Option<&'static str> {
    if text.len() > URL_BYTES_MAX {
        return Some("This address is too long: at most 2048 characters.");
    }
    let authority = text.split("://").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next());
    if authority.is_some_and(|authority| authority.contains(['{', '}'])) {
        return Some("The host must be a fixed one: placeholders can stand behind it only.");
    }
    let filled = PLACEHOLDERS.iter().fold(text.to_owned(), |text, name| text.replace(name, "1"));
    match address::parse(&filled) {
        Ok(_) if filled.contains(['{', '}']) => {
            Some("Only {id}, {amount} and {currency} can be filled in.")
        }
        read => read.err().map(Fault::text),
    }
}

/// The shop's page with the order's values in it, URL-encoded. Its host is the shop's, whatever came.
pub fn fill(template: &str, hit: &Hit<'_>) -> Option<Url> {
    let pairs = form::pairs(hit).unwrap_or_default();
    let (mut text, mut plain) = (template.to_owned(), template.to_owned());
    for placeholder in PLACEHOLDERS {
        let name = placeholder.trim_matches(['{', '}']);
        let value = pairs.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.trim());
        let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        // A plus means a space in a query only; a placeholder may stand in a path.
        // And dots alone would be a step in that path.
        let value = if [".", ".."].contains(&&*value) { "" } else { &value.replace('+', "%20") };
        text = text.replace(placeholder, value);
        plain = plain.replace(placeholder, "x");
    }
    let (filled, plain) = (address::parse(&text).ok()?, address::parse(&plain).ok()?);
    (filled.origin() == plain.origin()).then_some(filled)
}

#[cfg(test)]
mod tests {
    use super::super::hit::{Kind, Method, Part};
    use super::*;

    #[test]
    fn a_placeholder_cannot_reach_the_host() {
        for template in ["https:///shop.example{id}", "https:////shop.example", "http://?{id}"] {
            assert!(fault(template).is_some(), "{template}");
        }
        assert_eq!(fault("https://shop.example/{id}"), None);
    }

    #[test]
    fn the_shops_page_is_filled_in() {
        let mut hit = Hit::new(1, 1, Kind::Form, Method::Post);
        hit.set(Part::Body, b"id=A%2F1+x%26y&amount=19.95");
        let filled = |template| fill(template, &hit).map(|url| url.to_string());
        assert_eq!(
            filled("https://shop.example/thanks/{id}?a={amount}&c={currency}").as_deref(),
            Some("https://shop.example/thanks/A%2F1%20x%26y?a=19.95&c=")
        );
        assert_eq!(filled("not a url"), None);
        assert_eq!(filled("https://{amount}.example/"), None, "no stranger chooses the host");
    }
}
