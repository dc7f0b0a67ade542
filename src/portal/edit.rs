//! Where a buyer goes after the form, as an advertiser types it: checked, or refused with a sentence.

use crate::domain::redirect;

/// The return method that shows a page with a link.
pub const LINK: &str = "link";
const REDIRECT: &str = "redirect";

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
    match redirect::fault(text) {
        _ if text.is_empty() => Ok((None, method)),
        Some(fault) => Err(fault),
        None => Ok((Some(text.to_owned()), method)),
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
