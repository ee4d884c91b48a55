//! The audit trail from the newest event back, with what is looked for alone.
//!
//! The log is read forward only, so a stretch of it is sought, by halves, that holds about as many events
//! as are wanted, and is read to its end.

use super::{AT_ONCE, AuditEvent, AuditParty, Telling};
use crate::ids::{PersonId, ProfileId, Seq, Slug};
use crate::registry::{Actor, Registry, RegistryError};
use crate::store::engine::{LoggedEvent, StoreError};
use crate::store::event::Means;
use crate::time::Timestamp;

/// What is looked for in the trail. What is not said does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditSearch {
    /// At this moment or later.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Of a kind, such as `status.changed`, or of all kinds that begin so, such as `status`.
    pub kind: Option<String>,
    /// Made by this party.
    pub by: Option<AuditParty>,
    /// Made by this person, directly or by a client.
    pub person: Option<PersonId>,
}

/// Events from the newest back.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditSearchPage {
    /// The events.
    pub events: Vec<AuditEvent>,
    /// Before which place the search goes on, where there may be more.
    pub next: Option<Seq>,
    /// How many events were looked at for this answer.
    pub looked_at: usize,
}

/// So many events are looked at for one answer.
const MOST_LOOKED_AT: usize = 5_000;

/// Events that are read in one stretch.
const STRETCH: usize = 128;

/// One answer holds at most so many bytes of the log.
const MOST_BYTES: usize = 4 << 20;

impl Registry {
    /// Up to `limit` events before a place, or the newest ones, that are as looked for: of one profile,
    /// or, where none is named, of all that the actor may read.
    ///
    /// # Errors
    /// As [`Registry::audit`].
    pub fn search_audit(
        &self,
        actor: Actor,
        named: Option<&Slug>,
        search: &AuditSearch,
        before: Option<Seq>,
        limit: usize,
    ) -> Result<AuditSearchPage, RegistryError> {
        let of = self.trail_of(actor, named)?;
        let newest = Seq(self.engine.head().seq.0 + 1);
        let mut place = before.unwrap_or(newest).min(newest);
        if let Some(until) = search.until {
            place = place.min(Seq(self.last_before(until)?.0 + 1));
        }
        let first = match search.from {
            Some(from) => self.last_before(from)?,
            None => Seq(0),
        };
        let mut page = AuditSearchPage {
            events: Vec::new(),
            next: None,
            looked_at: 0,
        };
        let mut bytes = 0;
        while page.looked_at < MOST_LOOKED_AT {
            let (stretch, begins) = self.stretch_before(of, first, place)?;
            let read = self.engine.snapshot();
            let mut telling = Telling::to(self, actor, &*read);
            for logged in stretch.into_iter().rev() {
                if page.events.len() == limit || bytes > MOST_BYTES {
                    page.next = Some(Seq(logged.seq.0 + 1));
                    return Ok(page);
                }
                let size = logged.body.len();
                page.looked_at += 1;
                let told = telling.told(logged)?;
                if search.wants(&told) {
                    bytes += size;
                    page.events.push(told);
                }
            }
            place = Seq(begins.0 + 1);
            if begins <= first {
                return Ok(page);
            }
        }
        page.next = Some(place);
        Ok(page)
    }

    /// The last events behind `first` and before `place`, in order, and behind which place they are all:
    /// none only where there are none.
    fn stretch_before(
        &self,
        of: Option<ProfileId>,
        first: Seq,
        place: Seq,
    ) -> Result<(Vec<LoggedEvent>, Seq), StoreError> {
        let mut place = place.0;
        // Behind `low` there are more events than a stretch has, or it is the first place.
        let mut low = first.0;
        let mut begins = place.saturating_sub(STRETCH as u64 + 1).max(low);
        loop {
            match self.events_between(of, Seq(begins), Seq(place))? {
                Some(events) if !events.is_empty() || begins == first.0 => {
                    return Ok((events, Seq(begins)));
                }
                Some(_) => (place, begins) = (begins + 1, low),
                None => {
                    low = begins;
                    begins += (place - begins) / 2;
                }
            }
        }
    }

    /// The events behind `begins` and before `place`; `None` where these are more than one, and more or
    /// longer than a stretch can be.
    fn events_between(
        &self,
        of: Option<ProfileId>,
        begins: Seq,
        place: Seq,
    ) -> Result<Option<Vec<LoggedEvent>>, StoreError> {
        let (mut events, mut bytes): (Vec<LoggedEvent>, _) = (Vec::new(), 0);
        let mut last = begins;
        loop {
            let logged = match of {
                Some(profile) => self.engine.changes_of(profile.0, last, AT_ONCE)?,
                None => self.engine.changes(last, AT_ONCE)?,
            };
            let is_last = logged.len() < AT_ONCE;
            for event in logged {
                if event.seq >= place {
                    return Ok(Some(events));
                }
                last = event.seq;
                bytes += event.body.len();
                if !events.is_empty() && (events.len() == STRETCH || bytes > MOST_BYTES) {
                    return Ok(None);
                }
                events.push(event);
            }
            if is_last {
                return Ok(Some(events));
            }
        }
    }
}

