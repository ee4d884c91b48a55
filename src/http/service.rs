//! From a request on the wire to a reply: routing, authentication, body, handler, and what all
//! answers have in common.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use warp::filters::BoxedFilter;
use warp::path::FullPath;
use warp::reply::Response;
use warp::{Filter, Reply as _, Stream};

use super::auth;
use super::body::{Taken, take_in};
use super::bulk;
use super::check;
use super::conditions;
use super::console;
use super::edge::Edge;
use super::feeds::{Feeds, Told};
use super::language;
use super::logged::Logged;
use super::oauth::pages;
use super::open_badges;
use super::problem::{Problem, page};
use super::rates::{Counted, Meter};
use super::reply::Reply;
use super::request::{Request, parse_query};
use super::request_id::{self, RequestId, RequestIds};
use super::revision::{self, Waits};
use super::routes::{self, Access, Route};
use super::safeguards;
use super::server::Peer;
use super::turns::{self, Turns};
use crate::registry::Actor;

/// What all requests share.
struct Shared {
    edge: Arc<Edge>,
    turns: Turns,
    feeds: Arc<Feeds>,
    ids: RequestIds,
    meter: Meter,
    waits: Waits,
    /// Where handlers run, which may block: not on the threads that connections are served on.
    blocking: Handle,
}

/// The service as a warp filter. There is one filter, so nothing can fall through to another. Its
/// handlers run on the runtime that this is called on.
pub(super) fn filter(edge: Arc<Edge>, feeds: Arc<Feeds>) -> BoxedFilter<(Response,)> {
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    let ids = RequestIds::new(edge.registry.random());
    let meter = Meter::new(edge.limits.rates);
    let waits = Waits::new(edge.limits.revision_wait);
    let turns = Turns::default();
    turns.are_watched_by(&edge.measured);
    let shared = Arc::new(Shared {
        edge,
        turns,
        feeds,
        ids,
        meter,
        waits,
        blocking: Handle::current(),
    });
    warp::any()
        .map(move || shared.clone())
        .and(warp::method())
        .and(warp::path::full())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional())
        .and(warp::body::stream())
        .then(
            |shared: Arc<Shared>,
             method,
             path: FullPath,
             query,
             headers,
             peer: Option<Peer>,
             body| async move {
                let head = Head {
                    method,
                    path: path.as_str().to_owned(),
                    query,
                    headers,
                    peer: peer.and_then(|Peer(peer)| peer),
                };
                let (reply, told) = answer(&shared, head, body).await;
                to_response(reply, told)
            },
        )
        .boxed()
}

/// A request before its body is read.
pub(super) struct Head {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    headers: HeaderMap,
    /// Who is connected.
    peer: Option<IpAddr>,
}

impl Head {
    fn with(
        self,
        params: Vec<(&'static str, String)>,
        body: Bytes,
        actor: Option<Actor>,
        id: [u8; 16],
    ) -> Request {
        let Self {
            method,
            path,
            query,
            headers,
            ..
        } = self;
        let query = parse_query(&query);
        Request {
            method,
            path,
            params,
            query,
            headers,
            body,
            actor,
            id,
        }
    }
}

/// The answer, with what its body goes on with, where it does.
async fn answer<S, B>(shared: &Shared, head: Head, body: S) -> (Reply, Option<Told>)
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf + Send,
{
    let is_head = head.method == Method::HEAD;
    let origin = head.headers.contains_key("origin") && !pages::is_one(&head.path);
    let reads = head.method == Method::GET || is_head;
    let if_none_match = text(&head.headers, "if-none-match")
        .filter(|_| reads)
        .map(str::to_owned);
    let path = head.path.clone();
    let mut logged = Logged::begin(&head.method);
    let mut under_way = shared.edge.measured.requests.begin();
    let is_checked = !reads && path == check::PATH;
    let wants_page =
        (reads || is_checked || pages::is_one(&path)) && page::is_preferred(&head.headers);
    let query = head.query.clone();
    let language = language::of(&parse_query(&query), &head.headers);
    let mut reply = reply_to(shared, head, body, &mut logged).await;
    let opened = reply.follow.filter(|_| !is_head);
    let opened = opened.map(|follow| shared.feeds.open(follow)).transpose();
    let told = opened.unwrap_or_else(|problem| {
        reply = problem.to_reply();
        None
    });
    if reply.get("content-type") == Some(page::PROBLEM) {
        if open_badges::is_below(&path) {
            let wrong = reply.wrong.take();
            reply = open_badges::status_info(shared.edge.registry.urls().origin(), &reply);
            reply.wrong = wrong;
        } else if wants_page {
            let again = check::again(&reply, language).filter(|_| is_checked);
            reply = again.unwrap_or_else(|| page::of(&reply, language));
        }
    }
    if reads && reply.is_page() {
        let secure = shared.edge.registry.urls().origin().starts_with("https:");
        reply = language::remember(reply, &query, secure);
    }
    let reply = finish(shared, reply, if_none_match.as_deref(), (is_head, origin));
    logged.end(&reply);
    logged.measured_by(&mut under_way, &reply);
    (reply, told)
}

/// Routes, waits for what the caller has seen, and answers.
async fn reply_to<S, B>(shared: &Shared, head: Head, body: S, logged: &mut Logged) -> Reply
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf + Send,
{
    let (route, params) = match route(&shared.edge, &head) {
        Ok(routed) => routed,
        Err(reply) => return reply,
    };
    let id = shared.ids.of(&head.headers);
    logged.at(route, id);
    let (registry, blocking) = (&shared.edge.registry, &shared.blocking);
    let asked = (route, &head.headers);
    // Before it is known who asks: a token may be among what was seen elsewhere.
    if let Err(problem) = shared.waits.until_shown(registry, blocking, asked).await {
        return problem.to_reply();
    }
    let is_told = revision::is_told_to(&head.method);
    let reply = answer_to(shared, (route, params, id), head, body, logged).await;
    match is_told {
        true => revision::tell(reply, &shared.edge.registry),
        false => reply,
    }
}

/// Authenticates, before the body is looked at; then reads it and runs the handler.
async fn answer_to<S, B>(
    shared: &Shared,
    (route, params, id): (&'static Route, Vec<(&'static str, String)>, RequestId),
    head: Head,
    body: S,
    logged: &mut Logged,
) -> Reply
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf + Send,
{
    let actor = match authenticate(shared, route.access, &head).await {
        Ok(actor) => actor.map(|actor| actor.in_request(id.0)),
        Err(problem) if route.access.is_page() => return console::turned_away(&problem, &head),
        Err(problem) => return problem.to_reply(),
    };
    logged.by(actor);
    let by = (actor, head.peer, &head.headers);
    let now = || shared.edge.registry.now();
    let counted = shared.meter.count((route, &head.query), by, now);
    let reply = match counted.as_ref().and_then(Counted::refusal) {
        Some(problem) => problem.to_reply(),
        None => carry_out(shared, route, head, (params, actor, id.0), body).await,
    };
    let reply = match &counted {
        Some(counted) => counted.tell(reply),
        None => reply,
    };
    match route.access.knows_who() {
        true => reply.header(request_id::HEADER, id.to_text()),
        false => reply,
    }
}

