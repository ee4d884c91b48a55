//! The threads that sign what changed, as it comes.

use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tracing::error;

use super::Snapshot;
use crate::ids::ListId;
use crate::registry::Registry;

/// How many lists are signed and stored at a time: their commits share the disk's syncs. Should
/// two threads come to publish one list, the condition on its row in "published" lets one win,
/// and the other looks again.
const THREADS: usize = 4;

/// The threads that sign what changed. Dropping it publishes what waits, and ends them, however long
/// that takes.
pub struct Publisher {
    registry: Arc<Registry>,
    threads: Vec<JoinHandle<()>>,
}

impl Publisher {
    /// Starts the threads; a list is to be signed within `delay` of a change of it.
    pub fn start(registry: Arc<Registry>, delay: Duration) -> std::io::Result<Self> {
        // Made first, so that threads that did start are ended where a later one does not.
        let mut publisher = Self {
            registry,
            threads: Vec::with_capacity(THREADS),
        };
        for number in 1..=THREADS {
            let shared = publisher.registry.clone();
            let thread = std::thread::Builder::new()
                .name(format!("publisher-{number}"))
                .spawn(move || publish_as_they_come(&shared, delay))?;
            publisher.threads.push(thread);
        }
        Ok(publisher)
    }

    /// Publishes what waits, as far as that can be done by then, and ends the threads. Returns how
    /// many lists are left to the next start.
    pub fn stop(mut self, until: Instant) -> usize {
        self.end(Some(until))
    }

    fn end(&mut self, until: Option<Instant>) -> usize {
        let snapshot = &self.registry.published;
        let lock = || {
            let waiting = snapshot.waiting.lock();
            waiting.unwrap_or_else(PoisonError::into_inner)
        };
        lock().stop = Some(Stop { until, failed: 0 });
        snapshot.wake.notify_all();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                error!("a publisher ended by a panic; start-up will publish what it left");
            }
        }
        let waiting = lock();
        let failed = waiting.stop.as_ref().map_or(0, |stop| stop.failed);
        waiting.since.len() + failed
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.end(None);
    }
}

/// How the publisher is to end.
pub(super) struct Stop {
    /// What is not published by then is left to the next start.
    pub(super) until: Option<Instant>,
    /// How many lists could not be published since.
    pub(super) failed: usize,
}

impl Stop {
    fn is_over(&self) -> bool {
        self.until.is_some_and(|until| until <= Instant::now())
    }
}

fn publish_as_they_come(registry: &Registry, delay: Duration) {
    while let Some(list) = next_due(&registry.published, delay) {
        registry.publish_or_try_again(list);
    }
}

/// Waits for the list that has waited longest until it is due; `None` when all is done for good.
fn next_due(snapshot: &Snapshot, delay: Duration) -> Option<ListId> {
    // Half of the delay is for waiting, half for signing and storing.
    let patience = delay / 2;
    let mut waiting = snapshot
        .waiting
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    loop {
        let first = waiting
            .since
            .iter()
            .min_by_key(|(_, since)| **since)
            .map(|(l, s)| (*l, *s));
        match first {
            Some((list, since)) => {
                // A list that is to be tried again waits since a moment that is yet to come.
                let left = (since + patience).saturating_duration_since(Instant::now());
                if waiting.stop.as_ref().is_some_and(Stop::is_over) {
                    return None;
                }
                if left.is_zero() || waiting.stop.is_some() {
                    waiting.since.remove(&list);
                    // While this one is signed, another thread has to watch the others.
                    snapshot.wake.notify_one();
                    return Some(list);
                }
                let woken = snapshot.wake.wait_timeout(waiting, left);
                waiting = woken.unwrap_or_else(PoisonError::into_inner).0;
            }
            None if waiting.stop.is_some() => return None,
            None => {
                let woken = snapshot.wake.wait(waiting);
                waiting = woken.unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}
