//! What was published since some place in the log, for those who follow along. The log is what
//! tells: every publication stands there from the batch in which it was committed.

use std::collections::HashSet;
use std::sync::Arc;

use crate::ids::{ListId, Revision, Seq};
use crate::registry::bell::Listener;
use crate::registry::lists::{in_token, list_of};
use crate::registry::{ListForm, Registry, RegistryError};
use crate::store::engine::{LoggedEvent, Read, StoreError};
use crate::store::event;
use crate::time::Timestamp;

use super::allocation::space_of;

/// A list was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Its place in the log.
    pub seq: Seq,
    /// Which list.
    pub list: ListId,
    /// The revision that it shows.
    pub revision: Revision,
    /// When it was committed.
    pub at: Timestamp,
    /// The URLs under which the list is published, its own first: as a StatusList2021, and as the
    /// token list that it is part of, where it is.
    pub urls: Vec<String>,
}

/// The publications in a stretch of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publications {
    /// In order, of each list the newest one within the stretch.
    pub found: Vec<Publication>,
    /// The last place of the stretch: who goes on from there misses nothing and reads nothing twice.
    pub looked_to: Seq,
    /// Whether the log went further when this was read.
    pub more: More,
}

/// Whether there is more to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum More {
    /// The stretch ends where it was bounded.
    Perhaps,
    /// It ended where the log did.
    No,
}

/// So many lists are told of at a time.
const MOST_LISTS: usize = 100;

/// So many events are in memory at a time: one may say of 100,000 entries that they changed.
const AT_ONCE: usize = 100;

impl Registry {
    /// Sees to it that `listener` is called after each publication that this process makes or hears of. On a
    /// thread that commits it may be: it returns at once, and does not call the store.
    pub fn when_published(&self, listener: &Arc<Listener>) {
        self.publications.heard_by(listener);
    }

    /// Place of the newest event in the log, of whatever kind; 0 where there is none.
    pub fn newest_event(&self) -> Seq {
        self.engine.head().seq
    }

    /// The publications after `since`, in a stretch of at most `most` events of whatever kind.
    ///
    /// # Errors
    /// [`RegistryError::Store`] where the log cannot be read: nothing is passed over.
    pub fn published_since(&self, since: Seq, most: usize) -> Result<Publications, RegistryError> {
        let mut stretch = Stretch {
            looked_to: since,
            ..Stretch::default()
        };
        let mut left = most;
        let more = loop {
            let limit = AT_ONCE.min(left);
            let events = self.engine.changes(stretch.looked_to, limit)?;
            let read = events.len();
            if stretch.takes(events)? == Full::Yes {
                break More::Perhaps;
            }
            left -= read;
            if read < limit {
                break More::No;
            }
            if left == 0 {
                break More::Perhaps;
            }
        };
        let snapshot = self.engine.snapshot();
        let told = |(event, list, revision): (LoggedEvent, ListId, Revision)| {
            Ok(Publication {
                seq: event.seq,
                list,
                revision,
                at: event.at,
                urls: self.urls_of(&*snapshot, list)?,
            })
        };
        let looked_to = stretch.looked_to;
        let found = stretch
            .newest()
            .map(told)
            .collect::<Result<_, RegistryError>>()?;
        Ok(Publications {
            found,
            looked_to,
            more,
        })
    }

    /// Where a list can be had, in each of its forms.
    fn urls_of(&self, read: &dyn Read, list: ListId) -> Result<Vec<String>, RegistryError> {
        let urls = self.urls();
        let record = list_of(read, &urls, list)?;
        let mut found = vec![urls.list(list)];
        if record.also_2021 {
            found.push(urls.list_as(list, ListForm::Status2021));
        }
        let token = space_of(read, record.space)?.token;
        if let Some(token) = token.filter(|_| in_token(&record.purpose, record.in_token)) {
            found.push(urls.token_list(token));
        }
        Ok(found)
    }
}

/// A stretch of the log, as far as it is read.
#[derive(Default)]
struct Stretch {
    published: Vec<(LoggedEvent, ListId, Revision)>,
    lists: HashSet<ListId>,
    looked_to: Seq,
}

#[derive(PartialEq, Eq)]
enum Full {
    Yes,
    No,
}

impl Stretch {
    /// Goes on over these events, up to the one that tells of a list too many.
    fn takes(&mut self, events: Vec<LoggedEvent>) -> Result<Full, StoreError> {
        for event in events {
            let seq = event.seq;
            let published = event::published(&event.body).map_err(|error| StoreError::Corrupt {
                table: "events",
                reason: format!("event {seq}: {error}"),
            })?;
            if let Some((list, revision)) = published {
                if self.lists.len() == MOST_LISTS && !self.lists.contains(&list) {
                    return Ok(Full::Yes);
                }
                self.lists.insert(list);
                self.published.push((event, list, revision));
            }
            self.looked_to = seq;
        }
        Ok(Full::No)
    }

