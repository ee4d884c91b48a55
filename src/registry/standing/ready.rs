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

use crate::ids::Seq;
use crate::registry::{Registry, RegistryError};
use crate::store::engine::{Read, StoreError};
use crate::store::event::{Event, EventKind};
use crate::time::{Timestamp, Ttl};

/// An answer that is kept ready.
pub(in crate::registry) struct Ready<T> {
    kept: ArcSwapOption<Kept<T>>,
    building: Mutex<()>,
    waiting: AtomicUsize,
}

/// An answer as it was built.
pub(in crate::registry) struct Built<T> {
    pub(in crate::registry) value: T,
    /// From when on it is another one, though nothing is logged then.
    pub(in crate::registry) until: Option<Timestamp>,
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
    pub(in crate::registry) fn get(
        &self,
        registry: &Registry,
        concerns: fn(&EventKind) -> bool,
        build: impl Fn(&dyn Read) -> Result<Built<T>, RegistryError>,
    ) -> Result<Arc<T>, RegistryError> {
        self.get_at(Age::Rested, registry, concerns, build)
    }

    /// As [`Ready::get`], but never older than the newest change: for callers that decide by it,
    /// and that are few at a time.
    pub(in crate::registry) fn get_exact(
        &self,
        registry: &Registry,
        concerns: fn(&EventKind) -> bool,
        build: impl Fn(&dyn Read) -> Result<Built<T>, RegistryError>,
    ) -> Result<Arc<T>, RegistryError> {
        self.get_at(Age::Exact, registry, concerns, build)
    }

