//! TLS by rustls: a certificate and its key from PEM files, read again when they change. A new pair that
//! cannot be used leaves the old one in use.

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use x509_cert::der::Decode;

use super::door::HANDSHAKE_TIMEOUT;
use crate::telemetry;

mod trusted;

pub use trusted::Trusted;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// What is spoken over it, the best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Where a certificate and its key are, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The certificate, and behind it those that it was issued by.
    pub certificate: PathBuf,
    /// Its private key: PKCS #8, PKCS #1 or SEC 1.
    pub key: PathBuf,
}

/// A certificate in use; cheap to clone.
#[derive(Debug, Clone)]
pub struct Tls(Arc<ArcSwap<ServerConfig>>);

impl Tls {
    /// Reads the files, and follows their changes for as long as it is in use. `listener` names it in
    /// metrics and logs.
    pub fn load(listener: &'static str, files: Files) -> Result<Self, String> {
        let pair = read(&files)?;
        let (config, not_after_s) = use_pair(&pair)?;
        telemetry::tls_not_after(listener, not_after_s);
        let tls = Tls(Arc::new(ArcSwap::from(config)));
        tokio::spawn(follow(Arc::downgrade(&tls.0), listener, files, pair));
        Ok(tls)
    }

    /// Shakes hands; none if that fails or takes too long.
    pub(super) async fn accept(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let shaking = TlsAcceptor::from(self.0.load_full()).accept(stream);
        timeout(HANDSHAKE_TIMEOUT, shaking).await.ok()?.ok()
    }
}

/// What is wrong with a pair of files, if anything.
pub fn check(files: &Files) -> Result<(), String> {
    use_pair(&read(files)?).map(drop)
}

/// Certificate and key as their files have them.
type Pair = (Vec<u8>, Vec<u8>);

fn read(files: &Files) -> Result<Pair, String> {
    let read = |path: &PathBuf| {
        std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
    };
    Ok((read(&files.certificate)?, read(&files.key)?))
}

/// What TLS is to be spoken with, and when its certificate ends, in seconds since 1970.
fn use_pair((certificate, key): &Pair) -> Result<(Arc<ServerConfig>, u64), String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
    let chain = chain.map_err(|error| format!("the certificate is no PEM: {error}"))?;
    let first = chain.first().ok_or("there is no certificate in the file")?;
    let first = x509_cert::Certificate::from_der(first)
        .map_err(|error| format!("the certificate cannot be read: {error}"))?;
    let not_after = first.tbs_certificate().validity().not_after.to_unix_duration();
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|error| format!("there is no private key in the file: {error}"))?;
    let unusable = |error: rustls::Error| format!("certificate and key cannot be used: {error}");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().map_err(unusable)?;
    let mut config = config.with_no_client_auth().with_single_cert(chain, key).map_err(unusable)?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    // Who comes again need not pay for a whole handshake, nor do we.
    config.ticketer = ring::Ticketer::new().map_err(unusable)?;
    Ok((Arc::new(config), not_after.as_secs()))
}

/// Looks at the files again and again; a pair that is another one is put into use, or complained of, once.
async fn follow(
    in_use: Weak<ArcSwap<ServerConfig>>,
    listener: &'static str,
    files: Files,
    mut last: Pair,
) {
    let mut unread = false;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Some(in_use) = in_use.upgrade() else { return };
        let looked_at = files.clone();
        let looking = tokio::task::spawn_blocking(move || read(&looked_at));
        let used = match looking.await.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(pair) if pair == last => {
                unread = false;
                continue;
            }
            Ok(pair) => {
                (last, unread) = (pair, false);
                use_pair(&last)
            }
            // While files are exchanged, one may be missing for a moment: that is told once.
            Err(_) if unread => continue,
            Err(error) => {
                unread = true;
                Err(error)
            }
        };
        match used {
            Ok((config, not_after_s)) => {
                in_use.store(config);
                telemetry::tls_not_after(listener, not_after_s);
                telemetry::tls_reloaded(listener, "ok").increment(1);
                tracing::info!(listener, "a new certificate is in use");
            }
            Err(error) => {
                telemetry::tls_reloaded(listener, "failed").increment(1);
                tracing::error!(
                    listener,
                    error,
                    "the new certificate cannot be used; the old one is"
                );
            }
        }
    }
}
