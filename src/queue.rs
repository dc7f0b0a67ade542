//! Redis Streams: the only home of `redis`. Carries frames from edges to workers; one frame is one entry.
//! A transport that may lose everything: the journal keeps a frame until PostgreSQL has it, and a frame
//! that comes twice is dropped by its key. An entry is deleted when it is acknowledged.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::streams::{
    StreamAutoClaimReply, StreamId, StreamInfoConsumersReply, StreamInfoGroup,
    StreamInfoGroupsReply, StreamPendingCountReply, StreamRangeReply, StreamReadReply,
};
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryId(u64, u64);

impl EntryId {
    fn parse(text: &str) -> Option<Self> {
        let (ms, counter) = text.split_once('-')?;
        Some(EntryId(ms.parse().ok()?, counter.parse().ok()?))
    }
}

impl std::fmt::Display for EntryId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.0, self.1)
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

    /// Appends frames, in order; the entry of each. Unknown after an error: they are sent again.
    pub async fn forward<'a>(
        &mut self,
        frames: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Vec<EntryId>, Error> {
        let mut pipe = redis::pipe();
        for frame in frames {
            pipe.cmd("XADD").arg(&self.stream).arg("*").arg(FIELD).arg(frame);
        }
        let run = self.run("forward", async |connection| pipe.query_async(connection).await);
        let entries: Vec<String> = run.await?;
        Ok(entries.iter().filter_map(|entry| EntryId::parse(entry)).collect())
    }

    /// Whether a worker has an entry or is still to get it. Not so for one that is gone, acknowledged or
    /// lost; nor for one that was handed out and that nobody holds: after a crash Redis may know the one
    /// and not the other.
    pub async fn carries(&mut self, entry: EntryId) -> Result<bool, Error> {
        let id = entry.to_string();
        let range = redis::cmd("XRANGE").arg(&self.stream).arg(&id).arg(&id).to_owned();
        let there: StreamRangeReply = self.ask("look", &range).await?;
        if there.ids.is_empty() {
            return Ok(false);
        }
        let handed_out = self.group().await?.and_then(|g| EntryId::parse(&g.last_delivered_id));
        if handed_out.is_none_or(|last| last < entry) {
            return Ok(true);
        }
        let mut pending = redis::cmd("XPENDING");
        pending.arg(&self.stream).arg(GROUP).arg(&id).arg(&id).arg(1);
        let held: StreamPendingCountReply = self.ask("look", &pending).await?;
        Ok(!held.ids.is_empty())
    }

    /// Bytes that the stream takes in Redis, about.
    pub async fn bytes(&mut self) -> Result<u64, Error> {
        let usage = redis::cmd("MEMORY").arg("USAGE").arg(&self.stream).to_owned();
        let bytes: Option<u64> = self.ask("measure", &usage).await?;
        Ok(bytes.unwrap_or(0))
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

    /// Acknowledges and deletes entries, both or neither: what they hold is committed.
    pub async fn ack(&mut self, entries: &[String]) -> Result<(), Error> {
        let mut pipe = redis::pipe();
        pipe.atomic();
        pipe.cmd("XACK").arg(&self.stream).arg(GROUP).arg(entries).ignore();
        pipe.cmd("XDEL").arg(&self.stream).arg(entries).ignore();
        self.run("ack", async |connection| pipe.query_async(connection).await).await
    }

    /// Frames in the stream that no worker has acknowledged.
    pub async fn depth(&mut self) -> Result<u64, Error> {
        let length = redis::cmd("XLEN").arg(&self.stream).to_owned();
        self.ask("depth", &length).await
    }

    /// Sweeps out what no worker will ask for again: entries before the first that anybody holds or is to
    /// get, which only a crash of Redis leaves behind, and workers that have been gone for `idle`.
    pub async fn sweep(&mut self, idle: Duration) -> Result<(), Error> {
        let Some(group) = self.group().await? else { return Ok(()) };
        let mut pending = redis::cmd("XPENDING");
        pending.arg(&self.stream).arg(GROUP).arg("-").arg("+").arg(1);
        let held: StreamPendingCountReply = self.ask("sweep", &pending).await?;
        let first = held.ids.first().map_or(&group.last_delivered_id, |held| &held.id);
        let mut trim = redis::cmd("XTRIM");
        let _: u64 = self.ask("sweep", trim.arg(&self.stream).arg("MINID").arg(first)).await?;
        let consumers =
            redis::cmd("XINFO").arg("CONSUMERS").arg(&self.stream).arg(GROUP).to_owned();
        let consumers: StreamInfoConsumersReply = self.ask("sweep", &consumers).await?;
        for gone in consumers.consumers {
            if gone.pending == 0 && gone.idle as u128 > idle.as_millis() {
                let mut delete = redis::cmd("XGROUP");
                delete.arg("DELCONSUMER").arg(&self.stream).arg(GROUP).arg(&gone.name);
                let _: u64 = self.ask("sweep", &delete).await?;
            }
        }
        Ok(())
    }

    /// The workers' group, if it is there.
    async fn group(&mut self) -> Result<Option<StreamInfoGroup>, Error> {
        let groups = redis::cmd("XINFO").arg("GROUPS").arg(&self.stream).to_owned();
        let groups: StreamInfoGroupsReply = match self.ask("look", &groups).await {
            // There is no stream.
            Err(error) if error.source.code() == Some("ERR") => return Ok(None),
            answered => answered?,
        };
        Ok(groups.groups.into_iter().find(|group| group.name == GROUP))
    }

    /// Runs a command of the group; makes the group, from the stream's start, where there is none.
    async fn grouped<T: redis::FromRedisValue>(
        &mut self,
        operation: &'static str,
        command: &redis::Cmd,
    ) -> Result<T, Error> {
        match self.ask(operation, command).await {
            Err(error) if error.source.code() == Some("NOGROUP") => {
                let mut create = redis::cmd("XGROUP");
                create.arg("CREATE").arg(&self.stream).arg(GROUP).arg("0").arg("MKSTREAM");
                // Another worker may have been first; the command itself tells.
                let _: Result<(), Error> = self.ask("create the group", &create).await;
                self.ask(operation, command).await
            }
            answered => answered,
        }
    }

    async fn ask<T: redis::FromRedisValue>(
        &mut self,
        operation: &'static str,
        command: &redis::Cmd,
    ) -> Result<T, Error> {
        self.run(operation, async |connection| command.query_async(connection).await).await
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
