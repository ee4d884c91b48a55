//! What is answered at once, on the thread that read the request: from memory, without a lock and
//! without the store. All else goes on to the service, and so does whatever is not plain here: an
//! answer from here has the status, the headers and the bytes that the service gives for the same
//! request, which a test goes over (`tests.rs` beside this).

mod artefacts;
mod status;

use std::time::Instant;

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, AUTHORIZATION, CONTENT_LENGTH,
    EXPECT, HOST, IF_NONE_MATCH, ORIGIN, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use hyper::body::Body;
use tracing::Level;

use super::auth;
use super::conditions;
use super::edge::Edge;
use super::logged::Logged;
use super::measured::Tally;
use super::reply::EXPOSED;
use super::revision;
use super::safeguards;
use crate::metrics::Work;
use crate::time::Ttl;

pub(super) use artefacts::{VARIES, form_of, fresh, left_at, shown};

/// An answer that is whole.
pub(super) type Response = http::Response<Bytes>;

/// What is prepared for answers.
pub(super) struct Hot {
    /// `Cache-Control` for each number of seconds up to the longest that is configured, or thousands.
    fresh: Vec<HeaderValue>,
}

/// A request that reads, as far as its answer depends on it.
pub(super) struct Head<'r> {
    pub(super) is_head: bool,
    pub(super) path: &'r str,
    pub(super) headers: &'r HeaderMap,
    query: Option<&'r str>,
    wants_tls: bool,
}

/// The patterns of the routes that are answered from here.
pub(super) const ROUTES: [&str; 4] = [
    artefacts::LISTS,
    artefacts::LISTS_2021,
    artefacts::TOKEN_LISTS,
    status::ROUTE,
];

/// An answer, with the route that it comes from.
type Answered = (&'static str, Response);

/// For so many seconds at most is the header made beforehand.
const LONGEST_FRESH: u64 = 4_096;

impl Hot {
    pub(super) fn new(edge: &Edge) -> Self {
        let longest = edge.cache.status_list.max(edge.cache.look_up);
        let longest = longest.seconds().min(LONGEST_FRESH);
        Self {
            fresh: (0..=longest).map(fresh_for).collect(),
        }
    }

    /// The answer, where it can be given from here.
    pub(super) fn answer<B: Body>(
        &self,
        edge: &Edge,
        request: &http::Request<B>,
        tally: &Tally,
    ) -> Option<Response> {
        let began = Instant::now();
        let head = Head::of(edge, request)?;
        let (route, response) =
            artefacts::answer(self, edge, &head).or_else(|| status::answer(self, edge, &head))?;
        let (status, took) = (response.status().as_u16(), began.elapsed());
        if let Some(place) = ROUTES.iter().position(|path| *path == route) {
            tally.note(place, status, took);
        }
        let work = Work::Request {
            method: if head.is_head { "HEAD" } else { "GET" },
            route: Some(route),
            status,
        };
        edge.measured.tell(head.headers, work, took);
        if tracing::enabled!(Level::INFO) {
            Logged::of_public(request.method(), route, began).end_with(status);
        }
        Some(response)
    }

    /// `Cache-Control` of what everybody may keep for so long.
    fn fresh_for(&self, ttl: Ttl) -> HeaderValue {
        let seconds = ttl.seconds();
        let made = usize::try_from(seconds)
            .ok()
            .and_then(|at| self.fresh.get(at));
        made.cloned().unwrap_or_else(|| fresh_for(seconds))
    }
}

fn fresh_for(seconds: u64) -> HeaderValue {
    HeaderValue::try_from(format!("public, max-age={seconds}")).expect("a number is text")
}

impl<'r> Head<'r> {
    /// A request that only reads, says nothing of who makes it, and has no body; one that the service
    /// would refuse before it looks for a route is left to it.
    fn of<B: Body>(edge: &Edge, request: &'r http::Request<B>) -> Option<Self> {
        let is_head = match *request.method() {
            Method::GET => false,
            Method::HEAD => true,
            _ => return None,
        };
        let headers = request.headers();
        let elsewhere = [&AUTHORIZATION, &EXPECT, &revision::NAME];
        let left = elsewhere.iter().any(|name| headers.contains_key(*name));
        if left || !request.body().is_end_stream() {
            return None;
        }
        let mut hosts = headers.get_all(HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok());
        if hosts.next().is_some() {
            return None;
        }
        let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
        auth::check_origin(edge, host, origin).ok()?;
        let uri = request.uri();
        Some(Self {
            is_head,
            path: uri.path(),
            query: uri.query().filter(|query| !query.is_empty()),
            headers,
            wants_tls: safeguards::wants_tls(edge),
        })
    }

    /// Its query, where there is something in it.
    pub(super) const fn query(&self) -> Option<&'r str> {
        self.query
    }

    /// Whether whoever asks has what bears this tag.
    fn knows(&self, etag: &[u8]) -> bool {
        let known = self.headers.get(IF_NONE_MATCH);
        let known = known.and_then(|known| known.to_str().ok());
        known.is_some_and(|known| {
            let etag = std::str::from_utf8(etag);
            etag.is_ok_and(|etag| conditions::names(known, etag))
        })
    }

    /// The answer with these headers and this body, with what all answers have in common that everybody
    /// may keep. Without a body it says that what whoever asks has is the present one.
    fn respond(&self, mut headers: HeaderMap, body: Option<Bytes>) -> Response {
        let status = match body {
            Some(_) => StatusCode::OK,
            None => StatusCode::NOT_MODIFIED,
        };
        let mut body = body.unwrap_or_default();
        if self.is_head && status == StatusCode::OK {
            headers.insert(CONTENT_LENGTH, body.len().into());
            body = Bytes::new();
        }
        headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF.clone());
        if self.wants_tls {
            headers.insert(STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT.clone());
        }
        headers.insert(RESOURCE_POLICY.clone(), FOR_ALL_ORIGINS.clone());
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ALL_ORIGINS.clone());
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS.clone());
        let mut response = http::Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

static NOSNIFF: HeaderValue = HeaderValue::from_static(safeguards::NOSNIFF);
static STRICT_TRANSPORT: HeaderValue = HeaderValue::from_static(safeguards::STRICT_TRANSPORT);
static RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
static FOR_ALL_ORIGINS: HeaderValue = HeaderValue::from_static(safeguards::FOR_ALL_ORIGINS);
static ALL_ORIGINS: HeaderValue = HeaderValue::from_static("*");
static EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(EXPOSED);

#[cfg(test)]
mod tests;
