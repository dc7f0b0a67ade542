//! `GET /c/{link}`: a click. Lands the visitor, with a click token where the click counts. The destination
//! is ours, or on a host that the program allows; it is parsed once and sent as parsed.

use cookie::{Cookie, SameSite};
use hyper::StatusCode;
use hyper::header;
use url::Url;

use super::visit::Visit;
use super::{Answer, Edge, page, set, set_made};
use crate::domain::catalog::{Catalog, Link, Program};
use crate::domain::click::{self, Click};
use crate::domain::form;
use crate::domain::hit::{Hit, Part};
use crate::domain::id::Id;
use crate::domain::reason::Reason;
use crate::domain::token::{Keys, Token};
use crate::http::{self, Reply};

impl Edge {
    pub(super) fn click(&self, visit: &Visit<'_>) -> Answer {
        let id = self.journal.next_id(visit.now_ms);
        let hit = visit.hit(id, b"");
        let catalog = self.catalog.load();
        let reply = match click::judge(&hit, &catalog) {
            Click::Unknown => page(StatusCode::NOT_FOUND, "This link does not exist."),
            Click::Counts(link, program, privacy) => {
                credited(&hit, &catalog, &self.keys, (link, program, privacy))
            }
            Click::Ignored(link, program, Reason::Head) => {
                credited(&hit, &catalog, &self.keys, (link, program, click::privacy(&hit)))
            }
            Click::Ignored(link, program, reason) => {
                let paused = [Reason::ProgramPaused, Reason::AffiliatePaused, Reason::LinkPaused];
                let landing = if paused.contains(&reason) {
                    Url::parse(&program.landing_url).ok()
                } else {
                    destination(link, program, hit.get(Part::Query))
                };
                redirect(landing)
            }
        };
        // A visitor is landed even when his click cannot be kept; the loss is counted by cause.
        Answer::after(self.appender.append(&hit, false), reply, |reply| reply)
    }
}

/// Lands the visitor with a token, and sets it as a cookie where nothing forbids that.
fn credited(
    hit: &Hit<'_>,
    catalog: &Catalog,
    keys: &Keys,
    (link, program, privacy): (&Link, &Program, Option<Reason>),
) -> Reply {
    let first = click::first_click(hit, catalog, keys, program);
    let kept = first.is_some();
    let token = first.unwrap_or_else(|| {
        let (program_id, link_id, affiliate_id) = (program.id, link.id, link.affiliate_id);
        Token { click_id: hit.id, program_id, link_id, affiliate_id }.sign(keys)
    });
    let mut landing = destination(link, program, hit.get(Part::Query));
    if let Some(url) = &mut landing {
        put(url, &program.click_param, &token);
    }
    let mut reply = redirect(landing);
    let asked = !program.consent || click::consent(hit).as_deref() == Some("1");
    if privacy.is_none() && asked && !kept {
        set_made(
            &mut reply,
            header::SET_COOKIE,
            &cookie(program.id, &token, program.window_ms() / 1_000),
        );
    }
    reply
}

fn cookie(program_id: Id, token: &str, max_age_s: i64) -> String {
    Cookie::build((format!("tr_{program_id}"), token))
        .path("/")
        .max_age(cookie::time::Duration::seconds(max_age_s))
        .http_only(true)
        .same_site(SameSite::None)
        .secure(true)
        .build()
        .to_string()
}

/// Where a click lands: the deep link that came with it, if its host is allowed; else the link's own
/// destination; else the program's page.
fn destination(link: &Link, program: &Program, query: &[u8]) -> Option<Url> {
    let landing = Url::parse(&program.landing_url).ok();
    let own =
        link.destination.as_deref().and_then(|text| Url::parse(text).ok()).or(landing.clone());
    let deep = form::query_value(query, "url").and_then(|text| Url::parse(&text).ok());
    match deep {
        Some(deep) if is_allowed(&deep, program, [landing.as_ref(), own.as_ref()]) => Some(deep),
        _ => own,
    }
}

