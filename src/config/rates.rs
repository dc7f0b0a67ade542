//! The settings of how much is let in: requests a second, of which five seconds' worth may come at once and 0 is
//! no limit; and what is too large to be a usual request.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

/// Budgets of requests. Junk and money have different ones: neither spends the other's.
#[derive(Debug, Clone, Args, Serialize)]
pub struct Rates {
    /// Junk a second from one address, or IPv6 network of 64 bits: hits of unknown codes and links, wrong
    /// secrets and signatures; at the admin API, keys that are none; at the portal, attempts to sign in. 0: no
    /// limit
    #[arg(long, env = "TRIBUTARY_JUNK_ADDRESS_PER_SECOND", default_value_t = 10)]
    pub junk_address_per_second: u32,
    /// Junk a second that one edge takes in all. 0: no limit
    #[arg(long, env = "TRIBUTARY_JUNK_PER_SECOND", default_value_t = 100)]
    pub junk_per_second: u32,
    /// Hits of unknown codes a second from one address that bring a signature or secret, which may be good
    /// for a tracking code of this moment. 0: no limit
    #[arg(long, env = "TRIBUTARY_CLAIMED_ADDRESS_PER_SECOND", default_value_t = 100)]
    pub claimed_address_per_second: u32,
    /// Clicks and unsigned hits of known codes a second from one address. 0: no limit
    #[arg(long, env = "TRIBUTARY_UNSIGNED_ADDRESS_PER_SECOND", default_value_t = 0)]
    pub unsigned_address_per_second: u32,
    /// Clicks of one link, and unsigned hits of one tracking code, a second. 0: no limit
    #[arg(long, env = "TRIBUTARY_UNSIGNED_CODE_PER_SECOND", default_value_t = 0)]
    pub unsigned_code_per_second: u32,
    /// Signed hits a second from one address. 0: no limit
    #[arg(long, env = "TRIBUTARY_SIGNED_ADDRESS_PER_SECOND", default_value_t = 100)]
    pub signed_address_per_second: u32,
    /// Signed hits of one tracking code a second. 0: no limit
    #[arg(long, env = "TRIBUTARY_SIGNED_CODE_PER_SECOND", default_value_t = 10_000)]
    pub signed_code_per_second: u32,
    /// Hits of one tracking code a second that bring its secret. 0: no limit
    #[arg(long, env = "TRIBUTARY_VERIFIED_CODE_PER_SECOND", default_value_t = 10_000)]
    pub verified_code_per_second: u32,
    /// Requests of one key a second to the admin API. 0: no limit
    #[arg(long, env = "TRIBUTARY_API_KEY_PER_SECOND", default_value_t = 50)]
    pub api_key_per_second: u32,
    /// Lists of orders
    #[command(flatten)]
    #[serde(flatten)]
    pub uploads: Uploads,
}

/// Lists of orders, sent to the admin API. All other requests keep their limits.
#[derive(Debug, Clone, Copy, Args, Serialize)]
pub struct Uploads {
    /// Bytes of a shop's list of orders, at most
    #[arg(long, env = "TRIBUTARY_UPLOAD_BYTES_MAX", default_value_t = 256 << 20,
          value_parser = clap::value_parser!(u64).range(1 << 10..=4 << 30))]
    pub upload_bytes_max: u64,
    /// Seconds that sending such a list and comparing it may take
    #[arg(long, env = "TRIBUTARY_UPLOAD_TIMEOUT_SECONDS", default_value_t = 900,
          value_parser = clap::value_parser!(u64).range(1..=43_200))]
    pub upload_timeout_seconds: u64,
}

impl Uploads {
    /// For sending one and comparing it.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.upload_timeout_seconds)
    }
}
