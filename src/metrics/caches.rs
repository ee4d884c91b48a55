//! Caches: how often what was asked for was there, and how much is kept.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// How often what was asked for was in a cache.
#[derive(Debug, Default)]
pub struct Lookups {
    hits: Striped,
    misses: Striped,
}

impl Lookups {
    /// It was asked for, and was there or not.
    pub fn note(&self, there: bool) {
        match there {
            true => self.hits.note(),
            false => self.misses.note(),
        }
    }

    /// What is told of it, where it holds so many things of so many bytes.
    pub fn with(&self, held: Held) -> CacheShown {
        CacheShown {
            hits: self.hits.count(),
            misses: self.misses.count(),
            held,
        }
    }
}

/// What a cache holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    /// How many things.
    pub things: u64,
    /// About how many bytes they take; none where that is not known.
    pub bytes: Option<u64>,
}

/// A cache, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheShown {
    /// How often what was asked for was there.
    pub hits: u64,
    /// How often it was not.
    pub misses: u64,
    /// What it holds.
    pub held: Held,
}

/// Counts what every thread does all the time: each adds in a place of its own, so that none waits for
/// the memory of another.
#[derive(Debug, Default)]
struct Striped([Stripe; STRIPES]);

#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe(AtomicU64);

const STRIPES: usize = 8;

impl Striped {
    fn note(&self) {
        self.0[STRIPE.with(|stripe| *stripe)]
            .0
            .fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> u64 {
        let counts = self.0.iter().map(|one| one.0.load(Ordering::Relaxed));
        counts.sum()
    }
}

/// The place of the next thread. It only numbers threads: nothing is counted in it.
static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static STRIPE: usize = NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_thread_finds_is_added_up() {
        let lookups = Lookups::default();
        std::thread::scope(|scope| {
            for _ in 0..2 * STRIPES {
                scope.spawn(|| {
                    lookups.note(true);
                    lookups.note(true);
                    lookups.note(false);
                });
            }
        });
        let shown = lookups.with(Held::default());
        assert_eq!((shown.hits, shown.misses), (32, 16));
    }
}
