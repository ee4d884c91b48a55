//! What the log says of a request: its kind, and never what it was about or who sent it.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use tracing::{error, info};

use super::measured::Measured;
use super::problem::tells_of_state;
use super::reply::Reply;
use super::request_id::RequestId;
use super::routes::{Route, every};
use crate::metrics::{Parent, UnderWay, Work};
use crate::registry::Actor;
use crate::store::event::Means;

/// A request, as far as the log tells of it.
pub(super) struct Logged {
    method: &'static str,
    began: Instant,
    /// None where there is nothing at its address.
    route: Option<&'static Route>,
    request: Option<RequestId>,
    actor: Option<Actor>,
}

impl Logged {
    pub(super) fn begin(method: &Method) -> Self {
        let known = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];
        let named = known.into_iter().find(|known| *known == method.as_str());
        Self {
            // The word can be anything that a caller chose.
            method: named.unwrap_or("other"),
            began: Instant::now(),
            route: None,
            request: None,
            actor: None,
        }
    }

    /// A request of a route for everybody, where nothing else is to be told of it.
    pub(super) fn of_public(method: &Method, pattern: &'static str, began: Instant) -> Self {
        Self {
            began,
            route: every().find(|route| route.path == pattern),
            ..Self::begin(method)
        }
    }

    pub(super) const fn at(&mut self, route: &'static Route, request: RequestId) {
        self.route = Some(route);
        self.request = Some(request);
    }

    pub(super) const fn by(&mut self, actor: Option<Actor>) {
        self.actor = actor;
    }

    /// Counts how it ended, under its route, and tells of it as a part of `parent`.
    pub(super) fn measured_by(
        &self,
        measured: &Measured,
        (mut under_way, parent): (UnderWay, Option<Parent>),
        reply: &Reply,
    ) {
        let (took, status) = (self.began.elapsed(), reply.status);
        let route = self.route.map(|route| (route.method, route.path));
        under_way.ended(route, status, took);
        if let Some(traces) = measured.traced.present() {
            let work = Work::Request {
                method: self.method,
                route: self.route.map(|route| route.path),
                status,
            };
            traces.ended(parent, work, took);
        }
    }

    /// Says how it ended. Of a public request neither its name nor its caller is told, and of one that
    /// only reads no caller.
    pub(super) fn end(&self, reply: &Reply) {
        self.says(reply.status, reply.problem(), reply.cause());
    }

    /// As [`Self::end`], for an answer that is no problem.
    pub(super) fn end_with(&self, status: u16) {
        self.says(status, None, None);
    }

    fn says(&self, status: u16, problem: Option<&str>, kind: Option<&str>) {
        let method = self.method;
        let ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let route = self.route.map(|route| route.path);
        let private = self.route.is_some_and(|route| route.access.knows_who());
        let request = self.request.filter(|_| private);
        let request = request.map(RequestId::to_text);
        let changes = private && method != "GET" && method != "HEAD";
        let actor = self.actor.filter(|_| changes);
        let tenant = actor.map(tenant);
        let client = actor.and_then(|actor| client(actor.means()));
        let (request, tenant, client) = (request.as_deref(), tenant.as_deref(), client.as_deref());
        let told = problem.is_some_and(tells_of_state);
        if status >= 500 && !told {
            error!(
                method,
                route,
                status,
                problem,
                error = kind,
                request,
                tenant,
                client,
                ms,
                "request failed"
            );
        } else {
            info!(
                method,
                route, status, problem, request, tenant, client, ms, "request"
            );
        }
    }
}

/// The number of the profile that a change was made for.
fn tenant(actor: Actor) -> String {
    let profile = actor.speaks_as();
    profile.map_or_else(|| "registry".to_owned(), |profile| profile.0.to_string())
}

/// By what somebody was known, as the audit trail names it.
fn client(means: Means) -> Option<String> {
    let (kind, id) = match means {
        Means::None => return None,
        Means::Token(id) => ("token", id),
        Means::Client(id) => ("client", id),
        Means::Person(id) => ("person", id),
        Means::Outside(id) => ("outside", id),
        Means::PersonBy { person, client } => {
            let [person, client] = [person, client].map(|id| URL_SAFE_NO_PAD.encode(id));
            return Some(format!("person:{person} client:{client}"));
        }
    };
    Some(format!("{kind}:{}", URL_SAFE_NO_PAD.encode(id)))
}
