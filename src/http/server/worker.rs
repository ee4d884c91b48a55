//! The threads that connections are served on. Each has a runtime of its own, so that a request is read,
//! looked up and answered on one thread; nothing that could block runs there.

use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_rustls::TlsAcceptor;
use tracing::debug;

use super::front::{Front, Peer, Routes, Shared};
use super::tls::HTTP_2;
use super::unread::Impatient;
use super::watched::{Crowd, Member, Patience, Protocol, Told};
use crate::http::measured::Tally;

/// A thread that serves connections.
pub(super) struct Worker {
    orders: UnboundedSender<Order>,
    open: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

enum Order {
    /// Serve a connection.
    Serve(std::net::TcpStream, OwnedSemaphorePermit),
    /// Let those end that are served.
    Finish,
}

impl Worker {
    /// Starts one. It ends, and closes what it serves, when this is dropped.
    pub(super) fn start<S: Routes + Sync>(
        number: usize,
        shared: Arc<Shared<S>>,
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (orders, told) = unbounded_channel();
        let open = Arc::new(AtomicUsize::new(0));
        let count = open.clone();
        let thread = std::thread::Builder::new()
            .name(format!("http-{number}"))
            .spawn(move || runtime.block_on(work(&shared, &count, told)))?;
        Ok(Self {
            orders,
            open,
            thread,
        })
    }

    /// How many connections it serves.
    pub(super) fn load(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    pub(super) fn serve(&self, stream: std::net::TcpStream, permit: OwnedSemaphorePermit) {
        self.open.fetch_add(1, Ordering::Relaxed);
        // Where the thread is gone the connection is closed.
        let _ = self.orders.send(Order::Serve(stream, permit));
    }

    /// Requests under way are answered, and then their connections end.
    pub(super) fn finish(&self) {
        let _ = self.orders.send(Order::Finish);
    }

    /// Ends it.
    pub(super) fn end(self) -> JoinHandle<()> {
        self.thread
    }
}

async fn work<S: Routes + Sync>(
    shared: &Arc<Shared<S>>,
    open: &Arc<AtomicUsize>,
    mut told: UnboundedReceiver<Order>,
) {
    let limits = &shared.edge.limits;
    let patience = Patience::of(limits);
    let local = Arc::new(Local {
        shared: shared.clone(),
        crowd: Arc::new(Crowd::default()),
        unread: Duration::from_millis(limits.unread.millis()),
        head: Duration::from_millis(limits.head.millis()),
        http1: over_http1(),
        http2: over_http2(),
        tally: shared.edge.measured.worker(),
    });
    let mut looks = tokio::time::interval(patience.pace);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let order = tokio::select! {
            biased;
            _ = looks.tick() => {
                local.crowd.look(&patience);
                continue;
            }
            order = told.recv() => order,
        };
        match order {
            None => return,
            Some(Order::Finish) => local.crowd.finish(),
            Some(Order::Serve(stream, permit)) => {
                let turn = Turn {
                    open: open.clone(),
                    _permit: permit,
                };
                if let Some(stream) = ready(stream) {
                    local.serve(stream, turn);
                }
            }
        }
    }
}

/// What connections of one thread share.
struct Local<S> {
    shared: Arc<Shared<S>>,
    crowd: Arc<Crowd>,
    unread: Duration,
    head: Duration,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    tally: Arc<Tally>,
}

impl<S: Routes + Sync> Local<S> {
    /// Serves a connection until it ends.
    fn serve(self: &Arc<Self>, stream: TcpStream, turn: Turn) {
        let peer = stream.peer_addr().ok().map(|address| address.ip());
        let Some(tls) = &self.shared.edge.tls else {
            tokio::spawn(self.over_http1(stream, peer, turn));
            return;
        };
        let handshake = TlsAcceptor::from(tls.present()).accept(stream);
        let local = self.clone();
        tokio::spawn(async move {
            let shaken = tokio::time::timeout(local.head, handshake).await;
            let stream = match shaken {
                Ok(Ok(stream)) => stream,
                Ok(Err(error)) => {
                    debug!(error = ?error.kind(), "a handshake failed");
                    return;
                }
                Err(_) => return,
            };
            if stream.get_ref().1.alpn_protocol() == Some(HTTP_2) {
                local.over_http2(stream, peer, turn).await;
            } else {
                local.over_http1(stream, peer, turn).await;
            }
        });
    }

