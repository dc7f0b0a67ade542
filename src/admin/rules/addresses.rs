//! Addresses: of pages, of hosts, of people.

use serde_json::{Value, json};
use url::Host;

use super::{Checked, Rule, bounded};
use crate::domain::{address, person, redirect};

const URL_BYTES_MAX: usize = 2_048;
const HOSTS_MAX: usize = 50;
/// An address begins so. Names in other letters than ASCII are taken too; no pattern tells which.
const ORIGIN_PATTERN: &str = "^https?://(([A-Za-z0-9]+(-[A-Za-z0-9]+)*\\.)*[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*\
     |((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9]))(:[0-9]{1,4})?";

/// An absolute http or https address, as sent.
pub(in super::super) const ADDRESS: Rule<String> = Rule {
    check: |value| {
        let text = bounded(value, URL_BYTES_MAX)?;
        let fits = text.len() <= URL_BYTES_MAX && address::parse(&text).is_ok();
        let fault = || "must be an absolute http or https URL, without user or password".to_owned();
        fits.then_some(text).ok_or_else(fault)
    },
    schema: || {
        let pattern = format!("{ORIGIN_PATTERN}([/?#][!-\\[\\]-~]*)?$");
        json!({"type": "string", "maxLength": URL_BYTES_MAX, "pattern": pattern, "examples": ["https://shop.example/"]})
    },
};

/// Where a buyer goes after a form: an address in which `{id}`, `{amount}` and `{currency}` may stand,
/// though not where they would choose the host.
pub(in super::super) const REDIRECT: Rule<String> = Rule {
    check: |value| {
        let text = bounded(value, URL_BYTES_MAX)?;
        redirect::fault(&text).map_or(Ok(text), |fault| Err(fault.to_owned()))
    },
    schema: || {
        let rest = "([/?#]([!-\\[\\]-z|~]|\\{(id|amount|currency)\\})*)?$";
        let example = "https://shop.example/thanks?order={id}";
        json!({"type": "string", "maxLength": URL_BYTES_MAX, "pattern": format!("{ORIGIN_PATTERN}{rest}"), "examples": [example]})
    },
};

/// Host names, without port; in the form that addresses are compared in.
pub(in super::super) const HOSTS: Rule<Vec<String>> = Rule {
    check: hosts,
    schema: || {
        let host = json!({"type": "string", "format": "idn-hostname", "maxLength": 253});
        json!({"type": "array", "maxItems": HOSTS_MAX, "items": host, "examples": [["m.shop.example"]]})
    },
};

fn hosts(value: &Value) -> Checked<Vec<String>> {
    let list = value.as_array().ok_or("must be a list of host names")?;
    if list.len() > HOSTS_MAX {
        return Err(format!("must have at most {HOSTS_MAX} hosts"));
    }
    let host = |value: &Value| {
        let host = Host::parse(value.as_str()?).ok()?.to_string();
        (host.len() <= 253 && !host.contains('*')).then_some(host)
    };
    let hosts: Option<Vec<String>> = list.iter().map(host).collect();
    hosts.ok_or_else(|| "must be a list of host names, without scheme, port or path".to_owned())
}

/// An e-mail address: something, an `@`, something. Whether it exists, only a mail can tell.
pub(in super::super) const EMAIL: Rule<String> = Rule {
    check: |value| {
        let text = bounded(value, person::EMAIL_CHARS_MAX)?;
        let fits = person::is_email(&text);
        fits.then_some(text).ok_or_else(|| "must be an e-mail address".to_owned())
    },
    schema: || {
        let pattern = "^[^\\s\\x00-\\x1f\\x7f-\\x9f]+@[^\\s@\\x00-\\x1f\\x7f-\\x9f]+$";
        json!({"type": "string", "maxLength": person::EMAIL_CHARS_MAX, "pattern": pattern, "examples": ["ann@mail.example"]})
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_taken_and_refused() {
        for text in ["https://shop.example/a?b=c#d", "http://127.0.0.1:8083/", "HTTPS://X.example"]
        {
            assert!((ADDRESS.check)(&json!(text)).is_ok(), "{text}");
        }
        for text in [
            "",
            "shop.example",
            "/relative",
            "//shop.example",
            "https:shop.example",
            "https:\\\\shop.example",
            "javascript:alert(1)",
            "ftp://shop.example",
            "https://user@shop.example",
            "https://:pass@shop.example",
            "https://shop.example/a b",
            "https://shop.example/\u{0}",
            "https://shop.example/\nb",
            "https://",
        ] {
            assert!((ADDRESS.check)(&json!(text)).is_err(), "{text:?}");
        }
        assert!((ADDRESS.check)(&json!(7)).is_err());
    }

    #[test]
    fn a_placeholder_never_chooses_the_host() {
        let taken = "https://shop.example/thanks?o={id}&a={amount}{currency}";
        assert!((REDIRECT.check)(&json!(taken)).is_ok());
        for text in ["https://{id}/", "https://{id}.example/", "https://shop.example:{amount}/"] {
            assert!((REDIRECT.check)(&json!(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn hosts_are_names_alone() {
        assert_eq!(
            hosts(&json!(["Shop.Example", "bücher.example"])).unwrap(),
            ["shop.example", "xn--bcher-kva.example"]
        );
        for host in ["", "https://a.example", "a.example:80", "a.example/x", "a b"] {
            assert!(hosts(&json!([host])).is_err(), "{host}");
        }
    }

    #[test]
    fn people_have_an_at_in_their_address() {
        for text in ["a@b", "a.b+c@d.example"] {
            assert!((EMAIL.check)(&json!(text)).is_ok(), "{text}");
        }
        for text in ["ab", "@b", "a@", "a b@c"] {
            assert!((EMAIL.check)(&json!(text)).is_err(), "{text}");
        }
    }
}
