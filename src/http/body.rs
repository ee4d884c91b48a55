//! The body of a request: read up to a limit and within a time.

use bytes::{Buf, Bytes};
use http::HeaderMap;
use warp::Stream;

use super::edge::Limits;
use super::problem::Problem;
use super::routes::Route;

/// Reads the body. One that announces itself as far too large is not waited for.
pub(super) async fn take_in<S, B>(
    limits: &Limits,
    route: &Route,
    headers: &HeaderMap,
    body: S,
) -> Result<Bytes, Problem>
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf + Send,
{
    let limit = if route.bulk {
        limits.bulk_body_bytes
    } else {
        limits.body_bytes
    };
    let announced = headers
        .get("content-length")
        .and_then(|length| length.to_str().ok()?.parse().ok());
    // Up to four times the limit is read and dropped, so that the connection stays usable.
    let waits = headers.contains_key("expect");
    let bound = if waits { limit } else { furthest(limit) };
    if announced.is_some_and(|length: usize| length > bound) {
        return Err(Problem::too_large(limit).header("Connection", "close"));
    }
    let patience = std::time::Duration::from_millis(limits.body.millis());
    match tokio::time::timeout(patience, read_body(body, limit)).await {
        Ok(read) => read,
        Err(_) => {
            let problem = Problem::new(
                408,
                "body-too-slow",
                "Body too slow",
                "the body took too long",
            );
            Err(problem.header("Connection", "close"))
        }
    }
}

/// How many bytes of a body are read where `limit` are taken.
const fn furthest(limit: usize) -> usize {
    limit.saturating_mul(4)
}

async fn read_body<S, B>(body: S, limit: usize) -> Result<Bytes, Problem>
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf + Send,
{
    let mut body = std::pin::pin!(body);
    let mut read = Vec::new();
    let mut seen = 0_usize;
    while let Some(part) = std::future::poll_fn(|cx| body.as_mut().poll_next(cx)).await {
        let mut part = part.map_err(|_| {
            Problem::new(
                400,
                "body-broken-off",
                "Body broken off",
                "the body ended too early",
            )
        })?;
        // A body that is too large is read to its end all the same, within reason, so that the
        // caller gets to read the answer and the connection stays usable.
        seen = seen.saturating_add(part.remaining());
        if seen > furthest(limit) {
            return Err(Problem::too_large(limit).header("Connection", "close"));
        }
        if seen > limit {
            read = Vec::new();
            continue;
        }
        while part.has_remaining() {
            let chunk = part.chunk();
            read.extend_from_slice(chunk);
            let taken = chunk.len();
            part.advance(taken);
        }
    }
    if seen > limit {
        Err(Problem::too_large(limit))
    } else {
        Ok(read.into())
    }
}