    fn get_at(
        &self,
        age: Age,
        registry: &Registry,
        concerns: fn(&EventKind) -> bool,
        build: impl Fn(&dyn Read) -> Result<Built<T>, RegistryError>,
    ) -> Result<Arc<T>, RegistryError> {
        if let Some(kept) = self.fresh(registry) {
            return Ok(kept);
        }
        let _turn = match self.turn(age)? {
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
            if age == Age::Rested && registry.now() < kept.rests_until {
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

    /// Who builds. Where somebody does already, and an answer from before will do, nobody waits.
    fn turn(&self, age: Age) -> Result<Turn<'_, T>, RegistryError> {
        if age == Age::Exact {
            let guard = self.building.lock().unwrap_or_else(PoisonError::into_inner);
            return Ok(Turn::Mine(guard));
        }
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

/// How old an answer may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    /// As old as the rule allows.
    Rested,
    /// Not older than the newest change.
    Exact,
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    use crate::registry::testing::{in_memory, operator, school};

    use crate::time::ManualClock;

    fn house() -> (Registry, Arc<ManualClock>) {
        let (registry, clock, _) = in_memory();
        (registry, clock)
    }

    /// Something that concerns the answer: it counts the profiles.
    fn registers(registry: &Registry, slug: &str) {
        school(registry, slug);
    }

    fn does_something_else(registry: &Registry) {
        let made = registry.make_token(
            &operator(),
            &crate::registry::TokenFor::OPERATOR,
            Ttl::from_seconds(60),
        );
        made.unwrap();
    }

    const fn concerns(kind: &EventKind) -> bool {
        matches!(kind, EventKind::ProfileCreated { .. })
    }

    fn count(read: &dyn Read) -> Result<usize, RegistryError> {
        let rows = crate::store::tables::PROFILES.scan(read, &[], None, usize::MAX)?;
        Ok(rows.len())
    }

    /// Asks, with a building that takes `seconds`; the answer, and whether it was built for this.
    fn ask(
        ready: &Ready<usize>,
        (registry, clock): &(Registry, Arc<ManualClock>),
        seconds: u64,
    ) -> (usize, bool) {
        let built = AtomicUsize::new(0);
        let value = ready.get(registry, concerns, |read| {
            built.fetch_add(1, Ordering::Relaxed);
            let value = count(read)?;
            clock.advance(Ttl::from_seconds(seconds));
            Ok(Built { value, until: None })
        });
        (*value.unwrap(), built.into_inner() == 1)
    }

    #[test]
    fn it_is_built_anew_for_what_concerns_it_and_for_nothing_else() {
        let house = house();
        let ready = Ready::default();
        assert_eq!(ask(&ready, &house, 0), (0, true));
        assert_eq!(ask(&ready, &house, 0), (0, false));
        for number in 1..4 {
            registers(&house.0, &format!("school-{number}"));
            assert_eq!(ask(&ready, &house, 0), (number, true));
            for _ in 0..250 {
                does_something_else(&house.0);
            }
            assert_eq!(ask(&ready, &house, 0), (number, false));
        }
        // Behind more events than are looked at.
        for _ in 0..=MOST_EVENTS {
            does_something_else(&house.0);
        }
        assert_eq!(ask(&ready, &house, 0), (3, true));
    }

    #[test]
    fn building_takes_at_most_a_tenth_of_the_time() {
        let house = house();
        let ready = Ready::default();
        assert_eq!(ask(&ready, &house, 2), (0, true));
        registers(&house.0, "school");
        for _ in 0..17 {
            house.1.advance(Ttl::from_seconds(1));
            assert_eq!(ask(&ready, &house, 2), (0, false), "it rests");
        }
        house.1.advance(Ttl::from_seconds(1));
        assert_eq!(ask(&ready, &house, 2), (1, true));

        // Who decides by it has it as it is, at any time.
        registers(&house.0, "college");
        assert_eq!(ask(&ready, &house, 0), (1, false));
        let build = |read: &dyn Read| {
            let value = count(read)?;
            Ok(Built { value, until: None })
        };
        let exact = || ready.get_exact(&house.0, concerns, build).unwrap();
        assert_eq!((*exact(), *exact()), (2, 2));
    }

    #[test]
    fn it_is_another_one_from_the_moment_that_was_told() {
        let (registry, clock) = house();
        let ready = Ready::default();
        let ask = || {
            let value = ready.get(&registry, concerns, |_| {
                let now = registry.now();
                let until = Some(now.plus(Ttl::from_seconds(10)));
                Ok(Built { value: now, until })
            });
            value.unwrap()
        };
        let first = ask();
        clock.advance(Ttl::from_seconds(9));
        assert_eq!(ask(), first);
        does_something_else(&registry);
        assert_eq!(ask(), first);
        clock.advance(Ttl::from_seconds(1));
        assert!(ask() > first);
    }

    #[test]
    fn one_builds_and_the_others_have_the_answer_from_before() {
        let house = house();
        let ready = Ready::default();
        assert_eq!(ask(&ready, &house, 0), (0, true));
        registers(&house.0, "school");
        let (started, has_started) = channel();
        let (go_on, may_go_on) = channel::<()>();
        let may_go_on = Mutex::new(may_go_on);
        thread::scope(|scope| {
            let slow = scope.spawn(|| {
                let value = ready.get(&house.0, concerns, |read| {
                    started.send(()).unwrap();
                    may_go_on.lock().unwrap().recv().unwrap();
                    let value = count(read)?;
                    Ok(Built { value, until: None })
                });
                *value.unwrap()
            });
            has_started.recv().unwrap();
            assert_eq!(ask(&ready, &house, 0), (0, false));
            go_on.send(()).unwrap();
            assert_eq!(slow.join().unwrap(), 1);
        });
        assert_eq!(ask(&ready, &house, 0), (1, false));
    }

    #[test]
    fn for_the_first_one_a_few_wait_and_more_come_back_later() {
        let house = house();
        let ready = Ready::default();
        let (started, has_started) = channel();
        let (go_on, may_go_on) = channel::<()>();
        let may_go_on = Mutex::new(may_go_on);
        thread::scope(|scope| {
            let slow = scope.spawn(|| {
                ready.get(&house.0, concerns, |_| {
                    started.send(()).unwrap();
                    may_go_on.lock().unwrap().recv().unwrap();
                    Ok(Built {
                        value: 7,
                        until: None,
                    })
                })
            });
            has_started.recv().unwrap();
            let wait = || scope.spawn(|| ask(&ready, &house, 0));
            let waiting: Vec<_> = (0..MOST_WAITING).map(|_| wait()).collect();
            while ready.waiting.load(Ordering::Relaxed) < MOST_WAITING {
                thread::yield_now();
            }
            let refused = ready.get(&house.0, concerns, |_| unreachable!("another builds"));
            assert_eq!(refused.unwrap_err(), RegistryError::Contended);
            go_on.send(()).unwrap();
            assert_eq!(*slow.join().unwrap().unwrap(), 7);
            for one in waiting {
                assert_eq!(one.join().unwrap(), (7, false));
            }
        });
    }

    #[test]
    fn what_cannot_be_built_is_an_error_and_not_the_answer_from_before() {
        let (registry, _) = house();
        let ready: Ready<usize> = Ready::default();
        let fails = |_: &dyn Read| Err(RegistryError::TooMany("too many".into()));
        let built = |_: &dyn Read| {
            Ok(Built {
                value: 1,
                until: None,
            })
        };
        assert!(ready.get(&registry, concerns, fails).is_err());
        assert_eq!(*ready.get(&registry, concerns, built).unwrap(), 1);
        registers(&registry, "school");
        assert!(ready.get(&registry, concerns, fails).is_err());
    }
}
