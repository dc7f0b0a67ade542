//! A shop's own list of orders, as a program of its exports it: bytes in pieces of any size become lines, and each
//! line what it says of one order. Keeps one line at a time, whatever the size of the list. What is wrong with a
//! line is told with the line; only a list without a column of order ids is no list.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};

use super::money::Currency;

mod columns;
mod kinds;
mod line;
mod words;

pub use columns::Unusable;
use columns::{Columns, separator};
pub use kinds::Kind;
pub use line::Line;
use line::{QUOTE_UNCLOSED, cell, fill};
pub use words::{Said, WORDS};

/// Bytes of a line, at most.
pub const LINE_BYTES_MAX: usize = 64 << 10;
/// Columns, at most.
const COLUMNS_MAX: usize = 512;
/// What a file of UTF-8 may begin with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A list that is being read.
pub struct List {
    home: Currency,
    /// The first line, until it is whole: it tells what separates the cells.
    head: Vec<u8>,
    began: bool,
    columns: Option<Columns>,
    reader: Reader,
    /// The cells of the line at hand, one behind the other, and where each ends.
    cells: Vec<u8>,
    ends: Vec<usize>,
    filled: usize,
    ended: usize,
    is_too_long: bool,
    /// Line feeds within it: it goes on behind them, for they are quoted.
    breaks: u64,
}

impl List {
    /// Of an advertiser of this currency.
    pub fn new(home: Currency) -> Self {
        List {
            home,
            head: Vec::new(),
            began: false,
            columns: None,
            reader: Reader::new(),
            cells: vec![0; LINE_BYTES_MAX],
            ends: vec![0; COLUMNS_MAX],
            filled: 0,
            ended: 0,
            is_too_long: false,
            breaks: 0,
        }
    }

    /// Whether the header was read, and is one.
    pub fn has_begun(&self) -> bool {
        self.columns.is_some()
    }

    /// Reads on, and tells each line that is whole.
    pub fn read(&mut self, bytes: &[u8], tell: &mut impl FnMut(Line)) -> Result<(), Unusable> {
        if self.began {
            return self.parse(bytes, tell);
        }
        self.head.extend_from_slice(bytes);
        match self.head.trim_ascii_start().contains(&b'\n') {
            true => self.begin(tell),
            false if self.head.len() > LINE_BYTES_MAX => Err(Unusable::HeaderTooLong),
            false => Ok(()),
        }
    }

    /// There is no more.
    pub fn end(&mut self, tell: &mut impl FnMut(Line)) -> Result<(), Unusable> {
        if !self.began {
            self.begin(tell)?;
        }
        // A last line may lack its end. What is not over with that is a quote that nobody closed.
        self.parse(b"\n", tell)?;
        // To the reader, nothing more is the end.
        while self.step(&[], tell)?.is_some() {}
        if self.has_begun() { Ok(()) } else { Err(Unusable::Empty) }
    }

