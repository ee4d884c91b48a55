//! What was fetched, and what failed: kept for as long as it may be, in bounded memory.

use http::HeaderMap;
use moka::sync::Cache;

use super::error::FetchError;
use super::fetched::Fetched;
use super::kind::Kind;
use super::target::Target;
use crate::metrics::{Held, Lookups};
use crate::time::{Timestamp, Ttl};

/// Bytes that every entry is counted with beyond its texts.
const OVERHEAD: usize = 512;

/// Bytes of remembered failures; some thousands of them.
const FAILURES_BYTES: u64 = 4 << 20;

/// An answer under one URL, asked for as one kind of thing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    kind: Kind,
    url: String,
}

/// An answer with what is needed to ask whether it is still the same.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) fetched: Fetched,
    pub(super) headers: HeaderMap,
}

/// The two caches. Time is not theirs: an entry says until when it holds, and the least used go
/// when there is no room.
pub(super) struct Memory {
    answers: Cache<Key, Stored>,
    failures: Cache<Failed, (Timestamp, FetchError)>,
    failure_memory: Ttl,
    /// How often a fresh answer was kept.
    pub(super) lookups: Lookups,
}

/// What failed: one URL, or everything of an origin that could not even be connected to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Failed {
    Answer(Key),
    Origin(String),
}

impl Key {
    pub(super) fn new(kind: Kind, target: &Target) -> Self {
        Self {
            kind,
            url: target.url().to_owned(),
        }
    }
}

impl Memory {
    pub(super) fn new(bytes: u64, failure_memory: Ttl) -> Self {
        Self {
            answers: Cache::builder()
                .max_capacity(bytes)
                .weigher(|key: &Key, stored: &Stored| {
                    let headers = stored.headers.iter();
                    let headers: usize = headers
                        .map(|(name, value)| name.as_str().len() + value.len())
                        .sum();
                    weight(2 * key.url.len() + headers + stored.fetched.body.len())
                })
                .build(),
            failures: Cache::builder()
                .max_capacity(FAILURES_BYTES)
                .weigher(
                    |failed: &Failed, _: &(Timestamp, FetchError)| match failed {
                        Failed::Answer(key) => weight(key.url.len()),
                        Failed::Origin(origin) => weight(origin.len()),
                    },
                )
                .build(),
            failure_memory,
            lookups: Lookups::default(),
        }
    }

    /// How much is kept.
    pub(super) fn held(&self) -> Held {
        Held {
            things: self.answers.entry_count(),
            bytes: Some(self.answers.weighted_size()),
        }
    }

    /// The answer that is kept, fresh or not.
    pub(super) fn answer(&self, key: &Key) -> Option<Stored> {
        self.answers.get(key)
    }

    pub(super) fn keep(&self, key: Key, stored: Stored) {
        self.answers.insert(key, stored);
        // Otherwise the bound holds only some time later, and answers are large.
        self.answers.run_pending_tasks();
    }

    pub(super) fn forget(&self, key: &Key) {
        self.answers.invalidate(key);
    }

    /// Why the answer could not be had a moment ago.
    pub(super) fn failure(&self, key: &Key, now: Timestamp) -> Option<FetchError> {
        self.failed(&Failed::Answer(key.clone()), now)
    }

    /// Why the origin could not be connected to a moment ago.
    pub(super) fn dead_origin(&self, origin: &str, now: Timestamp) -> Option<FetchError> {
        self.failed(&Failed::Origin(origin.to_owned()), now)
    }

    pub(super) fn failed_answer(&self, key: &Key, now: Timestamp, why: &FetchError) {
        self.remember(Failed::Answer(key.clone()), now, why);
    }

    pub(super) fn failed_origin(&self, origin: String, now: Timestamp, why: &FetchError) {
        self.remember(Failed::Origin(origin), now, why);
    }

    fn failed(&self, failed: &Failed, now: Timestamp) -> Option<FetchError> {
        let (at, why) = self.failures.get(failed)?;
        holds(at, at.plus(self.failure_memory), now).then_some(why)
    }

    fn remember(&self, failed: Failed, now: Timestamp, why: &FetchError) {
        self.failures.insert(failed, (now, why.clone()));
    }
}

/// Whether something that began to hold at `from` still does. A clock that was set back makes it
/// end, since nobody knows then how old it is.
pub(super) fn holds(from: Timestamp, until: Timestamp, now: Timestamp) -> bool {
    from <= now && now < until
}

fn weight(bytes: usize) -> u32 {
    u32::try_from(bytes.saturating_add(OVERHEAD)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::policy::{Hosts, Policy};

    fn key(path: usize) -> Key {
        let policy = Policy {
            hosts: Hosts::Public,
            ..Policy::default()
        };
        let url = format!("https://example.org/{path}");
        Key::new(Kind::StatusList, &Target::admit(&policy, &url).unwrap())
    }

    fn stored(bytes: usize) -> Stored {
        Stored {
            fetched: Fetched {
                url: String::new(),
                media_type: "application/vc",
                body: vec![0; bytes].into(),
                fetched_at: Timestamp::EPOCH,
                fresh_until: Timestamp::EPOCH,
            },
            headers: HeaderMap::new(),
        }
    }

    #[test]
    fn answers_never_take_more_room_than_they_may() {
        let memory = Memory::new(100_000, Ttl::from_seconds(5));
        for path in 0..1000 {
            memory.keep(key(path), stored(1000));
            assert!(memory.answers.weighted_size() <= 100_000, "{path}");
        }
        assert!(memory.answers.entry_count() > 50);
        memory.keep(key(5000), stored(200_000));
        assert!(memory.answer(&key(5000)).is_none());
    }

    #[test]
    fn a_failure_is_remembered_for_its_time_only() {
        let memory = Memory::new(1000, Ttl::from_seconds(5));
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        memory.failed_answer(&key(1), at(100), &FetchError::NotFound);
        assert_eq!(memory.failure(&key(1), at(104)), Some(FetchError::NotFound));
        assert_eq!(memory.failure(&key(1), at(105)), None);
        assert_eq!(
            memory.failure(&key(1), at(99)),
            None,
            "the clock was set back"
        );
        assert_eq!(memory.failure(&key(2), at(100)), None);
    }

    #[test]
    fn failures_of_very_many_urls_do_not_grow_without_end() {
        let memory = Memory::new(1000, Ttl::from_seconds(5));
        for path in 0..100_000 {
            memory.failed_answer(&key(path), Timestamp::EPOCH, &FetchError::NotFound);
        }
        memory.failures.run_pending_tasks();
        assert!(memory.failures.weighted_size() <= FAILURES_BYTES);
    }
}
