//! The demo shop: a product, a checkout and a thank-you page, told to Tributary by the image tag or by the
//! form. It stands on a site of its own, as shops do, so that the edge's cookie is a third-party one.

use askama::Template;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, StatusCode};
use std::time::Duration;
use url::form_urlencoded;

use super::servers::random_hex;
use crate::http::{self, Reply};

const PRICE_CENTS: u32 = 24_90;
const BODY_BYTES_MAX: usize = 4 << 10;
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// What the shop's pages carry.
#[derive(Debug, Clone)]
pub struct Shop {
    /// The edge's address as the world sees it, without a slash at its end.
    pub edge_base: String,
    /// The parameter that carries the click token.
    pub click_param: String,
    /// The tracking code's pixel.
    pub pixel_url: String,
    /// The tracking code's form.
    pub form_url: String,
    /// A coupon that credits the affiliate.
    pub coupon: String,
}

/// One order, as it stands in the thank-you page's address.
#[derive(Default)]
struct Order {
    id: String,
    amount: String,
    coupon: String,
}

#[derive(Template)]
#[template(path = "landing.html", config = "src/dev/askama.toml")]
struct Landing<'a> {
    shop: &'a Shop,
    price: String,
}

#[derive(Template)]
#[template(path = "checkout.html", config = "src/dev/askama.toml")]
struct Checkout<'a> {
    shop: &'a Shop,
    price: String,
    by: &'a str,
}

#[derive(Template)]
#[template(path = "confirm.html", config = "src/dev/askama.toml")]
struct Confirm<'a> {
    shop: &'a Shop,
    order: Order,
}

#[derive(Template)]
#[template(path = "thanks.html", config = "src/dev/askama.toml")]
struct Thanks<'a> {
    shop: &'a Shop,
    order: Order,
    /// The image tag's address; absent when the form has told of the order.
    pixel: Option<String>,
}

/// Answers one request.
pub async fn answer(shop: &Shop, request: Request<Incoming>) -> Reply {
    let query = request.uri().query().unwrap_or("").to_owned();
    let path = request.uri().path().to_owned();
    match (request.method(), path.as_str()) {
        (&Method::GET, "/") => page(&Landing { shop, price: price(1) }),
        (&Method::GET, "/shop.css") => stylesheet(),
        (&Method::GET, "/checkout") => {
            let by = if field(query.as_bytes(), "by") == "form" { "form" } else { "pixel" };
            page(&Checkout { shop, price: price(1), by })
        }
        (&Method::POST, "/order") => take_order(request).await,
        (&Method::GET, "/confirm") => page(&Confirm { shop, order: Order::read(&query) }),
        (&Method::GET, "/thanks") => {
            let order = Order::read(&query);
            page(&Thanks { shop, pixel: Some(order.pixel(&shop.pixel_url)), order })
        }
        (&Method::GET, "/thanks/form") => {
            page(&Thanks { shop, order: Order::read(&query), pixel: None })
        }
        _ => {
            http::reply(StatusCode::NOT_FOUND, "text/plain", "There is no such page in this shop.")
        }
    }
}

/// The buyer has decided: 303 to the thank-you page of the way he chose.
async fn take_order(request: Request<Incoming>) -> Reply {
    let body = match http::read_body(request.into_body(), BODY_BYTES_MAX, BODY_TIMEOUT).await {
        Ok(body) => body,
        Err(fault) => {
            return http::reply(fault.status(), "text/plain", "The order could not be read.");
        }
    };
    let Ok(number) = random_hex(4) else {
        return http::reply(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "Try again later.");
    };
    let quantity = field(&body, "quantity").parse().unwrap_or(1).clamp(1, 5);
    let order = Order {
        id: format!("R-{number}"),
        amount: price(quantity),
        coupon: field(&body, "coupon").trim().to_owned(),
    };
    let next = if field(&body, "by") == "form" { "/confirm" } else { "/thanks" };
    let mut reply = http::reply(StatusCode::SEE_OTHER, "text/plain", "");
    // What was urlencoded is a good header value.
    if let Ok(location) = HeaderValue::from_str(&format!("{next}?{}", order.query().finish())) {
        reply.headers_mut().insert(header::LOCATION, location);
    }
    reply
}

impl Order {
    fn read(query: &str) -> Self {
        let field = |name| field(query.as_bytes(), name);
        Order { id: field("id"), amount: field("amount"), coupon: field("coupon") }
    }

    fn query(&self) -> form_urlencoded::Serializer<'static, String> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("amount", &self.amount).append_pair("id", &self.id);
        if !self.coupon.is_empty() {
            query.append_pair("coupon", &self.coupon);
        }
        query
    }

    /// The pixel of this order.
    fn pixel(&self, pixel_url: &str) -> String {
        format!("{pixel_url}?{}", self.query().append_pair("currency", "USD").finish())
    }
}

/// A field of a query or form, empty when it is not there.
fn field(pairs: &[u8], name: &str) -> String {
    let found = form_urlencoded::parse(pairs).find(|(other, _)| other == name);
    found.map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn price(quantity: u32) -> String {
    let cents = PRICE_CENTS * quantity;
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn page(template: &impl Template) -> Reply {
    match template.render() {
        Ok(html) => {
            let mut reply = http::reply(StatusCode::OK, "text/html; charset=utf-8", html);
            reply.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            reply
        }
        Err(_) => {
            http::reply(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", "This page is broken.")
        }
    }
}

fn stylesheet() -> Reply {
    http::reply(StatusCode::OK, "text/css; charset=utf-8", include_str!("pages/shop.css"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_carries_the_order_encoded() {
        let order = Order { id: "R&1 é".into(), amount: price(2), coupon: String::new() };
        let pixel = order.pixel("http://e/t/c.gif");
        assert_eq!(pixel, "http://e/t/c.gif?amount=49.80&id=R%261+%C3%A9&currency=USD");
    }

    #[test]
    fn what_a_visitor_sends_is_escaped() {
        let order = Order { id: "\"><script>".into(), ..Order::default() };
        let shop = Shop {
            edge_base: String::new(),
            click_param: String::new(),
            pixel_url: String::new(),
            form_url: String::new(),
            coupon: String::new(),
        };
        let html = Confirm { shop: &shop, order }.render().unwrap_or_default();
        assert!(!html.is_empty() && !html.contains("\"><script>"));
    }
}
