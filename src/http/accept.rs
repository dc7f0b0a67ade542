//! Accepts connections, and lets what is in flight finish at the end. Knows nothing of what goes over them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::interval;

use super::{Limits, ON_THE_WAY};
use crate::pulse::Pulse;

/// A runtime that has not turned for so long answers nobody.
const SILENCE_MAX: Duration = Duration::from_secs(30);

type Accepted = (TcpStream, SocketAddr, OwnedSemaphorePermit);

/// Accepts connections and runs each in a task of its own; one that breaks is the client's affair, for what
/// matters was journalled or refused.
pub(super) async fn connections<C, Fut>(
    listener: TcpListener,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
    connection: C,
) where
    C: Fn(TcpStream, SocketAddr, Watcher) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    inherit(&listener, &limits);
    let slots = Arc::new(Semaphore::new(limits.connections_max));
    let graceful = GracefulShutdown::new();
    let take = |(stream, from, slot): Accepted| {
        // On the heap: it is large, and is moved a dozen times before it runs.
        let connection = Box::pin(connection(stream, from, graceful.watcher()));
        tokio::spawn(connection.map(move |()| drop(slot)));
    };
    let (pulse, mut beat) = (Pulse::new("accept", SILENCE_MAX), interval(SILENCE_MAX / 10));
    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            _ = beat.tick() => {
                pulse.beat();
                continue;
            }
            accepted = accept(&listener, &slots) => accepted,
        };
        accepted.into_iter().for_each(&take);
        // Whoever waits beside him, until the runtime wants its turn.
        while let Some(accepted) = accept(&listener, &slots).now_or_never() {
            accepted.into_iter().for_each(&take);
        }
    }
    accept_queued(listener, &slots).into_iter().for_each(&take);
    // All slots are free when all connections have ended.
    let all = u32::try_from(limits.connections_max).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(ON_THE_WAY, slots.acquire_many(all)).await;
    let _ = tokio::time::timeout(limits.drain, graceful.shutdown()).await;
}

/// What connections inherit from their listener: answers leave at once, and a slow reader has his time
/// limited, which nobody else does.
fn inherit(listener: &TcpListener, limits: &Limits) {
    let socket = SockRef::from(listener);
    let inherited = socket.set_tcp_nodelay(true);
    let inherited =
        inherited.and_then(|()| socket.set_tcp_user_timeout(Some(limits.header_timeout)));
    if let Err(error) = inherited {
        tracing::warn!(%error, "cannot limit the time of slow readers");
    }
}

/// Closes a listener, and hands on whom it had not accepted yet: they would be reset.
fn accept_queued(listener: TcpListener, slots: &Arc<Semaphore>) -> Vec<Accepted> {
    let mut queued = Vec::new();
    let Ok(listener) = listener.into_std() else { return queued };
    while let Ok(slot) = slots.clone().try_acquire_owned() {
        let Ok((stream, peer)) = listener.accept() else { break };
        let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
        queued.extend(stream.map(|stream| (stream, peer, slot)));
    }
    queued
}

async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> Option<Accepted> {
    let slot = slots.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, slot)),
        Err(error) => {
            // Out of file descriptors, as a rule: others must close first.
            tracing::warn!(%error, "cannot accept a connection");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}
