//! Who a request comes from, behind proxies of ours: `X-Forwarded-For`, and nobody else's. `Forwarded`
//! (RFC 7239) is not read: a proxy that writes the one hands the other on as the visitor sent it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use hyper::Request;
use ipnet::IpNet;

use super::Peer;

/// Who a request comes from, as far as we trust what tells it; an extension of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client(pub IpAddr);

impl Client {
    /// The client of a request that came from `peer`.
    pub fn of<B>(request: &Request<B>, peer: &Peer, trusted: &[IpNet]) -> Self {
        let values = request.headers().get_all("x-forwarded-for");
        let values: Vec<&[u8]> = values.iter().map(|value| value.as_bytes()).collect();
        Client(client(&values, peer.ip, trusted).unwrap_or(peer.ip))
    }
}

/// The client as the nearest proxy that is not ours names it: from the right, past trusted addresses only.
/// None when the peer is no proxy of ours, or does not name one.
pub fn client(values: &[&[u8]], peer: IpAddr, trusted: &[IpNet]) -> Option<IpAddr> {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    if !is_trusted(&peer) {
        return None;
    }
    for value in values.iter().rev() {
        for hop in value.rsplit(|byte| *byte == b',') {
            let ip = address(std::str::from_utf8(hop).ok()?.trim())?;
            if !is_trusted(&ip) {
                return Some(ip);
            }
        }
    }
    None
}

/// An address as proxies write it: alone, with its port, or in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let alone = text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    let ip = alone.or_else(with_port).or_else(|| bracketed().map(IpAddr::V6));
    ip.map(|ip| ip.to_canonical())
}

/// What an address is counted as: of IPv6 the network of 64 bits, for whoever has one address has them all.
pub fn neighbourhood(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4(ip),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_address_that_is_not_ours_is_the_client() {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let client = |peer: &str, values: &[&str]| {
            let values: Vec<&[u8]> = values.iter().map(|value| value.as_bytes()).collect();
            let client = super::client(&values, peer.parse().unwrap(), &trusted);
            client.map(|ip| ip.to_string()).unwrap_or_default()
        };
        for (peer, values, expected) in [
            ("9.9.9.9", &["1.2.3.4"][..], ""), // no proxy of ours
            ("10.0.0.1", &["1.2.3.4"], "1.2.3.4"),
            ("10.0.0.1", &["6.6.6.6, 1.2.3.4"], "1.2.3.4"), // the left one he wrote himself
            ("10.0.0.1", &["6.6.6.6, 1.2.3.4, 10.1.1.1,10.2.2.2"], "1.2.3.4"),
            ("10.0.0.1", &["6.6.6.6", "1.2.3.4", "10.1.1.1"], "1.2.3.4"), // in several headers
            ("fd00::1", &["6.6.6.6, 2001:db8::7, fd00::2"], "2001:db8::7"),
            ("10.0.0.1", &["2001:db8::7, [fd00::2]:443"], "2001:db8::7"),
            ("10.0.0.1", &["[2001:db8::7]"], "2001:db8::7"),
            ("10.0.0.1", &["[2001:db8::7]:4711"], "2001:db8::7"),
            ("10.0.0.1", &["1.2.3.4:4711"], "1.2.3.4"),
            ("10.0.0.1", &["::ffff:1.2.3.4"], "1.2.3.4"),
            ("10.0.0.1", &["<script>, 1.2.3.4"], "1.2.3.4"), // junk behind it is nobody's business
            ("10.0.0.1", &["1.2.3.4, <script>, 10.1.1.1"], ""), // junk before it is
            ("10.0.0.1", &["1.2.3.4, unknown"], ""),
            ("10.0.0.1", &["1.2.3.4, "], ""),
            ("10.0.0.1", &["10.1.1.1"], ""), // all ours
            ("10.0.0.1", &["1.2.3.4:99999"], ""),
            ("10.0.0.1", &["1.2.3.256"], ""),
            ("10.0.0.1", &["\u{e9}"], ""),
            ("10.0.0.1", &[], ""),
        ] {
            assert_eq!(client(peer, values), expected, "{peer} {values:?}");
        }
    }

    #[test]
    fn what_is_forwarded_in_another_way_is_not_believed() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let peer = Peer::of("10.0.0.1:1".parse().unwrap());
        let request = Request::builder().header("forwarded", "for=6.6.6.6").body(()).unwrap();
        assert_eq!(Client::of(&request, &peer, &trusted), Client(peer.ip));
    }

    #[test]
    fn an_ipv6_address_counts_as_its_network() {
        let counted = |ip: &str| neighbourhood(ip.parse().unwrap()).to_string();
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(counted("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(counted("192.0.2.1"), "192.0.2.1");
    }
}
