//! What the tools are asked beside the settings of every role.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::Settings;
use crate::domain::id::Id;
use crate::domain::reason::Outcome;

/// `tributary replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// Hits that arrived from then on: RFC 3339, such as 2026-11-01T00:00:00Z
    #[arg(long)]
    pub from: Timestamp,
    /// Hits that arrived before then
    #[arg(long)]
    pub to: Timestamp,
    /// Only hits of this program
    #[arg(long)]
    pub program: Option<Id>,
    /// Only hits that became this: dead, rejected, held, …
    #[arg(long, value_parser = outcome)]
    pub outcome: Option<Outcome>,
    /// Book the difference; without it nothing is written
    #[arg(long)]
    pub apply: bool,
    /// The settings of a worker; it needs the database and the token keys
    #[command(flatten)]
    pub settings: Settings,
}

fn outcome(code: &str) -> Result<Outcome, String> {
    let codes = Outcome::ALL.map(Outcome::code).join(", ");
    Outcome::parse(code).ok_or_else(|| format!("is one of {codes}"))
}

/// What can be done with rates of currencies.
#[derive(Debug, Subcommand)]
pub enum RatesAction {
    /// Keep the rates that the European Central Bank published; what is there already stands
    Import(RatesImport),
}

/// `tributary rates import`.
#[derive(Debug, Args)]
pub struct RatesImport {
    /// A file of the bank's, XML or CSV; nobody is asked then
    #[arg(long)]
    pub file: Option<PathBuf>,
    /// Where the bank's file is: http or https, XML or CSV
    #[arg(
        long,
        visible_alias = "url",
        env = "TRIBUTARY_RATES_URL",
        default_value = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml"
    )]
    pub rates_url: String,
    /// The settings of a worker; it needs the database
    #[command(flatten)]
    pub settings: Settings,
}
