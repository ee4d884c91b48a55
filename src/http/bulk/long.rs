//! Updates by lines that are more than fits into memory: made while they come.
//!
//! Whoever sends slowly holds a connection and a mebibyte. A thread, the permit of a change and a place in
//! the list's line are taken for each piece when it is there, and given back before the next one is
//! waited for.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Buf;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use warp::Stream;

use super::updates::{PIECE, Upload};
use crate::http::body::{drain, next_piece};
use crate::http::edge::Edge;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;

/// Makes the updates of a body of which `begun` is there and the rest is still to come.
pub(in crate::http) async fn update_as_they_come<S, B>(
    edge: &Arc<Edge>,
    changes: &Arc<Semaphore>,
    request: &Request,
    begun: Vec<u8>,
    mut body: Pin<&mut S>,
) -> Result<Reply, Problem>
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf + Send,
{
    let list = request.param("list")?;
    let made = async {
        let mut upload = Upload::begin(request, list)?;
        let mut piece = begun;
        loop {
            let making = make(edge, changes, upload, move |upload, edge| {
                let mut pieces = piece.chunks(PIECE);
                pieces.try_for_each(|piece| upload.take(edge, piece))
            });
            // The next one is read meanwhile; where this one is refused nobody waits for it.
            let reading = async { Ok(next_piece(&edge.limits, body.as_mut()).await) };
            let next;
            (upload, next) = tokio::try_join!(making, reading)?;
            match next {
                Ok(Some(next)) => piece = next,
                Ok(None) => break,
                Err(problem) => return Err(upload.break_off(problem)),
            }
        }
        let _permit = changes.acquire().await;
        let edge = edge.clone();
        let finished = spawn_blocking(move || upload.finish(&edge)).await;
        finished.unwrap_or_else(|_| Err(Problem::internal()))
    };
    let made = made.await;
    if made.is_err() {
        // Who is still sending gets to read the answer, within reason.
        drain(&edge.limits, body).await;
    }
    made.map_err(|problem| problem.header("Connection", "close"))
}

/// Does something with an upload on a thread that may block.
async fn make(
    edge: &Arc<Edge>,
    changes: &Semaphore,
    mut upload: Upload,
    work: impl FnOnce(&mut Upload, &Edge) -> Result<(), Problem> + Send + 'static,
) -> Result<Upload, Problem> {
    let _permit = changes.acquire().await;
    let edge = edge.clone();
    let made = spawn_blocking(move || work(&mut upload, &edge).map(|()| upload)).await;
    made.unwrap_or_else(|_| Err(Problem::internal()))
}
