//! One question and its answer over HTTP/1.1, to addresses that were vetted.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED, LOCATION,
};
use http::{Request, Response, StatusCode, Uri};
use rustls::{CertificateError, ClientConfig};
use ureq::config::Config;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Connector as _, NextTimeout, TcpConnector};
use ureq::{Agent, Body};

use super::body::{self, BodyError};
use super::error::{FetchError, Refusal, TlsProblem, Unreachable, Unusable};
use super::kind::Kind;
use super::queue::millis;
use super::target::Target;

/// What is told of the one who asks.
const USER_AGENT: &str = concat!("Goodstanding/", env!("CARGO_PKG_VERSION"));

/// Most bytes of an answer's header, and what is read of it at a time.
const HEAD_BYTES: usize = 32 << 10;

/// Most addresses of one host that are tried.
const ADDRESSES: usize = 8;

/// When a fetch has to be over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    at: Instant,
    limit: Duration,
}

/// A question to one target.
pub(super) struct Question<'q> {
    pub(super) target: &'q Target,
    pub(super) kind: Kind,
    /// The addresses that may be connected to.
    pub(super) addresses: &'q [IpAddr],
    /// The headers of the answer that is held already, where there is one.
    pub(super) held: Option<&'q HeaderMap>,
    /// Most bytes, as sent and expanded.
    pub(super) caps: (usize, usize),
    /// Time to connect.
    pub(super) connect: Duration,
    pub(super) deadline: Deadline,
    pub(super) tls: &'q Arc<ClientConfig>,
}

/// What came back.
#[derive(Debug)]
pub(super) enum Reply {
    /// 200.
    Document(Document),
    /// 304: what is held is still the answer.
    NotModified(HeaderMap),
    /// A redirect to this place.
    Redirect(String),
}

/// The answer that was asked for.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) headers: HeaderMap,
    pub(super) media_type: &'static str,
    pub(super) body: Bytes,
}

/// Why nothing came back, and of what that speaks.
#[derive(Debug)]
pub(super) enum Failure {
    /// Of the host: nobody could be spoken to.
    Host(FetchError),
    /// Of this answer.
    Answer(FetchError),
}

impl Deadline {
    pub(super) fn after(limit: Duration) -> Self {
        let at = Instant::now() + limit;
        Self { at, limit }
    }

    /// What is left, or that the time is over.
    pub(super) fn left(self) -> Result<Duration, FetchError> {
        match self.at.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(self.passed()),
            left => Ok(left),
        }
    }

    pub(super) fn passed(self) -> FetchError {
        Unreachable::Timeout(millis(self.limit)).into()
    }
}