/// On a host that the program lists, on any port; or where the program's own pages are, on their port.
fn is_allowed(deep: &Url, program: &Program, ours: [Option<&Url>; 2]) -> bool {
    let Some(host) = deep.host_str() else { return false };
    let plain = ["http", "https"].contains(&deep.scheme())
        && deep.username().is_empty()
        && deep.password().is_none();
    let known = ours.into_iter().flatten().any(|url| {
        url.host_str() == Some(host) && url.port_or_known_default() == deep.port_or_known_default()
    });
    plain
        && (known || program.allowed_hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host)))
}

/// Puts a parameter into the query, in place of one that was there; the rest stays as it is.
fn put(url: &mut Url, name: &str, value: &str) {
    if url.query_pairs().any(|(n, _)| n == name) {
        let others: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(n, _)| n != name)
            .map(|(n, v)| (n.into(), v.into()))
            .collect();
        url.query_pairs_mut().clear().extend_pairs(others);
    }
    url.query_pairs_mut().append_pair(name, value);
}

fn redirect(to: Option<Url>) -> Reply {
    let Some(to) = to else { return page(StatusCode::NOT_FOUND, "This link leads nowhere.") };
    let mut reply = http::reply(StatusCode::FOUND, "text/plain; charset=utf-8", "");
    set_made(&mut reply, header::LOCATION, to.as_str());
    set(&mut reply, header::CACHE_CONTROL, "no-store");
    set(&mut reply, header::REFERRER_POLICY, "strict-origin-when-cross-origin");
    set(&mut reply, header::HeaderName::from_static("x-robots-tag"), "noindex, nofollow");
    reply
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalog::{Model, Unsigned};
    use crate::domain::money::Currency;

    fn program() -> Program {
        Program {
            id: 5,
            advertiser_id: 1,
            currency: Currency::parse("USD").unwrap(),
            landing_url: "https://shop.example/welcome?a=1#top".to_owned(),
            allowed_hosts: vec!["blog.example".to_owned(), "dev.example".to_owned()],
            click_param: "tclid".to_owned(),
            attribution: Model::LastClick,
            coupons: true,
            consent: false,
            window_days: 30,
            hold_days: 30,
            unsigned: Unsigned::Accept,
            paused_ms: None,
            plans: Vec::new(),
        }
    }

    fn lands(url: &str) -> String {
        let link = Link {
            id: 1,
            program_id: 5,
            affiliate_id: 2,
            code: "abc".to_owned(),
            destination: None,
            paused_ms: None,
        };
        let query =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("url", url).finish();
        destination(&link, &program(), query.as_bytes()).unwrap().to_string()
    }

    #[test]
    fn a_deep_link_goes_only_where_it_may() {
        for url in
            ["https://shop.example/p/1?x=y#z", "http://blog.example/", "https://dev.example:8443/"]
        {
            assert_eq!(lands(url), url);
        }
        for url in [
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example",
            "https:evil.example",
            "https://shop.example@evil.example/",
            "https://user@shop.example/",
            "https://shop.example.evil.example/",
            "https://evil.example/?https://shop.example/",
            "https://shop.example:8443/",
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://shop.example/",
            "https://shop.example\r\nX: y@evil.example/",
            "",
        ] {
            assert_eq!(lands(url), "https://shop.example/welcome?a=1#top", "{url}");
        }
    }

    #[test]
    fn the_token_joins_the_query_that_is_there() {
        for (url, expected) in [
            ("https://a.example/", "https://a.example/?tclid=T"),
            ("https://a.example/?a=b%20c#f", "https://a.example/?a=b%20c&tclid=T#f"),
            ("https://a.example/?tclid=forged&a=b", "https://a.example/?a=b&tclid=T"),
        ] {
            let mut url = Url::parse(url).unwrap();
            put(&mut url, "tclid", "T");
            assert_eq!(url.as_str(), expected);
        }
    }
}
