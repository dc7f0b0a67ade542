//! TLS towards others: to those whom this host trusts, by its own store of certificates.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Whom we trust when we ask others.
pub struct Trusted(Arc<ClientConfig>);

impl Trusted {
    /// Those of this host's store, or of the one that `SSL_CERT_FILE` and `SSL_CERT_DIR` name. What of it
    /// cannot be read is left out.
    pub fn of_host() -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err("this host trusts nobody: install ca-certificates".to_owned());
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().map_err(|e| e.to_string())?;
        Ok(Trusted(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
    }

    /// Shakes hands with somebody who has a certificate of this name or address.
    pub async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, String> {
        let name = ServerName::try_from(host.to_owned()).map_err(|e| e.to_string())?;
        let shaken = TlsConnector::from(self.0.clone()).connect(name, stream).await;
        shaken.map_err(|error| format!("no TLS: {error}"))
    }
}