/// Reads the body, and runs the handler.
async fn carry_out<S, B>(
    shared: &Shared,
    route: &'static Route,
    head: Head,
    (params, actor, id): (Vec<(&'static str, String)>, Option<Actor>, [u8; 16]),
    body: S,
) -> Reply
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf + Send,
{
    let (edge, mut body) = (&shared.edge, std::pin::pin!(body));
    let at = (route, &head.headers);
    let begun = match take_in(&edge.limits, at, &shared.turns.long_bodies, body.as_mut()).await {
        Ok(Taken::Whole(body)) => {
            let one = match body.is_long() {
                true => bulk::apart(move || body.into_one()).await,
                false => Some(body.into_one()),
            };
            let Some((body, room)) = one else {
                return Problem::internal().to_reply();
            };
            return run(shared, route, head.with(params, body, actor, id), room).await;
        }
        Ok(Taken::Begun(begun)) => begun,
        Err(problem) => return problem.to_reply(),
    };
    let request = head.with(params, Bytes::new(), actor, id);
    let made = match request.check_query(route.query) {
        Ok(()) => bulk::update_as_they_come(edge, &request, begun, body).await,
        Err(problem) => Err(problem.header("Connection", "close")),
    };
    made.unwrap_or_else(|problem| problem.to_reply())
}

/// Answers a request that comes from this very process, as the operator: the command line over a
/// data folder. The same routes and handlers answer it.
pub fn answer_locally(
    edge: &Edge,
    method: &str,
    path_and_query: &str,
    headers: HeaderMap,
    body: Bytes,
) -> Reply {
    let (path, query) = path_and_query
        .split_once('?')
        .unwrap_or((path_and_query, ""));
    let wanted = if method == "HEAD" { "GET" } else { method };
    let found = routes::at(path)
        .into_iter()
        .find(|(route, _)| route.method == wanted);
    let (Some((route, params)), Ok(method)) = (found, method.parse::<Method>()) else {
        return Problem::no_route(path).to_reply();
    };
    let (path, query) = (path.to_owned(), query.to_owned());
    let head = Head {
        method,
        path,
        query,
        headers,
        peer: None,
    };
    handle(
        edge,
        route,
        &head.with(params, body, Some(Actor::operator()), [0; 16]),
    )
}

type Routed = (&'static Route, Vec<(&'static str, String)>);

/// Finds the route, or answers at once what needs none.
fn route(edge: &Edge, head: &Head) -> Result<Routed, Reply> {
    if head.headers.get_all("host").iter().count() > 1 {
        let detail = "a request names one Host (RFC 9112 section 3.2)";
        return Err(Problem::new(400, "several-hosts", "Several hosts", detail).to_reply());
    }
    let host = text(&head.headers, "host");
    auth::check_origin(edge, host, text(&head.headers, "origin")).map_err(|p| p.to_reply())?;
    let routes = routes::at(&head.path);
    if routes.is_empty() {
        return Err(Problem::no_route(&head.path).to_reply());
    }
    let mut allow: Vec<&str> = routes.iter().map(|(route, _)| route.method).collect();
    if allow.contains(&"GET") {
        allow.push("HEAD");
    }
    allow.push("OPTIONS");
    let allow = allow.join(", ");
    if head.method == Method::OPTIONS {
        return Err(preflight(
            &allow,
            routes.iter().any(|(r, _)| !r.access.is_private()) && !pages::is_one(&head.path),
        ));
    }
    let wanted = if head.method == Method::HEAD {
        "GET"
    } else {
        head.method.as_str()
    };
    let found = routes.into_iter().find(|(route, _)| route.method == wanted);
    found.ok_or_else(|| Problem::method_not_allowed(&allow).to_reply())
}

/// Whom the request speaks for. A token is looked up in the store, so that happens where it may
/// block.
async fn authenticate(
    shared: &Shared,
    access: Access,
    head: &Head,
) -> Result<Option<Actor>, Problem> {
    let edge = &shared.edge;
    let (method, headers) = (&head.method, &head.headers);
    if !headers.contains_key("authorization") && !access.is_page() {
        return auth::authenticate(edge, access, (method.as_str(), &head.path), headers);
    }
    let at = (method.as_str(), head.path.as_str());
    if let Some(known) = auth::authenticate_at_once(edge, access, at, headers) {
        return known;
    }
    let (method, path) = (method.clone(), head.path.clone());
    let (edge, headers) = (edge.clone(), headers.clone());
    let look = move || auth::authenticate(&edge, access, (method.as_str(), &path), &headers);
    shared
        .blocking
        .spawn_blocking(look)
        .await
        .unwrap_or_else(|_| Err(Problem::internal()))
}

fn preflight(allow: &str, public: bool) -> Reply {
    let reply = Reply::empty(204).header("Allow", allow);
    if !public {
        return reply;
    }
    reply
        .header("Access-Control-Allow-Origin", "*")
        .header("Access-Control-Allow-Methods", allow)
        .header(
            "Access-Control-Allow-Headers",
            "Accept, Authorization, Content-Type, Goodstanding-Revision, If-None-Match, Last-Event-ID",
        )
        .header("Access-Control-Max-Age", "86400")
}

fn handle(edge: &Edge, route: &Route, request: &Request) -> Reply {
    let known = match route.lenient {
        true => Ok(()),
        false => request.check_query(route.query),
    };
    let answered = known.and_then(|()| (route.handler)(edge, request));
    answered.unwrap_or_else(|problem| problem.to_reply())
}

/// Runs the handler where it may block; a panic in it is an answer of its own.
async fn run(
    shared: &Shared,
    route: &'static Route,
    request: Request,
    room: Option<OwnedSemaphorePermit>,
) -> Reply {
    let permit = shared.turns.wait(route, &request).await.map(Arc::new);
    let is_long = turns::is_long(route, &request);
    let edge = shared.edge.clone();
    if let Some(in_line) = route.in_line
        && let Ok(()) = request.check_query(route.query)
        && let Some(answering) = in_line(&edge, &shared.blocking, &request, permit.clone())
    {
        return answering.await.unwrap_or_else(|problem| problem.to_reply());
    }
    let run = move || {
        // Held by the handler, which runs to its end even where the caller has gone.
        let _permits = (permit, room);
        handle(&edge, route, &request)
    };
    let ran = match is_long {
        true => bulk::apart(run).await,
        false => shared.blocking.spawn_blocking(run).await.ok(),
    };
    ran.unwrap_or_else(|| Problem::internal().to_reply())
}

/// What all answers have in common: conditions, CORS, and headers that keep pages honest.
fn finish(
    shared: &Shared,
    reply: Reply,
    if_none_match: Option<&str>,
    (is_head, cross_origin): (bool, bool),
) -> Reply {
    let unchanged = match (reply.status, reply.get("etag"), if_none_match) {
        (200, Some(etag), Some(known)) => conditions::names(known, etag),
        _ => false,
    };
    let reply = match reply.get("cache-control") {
        Some(_) => reply,
        None => reply.not_kept(),
    };
    // Nobody knows how long an answer will be that goes on.
    let reply = match is_head && !unchanged && reply.follow.is_none() {
        true => {
            let length = reply.body.len().to_string();
            reply.header("Content-Length", length)
        }
        false => reply,
    };
    // They depend on the media type, which an unchanged answer does not repeat.
    let mut reply = safeguards::told(reply, &shared.edge, cross_origin);
    if unchanged {
        reply.status = 304;
        let of_the_body = ["Content-Type", "Content-Encoding"];
        reply
            .headers
            .retain(|(name, _)| !of_the_body.contains(name));
    }
    if unchanged || is_head {
        reply.body = Bytes::new();
    }
    reply
}

fn to_response(reply: Reply, told: Option<Told>) -> Response {
    let mut response = match told {
        Some(told) => warp::reply::stream(told).into_response(),
        None => http::Response::new(reply.body).into_response(),
    };
    *response.status_mut() =
        StatusCode::from_u16(reply.status).expect("replies are made with statuses from this crate");
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}
