//! Tenants are kept apart twice over: each route × everybody who may ask × own and foreign ids, as it is, with
//! row security off, and with the statements' filters off. And the walls themselves.

mod pages; // how the pages of money are asked
mod routes; // how each route is asked
mod tenants; // two whole tenants, and everybody who asks
mod walls; // roles, rights and policies

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use tributary::{admin, portal};

use crate::harness::{Answer, http};
use crate::rooms::{FORM, Said};
use tenants::{Caller, IDS, World};

/// One request of one caller.
struct Cell {
    method: &'static str,
    template: &'static str,
    path: String,
    body: String,
    /// It names what is another tenant's, in its path or body; a filter of a list may.
    foreign: bool,
}

/// What was found in one run over all cells.
#[derive(Default)]
struct Found {
    cells: usize,
    /// What somebody was told, or could change, that he must not.
    leaks: Vec<String>,
    /// Faults of ours: they tell nothing, but are none of the answers that were promised.
    faults: Vec<String>,
    /// Routes that anybody got through.
    through: BTreeSet<(&'static str, &'static str)>,
}

static UNIQUE: AtomicU32 = AtomicU32::new(0);

fn all_routes() -> Vec<(&'static str, &'static str)> {
    admin::routes().chain(portal::routes()).collect()
}

#[test]
fn every_route_is_in_the_matrix() {
    let routes = all_routes();
    for (method, template) in &routes {
        let requests = routes::requests(method, template);
        assert!(
            requests.is_some(),
            "say in tests/it/tenancy/routes.rs how to ask {method} {template}"
        );
    }
    for (method, template, _) in routes::REQUESTS.iter().chain(pages::REQUESTS) {
        assert!(routes.contains(&(method, template)), "there is no {method} {template} any more");
    }
}

#[tokio::test]
async fn either_wall_alone_keeps_tenants_apart() {
    let world = World::start().await;
    let as_it_is = world.walk(&world.url).await;
    as_it_is.is_clean("as it is");
    // Those name nobody, and open only to who has a password: `people` tries them.
    let own = |route: &str| {
        ["/account", "/invitation/", "/sign-in/code"].iter().any(|own| route.starts_with(own))
    };
    let shut: Vec<_> = all_routes()
        .into_iter()
        .filter(|route| !own(route.1) && !as_it_is.through.contains(route))
        .collect();
    assert!(shut.is_empty(), "nobody got through, so nothing was tried: {shut:?}");

    world.rows_secured(false).await;
    world.walk(&world.url).await.is_clean("without row security");
    world.rows_secured(true).await;
    let unfiltered = world.walk(&world.unfiltered_url).await;
    unfiltered.is_clean("without the filters");

    // With neither, the same walk finds what it is there to find.
    world.rows_secured(false).await;
    let open = world.walk(&world.unfiltered_url).await;
    let leaking: BTreeSet<&str> =
        open.leaks.iter().map(|leak| leak.split(" is ").next().unwrap()).collect();
    println!(
        "{} cells a walk, {} in all; with both walls down {} of them leak",
        as_it_is.cells,
        4 * as_it_is.cells,
        leaking.len()
    );
    assert_eq!(as_it_is.cells, open.cells);
    assert!(leaking.len() > 50, "the walk finds too little: {leaking:#?}");
}

impl Found {
    fn is_clean(&self, how: &str) {
        assert!(self.leaks.is_empty(), "{how}, {} cells: {:#?}", self.cells, self.leaks);
        assert!(self.faults.is_empty(), "{how}, {} cells: {:#?}", self.cells, self.faults);
    }
}

impl World {
    /// Everybody asks everything.
    async fn walk(&self, url: &str) -> Found {
        let mut found = Found::default();
        let page = http("GET", &format!("{}/sign-in", self.url), &[], b"").await.text();
        let asset = page.split("/assets/").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let mut before = self.digests().await;
        for caller in &self.callers {
            for (method, template) in all_routes() {
                for cell in cells(method, template, caller, &asset) {
                    found.cells += 1;
                    let answer = self.ask(url, caller, &cell).await;
                    caller.judge(&cell, &answer, &mut found);
                    if method != "GET" {
                        let after = self.digests().await;
                        let kept = |side: usize| before[side] == after[side];
                        // An advertiser may change what is his own; the operator all; others nothing.
                        let may = |side| {
                            caller.is_operator() || caller.changes && caller.side == Some(side)
                        };
                        for side in [0, 1].into_iter().filter(|side| !may(*side) && !kept(*side)) {
                            let leak = cell.told(caller, &format!("changed tenant {}", side + 1));
                            found.leaks.push(leak);
                        }
                        before = after;
                    }
                }
            }
        }
        found
    }