impl AuditSearch {
    fn wants(&self, event: &AuditEvent) -> bool {
        let of_kind = |kind: &String| {
            let rest = event.name.strip_prefix(kind.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.kind.as_ref().is_none_or(of_kind)
            && self.from.is_none_or(|from| event.at >= from)
            && self.until.is_none_or(|until| event.at < until)
            && self.by.as_ref().is_none_or(|by| event.actor.party == *by)
            && self
                .person
                .is_none_or(|person| of_person(event.actor.means) == Some(person))
    }
}

const fn of_person(means: Means) -> Option<PersonId> {
    match means {
        Means::Person(id) | Means::PersonBy { person: id, .. } => Some(PersonId::from_bytes(id)),
        Means::None | Means::Token(_) | Means::Client(_) | Means::Outside(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ListId;
    use crate::registry::testing::{in_memory, operator, school};
    use crate::registry::{NewList, StatusTarget, StatusUpdate};
    use crate::status::StatusPurpose;
    use crate::time::Ttl;

    fn everything(
        registry: &Registry,
        named: Option<&Slug>,
        search: &AuditSearch,
        limit: usize,
    ) -> Vec<Seq> {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let page = registry
                .search_audit(Actor::operator(), named, search, before, limit)
                .unwrap();
            assert!(page.events.len() <= limit);
            found.extend(page.events.iter().map(|event| event.seq));
            before = page.next;
            if before.is_none() {
                return found;
            }
        }
    }

    fn forward(registry: &Registry, named: Option<&Slug>, search: &AuditSearch) -> Vec<Seq> {
        let (mut found, mut since) = (Vec::new(), Seq(0));
        loop {
            let page = registry
                .audit(Actor::operator(), named, since, 100)
                .unwrap();
            let wanted = page.events.iter().filter(|event| search.wants(event));
            found.extend(wanted.map(|event| event.seq));
            match page.next {
                Some(next) => since = next,
                None => break,
            }
        }
        found.reverse();
        found
    }

    fn toggles(registry: &Registry, list: ListId, index: u64, times: usize) {
        for time in 0..times {
            let update = StatusUpdate {
                target: StatusTarget::Index(index),
                status: 1 - (time % 2) as u64,
            };
            registry
                .update_statuses(&operator(), list, vec![update], None)
                .unwrap();
        }
    }

    /// Two schools, of which one does much, then the other, then the first one again.
    #[test]
    fn newest_first_is_the_trail_backwards() {
        let (registry, clock, _) = in_memory();
        let [(busy, at_busy), (calm, at_calm)] = ["busy", "calm"].map(|slug| {
            let school = school(&registry, slug);
            let list = NewList::usual(school, StatusPurpose::Suspension);
            let list = registry.create_list(&operator(), &list).unwrap().id;
            let given = registry.allocate(&operator(), list, 1).unwrap().indexes();
            (list, given[0].get())
        });
        let start = registry.now();
        toggles(&registry, calm, at_calm, 3);
        clock.advance(Ttl::from_seconds(60));
        let middle = registry.now();
        toggles(&registry, busy, at_busy, 400);
        clock.advance(Ttl::from_seconds(60));
        toggles(&registry, calm, at_calm, 2);
        let slugs = ["busy", "calm"].map(|slug| slug.parse::<Slug>().unwrap());
        let kind = |kind: &str| Some(kind.to_owned());
        for search in [
            AuditSearch::default(),
            AuditSearch {
                kind: kind("status.changed"),
                ..AuditSearch::default()
            },
            AuditSearch {
                kind: kind("status"),
                ..AuditSearch::default()
            },
            AuditSearch {
                kind: kind("stat"),
                ..AuditSearch::default()
            },
            AuditSearch {
                until: Some(middle),
                ..AuditSearch::default()
            },
            AuditSearch {
                from: Some(middle),
                ..AuditSearch::default()
            },
            AuditSearch {
                from: Some(start),
                until: Some(start),
                ..AuditSearch::default()
            },
            AuditSearch {
                by: Some(AuditParty::Registry),
                ..AuditSearch::default()
            },
            AuditSearch {
                by: Some(AuditParty::Anonymous),
                ..AuditSearch::default()
            },
        ] {
            for named in [None, Some(&slugs[0]), Some(&slugs[1])] {
                for limit in [7, 1_000] {
                    let found = everything(&registry, named, &search, limit);
                    assert_eq!(
                        found,
                        forward(&registry, named, &search),
                        "{search:?} {named:?}"
                    );
                }
            }
        }
        let status = AuditSearch {
            kind: kind("status"),
            ..AuditSearch::default()
        };
        assert_eq!(everything(&registry, Some(&slugs[1]), &status, 50).len(), 4);
        let none = AuditSearch {
            kind: kind("stat"),
            ..AuditSearch::default()
        };
        assert!(everything(&registry, None, &none, 50).is_empty());
    }

    #[test]
    fn a_strangers_trail_is_not_read() {
        let (registry, _, _) = in_memory();
        school(&registry, "school");
        let slug: Slug = "school".parse().unwrap();
        let search = AuditSearch::default();
        let refused = registry.search_audit(Actor::anonymous(), Some(&slug), &search, None, 9);
        assert!(matches!(refused, Err(RegistryError::NotFound(..))));
    }
}
