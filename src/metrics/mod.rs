//! What a running registry counts and measures of itself, and the text in which Prometheus reads it.
//!
//! The instruments are plain numbers that many threads add to without waiting for each other. Nothing is
//! global: who does the work holds the instruments of that work, and whoever is asked for the numbers is
//! given them ([`Text`]). Labels come from tables of this program alone, never from what was sent.

mod caches;
mod instruments;
mod requests;
mod text;
mod traces;

use std::sync::Arc;

pub use caches::{CacheShown, Held, Lookups};
pub use instruments::{Counter, Gauge, Histogram, Scale, Spread};
pub use requests::{Answers, Named, Requests, Total, UnderWay};
pub use text::{Family, Kind, Text};
pub use traces::{Exports, Parent, Traced, Traces, Work};

/// The write path of a store.
#[derive(Debug, Default)]
pub struct Writes {
    /// How long groups took to be written and durable, anchored not yet; those that failed as well.
    pub commits: Histogram,
    /// How long the anchor took to be written.
    pub anchors: Histogram,
    /// How long each group was durable and not anchored, which is before it was shown and acknowledged.
    pub lags: Histogram,
    /// How many batches, which is changes, were written at once.
    pub groups: Histogram<{ Scale::COUNT }>,
    /// Changes that wait to be written.
    pub waiting: Gauge,
    /// Groups of which it is not known that they are durable.
    pub failed: Counter,
    /// Who tells of each group and of each time it was anchored.
    pub traced: Traced,
}

/// A change that waits to be written, until this is dropped.
#[derive(Debug)]
pub struct WaitsForWrite(Arc<Writes>);

impl WaitsForWrite {
    /// One more waits.
    pub fn among(writes: &Arc<Writes>) -> Self {
        writes.waiting.up();
        Self(writes.clone())
    }
}

impl Drop for WaitsForWrite {
    fn drop(&mut self) {
        self.0.waiting.down();
    }
}

/// The publication of lists.
#[derive(Debug, Default)]
pub struct Publishing {
    /// How long after a change the signed list followed: from when the change was acknowledged, or, where
    /// it is acknowledged after that, was committed.
    pub delays: Histogram,
    /// Lists that could not be published at one try.
    pub failed: Counter,
    /// Who tells of each list that was signed.
    pub traced: Traced,
}
