//! Where a buyer goes after the form, as an advertiser types it: checked, or refused with a sentence.

use url::Url;

/// The return method that shows a page with a link.
pub const LINK: &str = "link";
const REDIRECT: &str = "redirect";
/// Bytes of a redirect URL, at most.
const URL_BYTES_MAX: usize = 2_048;
/// What the edge replaces, URL-encoded.
const PLACEHOLDERS: [&str; 3] = ["{id}", "{amount}", "{currency}"];

/// The form's fields, as sent.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Edit {
    pub redirect_url: String,
    pub method: String,
}

/// The redirect URL, if any, and the return method; or what is wrong.
pub fn check(edit: &Edit) -> Result<(Option<String>, &'static str), &'static str> {
    let method = match edit.method.as_str() {
        LINK => LINK,
        REDIRECT => REDIRECT,
        _ => return Err("Choose how the buyer goes on."),
    };
    let text = edit.redirect_url.trim();
    match redirect_fault(text) {
        _ if text.is_empty() => Ok((None, method)),
        Some(fault) => Err(fault),
        None => Ok((Some(text.to_owned()), method)),
    }
}

/// What is wrong with a redirect URL, if anything. A placeholder may not decide which host it names.
fn redirect_fault(text: &str) -> Option<&'static str> {
    if text.len() > URL_BYTES_MAX {
        return Some("This address is too long: at most 2048 characters.");
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Some("The address must not hold spaces, line breaks or backslashes.");
    }
    let lower = text.to_ascii_lowercase();
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    let Some(rest) = rest else {
        return Some("The address must be a whole one and begin with https:// or http://.");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    if authority.contains('@') {
        return Some("The address must not hold a user name or a password.");
    }
    if authority.contains(['{', '}']) {
        return Some("The host must be a fixed one: placeholders can stand behind it only.");
    }
    let filled = PLACEHOLDERS.iter().fold(text.to_owned(), |text, name| text.replace(name, "1"));
    if filled.contains(['{', '}']) {
        return Some("Only {id}, {amount} and {currency} can be filled in.");
    }
    match Url::parse(&filled) {
        Ok(url) if url.host_str().is_some_and(|host| !host.is_empty()) => None,
        _ => Some("This is not an address that a browser can open."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_url(url: &str) -> Result<Option<String>, &'static str> {
        check(&Edit { redirect_url: url.to_owned(), method: "link".to_owned() }).map(|(url, _)| url)
    }

    #[test]
    fn addresses_a_buyer_can_be_sent_to() {
        for url in [
            "https://shop.example/thanks",
            "http://127.0.0.1:8090/thanks?o={id}&a={amount}&c={currency}#done",
            "HTTPS://shop.example",
            "https://shop.example/{id}",
        ] {
            assert_eq!(check_url(url), Ok(Some(url.to_owned())), "{url}");
        }
        assert_eq!(check_url("  "), Ok(None));
        assert_eq!(check_url(" https://a.example/ "), Ok(Some("https://a.example/".to_owned())));
    }

    #[test]
    fn addresses_that_are_refused() {
        for url in [
            "javascript:alert(1)",
            "data:text/html,x",
            "//shop.example/",
            "/thanks",
            "shop.example",
            "ftp://shop.example/",
            "https://",
            "https://user:secret@shop.example/",
            "https://{id}.example/",
            "https://shop.example{id}/",
            "https://shop.example/{order}",
            "https://shop.example/a b",
            "https://shop.example/\r\nSet-Cookie:x",
            "https:\\\\shop.example",
            "https://shop.example:port/",
        ] {
            assert!(check_url(url).is_err(), "{url}");
        }
        assert!(check_url(&format!("https://a.example/{}", "a".repeat(2_100))).is_err());
        let edit = Edit { redirect_url: String::new(), method: "teleport".to_owned() };
        assert!(check(&edit).is_err());
    }
}
