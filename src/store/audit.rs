//! The invariants of the books, as queries that return no rows when all is well.

use super::{During, Error, Store};
use crate::domain::id::Id;

const AS_A_WHOLE: &str = include_str!("../../sql/audit/whole.sql");
/// Each invariant by its name.
const INVARIANTS: [(&str, &str); 22] = [
    ("hit_without_outcome", include_str!("../../sql/audit/hit_without_outcome.sql")),
    ("status_without_money", include_str!("../../sql/audit/status_without_money.sql")),
    ("conversion_without_hit", include_str!("../../sql/audit/conversion_without_hit.sql")),
    ("hit_without_conversion", include_str!("../../sql/audit/hit_without_conversion.sql")),
    ("transfer_of_another", include_str!("../../sql/audit/transfer_of_another.sql")),
    ("payable_without_release", include_str!("../../sql/audit/payable_without_release.sql")),
    ("transfer_without_cause", include_str!("../../sql/audit/transfer_without_cause.sql")),
    ("accrued_more_than_once", include_str!("../../sql/audit/accrued_more_than_once.sql")),
    ("reversed_beyond", include_str!("../../sql/audit/reversed_beyond.sql")),
    ("refunded_otherwise", include_str!("../../sql/audit/refunded_otherwise.sql")),
    ("share_of_another_status", include_str!("../../sql/audit/share_of_another_status.sql")),
    ("conversion_of_nobody", include_str!("../../sql/audit/conversion_of_nobody.sql")),
    ("click_without_hit", include_str!("../../sql/audit/click_without_hit.sql")),
    ("seal_broken", include_str!("../../sql/audit/seal_broken.sql")),
    ("seal_misses", include_str!("../../sql/audit/seal_misses.sql")),
    ("payout_item_twice", include_str!("../../sql/audit/payout_item_twice.sql")),
    ("payout_without_pay", include_str!("../../sql/audit/payout_without_pay.sql")),
    ("payout_sum", include_str!("../../sql/audit/payout_sum.sql")),
    ("payable_not_footing", include_str!("../../sql/audit/payable_not_footing.sql")),
    ("exchange_one_legged", include_str!("../../sql/audit/exchange_one_legged.sql")),
    (
        "adjustment_without_transfer",
        include_str!("../../sql/audit/adjustment_without_transfer.sql"),
    ),
    ("month_booked_otherwise", include_str!("../../sql/audit/month_booked_otherwise.sql")),
];

/// All that there is.
pub const WHOLE: Id = Id::MIN;

/// Runs every invariant on what is as new as the id `since`, all on one snapshot; returns each with the number
/// of rows that break it.
pub async fn run(store: &Store, since: Id) -> Result<Vec<(&'static str, usize)>, Error> {
    let mut client = store.client("audit").await?;
    let begin = client.build_transaction().read_only(true);
    let level = tokio_postgres::IsolationLevel::RepeatableRead;
    let tx = begin.isolation_level(level).start().await.during("audit")?;
    if since == WHOLE {
        tx.batch_execute(AS_A_WHOLE).await.during("audit.whole")?;
    }
    let mut found = Vec::with_capacity(INVARIANTS.len());
    for (name, sql) in INVARIANTS {
        found.push((name, tx.query(sql, &[&since]).await.during(name)?.len()));
    }
    Ok(found)
}