    async fn ask(&self, url: &str, caller: &Caller, cell: &Cell) -> Answer {
        let bearer = format!("Bearer {}", caller.key);
        let is_api = cell.path.starts_with("/api/");
        let cookie = match cell.template {
            // Either ends the session that comes along.
            "/sign-out" | "/sign-in" => self.sign_in(&caller.key).await,
            _ => caller.cookie.clone(),
        };
        let kind =
            if cell.path.ends_with("/reconciliations") { "text/csv" } else { "application/json" };
        let typed = ("content-type", kind);
        let unique = UNIQUE.fetch_add(1, Ordering::Relaxed).to_string();
        let key = ("idempotency-key", unique.as_str());
        let headers = match (is_api, cell.body.is_empty()) {
            (true, true) => vec![("authorization", bearer.as_str()), key],
            (true, false) => vec![("authorization", bearer.as_str()), typed, key],
            (false, true) => vec![("cookie", cookie.as_str())],
            (false, false) => vec![("cookie", cookie.as_str()), FORM],
        };
        let headers = &headers[usize::from(is_api && caller.key.is_empty())..];
        http(cell.method, &format!("{url}{}", cell.path), headers, cell.body.as_bytes()).await
    }
}

impl Caller {
    /// Whether an answer is one that he may have.
    fn judge(&self, cell: &Cell, answer: &Answer, found: &mut Found) {
        let text = format!("{:?} {}", answer.headers, answer.text());
        for never in self.never().iter().filter(|never| text.contains(*never)) {
            found.leaks.push(cell.told(self, &format!("told {never}")));
        }
        let is_stranger = self.side.is_none() && !self.is_operator();
        let is_public = matches!(cell.template, "/assets/{name}" | "/sign-in")
            && cell.method == "GET"
            || cell.template == "/csp-report";
        let is_refused = matches!(answer.status, 401 | 403 | 404)
            || answer.status == 303 && answer.said("location") == "/sign-in";
        let must_be = is_stranger && !is_public || !self.is_operator() && cell.foreign;
        if must_be && !is_refused {
            found.leaks.push(cell.told(self, &format!("answered {}", answer.status)));
        }
        if answer.status >= 500 {
            found.faults.push(cell.told(self, &format!("answered {}", answer.status)));
        }
        // Who signs out is led to where those are led who are not signed in.
        if answer.status < 400 && (!is_refused || cell.template == "/sign-out") {
            found.through.insert((cell.method, cell.template));
        }
    }
}

impl Cell {
    fn told(&self, caller: &Caller, what: &str) -> String {
        format!("{} {} {} of {} is {what}", self.method, self.path, self.body, caller.name)
    }
}

/// The requests of one route by one caller: with his own ids, and with a stranger's in each place.
fn cells(method: &'static str, template: &'static str, caller: &Caller, asset: &str) -> Vec<Cell> {
    let own = caller.side.unwrap_or(0);
    let mut cells = Vec::new();
    for request in routes::requests(method, template).unwrap() {
        let places = request.match_indices('{').filter(|(at, _)| row(&request[*at..]).is_some());
        let places: Vec<usize> = places.map(|(at, _)| at).collect();
        // The operator may all, but does not mix tenants: whom he brings together are strangers no more.
        let all = (1_u32 << places.len()) - 1;
        for foreign in (0..=all).filter(|f| !caller.is_operator() || *f == 0 || *f == all) {
            let side = |at: usize| {
                let place = places.iter().position(|place| *place == at).unwrap();
                if foreign >> place & 1 == 1 { 1 - own } else { own }
            };
            let named = if caller.is_operator() && foreign > 0 { 1 - own } else { own };
            let filled = fill(request, side).replace("{n}", &(named + 1).to_string());
            let unique = UNIQUE.fetch_add(1, Ordering::Relaxed);
            let filled = filled
                .replace("{unique}", &unique.to_string())
                .replace("{seconds}", &format!("{:02}", unique % 60))
                .replace("{asset}", asset)
                .replace("{key}", &caller.key.replace(' ', "+"));
            let (path, body) = filled.split_once(' ').unwrap_or((&filled, ""));
            let outside_query = [path.split('?').next().unwrap(), body].concat();
            cells.push(Cell {
                method,
                template,
                path: path.to_owned(),
                body: body.to_owned(),
                foreign: outside_query.contains(IDS[1 - own]),
            });
        }
    }
    cells
}

/// The row's number of a place like `{03}` at the start of `text`.
fn row(text: &str) -> Option<&str> {
    let digits = text.get(1..3)?;
    let is_place = text.get(3..4) == Some("}") && digits.bytes().all(|b| b.is_ascii_digit());
    is_place.then_some(digits)
}

/// Puts ids in their places; `side` tells whose, by the place.
fn fill(request: &str, side: impl Fn(usize) -> usize) -> String {
    let (mut filled, mut done) = (String::new(), 0);
    for (at, _) in request.match_indices('{') {
        if let Some(row) = row(&request[at..]) {
            filled += &request[done..at];
            filled += IDS[side(at)];
            filled += row;
            done = at + 4;
        }
    }
    filled + &request[done..]
}
