//! Tables as CSV, to be saved.

use crate::domain::sheet::{self, Cell};
use crate::http::{self, Reply};

/// A table to be saved under a name.
pub(super) fn sheet<const N: usize>(name: &str, records: &[[Cell; N]]) -> Reply {
    http::saved(name, sheet::CONTENT_TYPE, sheet::written(records))
}
