//! The settings of what stands before HTTP on the listeners: certificates, proxies, numbers of connections.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use ipnet::IpNet;
use serde::Serialize;

use super::BadSetting;

/// A listener, by its name in settings, metrics and logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Listener {
    Edge,
    Admin,
    Ops,
}

impl Listener {
    /// All of them.
    pub const ALL: [Listener; 3] = [Listener::Edge, Listener::Admin, Listener::Ops];

    /// The stable name.
    pub fn name(self) -> &'static str {
        ["edge", "admin", "ops"][self as usize]
    }

    /// The setting of its certificate.
    pub fn certificate_setting(self) -> &'static str {
        ["edge-tls-cert", "admin-tls-cert", "ops-tls-cert"][self as usize]
    }
}

/// Who may connect, how many, and by what.
#[derive(Debug, Clone, Args, Serialize)]
pub struct Listeners {
    /// Proxies of ours, whose X-Forwarded-For and PROXY header are believed: CIDRs, comma-separated
    #[arg(long, env = "TRIBUTARY_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<IpNet>,
    /// Listeners whose connections begin with a PROXY header of version 2, from trusted proxies only: edge,
    /// admin, ops, comma-separated
    #[arg(long, env = "TRIBUTARY_PROXY_PROTOCOL", value_delimiter = ',')]
    pub proxy_protocol: Vec<Listener>,
    /// Connections that one listener holds at once; more wait
    #[arg(long, env = "TRIBUTARY_CONNECTIONS_MAX", default_value_t = 20_000)]
    pub connections_max: usize,
    /// Connections of one address, or IPv6 network of 64 bits, at one listener; more are closed; 0: no limit
    #[arg(long, env = "TRIBUTARY_CONNECTIONS_PER_ADDRESS_MAX", default_value_t = 1_000)]
    pub connections_per_address_max: usize,
    /// The edge's certificate, with its chain, in PEM: it speaks TLS then
    #[arg(long, env = "TRIBUTARY_EDGE_TLS_CERT")]
    pub edge_tls_cert: Option<PathBuf>,
    /// The private key of the edge's certificate, in PEM
    #[arg(long, env = "TRIBUTARY_EDGE_TLS_KEY")]
    pub edge_tls_key: Option<PathBuf>,
    /// The certificate of admin API and portal
    #[arg(long, env = "TRIBUTARY_ADMIN_TLS_CERT")]
    pub admin_tls_cert: Option<PathBuf>,
    /// Its private key
    #[arg(long, env = "TRIBUTARY_ADMIN_TLS_KEY")]
    pub admin_tls_key: Option<PathBuf>,
    /// The certificate of the ops listener
    #[arg(long, env = "TRIBUTARY_OPS_TLS_CERT")]
    pub ops_tls_cert: Option<PathBuf>,
    /// Its private key
    #[arg(long, env = "TRIBUTARY_OPS_TLS_KEY")]
    pub ops_tls_key: Option<PathBuf>,
}

impl Listeners {
    /// The files of a listener's certificate and key, if it is to speak TLS.
    pub fn tls(&self, listener: Listener) -> Result<Option<(&Path, &Path)>, BadSetting> {
        let (certificate, key) = match listener {
            Listener::Edge => (&self.edge_tls_cert, &self.edge_tls_key),
            Listener::Admin => (&self.admin_tls_cert, &self.admin_tls_key),
            Listener::Ops => (&self.ops_tls_cert, &self.ops_tls_key),
        };
        match (certificate, key) {
            (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
            (None, None) => Ok(None),
            _ => {
                let text = "certificate and key are given together, or neither".to_owned();
                Err(BadSetting(listener.certificate_setting(), text))
            }
        }
    }

    /// A listener that is to speak TLS, if there is one.
    pub fn secured(&self) -> Option<Listener> {
        Listener::ALL.into_iter().find(|listener| matches!(self.tls(*listener), Ok(Some(_))))
    }

    pub(super) fn check(&self) -> Result<(), BadSetting> {
        for listener in Listener::ALL {
            self.tls(listener)?;
        }
        if self.connections_max == 0 {
            return Err(BadSetting("connections-max", "must be above zero".to_owned()));
        }
        if !self.proxy_protocol.is_empty() && self.trusted_proxies.is_empty() {
            let text = "needs --trusted-proxies: nobody else may tell whose a connection is";
            return Err(BadSetting("proxy-protocol", text.to_owned()));
        }
        Ok(())
    }
}
