//! The body of a request: read up to a limit and within a time.

use std::pin::Pin;
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::HeaderMap;
use warp::Stream;

use super::bulk::has_table;
use super::edge::Limits;
use super::problem::Problem;
use super::routes::Route;

/// A body as far as it was read.
pub(super) enum Taken {
    /// All of it.
    Whole(Bytes),
    /// The beginning of a table that is longer than what is kept of a body; the rest is to be taken
    /// as it comes ([`next_piece`]).
    Begun(Vec<u8>),
}

/// Reads the body. One that announces itself as far too large is not waited for.
pub(super) async fn take_in<S, B>(
    limits: &Limits,
    route: &Route,
    headers: &HeaderMap,
    body: Pin<&mut S>,
) -> Result<Taken, Problem>
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf + Send,
{
    let limit = if route.bulk {
        limits.bulk_body_bytes
    } else {
        limits.body_bytes
    };
    let may_be_longer = route.takes_long_tables && has_table(headers);
    let announced = headers
        .get("content-length")
        .and_then(|length| length.to_str().ok()?.parse().ok());
    // Up to four times the limit is read and dropped, so that the connection stays usable.
    let waits = headers.contains_key("expect");
    let bound = if waits { limit } else { furthest(limit) };
    if !may_be_longer && announced.is_some_and(|length: usize| length > bound) {
        return Err(Problem::too_large(limit).header("Connection", "close"));
    }
    let reading = read_body(body, limit, may_be_longer);
    within(limits, reading).await.unwrap_or_else(too_slow)
}

/// At least so many bytes of a longer body are taken together.
const PIECE: usize = 1 << 20;

/// What comes next of a body; `None` where it has ended.
pub(super) async fn next_piece<S, B>(
    limits: &Limits,
    mut body: Pin<&mut S>,
) -> Result<Option<Vec<u8>>, Problem>
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf + Send,
{
    let reading = async {
        let mut read = Vec::new();
        while read.len() < PIECE {
            match next_part(body.as_mut()).await? {
                Some(part) => append(&mut read, part),
                None => break,
            }
        }
        Ok(Some(read).filter(|read| !read.is_empty()))
    };
    within(limits, reading).await.unwrap_or_else(too_slow)
}

/// Reads and drops what still comes of a body that is refused, within reason, so that the caller gets to
/// read the answer.
pub(super) async fn drain<S, B>(limits: &Limits, mut body: Pin<&mut S>)
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf + Send,
{
    let mut left = furthest(limits.bulk_body_bytes);
    let reading = async {
        while let Ok(Some(part)) = next_part(body.as_mut()).await
            && left > 0
        {
            left = left.saturating_sub(part.remaining());
        }
        Ok(())
    };
    // Whoever is too slow for that is not waited for.
    let _ = within(limits, reading).await;
}

async fn within<T>(
    limits: &Limits,
    reading: impl Future<Output = Result<T, Problem>>,
) -> Option<Result<T, Problem>> {
    let patience = Duration::from_millis(limits.body.millis());
    tokio::time::timeout(patience, reading).await.ok()
}

fn too_slow<T>() -> Result<T, Problem> {
    let detail = "the body took too long";
    let problem = Problem::new(408, "body-too-slow", "Body too slow", detail);
    Err(problem.header("Connection", "close"))
}

/// How many bytes of a body are read where `limit` are taken.
const fn furthest(limit: usize) -> usize {
    limit.saturating_mul(4)
}

async fn next_part<S, B>(mut body: Pin<&mut S>) -> Result<Option<B>, Problem>
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
{
    let part = std::future::poll_fn(|cx| body.as_mut().poll_next(cx)).await;
    part.transpose().map_err(|_| {
        let detail = "the body ended too early";
        Problem::new(400, "body-broken-off", "Body broken off", detail)
    })
}

fn append(read: &mut Vec<u8>, mut part: impl Buf) {
    while part.has_remaining() {
        let chunk = part.chunk();
        read.extend_from_slice(chunk);
        let taken = chunk.len();
        part.advance(taken);
    }
}

async fn read_body<S, B>(
    mut body: Pin<&mut S>,
    limit: usize,
    may_be_longer: bool,
) -> Result<Taken, Problem>
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf + Send,
{
    let mut read = Vec::new();
    let mut seen = 0_usize;
    while let Some(part) = next_part(body.as_mut()).await? {
        // A body that is too large is read to its end all the same, within reason, so that the
        // caller gets to read the answer and the connection stays usable.
        seen = seen.saturating_add(part.remaining());
        if seen > limit && may_be_longer {
            append(&mut read, part);
            return Ok(Taken::Begun(read));
        }
        if seen > furthest(limit) {
            return Err(Problem::too_large(limit).header("Connection", "close"));
        }
        if seen > limit {
            read = Vec::new();
            continue;
        }
        append(&mut read, part);
    }
    if seen > limit {
        Err(Problem::too_large(limit))
    } else {
        Ok(Taken::Whole(read.into()))
    }
}
