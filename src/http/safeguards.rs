//! What every answer tells browsers of how it may be used, so that what is shown here does not run,
//! frame, sniff or leak what it should not.
//!
//! | answer | besides `X-Content-Type-Options`, and `Strict-Transport-Security` under TLS |
//! |---|---|
//! | data that everybody may keep | `Cross-Origin-Resource-Policy: cross-origin` |
//! | pages | a policy of their own, no frame, no features, no opener, no embedding elsewhere |
//! | pictures that are documents | a policy under which nothing in them runs or is loaded |
//! | all else | a policy under which nothing runs, no frame, no referrer, no embedding elsewhere |
//!
//! The first kind is what is answered from memory by the million. No browser shows it as a document
//! of which anything could run, and there is nothing in it that a frame could steal.

use super::edge::{Edge, Mode};
use super::reply::{EXPOSED, Reply};

/// For a year (RFC 6797): as long as those who look over sites want it. Other hosts below this one are
/// somebody else's to decide on.
pub(super) const STRICT_TRANSPORT: &str = "max-age=31536000";

/// Media types are what they say.
pub(super) const NOSNIFF: &str = "nosniff";

/// Pages of any origin may use it, also those that are isolated from others.
pub(super) const FOR_ALL_ORIGINS: &str = "cross-origin";

/// What pages ask of a browser's features: nothing.
const NO_FEATURES: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";

/// Nothing is loaded or run, and nobody frames it.
const NOTHING_RUNS: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A picture that is opened by itself shows, and does nothing.
const PICTURE: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox";

/// Whether browsers are told to come by TLS alone: where they do, on a host that is not everybody's.
/// Told on localhost it would break whatever else is served there.
pub(super) fn wants_tls(edge: &Edge) -> bool {
    edge.tls.is_some() && edge.mode == Mode::Production
}

/// With all of that. What an answer says itself stays. `is_read_elsewhere` where a page of another
/// origin asks, which may have all but pages.
pub(super) fn told(reply: Reply, edge: &Edge, is_read_elsewhere: bool) -> Reply {
    let reply = reply.header("X-Content-Type-Options", NOSNIFF);
    let reply = match wants_tls(edge) {
        true => reply.header("Strict-Transport-Security", STRICT_TRANSPORT),
        false => reply,
    };
    let is = |media: &str| {
        let found = reply.get("content-type");
        found.is_some_and(|found| found.split(';').next() == Some(media))
    };
    let is_page = is("text/html");
    let policy = match is("image/svg+xml") {
        true => PICTURE,
        false => NOTHING_RUNS,
    };
    let is_kept_by_all = reply
        .get("cache-control")
        .is_some_and(|kept| kept.starts_with("public"));
    let is_open = (is_kept_by_all || is_read_elsewhere) && !is_page;
    let is_told = !is_kept_by_all || is_page || policy == PICTURE;
    let reply = match is_open {
        true => open(reply),
        false => reply.header("Cross-Origin-Resource-Policy", "same-origin"),
    };
    let reply = match is_told {
        true => closed(reply, policy),
        false => reply,
    };
    match is_page {
        true => unless_there(reply, "Cross-Origin-Opener-Policy", "same-origin")
            .header("Permissions-Policy", NO_FEATURES),
        false => reply,
    }
}

/// Readable from everywhere.
fn open(reply: Reply) -> Reply {
    let reply = reply.header("Cross-Origin-Resource-Policy", FOR_ALL_ORIGINS);
    if reply.get("access-control-allow-origin").is_some() {
        return reply;
    }
    reply
        .header("Access-Control-Allow-Origin", "*")
        .header("Access-Control-Expose-Headers", EXPOSED)
}

/// Under this policy, and in nobody's frame: the second header is for browsers that know no
/// `frame-ancestors`.
fn closed(reply: Reply, policy: &str) -> Reply {
    let reply = unless_there(reply, "Content-Security-Policy", policy);
    let reply = unless_there(reply, "Referrer-Policy", "no-referrer");
    unless_there(reply, "X-Frame-Options", "DENY")
}

fn unless_there(reply: Reply, name: &'static str, value: &str) -> Reply {
    match reply.get(name) {
        Some(_) => reply,
        None => reply.header(name, value),
    }
}
