//! Redis Streams: the only home of `redis`. Carries frames from edges to workers; one frame is one entry.
//! A transport that may lose everything: the journal keeps a frame until PostgreSQL has it, and a frame
//! that comes twice is dropped by its key. An entry is deleted when it is acknowledged.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::streams::{StreamAutoClaimReply, StreamId, StreamReadReply};
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo, RedisError};

/// The consumer group that all workers share.
const GROUP: &str = "workers";
/// The field of an entry that holds the frame.
const FIELD: &str = "f";
/// For a command that does not block.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Redis did not do it. Trying again later is always right.
#[derive(Debug)]
pub struct Error {
    /// What was being done.
    pub operation: &'static str,
    source: RedisError,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "queue: {}: {}", self.operation, self.source)
    }
}

impl std::error::Error for Error {}

/// An entry's place in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryId(u64, u64);

impl EntryId {
    fn parse(text: &str) -> Option<Self> {
        let (ms, counter) = text.split_once('-')?;
        Some(EntryId(ms.parse().ok()?, counter.parse().ok()?))
    }
}

/// One entry as it was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id in the stream, for [`Queue::ack`].
    pub entry: String,
    /// A frame, unless somebody else wrote into the stream.
    pub bytes: Vec<u8>,
}

/// One connection to the stream; reconnects when it has to.
pub struct Queue {
    client: Client,
    connection: Option<MultiplexedConnection>,
    stream: String,
    consumer: String,
}

impl Queue {
    /// A queue over a stream. Connects when first used. `consumer` names a worker, anew at each start.
    pub fn new(url: &str, stream: &str, consumer: &str) -> Result<Self, String> {
        let info = url.into_connection_info().map_err(|e| e.to_string())?;
        let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
        let client = Client::open(info).map_err(|e| e.to_string())?;
        let (stream, consumer) = (stream.to_owned(), consumer.to_owned());
        Ok(Queue { client, connection: None, stream, consumer })
    }

    /// Appends frames, in order; the entry of the last. Unknown after an error: they are sent again.
    pub async fn forward<'a>(
        &mut self,
        frames: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Option<EntryId>, Error> {
        let mut pipe = redis::pipe();
        for frame in frames {
            pipe.cmd("XADD").arg(&self.stream).arg("*").arg(FIELD).arg(frame);
        }
        let run = self.run("forward", async |connection| pipe.query_async(connection).await);
        let entries: Vec<String> = run.await?;
        Ok(entries.last().and_then(|entry| EntryId::parse(entry)))
    }

    /// Whether an entry is still in the stream: nobody has acknowledged it.
    pub async fn has(&mut self, entry: EntryId) -> Result<bool, Error> {
        let id = format!("{}-{}", entry.0, entry.1);
        let range = redis::cmd("XRANGE").arg(&self.stream).arg(&id).arg(&id).to_owned();
        let run = self.run("look", async |connection| range.query_async(connection).await);
        let reply: redis::streams::StreamRangeReply = run.await?;
        Ok(!reply.ids.is_empty())
    }

    /// Entries that no worker has yet, at most `count`; waits up to `block` for the first.
    pub async fn read(&mut self, count: usize, block: Duration) -> Result<Vec<Delivery>, Error> {
        let mut read = redis::cmd("XREADGROUP");
        read.arg("GROUP").arg(GROUP).arg(&self.consumer).arg("COUNT").arg(count);
        if !block.is_zero() {
            read.arg("BLOCK").arg(block.as_millis() as u64);
        }
        read.arg("STREAMS").arg(&self.stream).arg(">");
        let reply: Option<StreamReadReply> = self.grouped("read", &read).await?;
        Ok(reply
            .map_or(Vec::new(), |reply| deliveries(reply.keys.into_iter().flat_map(|key| key.ids))))
    }

    /// Takes over entries that a worker got and did not acknowledge for `idle`.
    pub async fn reclaim(&mut self, count: usize, idle: Duration) -> Result<Vec<Delivery>, Error> {
        let mut claim = redis::cmd("XAUTOCLAIM");
        claim.arg(&self.stream).arg(GROUP).arg(&self.consumer).arg(idle.as_millis() as u64);
        claim.arg("0-0").arg("COUNT").arg(count);
        let reply: StreamAutoClaimReply = self.grouped("reclaim", &claim).await?;
        Ok(deliveries(reply.claimed))
    }

    /// Acknowledges and deletes entries: what they hold is committed.
    pub async fn ack(&mut self, entries: &[String]) -> Result<(), Error> {
        let mut pipe = redis::pipe();
        pipe.cmd("XACK").arg(&self.stream).arg(GROUP).arg(entries).ignore();
        pipe.cmd("XDEL").arg(&self.stream).arg(entries).ignore();
        self.run("ack", async |connection| pipe.query_async(connection).await).await
    }

    /// Frames in the stream that no worker has acknowledged.
    pub async fn depth(&mut self) -> Result<u64, Error> {
        let length = redis::cmd("XLEN").arg(&self.stream).to_owned();
        self.run("depth", async |connection| length.query_async(connection).await).await
    }

    /// Runs a command of the group; makes the group, from the stream's start, where there is none.
    async fn grouped<T: redis::FromRedisValue>(
        &mut self,
        operation: &'static str,
        command: &redis::Cmd,
    ) -> Result<T, Error> {
        let run = self.run(operation, async |connection| command.query_async(connection).await);
        match run.await {
            Err(error) if error.source.code() == Some("NOGROUP") => {
                let mut create = redis::cmd("XGROUP");
                create.arg("CREATE").arg(&self.stream).arg(GROUP).arg("0").arg("MKSTREAM");
                let made: Result<(), Error> =
                    self.run("create the group", async |c| create.query_async(c).await).await;
                // Another worker may have been first; the command itself tells.
                let _ = made;
                self.run(operation, async |connection| command.query_async(connection).await).await
            }
            answered => answered,
        }
    }

    async fn run<T>(
        &mut self,
        operation: &'static str,
        command: impl AsyncFnOnce(&mut MultiplexedConnection) -> Result<T, RedisError>,
    ) -> Result<T, Error> {
        let failed = |source| Error { operation, source };
        if self.connection.is_none() {
            // Reads block for less than the time-out.
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(TIMEOUT))
                .set_response_timeout(Some(TIMEOUT));
            let connect = self.client.get_multiplexed_async_connection_with_config(&config);
            self.connection = Some(connect.await.map_err(failed)?);
        }
        let Some(connection) = &mut self.connection else { unreachable!("connected above") };
        let answer = command(connection).await;
        if answer.as_ref().is_err_and(|error| error.code().is_none()) {
            self.connection = None; // Not an answer of the server's: the connection is in doubt.
        }
        answer.map_err(failed)
    }
}

fn deliveries(entries: impl IntoIterator<Item = StreamId>) -> Vec<Delivery> {
    let delivery =
        |entry: StreamId| Delivery { bytes: entry.get(FIELD).unwrap_or_default(), entry: entry.id };
    entries.into_iter().map(delivery).collect()
}
