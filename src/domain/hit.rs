//! A hit: one request to the edge, as it came. Encoded once, at the edge; the same bytes go through the
//! journal, the queue and the worker into the database, and can be decided again from there.
//!
//! Layout, little-endian: version u8, kind u8, method u8, id i64, received_ms i64, then any number of
//! fields `tag u8, length u32, bytes`. An absent field is not written; an unknown tag is skipped, so that
//! an older worker can read a newer edge.

use super::id::Id;

const VERSION: u8 = 1;
/// Bytes before the fields.
pub(super) const HEAD_BYTES: usize = 3 + 8 + 8;

/// What kind of request it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A visit to an affiliate's link.
    Click = 0,
    /// `GET` of a tracking code: the image tag.
    Pixel = 1,
    /// `POST` to a tracking code: the checkout form.
    Form = 2,
    /// From the shop's server.
    Postback = 3,
    /// Of a tracked file.
    Download = 4,
}

impl Kind {
    /// All of them, in the order of their wire values.
    pub const ALL: [Kind; 5] =
        [Kind::Click, Kind::Pixel, Kind::Form, Kind::Postback, Kind::Download];

    /// The stable name: database, metrics, API.
    pub fn code(self) -> &'static str {
        ["click", "pixel", "form", "postback", "download"][self as usize]
    }
}

/// The request methods that the edge answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Method {
    Get = 0,
    Head = 1,
    Post = 2,
}

impl Method {
    /// As on the request line.
    pub fn name(self) -> &'static str {
        ["GET", "HEAD", "POST"][self as usize]
    }
}

/// The parts of a request that are kept. The number is the tag on disk: add at the end, never renumber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Part {
    /// The link's or tracking code's code, from the path.
    Code = 0,
    Path = 1,
    Query = 2,
    Body = 3,
    ContentType = 4,
    /// Only cookies of our own (`tr_…`).
    Cookie = 5,
    UserAgent = 6,
    Referer = 7,
    AcceptLanguage = 8,
    /// `Sec-Fetch-Dest`
    FetchDest = 9,
    /// `Sec-Purpose`, `Purpose` or `X-Moz`
    Purpose = 10,
    Origin = 11,
    /// Address of the connection; absent when privacy signals ask for that.
    Peer = 12,
    /// Address of the client as a trusted proxy names it; absent likewise.
    Client = 13,
    /// SHA-256, in hex, of the bearer secret that came. Never the secret.
    BearerHash = 14,
    /// `Sec-GPC`
    Gpc = 15,
}

/// All parts, in the order of their tags.
pub const PARTS: [Part; 16] = [
    Part::Code,
    Part::Path,
    Part::Query,
    Part::Body,
    Part::ContentType,
    Part::Cookie,
    Part::UserAgent,
    Part::Referer,
    Part::AcceptLanguage,
    Part::FetchDest,
    Part::Purpose,
    Part::Origin,
    Part::Peer,
    Part::Client,
    Part::BearerHash,
    Part::Gpc,
];

/// One request, borrowed from where its bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit<'a> {
    /// Made at the edge; its first bits are the time of arrival.
    pub id: Id,
    /// The edge's clock at arrival, milliseconds since 1970.
    pub received_ms: i64,
    /// Which endpoint.
    pub kind: Kind,
    /// Which method.
    pub method: Method,
    parts: [&'a [u8]; PARTS.len()],
}

impl<'a> Hit<'a> {
    /// A hit without parts yet.
    pub fn new(id: Id, received_ms: i64, kind: Kind, method: Method) -> Self {
        Hit { id, received_ms, kind, method, parts: [&[]; PARTS.len()] }
    }

    /// Puts a part in.
    pub fn set(&mut self, part: Part, bytes: &'a [u8]) {
        self.parts[part as usize] = bytes;
    }

    /// A part's bytes, empty when absent.
    pub fn get(&self, part: Part) -> &'a [u8] {
        self.parts[part as usize]
    }

    /// A part as text, empty when absent or not UTF-8.
    pub fn text(&self, part: Part) -> &'a str {
        std::str::from_utf8(self.get(part)).unwrap_or("")
    }

    /// Appends the encoded hit to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[VERSION, self.kind as u8, self.method as u8]);
        out.extend_from_slice(&self.id.to_le_bytes());
        out.extend_from_slice(&self.received_ms.to_le_bytes());
        for (tag, bytes) in self.parts.iter().enumerate() {
            if !bytes.is_empty() {
                out.push(tag as u8);
                out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
                out.extend_from_slice(bytes);
            }
        }
    }

    /// Reads an encoded hit; `None` when the bytes are not one.
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let (head, mut rest) = bytes.split_at_checked(HEAD_BYTES)?;
        let kind = *Kind::ALL.get(usize::from(head[1]))?;
        let method = *[Method::Get, Method::Head, Method::Post].get(usize::from(head[2]))?;
        if head[0] != VERSION {
            return None;
        }
        let id = i64::from_le_bytes(head[3..11].try_into().ok()?);
        let received_ms = i64::from_le_bytes(head[11..19].try_into().ok()?);
        let mut hit = Hit::new(id, received_ms, kind, method);
        while let Some((field, tail)) = rest.split_at_checked(5) {
            let length = u32::from_le_bytes(field[1..5].try_into().ok()?) as usize;
            let (value, tail) = tail.split_at_checked(length)?;
            if let Some(slot) = hit.parts.get_mut(usize::from(field[0])) {
                *slot = value;
            }
            rest = tail;
        }
        rest.is_empty().then_some(hit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_encoded_comes_back(id: i64, ms: i64, kind in 0usize..5, parts: [Vec<u8>; 16]) {
            let mut hit = Hit::new(id, ms, Kind::ALL[kind], Method::Post);
            for (part, bytes) in PARTS.iter().zip(&parts) {
                hit.set(*part, bytes);
            }
            let mut bytes = Vec::new();
            hit.encode(&mut bytes);
            prop_assert_eq!(Hit::decode(&bytes), Some(hit));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            if let Some(hit) = Hit::decode(&bytes) {
                let mut again = Vec::new();
                hit.encode(&mut again);
                prop_assert_eq!(Hit::decode(&again), Some(hit));
            }
        }
    }
}
