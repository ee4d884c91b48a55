//! The accept loop: connections are counted, slow heads and slow readers are cut off, and a stop
//! lets what is under way finish. (`warp::serve` has none of that, so warp answers here as a service.)

mod front;
mod tls;
mod unread;
mod watched;
mod worker;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tracing::{info, warn};

pub(super) use self::front::Peer;
use self::front::{Routes, Shared};
use self::worker::Worker;
use super::edge::Edge;
use super::feeds::Feeds;
use super::hot::Hot;
use super::service;

pub use tls::{Renewed, Tls, TlsError};

/// A server that takes connections until it is told to stop.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    stop: oneshot::Sender<Duration>,
    accepting: JoinHandle<Drained>,
}

/// How a server has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Drained {
    /// Every request that was under way is answered.
    Answered,
    /// This many connections had a request under way when the time was up.
    CutOff(usize),
}

/// Starts to serve on `listener`. Handlers run on the runtime that this is called on, and connections
/// on threads of their own, one for each processor.
pub fn serve(edge: Arc<Edge>, listener: TcpListener) -> std::io::Result<Running> {
    let address = listener.local_addr()?;
    let feeds = Feeds::start(edge.registry.clone(), &edge.limits);
    let shared = Arc::new(Shared {
        hot: Hot::new(&edge),
        routes: warp::service(service::filter(edge.clone(), feeds.clone())),
        edge,
    });
    let workers = start_workers(&shared)?;
    let permits = Arc::new(Semaphore::new(shared.edge.limits.connections));
    shared.edge.measured.watch("connections", &permits);
    let (stop, stopped) = oneshot::channel();
    let tls = shared.edge.tls.clone();
    let accepting = async move {
        tokio::select! {
            drained = accept(listener, permits, workers, feeds, stopped) => drained,
            never = keep_up(tls) => match never {},
        }
    };
    let accepting = tokio::spawn(accepting);
    Ok(Running {
        address,
        stop,
        accepting,
    })
}

fn start_workers<S: Routes + Sync>(shared: &Arc<Shared<S>>) -> std::io::Result<Vec<Worker>> {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    (0..count)
        .map(|number| Worker::start(number, shared.clone()))
        .collect()
}

impl Running {
    /// Takes no more connections, and returns when the requests under way are answered, or when
    /// they had so long for it. Whoever had connected before is still answered.
    pub async fn stop(self, within: Duration) -> Drained {
        // The loop may have ended already; then there is nobody to tell.
        let _ = self.stop.send(within);
        self.accepting.await.unwrap_or_else(|_| {
            warn!("the accept loop ended by a panic");
            Drained::CutOff(0)
        })
    }
}

async fn accept(
    listener: TcpListener,
    permits: Arc<Semaphore>,
    workers: Vec<Worker>,
    feeds: Arc<Feeds>,
    mut stopped: oneshot::Receiver<Duration>,
) -> Drained {
    let limit = permits.available_permits();
    let take = |stream: TcpStream, permit| {
        // Each connection goes to the thread that serves fewest, and stays there.
        let idlest = workers.iter().min_by_key(|worker| worker.load());
        match (idlest, stream.into_std()) {
            (Some(worker), Ok(stream)) => worker.serve(stream, permit),
            _ => warn!("a connection could not be handed over"),
        }
    };
    let within = loop {
        let permit = tokio::select! {
            told = &mut stopped => break told,
            permit = permits.clone().acquire_owned() => permit,
        };
        let Ok(permit) = permit else {
            break Ok(Duration::ZERO);
        };
        let accepted = tokio::select! {
            told = &mut stopped => break told,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => take(stream, permit),
            Err(error) => {
                // Out of file handles, most likely: some will be closed soon.
                warn!(error = ?error.kind(), "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    };
    // Who had connected by now may have sent a request; who comes later is refused by the system.
    while let (Ok(permit), Some(stream)) = (
        permits.clone().try_acquire_owned(),
        waiting(&listener).await,
    ) {
        take(stream, permit);
    }
    drop(listener);
    feeds.end();
    for worker in &workers {
        worker.finish();
    }
    // All of them are here again when no connection is left.
    let all = u32::try_from(limit).unwrap_or(u32::MAX);
    let drained = tokio::select! {
        _ = permits.acquire_many(all) => {
            info!("all requests under way are answered");
            Drained::Answered
        }
        // Whoever dropped the sending end does not wait.
        () = tokio::time::sleep(within.unwrap_or_default()) => {
            let count = limit - permits.available_permits();
            warn!(count, "some requests were still under way and are cut off");
            Drained::CutOff(count)
        }
    };
    end(workers).await;
    drained
}

/// Takes over certificate and key where their files change.
async fn keep_up(tls: Option<Arc<Tls>>) -> Infallible {
    const PACE: Duration = Duration::from_secs(15);
    let Some(tls) = tls else {
        return std::future::pending().await;
    };
    loop {
        tokio::time::sleep(PACE).await;
        let looking = tls.clone();
        match tokio::task::spawn_blocking(move || looking.look_again()).await {
            Ok(Ok(Renewed::Yes)) => info!("certificate and key were changed, and are in use"),
            Ok(Err(problem)) => warn!(
                error = problem.kind(),
                "certificate or key were changed and cannot be used; those before them stay in use"
            ),
            Ok(Ok(Renewed::No)) | Err(_) => {}
        }
    }
}

/// A connection that waits to be accepted.
async fn waiting(listener: &TcpListener) -> Option<TcpStream> {
    tokio::select! {
        biased;
        accepted = listener.accept() => accepted.ok().map(|(stream, _)| stream),
        () = std::future::ready(()) => None,
    }
}

/// Ends the threads, and what they still serve.
async fn end(workers: Vec<Worker>) {
    let threads: Vec<_> = workers.into_iter().map(Worker::end).collect();
    let joined = tokio::task::spawn_blocking(move || {
        for thread in threads {
            if thread.join().is_err() {
                warn!("a thread that served connections ended by a panic");
            }
        }
    });
    // They hold the registry; whoever stops the service closes it next.
    let _ = joined.await;
}
