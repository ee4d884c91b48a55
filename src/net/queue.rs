//! Who waits for whom: one fetch per thing at a time, and not too many at once. Nobody waits
//! longer than they said they would.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::{FetchError, Unreachable};
use super::fetched::Fetched;
use super::memory::Key;

type Answer = Result<Fetched, FetchError>;

/// The fetches under way. Whoever asks for something that is being fetched waits for that fetch.
#[derive(Default)]
pub(super) struct Flights {
    under_way: Mutex<HashMap<Key, Arc<Flight>>>,
}

#[derive(Default)]
struct Flight {
    landed: Mutex<Option<Answer>>,
    told: Condvar,
}

impl Flights {
    /// Gives what `fetch` gives, which only one of those who ask for `key` at the same time runs.
    /// The others wait for it, `patience` at most, and are then told that there was no answer.
    pub(super) fn join(
        &self,
        key: &Key,
        patience: Duration,
        fetch: impl FnOnce() -> Answer,
    ) -> Answer {
        let mut under_way = lock(&self.under_way);
        if let Some(flight) = under_way.get(key).cloned() {
            drop(under_way);
            return flight.wait(patience);
        }
        let flight = Arc::new(Flight::default());
        under_way.insert(key.clone(), flight.clone());
        drop(under_way);
        let mut landing = Landing {
            flights: self,
            key,
            flight: &flight,
            // What the others hear if this thread dies.
            answer: Err(Unreachable::BrokenOff.into()),
        };
        landing.answer = fetch();
        landing.answer.clone()
    }
}

impl Flight {
    fn wait(&self, patience: Duration) -> Answer {
        let waiting = |landed: &mut Option<Answer>| landed.is_none();
        let (landed, _) = self
            .told
            .wait_timeout_while(lock(&self.landed), patience, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        landed
            .clone()
            .unwrap_or_else(|| Err(Unreachable::Timeout(millis(patience)).into()))
    }
}

/// Tells those who wait, however the fetch ends.
struct Landing<'f> {
    flights: &'f Flights,
    key: &'f Key,
    flight: &'f Flight,
    answer: Answer,
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        lock(&self.flights.under_way).remove(self.key);
        *lock(&self.flight.landed) = Some(self.answer.clone());
        self.flight.told.notify_all();
    }
}

/// The places for connections: so many over all, and so many per host.
pub(super) struct Places {
    over_all: usize,
    per_host: usize,
    taken: Mutex<Taken>,
    freed: Condvar,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_host: HashMap<String, usize>,
}

/// A place; given back when dropped.
pub(super) struct Place<'p> {
    places: &'p Places,
    host: String,
}

impl Places {
    pub(super) fn new(over_all: usize, per_host: usize) -> Self {
        Self {
            over_all,
            per_host,
            taken: Mutex::default(),
            freed: Condvar::new(),
        }
    }

    /// A place for a connection to `host`, for which it waits `patience` at most.
    pub(super) fn take(&self, host: &str, patience: Duration) -> Result<Place<'_>, FetchError> {
        let until = Instant::now() + patience;
        let mut taken = lock(&self.taken);
        while taken.all >= self.over_all || taken.of(host) >= self.per_host {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(FetchError::Busy);
            }
            let woken = self.freed.wait_timeout(taken, left);
            (taken, _) = woken.unwrap_or_else(PoisonError::into_inner);
        }
        taken.all += 1;
        *taken.by_host.entry(host.to_owned()).or_default() += 1;
        Ok(Place {
            places: self,
            host: host.to_owned(),
        })
    }
}

impl Taken {
    fn of(&self, host: &str) -> usize {
        self.by_host.get(host).copied().unwrap_or(0)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut taken = lock(&self.places.taken);
        taken.all -= 1;
        match taken.of(&self.host) {
            0 | 1 => taken.by_host.remove(&self.host),
            more => taken.by_host.insert(self.host.clone(), more - 1),
        };
        self.places.freed.notify_all();
    }
}

/// Nothing is left half done under these locks, so what a thread that died left is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
