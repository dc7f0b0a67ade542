//! One line of a list: its cells to what it says of an order.

use rust_decimal::Decimal;

use super::Said;
use super::columns::Columns;
use crate::domain::intake;
use crate::domain::money::{Currency, parse_amount};

/// Characters of a status that are kept.
const WORD_CHARS_MAX: usize = 64;
/// A quote that nobody closed has swallowed lines, of whose orders nothing is known.
pub(super) const QUOTE_UNCLOSED: &str = "quote_unclosed";

/// What one line says of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Line {
    /// Of the file, the one that it begins on; 1 is the header.
    pub number: i64,
    /// In its one spelling; absent when it cannot be read.
    pub order_id: Option<String>,
    pub amount: Option<Decimal>,
    /// The advertiser's, where the line names none.
    pub currency: Currency,
    pub refunded: Option<Decimal>,
    pub said: Said,
    /// The status as it is written there.
    pub word: Option<String>,
    /// Why the line cannot be read, a stable code.
    pub fault: Option<&'static str>,
}

/// A cell without the spaces around it; empty where the line has none, nothing where it is not UTF-8.
pub(super) fn cell<'a>(cells: &'a [u8], ends: &[usize], at: usize) -> Option<&'a str> {
    let Some(end) = ends.get(at) else { return Some("") };
    let start = if at == 0 { 0 } else { ends[at - 1] };
    std::str::from_utf8(&cells[start..*end]).ok().map(str::trim)
}

/// Reads the cells of a line; what is wrong with the first that is. The order id comes first: a line that names
/// its order is in the list, whatever else is wrong with it.
pub(super) fn fill<'a>(
    line: &mut Line,
    columns: &Columns,
    cell: impl Fn(usize) -> Option<&'a str>,
) -> Result<(), &'static str> {
    let optional = |at: Option<usize>| match at.map(&cell) {
        Some(None) => Err("not_utf8"),
        Some(Some(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        None => Ok(None),
    };
    let order_id = optional(Some(columns.order_id))?.ok_or("order_id_missing")?;
    // None of these has several lines; a quote in the wrong place made one of them.
    if columns.read().any(|at| cell(at).is_some_and(|text| text.contains(['\n', '\r']))) {
        return Err(QUOTE_UNCLOSED);
    }
    line.order_id = Some(intake::normal_order_id(order_id).map_err(|reason| reason.code())?);
    if let Some(word) = optional(columns.status)? {
        line.said = Said::of(word);
        let kept = word.chars().filter(|c| *c != '\0').take(WORD_CHARS_MAX);
        line.word = Some(kept.collect());
    }
    if let Some(code) = optional(columns.currency)? {
        line.currency = Currency::parse(code).ok_or("currency_unknown")?;
    }
    if let Some(amount) = optional(columns.amount)? {
        let amount = parse_amount(amount, line.currency).map_err(|reason| reason.code())?;
        line.amount = Some(amount.amount);
    }
    if let Some(refunded) = optional(columns.refunded)? {
        // Some shops say it with a minus.
        let refunded = refunded.strip_prefix(['-', '\u{2212}']).unwrap_or(refunded);
        let refunded = parse_amount(refunded, line.currency).map_err(|_| "refunded_unreadable")?;
        line.refunded = Some(refunded.amount);
    }
    Ok(())
}
