//! Answers that take long to put together and change rarely: kept ready, and built anew when
//! something that concerns them was logged, or at the moment from which they are others.
//!
//! The rule, so that neither many changes nor many questions make it a burden:
//! - one builds at a time; meanwhile the others get the answer from before;
//! - a building that took some time is followed by nine times that time without another, so that
//!   all of them together take at most a tenth of one thread. An answer is therefore at most ten
//!   times as old as it takes to build: nothing where the registry is small, a minute where
//!   building takes six seconds.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use arc_swap::ArcSwapOption;

use super::{Registry, RegistryError};
use crate::ids::Seq;
use crate::store::engine::{Read, StoreError};
use crate::store::event::{Event, EventKind};
use crate::time::{Timestamp, Ttl};

/// An answer that is kept ready.
pub(super) struct Ready<T> {
    kept: ArcSwapOption<Kept<T>>,
    building: Mutex<()>,
    waiting: AtomicUsize,
}

/// An answer as it was built.
pub(super) struct Built<T> {
    pub(super) value: T,
    /// From when on it is another one, though nothing is logged then.
    pub(super) until: Option<Timestamp>,
}

struct Kept<T> {
    value: Arc<T>,
    /// The place in the log up to which nothing changes it.
    seq: Seq,
    until: Option<Timestamp>,
    /// It is not built anew before this moment.
    rests_until: Timestamp,
}

/// For each moment of building so many of rest.
const REST: u64 = 9;

/// So many wait for the first building after a start; more are asked to come back.
const MOST_WAITING: usize = 16;

/// So many events are looked at for one that concerns the answer, before it is built anew anyway.
const MOST_EVENTS: usize = 10_000;

impl<T> Default for Ready<T> {
    fn default() -> Self {
        Self {
            kept: ArcSwapOption::empty(),
            building: Mutex::new(()),
            waiting: AtomicUsize::new(0),
        }
    }
}

impl<T> Ready<T> {
    /// The answer, by the rule above. `concerns` says which events change it; `build` puts it
    /// together from one state of the store.
    ///
    /// # Errors
    /// Those of `build`, and [`RegistryError::Contended`] where too many wait for the first one.
    pub(super) fn get(
        &self,
        registry: &Registry,
        concerns: fn(&EventKind) -> bool,
        build: impl Fn(&dyn Read) -> Result<Built<T>, RegistryError>,
    ) -> Result<Arc<T>, RegistryError> {
        if let Some(kept) = self.fresh(registry) {
            return Ok(kept);
        }
        let _turn = match self.turn()? {
            Turn::Mine(guard) => guard,
            Turn::Taken(kept) => return Ok(kept),
        };
        if let Some(kept) = self.fresh(registry) {
            return Ok(kept);
        }
        // Before the snapshot: what is committed in between is looked at once more next time.
        let seq = registry.engine.head().seq;
        let started = registry.clock.now();
        if let Some(kept) = self.kept.load_full() {
            if registry.now() < kept.rests_until {
                return Ok(kept.value.clone());
            }
            if kept.holds_at(registry.now()) && !changed(registry, kept.seq, seq, concerns)? {
                let value = kept.value.clone();
                self.keep(value.clone(), seq, kept.until, kept.rests_until);
                return Ok(value);
            }
        }
        let Built { value, until } = build(&*registry.engine.snapshot())?;
        let value = Arc::new(value);
        let ended = registry.clock.now();
        let took = u64::try_from(ended.millis().saturating_sub(started.millis())).unwrap_or(0);
        let rest = Ttl::from_millis(took.saturating_mul(REST));
        self.keep(value.clone(), seq, until, ended.plus(rest));
        Ok(value)
    }

    /// What is kept, where nothing at all has been logged since and its time is not over.
    fn fresh(&self, registry: &Registry) -> Option<Arc<T>> {
        let kept = self.kept.load_full()?;
        let holds = kept.seq == registry.engine.head().seq && kept.holds_at(registry.now());
        holds.then(|| kept.value.clone())
    }

    /// Who builds. Where somebody does already, and there is an answer from before, nobody waits.
    fn turn(&self) -> Result<Turn<'_, T>, RegistryError> {
        match self.building.try_lock() {
            Ok(guard) => return Ok(Turn::Mine(guard)),
            Err(TryLockError::Poisoned(guard)) => return Ok(Turn::Mine(guard.into_inner())),
            Err(TryLockError::WouldBlock) => {}
        }
        if let Some(kept) = self.kept.load_full() {
            return Ok(Turn::Taken(kept.value.clone()));
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let guard = (before < MOST_WAITING)
            .then(|| self.building.lock().unwrap_or_else(PoisonError::into_inner));
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        guard.map(Turn::Mine).ok_or(RegistryError::Contended)
    }

    fn keep(&self, value: Arc<T>, seq: Seq, until: Option<Timestamp>, rests_until: Timestamp) {
        self.kept.store(Some(Arc::new(Kept {
            value,
            seq,
            until,
            rests_until,
        })));
    }
}

enum Turn<'a, T> {
    Mine(MutexGuard<'a, ()>),
    Taken(Arc<T>),
}

impl<T> Kept<T> {
    fn holds_at(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// Whether an event after `since`, up to `head`, concerns the answer. One that cannot be read may.
fn changed(
    registry: &Registry,
    mut since: Seq,
    head: Seq,
    concerns: fn(&EventKind) -> bool,
) -> Result<bool, StoreError> {
    const PAGE: usize = 100;
    for _ in 0..MOST_EVENTS / PAGE {
        if since >= head {
            return Ok(false);
        }
        let events = registry.engine.changes(since, PAGE)?;
        let Some(last) = events.last() else {
            return Ok(false);
        };
        since = last.seq;
        let concerned = |body: &[u8]| Event::decode(body).map_or(true, |e| concerns(&e.kind));
        if events.iter().any(|event| concerned(&event.body)) {
            return Ok(true);
        }
    }
    Ok(since < head)
}
