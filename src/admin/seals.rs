//! `advertisers/{id}/seals`: hashes of an advertiser's transfers, for him to keep elsewhere.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::advertisers;
use super::call::{self, Answered, Call, one_more};
use super::shown::IdText;
use crate::store::seals;

/// A block of an advertiser's transfers, sealed together with all that was sealed before.
#[derive(Serialize, ToSchema)]
pub(super) struct Seal {
    /// 1, 2, …
    #[schema(example = 1)]
    number: i64,
    /// The first of its transfers.
    first_id: IdText,
    /// The last of them.
    last_id: IdText,
    /// How many there are.
    #[schema(example = 120)]
    transfers: i32,
    /// SHA-256, as hexadecimal digits. What it is of stands in the product's documentation, in `docs/DATA.md`.
    #[schema(example = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    hash: String,
    sealed_at: Timestamp,
}

/// `GET advertisers/{id}/seals`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let advertiser_id = call.id()?;
    advertisers::find(call, advertiser_id).await?;
    let mut query = call.query();
    let page = call::page(&mut query);
    query.finish()?;
    let rows = seals::select(call.store(), call.scope(), advertiser_id, one_more(page)).await?;
    Ok(call.list(page, &rows, |row| row.number, view))
}

fn view(seal: &seals::Seal) -> Seal {
    Seal {
        number: seal.number,
        first_id: IdText(seal.first_id),
        last_id: IdText(seal.last_id),
        transfers: seal.transfers,
        hash: seal.hash.clone(),
        sealed_at: seal.sealed_at,
    }
}
