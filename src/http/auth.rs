//! Who asks: bearer tokens, and the rules of development mode.

use http::HeaderMap;

use super::edge::{Edge, Mode};
use super::problem::Problem;
use super::routes::Access;
use crate::access::{Action, Asked, Scope};
use crate::registry::{Actor, RegistryError};

/// Whom a request speaks for, before its body is read. A route for everybody takes a token as
/// well, since some answers tell their owners more.
pub(super) fn authenticate(
    edge: &Edge,
    access: Access,
    (method, path): (&str, &str),
    headers: &HeaderMap,
) -> Result<Option<Actor>, Problem> {
    let Some(header) = headers.get("authorization") else {
        return match (edge.mode, access) {
            (Mode::Development, _) => Ok(Some(Actor::development())),
            (Mode::Production, Access::Public) => Ok(None),
            (Mode::Production, Access::Needs(_)) => Err(Problem::unauthenticated(
                "send a token as \"Authorization: Bearer …\"; `goodstanding token` makes one",
            )),
        };
    };
    let token = header.to_str().ok().and_then(|value| value.split_once(' '));
    let token = match token {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => {
            return Err(refused(
                "the Authorization header has to be \"Bearer\" and a token",
            ));
        }
    };
    let asked = Asked {
        writes: !matches!(method, "GET" | "HEAD"),
        path,
        needs: access.action(),
    };
    match edge.registry.authenticate(token, asked)? {
        Some(actor) => may(actor, access, asked).map(Some),
        None => Err(refused("the token is not known here or has expired")),
    }
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

fn refused(detail: &str) -> Problem {
    let mut problem = Problem::unauthenticated(detail);
    problem.headers = vec![(
        "WWW-Authenticate",
        "Bearer realm=\"goodstanding\", error=\"invalid_token\"".to_owned(),
    )];
    problem
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