impl Question<'_> {
    /// Asks. No redirect is followed, no proxy is used, and neither cookies nor credentials are
    /// sent; the connection is made for this question alone.
    pub(super) fn ask(&self) -> Result<Reply, Failure> {
        let connected = Arc::new(AtomicBool::new(false));
        let failed = |failed| match connected.load(Ordering::SeqCst) {
            true => Failure::Answer(self.explain(failed)),
            false => Failure::Host(self.explain(failed)),
        };
        let request = self.request().map_err(Failure::Answer)?;
        let agent = self.agent(connected.clone()).map_err(Failure::Answer)?;
        let response = agent.run(request).map_err(failed)?;
        self.reply(response).map_err(Failure::Answer)
    }

    fn request(&self) -> Result<Request<()>, FetchError> {
        let uri: Uri = self.target.url().parse().map_err(|_| Refusal::Url)?;
        let mut request = Request::get(uri)
            .header(ACCEPT, self.kind.accept())
            .header(ACCEPT_ENCODING, "gzip");
        if let Some(held) = self.held {
            for (field, condition) in [(ETAG, IF_NONE_MATCH), (LAST_MODIFIED, IF_MODIFIED_SINCE)] {
                if let Some(value) = held.get(field) {
                    request = request.header(condition, value);
                }
            }
        }
        request.body(()).map_err(|_| Refusal::Url.into())
    }

    fn agent(&self, connected: Arc<AtomicBool>) -> Result<Agent, FetchError> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(USER_AGENT)
            .max_idle_connections(0)
            .max_response_header_size(HEAD_BYTES)
            .input_buffer_size(2 * HEAD_BYTES)
            .timeout_connect(Some(self.connect))
            .timeout_global(Some(self.deadline.left()?))
            .build();
        let name = self.target.server_name().cloned();
        let secure = super::tls::Secure {
            session: name.map(|name| (self.tls.clone(), name)),
            connected,
        };
        let port = self.target.port();
        let addresses = self.addresses.iter().take(ADDRESSES);
        let vetted = addresses.map(|address| SocketAddr::new(*address, port));
        Ok(Agent::with_parts(
            config,
            ().chain(TcpConnector::default()).chain(secure),
            Vetted(vetted.collect()),
        ))
    }

    fn reply(&self, response: Response<Body>) -> Result<Reply, FetchError> {
        let (head, body) = response.into_parts();
        match head.status {
            StatusCode::OK => {
                let media_type = self.media_type(&head.headers)?;
                let body =
                    body::read(&head.headers, body.into_reader(), self.caps).map_err(|error| {
                        match error {
                            BodyError::Read(error) => self.explain(error.into()),
                            BodyError::Unusable(unusable) => unusable.into(),
                        }
                    })?;
                Ok(Reply::Document(Document {
                    headers: head.headers,
                    media_type,
                    body,
                }))
            }
            StatusCode::NOT_MODIFIED if self.held.is_some() => Ok(Reply::NotModified(head.headers)),
            StatusCode::NOT_FOUND => Err(FetchError::NotFound),
            StatusCode::GONE => Err(FetchError::Gone),
            status => match (status.as_u16(), head.headers.get(LOCATION)) {
                (301 | 302 | 303 | 307 | 308, Some(location)) => {
                    let location = location.to_str().map_err(|_| Refusal::Url)?;
                    Ok(Reply::Redirect(location.to_owned()))
                }
                (status, _) => Err(Unreachable::Status(status).into()),
            },
        }
    }

    fn media_type(&self, headers: &HeaderMap) -> Result<&'static str, FetchError> {
        let mut values = headers.get_all(CONTENT_TYPE).iter();
        let (first, more) = (values.next(), values.next());
        let found = first.map(|value| String::from_utf8_lossy(value.as_bytes()));
        let taken = self.kind.media_types();
        if let (Some(found), None) = (&found, more) {
            let essence = found.split(';').next().unwrap_or_default().trim();
            let known = taken.iter().find(|t| t.eq_ignore_ascii_case(essence));
            if let Some(known) = known {
                return Ok(known);
            }
        }
        Err(FetchError::from(Unusable::ContentType {
            found: found.map(|found| found.chars().take(100).collect()),
            wanted: taken.join(" or "),
        }))
    }

    /// What a failure means for whoever asked. The texts of the layers below are left out: they
    /// can name addresses.
    fn explain(&self, failed: ureq::Error) -> FetchError {
        let host = || self.target.host().to_owned();
        let tls = |reason| Unreachable::Tls {
            host: host(),
            reason,
        };
        match failed {
            ureq::Error::Timeout(ureq::Timeout::Connect) => {
                Unreachable::Timeout(millis(self.connect)).into()
            }
            ureq::Error::Timeout(_) => self.deadline.passed(),
            ureq::Error::Rustls(error) => tls(tls_problem(&error)).into(),
            ureq::Error::Tls(_) | ureq::Error::TlsRequired => tls(TlsProblem::Handshake).into(),
            ureq::Error::LargeResponseHeader(..) => Unusable::Head(HEAD_BYTES).into(),
            ureq::Error::Protocol(_) => Unreachable::NotHttp.into(),
            ureq::Error::BodyStalled => Unreachable::BrokenOff.into(),
            ureq::Error::Io(error) => {
                let inner = error.get_ref();
                if let Some(error) = inner.and_then(|e| e.downcast_ref::<rustls::Error>()) {
                    return tls(tls_problem(error)).into();
                }
                match error.kind() {
                    std::io::ErrorKind::UnexpectedEof
                    | std::io::ErrorKind::ConnectionReset
                    | std::io::ErrorKind::ConnectionAborted
                    | std::io::ErrorKind::BrokenPipe => Unreachable::BrokenOff.into(),
                    _ => Unreachable::Connect(host()).into(),
                }
            }
            _ => Unreachable::Connect(host()).into(),
        }
    }
}

fn tls_problem(error: &rustls::Error) -> TlsProblem {
    use CertificateError as Wrong;
    let rustls::Error::InvalidCertificate(wrong) = error else {
        return TlsProblem::Handshake;
    };
    match wrong {
        Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => TlsProblem::Name,
        Wrong::UnknownIssuer => TlsProblem::Authority,
        Wrong::Expired
        | Wrong::ExpiredContext { .. }
        | Wrong::NotValidYet
        | Wrong::NotValidYetContext { .. } => TlsProblem::Period,
        _ => TlsProblem::Certificate,
    }
}

/// Gives the addresses that were vetted, whatever is asked: nothing is resolved a second time.
#[derive(Debug)]
struct Vetted(Vec<SocketAddr>);

impl Resolver for Vetted {
    fn resolve(
        &self,
        _uri: &Uri,
        _config: &Config,
        _timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        for address in &self.0 {
            addresses.push(*address);
        }
        Ok(addresses)
    }
}
