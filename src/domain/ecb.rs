//! The rates of the European Central Bank as it publishes them: XML of one day or of many, and the CSV of its
//! whole history. Takes a file's bytes, hands on rates. What is no rate is told, and then nothing of the file
//! is used; a currency that ISO 4217 no longer has is skipped.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::{Date, date};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use rust_decimal::Decimal;

use super::money::Currency;
use super::rates::{PER_EURO, Rate};

/// Who quotes them; each rate is kept with that.
pub const SOURCE: &str = "ECB";
/// Bytes of a file, at most: the history of 27 years has 2 MiB as CSV, and about four times that as XML.
pub const BYTES_MAX: usize = 16 << 20;
/// The euro's first day.
pub const FIRST_DAY: Date = date(1999, 1, 1);

/// What a file tells.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Each currency and day once, in the order of the file.
    pub rates: Vec<Rate>,
    /// Codes that are no currency's today.
    pub unknown: BTreeSet<String>,
}

/// Reads a file of either kind. `last` is the last day that anybody can know a rate of.
pub fn read(bytes: &[u8], last: Date) -> Result<Told, String> {
    if bytes.len() > BYTES_MAX {
        return Err(format!("the file has more than {BYTES_MAX} bytes"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let mut file = File { last, told: Told::default(), seen: HashMap::new() };
    match bytes {
        [b'<', ..] => file.xml(bytes)?,
        [b'D', b'a', b't', b'e', b',', ..] => file.csv(bytes)?,
        [b'P', b'K', 3, 4, ..] => return Err("this is a zip archive: unzip it first".to_owned()),
        _ => return Err("this is neither the bank's XML nor its history as CSV".to_owned()),
    }
    if file.told.rates.is_empty() {
        return Err("there is no rate in the file".to_owned());
    }
    Ok(file.told)
}

/// A file while it is read.
struct File {
    last: Date,
    told: Told,
    seen: HashMap<(Currency, Date), Decimal>,
}

impl File {
    /// `<Cube time='2026-01-02'><Cube currency='USD' rate='1.17'/>…</Cube>`, for one day or for many.
    fn xml(&mut self, bytes: &[u8]) -> Result<(), String> {
        let text = str::from_utf8(bytes).map_err(|_| "the XML is no UTF-8")?;
        let mut reader = Reader::from_str(text);
        let (mut on, mut depth) = (None, 0_usize);
        loop {
            let event = reader.read_event();
            match event.map_err(|error| format!("the XML cannot be read: {error}"))? {
                Event::Start(tag) => {
                    depth += 1;
                    self.cube(&tag, &mut on)?;
                }
                Event::Empty(tag) => self.cube(&tag, &mut on)?,
                Event::End(_) => depth = depth.saturating_sub(1),
                Event::Eof if depth > 0 => return Err("the file breaks off".to_owned()),
                Event::Eof => return Ok(()),
                _ => {}
            }
        }
    }

    fn cube(&mut self, tag: &BytesStart<'_>, on: &mut Option<Date>) -> Result<(), String> {
        if tag.local_name().as_ref() != "Cube" {
            return Ok(());
        }
        if let Some(time) = attribute(tag, "time")? {
            *on = Some(self.day(&time)?);
        }
        match (attribute(tag, "currency")?, attribute(tag, "rate")?) {
            (Some(currency), Some(rate)) => {
                let on = on.ok_or("there is a rate before any day")?;
                self.rate(&currency, on, &rate)
            }
            (None, None) => Ok(()),
            _ => Err("there is a currency without a rate, or a rate without a currency".to_owned()),
        }
    }

    /// `Date,USD,JPY,…,` and a line for each day, `N/A` where the bank quoted nothing.
    fn csv(&mut self, bytes: &[u8]) -> Result<(), String> {
        let unreadable = |error: csv::Error| format!("the CSV cannot be read: {error}");
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
        let currencies = reader.headers().map_err(unreadable)?.clone();
        for record in reader.records() {
            let record = record.map_err(unreadable)?;
            let on = self.day(record.get(0).unwrap_or(""))?;
            for (currency, rate) in currencies.iter().zip(&record).skip(1) {
                // Each line ends with a comma.
                if !matches!((currency, rate), ("", "") | (_, "" | "N/A")) {
                    self.rate(currency, on, rate)?;
                }
            }
        }
        Ok(())
    }

    fn day(&self, text: &str) -> Result<Date, String> {
        let day: Date = text.parse().map_err(|_| format!("`{}` is no day", short(text)))?;
        match (FIRST_DAY..=self.last).contains(&day) {
            true => Ok(day),
            false => Err(format!("nobody can know rates of {day}")),
        }
    }

    fn rate(&mut self, code: &str, on: Date, rate: &str) -> Result<(), String> {
        let is_code = code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase());
        if !is_code {
            return Err(format!("`{}` is no currency's code", short(code)));
        }
        let per_euro = Decimal::from_str_exact(rate).ok().filter(|rate| PER_EURO.contains(rate));
        let per_euro =
            per_euro.ok_or_else(|| format!("{code} on {on}: `{}` is no rate", short(rate)))?;
        let Some(currency) = Currency::parse(code).filter(|known| *known != Currency::EUR) else {
            self.told.unknown.insert(code.to_owned());
            return Ok(());
        };
        match self.seen.insert((currency, on), per_euro) {
            None => self.told.rates.push(Rate { currency, on, per_euro }),
            Some(before) if before == per_euro => {}
            Some(before) => return Err(format!("{code} on {on} is both {before} and {per_euro}")),
        }
        Ok(())
    }
}

/// The beginning of what was not understood: a file may have megabytes of it.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Result<Option<String>, String> {
    let found = tag.try_get_attribute(name);
    let found = found.map_err(|error| format!("the XML cannot be read: {error}"))?;
    Ok(found.map(|attribute| attribute.value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xml(days: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <gesmes:Envelope xmlns:gesmes=\"http://www.gesmes.org/xml/2002-08-01\" xmlns=\"http://www.ecb.int/vocabulary/2002-08-01/eurofxref\">\n\
             <gesmes:subject>Reference rates</gesmes:subject>\n\
             <gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>\n\
             <Cube>{days}</Cube></gesmes:Envelope>"
        )
    }

    fn told(file: &str) -> Result<(Vec<String>, Vec<String>), String> {
        let told = read(file.as_bytes(), date(2026, 1, 3))?;
        let line = |rate: &Rate| format!("{} {} {}", rate.on, rate.currency.code(), rate.per_euro);
        Ok((told.rates.iter().map(line).collect(), told.unknown.into_iter().collect()))
    }

    fn check(file: &str, rates: &[&str], unknown: &[&str]) {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(told(file), Ok((texts(rates), texts(unknown))), "{file}");
    }

    #[test]
    fn files_of_either_kind() {
        let one = "<Cube time='2026-01-02'><Cube currency='USD' rate='1.1721'/>\
                   <Cube currency='JPY' rate='183.75'/></Cube>";
        let two = "<Cube time=\"2026-01-02\"><Cube currency=\"USD\" rate=\"1.1721\"/></Cube>\
                   <Cube time=\"2025-12-31\"><Cube currency=\"USD\" rate=\"1.175\"></Cube>\
                   <Cube currency=\"TRL\" rate=\"1.1\"/></Cube>";
        check(&xml(one), &["2026-01-02 USD 1.1721", "2026-01-02 JPY 183.75"], &[]);
        check(&xml(two), &["2026-01-02 USD 1.1721", "2025-12-31 USD 1.175"], &["TRL"]);
        check(
            "\u{feff}Date,USD,TRL,BGN,\r\n2026-01-02,1.1721,N/A,N/A,\r\n2025-12-31,1.175,1.1,1.9558,\r\n",
            &["2026-01-02 USD 1.1721", "2025-12-31 USD 1.175", "2025-12-31 BGN 1.9558"],
            &["TRL"],
        );
        // The same twice is told once; tomorrow it is already somewhere.
        check("Date,USD\n2026-01-03,1.1\n2026-01-03,1.10\n", &["2026-01-03 USD 1.1"], &[]);
        check("Date,USD,EUR\n1999-01-01,1.1,1\n", &["1999-01-01 USD 1.1"], &["EUR"]);
    }

    #[test]
    fn what_is_no_rate_stops_the_whole_file() {
        let day = |cubes: &str| xml(&format!("<Cube time='2026-01-02'>{cubes}</Cube>"));
        for (file, words) in [
            (String::new(), "neither"),
            ("{}".to_owned(), "neither"),
            ("PK\u{3}\u{4}x".to_owned(), "unzip"),
            ("<html><body>Moved</body></html>".to_owned(), "no rate in the file"),
            ("Date,USD,\n".to_owned(), "no rate in the file"),
            ("Date,USD,\n2026-01-02,N/A,\n".to_owned(), "no rate in the file"),
            ("Date,USD,\n2026-01-02,0,\n".to_owned(), "`0` is no rate"),
            ("Date,USD,\n2026-01-02,-1.1,\n".to_owned(), "is no rate"),
            ("Date,USD,\n2026-01-02,1e3,\n".to_owned(), "is no rate"),
            ("Date,USD,\n2026-01-02,NaN,\n".to_owned(), "is no rate"),
            ("Date,USD,\n2026-01-02,9999999999,\n".to_owned(), "is no rate"),
            ("Date,USD,\n2026-01-04,1.1,\n".to_owned(), "nobody can know"),
            ("Date,USD,\n1998-12-31,1.1,\n".to_owned(), "nobody can know"),
            ("Date,USD,\n2 January 2026,1.1,\n".to_owned(), "is no day"),
            ("Date,USD,\n2026-01-02\n".to_owned(), "cannot be read"),
            ("Date,Dollar,\n2026-01-02,1.1,\n".to_owned(), "no currency's code"),
            ("Date,USD\n2026-01-02,1.1\n2026-01-02,1.2\n".to_owned(), "both 1.1 and 1.2"),
            (day("<Cube currency='USD' rate='0.0'/>"), "is no rate"),
            (day("<Cube currency='USD'/>"), "without a rate"),
            (day("<Cube rate='1'/>"), "without a currency"),
            (xml("<Cube currency='USD' rate='1.1'/>"), "before any day"),
            (
                day("<Cube currency='USD' rate='1.1'/>").replace("</gesmes:Envelope>", ""),
                "breaks off",
            ),
            (day("<Cube currency='USD' rate='1.1'/></Cube></Cube>"), "cannot be read"),
        ] {
            let error = told(&file).expect_err(&file);
            assert!(error.contains(words), "{file}: {error}");
        }
        assert!(read(&vec![b' '; BYTES_MAX + 1], date(2026, 1, 3)).unwrap_err().contains("more"));
    }
}