    fn begin(&mut self, tell: &mut impl FnMut(Line)) -> Result<(), Unusable> {
        self.began = true;
        let head = std::mem::take(&mut self.head);
        let text = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&head);
        let separator = separator(text);
        // By line feeds alone, so that lines can be counted; what is left of a CR LF is trimmed away.
        let ends = Terminator::Any(b'\n');
        self.reader = ReaderBuilder::new().delimiter(separator).terminator(ends).build();
        self.parse(text, tell)
    }

    fn parse(&mut self, mut bytes: &[u8], tell: &mut impl FnMut(Line)) -> Result<(), Unusable> {
        while !bytes.is_empty() {
            let Some(read) = self.step(bytes, tell)? else { break };
            bytes = &bytes[read..];
        }
        Ok(())
    }

    /// Goes on to the end of the bytes or of a line; how many bytes that took, unless nothing is left to read.
    fn step(
        &mut self,
        bytes: &[u8],
        tell: &mut impl FnMut(Line),
    ) -> Result<Option<usize>, Unusable> {
        let (cells, ends) = (&mut self.cells[self.filled..], &mut self.ends[self.ended..]);
        let (result, read, filled, ended) = self.reader.read_record(bytes, cells, ends);
        let breaks = cells[..filled].iter().filter(|byte| **byte == b'\n').count();
        self.breaks += u64::try_from(breaks).unwrap_or_default();
        self.filled += filled;
        self.ended += ended;
        match result {
            ReadRecordResult::InputEmpty => {}
            // The rest of the line is read over what there is of it: it is not kept.
            ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                (self.filled, self.ended, self.is_too_long) = (0, 0, true);
            }
            ReadRecordResult::Record => {
                self.line(bytes.is_empty(), tell)?;
                (self.filled, self.ended, self.is_too_long, self.breaks) = (0, 0, false, 0);
            }
            ReadRecordResult::End => return Ok(None),
        }
        Ok(Some(read))
    }

    fn line(&mut self, is_unclosed: bool, tell: &mut impl FnMut(Line)) -> Result<(), Unusable> {
        // The reader has counted the line feeds within it already, and the one behind it, if it has any.
        let behind = self.breaks + u64::from(!is_unclosed);
        let number = self.reader.line().saturating_sub(behind).cast_signed();
        let Some(columns) = &self.columns else {
            if self.is_too_long {
                return Err(Unusable::HeaderTooLong);
            }
            let names = (0..self.ended).map(|at| cell(&self.cells, &self.ends, at));
            let names: Vec<&str> = names.map(|name| name.unwrap_or("")).collect();
            if names.iter().any(|name| !name.is_empty()) {
                self.columns = Some(Columns::of(&names)?);
            }
            return Ok(());
        };
        let mut line = Line {
            number,
            order_id: None,
            amount: None,
            currency: self.home,
            refunded: None,
            said: Said::Silent,
            word: None,
            fault: None,
        };
        if self.is_too_long {
            line.fault = Some("line_too_long");
        } else if is_unclosed {
            line.fault = Some(QUOTE_UNCLOSED);
        } else {
            let (cells, ends) = (&self.cells, &self.ends[..self.ended]);
            if (0..ends.len()).all(|at| cell(cells, ends, at) == Some("")) {
                return Ok(());
            }
            line.fault = fill(&mut line, columns, |at| cell(cells, ends, at)).err();
        }
        tell(line);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line as one text; the same however the list is cut.
    fn read(list: &[u8]) -> Result<Vec<String>, Unusable> {
        let cut = |size: usize| {
            let (mut told, mut reader) = (Vec::new(), List::new(Currency::parse("USD").unwrap()));
            let mut tell = |line: Line| told.push(text(&line));
            for piece in list.chunks(size) {
                reader.read(piece, &mut tell)?;
            }
            reader.end(&mut tell)?;
            Ok(told)
        };
        let whole = cut(list.len().max(1));
        for size in [1, 2, 3, 7, 4096] {
            assert_eq!(cut(size), whole, "in pieces of {size}");
        }
        whole
    }

    fn text(line: &Line) -> String {
        let or = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        format!(
            "{} {} {} {} {} {} {}",
            line.number,
            or(line.order_id.clone()),
            or(line.amount.map(|a| a.to_string())),
            line.currency.code(),
            or(line.refunded.map(|a| a.to_string())),
            line.said.code(),
            line.fault.unwrap_or("-")
        )
    }

    fn check(list: impl AsRef<[u8]>, expected: &[&str]) {
        let list = list.as_ref();
        let told = read(list).unwrap();
        assert_eq!(told, expected, "{}", String::from_utf8_lossy(list));
    }

    #[test]
    fn lists_as_shops_export_them() {
        check(
            "order_id,amount\n1,19.95\n2,20\n",
            &["2 1 19.95 USD - silent -", "3 2 20.00 USD - silent -"],
        );
        // The last line may lack its end; lines may end with CR LF, and be empty.
        check(
            "id,total\r\n\r\n1,5\r\n,\r\n2,6",
            &["3 1 5.00 USD - silent -", "5 2 6.00 USD - silent -"],
        );
        check(
            "\u{feff}Order ID;Amount;Status\n#1;1.234,50;Paid\n",
            &["2 #1 1234.50 USD - confirmed -"],
        );
        check("ORDER\tcurrency\ttotal\nA-1\teur\t12,34\n", &["2 A-1 12.34 EUR - silent -"]);
        check(
            "\"Id\",\"Note; or, what\",\"Status\"\n\"a,b\",\"two\nlines; \"\"quoted\"\"\",on-hold\n",
            &["2 a,b - USD - open -"],
        );
        check(
            "Order Number,Financial Status,Refunded Amount,Currency\n7,partially_refunded,-5.00,\n",
            &["2 7 - USD 5.00 partly -"],
        );
        // An id proper goes before what may be the shop's own number of the row.
        check("id,order_id\n1,A\n", &["2 A - USD - silent -"]);
        // Cells may be left out at the end.
        check("id,amount,status\n1\n", &["2 1 - USD - silent -"]);
        check("id", &[]);
        // One spelling of one id: NFC.
        check("id\ncafe\u{301}\n", &["2 caf\u{e9} - USD - silent -"]);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        check(
            "id,amount,currency,refunded\n,5,,\n1,abc,,\n2,5,ABC,\n3,\"1,000.5\",KWD,\n4,5,,x\n5,10.5,JPY,\n",
            &[
                "2 - - USD - silent order_id_missing",
                "3 1 - USD - silent amount_invalid",
                "4 2 - USD - silent currency_unknown",
                "5 3 1000.500 KWD - silent -",
                "6 4 5.00 USD - silent refunded_unreadable",
                "7 5 - JPY - silent amount_precision",
            ],
        );
        check(
            b"id,amount\n\xff,5\nok,\xfe\n",
            &["2 - - USD - silent not_utf8", "3 ok - USD - silent not_utf8"],
        );
        let long = format!("id\n{}\n", "x".repeat(129));
        check(long, &["2 - - USD - silent order_id_too_long"]);
    }

    #[test]
    fn a_broken_quote_is_told_with_the_line_that_it_begins_on() {
        for list in ["id,amount\n1,5\n\"2,5\n3,6\n", "id,amount\n1,5\n2,\"5\n3,6\n4,7"] {
            check(list, &["2 1 5.00 USD - silent -", "3 - - USD - silent quote_unclosed"]);
        }
        // The next quote closes it; what follows is read again.
        check(
            "id,amount,note\r\n1,\"5,\r\n2,6,\"ok\"\r\n\r\n3,7,\r\n",
            &["2 - - USD - silent quote_unclosed", "5 3 7.00 USD - silent -"],
        );
        // A note may have several lines.
        check(
            "id,note,amount\n1,\"a\nb\n\",5\n\n\n2,\"\n\",6\n3,,7",
            &["2 1 5.00 USD - silent -", "7 2 6.00 USD - silent -", "9 3 7.00 USD - silent -"],
        );
        // Also where it is the last thing, or more than a line may have.
        check("id\n1\n\"", &["2 1 - USD - silent -", "3 - - USD - silent quote_unclosed"]);
        let long = format!("id\n1\n\"{}\"\n2\n", "x\n".repeat(LINE_BYTES_MAX));
        let last = format!("{} 2 - USD - silent -", LINE_BYTES_MAX + 4);
        check(long, &["2 1 - USD - silent -", "3 - - USD - silent line_too_long", &last]);
    }

    #[test]
    fn a_line_without_end_takes_no_more_room_than_another() {
        let (mut list, mut told) = (List::new(Currency::parse("USD").unwrap()), Vec::new());
        let mut tell = |line: Line| told.push(text(&line));
        list.read(b"id,amount\n1,5\n\"", &mut tell).unwrap();
        for _ in 0..160 {
            list.read(&[b'x'; 64 << 10], &mut tell).unwrap();
        }
        list.read(b"\",6\n2,7\n", &mut tell).unwrap();
        list.read(&[b','; 2 * COLUMNS_MAX], &mut tell).unwrap();
        list.read(b"\n3,8\n", &mut tell).unwrap();
        list.end(&mut tell).unwrap();
        assert_eq!(list.cells.len(), LINE_BYTES_MAX);
        let expected = [
            "2 1 5.00 USD - silent -",
            "3 - - USD - silent line_too_long",
            "4 2 7.00 USD - silent -",
            "5 - - USD - silent line_too_long",
            "6 3 8.00 USD - silent -",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_no_list() {
        for (list, fault) in [
            (&b""[..], Unusable::Empty),
            (b"\n\n", Unusable::Empty),
            (b"amount,total\n5,6\n", Unusable::NoOrderId),
            (b"\xff\xfei\0d\0\n\0", Unusable::NoOrderId),
            (b"orders\n1\n", Unusable::NoOrderId),
        ] {
            assert_eq!(read(list), Err(fault), "{list:?}");
        }
        let endless = vec![b'x'; LINE_BYTES_MAX + 1];
        assert_eq!(read(&endless), Err(Unusable::HeaderTooLong));
    }
}
