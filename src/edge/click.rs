//! `GET /c/{link}`: a click. Lands the visitor, with a click token where the click counts. The destination
//! is ours, or on a host that the program allows; it is parsed once and sent as parsed.

use std::borrow::Cow;

use hyper::StatusCode;
use url::Url;

use super::budgets::{Worth, limited};
use super::visit::Visit;
use super::{Answer, Edge, page};
use crate::domain::address;
use crate::domain::catalog::{Catalog, Link, Program};
use crate::domain::click::{self, Click};
use crate::domain::form;
use crate::domain::hit::{Hit, Part};
use crate::domain::landing::Landing;
use crate::domain::reason::Reason;
use crate::domain::token::{Keys, Token};
use crate::http::lines::Lines;

impl Edge {
    pub(super) fn click(&self, visit: &Visit<'_>) -> Answer {
        let id = self.journal.next_id(visit.now_ms);
        let hit = visit.hit(id, b"");
        let catalog = self.catalog.load();
        let judged = click::judge(&hit, &catalog);
        let worth = match judged {
            Click::Unknown if !self.bounds_strangers(visit) => Worth::Free,
            Click::Unknown => Worth::Junk,
            Click::Counts(link, ..) | Click::Ignored(link, ..) => Worth::Unsigned(link.id),
        };
        if let Err(spent) = self.budgets.spend(worth, visit) {
            // Landed all the same, without a token: what is not kept is nobody's click.
            return Answer::at_once(match judged {
                Click::Unknown => {
                    limited(page(StatusCode::OK, "Please try again in a moment."), spent)
                }
                Click::Counts(link, program, _) => {
                    redirect(destination(link, program, hit.get(Part::Query)).as_deref())
                }
                Click::Ignored(link, program, reason) => {
                    redirect(uncredited(&hit, link, program, reason).as_deref())
                }
            });
        }
        let lines = match judged {
            Click::Unknown => page(StatusCode::NOT_FOUND, "This link does not exist."),
            Click::Counts(link, program, privacy) => {
                credited(&hit, &catalog, &self.keys, (link, program, privacy))
            }
            Click::Ignored(link, program, Reason::Head) => {
                credited(&hit, &catalog, &self.keys, (link, program, click::privacy(&hit)))
            }
            Click::Ignored(link, program, reason) => {
                redirect(uncredited(&hit, link, program, reason).as_deref())
            }
        };
        // A visitor is landed even when his click cannot be kept; the loss is counted by cause.
        Answer::after(self.appender.append(&hit, false), lines, |lines| lines)
    }
}

/// Where a visitor lands whom nobody is credited with.
fn uncredited<'c>(
    hit: &Hit<'_>,
    link: &'c Link,
    program: &'c Program,
    reason: Reason,
) -> Option<Cow<'c, Landing>> {
    let paused = [Reason::ProgramPaused, Reason::AffiliatePaused, Reason::LinkPaused];
    match paused.contains(&reason) {
        true => program.landing().map(Cow::Borrowed),
        false => destination(link, program, hit.get(Part::Query)),
    }
}

/// Lands the visitor with a token, and sets it as a cookie where nothing forbids that.
fn credited(
    hit: &Hit<'_>,
    catalog: &Catalog,
    keys: &Keys,
    (link, program, privacy): (&Link, &Program, Option<Reason>),
) -> Lines {
    let first = click::first_click(hit, catalog, keys, program);
    let kept = first.is_some();
    let token = first.unwrap_or_else(|| {
        let (program_id, link_id, affiliate_id) = (program.id, link.id, link.affiliate_id);
        Token { click_id: hit.id, program_id, link_id, affiliate_id }.sign(keys)
    });
    let landing = destination(link, program, hit.get(Part::Query));
    let mut lines = redirect_to(landing.map(|landing| landing.with(&token)).as_deref());
    let asked = !program.consent || click::consent(hit).as_deref() == Some("1");
    if privacy.is_none() && asked && !kept {
        let texts = click::gathered(hit, catalog, keys, program, token);
        lines.put("set-cookie", &cookie(program, &texts));
    }
    lines
}

/// Of characters that need no encoding: an id, and a token, or several with `~` between them.
fn cookie(program: &Program, token: &str) -> String {
    let (name, max_age_s) = (program.cookie_name(), program.window_ms() / 1_000);
    format!("{name}={token}; HttpOnly; SameSite=None; Secure; Path=/; Max-Age={max_age_s}")
}

/// Where a click lands: the deep link that came with it, if its host is allowed; else the link's own
/// destination; else the program's page.
fn destination<'c>(link: &'c Link, program: &'c Program, query: &[u8]) -> Option<Cow<'c, Landing>> {
    let own = link.landing(program).or_else(|| program.landing());
    // A space is a `+`, or a `%20`, that was decoded with the query.
    let deep = form::query_value(query, "url").map(|text| text.replace(' ', "%20"));
    let deep = deep.and_then(|text| address::parse(&text).ok());
    match deep {
        Some(deep) if is_allowed(&deep, program, [program.landing(), own]) => {
            Some(Cow::Owned(Landing::new(deep, &program.click_param)))
        }
        _ => own.map(Cow::Borrowed),
    }
}

/// On a host that the program lists, on any port; or where the program's own pages are, on their port.
fn is_allowed(deep: &Url, program: &Program, ours: [Option<&Landing>; 2]) -> bool {
    let Some(host) = deep.host_str() else { return false };
    let known = ours.into_iter().flatten().any(|Landing { url, .. }| {
        url.host_str() == Some(host) && url.port_or_known_default() == deep.port_or_known_default()
    });
    known || program.allowed_hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host))
}

fn redirect(to: Option<&Landing>) -> Lines {
    redirect_to(to.map(|landing| landing.url.as_str()))
}

fn redirect_to(to: Option<&str>) -> Lines {
    let Some(to) = to else { return page(StatusCode::NOT_FOUND, "This link leads nowhere.") };
    let known = "content-type: text/plain; charset=utf-8\r\nx-content-type-options: nosniff\r\n\
        cache-control: no-store\r\nreferrer-policy: strict-origin-when-cross-origin\r\n\
        x-robots-tag: noindex, nofollow\r\n";
    let mut lines = Lines::new(StatusCode::FOUND, known, "");
    lines.put("location", to);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalog::{Model, Unsigned};
    use crate::domain::landing::Parsed;
    use crate::domain::money::Currency;

    fn program() -> Program {
        Program {
            id: 5,
            advertiser_id: 1,
            currency: Currency::parse("USD").unwrap(),
            timezone: String::new(),
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
            landing: Parsed::default(),
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
            landing: Parsed::default(),
        };
        let query =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("url", url).finish();
        destination(&link, &program(), query.as_bytes()).unwrap().url.to_string()
    }

    #[test]
    fn a_deep_link_goes_only_where_it_may() {
        for url in [
            "https://shop.example/p/1?x=y#z",
            "http://blog.example/",
            "https://dev.example:8443/a%20b",
        ] {
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
}