    fn over_http1<I: Io>(
        &self,
        stream: I,
        peer: Option<IpAddr>,
        turn: Turn,
    ) -> impl Future<Output = ()> + Send + use<I, S> {
        let (member, stream, front) = self.watched(stream, peer, Protocol::Http1);
        Serving {
            connection: self.http1.serve_connection(stream, front),
            finishing: false,
            member,
            _turn: turn,
        }
    }

    fn over_http2<I: Io>(
        &self,
        stream: I,
        peer: Option<IpAddr>,
        turn: Turn,
    ) -> impl Future<Output = ()> + Send + use<I, S> {
        let (member, stream, front) = self.watched(stream, peer, Protocol::Http2);
        Serving {
            connection: self.http2.serve_connection(stream, front),
            finishing: false,
            member,
            _turn: turn,
        }
    }

    fn watched<I: Io>(
        &self,
        stream: I,
        peer: Option<IpAddr>,
        protocol: Protocol,
    ) -> (Member, TokioIo<Impatient<I>>, Front<S>) {
        let member = self.crowd.join(protocol);
        let stream = Impatient::new(stream, self.unread, member.watched.clone());
        let front = Front {
            shared: self.shared.clone(),
            watched: member.watched.clone(),
            tally: self.tally.clone(),
            peer: Peer(peer),
        };
        (member, TokioIo::new(stream), front)
    }
}

/// What a connection is read from and written to.
trait Io: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<I: AsyncRead + AsyncWrite + Unpin + Send + 'static> Io for I {}

/// Bytes of a request's head, and of what is read ahead of it.
const MOST_READ: usize = 32 << 10;

fn over_http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .keep_alive(true)
        .max_buf_size(MOST_READ)
        .max_header_size(MOST_READ)
        // Heads that take too long are seen to by who looks over the connections.
        .header_read_timeout(None);
    builder
}

fn over_http2() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(128)
        .max_header_list_size(MOST_READ as u32)
        // Streams that are opened and reset at once (CVE-2023-44487), or that break the rules.
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(256)
        .initial_stream_window_size(256 << 10)
        .initial_connection_window_size(1 << 20)
        .max_frame_size(16 << 10)
        .max_send_buf_size(64 << 10)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

/// The stream on this thread's runtime.
fn ready(stream: std::net::TcpStream) -> Option<TcpStream> {
    let ready = stream
        .set_nodelay(true)
        .and_then(|()| TcpStream::from_std(stream));
    match ready {
        Ok(stream) => Some(stream),
        Err(error) => {
            debug!(error = ?error.kind(), "a connection could not be set up");
            None
        }
    }
}

/// What a connection takes up while it is open.
struct Turn {
    open: Arc<AtomicUsize>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection under way.
struct Serving<C> {
    connection: C,
    finishing: bool,
    member: Member,
    _turn: Turn,
}

/// A connection that can be told to end once it has answered.
trait Finish: Future<Output = hyper::Result<()>> + Unpin {
    fn finish(self: Pin<&mut Self>);
}

impl<I: Io, S: Routes + Sync> Finish for http1::Connection<TokioIo<Impatient<I>>, Front<S>> {
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<I: Io, S: Routes + Sync> Finish
    for http2::Connection<TokioIo<Impatient<I>>, Front<S>, TokioExecutor>
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<C: Finish> Future for Serving<C> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.member.watched.told(cx) {
            Told::End => {
                let overdue = io::Error::from(io::ErrorKind::TimedOut);
                debug!(error = ?overdue.kind(), "a connection ended early");
                return Poll::Ready(());
            }
            Told::Finish if !self.finishing => {
                self.finishing = true;
                Pin::new(&mut self.connection).finish();
            }
            Told::Finish | Told::Nothing => {}
        }
        Pin::new(&mut self.connection).poll(cx).map(|ended| {
            if let Err(error) = ended {
                debug!(error = kind(&error), "a connection ended early");
            }
        })
    }
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
