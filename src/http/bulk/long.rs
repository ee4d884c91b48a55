//! Updates by lines that are more than fits into memory: made while they come.
//!
//! Whoever sends slowly holds a connection, and in memory a piece and the lines of a chunk. A thread and
//! a place in the list's line are taken for each piece when it is there, and given back when it is made.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Buf;
use warp::Stream;

use super::apart::apart;
use super::updates::{Upload, making};
use crate::http::body::{Gathered, drain, next_piece};
use crate::http::edge::Edge;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;

/// Makes the updates of a body of which `begun` is there and the rest is still to come.
pub(in crate::http) async fn update_as_they_come<S, B>(
    edge: &Arc<Edge>,
    request: &Request,
    begun: Gathered,
    mut body: Pin<&mut S>,
) -> Result<Reply, Problem>
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf + Send,
{
    let list = request.param("list")?;
    let made = async {
        let mut upload = Upload::begin(edge, request, list)?;
        // What was gathered is let go when it is made, and the room for it with it.
        let mut taken = begun.into_pieces();
        loop {
            let making = make(edge, upload, move |upload, edge| {
                let (pieces, _room) = taken;
                let mut pieces = pieces.into_iter();
                pieces.try_for_each(|piece| upload.take(&mut making(edge), &piece))
            });
            // The next one is read meanwhile; where this one is refused nobody waits for it.
            let reading = async { Ok(next_piece(&edge.limits, body.as_mut()).await) };
            let next;
            (upload, next) = tokio::try_join!(making, reading)?;
            match next {
                Ok(Some(next)) => taken = (vec![next], None),
                Ok(None) => break,
                Err(problem) => return Err(upload.break_off(problem)),
            }
        }
        run(edge, move |edge| upload.finish(&mut making(edge))?.reply()).await
    };
    let made = made.await;
    if made.is_err() {
        // Who is still sending gets to read the answer, within reason.
        drain(&edge.limits, body).await;
    }
    made.map_err(|problem| problem.header("Connection", "close"))
}

/// Does something with an upload.
async fn make(
    edge: &Arc<Edge>,
    mut upload: Upload,
    work: impl FnOnce(&mut Upload, &Edge) -> Result<(), Problem> + Send + 'static,
) -> Result<Upload, Problem> {
    run(edge, move |edge| work(&mut upload, edge).map(|()| upload)).await
}

/// Does something on a thread of its own, which may block.
async fn run<T: Send + 'static>(
    edge: &Arc<Edge>,
    work: impl FnOnce(&Edge) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let edge = edge.clone();
    let done = apart(move || work(&edge)).await;
    done.unwrap_or_else(|| Err(Problem::internal()))
}
