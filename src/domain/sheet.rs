//! Tables as CSV (RFC 4180), with a header row. No cell is a formula to a spreadsheet.

use super::payout::is_formula;

/// Of a table.
pub const CONTENT_TYPE: &str = "text/csv; charset=utf-8";

/// A table in bytes.
pub fn written<const N: usize>(records: &[[String; N]]) -> Vec<u8> {
    let terminator = csv::Terminator::CRLF;
    // All but numbers are quoted: what stands in quotes is one cell, whatever separates a reader's cells.
    let mut builder = csv::WriterBuilder::new();
    builder.terminator(terminator).quote_style(csv::QuoteStyle::NonNumeric);
    let mut writer = builder.from_writer(Vec::new());
    for record in records {
        // Into memory, and every record has N fields: there is nothing that could fail.
        let _ = writer.write_record(record);
    }
    writer.into_inner().unwrap_or_default()
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
}
