//! The door: whoever is not signed in is sent to the authorization server of this registry, comes back with a
//! code, and has a session for it (RFC 6749 section 4.1, RFC 7636). The code is changed for the session by the
//! registry itself, which is client and server in one here, so that no token leaves it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;

use super::cookie::Cookie;
use super::visit::Sent;
use crate::http::edge::{Edge, Mode};
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::http::routes::Door;
use crate::http::service::Head;
use crate::oauth::form_token::FormCheck;
use crate::oauth::pkce::Challenge;
use crate::registry::{Actor, CONSOLE, GrantRefused, RegistryError, Visitor};
use crate::web::console::{EnterPage, Failed, NotSignedInPage};

/// Whom a request to the console speaks for: whoever its session is of, who may do what the route needs.
pub(in crate::http) fn let_in(
    edge: &Edge,
    door: Door,
    headers: &HeaderMap,
) -> Result<Option<Actor>, Problem> {
    if door == Door::Open {
        return Ok(None);
    }
    let actor = visitor(edge, headers)?.ok_or_else(not_signed_in)?.actor();
    match door {
        Door::May(action) if !actor.can(action) => Err(RegistryError::NotAllowed(action).into()),
        _ => Ok(Some(actor)),
    }
}

/// Who is signed in. A session in which nobody signed in is good in development mode alone, also where its
/// store is served by another later.
pub(super) fn visitor(edge: &Edge, headers: &HeaderMap) -> Result<Option<Visitor>, Problem> {
    let Some(cookie) = Cookie::Session.of(edge, headers) else {
        return Ok(None);
    };
    let visitor = edge.registry.visitor(&cookie)?;
    let known = |visitor: &Visitor| visitor.person.is_some() || edge.mode == Mode::Development;
    Ok(visitor.filter(known))
}

/// Nobody is signed in.
pub(super) fn not_signed_in() -> Problem {
    let detail = "sign in at /console/sign-in; a session ends when it is not used for a while";
    Problem::new(401, NOT_SIGNED_IN, "Nobody is signed in", detail)
}

const NOT_SIGNED_IN: &str = "not-signed-in";

/// Sends whoever is not signed in to where they do, and from there to where they wanted to go; a form that came
/// too late is not carried along.
pub(in crate::http) fn turned_away(problem: &Problem, head: &Head) -> Reply {
    if !problem.kind.ends_with(NOT_SIGNED_IN) {
        return problem.to_reply();
    }
    let to = match (head.method == http::Method::POST, head.query.as_str()) {
        (true, _) => START.to_owned(),
        (false, "") => head.path.clone(),
        (false, query) => format!("{}?{query}", head.path),
    };
    to_sign_in(&to)
}

/// Leads to where somebody signs in, and from there on to a page.
pub(super) fn to_sign_in(to: &str) -> Reply {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("to", to);
    leads_to(&format!("/console/sign-in?{}", query.finish()))
}

/// Where the console begins.
const START: &str = "/console";

/// Begins a sign-in. In development mode it is said first that nobody has to.
pub(in crate::http) fn sign_in(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let to = place(request.query("to"));
    if visitor(edge, &request.headers)?.is_some() {
        return Ok(leads_to(to));
    }
    let as_somebody = request.query("as").is_some();
    if edge.mode == Mode::Development && !as_somebody {
        let page = EnterPage {
            frame: request.frame(),
            form: edge.registry.forms().sign(&[ENTER], edge.registry.now()),
            to: to.to_owned(),
        };
        return Ok(Reply::html(page.html()).not_kept());
    }
    let verifier = URL_SAFE_NO_PAD.encode(edge.registry.random::<32>());
    let (forms, now) = (edge.registry.forms(), edge.registry.now());
    let state = format!("{}.{to}", forms.sign(&[STATE, &verifier, to], now));
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("response_type", "code")
        .append_pair("client_id", &CONSOLE.to_string())
        .append_pair("redirect_uri", &edge.registry.console_callback())
        .append_pair("code_challenge", &Challenge::of(&verifier).to_text())
        .append_pair("code_challenge_method", "S256")
        .append_pair("state", &state);
    let target = format!("/oauth/authorize?{}", query.finish());
    Ok(leads_to(&target).header("Set-Cookie", Cookie::SigningIn.set(edge, &verifier)))
}

const STATE: &str = "sign-in";
const ENTER: &str = "enter";

