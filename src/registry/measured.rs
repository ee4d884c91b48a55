//! What is told of the registry in numbers, to whoever runs it: nothing of it names anybody.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::lanes::locked;
use super::{Registry, RegistryError};
use crate::metrics::{CacheShown, Publishing, Writes};
use crate::store::engine::Read;
use crate::store::tables::{KEYS, PUBLISHED, PUBLISHED_TOKENS, RENEWALS};
use crate::time::Timestamp;

/// How many lists wait to be signed, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Lists that changed and wait.
    pub lists: usize,
    /// How long the first of them has waited.
    pub longest: Duration,
}

/// The keys that sign, by how long ago they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyAges {
    /// For each of [`KeyAges::DAYS`] how many keys are older than the bound before it and no older than it,
    /// and last those that are older than all.
    pub keys: [u64; Self::DAYS.len() + 1],
    /// How old the oldest of them is, in seconds.
    pub oldest_seconds: u64,
}

impl KeyAges {
    /// Bounds, in days.
    pub const DAYS: [u64; 4] = [30, 90, 180, 365];

    fn add(&mut self, seconds: u64) {
        let place = Self::DAYS.partition_point(|days| days * 86_400 < seconds);
        self.keys[place] += 1;
        self.oldest_seconds = self.oldest_seconds.max(seconds);
    }
}

/// So many lists are looked at that are to be renewed next.
const LOOKED_AT: usize = 1_024;

impl Registry {
    /// How the store's writes went.
    pub fn measured_writes(&self) -> Option<Arc<Writes>> {
        self.engine.measured()
    }

    /// How the publication of lists went.
    pub fn measured_publishing(&self) -> &Publishing {
        &self.published.measured
    }

    /// What is kept in memory, by what it is: signed lists, statuses of lists, tokens, and the standing of
    /// parties.
    pub fn caches(&self) -> [(&'static str, CacheShown); 4] {
        let (lists, live) = (&self.published, &self.live);
        let (tokens, standing) = (&self.tokens, &self.kept);
        [
            ("signed-lists", lists.lookups.with(lists.held())),
            ("statuses", live.lookups.with(live.held())),
            ("tokens", tokens.lookups.with(tokens.held())),
            ("standing", standing.lookups.with(standing.held())),
        ]
    }

    /// The lists that wait to be signed in this process.
    pub fn backlog(&self) -> Backlog {
        let waiting = locked(&self.published.waiting);
        let now = Instant::now();
        let longest = waiting.behind_since();
        Backlog {
            lists: waiting.len(),
            longest: longest.map_or(Duration::ZERO, |since| now.saturating_duration_since(since)),
        }
    }

    /// For each class of lists in how many seconds the first artefact ends, which is less than nothing where
    /// one has. Of the lists that are to be renewed first, up to 1,024: of a class that has none
    /// among these nothing is said, since all of it is fresher than they are.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn first_ends(&self) -> Result<BTreeMap<&'static str, i64>, RegistryError> {
        let read = self.engine.snapshot();
        let now = self.now();
        let mut ends = BTreeMap::new();
        for ((_, list), ()) in RENEWALS.scan(&*read, &[], None, LOOKED_AT)? {
            let states = [
                ("bitstring", PUBLISHED.get(&*read, &list)?),
                ("token", PUBLISHED_TOKENS.get(&*read, &list)?),
            ];
            for (class, state) in states {
                if let Some(until) = state.and_then(|state| state.valid_until) {
                    let left = (until.millis() - now.millis()).div_euclid(1_000);
                    let first = ends.entry(class).or_insert(left);
                    *first = left.min(*first);
                }
            }
        }
        Ok(ends)
    }

    /// How old the keys are that sign here: neither retired nor revoked, and not brought along. It goes
    /// through all keys, which takes a while where there are many.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn key_ages(&self) -> Result<KeyAges, RegistryError> {
        ages(&*self.engine.snapshot(), self.now())
    }
}

fn ages(read: &dyn Read, now: Timestamp) -> Result<KeyAges, RegistryError> {
    const AT_ONCE: usize = 512;
    let (mut ages, mut after) = (KeyAges::default(), None);
    loop {
        let rows = KEYS.scan(read, &[], after.as_ref(), AT_ONCE)?;
        for (_, key) in &rows {
            let signs = key.retired_at.is_none() && key.revoked_since.is_none();
            if signs && !key.sealed.is_empty() {
                let age = (now.millis() - key.made_at.millis()).max(0) / 1_000;
                ages.add(age.unsigned_abs());
            }
        }
        match rows.into_iter().nth(AT_ONCE - 1) {
            Some((last, _)) => after = Some(last),
            None => return Ok(ages),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{NewList, testing};
    use crate::status::StatusPurpose;
    use crate::time::Ttl;

    const DAY: u64 = 86_400;

    #[test]
    fn what_ends_first_and_what_is_oldest_is_told() {
        let (registry, clock, _) = testing::in_memory();
        assert_eq!(registry.first_ends().unwrap(), BTreeMap::new());
        let school = testing::school(&registry, "school");
        let new = NewList::usual(school, StatusPurpose::Revocation);
        let operator = testing::operator();
        registry.create_list(&operator, &new).unwrap();
        let week = i64::try_from(7 * DAY).unwrap();
        let fresh = registry.first_ends().unwrap();
        assert!(
            (week - 60..=week).contains(&fresh["bitstring"]),
            "{fresh:?}"
        );
        let before = registry.key_ages().unwrap();
        assert!(before.keys[0] > 0 && before.oldest_seconds < 60);

        clock.advance(Ttl::from_seconds(100 * DAY));
        assert!(registry.first_ends().unwrap()["bitstring"] < 0);
        let after = registry.key_ages().unwrap();
        assert_eq!(after.keys[2], before.keys[0]);
        assert!(after.oldest_seconds >= 100 * DAY);
    }

    #[test]
    fn a_key_is_counted_with_those_of_its_age() {
        let mut ages = KeyAges::default();
        for days in [0, 30, 31, 365, 366] {
            ages.add(days * DAY);
        }
        assert_eq!(ages.keys, [2, 1, 0, 1, 1]);
        assert_eq!(ages.oldest_seconds, 366 * DAY);
    }
}
