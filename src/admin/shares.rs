//! `shares`: what affiliates have of others' sales, as another touch or as a recruiter. Whose the share is, is told
//! nothing of the sale but when it was made known: neither its order nor its amount, nor whose else it is.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{self, Answered, Call};
use super::conversions;
use super::input::Input;
use super::rules;
use super::shown::IdText;
use crate::store::shares::{self, Filter, Place};

/// What an affiliate has of another's sale.
#[derive(Serialize, ToSchema)]
pub(super) struct ShareOfSale {
    /// As a statement names it; the conversion itself is told to its own affiliate and to the advertiser.
    conversion_id: IdText,
    program_id: IdText,
    /// When the sale was made known.
    created_at: Timestamp,
    #[serde(flatten)]
    share: conversions::Share,
}

/// What a page begins behind, its rows at most, and of which shares it is.
pub(super) type Asked = (Option<Place>, i64, Filter);

/// `GET shares`
pub(super) async fn index(call: &Call<'_>) -> Answered {
    let mut query = call.query();
    let (before, limit, filter) = asked(&mut query);
    query.finish()?;
    let rows = shares::select(call.store(), call.scope(), (before, limit + 1), &filter).await?;
    let place = |row: &shares::Share| (row.conversion_id, row.share.part);
    Ok(call.list_by(limit, &rows, |row| rules::cursor_after_part(place(row)), view))
}

pub(super) fn asked(query: &mut Input) -> Asked {
    let limit = query.optional_or("limit", rules::LIMIT, rules::LIMIT_USUAL);
    let before = query.optional("cursor", rules::CURSOR_OF_PART);
    let (program_id, affiliate_id) = call::owners(query);
    let status = query.optional("status", rules::STATUS);
    (before, limit, Filter { program_id, affiliate_id, status })
}

fn view(row: &shares::Share) -> ShareOfSale {
    ShareOfSale {
        conversion_id: IdText(row.conversion_id),
        program_id: IdText(row.program_id),
        created_at: row.at,
        share: conversions::share(&row.share),
    }
}
