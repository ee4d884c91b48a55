//! The threads that connections are served on. Each has a runtime of its own, so that a request is read,
//! looked up and answered on one thread; nothing that could block runs there.

use std::error::Error;
use std::io;
use std::net::TcpStream;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tracing::debug;

use super::front::{Front, Routes, Shared};
use super::unread::Impatient;
use super::watched::{Crowd, Member, Patience, Told};

/// A thread that serves connections.
pub(super) struct Worker {
    orders: UnboundedSender<Order>,
    open: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

enum Order {
    /// Serve a connection.
    Serve(TcpStream, OwnedSemaphorePermit),
    /// Let those end that are served.
    Finish,
}

impl Worker {
    /// Starts one. It ends, and closes what it serves, when this is dropped.
    pub(super) fn start<S: Routes + Sync>(
        number: usize,
        shared: Arc<Shared<S>>,
    ) -> std::io::Result<Self> {
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

    pub(super) fn serve(&self, stream: TcpStream, permit: OwnedSemaphorePermit) {
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
    let unread = Duration::from_millis(limits.unread.millis());
    let crowd = Arc::new(Crowd::default());
    let mut looks = tokio::time::interval(patience.pace);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let builder = builder();
    loop {
        let order = tokio::select! {
            biased;
            _ = looks.tick() => {
                crowd.look(&patience);
                continue;
            }
            order = told.recv() => order,
        };
        match order {
            None => return,
            Some(Order::Finish) => crowd.finish(),
            Some(Order::Serve(stream, permit)) => {
                let place = Place {
                    member: crowd.join(),
                    open: open.clone(),
                    _permit: permit,
                };
                let Some(stream) = ready(stream) else {
                    continue;
                };
                let watched = place.member.watched.clone();
                let stream = Impatient::new(stream, unread, watched.clone());
                let front = Front {
                    shared: shared.clone(),
                    watched,
                };
                tokio::spawn(Serving {
                    connection: builder.serve_connection(TokioIo::new(stream), front),
                    finishing: false,
                    place,
                });
            }
        }
    }
}

fn builder() -> http1::Builder {
    /// Bytes of a request's head, and of what is read ahead of it.
    const MOST_READ: usize = 32 << 10;
    let mut builder = http1::Builder::new();
    builder
        .keep_alive(true)
        .max_buf_size(MOST_READ)
        // Heads that take too long are seen to by who looks over the connections.
        .header_read_timeout(None);
    builder
}

/// The stream on this thread's runtime.
fn ready(stream: TcpStream) -> Option<tokio::net::TcpStream> {
    let ready = stream
        .set_nodelay(true)
        .and_then(|()| tokio::net::TcpStream::from_std(stream));
    match ready {
        Ok(stream) => Some(stream),
        Err(error) => {
            debug!(error = ?error.kind(), "a connection could not be set up");
            None
        }
    }
}

/// What a connection takes up while it is open.
struct Place {
    member: Member,
    open: Arc<AtomicUsize>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection under way.
struct Serving<S: Routes + Sync> {
    connection: http1::Connection<TokioIo<Impatient<tokio::net::TcpStream>>, Front<S>>,
    finishing: bool,
    place: Place,
}

impl<S: Routes + Sync> Future for Serving<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.place.member.watched.told(cx) {
            Told::End => {
                let overdue = io::Error::from(io::ErrorKind::TimedOut);
                debug!(error = ?overdue.kind(), "a connection ended early");
                return Poll::Ready(());
            }
            Told::Finish if !self.finishing => {
                self.finishing = true;
                Pin::new(&mut self.connection).graceful_shutdown();
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
