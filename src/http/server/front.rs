//! The service that a connection talks to: what is answered at once, and what goes on to the routes.

use std::convert::Infallible;
use std::error::Error;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, Response, Version};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::Service;

use super::watched::{UnderWay, Unread, Watched};
use crate::http::edge::Edge;
use crate::http::hot::Hot;
use crate::http::measured::Tally;

/// The routes as a service.
pub(super) trait Routes:
    tower::Service<
        Request<Incoming>,
        Response = warp::reply::Response,
        Error = Infallible,
        Future: Send + 'static,
    > + Clone
    + Send
    + 'static
{
}

impl<S> Routes for S where
    S: tower::Service<
            Request<Incoming>,
            Response = warp::reply::Response,
            Error = Infallible,
            Future: Send + 'static,
        > + Clone
        + Send
        + 'static
{
}

/// What all connections talk to.
pub(super) struct Shared<S> {
    pub(super) edge: Arc<Edge>,
    pub(super) hot: Hot,
    pub(super) routes: S,
}

/// What one connection talks to.
pub(super) struct Front<S> {
    pub(super) shared: Arc<Shared<S>>,
    pub(super) watched: Arc<Watched>,
    /// Of the thread that it is served on.
    pub(super) tally: Arc<Tally>,
    pub(super) peer: Peer,
}

/// Who is connected, as routes are told in the extensions of a request; none where they have gone by now.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct Peer(pub(in crate::http) Option<IpAddr>);

impl<S: Routes> Service<Request<Incoming>> for Front<S> {
    type Response = Response<Sent>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, mut request: Request<Incoming>) -> Answering {
        let under_way = self.watched.request();
        if request.version() == Version::HTTP_2 {
            name_host(&mut request);
        }
        let shared = &*self.shared;
        if let Some(answer) = shared.hot.answer(&shared.edge, &request, &self.tally) {
            let sent = |bytes| Sent::new(Content::Whole(bytes), under_way);
            return Answering::AtOnce(Some(answer.map(sent)));
        }
        request.extensions_mut().insert(self.peer);
        let mut routes = shared.routes.clone();
        let answer = routes.call(request);
        Answering::Later(Box::pin(async move {
            let Ok(answer) = answer.await;
            answer.map(|body| {
                let parts = body.map_err(Into::into).boxed_unsync();
                Sent::new(Content::Parts(parts), under_way)
            })
        }))
    }
}

/// HTTP/2 names the host beside the path (RFC 9113 section 8.3.1).
fn name_host(request: &mut Request<Incoming>) {
    if !request.headers().contains_key(HOST)
        && let Some(authority) = request.uri().authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        request.headers_mut().insert(HOST, host);
    }
}

/// An answer, once it is there.
pub(super) enum Answering {
    AtOnce(Option<Response<Sent>>),
    Later(Pin<Box<dyn Future<Output = Response<Sent>> + Send>>),
}

impl Future for Answering {
    type Output = Result<Response<Sent>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::AtOnce(answer) => Poll::Ready(Ok(answer
                .take()
                .expect("nothing is asked of what has answered"))),
            Self::Later(answer) => answer.as_mut().poll(cx).map(Ok),
        }
    }
}

/// The body of an answer. Until it is dropped its request is under way.
pub(super) struct Sent {
    content: Content,
    /// There while something of it waits to be asked for.
    unread: Option<Unread>,
    under_way: UnderWay,
}

impl Sent {
    fn new(content: Content, under_way: UnderWay) -> Self {
        Self {
            content,
            unread: Some(under_way.unread()),
            under_way,
        }
    }
}

enum Content {
    Whole(Bytes),
    Parts(UnsyncBoxBody<Bytes, Broken>),
}

/// Why the rest of a body does not come.
type Broken = Box<dyn Error + Send + Sync>;

impl Body for Sent {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let sent = &mut *self;
        let polled = match &mut sent.content {
            Content::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Content::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Content::Parts(parts) => Pin::new(parts).poll_frame(cx),
        };
        // Where there is nothing yet to be sent, nobody is to blame for not asking.
        match (&polled, &sent.unread) {
            (Poll::Pending, _) => sent.unread = None,
            (Poll::Ready(_), None) => sent.unread = Some(sent.under_way.unread()),
            (Poll::Ready(_), Some(_)) => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(bytes) => bytes.is_empty(),
            Content::Parts(parts) => parts.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Parts(parts) => parts.size_hint(),
        }
    }
}
