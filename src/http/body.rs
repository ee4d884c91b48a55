//! The body of a request: read up to a limit and within a time.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::HeaderMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::yield_now;
use warp::Stream;

use super::bulk::has_table;
use super::edge::Limits;
use super::problem::Problem;
use super::routes::Route;

/// A body as far as it was read.
pub(super) enum Taken {
    /// All of it.
    Whole(Gathered),
    /// The beginning of a table that is longer than what is kept of a body; the rest is to be taken
    /// as it comes ([`next_piece`]).
    Begun(Gathered),
}

/// Bytes that are read together where there are many: no more of them are ever moved while they are
/// gathered, which would hold up all others who are served by the same thread.
const PIECE: usize = 1 << 20;

/// What was gathered of a body.
#[derive(Default)]
pub(super) struct Gathered {
    pieces: Vec<Vec<u8>>,
    /// Held by what is longer than a piece, as long as it is in memory.
    room: Option<OwnedSemaphorePermit>,
}

impl Gathered {
    /// Whether it is in several pieces, so that it takes long to put together.
    pub(super) const fn is_long(&self) -> bool {
        self.pieces.len() > 1
    }

    /// All of it in one, with what is to be held meanwhile.
    pub(super) fn into_one(self) -> (Bytes, Option<OwnedSemaphorePermit>) {
        let Self { mut pieces, room } = self;
        let whole = match pieces.len() {
            0 | 1 => pieces.pop().unwrap_or_default(),
            _ => {
                let mut whole = Vec::with_capacity(pieces.iter().map(Vec::len).sum());
                for piece in pieces {
                    whole.extend_from_slice(&piece);
                }
                whole
            }
        };
        (whole.into(), room)
    }

    /// Piece by piece.
    pub(super) fn into_pieces(self) -> (Vec<Vec<u8>>, Option<OwnedSemaphorePermit>) {
        (self.pieces, self.room)
    }

    /// Whether what comes next begins another piece.
    fn is_full(&self) -> bool {
        self.pieces.last().is_some_and(|piece| piece.len() >= PIECE)
    }

    fn append(&mut self, part: impl Buf) {
        if self.is_full() {
            self.pieces.push(Vec::with_capacity(PIECE));
        }
        match self.pieces.last_mut() {
            Some(piece) => append(piece, part),
            None => {
                self.pieces.push(Vec::new());
                self.append(part);
            }
        }
    }
}

/// Reads the body. One that announces itself as far too large is not waited for.
pub(super) async fn take_in<S, B>(
    limits: &Limits,
    (route, headers): (&Route, &HeaderMap),
    rooms: &Arc<Semaphore>,
    mut body: Pin<&mut S>,
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
    let mut reading = Reading {
        limit,
        may_be_longer,
        gathered: Gathered::default(),
        seen: 0,
    };
    let first = within(limits, reading.go_on(body.as_mut())).await;
    if let Some(taken) = first.unwrap_or_else(too_slow)? {
        return Ok(taken);
    }
    // It is longer than a piece: whoever sends it waits until there is room in memory.
    reading.gathered.room = rooms.clone().acquire_owned().await.ok();
    let rest = within(limits, reading.go_on(body)).await;
    rest.unwrap_or_else(too_slow)?.ok_or_else(Problem::internal)
}

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
        while let Some(part) = next_part(body.as_mut()).await? {
            append(&mut read, part);
            if read.len() >= PIECE {
                break;
            }
            give_way(read.len()).await;
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

/// Lets others have the thread who are served by it, after each part of a body that is not short: where
/// bytes come as fast as they are read, nobody else would get it.
async fn give_way(read: usize) {
    const SHORT: usize = 64 << 10;
    if read > SHORT {
        yield_now().await;
    }
}

/// A body that is being read.
struct Reading {
    limit: usize,
    may_be_longer: bool,
    gathered: Gathered,
    /// How many bytes came.
    seen: usize,
}

impl Reading {
    /// Reads on; `None` where more than a piece is there, and no room is held for it yet.
    async fn go_on<S, B>(&mut self, mut body: Pin<&mut S>) -> Result<Option<Taken>, Problem>
    where
        S: Stream<Item = Result<B, warp::Error>> + Send,
        B: Buf + Send,
    {
        while self.gathered.room.is_some() || !self.gathered.is_full() {
            let Some(part) = next_part(body.as_mut()).await? else {
                let gathered = std::mem::take(&mut self.gathered);
                return match self.seen > self.limit {
                    true => Err(Problem::too_large(self.limit)),
                    false => Ok(Some(Taken::Whole(gathered))),
                };
            };
            // A body that is too large is read to its end all the same, within reason, so that the
            // caller gets to read the answer and the connection stays usable.
            self.seen = self.seen.saturating_add(part.remaining());
            if self.seen > self.limit && self.may_be_longer {
                self.gathered.append(part);
                return Ok(Some(Taken::Begun(std::mem::take(&mut self.gathered))));
            }
            if self.seen > furthest(self.limit) {
                return Err(Problem::too_large(self.limit).header("Connection", "close"));
            }
            if self.seen > self.limit {
                self.gathered = Gathered::default();
            } else {
                self.gathered.append(part);
            }
            give_way(self.seen).await;
        }
        Ok(None)
    }
}
