//! How many requests of one kind are answered at a time; more wait their turn.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::bulk;
use super::measured::Measured;
use super::request::Request;
use super::routes::{Access, Route};

/// A permit is held as long as an answer takes, or a body is in memory.
pub(super) struct Turns {
    /// A change waits for the disk, and the runtime has 512 threads that may block (tokio's default): the
    /// others are left to reads.
    changes: Arc<Semaphore>,
    /// Where something is verified, that may wait for others on the network. Other reads never do, so
    /// these leave them the threads that changes leave.
    verifications: Arc<Semaphore>,
    /// A list that is put together as it was and signed takes a processor and up to some ten megabytes,
    /// unlike other reads.
    pasts: Arc<Semaphore>,
    /// Bodies of more than a piece; of others no more is read than a piece.
    pub(super) long_bodies: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        let of = |count| Arc::new(Semaphore::new(count));
        Self {
            changes: of(256),
            verifications: of(128),
            pasts: of(8),
            long_bodies: of(4),
        }
    }
}

impl Turns {
    /// From now on it is told how many of them are taken.
    pub(super) fn are_watched_by(&self, measured: &Measured) {
        measured.watch("changes", &self.changes);
        measured.watch("verifications", &self.verifications);
        measured.watch("past-lists", &self.pasts);
        measured.watch("long-bodies", &self.long_bodies);
    }

    /// Waits for the turn of a request whose body is there, where it needs one.
    pub(super) async fn wait(
        &self,
        route: &Route,
        request: &Request,
    ) -> Option<OwnedSemaphorePermit> {
        let changes = route.access != Access::Public && route.method != "GET";
        let turn = if route.goes_outside {
            &self.verifications
        } else if route.past.is_some_and(|name| request.query(name).is_some()) {
            &self.pasts
        } else if changes && !is_long(route, request) {
            &self.changes
        } else {
            return None;
        };
        turn.clone().acquire_owned().await.ok()
    }
}

/// Whether a request's body is worked on by threads that stand back for others, with places of their own.
pub(super) const fn is_long(route: &Route, request: &Request) -> bool {
    route.bulk && request.body.len() >= bulk::LONG
}
