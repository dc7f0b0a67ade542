//! Tables as CSV (RFC 4180), with a header row. No cell is a formula to a spreadsheet.

use rust_decimal::Decimal;

use super::payout::is_formula;

/// Of a table.
pub const CONTENT_TYPE: &str = "text/csv; charset=utf-8";

/// A cell. Which it is its column says, never what it holds: an order id of digits is a text like every other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Ids, words, days.
    Text(String),
    /// Amounts and counts; there may be none.
    Number(Option<Decimal>),
}

/// A cell of a column of texts.
pub fn text(of: impl ToString) -> Cell {
    Cell::Text(of.to_string())
}

/// The same, where there may be none.
pub fn text_of<T: ToString>(of: Option<T>) -> Cell {
    Cell::Text(of.map(|of| of.to_string()).unwrap_or_default())
}

/// A cell of a column of numbers.
pub fn number(of: impl Into<Decimal>) -> Cell {
    Cell::Number(Some(of.into()))
}

/// A table in bytes. All but numbers are quoted: what stands in quotes is one cell, whatever separates a reader's cells,
/// and a text to those who tell texts from numbers by the quotes. Where there is no number, an empty text stands.
pub fn written<const N: usize>(records: &[[Cell; N]]) -> Vec<u8> {
    let mut table = String::new();
    for record in records {
        let cells = record.each_ref().map(|cell| match cell {
            Cell::Number(Some(number)) => number.to_string(),
            Cell::Number(None) => quoted(""),
            Cell::Text(text) => quoted(&neutral(text)),
        });
        table += &cells.join(",");
        table += "\r\n";
    }
    table.into_bytes()
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A text that no spreadsheet takes for a formula (OWASP, "CSV injection").
fn neutral(text: &str) -> String {
    if is_formula(text) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_neutralised() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1"] {
            assert_eq!(neutral(text), format!("'{text}"));
        }
        for text in ["", "summer", "2026-01-31", "a=b"] {
            assert_eq!(neutral(text), text);
        }
    }

    #[test]
    fn a_column_says_what_its_cells_are() {
        let check = |cell: Cell, expected: &str| {
            let table = written(&[[cell]]);
            assert_eq!(String::from_utf8(table).unwrap(), format!("{expected}\r\n"));
        };
        // Ids of orders: some a number could hold, some it could not.
        for id in ["1001", "1.50", "0", "A-1", "007", "1e5", "7516192768000000001", "a;b", "e\nf"] {
            check(text(id), &format!("\"{id}\""));
        }
        check(text(7), "\"7\"");
        check(text("-5"), "\"'-5\"");
        check(text("c\"d"), "\"c\"\"d\"");
        check(text_of(Some("x")), "\"x\"");
        check(text_of(None::<&str>), "\"\"");
        for amount in ["0", "7", "-1.20", "0.005", "12345678901234567.89"] {
            check(number(amount.parse::<Decimal>().unwrap()), amount);
        }
        check(number(12_i64), "12");
        check(Cell::Number(None), "\"\"");
    }

    #[test]
    fn a_row_is_a_line() {
        let table = written(&[["a", "b"].map(text), [text(1), number(1)]]);
        assert_eq!(table, b"\"a\",\"b\"\r\n\"1\",1\r\n");
    }
}
