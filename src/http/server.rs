//! The accept loop: connections are counted, slow heads and slow readers are cut off, and a stop
//! lets what is under way finish. (`warp::serve` has none of that, so warp answers here as a service.)

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tracing::{debug, info, warn};

use super::edge::{Edge, Limits};
use super::feeds::Feeds;
use super::service;
use super::unread::Impatient;

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

/// Starts to serve on `listener`.
pub fn serve(edge: Arc<Edge>, listener: TcpListener) -> std::io::Result<Running> {
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel();
    let accepting = tokio::spawn(accept(edge, listener, stopped));
    Ok(Running {
        address,
        stop,
        accepting,
    })
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
    edge: Arc<Edge>,
    listener: TcpListener,
    mut stopped: oneshot::Receiver<Duration>,
) -> Drained {
    let limits = edge.limits;
    let permits = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let feeds = Feeds::start(edge.registry.clone(), &limits);
    let service = warp::service(service::filter(edge, feeds.clone()));
    let builder = builder(&limits);
    let take = |stream, permit| {
        set_nodelay(&stream);
        let stream = Impatient::new(stream, Duration::from_millis(limits.unread.millis()));
        let connection = connect(&builder, stream, service.clone(), &graceful);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!(error = kind(&*error), "a connection ended early");
            }
            drop(permit);
        });
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
    tokio::select! {
        () = graceful.shutdown() => {
            info!("all requests under way are answered");
            Drained::Answered
        }
        // Whoever dropped the sending end does not wait.
        () = tokio::time::sleep(within.unwrap_or_default()) => {
            let count = limits.connections - permits.available_permits();
            warn!(count, "some requests were still under way and are cut off");
            Drained::CutOff(count)
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

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(limits.head.millis()))
        .keep_alive(true);
    builder
}

fn set_nodelay(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(error = ?error.kind(), "TCP_NODELAY could not be set");
    }
}

fn connect<S>(
    builder: &Builder<TokioExecutor>,
    stream: Impatient<TcpStream>,
    service: S,
    graceful: &GracefulShutdown,
) -> impl Future<Output = Result<(), Box<dyn Error + Send + Sync>>> + Send + use<S>
where
    S: tower::Service<
            http::Request<hyper::body::Incoming>,
            Response = warp::reply::Response,
            Error = std::convert::Infallible,
        > + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    let service = TowerToHyperService::new(service);
    let connection = builder
        .serve_connection(TokioIo::new(stream), service)
        .into_owned();
    graceful.watch(connection)
}

/// What kind of end a connection had; the words of others could repeat what came in over it.
fn kind(error: &(dyn Error + 'static)) -> &'static str {
    match error.downcast_ref::<hyper::Error>() {
        Some(error) if error.is_timeout() => "Timeout",
        Some(error) if error.is_parse() => "NotHttp",
        Some(error) if error.is_incomplete_message() => "BrokenOff",
        Some(error) if error.is_user() => "Refused",
        _ => "Connection",
    }
}
