//! Updates by lines that are more than fits into memory: made while they come.
//!
//! Whoever sends slowly holds a connection, and in memory a piece and the lines of a chunk. A thread, the
//! permit of a change and a place in the list's line are taken for each piece when it is there, and given
//! back when it is made.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Buf;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use warp::Stream;

use super::updates::{PIECE, Upload};
use crate::http::body::{drain, next_piece};
use crate::http::edge::Edge;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;

/// Where updates are made.
#[derive(Clone, Copy)]
pub(in crate::http) struct Workshop<'w> {
    pub(in crate::http) edge: &'w Arc<Edge>,
    /// A permit is held while some of them are made.
    pub(in crate::http) changes: &'w Arc<Semaphore>,
    /// Whose threads may block.
    pub(in crate::http) blocking: &'w Handle,
}

/// Makes the updates of a body of which `begun` is there and the rest is still to come.
pub(in crate::http) async fn update_as_they_come<S, B>(
    workshop: Workshop<'_>,
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
            let making = workshop.make(upload, move |upload, edge| {
                let mut pieces = piece.chunks(PIECE);
                pieces.try_for_each(|piece| upload.take(edge, piece))
            });
            // The next one is read meanwhile; where this one is refused nobody waits for it.
            let reading = async { Ok(next_piece(&workshop.edge.limits, body.as_mut()).await) };
            let next;
            (upload, next) = tokio::try_join!(making, reading)?;
            match next {
                Ok(Some(next)) => piece = next,
                Ok(None) => break,
                Err(problem) => return Err(upload.break_off(problem)),
            }
        }
        workshop.run(move |edge| upload.finish(edge)).await
    };
    let made = made.await;
    if made.is_err() {
        // Who is still sending gets to read the answer, within reason.
        drain(&workshop.edge.limits, body).await;
    }
    made.map_err(|problem| problem.header("Connection", "close"))
}

impl Workshop<'_> {
    /// Does something with an upload.
    async fn make(
        self,
        mut upload: Upload,
        work: impl FnOnce(&mut Upload, &Edge) -> Result<(), Problem> + Send + 'static,
    ) -> Result<Upload, Problem> {
        self.run(move |edge| work(&mut upload, edge).map(|()| upload))
            .await
    }

    /// Does something on a thread that may block.
    async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&Edge) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let permit = self.changes.clone().acquire_owned().await;
        let edge = self.edge.clone();
        let done = self.blocking.spawn_blocking(move || {
            // Held by the work, which runs to its end even where the sender has gone.
            let _permit = permit;
            work(&edge)
        });
        done.await.unwrap_or_else(|_| Err(Problem::internal()))
    }
}
