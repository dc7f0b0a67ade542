//! What a connection passes before its first request: who it comes from, how many of them there may be, and
//! whether it speaks TLS.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::forwarded::neighbourhood;
use super::tls::Tls;
use super::{Limits, Peer, proxy};
use crate::telemetry;

/// For what comes before a request: a proxy's header, and the handshake of TLS.
pub(super) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// How a listener lets connections in.
#[derive(Debug, Clone)]
pub struct Door {
    /// As metrics and logs name the listener.
    pub name: &'static str,
    /// What holds for each connection.
    pub limits: Limits,
    /// Our own proxies: many people come by them.
    pub trusted: Vec<IpNet>,
    /// Whether connections begin with a proxy's header that tells who comes; then only proxies of ours may
    /// connect.
    pub proxy_protocol: bool,
    /// The certificate, if the listener speaks TLS.
    pub tls: Option<Tls>,
    seats: Option<Arc<Seats>>,
}

impl From<Limits> for Door {
    /// Open to all.
    fn from(limits: Limits) -> Self {
        let trusted = Vec::new();
        Door { name: "other", limits, trusted, proxy_protocol: false, tls: None, seats: None }
    }
}

impl Door {
    /// Open to so many connections of one address at once; 0 is no bound.
    pub fn new(name: &'static str, limits: Limits, per_address_max: usize) -> Self {
        let seats = Seats { max: per_address_max, taken: Mutex::default() };
        let seats = (per_address_max > 0).then(|| Arc::new(seats));
        Door { name, seats, ..Door::from(limits) }
    }

    /// Lets a connection in, and tells whose it is; it counts for its address until the seat is dropped.
    pub(super) async fn enter(
        &self,
        mut stream: TcpStream,
        from: SocketAddr,
    ) -> Option<(TcpStream, Peer, Option<Seat>)> {
        let from = match self.proxy_protocol {
            true => Box::pin(self.told(&mut stream, from)).await?,
            false => from,
        };
        let peer = Peer::of(from);
        let Some(seats) = self.seats.as_ref().filter(|_| !self.is_many(peer.ip)) else {
            return Some((stream, peer, None));
        };
        match seats.take(peer.ip) {
            Some(seat) => Some((stream, peer, Some(seat))),
            None => {
                self.refused("address");
                None
            }
        }
    }

    /// Whether many people come from an address: it is a proxy of ours, or what runs on this host, which is
    /// a proxy as a rule.
    fn is_many(&self, ip: IpAddr) -> bool {
        ip.is_loopback() || self.trusts(ip)
    }

    fn trusts(&self, ip: IpAddr) -> bool {
        self.trusted.iter().any(|net| net.contains(&ip))
    }

    /// Who comes, as his proxy tells it.
    async fn told(&self, stream: &mut TcpStream, from: SocketAddr) -> Option<SocketAddr> {
        if !self.trusts(from.ip().to_canonical()) {
            self.refused("untrusted");
            return None;
        }
        match timeout(HANDSHAKE_TIMEOUT, proxy::read(stream)).await {
            Ok(Some(told)) => Some(told.unwrap_or(from)),
            _ => {
                self.refused("proxy_header");
                None
            }
        }
    }

    pub(super) fn refused(&self, reason: &'static str) {
        telemetry::connection_refused(self.name, reason).increment(1);
    }
}

/// How many connections each address has.
#[derive(Debug)]
struct Seats {
    max: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

impl Seats {
    fn take(self: &Arc<Self>, ip: IpAddr) -> Option<Seat> {
        let ip = neighbourhood(ip);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(ip).or_insert(0);
        (*count < self.max).then(|| {
            *count += 1;
            Seat { seats: self.clone(), ip }
        })
    }
}

/// One of the connections that an address may have.
pub(super) struct Seat {
    seats: Arc<Seats>,
    ip: IpAddr,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_seats_and_no_more() {
        let seats = Arc::new(Seats { max: 2, taken: Mutex::default() });
        let take = |ip: &str| seats.take(ip.parse().unwrap());
        let (first, _second) = (take("192.0.2.1"), take("192.0.2.1"));
        assert!(take("192.0.2.1").is_none(), "a third");
        let neighbour = take("192.0.2.2");
        assert!(neighbour.is_some());
        drop(first);
        assert!(take("192.0.2.1").is_some(), "one has gone");
        let _home = (take("2001:db8::1"), take("2001:db8::2"));
        assert!(take("2001:db8::3").is_none(), "one network at home is one address");
        drop(neighbour);
        assert_eq!(seats.taken.lock().unwrap().len(), 2, "who is gone is forgotten");
    }
}
