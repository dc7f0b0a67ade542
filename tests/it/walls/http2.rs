//! HTTP/2 as nobody should speak it: frames by hand, against a real edge, while others are served.

use super::*;

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A literal in HPACK, without Huffman; its length in seven bits and more.
fn literal(text: &[u8]) -> Vec<u8> {
    let mut bytes = match text.len() {
        length @ 0..127 => vec![length as u8],
        length => {
            let (mut bytes, mut rest) = (vec![127], length - 127);
            while rest >= 128 {
                bytes.push((rest % 128 + 128) as u8);
                rest /= 128;
            }
            bytes.push(rest as u8);
            bytes
        }
    };
    bytes.extend_from_slice(text);
    bytes
}

/// `GET` of a path, as a block of headers.
fn get(path: &str) -> Vec<u8> {
    // :method GET, :scheme https, :path and :authority as literals.
    [&[0x82, 0x87, 0x04][..], &literal(path.as_bytes()), &[0x01], &literal(b"localhost")].concat()
}

/// What came back on a connection until it ended, or until `until` says that it is enough.
async fn frames(
    stream: &mut (impl AsyncRead + Unpin),
    mut until: impl FnMut(u8, &[u8]) -> bool,
) -> Vec<(u8, u32, Vec<u8>)> {
    let mut came = Vec::new();
    loop {
        let read = async {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await.ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let mut payload = vec![0; length];
            stream.read_exact(&mut payload).await.ok()?;
            Some((head[3], u32::from_be_bytes([head[5], head[6], head[7], head[8]]), payload))
        };
        let read = tokio::time::timeout(Duration::from_secs(20), read).await;
        let Some(frame) = read.expect("neither a frame nor an end") else { return came };
        let enough = until(frame.0, &frame.2);
        came.push(frame);
        if enough {
            return came;
        }
    }
}

struct Stage {
    app: App,
    seed: Seed,
    certificate: Certificate,
    edge: AnotherEdge,
}

impl Stage {
    async fn set() -> Self {
        let app = App::start().await;
        let seed = app.seed().await;
        let certificate = Certificate::new();
        let edge = app.another_edge(|settings| certificate.at_edge(settings)).await;
        let stage = Stage { app, seed, certificate, edge };
        let started = Instant::now();
        while !stage.is_served().await {
            assert!(started.elapsed() < Duration::from_secs(20), "the edge does not serve");
        }
        stage
    }

    /// A connection that has said who it is.
    async fn connect(&self) -> TlsStream<TcpStream> {
        let mut stream = self.certificate.connect(&self.edge.address, &[b"h2"]).await.unwrap();
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        stream.write_all(&[&preface[..], &frame(SETTINGS, 0, 0, &[])].concat()).await.unwrap();
        stream
    }

    /// Whether somebody else is answered, and at once.
    async fn is_served(&self) -> bool {
        let began = Instant::now();
        let mut stream = self.certificate.connect(&self.edge.address, &[]).await.unwrap();
        let answer = say(&mut stream, pixel(&self.seed, "1").as_bytes(), "GIF89a").await;
        answer.contains("accepted") && began.elapsed() < Duration::from_secs(2)
    }

    /// Says things for as long as they are taken, five seconds at most, and whether somebody else is served
    /// meanwhile; how many were taken, and what came back.
    async fn attack(
        &self,
        first: &[u8],
        again: impl Fn(u32) -> Vec<u8>,
    ) -> (u32, Vec<(u8, u32, Vec<u8>)>) {
        let (mut reader, mut writer) = tokio::io::split(self.connect().await);
        writer.write_all(first).await.unwrap();
        let attacking = async {
            let began = Instant::now();
            let mut taken = 0;
            while began.elapsed() < Duration::from_secs(5) {
                let said = again(taken);
                let written = writer.write_all(&said);
                match tokio::time::timeout(Duration::from_secs(1), written).await {
                    Ok(Ok(())) => taken += 1,
                    Ok(Err(_)) | Err(_) => break,
                }
            }
            taken
        };
        let looking = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert!(self.is_served().await, "others are served meanwhile");
        };
        let reading = frames(&mut reader, |_, _| false);
        let (taken, came, ()) = tokio::join!(attacking, reading, looking);
        assert!(self.is_served().await, "others are served afterwards");
        (taken, came)
    }
}

fn goaway(came: &[(u8, u32, Vec<u8>)]) -> Option<u32> {
    let (.., payload) = came.iter().rev().find(|(kind, ..)| *kind == GOAWAY)?;
    Some(u32::from_be_bytes(*payload[4..].first_chunk().unwrap()))
}

#[tokio::test]
async fn requests_taken_back_at_once_end_the_connection() {
    let stage = Stage::set().await;
    let path = format!("/t/{}.gif?amount=1", stage.seed.code);
    let reset = |n: u32| {
        let stream = 2 * n + 1;
        let asked = frame(HEADERS, END_HEADERS | END_STREAM, stream, &get(&path));
        [asked, frame(RST_STREAM, 0, stream, &8u32.to_be_bytes())].concat()
    };
    let (taken, came) = stage.attack(&[], reset).await;
    assert_eq!(goaway(&came), Some(11), "ENHANCE_YOUR_CALM, after {taken}");
    stage.app.settle_of(&stage.edge.journal).await;
    let kept = stage.app.rows("select count(*) from hits").await[0].get::<_, i64>(0);
    assert!(kept < 1_000, "of {taken} that were taken back {kept} came through");
}

