//! The portal, `/`: pages for affiliates and advertisers.

use hyper::body::Incoming;
use hyper::{Request, StatusCode};

use crate::http::{self, Reply};
use crate::store::Store;

/// What the pages need.
pub struct Portal {
    /// The books.
    pub store: Store,
    /// The edge's address as the world sees it, without a slash at its end.
    pub public_base: String,
    /// SHA-256 of the operator's first key, a setting.
    pub operator_key_hash: Option<[u8; 32]>,
    /// For a request's body.
    pub body_timeout: std::time::Duration,
}

/// Answers one request for a page or an asset.
pub async fn answer(_portal: &Portal, _request: Request<Incoming>) -> Reply {
    http::problem(StatusCode::NOT_FOUND, "not_found", "There is nothing here.", &[])
}
