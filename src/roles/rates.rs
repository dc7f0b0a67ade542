//! `tributary rates import`: a file of the European Central Bank, from a disk or the web, into the books. All
//! of it is read before any of it is kept.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;
use std::path::Path;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use url::Url;

use super::{Error, now_ms, store};
use crate::config::{BadSetting, RatesImport};
use crate::domain::ecb;
use crate::http::outgoing;
use crate::store::migrate;
use crate::store::rates::{self, Imported};

/// Rates that are told one by one because another one stands.
const DIFFERING_TOLD: usize = 20;

/// What an import found and did, to a person.
#[derive(Debug)]
pub struct RatesReport {
    /// Rates of the file.
    pub told: usize,
    /// Its first day and its last.
    pub days: (Date, Date),
    /// Codes that are no currency's today: skipped.
    pub unknown: BTreeSet<String>,
    /// What became of the others.
    pub imported: Imported,
}

/// Reads the bank's file and keeps what is new.
pub async fn import_rates(asked: &RatesImport) -> Result<RatesReport, Error> {
    let store = store(&asked.settings)?;
    migrate::check(&store).await?;
    let bytes = match &asked.file {
        Some(path) => read(path)?,
        None => fetch(&asked.rates_url).await?,
    };
    let told = ecb::read(&bytes, last_day()?)?;
    let days = told.rates.iter().map(|rate| rate.on);
    let days = days.clone().min().zip(days.max()).ok_or("there is no rate in the file")?;
    let imported = rates::import(&store, &told.rates, ecb::SOURCE).await?;
    Ok(RatesReport { told: told.rates.len(), days, unknown: told.unknown, imported })
}

fn read(path: &Path) -> Result<Bytes, Error> {
    let unreadable = |error| format!("cannot read {}: {error}", path.display());
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(ecb::BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes.into())
}

async fn fetch(address: &str) -> Result<Bytes, Error> {
    let bad = |fault: &str| BadSetting("rates-url", fault.to_owned());
    let url: Url = address.parse().map_err(|_| bad("must be an absolute http or https URL"))?;
    match outgoing::fault(&url) {
        Some(fault) => Err(bad(fault).into()),
        None => Ok(outgoing::get(&url, ecb::BYTES_MAX).await?),
    }
}

/// Tomorrow by UTC: it is tomorrow somewhere already.
fn last_day() -> Result<Date, Error> {
    let today = Timestamp::from_millisecond(now_ms())?.to_zoned(TimeZone::UTC).date();
    Ok(today.tomorrow()?)
}

impl fmt::Display for RatesReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (told, new, (first, last)) = (self.told, self.imported.new, self.days);
        write!(
            f,
            "{told} rates of {first} to {last}: {new} are new, {} were known",
            told as u64 - new
        )?;
        if !self.unknown.is_empty() {
            let codes: Vec<&str> = self.unknown.iter().map(String::as_str).collect();
            write!(f, "\nskipped, no currency of today: {}", codes.join(", "))?;
        }
        let differing = &self.imported.differing;
        for d in differing.iter().take(DIFFERING_TOLD) {
            let (currency, on) = (&d.currency, d.on);
            write!(
                f,
                "\n{currency} on {on}: {} by {} stands, though the file says {}",
                d.kept, d.source, d.told
            )?;
        }
        match differing.len().saturating_sub(DIFFERING_TOLD) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more of which another one stands"),
        }
    }
}
