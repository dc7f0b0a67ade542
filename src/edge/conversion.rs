//! `/t/{code}` and `/postback/{code}`: a sale, told by an image tag, a form, or the shop's server. The
//! browser gets its image or is sent on whatever becomes of the hit; a server is told the truth.

use std::borrow::Cow;

use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::{Request, StatusCode};

use super::budgets::{Worth, limited};
use super::visit::Visit;
use super::{Answer, Edge, RETRY_AFTER, page, page_of, unavailable};
use crate::domain::catalog::{Catalog, TrackingCode};
use crate::domain::hit::Hit;
use crate::domain::id::Id;
use crate::domain::intake::{self, Proof, Reading};
use crate::domain::reason::{Outcome, Reason};
use crate::domain::{click, redirect};
use crate::http::lines::Lines;
use crate::http::{self, BODY_BYTES_MAX, FieldError, Peer, Reply};

/// A transparent pixel: GIF89a, 1×1, 43 bytes.
static GIF: [u8; 43] = *b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\
    \x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

const HIT: &str = "tributary-hit";
pub(super) const OUTCOME: &str = "tributary-outcome";

/// What will become of a hit, as far as it can be told now.
struct Forecast {
    /// The shop's server sent it.
    from_shop: bool,
    outcome: &'static str,
    faults: Vec<intake::Fault>,
}

impl Forecast {
    fn of(hit: &Hit<'_>, reading: &Reading<'_, ()>, proof: Proof) -> Self {
        let (outcome, faults) = match reading {
            Reading::Sale(..) | Reading::Takeback(..) if click::nobody_came(hit).is_some() => (
                "ignored",
                click::nobody_came(hit).map(|reason| ("method", reason)).into_iter().collect(),
            ),
            Reading::Unknown => ("rejected", vec![("code", Reason::CodeUnknown)]),
            Reading::Refused(_, _, faults) => match intake::refusal(faults) {
                Outcome::Held => ("held", faults.clone()),
                _ => ("rejected", faults.clone()),
            },
            Reading::Sale(..) | Reading::Takeback(..) => ("accepted", Vec::new()),
        };
        let counts = matches!(reading, Reading::Sale(..) | Reading::Takeback(..));
        let from_shop = counts && proof == Proof::Secret;
        Forecast { from_shop, outcome, faults }
    }

    fn reason(&self) -> Option<&'static str> {
        self.faults.first().map(|(_, reason)| reason.code())
    }

    /// Tells a developer's console.
    fn tell(&self, lines: &mut Lines, id: Id) {
        lines.put(HIT, &id.to_string());
        lines.put(OUTCOME, &self.text());
    }

    fn text(&self) -> Cow<'static, str> {
        match self.reason() {
            Some(reason) => format!("{}; reason={reason}", self.outcome).into(),
            None => self.outcome.into(),
        }
    }
}

impl Edge {
    /// The image tag. Always the image, also for what will be rejected; 503 without a body if the hit
    /// cannot be made durable, and 429 if there are too many.
    pub(super) fn pixel(&self, visit: &Visit<'_>) -> Answer {
        let id = self.journal.next_id(visit.now_ms);
        let hit = visit.hit(id, b"");
        let catalog = self.catalog.load();
        let (reading, proof) = intake::check(&hit, &catalog);
        let worth = Worth::of(&reading, proof, self.bounds_strangers(visit));
        if let Err(spent) = self.budgets.spend(worth, visit) {
            return Answer::at_once(limited(no_image(), spent));
        }
        let forecast = Forecast::of(&hit, &reading, proof);
        let appending = self.appender.append(&hit, forecast.from_shop);
        let known = "content-type: image/gif\r\nx-content-type-options: nosniff\r\n\
            cache-control: no-store\r\ncross-origin-resource-policy: cross-origin\r\n";
        let mut lines = Lines::new(StatusCode::OK, known, &GIF[..]);
        forecast.tell(&mut lines, id);
        Answer::after(appending, lines, |_| unavailable(no_image()))
    }

    /// The form. The buyer is sent on to the shop's page, whatever becomes of the hit.
    pub(super) async fn form(&self, request: Request<Incoming>, peer: Peer) -> Lines {
        let (parts, body) = request.into_parts();
        let visit = Visit::new(&parts, &peer, &self.trusted_proxies);
        let body = match http::read_body(body, BODY_BYTES_MAX, self.body_timeout).await {
            Ok(body) => body,
            Err(fault) => return page(fault.status(), "The form could not be read."),
        };
        let id = self.journal.next_id(visit.now_ms);
        let hit = visit.hit(id, &body);
        let catalog: std::sync::Arc<Catalog> = self.catalog.load_full();
        let (reading, proof) = intake::check(&hit, &catalog);
        let code = match reading {
            Reading::Unknown => None,
            Reading::Refused(code, ..) | Reading::Sale(code, ..) | Reading::Takeback(code, ..) => {
                Some(code)
            }
        };
        // What is not counted is said to be so; but the buyer has a way on.
        let uncounted = || {
            let retry = || page(StatusCode::OK, "Please try again in a moment.");
            code.map_or_else(retry, |code| send_on(code, &hit, true))
        };
        let worth = Worth::of(&reading, proof, self.bounds_strangers(&visit));
        if let Err(spent) = self.budgets.spend(worth, &visit) {
            return limited(uncounted(), spent);
        }
        let forecast = Forecast::of(&hit, &reading, proof);
        if self.appender.append(&hit, forecast.from_shop).done().await.is_err() {
            return unavailable(uncounted());
        }
        let mut lines = match code {
            None => page(StatusCode::NOT_FOUND, "This tracking code does not exist."),
            Some(code) => send_on(code, &hit, code.return_link),
        };
        forecast.tell(&mut lines, id);
        lines
    }

