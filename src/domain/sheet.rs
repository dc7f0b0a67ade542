//! Tables as CSV (RFC 4180), with a header row. No cell is a formula to a spreadsheet.

use super::payout::is_formula;

/// Of a table.
pub const CONTENT_TYPE: &str = "text/csv; charset=utf-8";

/// Digits that a spreadsheet keeps of a number (IEEE 754, double precision).
const DIGITS_MAX: usize = 15;

/// A table in bytes. All but numbers are quoted: what stands in quotes is one cell, whatever separates a reader's cells,
/// and a text to those who tell texts from numbers by the quotes.
pub fn written<const N: usize>(records: &[[String; N]]) -> Vec<u8> {
    let mut table = String::new();
    for record in records {
        let cells = record.each_ref().map(|cell| match is_number(cell) {
            true => cell.clone(),
            false => format!("\"{}\"", cell.replace('"', "\"\"")),
        });
        table += &cells.join(",");
        table += "\r\n";
    }
    table.into_bytes()
}

/// Whether a cell loses nothing as a number. An id does: it has more digits than a number keeps. So does what begins with
/// a zero before others.
fn is_number(cell: &str) -> bool {
    let text = cell.strip_prefix('-').unwrap_or(cell);
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let led_by_zero = whole.len() > 1 && whole.starts_with('0');
    let count = text.bytes().filter(u8::is_ascii_digit).count();
    digits(whole) && digits(part) && !led_by_zero && count <= DIGITS_MAX
}

/// A text that no spreadsheet takes for a formula (OWASP, "CSV injection").
pub fn neutral(text: &str) -> String {
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
    fn cells_are_quoted_where_they_must_be() {
        let records =
            [["a;b".to_owned(), "c\"d".to_owned()], ["e\nf".to_owned(), "1.20".to_owned()]];
        assert_eq!(written(&records), b"\"a;b\",\"c\"\"d\"\r\n\"e\nf\",1.20\r\n");
    }

    #[test]
    fn what_a_number_would_lose_is_a_text() {
        for number in ["0", "7", "-1.20", "0.005", "123456789012345", "1234567890123.45"] {
            assert_eq!(written(&[[number.to_owned()]]), format!("{number}\r\n").into_bytes());
        }
        for text in [
            "7516192768000000001",
            "1234567890123456",
            "12345678901234.56",
            "007",
            "1e5",
            "inf",
            "NaN",
            "1.",
            ".5",
            "-",
            "",
            "+1",
            "2026-01",
        ] {
            assert_eq!(written(&[[text.to_owned()]]), format!("\"{text}\"\r\n").into_bytes());
        }
    }
}
