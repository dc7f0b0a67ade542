//! The operator's lobby: the portal has rooms for advertisers and affiliates, and he may look into each.

use askama::Template;
use hyper::StatusCode;

use super::Portal;
use super::page::{self, Bar, Frame, Refusal};
use crate::http::Reply;
use crate::store::portal::{self as rows, Tenant};

#[derive(Template)]
#[template(path = "operator.html", config = "src/portal/askama.toml")]
struct Lobby {
    frame: Frame,
    advertisers: Vec<Tenant>,
    affiliates: Vec<Tenant>,
}

/// The page with a link to each room.
pub async fn lobby(portal: &Portal, bar: Bar) -> Result<Reply, Refusal> {
    let tenants = rows::tenants(&portal.store).await?;
    let (advertisers, affiliates) = tenants.into_iter().partition(|tenant| tenant.sells);
    let frame = Frame::of("Operator", "Operator", false).with(bar);
    page::html(StatusCode::OK, &Lobby { frame, advertisers, affiliates })
}