    /// The shop's server, authenticated by the tracking code's secret.
    pub(super) async fn postback(&self, request: Request<Incoming>, peer: Peer) -> Reply {
        let (parts, body) = request.into_parts();
        let visit = Visit::new(&parts, &peer, &self.trusted_proxies);
        let body = match http::read_body(body, BODY_BYTES_MAX, self.body_timeout).await {
            Ok(body) => body,
            Err(fault) => {
                return http::problem(
                    fault.status(),
                    "body_unreadable",
                    "The body could not be read.",
                    &[],
                );
            }
        };
        let id = self.journal.next_id(visit.now_ms);
        let hit = visit.hit(id, &body);
        let catalog = self.catalog.load_full();
        let (reading, proof) = intake::check(&hit, &catalog);
        let worth = Worth::of(&reading, proof, self.bounds_strangers(&visit));
        if let Err(spent) = self.budgets.spend(worth, &visit) {
            return http::too_many(spent);
        }
        let forecast = Forecast::of(&hit, &reading, proof);
        if self.appender.append(&hit, forecast.from_shop).done().await.is_err() {
            let detail = "The hit could not be stored. Send it again.";
            let status = StatusCode::SERVICE_UNAVAILABLE;
            let mut reply = http::problem(status, "unavailable", detail, &[]);
            let later = HeaderValue::from_static(RETRY_AFTER);
            reply.headers_mut().insert(header::RETRY_AFTER, later);
            return reply;
        }
        let mut reply = verdict(&forecast, id);
        reply.headers_mut().insert(HIT, HeaderValue::from(id));
        if let Ok(outcome) = HeaderValue::from_str(&forecast.text()) {
            reply.headers_mut().insert(OUTCOME, outcome);
        }
        reply
    }
}

/// What a pixel gets that is not counted: nothing that could pass for the image.
fn no_image() -> Lines {
    let known = "content-type: image/gif\r\nx-content-type-options: nosniff\r\n";
    Lines::new(StatusCode::OK, known, "")
}

/// The honest answer to a server.
fn verdict(forecast: &Forecast, id: Id) -> Reply {
    let reason = forecast.faults.first().map(|(_, reason)| *reason);
    match reason {
        Some(reason @ Reason::CodeUnknown) => {
            http::problem(StatusCode::NOT_FOUND, reason.code(), reason.text(), &[])
        }
        Some(reason @ Reason::Unauthorized) => {
            let mut reply =
                http::problem(StatusCode::UNAUTHORIZED, reason.code(), reason.text(), &[]);
            let how = HeaderValue::from_static("Bearer");
            reply.headers_mut().insert(header::WWW_AUTHENTICATE, how);
            reply
        }
        Some(Reason::SignatureInvalid | Reason::SignatureStale) => {
            let (status, errors) = (StatusCode::UNAUTHORIZED, field_errors(&forecast.faults));
            let detail = "The signature does not hold.";
            http::problem(status, forecast.reason().unwrap_or("unauthorized"), detail, &errors)
        }
        Some(_) if forecast.outcome == "rejected" => {
            let (status, errors) =
                (StatusCode::UNPROCESSABLE_ENTITY, field_errors(&forecast.faults));
            let detail = "Some fields cannot be used. The hit was kept and is rejected.";
            http::problem(status, forecast.reason().unwrap_or("rejected"), detail, &errors)
        }
        _ => http::json(
            StatusCode::OK,
            &serde_json::json!({
                "hit": id.to_string(),
                "outcome": forecast.outcome,
                "reason": forecast.reason(),
            }),
        ),
    }
}

fn field_errors(faults: &[intake::Fault]) -> Vec<FieldError> {
    let error = |(field, reason): &intake::Fault| FieldError {
        pointer: format!("/{field}"),
        detail: reason.text().to_owned(),
    };
    faults.iter().map(error).collect()
}

/// Sends a buyer on: to the shop's page, by a page that links there, or nowhere but a thank-you.
fn send_on(code: &TrackingCode, hit: &Hit<'_>, by_link: bool) -> Lines {
    let Some(to) = code.redirect_url.as_deref().and_then(|template| redirect::fill(template, hit))
    else {
        return page(StatusCode::OK, "Thank you for your order.");
    };
    if by_link {
        let href = to.as_str().replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
        let link = format!("Thank you for your order. <a href=\"{href}\">Continue</a>");
        return page_of(StatusCode::OK, "Thank you for your order.", &link);
    }
    let known = "content-type: text/plain; charset=utf-8\r\nx-content-type-options: nosniff\r\n\
        cache-control: no-store\r\nreferrer-policy: strict-origin-when-cross-origin\r\n";
    let mut lines = Lines::new(StatusCode::SEE_OTHER, known, "");
    lines.put("location", to.as_str());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_is_a_gif_of_43_bytes() {
        assert_eq!(GIF.len(), 43);
        assert!(GIF.starts_with(b"GIF89a\x01\x00\x01\x00") && GIF.ends_with(b";"));
    }
}
