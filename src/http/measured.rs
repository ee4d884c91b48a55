//! What is counted of requests: by every worker for itself where they are answered at once, and for all
//! others in the one place where they end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use tokio::sync::Semaphore;

use super::hot;
use super::routes::every;
use crate::metrics::{Answers, Exports, Named, Parent, Requests, Total, Traced, Work};

/// The instruments of the edge.
#[derive(Debug)]
pub struct Measured {
    pub(super) requests: Arc<Requests>,
    /// Who tells of each request.
    pub traced: Traced,
    /// What became of what was told.
    pub exports: Arc<Exports>,
    tallies: Mutex<Vec<Arc<Tally>>>,
    turns: Mutex<Vec<Permits>>,
}

impl Default for Measured {
    fn default() -> Self {
        let routes = every().map(|route| (route.method, route.path));
        Self {
            requests: Arc::new(Requests::of(routes)),
            traced: Traced::default(),
            exports: Arc::default(),
            tallies: Mutex::default(),
            turns: Mutex::default(),
        }
    }
}

/// What one thread answers at once. It stands apart in memory, so that no thread waits for another's.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Tally([Answers; hot::ROUTES.len()]);

impl Tally {
    /// An answer of the route that has this place among those that are answered at once.
    pub(super) fn note(&self, place: usize, status: u16, took: Duration) {
        self.0[place].note(status, took);
    }
}

/// How many of something there may be at a time.
#[derive(Debug, Clone)]
pub(super) struct Permits {
    /// What they are for.
    pub(super) of: &'static str,
    pub(super) limit: usize,
    left: Arc<Semaphore>,
}

impl Permits {
    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        self.limit.saturating_sub(self.left.available_permits())
    }
}

impl Measured {
    /// Tells of a request that was answered just now, where anybody wants to hear of it.
    pub(super) fn tell(&self, headers: &HeaderMap, work: Work, took: Duration) {
        if let Some(traces) = self.traced.present() {
            traces.ended(parent(headers), work, took);
        }
    }

    /// What a request is part of, where anybody wants to hear of it.
    pub(super) fn parent_of(&self, headers: &HeaderMap) -> Option<Parent> {
        self.traced.present().and_then(|_| parent(headers))
    }

    /// The tally of a thread more.
    pub(super) fn worker(&self) -> Arc<Tally> {
        let tally = Arc::<Tally>::default();
        locked(&self.tallies).push(tally.clone());
        tally
    }

    /// From now on it is told how many of these are taken, of all that are there now.
    pub(super) fn watch(&self, of: &'static str, left: &Arc<Semaphore>) {
        let limit = left.available_permits();
        let left = left.clone();
        locked(&self.turns).push(Permits { of, limit, left });
    }

    /// Everything of which there are only so many.
    pub(super) fn permits(&self) -> Vec<Permits> {
        locked(&self.turns).clone()
    }

    /// The routes at which anything was asked so far.
    pub(super) fn totals(&self) -> Vec<(Named, Total)> {
        let tallies = locked(&self.tallies).clone();
        let of_route = |(named, answers): (Named, &Answers)| {
            let mut total = Total::default();
            total.take_in(answers);
            let place = hot::ROUTES.iter().position(|path| ("GET", *path) == named);
            for tally in tallies.iter().filter(|_| place.is_some()) {
                total.take_in(&tally.0[place.unwrap_or_default()]);
            }
            (named, total)
        };
        let totals = self.requests.routes().map(of_route);
        let asked = totals.filter(|(_, total)| total.durations().count() > 0);
        asked.collect()
    }
}

/// What a request says that it is part of; said twice it counts for nothing.
fn parent(headers: &HeaderMap) -> Option<Parent> {
    let mut given = headers.get_all(Parent::HEADER).iter();
    let first = given.next()?.to_str().ok()?;
    Parent::parse(first).filter(|_| given.next().is_none())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_answered_at_once_stands_in_the_table_of_routes() {
        for path in hot::ROUTES {
            let stands =
                |route: &&super::super::routes::Route| route.path == path && route.method == "GET";
            assert!(every().any(|route| stands(&route)), "{path}");
        }
    }

    #[test]
    fn what_the_workers_answered_is_added_to_the_others() {
        let measured = Measured::default();
        let (one, other) = (measured.worker(), measured.worker());
        let status = hot::ROUTES.iter().position(|path| *path == "/status");
        let status = status.unwrap();
        one.note(status, 200, Duration::ZERO);
        other.note(status, 304, Duration::ZERO);
        measured
            .requests
            .ended(Some(("GET", "/status")), 200, Duration::ZERO);
        let totals = measured.totals();
        let [(named, total)] = totals.as_slice() else {
            panic!("{totals:?}");
        };
        let classes: Vec<_> = total.classes().collect();
        assert_eq!(*named, ("GET", "/status"));
        assert_eq!(classes, [("2xx", 2), ("3xx", 1), ("4xx", 0), ("5xx", 0)]);
    }

    #[test]
    fn permits_that_are_taken_are_told() {
        let measured = Measured::default();
        let turns = Arc::new(Semaphore::new(3));
        measured.watch("changes", &turns);
        let _one = turns.try_acquire().unwrap();
        let permits = measured.permits();
        assert_eq!((permits[0].of, permits[0].limit), ("changes", 3));
        assert_eq!(permits[0].taken(), 1);
    }
}
