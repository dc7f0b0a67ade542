//! What the columns of a list are called, and what separates them.

/// Names, in small letters, with one underscore for what stands between words; the first that is there counts.
const ORDER_ID: &[&str] = &["order_id", "order", "order_number", "id"];
const AMOUNT: &[&str] = &["amount", "total"];
const CURRENCY: &[&str] = &["currency"];
const STATUS: &[&str] = &["status", "financial_status"];
const REFUNDED: &[&str] = &["refunded", "refunded_amount"];

/// Why a list cannot be read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// No column is called as one of order ids is.
    NoOrderId,
    /// There is nothing in it, not even a header.
    Empty,
    /// The first line has no end.
    HeaderTooLong,
}

/// Where what is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub order_id: usize,
    pub amount: Option<usize>,
    pub currency: Option<usize>,
    pub status: Option<usize>,
    pub refunded: Option<usize>,
}

impl Columns {
    /// By the cells of the header.
    pub fn of(names: &[&str]) -> Result<Self, Unusable> {
        let names: Vec<String> = names.iter().map(|name| plain(name)).collect();
        let at = |known: &[&str]| {
            known.iter().find_map(|known| names.iter().position(|name| name == known))
        };
        Ok(Columns {
            order_id: at(ORDER_ID).ok_or(Unusable::NoOrderId)?,
            amount: at(AMOUNT),
            currency: at(CURRENCY),
            status: at(STATUS),
            refunded: at(REFUNDED),
        })
    }

    /// Those that are read.
    pub fn read(&self) -> impl Iterator<Item = usize> {
        let others = [self.amount, self.currency, self.status, self.refunded];
        others.into_iter().flatten().chain([self.order_id])
    }
}

/// Small letters, and one underscore for what stands between words.
pub(super) fn plain(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c == '_' || c == '-');
    let words: Vec<String> = words.filter(|w| !w.is_empty()).map(str::to_lowercase).collect();
    words.join("_")
}

/// What separates the cells of a header: whatever it has the most of outside quotes; a comma, if none.
pub(super) fn separator(header: &[u8]) -> u8 {
    let (mut counts, mut quoted) = ([(b',', 0), (b';', 0), (b'\t', 0)], false);
    for byte in header.iter().skip_while(|byte| byte.is_ascii_whitespace() && **byte != b'\t') {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            _ if quoted => {}
            byte => counts.iter_mut().filter(|c| c.0 == *byte).for_each(|c| c.1 += 1),
        }
    }
    let most = counts.iter().rev().max_by_key(|(_, count)| *count);
    most.map_or(b',', |(byte, _)| *byte)
}
