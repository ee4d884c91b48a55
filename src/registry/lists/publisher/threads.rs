//! The threads that sign what changed, as it comes.

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, LockResult, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tracing::error;

use super::Snapshot;
use super::waiting::{Next, Waiting};
use crate::ids::ListId;
use crate::metrics::Work;
use crate::registry::lanes::locked;
use crate::registry::standing_back::stand_back;
use crate::registry::{Registry, RegistryError};

/// How many lists are signed and stored at a time: their commits share the disk's syncs. So many of
/// them encode and sign at once as there are [`Places`].
const THREADS: usize = 16;

/// The threads that sign what changed. Dropping it publishes what waits, and ends them, however long
/// that takes.
pub struct Publisher {
    registry: Arc<Registry>,
    threads: Vec<JoinHandle<()>>,
}

impl Publisher {
    /// Starts the threads; a list is to be signed within `delay` of a change of it.
    pub fn start(registry: Arc<Registry>, delay: Duration) -> std::io::Result<Self> {
        locked(&registry.published.waiting).begin(delay);
        // Made first, so that threads that did start are ended where a later one does not.
        let mut publisher = Self {
            registry,
            threads: Vec::with_capacity(THREADS),
        };
        for number in 1..=THREADS {
            let shared = publisher.registry.clone();
            let thread = std::thread::Builder::new()
                .name(format!("publisher-{number}"))
                .spawn(move || publish_as_they_come(&shared))?;
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
        let lock = || locked(&snapshot.waiting);
        lock().stop = Some(Stop { until, failed: 0 });
        snapshot.wake.notify_all();
        snapshot.room.notify_all();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                error!("a publisher ended by a panic; start-up will publish what it left");
            }
        }
        let waiting = lock();
        let failed = waiting.stop.as_ref().map_or(0, |stop| stop.failed);
        waiting.len() + failed
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

fn publish_as_they_come(registry: &Registry) {
    while let Some(due) = next_due(&registry.published) {
        let list = match due {
            Due::List(list) => list,
            Due::LookThrough(after) => {
                registry.look_for_waiting(after);
                continue;
            }
        };
        // A fault with one list ends neither the thread nor the list's place in line.
        let signing = AssertUnwindSafe(|| registry.publish_or_try_again(list));
        let done = catch_unwind(signing).unwrap_or_else(|_| {
            error!(list = %list, "signing a list ended by a panic; it is tried again");
            registry.published.try_again(list);
            false
        });
        registry.published.is_signed(list, done);
    }
}

/// What a thread of the publisher does next.
enum Due {
    /// Publish this list.
    List(ListId),
    /// Look through the store for lists that wait, behind this one.
    LookThrough(Option<ListId>),
}

/// Waits for what is due; `None` when all is done for good.
fn next_due(snapshot: &Snapshot) -> Option<Due> {
    let mut waiting = locked(&snapshot.waiting);
    loop {
        if waiting.stop.as_ref().is_some_and(Stop::is_over) {
            return None;
        }
        waiting = match waiting.next(Instant::now(), &snapshot.reads) {
            Next::Sign(list) => {
                // While this one is signed, another thread has to watch the others.
                snapshot.wake.notify_one();
                snapshot.room.notify_one();
                return Some(Due::List(list));
            }
            Next::LookThrough(after) => {
                snapshot.wake.notify_one();
                return Some(Due::LookThrough(after));
            }
            Next::Wait(left) => waited(snapshot.wake.wait_timeout(waiting, left)).0,
            Next::Nothing if waiting.stop.is_some() => return None,
            Next::Nothing => waited(snapshot.wake.wait(waiting)),
        };
    }
}

/// Does it on a thread of its own that stands back for others, and waits for that.
fn standing_back<T: Send>(work: &(impl Fn() -> T + Sync)) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("publisher-long".to_owned());
        let begun = thread.spawn_scoped(scope, || {
            stand_back();
            work()
        });
        match begun {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => work(),
        }
    })
}

fn waited<T>(woken: LockResult<T>) -> T {
    woken.unwrap_or_else(PoisonError::into_inner)
}

/// How long lists may wait before others are held back, and how long somebody is who changes one more.
const BEHIND: Duration = Duration::from_secs(1);

impl Snapshot {
    /// Puts a list in line that changed. Where too many are in line, whoever changes another is held up
    /// until there is a place, for a second at most: changes are slowed down, and none is refused.
    pub(super) fn wait_for_publisher(&self, list: ListId) {
        let waiting = locked(&self.waiting);
        let full = |waiting: &mut Waiting| waiting.is_full_for(list);
        let mut waiting = waited(self.room.wait_timeout_while(waiting, BEHIND, full)).0;
        waiting.add(list, Instant::now());
        self.wake.notify_one();
    }

    /// Puts a list that could not be published back in line, a few seconds on; the next start sees to
    /// it where the publisher ends.
    pub(super) fn try_again(&self, list: ListId) {
        self.measured.failed.note();
        let mut waiting = locked(&self.waiting);
        if let Some(stop) = &mut waiting.stop {
            stop.failed += 1;
            return;
        }
        let now = Instant::now();
        waiting.failed(list, now);
        waiting.add(list, now + Duration::from_secs(5));
        self.wake.notify_one();
    }

    /// Encodes and signs a list by `sign`, when there is a place for that. Where it is `long`, on a thread
    /// that stands back for others, at a place of its own, so that no other list waits for it.
    pub(super) fn signed_in_turn<T: Send>(
        &self,
        list: ListId,
        long: bool,
        sign: impl Fn() -> Result<T, RegistryError> + Sync,
    ) -> Result<T, RegistryError> {
        let places = if long {
            &self.signing_long
        } else {
            &self.signing
        };
        let _place = places.take();
        let began = Instant::now();
        let signed = if long { standing_back(&sign) } else { sign() };
        let took = began.elapsed();
        let done = signed.is_ok();
        self.measured.traced.ended(Work::Sign { done }, took);
        locked(&self.waiting).took(list, began, took);
        signed
    }

    /// A list is `done`, or could not be signed and waits again.
    fn is_signed(&self, list: ListId, done: bool) {
        let mut waiting = locked(&self.waiting);
        let waited = waiting.signed(list);
        if done && let Some(since) = waiting.made_good(list).or(waited) {
            self.measured.delays.took(since.elapsed());
        }
        self.wake.notify_one();
    }

    /// Whether lists wait for longer than they should: what can wait stands back then.
    pub(in crate::registry) fn is_behind(&self) -> bool {
        let longest = locked(&self.waiting).longest();
        longest.is_some_and(|since| since.elapsed() > BEHIND)
    }
}

/// How many lists are encoded and signed at a time, by whoever does it: half of the cores are left to
/// whoever reads.
pub(super) struct Places {
    free: Mutex<usize>,
    bell: Condvar,
}

/// A place at which a list is signed.
pub(super) struct Place<'a>(&'a Places);

impl Places {
    pub(super) fn of_half_the_cores() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            free: Mutex::new((cores / 2).max(1)),
            bell: Condvar::new(),
        }
    }

    /// Waits for a free place.
    pub(super) fn take(&self) -> Place<'_> {
        let none_free = |free: &mut usize| *free == 0;
        let mut free = waited(self.bell.wait_while(locked(&self.free), none_free));
        *free -= 1;
        Place(self)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *locked(&self.0.free) += 1;
        self.0.bell.notify_one();
    }
}