/// A session in which nobody signed in, for whoever sits at this machine.
pub(in crate::http) fn enter(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    if edge.mode != Mode::Development {
        return Ok(to_sign_in(START));
    }
    let form = super::visit::fields(edge, request)?;
    let given = form.get("form").unwrap_or_default();
    let to = place(form.get("to"));
    let (forms, now) = (edge.registry.forms(), edge.registry.now());
    if forms.check(given, &[ENTER], now) == FormCheck::Bad {
        return Ok(leads_to("/console/sign-in"));
    }
    let before = Cookie::Session.of(edge, &request.headers);
    let cookie = edge.registry.session_in_development(before.as_deref())?;
    Ok(leads_to(to).header("Set-Cookie", Cookie::Session.set(edge, &cookie)))
}

/// Takes the code, and goes on to where somebody wanted to go.
pub(in crate::http) fn callback(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let clear = Cookie::SigningIn.clear(edge);
    let failed = |why: Failed| {
        let page = NotSignedInPage {
            frame: request.frame(),
            why,
            start: format!("{}{START}", edge.registry.urls().origin()),
        };
        let mut reply = Reply::html(page.html());
        reply.status = 403;
        Ok(reply.not_kept().header("Set-Cookie", clear.clone()))
    };
    let Some(verifier) = Cookie::SigningIn.of(edge, &request.headers) else {
        return failed(Failed::OtherBrowser);
    };
    let Some(to) = asked_for(edge, request, &verifier) else {
        return failed(Failed::OtherBrowser);
    };
    let Some(code) = request.query("code") else {
        return failed(Failed::Denied);
    };
    let before = Cookie::Session.of(edge, &request.headers);
    let session = edge
        .registry
        .session_for_code(code, &verifier, before.as_deref());
    match session {
        Ok(cookie) => Ok(leads_to(to)
            .header("Set-Cookie", Cookie::Session.set(edge, &cookie))
            .header("Set-Cookie", clear)),
        Err(GrantRefused::OAuth(_)) => failed(Failed::Over),
        Err(GrantRefused::Registry(error)) => Err(error.into()),
    }
}

/// Where somebody wanted to go who began to sign in by this very browser, and was sent back by this server
/// (RFC 9207).
fn asked_for<'r>(edge: &Edge, request: &'r Request, verifier: &str) -> Option<&'r str> {
    let (until, rest) = request.query("state")?.split_once('.')?;
    let (tag, to) = rest.split_once('.')?;
    let token = format!("{until}.{tag}");
    let ours = edge
        .registry
        .forms()
        .check(&token, &[STATE, verifier, to], edge.registry.now());
    let from_here = request.query("iss") == Some(edge.registry.urls().origin());
    (ours == FormCheck::Good && from_here).then(|| place(Some(to)))
}

/// Ends the session, or all that somebody has.
pub(in crate::http) fn leave(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let sent = Sent::of(edge, request)?;
    let visitor = &sent.visit.visitor;
    match sent.field("everywhere").is_empty() {
        true => edge.registry.sign_out(visitor)?,
        false => edge.registry.sign_out_everywhere(visitor)?,
    }
    Ok(leads_to("/").header("Set-Cookie", Cookie::Session.clear(edge)))
}

/// Where somebody goes: a page of the console, and no other place.
fn place(to: Option<&str>) -> &str {
    let inside = |to: &&str| {
        let rest = to.strip_prefix(START);
        let whole = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
        whole && to.len() <= 512 && to.bytes().all(plain)
    };
    to.filter(inside).unwrap_or(START)
}

/// Leads the browser on.
pub(super) fn leads_to(place: &str) -> Reply {
    Reply::empty(303)
        .header("Location", place)
        .header("Referrer-Policy", "same-origin")
        .not_kept()
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn nobody_is_led_out_of_the_console() {
        for inside in ["/console", "/console?done=x", "/console/requests/1?a=b"] {
            assert_eq!(place(Some(inside)), inside);
        }
        for outside in [
            "",
            "/",
            "//evil.example",
            "https://evil.example",
            "/consoleevil",
            "/console@evil.example",
            "/console\\evil",
            "/console/\r\nSet-Cookie: a=b",
            "/console/ü",
            "javascript:alert(1)",
        ] {
            assert_eq!(place(Some(outside)), "/console", "{outside:?}");
        }
        assert_eq!(place(None), "/console");
    }
}
