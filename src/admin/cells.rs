//! Tables as CSV, to be saved.

use crate::domain::sheet;
pub(super) use crate::domain::sheet::neutral;
use crate::http::{self, Reply};

/// A table to be saved under a name.
pub(super) fn sheet<const N: usize>(name: &str, records: &[[String; N]]) -> Reply {
    http::saved(name, sheet::CONTENT_TYPE, sheet::written(records))
}
