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
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

/// How long requests under way may take once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(20);

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
    /// Takes no more connections, and returns when the requests under way are answered.
    pub async fn stop(self) {
        // The loop may have ended already; then there is nobody to tell.
        let _ = self.stop.send(());
        if self.accepting.await.is_err() {
            warn!("the accept loop ended by a panic");
        }
    }
}

async fn accept(edge: Arc<Edge>, listener: TcpListener, mut stopped: oneshot::Receiver<()>) {
    let limits = edge.limits;
    let permits = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let feeds = Feeds::start(edge.registry.clone(), &limits);
    let service = warp::service(service::filter(edge, feeds.clone()));
    let builder = builder(&limits);
    loop {
        let permit = tokio::select! {
            _ = &mut stopped => break,
            permit = permits.clone().acquire_owned() => permit,
        };
        let Ok(permit) = permit else { break };
        let stream = tokio::select! {
            _ = &mut stopped => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match stream {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file handles, most likely: some will be closed soon.
                warn!(error = ?error.kind(), "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        set_nodelay(&stream);
        let stream = Impatient::new(stream, Duration::from_millis(limits.unread.millis()));
        let connection = connect(&builder, stream, service.clone(), &graceful);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!(error = kind(&*error), "a connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    feeds.end();
    tokio::select! {
        () = graceful.shutdown() => info!("all requests under way are answered"),
        () = tokio::time::sleep(DRAIN) => warn!("some requests were still under way and are cut off"),
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
