//! The PROXY protocol, version 2, as load balancers and haproxy speak it: before its first byte, a connection
//! tells whose it is. Version 1, the one in text, is not taken.
//! <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt};

/// What each header begins with.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Bytes behind the first 16, at most: two addresses, and what else a proxy has to tell (TLVs).
const BYTES_MAX: usize = 4 << 10;

/// Reads a header, and nothing behind it. The address that it tells; none where the proxy speaks for itself,
/// as for a health check. Nothing when it is no such header.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Option<SocketAddr>> {
    let mut head = [0; 16];
    stream.read_exact(&mut head).await.ok()?;
    let length = usize::from(u16::from_be_bytes([head[14], head[15]]));
    if head[..12] != SIGNATURE || length > BYTES_MAX {
        return None;
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await.ok()?;
    match (head[12], head[13]) {
        (0x20, _) => Some(None),    // LOCAL
        (0x21, 0x00) => Some(None), // PROXY, but of a kind that it cannot tell
        (0x21, 0x11) => Some(Some(ipv4(&rest)?)),
        (0x21, 0x21) => Some(Some(ipv6(&rest)?)),
        _ => None,
    }
}

/// Source and destination, then their ports.
fn ipv4(rest: &[u8]) -> Option<SocketAddr> {
    let ip = Ipv4Addr::from(*rest.first_chunk::<4>()?);
    Some((ip, port(rest.get(8..12)?)?).into())
}

fn ipv6(rest: &[u8]) -> Option<SocketAddr> {
    let ip = Ipv6Addr::from(*rest.first_chunk::<16>()?);
    Some((ip, port(rest.get(32..36)?)?).into())
}

fn port(ports: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes(*ports.first_chunk::<2>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(kind: [u8; 2], rest: &[u8]) -> Vec<u8> {
        [&SIGNATURE[..], &kind, &(rest.len() as u16).to_be_bytes(), rest].concat()
    }

    async fn told(bytes: &[u8]) -> Option<Option<String>> {
        let mut rest = bytes;
        let told = read(&mut rest).await?;
        assert_eq!(rest, b"GET", "what follows is left alone");
        Some(told.map(|address| address.to_string()))
    }

    #[tokio::test]
    async fn a_header_tells_who_comes() {
        let four = [203, 0, 113, 7, 10, 0, 0, 1, 0x12, 0x34, 0, 80];
        let six = [&[0x20, 1, 0x0d, 0xb8], &[0; 11][..], &[7], &[9; 16], &[0, 80, 0, 81]].concat();
        let tlv = [0x03, 0, 4, 1, 2, 3, 4];
        for (header, expected) in [
            (header([0x21, 0x11], &four), Some("203.0.113.7:4660")),
            (header([0x21, 0x11], &[&four[..], &tlv].concat()), Some("203.0.113.7:4660")),
            (header([0x21, 0x21], &six), Some("[2001:db8::7]:80")),
            (header([0x20, 0x00], &[]), None),
            (header([0x20, 0x11], &four), None),
            (header([0x21, 0x00], &tlv), None),
        ] {
            let bytes = [&header[..], b"GET"].concat();
            assert_eq!(told(&bytes).await, Some(expected.map(str::to_owned)), "{header:?}");
        }
    }

    #[tokio::test]
    async fn what_is_no_such_header_is_refused() {
        let four = [203, 0, 113, 7, 10, 0, 0, 1, 0x12, 0x34, 0, 80];
        for bytes in [
            b"PROXY TCP4 203.0.113.7 10.0.0.1 4660 80\r\nGET".to_vec(),
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET".to_vec(),
            header([0x11, 0x11], &four),       // version 1 in binary
            header([0x22, 0x11], &four),       // an unknown command
            header([0x21, 0x12], &four),       // UDP
            header([0x21, 0x31], &[0; 216]),   // a socket of a file system
            header([0x21, 0x11], &four[..11]), // too short for its kind
            header([0x21, 0x21], &[0; 35]),    // too short for its kind
            header([0x21, 0x11], &[0; BYTES_MAX + 1]), // too long
            header([0x21, 0x11], &four)[..20].to_vec(), // broken off
            Vec::new(),
        ] {
            assert_eq!(read(&mut &bytes[..]).await, None, "{bytes:?}");
        }
    }
}
