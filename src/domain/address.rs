//! A web address that somebody else may be sent to: the one reader for landing pages, links, deep links and
//! redirects, when they are set and when they are used.

use url::Url;

/// What is wrong with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Fault {
    Characters,
    Scheme,
    Host,
    User,
    Unreadable,
}

impl Fault {
    /// For a person.
    pub fn text(self) -> &'static str {
        match self {
            Fault::Characters => "The address must not hold spaces, line breaks or backslashes.",
            Fault::Scheme => "The address must be a whole one and begin with https:// or http://.",
            Fault::Host => "The address must name a host right behind https:// or http://.",
            Fault::User => "The address must not hold a user name or a password.",
            Fault::Unreadable => "This is not an address that a browser can open.",
        }
    }
}

/// Reads an address: whole, `http` or `https`, of a host and nobody at it. What browsers mend silently is not
/// taken: control characters, spaces and backslashes stand for something else there. The host comes out in
/// lower case and Punycode.
pub fn parse(text: &str) -> Result<Url, Fault> {
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(Fault::Characters);
    }
    let begins = |scheme: &str| {
        let start = text.get(..scheme.len()).filter(|start| start.eq_ignore_ascii_case(scheme));
        start.map(|_| &text[scheme.len()..])
    };
    let rest = begins("https://").or_else(|| begins("http://")).ok_or(Fault::Scheme)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    if authority.is_empty() {
        // A browser would skip slashes until it finds a host, with what a placeholder puts into it.
        return Err(Fault::Host);
    }
    if authority.contains('@') {
        return Err(Fault::User);
    }
    let url = Url::parse(text).map_err(|_| Fault::Unreadable)?;
    // Not to be had after what was looked at; but whoever is sent on depends on it.
    let is_plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.host_str().is_some_and(|host| !host.is_empty());
    is_plain.then_some(url).ok_or(Fault::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_or_refused() {
        for (text, expected) in [
            ("https://shop.example", Ok("https://shop.example/")),
            ("HTTP://SHOP.Example:8080/a?b=c#d", Ok("http://shop.example:8080/a?b=c#d")),
            ("https://b\u{fc}cher.example/\u{e4}", Ok("https://xn--bcher-kva.example/%C3%A4")),
            ("https://shop.example/?u=a@b", Ok("https://shop.example/?u=a@b")),
            ("https://[2001:db8::1]/", Ok("https://[2001:db8::1]/")),
            ("", Err(Fault::Scheme)),
            ("shop.example", Err(Fault::Scheme)),
            ("//shop.example/", Err(Fault::Scheme)),
            ("https:shop.example", Err(Fault::Scheme)),
            ("https:/shop.example", Err(Fault::Scheme)),
            ("javascript://shop.example/%0aalert(1)", Err(Fault::Scheme)),
            ("data:text/html,x", Err(Fault::Scheme)),
            ("\u{fe0f}https://shop.example", Err(Fault::Scheme)),
            (" https://shop.example", Err(Fault::Characters)),
            ("https://shop.example\\@evil.example", Err(Fault::Characters)),
            ("https://shop.example/\u{2028}", Err(Fault::Characters)),
            ("https://shop\t.example/", Err(Fault::Characters)),
            ("https://evil.example\r\nX: y@shop.example", Err(Fault::Characters)),
            ("https://user@shop.example/", Err(Fault::User)),
            ("https://@shop.example/", Err(Fault::User)),
            ("https://:secret@shop.example/", Err(Fault::User)),
            ("https://", Err(Fault::Host)),
            ("https://%zz/", Err(Fault::Unreadable)),
            ("https://a b/", Err(Fault::Characters)),
            ("https://shop.example:99999/", Err(Fault::Unreadable)),
        ] {
            let read = parse(text);
            assert_eq!(read.as_ref().map(Url::as_str).map_err(|f| *f), expected, "{text:?}");
        }
    }
}
