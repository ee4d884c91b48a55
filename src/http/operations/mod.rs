//! What is told to whoever runs the registry, on an address of its own: numbers for Prometheus, and
//! whether it runs and can do its work. Nothing of it is on the public address but the latter.

mod numbers;
mod process;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, spawn_blocking};
use tracing::warn;

use super::edge::Edge;
use super::problem::Problem;
use super::reply::Reply;
use super::service::answer_locally;
use numbers::Numbers;

/// The address of its own, which is listened on until this is dropped.
pub struct Operations {
    /// Where it listens.
    pub address: SocketAddr,
    accepting: AbortHandle,
}

impl Drop for Operations {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// So many connections at most are served at a time: a few programs ask now and then.
const CONNECTIONS: usize = 16;

/// So long the head of a request may take to arrive.
const HEAD: Duration = Duration::from_secs(10);

/// So long a connection may stay.
const CONNECTION: Duration = Duration::from_secs(600);

/// Starts to serve on `listener`, on the runtime that this is called on.
///
/// # Errors
/// Where it listens cannot be told.
pub fn operate(edge: Arc<Edge>, listener: TcpListener) -> std::io::Result<Operations> {
    let address = listener.local_addr()?;
    let asked = Arc::new(Asked {
        numbers: Numbers::default(),
        edge,
    });
    let accepting = tokio::spawn(accept(asked, listener)).abort_handle();
    Ok(Operations { address, accepting })
}

struct Asked {
    edge: Arc<Edge>,
    numbers: Numbers,
}

async fn accept(asked: Arc<Asked>, listener: TcpListener) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    while let Ok(permit) = permits.clone().acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let asked = asked.clone();
                tokio::spawn(async move {
                    serve(asked, stream).await;
                    drop(permit);
                });
            }
            Err(error) => {
                warn!(error = ?error.kind(), "a connection for operations could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn serve(asked: Arc<Asked>, stream: TcpStream) {
    let service = service_fn(move |request: Request<Incoming>| {
        let asked = asked.clone();
        async move { Ok::<_, Infallible>(answer(asked, request.method(), request.uri().path()).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    // Whoever went away, sent what is no HTTP, or stayed for too long, is not told of.
    let _ = tokio::time::timeout(CONNECTION, connection).await;
}

async fn answer(asked: Arc<Asked>, method: &Method, path: &str) -> Response<Full<Bytes>> {
    let path = path.to_owned();
    let reply = match *method {
        Method::GET | Method::HEAD => {
            let answering = spawn_blocking(move || asked.answer(&path));
            let internal = |_| Problem::internal().to_reply();
            answering.await.unwrap_or_else(internal)
        }
        _ => Problem::method_not_allowed("GET, HEAD").to_reply(),
    };
    let mut response = Response::new(Full::new(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or_default();
    let common = [
        ("Cache-Control", "no-store".to_owned()),
        ("X-Content-Type-Options", "nosniff".to_owned()),
    ];
    for (name, value) in reply.headers.into_iter().chain(common) {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

impl Asked {
    fn answer(&self, path: &str) -> Reply {
        match path {
            "/metrics" => {
                let text = self.numbers.of(&self.edge);
                Reply::bytes(200, crate::metrics::Text::MEDIA_TYPE, text)
            }
            "/health/live" | "/health/ready" => {
                answer_locally(&self.edge, "GET", path, HeaderMap::new(), Bytes::new())
            }
            _ => {
                let detail = "here are /metrics, /health/live and /health/ready, and nothing else";
                Problem::new(404, "not-found", "Not found", detail).to_reply()
            }
        }
    }
}
