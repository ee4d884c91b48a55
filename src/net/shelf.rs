//! What was read and checked, kept so that it is not read and checked for every question.

use std::sync::Arc;

use moka::sync::Cache;

use super::kind::Kind;
use super::memory::holds;
use crate::time::Timestamp;

/// Bytes that everything is counted with beyond its own.
const OVERHEAD: usize = 512;

/// What something was asked for as.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) kind: Kind,
    /// As it was asked for, in whatever spelling.
    pub(super) url: String,
    /// For whose credentials a list was checked; empty for what says the same to all.
    pub(super) issuer: String,
}

/// Something that was read at a time and holds until another.
#[derive(Debug)]
pub(super) struct Kept<T> {
    pub(super) thing: Arc<T>,
    /// When it was last known to be the answer there.
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// About how much memory it takes.
    pub(super) bytes: usize,
}

/// Things of one sort in bounded memory; the least used go when there is no room.
pub(super) struct Shelf<T: 'static>(Cache<Key, Kept<T>>);

impl Key {
    /// The key of what says the same to all.
    pub(super) fn of(kind: Kind, url: &str) -> Self {
        Self {
            kind,
            url: url.to_owned(),
            issuer: String::new(),
        }
    }
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self {
            thing: self.thing.clone(),
            ..*self
        }
    }
}

impl<T> Kept<T> {
    /// Whether it may be used at this moment.
    pub(super) fn holds(&self, now: Timestamp) -> bool {
        holds(self.from, self.until, now)
    }
}

impl<T: Send + Sync> Shelf<T> {
    /// A shelf for so many bytes.
    pub(super) fn new(bytes: u64) -> Self {
        let weigh = |key: &Key, kept: &Kept<T>| {
            let texts = 2 * key.url.len() + key.issuer.len();
            let bytes = OVERHEAD.saturating_add(texts).saturating_add(kept.bytes);
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().max_capacity(bytes).weigher(weigh).build())
    }

    /// What was put here last, whether it still holds or not.
    pub(super) fn last(&self, key: &Key) -> Option<Kept<T>> {
        self.0.get(key)
    }

    /// What everything here counts.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        self.0.weighted_size()
    }

    pub(super) fn put(&self, key: Key, kept: Kept<T>) {
        self.0.insert(key, kept);
        // Otherwise the bound holds only some time later, and lists are large.
        self.0.run_pending_tasks();
    }
}
