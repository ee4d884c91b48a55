//! The change feed: which lists are published, as server-sent events (WHATWG HTML, section 9.2).

use bytes::Bytes;
use serde_json::json;

use super::accept::negotiate;
use super::edge::Edge;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use super::routes::FEED;
use crate::ids::Seq;
use crate::registry::Publication;

/// Which events an answer goes on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Follow {
    /// Those behind an event that the caller has read.
    Behind(Seq),
    /// Those from now on: behind what was the newest event when the request came.
    FromNow(Seq),
}

/// What a feed sends where there is nothing to tell: a comment, which readers pass over.
pub(super) const HEARTBEAT: Bytes = Bytes::from_static(b":\n\n");

/// After how many milliseconds a reader that was cut off comes back.
pub(super) const COME_BACK_MS: u64 = 3_000;

pub(super) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    negotiate(request.accept().as_deref(), FEED)?;
    let newest = edge.registry.newest_event();
    let follow = match last_read(request)? {
        None => Follow::FromNow(newest),
        Some((read, place)) if read > newest => {
            // An event of before a restore, which is not here: all that came after what is.
            if let Some(found) = edge.registry.found_event()? {
                return Ok(followed(Follow::Behind(found)));
            }
            let detail = format!("there was no event {read} yet; the newest one is before it");
            return Err(Problem::invalid(place, detail));
        }
        Some((read, _)) => Follow::Behind(read),
    };
    Ok(followed(follow))
}

fn followed(follow: Follow) -> Reply {
    let mut reply = Reply::bytes(200, FEED[0], Bytes::new())
        .not_kept()
        .header("Access-Control-Allow-Origin", "*")
        .header("X-Accel-Buffering", "no");
    reply.follow = Some(follow);
    reply
}

/// The id of the last event that the caller has read, and where it says so. A reader that comes
/// back by itself repeats the URL of its first request, so that the header is the newer one.
pub(super) fn last_read(request: &Request) -> Result<Option<(Seq, &'static str)>, Problem> {
    const HEADER: &str = "Last-Event-ID";
    let mut given = request.headers.get_all(HEADER).iter();
    if let Some(id) = given.next() {
        let id = id.to_str().ok().filter(|_| given.next().is_none());
        return Ok(Some((event_id(id.unwrap_or_default(), HEADER)?, HEADER)));
    }
    const PARAMETER: &str = "?since";
    let id = request.query("since");
    id.map(|id| Ok((event_id(id, PARAMETER)?, PARAMETER)))
        .transpose()
}

/// An id as this feed writes it.
fn event_id(text: &str, place: &str) -> Result<Seq, Problem> {
    let parsed = text.parse().map(Seq).ok();
    let spelled = parsed.filter(|seq| seq.to_string() == text);
    spelled.ok_or_else(|| {
        let detail = "the id of an event is needed, once and as this feed told it: a whole number";
        Problem::invalid(place, detail)
    })
}

/// The beginning of a feed: when to come back, and behind which event.
pub(super) fn beginning(read: Seq) -> Bytes {
    format!("retry: {COME_BACK_MS}\nid: {read}\n\n").into()
}

/// That nothing is to be told up to this place. It has no data, so it is no event to its reader,
/// who goes on behind it after a break.
pub(super) fn nothing_until(place: Seq) -> Bytes {
    format!("id: {place}\n\n").into()
}

/// One publication as an event.
pub(super) fn event(told: &Publication) -> Bytes {
    let data = json!({
        "list": told.urls[0],
        "revision": told.revision,
        "formats": told.urls,
        "at": told.at.to_string(),
    });
    format!("id: {}\nevent: published\ndata: {data}\n\n", told.seq).into()
}
