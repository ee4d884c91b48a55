//! Who asks: bearer tokens, and the rules of development mode.

use http::HeaderMap;

use super::console;
use super::edge::{Edge, Mode};
use super::problem::Problem;
use super::request::Request;
use super::routes::Access;
use crate::access::{Action, Asked, Scope};
use crate::registry::{Actor, GuestRefused, RegistryError};
use crate::vc::jws::Jws;

/// Whom a request speaks for, before its body is read. A route for everybody takes a token as
/// well, since some answers tell their owners more. Nowhere else than in this header is a token
/// looked for.
pub(super) fn authenticate(
    edge: &Edge,
    access: Access,
    (method, path): (&str, &str),
    headers: &HeaderMap,
) -> Result<Option<Actor>, Problem> {
    let token = match (edge.mode, access) {
        (_, Access::Page(door)) => return console::let_in(edge, door, headers),
        (Mode::Production, Access::Client) => return Ok(None),
        (Mode::Development, Access::Client) => return Ok(Some(Actor::development())),
        _ => bearer_token(headers)?,
    };
    let Some(token) = token else {
        return match (edge.mode, access) {
            (Mode::Development, _) => Ok(Some(Actor::development())),
            (Mode::Production, Access::Public | Access::Client | Access::Page(_)) => Ok(None),
            (Mode::Production, Access::Needs(_)) => Err(Problem::unauthenticated(
                "send a token as \"Authorization: Bearer …\"; `goodstanding token` makes one",
            )),
        };
    };
    let asked = asked(access, (method, path));
    let actor = speaks_for(edge, token, asked)?;
    may(actor, access, asked).map(Some)
}

/// As [`authenticate`], where nothing has to be read for it: `None` says nothing.
pub(super) fn authenticate_at_once(
    edge: &Edge,
    access: Access,
    (method, path): (&str, &str),
    headers: &HeaderMap,
) -> Option<Result<Option<Actor>, Problem>> {
    if access == Access::Client || access.is_page() {
        return None;
    }
    let token = bearer_token(headers).ok().flatten()?;
    let asked = asked(access, (method, path));
    let actor = edge.registry.authenticate_at_once(token, asked)?;
    Some(may(actor, access, asked).map(Some))
}

fn asked<'a>(access: Access, (method, path): (&str, &'a str)) -> Asked<'a> {
    Asked {
        writes: !matches!(method, "GET" | "HEAD"),
        path,
        needs: access.action(),
    }
}

/// The same request, once its bearer token was looked at after all: for a route that takes other
/// ways of showing who one is, and this one besides.
pub(super) fn again(edge: &Edge, request: &Request, needs: Action) -> Result<Request, Problem> {
    let access = Access::Needs(needs);
    let at = (request.method.as_str(), request.path.as_str());
    let actor = authenticate(edge, access, at, &request.headers)?;
    Ok(request.by(actor.map(|actor| actor.in_request(request.id))))
}

/// The token of the one `Authorization` header, where there is one.
pub(super) fn bearer_token(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut lines = headers.get_all("authorization").iter();
    let Some(header) = lines.next() else {
        return Ok(None);
    };
    if lines.next().is_some() {
        let detail = "a request has one Authorization header";
        let problem = Problem::new(400, "several-tokens", "Several tokens", detail);
        let challenge = "Bearer realm=\"goodstanding\", error=\"invalid_request\"";
        return Err(problem.header("WWW-Authenticate", challenge));
    }
    let token = header.to_str().ok().and_then(|value| value.split_once(' '));
    match token {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Ok(Some(token.trim_matches(' ')))
        }
        _ => Err(Problem::invalid_token(
            "the Authorization header has to be \"Bearer\" and a token",
        )),
    }
}

/// The longest token that is looked at, in characters.
const MAX_TOKEN: usize = 16 << 10;

/// Whom a token speaks for: one of those that are kept here, an access token of this registry, or
/// one of a provider elsewhere.
fn speaks_for(edge: &Edge, token: &str, asked: Asked<'_>) -> Result<Actor, Problem> {
    if token.len() > MAX_TOKEN {
        return Err(Problem::invalid_token(
            "the token is longer than any that is taken here",
        ));
    }
    if !token.contains('.') {
        let known = edge.registry.authenticate(token, asked)?;
        let unknown = || Problem::invalid_token("the token is not known here or has expired");
        return known.ok_or_else(unknown);
    }
    let jws = Jws::parse(token).map_err(|error| Problem::invalid_token(&error.to_string()))?;
    let guest = edge
        .providers
        .read(&jws, &*edge.outside, edge.registry.now());
    let known = match guest {
        None => edge.registry.bearer(&jws, asked)?,
        Some(Ok(guest)) => edge.registry.guest(&guest, asked)?,
        Some(Err(GuestRefused::Provider(refused))) => {
            return Err(Problem::invalid_token(&refused.to_string()));
        }
        Some(Err(unreachable @ GuestRefused::Unreachable(_))) => {
            return Err(Problem::provider_unreachable(&unreachable.to_string()));
        }
    };
    known.map_err(|refused| Problem::invalid_token(&refused.to_string()))
}

/// Whoever may not do what a route is for hears of that before the body is looked at.
fn may(actor: Actor, access: Access, asked: Asked<'_>) -> Result<Actor, Problem> {
    match access {
        Access::Needs(Action::Operate) if actor.speaks_as().is_some() => {
            Err(RegistryError::OperatorOnly.into())
        }
        Access::Needs(action) if !actor.can(action) => {
            Err(Problem::insufficient_scope(&Scope::needed(asked)))
        }
        _ => Ok(actor),
    }
}

/// In development mode nobody signs in, so no web page may get through: the request has to name
/// this machine as its host, and where it comes from a page, the page has to be ours.
pub(super) fn check_origin(
    edge: &Edge,
    host: Option<&str>,
    origin: Option<&str>,
) -> Result<(), Problem> {
    if edge.mode == Mode::Production {
        return Ok(());
    }
    let refused = |detail: String| {
        Err(Problem::new(
            403,
            "foreign-origin",
            "Development mode is for this machine only",
            detail,
        ))
    };
    let own_host = edge.registry.urls().host();
    let is_local = |host: &str| host == own_host || LOCAL_HOSTS.contains(&without_port(host));
    match host {
        Some(host) if is_local(host) => {}
        other => return refused(format!("the Host is {}", other.unwrap_or("missing"))),
    }
    match origin.map(|origin| origin.split_once("://").map_or(origin, |(_, host)| host)) {
        Some(origin) if Some(origin) != host && origin != own_host => {
            refused(format!("the Origin is {origin}"))
        }
        _ => Ok(()),
    }
}

const LOCAL_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::without_port;

    #[test]
    fn a_port_is_told_from_an_address() {
        assert_eq!(without_port("localhost:8080"), "localhost");
        assert_eq!(without_port("[::1]:8080"), "[::1]");
        assert_eq!(without_port("[::1]"), "[::1]");
        assert_eq!(without_port("localhost"), "localhost");
    }
}