#[tokio::test]
async fn headers_without_an_end_end_the_connection() {
    let stage = Stage::set().await;
    let first = frame(HEADERS, END_STREAM, 1, &get("/"));
    let one = [&[0x00][..], &literal(b"x-a"), &literal(&[b'a'; 1_000])].concat();
    let (taken, came) = stage.attack(&first, |_| frame(CONTINUATION, 0, 1, &one)).await;
    assert!(goaway(&came).is_some_and(|code| code != 0), "after {taken}: {came:?}");
    // And of those that hold nothing at all.
    let (taken, came) = stage.attack(&first, |_| frame(CONTINUATION, 0, 1, &[])).await;
    assert!(goaway(&came).is_some_and(|code| code != 0), "after {taken}: {came:?}");
}

#[tokio::test]
async fn headers_that_unpack_to_megabytes_are_refused() {
    let stage = Stage::set().await;
    // A header of 4,000 bytes goes into the table; each byte behind it says it once more.
    let entry = [&[0x40][..], &literal(b"x-bomb"), &literal(&[b'a'; 3_900])].concat();
    let bomb = [get("/tag.js"), entry, vec![0xbe; 10_000]].concat();
    let asked = |n: u32| {
        let stream = 2 * n + 1;
        let mut blocks = bomb.chunks(16_000);
        let mut bytes = frame(HEADERS, END_STREAM, stream, blocks.next().unwrap());
        bytes.extend(blocks.flat_map(|block| frame(CONTINUATION, 0, stream, block)));
        bytes.extend(frame(CONTINUATION, END_HEADERS, stream, &[]));
        bytes
    };
    let mut connection = stage.connect().await;
    connection.write_all(&asked(0)).await.unwrap();
    let mut statuses = 0;
    let came = frames(&mut connection, |kind, _| {
        statuses += u32::from(kind == HEADERS);
        [HEADERS, RST_STREAM, GOAWAY].contains(&kind)
    })
    .await;
    let (kind, _, payload) = came.last().unwrap();
    // 431 by its place in no table: a literal; never 200, which is a byte, 0x88.
    assert!(*kind != HEADERS || payload[0] != 0x88, "{kind} {payload:?}");
    let (taken, _) = stage.attack(&[], asked).await;
    assert!(taken > 0);
}

#[tokio::test]
async fn a_connection_has_a_hundred_requests_at_once_and_may_not_ping_for_ever() {
    let stage = Stage::set().await;
    let mut connection = stage.connect().await;
    connection.write_all(&frame(PING, 0, 0, &[7; 8])).await.unwrap();
    let came = frames(&mut connection, |kind, _| kind == PING).await;
    let (.., set) = came.iter().find(|(kind, ..)| *kind == SETTINGS).unwrap();
    let window = set.chunks(6).find_map(|one| one.strip_prefix(&[0, 4])).unwrap();
    assert_eq!(window, (16u32 << 10).to_be_bytes(), "unread bytes of a body");
    let wider = came.iter().any(|(kind, stream, _)| (*kind, *stream) == (WINDOW_UPDATE, 0));
    assert!(!wider, "unread bytes of all bodies: no more than the protocol asks for");
    // Without an end: each waits for its body.
    let form = |stream: u32| {
        let path = format!("/t/{}", stage.seed.code);
        let block =
            [&[0x83, 0x87, 0x04][..], &literal(path.as_bytes()), &[0x01], &literal(b"localhost")]
                .concat();
        frame(HEADERS, END_HEADERS, stream, &block)
    };
    for n in 0..150 {
        connection.write_all(&form(2 * n + 1)).await.unwrap();
    }
    let mut refused = 0;
    let came = frames(&mut connection, |kind, payload| {
        // REFUSED_STREAM
        refused += u32::from(kind == RST_STREAM && payload == 7u32.to_be_bytes());
        refused == 20 || kind == GOAWAY
    })
    .await;
    let is_told = came.iter().any(|(kind, ..)| [RST_STREAM, GOAWAY].contains(kind));
    assert!(is_told, "more than a hundred are refused: {came:?}");
    let answered = came.iter().filter(|(kind, ..)| *kind == HEADERS).count();
    assert_eq!(answered, 0, "none is answered without its body");
    drop(connection);

    let pings = frame(PING, 0, 0, &[7; 8]).repeat(1_000);
    let (mut reader, mut writer) = tokio::io::split(stage.connect().await);
    let flood = async {
        for _ in 0..20 {
            if writer.write_all(&pings).await.is_err() {
                break;
            }
        }
        writer.shutdown().await
    };
    let (came, _) = tokio::join!(frames(&mut reader, |_, _| false), flood);
    assert!(came.len() < 25_000 && stage.is_served().await);
}