    /// The newest publication of each list, in order.
    fn newest(mut self) -> impl Iterator<Item = (LoggedEvent, ListId, Revision)> {
        let mut newest: Vec<_> = std::mem::take(&mut self.published)
            .into_iter()
            .rev()
            .filter(|(_, list, _)| self.lists.remove(list))
            .collect();
        newest.reverse();
        newest.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    use crate::registry::NewList;
    use crate::registry::testing::{in_memory, operator, school};
    use crate::status::StatusPurpose;
    use crate::store::engine::{Batch, Engine as _};
    use crate::store::event::{Event, EventKind};
    use crate::store::memory::MemoryEngine;

    use crate::time::Ttl;

    fn house() -> (Registry, Arc<MemoryEngine>) {
        let (registry, _, engine) = in_memory();
        (registry, engine)
    }

    fn lists(registry: &Registry, count: usize) -> Vec<ListId> {
        let school = school(registry, "school");
        let new = NewList::usual(school, StatusPurpose::Revocation);
        let open = |_| registry.create_list(&operator(), &new).unwrap().id;
        (0..count).map(open).collect()
    }

    fn log(engine: &MemoryEngine, kind: EventKind) -> Seq {
        let event = Event {
            actor: event::Actor::REGISTRY,
            request: [0; 16],
            commitment: None,
            also: Vec::new(),
            kind,
        };
        let batch = Batch {
            events: vec![event.to_log()],
            ..Batch::default()
        };
        engine.commit(batch).unwrap().seq
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// In stretches of whatever length, each list is told as it was published last.
        #[test]
        fn stretch_by_stretch_nothing_is_missed(
            logged in prop::collection::vec(prop::option::of(0usize..4), 0..400),
            most in 1usize..250,
        ) {
            let (registry, engine) = house();
            let lists = lists(&registry, 4);
            let begin = registry.newest_event();
            let mut model = BTreeMap::new();
            for (number, which) in (2..).zip(logged) {
                let revision = Revision(number);
                match which {
                    None => drop(log(&engine, EventKind::TokenMade { id: [1; 16] })),
                    Some(which) => {
                        let list = lists[which];
                        let seq = log(&engine, EventKind::ListPublished { list, revision });
                        model.insert(list, (seq, revision));
                    }
                }
            }
            let (mut place, mut told) = (begin, BTreeMap::new());
            loop {
                let stretch = registry.published_since(place, most).unwrap();
                let places: Vec<Seq> = stretch.found.iter().map(|one| one.seq).collect();
                prop_assert!(places.is_sorted());
                for one in stretch.found {
                    prop_assert!(place < one.seq && one.seq <= stretch.looked_to);
                    prop_assert_eq!(one.urls, [registry.urls().list(one.list)]);
                    told.insert(one.list, (one.seq, one.revision));
                }
                prop_assert!(stretch.looked_to.0 - place.0 <= most as u64);
                place = stretch.looked_to;
                if stretch.more == More::No {
                    break;
                }
            }
            prop_assert_eq!(place, registry.newest_event());
            prop_assert_eq!(told, model);
        }
    }

    #[test]
    fn a_stretch_ends_before_a_list_too_many() {
        let (registry, engine) = house();
        let lists = lists(&registry, MOST_LISTS + 1);
        let begin = registry.newest_event();
        let publish = |list: ListId| {
            let revision = Revision(2);
            log(&engine, EventKind::ListPublished { list, revision })
        };
        let places: Vec<Seq> = lists.iter().map(|list| publish(*list)).collect();
        let stretch = registry.published_since(begin, 10_000).unwrap();
        assert_eq!(stretch.found.len(), MOST_LISTS);
        assert_eq!(
            (stretch.looked_to, stretch.more),
            (places[MOST_LISTS - 1], More::Perhaps)
        );
        let rest = registry.published_since(stretch.looked_to, 10_000).unwrap();
        assert_eq!(
            (rest.found.len(), rest.looked_to, rest.more),
            (1, places[MOST_LISTS], More::No)
        );
        // One that is there already is not too many.
        publish(lists[MOST_LISTS]);
        publish(lists[MOST_LISTS]);
        let again = registry.published_since(places[0], 10_000).unwrap();
        assert_eq!((again.found.len(), again.more), (MOST_LISTS, More::No));
    }

    #[test]
    fn an_event_that_cannot_be_read_is_not_passed_over() {
        let (registry, engine) = house();
        let begin = registry.newest_event();
        let events = vec![vec![9]];
        engine
            .commit(Batch {
                events: events.into_iter().map(Into::into).collect(),
                ..Batch::default()
            })
            .unwrap();
        let made = registry.make_token(
            &operator(),
            &crate::registry::TokenFor::OPERATOR,
            Ttl::from_seconds(60),
        );
        made.unwrap();
        let error = registry
            .published_since(begin, 100)
            .unwrap_err()
            .to_string();
        let named = format!("event {}: the event has version 9", begin.0 + 1);
        assert!(error.contains(&named), "{error}");
    }
}
