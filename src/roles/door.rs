//! The settings of a listener, as what its connections pass.

use std::time::Duration;

use super::Error;
use crate::config::{BadSetting, Listener, Rates, Settings};
use crate::edge::budgets::Budgets;
use crate::http::budget::Budget;
use crate::http::tls::{self, Tls};
use crate::http::{Door, Limits};

/// The limits of a listener, from the settings.
pub fn limits(settings: &Settings) -> Limits {
    Limits {
        connections_max: settings.listeners.connections_max,
        header_timeout: Duration::from_secs(settings.header_timeout_seconds),
        drain: Duration::from_secs(settings.drain_seconds),
    }
}

/// What a listener's connections pass. Reads its certificate, and follows it.
pub(super) fn door(settings: &Settings, listener: Listener) -> Result<Door, Error> {
    let set = &settings.listeners;
    let name = listener.name();
    let mut door = Door::new(name, limits(settings), set.connections_per_address_max);
    door.trusted = set.trusted_proxies.clone();
    door.proxy_protocol = set.proxy_protocol.contains(&listener);
    if let Some(files) = files(settings, listener)? {
        let loaded = Tls::load(name, files);
        door.tls = Some(loaded.map_err(|e| BadSetting(listener.certificate_setting(), e))?);
    }
    Ok(door)
}

/// Checks the certificates of all listeners.
pub(super) fn check_certificates(settings: &Settings) -> Result<(), Error> {
    for listener in Listener::ALL {
        if let Some(files) = files(settings, listener)? {
            let bad = |e| BadSetting(listener.certificate_setting(), e);
            tls::check(&files).map_err(bad)?;
        }
    }
    Ok(())
}

fn files(settings: &Settings, listener: Listener) -> Result<Option<tls::Files>, BadSetting> {
    let files = settings.listeners.tls(listener)?;
    Ok(files.map(|(certificate, key)| tls::Files {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
    }))
}

/// An edge's budgets.
pub(super) fn budgets(rates: &Rates) -> Budgets {
    Budgets {
        junk_address: Budget::new("junk_address", rates.junk_address_per_second),
        junk: Budget::new("junk", rates.junk_per_second),
        claimed_address: Budget::new("claimed_address", rates.claimed_address_per_second),
        unsigned_address: Budget::new("unsigned_address", rates.unsigned_address_per_second),
        unsigned_code: Budget::new("unsigned_code", rates.unsigned_code_per_second),
        signed_address: Budget::new("signed_address", rates.signed_address_per_second),
        signed_code: Budget::new("signed_code", rates.signed_code_per_second),
        verified_code: Budget::new("verified_code", rates.verified_code_per_second),
    }
}

/// Calls `sweep` again and again.
pub(super) async fn sweep_for_ever(sweep: impl Fn()) {
    loop {
        tokio::time::sleep(Duration::from_secs(5)).await;
        sweep();
    }
}
